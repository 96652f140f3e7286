"""Frames to events: every name, in every envelope."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from streamkit import (
    DecodeError,
    DoneEvent,
    ErrorEvent,
    ErrorObject,
    Event,
    Frame,
    LimitError,
    Limits,
    Message,
    MessageDeltaEvent,
    MessageEvent,
    NestingError,
    RefusalContentBlock,
    Run,
    RunEvent,
    RunStep,
    RunStepDeltaEvent,
    StepEvent,
    Thread,
    ThreadEvent,
    UnknownEvent,
    decode,
)
from streamkit.deltas import (
    CodeInterpreterDelta,
    CodeInterpreterLogs,
    CodeInterpreterToolCallDelta,
    MessageDelta,
    RunStepDelta,
    TextDelta,
    TextDeltaBlock,
    ToolCallDeltaObject,
)

RUN: Final = "created queued in_progress requires_action completed incomplete failed cancelling"
RUN_NAMES: Final = [f"thread.run.{move}" for move in (RUN + " cancelled expired").split()]
STEP: Final = "created in_progress completed failed cancelled expired"
STEP_NAMES: Final = [f"thread.run.step.{move}" for move in STEP.split()]
MESSAGE: Final = "created in_progress completed incomplete"
MESSAGE_NAMES: Final = [f"thread.message.{move}" for move in MESSAGE.split()]

LOGS: Final = {"index": 1, "type": "logs", "logs": "é"}
CALL: Final = {"index": 0, "type": "code_interpreter", "code_interpreter": {"outputs": [LOGS]}}
STEP_DELTA: Final = {
    "id": "step_1",
    "object": "thread.run.step.delta",
    "delta": {"step_details": {"type": "tool_calls", "tool_calls": [CALL]}},
}
MESSAGE_DELTA: Final = {
    "id": "msg_1",
    "object": "thread.message.delta",
    "delta": {"content": [{"index": 0, "type": "text", "text": {"value": "é"}}]},
}


def step_delta(logs: str, **fields: Any) -> RunStepDeltaEvent:
    """Build the event of a delta that adds to a log."""
    output = CodeInterpreterLogs(index=1, logs=logs)
    call = CodeInterpreterToolCallDelta(
        index=0, code_interpreter=CodeInterpreterDelta(outputs=(output,))
    )
    delta = RunStepDelta(step_details=ToolCallDeltaObject(tool_calls=(call,)))
    return RunStepDeltaEvent(id="step_1", object="thread.run.step.delta", delta=delta, **fields)


def message_delta(value: str) -> MessageDeltaEvent:
    """Build the event of a delta that adds to a text."""
    delta = MessageDelta(content=(TextDeltaBlock(index=0, text=TextDelta(value=value)),))
    return MessageDeltaEvent(id="msg_1", object="thread.message.delta", delta=delta)


def error(**said: Any) -> ErrorEvent:
    """Build the event of a failure."""
    return ErrorEvent(ErrorObject(**said))


NAMED: Final[list[tuple[str, Any, Event]]] = [
    ("thread.created", {"id": "t"}, ThreadEvent("thread.created", Thread(id="t"))),
    *((name, {"id": "r"}, RunEvent(name, Run(id="r"))) for name in RUN_NAMES),
    *((name, {"id": "s"}, StepEvent(name, RunStep(id="s"))) for name in STEP_NAMES),
    ("thread.run.step.delta", STEP_DELTA, step_delta("é")),
    *((name, {"id": "m"}, MessageEvent(name, Message(id="m"))) for name in MESSAGE_NAMES),
    ("thread.message.delta", MESSAGE_DELTA, message_delta("é")),
    ("error", {"message": "m", "code": "c"}, error(message="m", code="c")),
    ("done", "[DONE]", DoneEvent()),
]


def test_the_api_reference_has_25_names() -> None:
    assert len({name for name, _, _ in NAMED}) == 25


@pytest.mark.parametrize(("name", "payload", "event"), NAMED, ids=[row[0] for row in NAMED])
def test_a_name_means_the_same_in_every_envelope(name: str, payload: Any, event: Event) -> None:
    plain = payload if isinstance(payload, str) else json.dumps(payload)
    wrapped = json.dumps({"event": name, "data": payload})
    turned = json.dumps({"id": 7, "data": payload, "event": name}, indent=1)
    odd = json.dumps({"event": name, "data": payload, "time": float("nan")})
    assert decode(Frame(name, plain.encode())) == event
    assert decode(Frame(name, f" {plain}\n".encode())) == event
    for data in (wrapped, turned, odd):
        assert decode(Frame("message", data.encode())) == event


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        (STEP_DELTA, step_delta("é")),
        (MESSAGE_DELTA, message_delta("é")),
        (
            {"id": "t", "object": "thread"},
            ThreadEvent("thread.created", Thread(id="t", object="thread")),
        ),
        (
            {"id": "r", "object": "thread.run", "status": "queued"},
            RunEvent("thread.run.queued", Run(id="r", object="thread.run", status="queued")),
        ),
        (
            {"id": "s", "object": "thread.run.step", "status": "failed"},
            StepEvent(
                "thread.run.step.failed",
                RunStep(id="s", object="thread.run.step", status="failed"),
            ),
        ),
        (
            {"id": "m", "object": "thread.message", "status": "completed"},
            MessageEvent(
                "thread.message.completed",
                Message(id="m", object="thread.message", status="completed"),
            ),
        ),
        ({"error": {"message": "m"}}, error(message="m")),
    ],
)
def test_a_bare_payload_says_itself_what_it_is(payload: Any, event: Event) -> None:
    assert decode(Frame("message", json.dumps(payload).encode())) == event
    # A status that is no transition, or none at all.
    if isinstance(event, RunEvent | StepEvent | MessageEvent):
        for status in ({"status": "waiting"}, {"status": None}):
            other = {**payload, **status}
            assert decode(Frame("message", json.dumps(other).encode())) == UnknownEvent(
                "message", other
            )


@pytest.mark.parametrize("name", ["done", "message"])
@pytest.mark.parametrize(
    "data", [b"[DONE]", b" [DONE]\r\n", b'{"event": "done", "data": "[DONE]"}']
)
def test_done_however_it_is_said(name: str, data: bytes) -> None:
    assert decode(Frame(name, data)) == DoneEvent()


@pytest.mark.parametrize("data", [b"done", b"", b"{}", b"null"])
def test_the_name_alone_says_done(data: bytes) -> None:
    assert decode(Frame("done", data)) == DoneEvent()


ERROR: Final = {"message": "m", "type": "server_error", "param": None, "code": None}
SAID: Final = error(message="m", type="server_error", extra={"param": None, "code": None})


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (json.dumps(ERROR), SAID),
        (json.dumps({"error": ERROR}), SAID),
        ("upstream failed", error(message="upstream failed")),
        ('"upstream failed"', error(message="upstream failed")),
        ('{"error": "upstream failed"}', error(message="upstream failed")),
        ('{"message": "cut', error(message='{"message": "cut')),
        ("[1]", error(message="[1]")),
        ("502", error(message="502")),
        (" ", error(message=" ")),
        ('{"error": null, "code": 5}', error(extra={"error": None, "code": 5})),
        ('{"message": "\\ud83d"}', error(message="\N{REPLACEMENT CHARACTER}")),
        ("caf\udce9", error(message="caf\N{REPLACEMENT CHARACTER}")),
    ],
)
def test_an_error_in_any_form(data: str, event: Event) -> None:
    assert decode(Frame("error", data.encode(errors="surrogateescape"))) == event


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (json.dumps({"error": ERROR}), SAID),
        (json.dumps({"error": ERROR, "id": 1}), SAID),
        (json.dumps({"event": "error", "data": ERROR}), SAID),
        (json.dumps({"event": "error", "data": {"error": ERROR}}), SAID),
        ('{"event": "error", "data": "boom"}', error(message="boom")),
        ('{"event": "error", "data": "\\ud83d"}', error(message="\N{REPLACEMENT CHARACTER}")),
        ('{"event": "error", "data": "caf\udce9"}', error(message="caf\N{REPLACEMENT CHARACTER}")),
    ],
)
def test_an_error_without_a_name_of_its_own(data: str, event: Event) -> None:
    assert decode(Frame("message", data.encode(errors="surrogateescape"))) == event


@pytest.mark.parametrize(
    ("name", "data", "value"),
    [
        # names
        ("thread.run.paused", '{"id": 1}', {"id": 1}),
        ("ping", "1", 1),
        ("ping", "hello", "hello"),
        ("ping", '{"cut', '{"cut'),
        ("ping", "caf\udce9", "caf\N{REPLACEMENT CHARACTER}"),
        ("thread.message.chunk", "[]", []),
        ("Thread.Created", "{}", {}),
        # shapes: a chat completion under the name of a delta
        *(
            (name, json.dumps(foreign), foreign)
            for name in ("thread.run.step.delta", "thread.message.delta")
            for foreign in (
                {"id": "x", "choices": [{"delta": {"role": "assistant", "content": "a"}}]},
                {"id": "x", "delta": "a"},
                {"id": "x", "delta": ["a"]},
                {},
            )
        ),
        # payloads without a name
        ("message", '{"object": "list", "data": []}', {"object": "list", "data": []}),
        ("message", '{"object": ["thread"]}', {"object": ["thread"]}),
        ("message", '{"event": 5, "data": 1}', {"event": 5, "data": 1}),
        ("message", '{"event": "thread.created"}', {"event": "thread.created"}),
        ("message", "[1]", [1]),
        ("message", "hello", "hello"),
    ],
)
def test_what_is_unknown_is_a_value(name: str, data: str, value: Any) -> None:
    frame = Frame(name, data.encode(errors="surrogateescape"))
    assert decode(frame) == UnknownEvent(name, value)


def test_an_unknown_name_in_an_envelope_is_a_value_too() -> None:
    frame = Frame("message", b'{"event": "ping", "data": {"a": [null]}}')
    assert decode(frame) == UnknownEvent("ping", {"a": [None]})


@pytest.mark.parametrize("name", ["message", "ping", *RUN_NAMES, "thread.run.step.delta"])
@pytest.mark.parametrize("data", [b"", b" \n"])
def test_no_data_means_nothing(name: str, data: bytes) -> None:
    assert decode(Frame(name, data)) == UnknownEvent(name, "")


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(
    ("fragment", "logs"), [('"\\ud83d"', "\ud83d"), ('"\\ude00!"', "\ude00!")]
)
def test_half_a_character_is_kept_for_the_other_half(
    fragment: str, logs: str, *, wrapped: bool
) -> None:
    data = json.dumps(STEP_DELTA).replace('"\\u00e9"', fragment)
    frame = Frame("thread.run.step.delta", data.encode())
    if wrapped:
        envelope = f'{{"event": "thread.run.step.delta", "data": {data}}}'
        frame = Frame("message", envelope.encode())
    assert decode(frame) == step_delta(logs)
    assert decode(Frame("message", data.encode())) == step_delta(logs)


def test_half_a_character_in_a_whole_object_has_no_other_half() -> None:
    data = b'{"id": "m", "content": [{"type": "refusal", "refusal": "\\ud83d"}]}'
    refusal = RefusalContentBlock(refusal="\N{REPLACEMENT CHARACTER}")
    expected = MessageEvent("thread.message.completed", Message(id="m", content=(refusal,)))
    assert decode(Frame("thread.message.completed", data)) == expected


def test_a_delta_with_new_fields_keeps_them() -> None:
    new = {**STEP_DELTA, "run_id": "run_1"}
    frame = Frame("thread.run.step.delta", json.dumps(new).encode())
    assert decode(frame) == step_delta("é", extra={"run_id": "run_1"})


@pytest.mark.parametrize("extra", [{}, {"run_id": "run_1"}])
def test_a_delta_of_null_changes_nothing(extra: Any) -> None:
    data = json.dumps({"id": "step_1", "delta": None, **extra}).encode()
    expected = RunStepDeltaEvent(id="step_1", delta=None, extra=extra or None)
    assert decode(Frame("thread.run.step.delta", data)) == expected


@pytest.mark.parametrize(
    ("name", "data", "path", "reason"),
    [
        (
            "thread.run.created",
            b"hello",
            None,
            "not JSON: Expecting value: line 1 column 1 (char 0)",
        ),
        ("thread.created", b"[1]", "$", "expected an object, got b'[1]'"),
        ("thread.message.delta", b'"x"', "$", "expected an object, got b'\"x\"'"),
        ("thread.run.step.created", b"{}", "$.id", "expected a value, got nothing"),
        ("thread.run.queued", b'{"id": 1}', "$.id", "expected a string, got a number"),
        (
            "thread.message.completed",
            b'{"id": "m", "content": [{"type": "text", "text": 1}]}',
            "$.content[0].text",
            "expected an object, got a number",
        ),
        (
            "thread.run.step.delta",
            json.dumps(STEP_DELTA).replace('"\\u00e9"', "5").encode(),
            "$.delta.step_details.tool_calls[0].code_interpreter.outputs[0].logs",
            "expected a string, got a number",
        ),
    ],
)
def test_data_that_does_not_fit_its_name_is_an_error(
    name: str, data: bytes, path: str | None, reason: str
) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(Frame(name, data))
    found = caught.value
    assert (found.event, found.path, found.reason, found.offset) == (name, path, reason, None)
    assert found.excerpt == data[:120]
    if data.startswith((b"{", b"[")):  # the same in an envelope
        with pytest.raises(DecodeError) as caught:
            decode(Frame("message", b'{"event": "%s", "data": %s}' % (name.encode(), data)))
        assert str(caught.value) == str(found)


def test_an_error_reads_as_a_sentence() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(Frame("thread.run.queued", b'{"id": 1, "model": "' + b"m" * 500 + b'"}'))
    begun = '{"id": 1, "model": "' + "m" * 100
    assert str(caught.value) == (
        f"event 'thread.run.queued', $.id: expected a string, got a number: data begins b'{begun}'"
    )
    caught.value.offset = 17
    assert str(caught.value).startswith("event 'thread.run.queued', byte 17, $.id: expected")
    assert str(DecodeError("no data")) == "no data"


@pytest.mark.parametrize("name", ["thread.run.created", "thread.run.step.delta", "ping", "error"])
@pytest.mark.parametrize("levels", [129, 100_000])
def test_deep_nesting_is_refused_under_any_name(name: str, levels: int) -> None:
    deep = b'{"id": "x", "delta": {"y":' + b"[" * levels + b"]" * levels + b"}}"
    wrapped = b'{"event": "%s", "data": %s}' % (name.encode(), deep)
    for frame in (Frame(name, deep), Frame("message", wrapped), Frame("message", deep)):
        with pytest.raises(NestingError) as caught:
            decode(frame)
        assert isinstance(caught.value, DecodeError)
        assert isinstance(caught.value, LimitError)
        assert caught.value.reason == "nests more than 128 levels deep (Limits.depth)"


# Around 500 levels, Python's own limit of recursion is near.
@pytest.mark.parametrize("levels", [129, 300, *range(470, 510), 100_000])
def test_envelopes_in_envelopes_count_as_nesting(levels: int) -> None:
    data = b'{"event": "message", "data":' * levels + b"1" + b"}" * levels
    with pytest.raises(NestingError):
        decode(Frame("message", data))


def test_the_limit_of_nesting_can_be_set() -> None:
    frame = Frame("ping", b'{"a": [1]}')
    assert decode(frame, Limits(depth=2)) == UnknownEvent("ping", {"a": [1]})
    with pytest.raises(NestingError, match="nests more than 1 levels deep"):
        decode(frame, Limits(depth=1))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b'{"error": {"message": "m"}, "object": "error"}', ErrorObject(message="m")),
        (b'{"event": "error", "data": null}', ErrorObject()),
    ],
)
def test_an_error_in_other_words(data: bytes, error: ErrorObject) -> None:
    assert decode(Frame("message", data)) == ErrorEvent(error)


def test_an_empty_id_is_an_id() -> None:
    event = decode(Frame("thread.run.step.created", b'{"id": ""}'))
    assert event == StepEvent("thread.run.step.created", RunStep(id=""))
