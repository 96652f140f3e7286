"""The ways of other speakers: supercompat, LiteLLM, Alibaba, emulating servers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pytest

from streamkit import (
    Accumulator,
    Change,
    Frame,
    MessageOpened,
    Problem,
    ProblemFound,
    RunStep,
    ServerError,
    StepOpened,
    StreamEnded,
    TextAppended,
    UnknownReceived,
    to_wire,
)
from tests.fold_promise import Promise
from tests.folding import Folded, fold, fold_every_way
from tests.streams import (
    Wire,
    body,
    code,
    code_call,
    creation,
    done,
    failure,
    frame,
    function,
    function_call,
    logs,
    message,
    message_completed,
    message_created,
    message_delta,
    message_event,
    printed,
    ran,
    run,
    step,
    step_completed,
    step_created,
    step_delta,
    step_details,
    step_event,
    text,
    without,
    written,
)
from tests.told import (
    argued,
    as_message,
    as_step,
    coded,
    ending,
    found,
    logged,
    named,
    opened,
)


def completed(*calls: Wire, **fields: Any) -> Wire:
    return step("step_1", *calls, status="completed", **fields)


def calls_of(folded: Folded) -> Any:
    """Return the calls of the only step, in the wire's shape."""
    (wire,) = to_wire(folded.snapshot.steps)
    return wire["step_details"]["tool_calls"]


# supercompat


def test_supercompat_numbers_calls_by_output_and_invents_ids() -> None:
    pieces = [("call_1", "f", ""), ("fc_b", "f", "{"), ("fc_c", "f", "}")]
    fragments = [
        step_delta("step_1", function(2, text, id=call_id, name=name))
        for call_id, name, text in pieces
    ]
    whole = function_call("call_1", "f", "{}")
    folded = fold_every_way([step_created(), *fragments, step_completed("step_1", whole)])
    assert folded.told[1:] == [
        [opened(2, "call_1", "function")],
        [found("id_changed", 2, known="call_1", said="fc_b"), argued("{", 2, "call_1")],
        [argued("}", 2, "call_1")],
        ending(completed(whole), 2),
        [StreamEnded("truncated")],
    ]
    assert calls_of(folded) == [whole]
    assert [each.count for each in folded.snapshot.problems] == [2]


def test_supercompat_sends_empty_outputs_and_run_ids_with_every_frame() -> None:
    def delta(item: Wire) -> Frame:
        payload = json.loads(step_delta("step_1", item).data)
        del payload["object"]
        payload["delta"]["run_id"] = payload["run_id"] = "run_1"
        return frame("thread.run.step.delta", payload)

    folded = fold_every_way(
        [
            *[step_created(), delta(code(0, "a", id="call_1"))],
            *[delta(ran(0, logs(0, "b"))), delta(ran(0, input="", outputs=[]))],
            step_completed("step_1", code_call("call_1", "a", printed("b"))),
        ]
    )
    assert [each for each in folded.told[3] if not isinstance(each, StepOpened)] == []
    assert calls_of(folded) == [code_call("call_1", "a", printed("b"))]
    assert folded.snapshot.problems == ()


def test_supercompat_creates_steps_that_are_completed() -> None:
    whole = completed(code_call("call_1", "a", printed("b")))
    folded = fold_every_way([step_event("created", whole), step_event("completed", whole)])
    assert folded.told == [
        [
            *[StepOpened(as_step(whole)), opened(0, "call_1"), coded("a", 0, "call_1")],
            *[logged("b", 0, 0, "call_1"), *ending(whole)],
        ],
        [],
        [StreamEnded("truncated")],
    ]
    assert folded.snapshot.problems == ()


def test_supercompat_has_several_steps_and_messages_open() -> None:
    folded = fold_every_way(
        [
            *[message_created("msg_1"), step_event("created", creation("step_0", "msg_1"))],
            *[step_created("step_1"), step_delta("step_1", code(0, "a", id="call_1"))],
            *[message_created("msg_2"), step_event("created", creation("step_2", "msg_2"))],
            *[without_object(message_delta("msg_1", text(0, "b")))],
            *[step_delta("step_1", code(0, "c")), message_delta("msg_2", text(0, "d"))],
            *[step_completed("step_1", code_call("call_1", "ac"))],
            *[message_completed("msg_2", written("d")), message_completed("msg_1", written("b"))],
            *[step_event("completed", creation("step_0", "msg_1", status="completed"))],
        ]
    )
    assert to_wire(folded.snapshot.steps) == [
        creation("step_0", "msg_1", status="completed"),
        completed(code_call("call_1", "ac")),
        creation("step_2", "msg_2"),
    ]
    assert [each.id for each in folded.snapshot.messages] == ["msg_1", "msg_2"]
    assert folded.snapshot.problems == ()


def without_object(delta: Frame) -> Frame:
    return frame(delta.event, without(json.loads(delta.data), "object"))


def test_a_step_that_creates_a_message_goes_on_to_call_tools() -> None:
    folded = fold_every_way(
        [
            step_event("created", creation("step_1", "msg_1")),
            step_delta("step_1", code(0, "a", id="call_1")),
            step_completed("step_1", code_call("call_1", "a")),
        ]
    )
    assert folded.told[1] == [
        found("type_changed", known="message_creation", said="tool_calls"),
        *[opened(0, "call_1"), coded("a", 0, "call_1")],
    ]
    assert folded.told[2] == ending(completed(code_call("call_1", "a")))


# The others


