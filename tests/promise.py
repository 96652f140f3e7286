"""The promise of the changes, as a checker: it holds for every stream, whatever was sent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from streamkit import (
    ActionRequired,
    AnnotationAdded,
    ArgumentsAppended,
    CallDone,
    CallOpened,
    Change,
    CodeAppended,
    CodeInterpreter,
    CodeInterpreterToolCall,
    FunctionToolCall,
    ImageAdded,
    LogAppended,
    Message,
    MessageDone,
    MessageOpened,
    OtherToolCall,
    OutputDone,
    PartAdded,
    Problem,
    ProblemFound,
    ReasoningAppended,
    RefusalAppended,
    Run,
    RunChanged,
    RunSnapshot,
    RunStep,
    ServerFailed,
    StepChanged,
    StepDone,
    StepOpened,
    StreamEnded,
    TextAppended,
    TextContentBlock,
    ToolCall,
    ToolCallsStepDetails,
    to_wire,
)

__all__ = ["Place", "check_promise", "fragments"]

# The id of a step or message; the index of a call and of an output, or of a part.
Place = tuple[str | int, ...]

_OPENINGS: Final = (StepOpened, CallOpened, MessageOpened)
_ENDINGS: Final = (StepDone, CallDone, OutputDone, MessageDone)

# Where the server took back what was told, the fragments are not the final text.
_DISPUTES: Final = ("content_differs", "content_shrunk", "type_changed")

# What had ended goes on only where the server was caught at it.
_REVIVALS: Final = ("reopened", "illegal_move")

_EMPTY: Final[Sequence[object]] = (None, "", [], {})


def fragments(changes: Iterable[Change]) -> dict[Place, str]:
    """Join the fragments that were told, by their places; of an image, where it lies."""
    told: dict[Place, str] = defaultdict(str)
    for change in changes:
        match change:
            case CodeAppended(step_id, call, _, text):
                told[step_id, call, "code"] += text
            case ArgumentsAppended(step_id, call, _, text):
                told[step_id, call, "arguments"] += text
            case LogAppended(step_id, call, _, output, text):
                told[step_id, call, output, "logs"] += text
            case ImageAdded(step_id, call, _, output, file_id, url):
                told[step_id, call, output, "image"] += file_id or url or ""
            case ReasoningAppended(step_id, index, text):
                told[step_id, index, "reasoning"] += text
            case TextAppended(message_id, index, text):
                told[message_id, index, "text"] += text
            case RefusalAppended(message_id, index, text):
                told[message_id, index, "refusal"] += text
            case PartAdded(message_id, index, part):
                told[message_id, index, "part"] += _said(part)
            case _:
                pass  # nothing that is told in pieces
    return dict(told)


def check_promise(
    changes: Iterable[Change],
    snapshot: RunSnapshot,
    *,
    legs: int | None = None,
    runs: bool = False,
) -> None:
    """Hold all the changes of a run, from its first leg on, to the promise.

    Args:
        changes: All of them, in order.
        snapshot: The one taken after the last of them.
        legs: How many legs ended, where that is known.
        runs: Whether there may be several runs, one after the other.
    """
    changes = tuple(changes)
    checker = _Checker(snapshot.problems)
    checker.runs = runs
    for number, change in enumerate(changes):
        try:
            checker.take(change)
        except AssertionError as error:
            error.add_note(f"at change {number}: {change}")
            raise
    checker.compare(snapshot, fragments(changes))
    ends = sum(isinstance(change, StreamEnded) for change in changes)
    assert legs in (None, ends), f"StreamEnded came {ends} times in {legs} legs"


class _Checker:
    """Follows the changes, and keeps what they told."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.runs = False
        self.run: Run | None = None
        self.opened: dict[Place, type] = {}
        self.done: dict[Place, Any] = {}
        self.steps: dict[Place, RunStep] = {}  # as told last, if nothing in them came since
        self.names: dict[Place, str | None] = {}
        self.notes: Counter[str] = Counter()  # annotations told, by message
        self.problems: list[Problem] = []
        self.last: Change | None = None
        self.failed = False  # the server did, in this leg
        self.revived = {_place(problem)[:1] for problem in problems if problem.kind in _REVIVALS}
        self.disputed = [_place(problem) for problem in problems if problem.kind in _DISPUTES]
        self.renamed = [_place(problem) for problem in problems if problem.kind == "id_changed"]

    def take(self, change: Change) -> None:
        """Take the next change."""
        place = _place(change)
        assert self.runs or self.last != StreamEnded("complete"), "told after the run was complete"
        if isinstance(self.last, OutputDone | CallDone) and not isinstance(change, ProblemFound):
            assert isinstance(change, OutputDone | CallDone | StepDone), "done before its step"
            assert place[0] == self.last.step_id, "done before its step"
        assert getattr(change, "text", None) != "", "an empty fragment"
        match change:
            case RunChanged(run):
                self.run = run
            case ActionRequired(run_id, calls):
                assert isinstance(self.last, RunChanged), "an action without its run"
                assert self.last.run.id == run_id, "the action of another run"
                action = self.last.run.required_action
                assert action is not None, "the run waits for nothing"
                assert action.tool_calls == calls, "the run waits for other calls"
            case ProblemFound(problem):
                self.problems.append(problem)
            case ServerFailed():
                self.failed = True
            case StreamEnded(outcome):
                assert outcome != "open", "an open end"
                assert self.failed == (outcome == "error"), "an error is what the server says"
                self.failed = False
            case _ if place:
                self._take_part(change, place)
            case _:
                pass  # unknown to this library: anything may be said there
        self.last = change

    def _take_part(self, change: Any, place: Place) -> None:
        if isinstance(change, _OPENINGS):
            assert place not in self.opened, "opened twice"
            self.opened[place] = type(change)
        owner = place[:2] if hasattr(change, "call_id") else place[:1]
        assert owner in self.opened, "told before it was opened"
        if hasattr(change, "call_id"):
            known = self.names.get(owner)
            assert known in (None, change.call_id) or owner in self.renamed, "its id changed"
            self.names[owner] = change.call_id
        if isinstance(change, _ENDINGS):
            assert place not in self.done or place[:1] in self.revived, "done twice"
            self.done[place] = self._ended(change, place)
        elif not isinstance(change, StepChanged):
            around = [place[:size] for size in range(1, len(place) + 1)]
            ended = [each for each in around if each in self.done]
            assert not ended or place[:1] in self.revived, "told after its end"
            for each in ended:
                del self.done[each]
            self.steps.pop(place[:1], None)
        if isinstance(change, StepOpened | StepChanged | StepDone):
            self.steps[place] = change.step
        if isinstance(change, AnnotationAdded):
            self.notes[change.message_id] += 1

    def _ended(self, change: Any, place: Place) -> Any:
        """Return what is done; what is in it was done before, and is in it as it was told."""
        inner = sorted(each for each in self.done if each[:-1] == place)
        parts = [self.done[each] for each in inner]
        match change:
            case StepDone(step):
                calls = _calls(step)
                assert len(parts) == len(calls), "calls that are not done"
                for each, part, call in zip(inner, parts, calls, strict=True):
                    assert part == call or self._is_disputed(each), "a call that is not done so"
                return step
            case CallDone(call=call):
                whole = parts == list(_code(call).outputs) or self._is_disputed(place)
                assert whole, "outputs that are not done, or not so"
                return call
            case OutputDone(output=output):
                return output
            case _:
                return change.message

    def _is_disputed(self, place: Place) -> bool:
        return any(each[: len(place)] == place for each in self.disputed)

    def compare(self, snapshot: RunSnapshot, told: dict[Place, str]) -> None:
        """Compare what was told with the snapshot."""
        assert self.run == snapshot.run, "not the run that was told last"
        steps = [place[0] for place, kind in self.opened.items() if kind is StepOpened]
        assert steps == [step.id for step in snapshot.steps], "not the steps that were opened"
        messages = [place[0] for place, kind in self.opened.items() if kind is MessageOpened]
        known = [_of_message(each.id)[0] for each in snapshot.messages]
        assert messages == known, "not the messages opened"
        firsts = [msgspec.structs.replace(problem, count=1) for problem in snapshot.problems]
        assert self.problems == firsts, "not the problems that were told"
        if snapshot.outcome != "open":
            assert self.last == StreamEnded(snapshot.outcome), "the last word is not the end"
        for step in snapshot.steps:
            told_last = _filled(to_wire(self.steps.get((step.id,), step)))
            disputed = any(place[:1] == (step.id,) for place in self.disputed)
            assert told_last == _filled(to_wire(step)) or disputed, (
                f"step {step.id} changed untold"
            )
            self._compare_calls(step, told)
            if (step.id,) not in self.disputed:
                # A part that was not told of yet is not there, so its index is not a place.
                places = sorted(place for place in told if place[::2] == (step.id, "reasoning"))
                shown = [told[place] for place in places if told[place]]
                assert shown == _thoughts(step), f"reasoning of {step.id}"
        for message in snapshot.messages:
            if _of_message(message.id) not in self.disputed:
                self._compare_message(message, told)

    def _compare_calls(self, step: RunStep, told: dict[Place, str]) -> None:
        calls = _calls(step)
        places = sorted(place for place in self.opened if place[:-1] == (step.id,))
        assert len(places) == len(calls), f"not the calls of {step.id} that were opened"
        for place, call in zip(places, calls, strict=True):
            named = self.names[place] in (None, call.id) or place in self.renamed
            assert named, f"call {place} is named otherwise"
            if self._is_disputed(place):
                continue
            done = msgspec.structs.replace(self.done.get(place, call), id=call.id)
            final = done == call or place[:1] in self.revived
            assert final, f"call {place} changed after its end"
            assert told.get((*place, "code"), "") == _code(call).input, f"code of {place}"
            assert told.get((*place, "arguments"), "") == _arguments(call), f"{place}"
            outputs = _told_in(place, told)
            assert outputs == [text for each in _code(call).outputs if (text := _said(each))]

    def _compare_message(self, message: Message, told: dict[Place, str]) -> None:
        place = _of_message(message.id)
        done = _filled(to_wire(self.done.get(place, message).content))
        final = done == _filled(to_wire(message.content)) or place in self.revived
        assert final, f"message {message.id} changed after its end"
        texts = [text for part in message.content if (text := _said(part))]
        assert _told_in((message.id,), told) == texts, f"texts of {message.id}"
        blocks = [part.text for part in message.content if isinstance(part, TextContentBlock)]
        notes = sum(len(text.annotations) for text in blocks if text is not None)
        assert self.notes[message.id] == notes, f"annotations of {message.id}"


