"""The Assistants protocol, and its clones: frames to events."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from .._json import parse
from .._wire import load
from ..deltas import MessageDeltaEvent, RunStepDeltaEvent
from ..errors import DecodeError, NestingError
from ..events import (
    DoneEvent,
    ErrorEvent,
    Event,
    MessageEvent,
    ResponseStreamEvent,
    RunEvent,
    StepEvent,
    ThreadEvent,
    UnknownEvent,
)
from ..limits import DEFAULT_LIMITS, Limits
from ..snapshots import ErrorObject, Message, Run, RunStep, Thread
from ..sse import Frame
from .responses import PREFIX, event_of, quick

__all__ = ["PLAIN", "decode"]

_STEP: Final = "thread.run.step."
_RUN: Final = "thread.run."
_MESSAGE: Final = "thread.message."


def _step_delta(name: str, data: dict[str, Any]) -> Event:
    # Azure's beta puts calls under step details of their own type: mcp, openapi.
    delta = data.get("delta")
    details = delta.get("step_details") if isinstance(delta, dict) else None
    if isinstance(details, dict) and "tool_calls" in details:
        told = details | {"type": "tool_calls"}
        data = data | {"delta": data["delta"] | {"step_details": told}}
    return _delta(RunStepDeltaEvent, name, data)


def _message_delta(name: str, data: dict[str, Any]) -> Event:
    return _delta(MessageDeltaEvent, name, data)


def _delta(
    kind: type[RunStepDeltaEvent | MessageDeltaEvent], name: str, data: dict[str, Any]
) -> Event:
    # IBM's "agent connect" puts chat completions under the names of these events.
    if not isinstance(data.get("delta", ...), dict | None):
        return UnknownEvent(name, data)
    return load(kind, data)


def _thread(name: str, data: dict[str, Any]) -> Event:
    return ThreadEvent(name, load(Thread, data))


def _run(name: str, data: dict[str, Any]) -> Event:
    return RunEvent(name, load(Run, data))


def _step(name: str, data: dict[str, Any]) -> Event:
    return StepEvent(name, load(RunStep, data))


def _message(name: str, data: dict[str, Any]) -> Event:
    return MessageEvent(name, load(Message, data))


_Read = Callable[[str, dict[str, Any]], Event]


def _named(prefix: str, transitions: str, read: _Read) -> dict[str, _Read]:
    return {prefix + transition: read for transition in transitions.split()}


# The events whose data is an object; `error` and `done`, whose need not be, are the rest
# of the API reference's 25.
_READERS: Final[Mapping[str, _Read]] = {
    "thread.created": _thread,
    **_named(
        _RUN,
        "created queued in_progress requires_action completed incomplete failed "
        "cancelling cancelled expired",
        _run,
    ),
    **_named(_STEP, "created in_progress completed failed cancelled expired", _step),
    _STEP + "delta": _step_delta,
    **_named(_MESSAGE, "created in_progress completed incomplete", _message),
    _MESSAGE + "delta": _message_delta,
}

# What a payload without a name is, by its own ``object`` field.
_OBJECTS: Final[Mapping[str, str]] = {
    "thread": "thread.created",
    "thread.run.step.delta": "thread.run.step.delta",
    "thread.message.delta": "thread.message.delta",
    "thread.run": _RUN,
    "thread.run.step": _STEP,
    "thread.message": _MESSAGE,
}

# The two events that come once a fragment, decoded straight from bytes. What these
# decoders refuse is decoded with more care.
PLAIN: Final[Mapping[str, Callable[[bytes], Event]]] = {
    _STEP + "delta": msgspec.json.Decoder(RunStepDeltaEvent).decode,
    _MESSAGE + "delta": msgspec.json.Decoder(MessageDeltaEvent).decode,
}


class _Envelope(msgspec.Struct):
    event: str
    data: msgspec.Raw


_unwrap: Final = msgspec.json.Decoder(_Envelope).decode


def decode(frame: Frame, limits: Limits = DEFAULT_LIMITS) -> Event:
    """Give a frame its meaning.

    Unnamed frames are understood in all the ways servers send them: wrapped as
    ``{"event", "data"}``, as a bare payload that says what ``object`` it is, as
    ``{"error"}``, as ``[DONE]``. A frame without data means nothing: an `UnknownEvent`
    with empty data.

    Raises:
        DecodeError: The name is known but the data does not fit it.
    """
    name, data = frame.event, frame.data
    try:
        if name in PLAIN:
            try:
                return PLAIN[name](data)
            except (ValueError, RecursionError):
                pass  # not JSON, or in need of more care: the general way tells
        if name.startswith(PREFIX):
            return _response(name, data, limits)
        if name == "done" or (name == "message" and data.strip() == b"[DONE]"):
            return DoneEvent()
        if name == "error":
            return _failed(data, limits)
        if not data.strip():
            return UnknownEvent(name, "")
        if name == "message":
            return _unnamed(data, limits)
        read = _READERS.get(name)
        if read is None:
            return UnknownEvent(name, _value_or_text(data, limits))
        return read(name, _object(data, limits, keep_halves=name in PLAIN))
    except RecursionError:
        raise NestingError("nests too deeply", event=name, excerpt=data) from None
    except DecodeError as error:
        if error.event is None:
            error.event = name
            error.excerpt = data[: DecodeError.EXCERPT_BYTES]
        raise


def _response(name: str, data: bytes, limits: Limits) -> Event:
    """Read an event of the Responses API."""
    try:
        if (event := quick(name, data)) is not None:
            return event
    except (ValueError, RecursionError):
        pass  # not JSON, or in need of more care
    if not data.strip():
        return UnknownEvent(name, "")
    payload = _object(data, limits, keep_halves=True)
    return event_of(name, payload)


def _unnamed(data: bytes, limits: Limits) -> Event:
    if not data.lstrip().startswith(b"{"):
        return UnknownEvent("message", _value_or_text(data, limits))
    if data.count(b"{") + data.count(b"[") > limits.depth:
        parse(data, depth=limits.depth)  # envelopes in envelopes nest, too
    try:
        envelope = _unwrap(data)
    except (ValueError, RecursionError):
        pass
    else:
        return decode(Frame(envelope.event, _payload(bytes(envelope.data))), limits)
    value = _object(data, limits, keep_halves=True)
    if isinstance(value.get("event"), str) and "data" in value:
        return decode(Frame(value["event"], _payload(json.dumps(value["data"]).encode())), limits)
    name = _OBJECTS.get(str(value.get("object")), "")
    if not name and value.get("error") is not None:
        return ErrorEvent(_error(data, limits))
    if name.endswith("."):
        name += str(value.get("status"))
    said = value.get("type")
    if isinstance(said, str) and (said.startswith(PREFIX) or said == "error"):
        return decode(Frame(said, data), limits)
    if name in _READERS:
        return decode(Frame(name, data), limits)
    return UnknownEvent("message", _value_or_text(data, limits))


def _payload(data: bytes) -> bytes:
    """Take a text out of its quotes: what is wrapped may be ``"[DONE]"``."""
    if not data.startswith(b'"'):
        return data
    return str(json.loads(data.decode(errors="replace"))).encode("utf-8", "surrogatepass")


def _failed(data: bytes, limits: Limits) -> Event:
    """Read an ``error`` event. After that of the Responses API comes the response, failed."""
    error = ErrorEvent(_error(data, limits))
    number = (error.error.extra or {}).get("sequence_number")
    if error.error.type == "error" or number is not None:
        return ResponseStreamEvent("error", (error,), number if isinstance(number, int) else None)
    return error


def _error(data: bytes, limits: Limits) -> ErrorObject:
    """Read an error: an object, an object wrapped in ``{"error"}``, or bare text."""
    value = _value_or_text(data, limits)
    if isinstance(value, dict) and isinstance(value.get("error"), dict | str):
        value = value["error"]
    if isinstance(value, dict):
        return load(ErrorObject, value)
    if value is None:
        return ErrorObject()
    return ErrorObject(message=value if isinstance(value, str) else data.decode(errors="replace"))


def _object(data: bytes, limits: Limits, *, keep_halves: bool) -> dict[str, Any]:
    value = parse(data, depth=limits.depth, keep_halves=keep_halves)
    if not isinstance(value, dict):
        raise DecodeError(f"expected an object, got {data[:20]!r}", path="$")
    return value


def _value_or_text(data: bytes, limits: Limits) -> Any:
    try:
        return parse(data, depth=limits.depth)
    except NestingError:
        raise
    except DecodeError:
        return data.decode(errors="replace")
