"""What may be fed: frames of any kind, and chunks of any size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from .errors import UsageError
from .sse import Frame

__all__ = ["PART", "parts", "to_frame"]

PART: Final = 64 * 1024


def to_frame(frame: Any) -> Frame:
    """Take a frame, or anything with an ``event`` and a ``data``, as a frame."""
    if isinstance(frame, Frame):
        return frame
    name, data = getattr(frame, "event", None), getattr(frame, "data", None)
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if not isinstance(name, str) or not isinstance(data, bytes):
        raise UsageError(f"a frame has an event and data, which {type(frame).__name__} lacks")
    return Frame(name or "message", data)


def parts(chunk: object) -> Sequence[bytes]:
    """Cut a chunk into parts; the events of one part are held in memory together."""
    data = _to_bytes(chunk)
    return [data[start : start + PART] for start in range(0, len(data), PART)]


def _to_bytes(chunk: object) -> bytes:
    if isinstance(chunk, bytes | bytearray | memoryview):
        return bytes(chunk)
    if isinstance(chunk, str):
        raise UsageError("bytes are needed, not text: decoding it twice would spoil it")
    raise UsageError(f"bytes are needed, not {type(chunk).__name__}")
