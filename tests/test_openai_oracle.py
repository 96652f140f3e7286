"""The peer: on streams that openai-python reads rightly, both must come to the same.

Where it does not, the table at the end holds what the installed version makes of a stream
beside what is right, so that what is said of it in other places stays true.
"""

from __future__ import annotations

import warnings
from typing import Any, Final

import httpx2
import pytest
from openai import APIError, AssistantEventHandler, OpenAI
from openai.types.beta.threads import Message, MessageDelta, Run
from openai.types.beta.threads.runs import RunStep
from pydantic import BaseModel, ValidationError

from streamkit import Accumulator, Frame, ServerError, accumulate, to_wire
from tests.recorded import STREAMS, frames, objects, on_every_stream, read
from tests.streams import (
    body,
    code,
    code_call,
    done,
    failure,
    function,
    logs,
    message_completed,
    message_created,
    message_delta,
    printed,
    run,
    search,
    step_completed,
    step_created,
    step_delta,
    text,
    written,
)

# The streams that the peer does not read to their end, or not rightly.
DEFECTS: Final = {
    "azure-agents/mcp_tool": "a kind of call that it does not know",
    "crlf": "ids and comments in between",
    "emoji": "a character whose halves come apart",
    "error": "it raises, see below",
    "mcp-approval": "a kind of call that it does not know, and a step of an earlier leg",
    "split-logs": "output 1 before output 0",
}


class Peer(AssistantEventHandler):
    """Holds what openai-python makes of a stream; of messages, what was streamed, too."""

    def __init__(self) -> None:
        super().__init__()
        self.streamed: dict[str, Any] = {}

    def on_message_delta(self, delta: MessageDelta, snapshot: Message) -> None:
        self.streamed[snapshot.id] = texts(snapshot.to_dict())

    def steps(self) -> list[Any]:
        """The steps that this stream began, as they were streamed."""
        try:
            return [step.to_dict(warnings=False) for step in self.get_final_run_steps()]
        except RuntimeError:  # there are none
            return []


def peer(stream: bytes) -> Peer:
    """Let openai-python read a body."""
    response = httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream)
    transport = httpx2.MockTransport(lambda _: response)
    handler = Peer()
    with httpx2.Client(transport=transport) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the Assistants API is
        runs = OpenAI(api_key="none", http_client=client).beta.threads.runs
        with runs.stream(thread_id="t", assistant_id="a", event_handler=handler) as reading:
            reading.until_done()
    return handler


def calls(step: Any) -> list[Any]:
    """What is in the calls of a step on the wire, but for what only its end says."""
    outlines = []
    for call in (step.get("step_details") or {}).get("tool_calls") or []:
        inner = call.get(call["type"]) or {}
        outputs = [
            (output["type"], output.get("logs") or output["image"]["file_id"])
            for output in inner.get("outputs") or []
        ]
        said = [inner.get(name) for name in ("input", "name", "arguments")]
        outlines.append((call.get("id"), call["type"], said, outputs))
    return outlines


def texts(message: Any) -> list[Any]:
    """The parts of a message on the wire, but for annotations."""
    kinds = [(part["type"], part[part["type"]]) for part in message["content"]]
    return [
        (kind, said if isinstance(said, str) else said.get("value") or said.get("file_id"))
        for kind, said in kinds
    ]


@on_every_stream(but=DEFECTS)
def test_both_come_to_the_same(name: str) -> None:
    accumulator = Accumulator()
    for leg in STREAMS[name]:
        accumulator.feed_bytes(leg)
        accumulator.end()
        steps = {step["id"]: step for step in to_wire(accumulator.steps)}
        messages = {message["id"]: message for message in to_wire(accumulator.messages)}
        theirs = peer(leg)
        assert theirs.current_run is not None
        assert theirs.current_run.to_dict() == to_wire(accumulator.run)
        for step in theirs.steps():
            assert calls(step) == calls(steps[step["id"]])
        for message_id, streamed in theirs.streamed.items():
            assert streamed == texts(messages[message_id])
        for message in theirs.get_final_messages() if theirs.streamed else ():
            if message.status != "in_progress":
                assert message.to_dict() == messages[message.id]


def test_the_peer_finds_steps() -> None:
    """Where it finds none, nothing is compared."""
    found = [calls(step) for leg in STREAMS["report"] for step in peer(leg).steps()]
    assert [len(each) for each in found] == [1, 0]


def test_both_raise_what_the_server_said() -> None:
    (leg,) = STREAMS["error"]
    with pytest.raises(APIError) as theirs:
        peer(leg)
    with pytest.raises(ServerError) as ours:
        accumulate(leg)
    assert ours.value.error is not None
    assert ours.value.error.message == theirs.value.message


# What it is given, it loads


MODELS: Final[dict[str, type[BaseModel]]] = {"run": Run, "run.step": RunStep, "message": Message}


