"""What a frame means, whichever the protocol and the envelope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from .._json import dumps, loads, parse
from .._wire import load
from ..errors import DecodeError, NestingError
from ..events import DoneEvent, ErrorEvent, Event, ResponseStreamEvent, UnknownEvent
from ..limits import DEFAULT_LIMITS, Limits
from ..snapshots import ErrorObject
from ..sse import Frame
from . import assistants, responses
from .assistants import OBJECTS, READERS
from .responses import KNOWN, PREFIX, event_of

__all__ = ["PLAIN", "decode"]

# The events that come once a fragment, decoded straight from bytes. What these decoders
# refuse is decoded with more care.
PLAIN: Final[Mapping[str, Callable[[bytes], Event]]] = assistants.PLAIN | responses.PLAIN


class _Envelope(msgspec.Struct):
    event: str
    data: msgspec.Raw


_unwrap: Final = msgspec.json.Decoder(_Envelope).decode


def decode(frame: Frame, limits: Limits = DEFAULT_LIMITS) -> Event:
    """Give a frame its meaning.

    Unnamed frames are understood in all the ways servers send them: wrapped as
    ``{"event", "data"}``, as a bare payload that says what ``object`` or ``type`` it is,
    as ``{"error"}``, as ``[DONE]``. A frame without data means nothing: an `UnknownEvent`
    with empty data.

    Raises:
        DecodeError: The name is known but the data does not fit it.
    """
    name, data = frame.event, frame.data
    try:
        plain = PLAIN.get(name)
        if plain is not None:
            try:
                return plain(data)
            except (ValueError, RecursionError):
                pass  # not JSON, or in need of more care: the general way tells
        if name == "done" or (name == "message" and data.strip() == b"[DONE]"):
            return DoneEvent()
        if name == "error":
            return _failed(data, limits)
        if not data.strip():
            return UnknownEvent(name, "")
        if name == "message":
            return _unnamed(data, limits)
        if name.startswith(PREFIX):
            return event_of(name, _object(data, limits, keep_halves=name in PLAIN))
        read = READERS.get(name)
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
        return decode(Frame(value["event"], _payload(dumps(value["data"]))), limits)
    kind = value.get("type")
    if isinstance(kind, str) and (kind.startswith(PREFIX) or kind == "error"):
        return decode(Frame(kind, data), limits)
    if value.get("object") == "response" and f"{PREFIX}{value.get('status')}" in KNOWN:
        return event_of(f"{PREFIX}{value.get('status')}", {"response": value})
    name = OBJECTS.get(str(value.get("object")), "")
    if not name and value.get("error") is not None:
        return ErrorEvent(_error(value, data))
    if name.endswith("."):
        name += str(value.get("status"))
    if name in READERS:
        return decode(Frame(name, data), limits)
    return UnknownEvent("message", _value_or_text(data, limits))


def _payload(data: bytes) -> bytes:
    """Take a text out of its quotes: what is wrapped may be ``"[DONE]"``."""
    if not data.startswith(b'"'):
        return data
    return str(loads(data)).encode("utf-8", "surrogatepass")


def _failed(data: bytes, limits: Limits) -> Event:
    """Read an ``error`` event. After that of the Responses API, the failed response comes."""
    value = _value_or_text(data, limits)
    said = ErrorEvent(_error(value, data))
    if isinstance(value, dict) and (value.get("type") == "error" or "sequence_number" in value):
        number = value.get("sequence_number")
        return ResponseStreamEvent("error", (said,), number if type(number) is int else None)
    return said


def _error(value: Any, data: bytes) -> ErrorObject:
    """Read an error: an object, an object wrapped in ``{"error"}``, or bare text."""
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