def _place(change: Any) -> Place:
    """Where a change or a problem belongs; () where that is no step and no message."""
    whole = getattr(change, "message", None)
    message_id = whole.id if whole is not None else getattr(change, "message_id", None)
    if message_id is not None:
        index = getattr(change, "content_index", None)
        return _of_message(message_id) if index is None else (*_of_message(message_id), index)
    whole = getattr(change, "step", None)
    if whole is not None:
        return (whole.id,)
    names = ("step_id", "call_index", "output_index")
    return tuple(value for name in names if (value := getattr(change, name, None)) is not None)


def _of_message(message_id: str) -> Place:
    """The place of a message, whose step may have the same id."""
    return (f"message {message_id}",)


def _filled(value: Any) -> Any:
    """Leave out what holds nothing: whether it is there or not, nobody is told."""
    if isinstance(value, list):
        return [each for item in value if (each := _filled(item)) not in _EMPTY]
    if not isinstance(value, dict):
        return value
    inner = {name: each for name, item in value.items() if (each := _filled(item)) not in _EMPTY}
    return {} if inner.keys() <= {"type"} else inner


def _told_in(place: Place, told: dict[Place, str]) -> list[str]:
    """What was told of outputs or parts, in the order of their indices."""
    inner = (each for each in told if each[:-2] == place and told[each])
    return [told[each] for each in sorted(inner)]