@on_every_stream(but=["azure-agents/mcp_tool"])  # its calls are of no kind that they know
def test_its_models_load_every_snapshot(name: str) -> None:
    unloaded = {
        (kind, value["id"])
        for leg in STREAMS[name]
        for kind, transition, value in objects(read(leg))
        if transition != "delta" and not loads(MODELS[kind], value)
    }
    assert name not in GOOD or not unloaded
    accumulator = Accumulator()
    seen: dict[int, Any] = {}  # what is kept here keeps its address to itself
    for leg in STREAMS[name]:
        for frame in frames(read(leg)):
            accumulator.feed_frame(frame)
            snapshot = accumulator.snapshot()
            parts = {
                "run": (snapshot.run,),
                "run.step": snapshot.steps,
                "message": snapshot.messages,
            }
            for kind, values in parts.items():
                for value in values:
                    if value is None or id(value) in seen or (kind, value.id) in unloaded:
                        continue
                    seen[id(value)] = value
                    MODELS[kind].model_validate(to_wire(value), strict=True)
        accumulator.end()
    assert seen or unloaded


# Our own recordings of what OpenAI itself sends are such as its models load.
GOOD: Final = {"report", "split-logs", "file-search", "parallel-functions", "three-legs", "failed"}


def loads(model: type[BaseModel], value: object) -> bool:
    """Whether a model takes what the server itself said."""
    try:
        model.model_validate(value, strict=True)
    except ValidationError:
        return False
    return True


# What the installed version gets wrong


def defect(row: str, *said: Frame, theirs: object, right: object) -> Any:
    """Build a row: its number elsewhere and what it is, a stream, and what comes of it."""
    return pytest.param([step_created(), *said, done()], theirs, right, id=row)


def one(*outputs: str, code: str = "") -> list[Any]:
    """Expect one call that printed this."""
    return [
        ("call_1", "code_interpreter", [code, None, None], [("logs", each) for each in outputs])
    ]


NAMED: Final = function(0, "{", id="call_1", name="f")
RANKED: Final = search(0, id="call_1", ranking_options={"ranker": "auto", "score_threshold": 0.5})

WRONG: Final = [
    defect(
        "3: two fragments of an output in the first delta of a call",
        step_delta("step_1", code(0, "", logs(0, "a"), logs(0, "b"), id="call_1")),
        step_delta("step_1", code(0, None, logs(0, "c"))),
        theirs=one("ac", "b"),
        right=one("abc"),
    ),
    defect(
        "4: output 1 before output 0",
        step_delta("step_1", code(0, "", id="call_1")),
        step_delta("step_1", code(0, None, logs(1, "second"))),
        step_delta("step_1", code(0, None, logs(0, "first"))),
        theirs=one("secondfirst"),
        right=one("first", "second"),
    ),
    defect(
        "4: call 2 with nothing at 0 and 1",
        step_delta("step_1", code(2, "a", id="call_1")),
        step_delta("step_1", code(2, "b")),
        theirs=IndexError,
        right=one(code="ab"),
    ),
    defect(
        "6: every fragment repeats the id and the name",
        step_delta("step_1", NAMED),
        step_delta("step_1", NAMED),
        theirs=[("call_1call_1", "function", [None, "ff", "{{"], [])],
        right=[("call_1", "function", [None, "f", "{{"], [])],
    ),
    defect(
        "7: ranker and threshold repeated",
        step_delta("step_1", RANKED),
        step_delta("step_1", RANKED),
        theirs=[("autoauto", 1.0)],
        right=[("auto", 0.5)],
    ),
    defect(
        "11: a delta for a step that was never created",
        step_delta("step_2", code(0, "a", id="call_1")),
        theirs=KeyError,
        right=one(code="a"),
    ),
]


@pytest.mark.parametrize(("said", "theirs", "right"), WRONG)
def test_what_the_peer_gets_wrong(said: list[Frame], theirs: Any, right: object) -> None:
    *_, ours = to_wire(accumulate(body(said), allow_partial=True).steps)
    assert shown(ours) == right
    if isinstance(theirs, list):
        (step,) = peer(body(said)).steps()
        assert shown(step) == theirs
    else:
        with pytest.raises(theirs):
            peer(body(said))


def shown(step: Any) -> list[Any]:
    """The calls of a step; of a file search, how it ranks."""
    options = [
        call["file_search"]["ranking_options"]
        for call in step["step_details"]["tool_calls"]
        if "file_search" in call
    ]
    ranks = [(each["ranker"], each["score_threshold"]) for each in options]
    return ranks or calls(step)


def test_its_step_never_ends() -> None:
    """Row 1: the final step is still in progress, and without what only its end says."""
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    fragment = step_delta("step_1", code(0, "a", logs(0, "1"), id="call_1"))
    end = step_completed("step_1", code_call("call_1", "a", printed("1")), usage=usage)
    stream = body([step_created(), fragment, end, run("completed"), done()])
    (theirs,) = peer(stream).steps()
    assert (theirs["status"], theirs.get("usage")) == ("in_progress", None)
    (ours,) = to_wire(accumulate(stream).steps)
    assert (ours["status"], ours["usage"]) == ("completed", usage)


def test_it_passes_over_failures() -> None:
    """Rows 12 and 13: neither an error event nor the end of the body in a frame says so."""
    begun = [run("in_progress"), message_created(), message_delta("msg_1", text(0, "a"))]
    whole = body([*begun, message_completed("msg_1", written("a")), run("completed"), done()])
    for stream, outcome in [
        (body([*begun, failure(), done()]), "error"),
        (whole[:-200], "truncated"),
    ]:
        assert peer(stream).streamed == {"msg_1": [("text", "a")]}
        assert accumulate(stream, allow_partial=True).outcome == outcome
