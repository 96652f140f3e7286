"""The checker of the promise is not blind; and a step that ends twice keeps the promise."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from msgspec.structs import replace

from streamkit import (
    Accumulator,
    ActionRequired,
    AnnotationAdded,
    ArgumentsAppended,
    CallDone,
    CallOpened,
    Change,
    CodeAppended,
    Frame,
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
    Run,
    RunChanged,
    RunSnapshot,
    RunStep,
    ServerFailed,
    StepDone,
    StepOpened,
    StreamEnded,
    TextAppended,
)
from tests.promise import check_promise
from tests.recorded import OWN, frames, read

Breach = Callable[[list[Change]], list[Change]]


def fold(*legs: list[Frame]) -> tuple[list[Change], RunSnapshot]:
    """Fold the legs of a run."""
    accumulator = Accumulator()
    changes: list[Change] = []
    for leg in legs:
        for frame in leg:
            changes += accumulator.feed_frame(frame)
        changes += accumulator.end()
    return changes, accumulator.snapshot()


def recorded(name: str) -> tuple[list[Change], RunSnapshot]:
    """Fold a recording."""
    return fold(*(frames(read(body)) for body in OWN[name]))


def without(kind: type) -> Breach:
    """Leave out the last of a kind."""
    return lambda changes: [each for each in changes if each is not last(kind, changes)]


def twice(kind: type) -> Breach:
    """Tell the last of a kind twice."""
    return lambda changes: [
        again for each in changes for again in [each] * (1 + (each is last(kind, changes)))
    ]


def late(kind: type) -> Breach:
    """Tell the last of a kind after all others, but before the end."""
    return lambda changes: [*without(kind)(changes)[:-1], last(kind, changes), changes[-1]]


def early(kind: type) -> Breach:
    """Tell the last of a kind before all others."""
    return lambda changes: [last(kind, changes), *without(kind)(changes)]


def altered(kind: type, **fields: object) -> Breach:
    """Tell the last of a kind otherwise."""
    return lambda changes: [
        replace(each, **fields) if each is last(kind, changes) else each for each in changes
    ]


def added(change: Change) -> Breach:
    """Tell something more before the end."""
    return lambda changes: [*changes[:-1], change, changes[-1]]


def last(kind: type, changes: list[Change]) -> Change:
    """Find the last of a kind."""
    return [each for each in changes if isinstance(each, kind)][-1]


def done_empty(changes: list[Change]) -> list[Change]:
    """Tell the first step as done without its calls."""
    first = next(each for each in changes if isinstance(each, StepDone))
    bare = StepDone(replace(first.step, step_details=None))
    return [bare if each is first else each for each in changes]


def one_end(changes: list[Change]) -> list[Change]:
    """Leave out all ends but the last."""
    return [each for each in changes[:-1] if not isinstance(each, StreamEnded)] + changes[-1:]


def breach(name: str, breaking: Breach, recording: str = "report") -> Any:
    """Build a row of the table."""
    return pytest.param(recording, breaking, id=name)


STEP: Final = RunStep(id="step_0")

BREACHES: Final = [
    breach("a step is not opened", without(StepOpened)),
    breach("a step is opened twice", twice(StepOpened)),
    breach("a step is opened late", late(StepOpened)),
    breach("a step is opened that is not there", added(StepOpened(STEP))),
    breach("a call is not opened", without(CallOpened)),
    breach("a call is opened twice", twice(CallOpened)),
    breach("a call is opened that is not there", altered(CallOpened, call_index=7)),
    breach("a call has another id", altered(CodeAppended, call_id="call_0")),
    breach("a message is not opened", without(MessageOpened)),
    breach("a message is opened twice", twice(MessageOpened)),
    breach("code is not told", without(CodeAppended)),
    breach("code is told twice", twice(CodeAppended)),
    breach("code is told after the end of its step", late(CodeAppended)),
    breach("code is told too early", early(CodeAppended)),
    breach("a log is not told", without(LogAppended)),
    breach("a log belongs to another output", altered(LogAppended, output_index=2)),
    breach("an image is not told", without(ImageAdded)),
    breach("an image is told twice", twice(ImageAdded)),
    breach("a text is not told", without(TextAppended)),
    breach("a text is told after the end of its message", late(TextAppended)),
    breach("an empty text", altered(TextAppended, text="")),
    breach("an image in a message is not told", without(PartAdded)),
    breach("an annotation is not told", without(AnnotationAdded)),
    breach("an annotation is told twice", twice(AnnotationAdded)),
    breach("arguments are not told", without(ArgumentsAppended), "three-legs"),
    breach("an output is not done", without(OutputDone)),
    breach("an output is done twice", twice(OutputDone)),
    breach("an output is done early", early(OutputDone)),
    breach("a call is not done", without(CallDone)),
    breach("a call is done late", late(CallDone)),
    breach("a call is done as another", altered(CallDone, call=OtherToolCall(id="call_0"))),
    breach("a step is done twice", twice(StepDone)),
    breach("a step is done as it is not", done_empty),
    breach("a message is done twice", twice(MessageDone)),
    breach("a message is done as another", altered(MessageDone, message=Message(id="msg_0"))),
    breach("a run is told that is not", altered(RunChanged, run=Run(id="run_0"))),
    breach("an action that nobody asks for", added(ActionRequired("run_0", ()))),
    breach("an action for other calls", altered(ActionRequired, tool_calls=()), "three-legs"),
    breach("a problem that is none", added(ProblemFound(Problem(kind="reopened")))),
    breach("a problem is not told", without(ProblemFound), "mcp-approval"),
    breach("no end", without(StreamEnded)),
    breach("two ends", lambda changes: [*changes, changes[-1]]),
    breach("another end", altered(StreamEnded, outcome="truncated")),
    breach("an error is not told", without(ServerFailed), "error"),
    breach("an error that nobody said", altered(StreamEnded, outcome="error")),
    breach("the end comes early", early(StreamEnded)),
    breach("a leg without an end", one_end, "three-legs"),
]


@pytest.mark.parametrize(("recording", "breaking"), BREACHES)
def test_a_breach_is_seen(recording: str, breaking: Breach) -> None:
    changes, snapshot = recorded(recording)
    legs = len(OWN[recording])
    check_promise(changes, snapshot, legs=legs)
    broken = breaking(changes)
    assert broken != changes
    with pytest.raises(AssertionError):
        check_promise(broken, snapshot, legs=legs)


# A server may end a step twice. What the second end adds is told, and done, too.


def more_code(calls: list[Any]) -> None:
    calls[0]["code_interpreter"]["input"] += "# more"


def more_logs(calls: list[Any]) -> None:
    calls[0]["code_interpreter"]["outputs"][0]["logs"] += "more"


def another_output(calls: list[Any]) -> None:
    calls[0]["code_interpreter"]["outputs"].append({"type": "logs", "logs": "more"})


def another_call(calls: list[Any]) -> None:
    calls.append({"id": "call_0", "type": "function", "function": {"name": "f", "arguments": ""}})


def both(calls: list[Any]) -> None:
    another_output(calls)
    another_call(calls)


def nothing(calls: list[Any]) -> None:
    assert calls


@pytest.mark.parametrize("adding", [more_code, more_logs, another_output, another_call, both])
def test_what_a_second_end_adds_is_done(adding: Callable[[list[Any]], None]) -> None:
    changes, snapshot = fold(frames(ended_twice(adding)))
    check_promise(changes, snapshot)
    done = [each.step for each in changes if isinstance(each, StepDone)]
    assert [step for step in done if step.id == done[0].id][1:] == [snapshot.steps[0]]


def test_a_second_end_that_adds_nothing_is_no_change() -> None:
    assert fold(frames(ended_twice(nothing))) == recorded("report")


def test_an_output_that_comes_with_a_second_end_is_done() -> None:
    """As Azure does after an approval, but without the delta that says it first."""
    first, second = (read(leg) for leg in OWN["mcp-approval"])
    second = [said for said in second if said[0] != "thread.run.step.delta"]
    changes, snapshot = fold(frames(first), frames(second))
    check_promise(changes, snapshot, legs=2)
    done = [each.step for each in changes if isinstance(each, StepDone)]
    assert snapshot.steps[1] in done


def ended_twice(adding: Callable[[list[Any]], None]) -> list[tuple[str, str]]:
    """Let a recording end its first step twice, the second time with more."""
    (body,) = OWN["report"]
    said = read(body)
    at, data = next(
        (at, data) for at, (name, data) in enumerate(said) if name == "thread.run.step.completed"
    )
    step = json.loads(data)
    adding(step["step_details"]["tool_calls"])
    return [*said[: at + 1], ("thread.run.step.completed", json.dumps(step)), *said[at + 1 :]]
