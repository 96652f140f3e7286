"""A whole run, shaped like those that were recorded."""

from __future__ import annotations

import random
import string
from typing import Final

from .fragments import code, function, step_delta
from .streams import DONE, JSON, Workload, frame, pieces, whole

__all__ = ["mixed"]

# The deltas of a turn: the text of a message, the code of a call, arguments of functions.
_SAID: Final = 60
_WRITTEN: Final = 100
_ASKED: Final = 30
_FUNCTIONS: Final = ("get_tide", "get_wind")
# Three more: the call with the code begins, its log, its image.
_TURN: Final = _SAID + _WRITTEN + _ASKED + len(_FUNCTIONS) + 3

_SPEECH: Final = (" the", " sum", " is", " 42", ".", ",", "\n", " **", " café", " →", " \\(", "é")

_TIME: Final = 1_712_009_480


def mixed(count: int) -> Workload:
    """A run in turns: a message, then code with a log and an image, then functions."""
    turns = max(1, count // _TURN)
    run = _Run()
    for _ in range(turns):
        run.speak()
        run.compute()
        run.ask()
    run.complete()
    deltas = turns * _TURN
    return whole("mixed", run.frames, events=deltas, steps=run.steps, messages=run.messages)


class _Run:
    """A run while it is written down."""

    def __init__(self) -> None:
        self._rng = random.Random(4)
        self._owners: JSON = {"assistant_id": self._id("asst"), "thread_id": self._id("thread")}
        self._run: JSON = {
            "id": self._id("run"),
            "object": "thread.run",
            "created_at": _TIME,
            **self._owners,
            "status": "queued",
            "started_at": None,
            "expires_at": _TIME + 600,
            "cancelled_at": None,
            "failed_at": None,
            "completed_at": None,
            "required_action": None,
            "last_error": None,
            "model": "gpt-4o",
            "instructions": "Answer with code.",
            "tools": [{"type": "code_interpreter"}],
            "metadata": {},
            "temperature": 1.0,
            "usage": None,
        }
        self._owners["run_id"] = self._run["id"]
        self.steps: list[JSON] = []
        self.messages: list[JSON] = []
        self.frames = [
            frame("thread.run.created", self._run),
            frame("thread.run.queued", self._run),
            frame("thread.run.in_progress", self._run | {"status": "in_progress"}),
        ]

    def speak(self) -> None:
        """Create a message."""
        message_id = self._id("msg")
        created = {"message_id": message_id}
        step = self._begin_step({"type": "message_creation", "message_creation": created})
        message: JSON = {
            "id": message_id,
            "object": "thread.message",
            "created_at": _TIME,
            **self._owners,
            "status": "in_progress",
            "incomplete_details": None,
            "incomplete_at": None,
            "completed_at": None,
            "role": "assistant",
            "content": [],
            "attachments": [],
            "metadata": {},
        }
        self._say("thread.message.created", message)
        self._say("thread.message.in_progress", message)
        texts = self._rng.choices(_SPEECH, k=_SAID)
        opening: list[JSON] = [{"value": texts[0], "annotations": []}]
        for text in opening + [{"value": text} for text in texts[1:]]:
            delta = {"content": [{"index": 0, "type": "text", "text": text}]}
            data = {"id": message_id, "object": "thread.message.delta", "delta": delta}
            self._say("thread.message.delta", data)
        text = {"value": "".join(texts), "annotations": []}
        message |= {"status": "completed", "completed_at": _TIME + 5}
        message["content"] = [{"type": "text", "text": text}]
        self.messages.append(message)
        self._say("thread.message.completed", message)
        self._complete_step(step)

    def compute(self) -> None:
        """Write code, and run it."""
        step = self._begin_step({"type": "tool_calls", "tool_calls": []})
        call_id = self._id("call")
        texts = pieces(self._rng, _WRITTEN)
        log: JSON = {"type": "logs", "logs": "".join(self._rng.choices("0123456789 \n", k=200))}
        image: JSON = {"type": "image", "image": {"file_id": self._id("file")}}
        self._add(step, code({"index": 0, "id": call_id}, input="", outputs=[]))
        for text in texts:
            self._add(step, code({"index": 0}, input=text))
        for index, output in enumerate((log, image)):
            self._add(step, code({"index": 0}, outputs=[{"index": index, **output}]))
        done = code({"id": call_id}, input="".join(texts), outputs=[log, image])
        self._complete_step(step, done)

    def ask(self) -> None:
        """Call functions, whose arguments interleave; their outputs come in the end."""
        step = self._begin_step({"type": "tool_calls", "tool_calls": []})
        calls = [
            function({"id": self._id("call")}, name=name, arguments="", output=None)
            for name in _FUNCTIONS
        ]
        for index, call in enumerate(calls):
            self._add(step, {"index": index} | call)
        texts = pieces(self._rng, _ASKED)
        for number, text in enumerate(texts):
            self._add(step, function({"index": number % len(calls)}, arguments=text))
        for index, call in enumerate(calls):
            said = {"arguments": "".join(texts[index :: len(calls)]), "output": "12 knots"}
            call["function"] |= said
        self._complete_step(step, *calls)

    def complete(self) -> None:
        """Complete the run."""
        usage = {"prompt_tokens": 1275, "completion_tokens": 280, "total_tokens": 1555}
        self._run |= {"status": "completed", "started_at": _TIME, "completed_at": _TIME + 11}
        self._say("thread.run.completed", self._run | {"expires_at": None, "usage": usage})
        self.frames.append(DONE)

    def _begin_step(self, details: JSON) -> JSON:
        step: JSON = {
            "id": self._id("step"),
            "object": "thread.run.step",
            "created_at": _TIME,
            **self._owners,
            "type": details["type"],
            "status": "in_progress",
            "cancelled_at": None,
            "completed_at": None,
            "expires_at": _TIME + 600,
            "failed_at": None,
            "last_error": None,
            "step_details": details,
            "usage": None,
        }
        self._say("thread.run.step.created", step)
        self._say("thread.run.step.in_progress", step)
        return step

    def _add(self, step: JSON, fragment: JSON) -> None:
        self.frames.append(step_delta(step["id"], fragment))

    def _complete_step(self, step: JSON, *calls: JSON) -> None:
        usage = {"prompt_tokens": 203, "completion_tokens": 61, "total_tokens": 264}
        step |= {"status": "completed", "completed_at": _TIME + 7, "usage": usage}
        if calls:
            step["step_details"] = {"type": "tool_calls", "tool_calls": list(calls)}
        self.steps.append(step)
        self._say("thread.run.step.completed", step)

    def _say(self, name: str, data: JSON) -> None:
        self.frames.append(frame(name, data))

    def _id(self, kind: str) -> str:
        return f"{kind}_{''.join(self._rng.choices(string.ascii_letters, k=24))}"
