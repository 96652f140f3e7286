"""How a stream ends, what is told beside steps and messages, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Final

import pytest

from streamkit import (
    Accumulator,
    ActionRequired,
    DecodeError,
    DoneEvent,
    ErrorObject,
    Frame,
    Outcome,
    RequiredActionFunction,
    RequiredActionFunctionToolCall,
    RunChanged,
    RunSnapshot,
    ServerError,
    ServerFailed,
    StreamEnded,
    Thread,
    TruncatedError,
    UnknownReceived,
    UsageError,
    decode,
    to_wire,
)
from tests.folding import fold, fold_every_way
from tests.streams import (
    body,
    code,
    done,
    failure,
    frame,
    message_created,
    message_delta,
    present,
    required,
    run,
    step_created,
    step_delta,
    text,
    waiting,
)
from tests.told import as_run

GOING: Final = run("in_progress")
OVER: Final = run("completed")
PAUSED: Final = waiting(required("call_1"))
HALFWAY: Final = [step_created(), step_delta("step_1", code(0, "a")), message_created()]


def case(name: str, outcome: Outcome, *frames: Frame) -> Any:
    """Build a row: what the outcome is, once these frames were all."""
    return pytest.param(frames, outcome, id=name)


OUTCOMES: Final = [
    *(
        case(f"{status}{end}", "complete", GOING, *HALFWAY, run(status), *frames)
        for status in ("completed", "incomplete", "failed", "cancelled", "expired")
        for end, frames in {"": (), ", done": (done(),), ", done twice": (done(), done())}.items()
    ),
    case("the name alone is terminal", "complete", frame("thread.run.failed", {"id": "run_1"})),
    case("paused", "paused", GOING, *HALFWAY, PAUSED),
    case("paused, done", "paused", GOING, *HALFWAY, PAUSED, done()),
    case("paused, done twice", "paused", GOING, *HALFWAY, PAUSED, done(), done()),
    case("error", "error", GOING, *HALFWAY, failure()),
    case("error, done", "error", GOING, *HALFWAY, failure(), done()),
    case("error alone", "error", failure()),
    case("error after the run ended", "error", GOING, OVER, failure()),
    case("nothing", "truncated"),
    case("done alone", "truncated", done()),
    case("a run under way", "truncated", GOING, *HALFWAY),
    case("a run under way, done", "truncated", GOING, *HALFWAY, done()),
    case("a run that is being cancelled", "truncated", GOING, run("cancelling"), done()),
    case("a run that goes on after its pause", "truncated", PAUSED, run("queued")),
    case("no run at all", "truncated", *HALFWAY),
]


@pytest.mark.parametrize(("frames", "outcome"), OUTCOMES)
def test_the_outcome_is_settled_once(frames: Sequence[Frame], outcome: Outcome) -> None:
    folded = fold_every_way(frames)
    assert folded.snapshot.outcome == outcome
    assert [each for each in folded.changes if isinstance(each, StreamEnded)] == [
        StreamEnded(outcome)
    ]
    assert folded.changes[-1] == StreamEnded(outcome)


@pytest.mark.parametrize(("frames", "outcome"), OUTCOMES)
def test_the_outcome_is_open_until_done_error_or_end(
    frames: Sequence[Frame], outcome: Outcome
) -> None:
    accumulator = Accumulator()
    settled = False
    for each in frames:
        accumulator.feed_frame(each)
        settled |= each.event in ("done", "error")
        assert accumulator.outcome == (outcome if settled else "open")
    accumulator.end()
    assert accumulator.outcome == outcome


@pytest.mark.parametrize(("frames", "outcome"), OUTCOMES)
def test_finish_returns_the_snapshot_or_raises_what_holds_it(
    frames: Sequence[Frame], outcome: Outcome
) -> None:
    accumulator = Accumulator()
    accumulator.feed_bytes(body(frames))
    errors: dict[str, type[TruncatedError | ServerError]] = {
        "truncated": TruncatedError,
        "error": ServerError,
    }
    if outcome not in errors:
        assert accumulator.finish() is not None
        assert accumulator.finish() == accumulator.snapshot()
        return
    settled = accumulator.outcome != "open"
    for told in ([] if settled else [StreamEnded(outcome)], []):
        with pytest.raises(errors[outcome]) as caught:
            accumulator.finish()
        assert caught.value.snapshot == accumulator.snapshot()
        assert list(caught.value.changes) == told


def test_a_server_error_says_what_the_server_said() -> None:
    accumulator = Accumulator()
    said = ErrorObject(
        code="server_error", message="It broke.", extra={"param": None, "type": None}
    )
    assert accumulator.feed_frame(failure()) == [ServerFailed(said), StreamEnded("error")]
    with pytest.raises(ServerError, match=r"server_error: It broke\.") as caught:
        accumulator.finish()
    assert caught.value.error == said


def test_a_failure_to_decode_is_what_finish_raises() -> None:
    accumulator = Accumulator()
    broken = Frame("thread.run.step.delta", b"{")
    with pytest.raises(DecodeError) as caught:
        accumulator.feed_bytes(body([GOING, step_created(), broken, OVER]))
    error = caught.value
    assert list(error.changes) == [
        RunChanged(as_run("in_progress")),
        *fold([body([step_created()])]).told[0],
    ]
    assert error.snapshot == accumulator.snapshot()
    assert accumulator.snapshot() == RunSnapshot(accumulator.run, accumulator.steps)
    with pytest.raises(UsageError):
        accumulator.feed_bytes(b"")
    with pytest.raises(UsageError):
        accumulator.feed(DoneEvent())
    assert accumulator.end() == [StreamEnded("truncated")]
    assert accumulator.end() == []
    with pytest.raises(DecodeError) as again:
        accumulator.finish()
    assert again.value is error


# What stands beside steps and messages


def test_a_run_that_is_said_again_is_no_change() -> None:
    folded = fold_every_way([run("queued"), run("queued"), run("queued", model="m")])
    told = [[RunChanged(as_run("queued"))], [], [RunChanged(as_run("queued", model="m"))]]
    assert folded.told == [*told, [StreamEnded("truncated")]]


def test_an_action_is_told_once_with_the_calls_that_wait() -> None:
    again = waiting(required("call_2", "g", '{"a": 1}'))
    later = frame(PAUSED.event, json.loads(PAUSED.data) | {"expires_at": 9})
    folded = fold_every_way([PAUSED, PAUSED, later, done(), run("queued"), again])
    told = [each for each in folded.changes if isinstance(each, ActionRequired)]

    def call(call_id: str, name: str, arguments: str) -> RequiredActionFunctionToolCall:
        asked = RequiredActionFunction(name=name, arguments=arguments)
        return RequiredActionFunctionToolCall(id=call_id, function=asked)

    assert told == [
        ActionRequired("run_1", (call("call_1", "f", "{}"),)),
        ActionRequired("run_1", (call("call_2", "g", '{"a": 1}'),)),
    ]


def test_an_approval_is_an_action_too() -> None:
    call = {"id": "m", "type": "mcp", "name": "n", "arguments": "{}", "server_label": "l"}
    action = {"type": "submit_tool_approval", "submit_tool_approval": {"tool_calls": [call]}}
    folded = fold_every_way([run("requires_action", required_action=action), done()])
    (told,) = [each for each in folded.changes if isinstance(each, ActionRequired)]
    assert (told.run_id, to_wire(told.tool_calls)) == ("run_1", [call])
    assert to_wire(folded.snapshot.run)["required_action"] == action
    assert folded.snapshot.outcome == "paused"


def test_a_thread_is_kept_and_changes_nothing() -> None:
    accumulator = Accumulator()
    created = frame("thread.created", {"id": "thread_1", "object": "thread"})
    assert list(accumulator.feed_frame(created)) == []
    assert accumulator.thread == Thread(id="thread_1", object="thread")


def test_what_is_unknown_is_told_and_changes_nothing() -> None:
    foreign = {"choices": [{"delta": {"content": "a"}}]}
    frames = [
        frame("thread.run.paused", {"a": 1}),
        Frame("ping", b"now"),
        frame("thread.message.chunk", {"id": "msg_1"}),
        frame("thread.run.step.delta", present(id="step_1", delta=[foreign])),
    ]
    folded = fold_every_way([*frames, Frame("ping", b"")])
    assert folded.told == [
        [UnknownReceived("thread.run.paused", {"a": 1})],
        [UnknownReceived("ping", "now")],
        [UnknownReceived("thread.message.chunk", {"id": "msg_1"})],
        [UnknownReceived("thread.run.step.delta", {"id": "step_1", "delta": [foreign]})],
        [],
        [StreamEnded("truncated")],
    ]
    assert folded.snapshot == RunSnapshot(outcome="truncated")


def test_events_frames_and_bytes_come_to_the_same() -> None:
    frames = [GOING, *HALFWAY, message_delta("msg_1", text(0, "b")), OVER, done()]
    folded = fold_every_way(frames)
    events, httpx_sse = Accumulator(), Accumulator()
    assert [list(events.feed(decode(each))) for each in frames] == folded.told[:-1]
    for each, told in zip(frames, folded.told, strict=False):
        like = SimpleNamespace(event=each.event, data=each.data.decode())
        assert list(httpx_sse.feed_frame(like)) == told
    assert events.finish() == httpx_sse.finish() == folded.snapshot


@pytest.mark.parametrize("wrong", [run("queued"), b"data: 1\n\n", "data: 1\n\n", None, {}])
def test_what_is_no_event_is_refused(wrong: Any) -> None:
    accumulator = Accumulator()
    with pytest.raises(UsageError):
        accumulator.feed(wrong)
    with pytest.raises(UsageError):
        (accumulator.feed_frame if not isinstance(wrong, Frame) else accumulator.feed_bytes)(wrong)
    assert accumulator.snapshot() == RunSnapshot()