def test_astra_sends_null_for_calls() -> None:
    null = {"type": "tool_calls", "tool_calls": None}
    pause = step_details("step_1", null)
    folded = fold_every_way(
        [step_event("created", step("step_1", step_details=null)), pause,
         step_delta("step_1", function(0, "a", id="call_1", name="f")), pause]
    )  # fmt: skip
    assert folded.told[1] == folded.told[3] == []
    assert calls_of(folded) == [{"id": "call_1"} | named("f", "a")]
    assert folded.snapshot.problems == ()


def test_astra_names_the_run_in_place_of_the_step() -> None:
    folded = fold_every_way([run("in_progress"), step_delta("run_1", function(0, "a", name="f"))])
    unknown = ProblemFound(Problem(kind="unknown_step", step_id="run_1"))
    assert folded.told[1][:2] == [unknown, StepOpened(RunStep(id="run_1"))]
    assert folded.snapshot.steps[0].partial


def test_open_assistant_creates_calls_whole_and_repeats_them() -> None:
    whole = [function_call("a", "f", "{}"), function_call("b", "g", "[1]")]
    items = [function(0, "{}", id="a", name="f"), function(1, "[1]", id="b", name="g")]
    frames = [
        *[step_created("step_1", *whole), step_delta("step_1", *items)],
        step_completed("step_1", *whole),
    ]
    folded = fold_every_way(frames)
    assert folded.told[1:3] == [[], ending(completed(*whole))]
    assert calls_of(folded) == whole
    assert folded.snapshot.problems == ()
    crlf = fold([body(frames).replace(b"\n", b"\r\n")])
    assert (crlf.changes, crlf.snapshot) == (folded.changes, folded.snapshot)


def test_open_assistant_smuggles_usage_in_a_foreign_message() -> None:
    smuggled = message("usage", created_at=0, usage={"total_tokens": 3})
    folded = fold_every_way([message_created(), message_event("in_progress", smuggled)])
    assert folded.told[1] == [MessageOpened(as_message(smuggled))]
    assert to_wire(folded.snapshot.messages) == [message(), smuggled]


def test_open_assistant_says_errors_and_done_in_plain_text() -> None:
    accumulator = Accumulator()
    accumulator.feed_bytes(body([Frame("error", b"It broke."), Frame("done", b"done")]))
    with pytest.raises(ServerError, match=r"It broke\."):
        accumulator.finish()
    accumulator = Accumulator()
    accumulator.feed_bytes(body([run("completed"), Frame("done", b"done")]))
    assert accumulator.finish().outcome == "complete"


def envelope(each: Frame) -> Frame:
    """Wrap a frame as LiteLLM's proxy does."""
    return Frame("message", b'{"event": "%s", "data": %s}' % (each.event.encode(), each.data))


SPOKEN: Final = [
    *[run("in_progress"), step_created(), step_delta("step_1", code(0, "a", id="call_1"))],
    *[message_created(), message_delta("msg_1", text(0, "b")), run("completed")],
]


@pytest.mark.parametrize("last", [[Frame("message", b"[DONE]")], []], ids=["[DONE]", "no [DONE]"])
def test_litellm_wraps_events(last: Sequence[Frame]) -> None:
    folded = fold_every_way([*map(envelope, SPOKEN), *last])
    plain = fold_every_way([*SPOKEN, done()])
    assert (folded.changes, folded.snapshot) == (plain.changes, plain.snapshot)


def test_litellm_says_a_failure_last() -> None:
    error = {"error": {"message": "It broke.", "code": "500"}}
    folded = fold_every_way([*map(envelope, SPOKEN[:-1]), frame("message", error)])
    assert folded.changes[-1] == StreamEnded("error")
    assert folded.snapshot.outcome == "error"
    unwrapped, wrapped = fold_every_way([failure()]), fold_every_way([wrapped_failure()])
    assert (unwrapped.changes, unwrapped.snapshot) == (wrapped.changes, wrapped.snapshot)


def wrapped_failure() -> Frame:
    return frame("error", {"error": json.loads(failure().data)})


def test_bare_payloads_say_what_they_are() -> None:
    folded = fold_every_way([Frame("message", each.data) for each in SPOKEN])
    plain = fold_every_way(SPOKEN)
    assert (folded.changes, folded.snapshot) == (plain.changes, plain.snapshot)


def test_alibaba_sends_one_object_for_content() -> None:
    def delta(value: str) -> Frame:
        item = without(text(0, value), "index")
        extra = {"request_id": "r", "status_code": 200}
        return frame("thread.message.delta", {"id": "msg_1", "delta": {"content": item}, **extra})

    promise = Promise()
    told: list[list[Change]] = [
        promise.feed(each) for each in (message_created(), delta("a"), delta("b"))
    ]
    assert told[1:] == [[TextAppended("msg_1", 0, "a")], [TextAppended("msg_1", 0, "b")]]
    promise.feed(message_completed("msg_1", written("ab"), request_id="r"))
    whole = message("msg_1", written("ab"), status="completed", request_id="r")
    assert to_wire(promise.accumulator.messages) == [whole]
    assert promise.accumulator.problems == ()


def test_ibm_uses_the_names_for_something_else() -> None:
    foreign = {"id": "x", "object": "thread.message.delta", "choices": [{"delta": {"a": 1}}]}
    folded = fold_every_way(
        [frame(name, foreign) for name in ("thread.message.delta", "thread.run.step.delta")]
    )
    assert folded.told[:2] == [
        [UnknownReceived("thread.message.delta", foreign)],
        [UnknownReceived("thread.run.step.delta", foreign)],
    ]
    assert (folded.snapshot.steps, folded.snapshot.messages) == ((), ())