def _thoughts(step: RunStep) -> list[str]:
    """The reasoning of a step, in order: that of one list, where there are two of them."""
    wire = to_wire(step.step_details) or {}
    lists = [wire.get(name) for name in ("summary", "content")]
    parts: Any = (
        next((each for each in lists if each), []) if wire.get("type") == "reasoning" else []
    )
    assert not all(lists), "reasoning of two kinds is beyond this checker"
    return [part["text"] for part in parts if part.get("text")]


def _calls(step: RunStep) -> tuple[ToolCall, ...]:
    details = step.step_details
    return details.tool_calls if isinstance(details, ToolCallsStepDetails) else ()


def _code(call: ToolCall) -> CodeInterpreter:
    code = call.code_interpreter if isinstance(call, CodeInterpreterToolCall) else None
    return code or CodeInterpreter()


def _arguments(call: ToolCall) -> str:
    match call:
        case FunctionToolCall(function=function) if function is not None:
            return function.arguments
        case OtherToolCall():
            wire = to_wire(call)
            found = wire.get("arguments") or (wire.get(call.type) or {}).get("arguments")
            if call.type == "custom_tool_call":
                found = wire.get("input")
            return found if isinstance(found, str) else ""
        case _:
            return ""


def _said(item: Any) -> str:
    """The text of an output or of a part, or of an image where it lies; "" of any other."""
    wire = to_wire(item)
    inner = wire.get(wire.get("type") or "")
    if isinstance(inner, dict):
        inner = inner.get("value") or inner.get("file_id") or inner.get("url")
    return inner if isinstance(inner, str) else ""
