"""What the changes of a run come to for a reader: passages that grow, and lines between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple, assert_never

from ..accumulator import Accumulator
from ..changes import (
    ActionRequired,
    AnnotationAdded,
    ArgumentsAppended,
    CallDone,
    CallOpened,
    Change,
    CodeAppended,
    ImageAdded,
    LogAppended,
    MessageDone,
    MessageOpened,
    OutputDone,
    PartAdded,
    ProblemFound,
    ReasoningAppended,
    RefusalAppended,
    RunChanged,
    ServerFailed,
    StepChanged,
    StepDone,
    StepOpened,
    StreamEnded,
    TextAppended,
    UnknownReceived,
)
from ..snapshots import OtherOutput, Run
from . import wording

__all__ = ["Closed", "Item", "Kind", "Narrator", "Note", "Passage", "Place", "Tone"]

Kind = Literal["code", "logs", "arguments", "output", "message", "refusal", "reasoning", "image"]
Tone = Literal["run", "plain", "dim", "problem"]


class Place(NamedTuple):
    """Where a passage stands: what has the same place is one passage."""

    owner: str  # a step, or a message
    call_index: int | None
    kind: Kind
    part: int = 0  # of several of a kind


class Passage(NamedTuple):
    """More text at a place. An image's text is its name."""

    place: Place
    title: str
    text: str


class Note(NamedTuple):
    """A line about the run."""

    tone: Tone
    text: str


class Closed(NamedTuple):
    """A step or a message ended; None: so did everything."""

    owner: str | None


Item = Passage | Note | Closed
_InCall = CodeAppended | ArgumentsAppended | LogAppended | ImageAdded | CallDone | OutputDone


class Narrator:
    """Turns the changes of one run into items.

    Every text in them is still as the server sent it: showing it safely is the view's
    part. An unknown event is told when its name is first heard, and counted after that.
    """

    def __init__(self, accumulator: Accumulator) -> None:
        self._accumulator = accumulator
        self._run_id: str | None = None
        self._unknown: Counter[str] = Counter()
        self._titles: dict[tuple[str, int], str] = {}
        self._outputs: dict[tuple[str, int], str] = {}

    def tell(self, change: Change) -> Iterator[Item]:
        """Yield what a change comes to."""
        match change:
            case RunChanged(run):
                yield from self._run(run)
            case CodeAppended(text=text):
                yield self._in_call(change, "code", text)
            case ArgumentsAppended(text=text):
                yield self._in_call(change, "arguments", text)
            case LogAppended(output_index=index, text=text):
                yield self._in_call(change, "logs", text, index)
            case ImageAdded(output_index=index):
                yield self._in_call(change, "image", wording.image(change), index)
            case OutputDone(output_index=index, output=OtherOutput(type=kind)):
                yield self._in_call(change, "output", f"({kind or 'of no kind'})", index)
            case CallDone():
                yield from self._call_done(change)
            case StepDone(step):
                yield Closed(step.id)
            case TextAppended(message_id, index, text):
                yield _in(message_id, "message", text, index)
            case RefusalAppended(message_id, index, text):
                yield _in(message_id, "refusal", text, index)
            case PartAdded(message_id, index, part):
                yield _in(message_id, "image", wording.part(part), index)
            case MessageDone(message):
                yield Closed(message.id)
                for line in wording.citations(message):
                    yield Note("plain", line)
                if message.incomplete_details is not None:
                    yield Note("plain", f"incomplete: {wording.reason(message)}")
            case ReasoningAppended(step_id, index, text):
                yield _in(step_id, "reasoning", text, index)
            case ActionRequired(_, tool_calls):
                yield Closed(None)
                yield Note("plain", wording.action(tool_calls))
            case ProblemFound(problem):
                yield Note("problem", wording.problem(problem))
            case ServerFailed(error):
                yield Note("problem", wording.failure(error))
            case UnknownReceived(name):
                yield from self._unknown_received(name)
            case StreamEnded():
                yield Closed(None)
            case (
                StepOpened()
                | StepChanged()
                | CallOpened()
                | MessageOpened()
                | AnnotationAdded()  # told with the whole message, whose text it is about
                | OutputDone()
            ):
                pass
            case _:
                assert_never(change)

    def resume(self) -> Iterator[Item]:
        """Yield what is to be said before a leg."""
        if self._accumulator.outcome == "truncated":
            yield Note("problem", "the stream was cut; what follows was fetched later")

    def unknown(self) -> str | None:
        """Return how often unknown events came, where `tell` has not said it all."""
        if self._unknown.total() == len(self._unknown):
            return None
        return wording.unknown(self._unknown)

    def _run(self, run: Run) -> Iterator[Item]:
        if run.id != self._run_id:
            self._run_id = run.id
            yield Note("run", " · ".join(filter(None, ("run", run.id, run.model))))

    def _unknown_received(self, name: str) -> Iterator[Item]:
        self._unknown[name] += 1
        if self._unknown[name] == 1:
            yield Note("dim", f"unknown event {name}")

    def _call_done(self, change: CallDone) -> Iterator[Item]:
        text = wording.output(change.call)
        key = (change.step_id, change.call_index)
        # A step that is done again repeats what its calls gave.
        if text and self._outputs.get(key) != text:
            self._outputs[key] = text
            yield self._in_call(change, "output", text)

    def _in_call(self, change: _InCall, kind: Kind, text: str, index: int = 0) -> Passage:
        place = Place(change.step_id, change.call_index, kind, index)
        return Passage(place, f"{kind} · {self._title(change)}", text)

    def _title(self, change: _InCall) -> str:
        key = (change.step_id, change.call_index)
        title = self._titles.get(key)
        if title is None:
            call_id = change.call_id or f"call {change.call_index}"
            # Asked once a call, since looking costs what the step has changed.
            name = wording.name_of(self._accumulator.steps, change.step_id, change.call_id)
            title = " · ".join(filter(None, (name, call_id)))
            if change.call_id is not None:
                self._titles[key] = title
        return title


def _in(owner: str, kind: Kind, text: str, index: int) -> Passage:
    return Passage(Place(owner, None, kind, index), f"{kind} · {owner}", text)
