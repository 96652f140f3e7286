"""Server-sent events: bytes to frames and back.

The grammar and its interpretation are those of the WHATWG HTML standard, section 9.2.6,
"Interpreting an event stream".
"""

from __future__ import annotations

import re

from msgspec import Struct

from ._blocks import LINE_END, Blocks, too_long
from .errors import UsageError
from .limits import DEFAULT_LIMITS

__all__ = ["Frame", "FrameDecoder", "encode_frame", "parse_block"]


class Frame(Struct, frozen=True):
    """One server-sent event, before anyone has looked inside.

    Attributes:
        event: Its name; ``message`` when it named none.
        data: The data lines as received, joined with LF.
        id: The last event id in force, which later frames keep.
        retry: The reconnection time in milliseconds that this frame asked for.
    """

    event: str
    data: bytes
    id: str = ""
    retry: int | None = None


def encode_frame(frame: Frame) -> bytes:
    """Write a frame as a server would send it; a decoder reads the same frame back.

    An empty id is left out, so it does not undo the id of a frame written before.

    Raises:
        UsageError: A part holds what an event stream cannot carry: a line break in the
            event's name, a line break or NUL in the id, a CR in the data, or a
            negative retry.
    """
    if re.search("[\r\n\ud800-\udfff]", frame.event):
        raise UsageError(f"a name cannot hold a line break, nor a surrogate: {frame.event!r}")
    if re.search("[\r\n\0\ud800-\udfff]", frame.id):
        raise UsageError(f"an id cannot hold a line break or NUL, nor a surrogate: {frame.id!r}")
    if b"\r" in frame.data:
        raise UsageError("data cannot hold a CR, which would end its line; use LF")
    if frame.retry is not None and frame.retry < 0:
        raise UsageError(f"a retry is a number of milliseconds, not {frame.retry}")
    lines = []
    if frame.event != "message":
        lines.append(f"event: {frame.event}".encode())
    if frame.id:
        lines.append(f"id: {frame.id}".encode())
    if frame.retry is not None:
        lines.append(b"retry: %d" % frame.retry)
    lines += [b"data: " + line for line in frame.data.split(b"\n")]
    return b"\n".join(lines) + b"\n\n"


def parse_block(block: bytes, last_id: str = "") -> tuple[Frame | None, str]:
    """Read the lines of one frame; return it, and the event id in force after it.

    Without a ``data`` line there is no frame: only an id, a retry or a comment was sent.
    """
    name, _, rest = block.partition(b"\ndata: ")
    if rest and name.startswith(b"event: ") and block.count(b"\n") == 1 and b"\r" not in block:
        # As nearly all are; the way of the others takes four times as long.
        return Frame(name[7:].decode(errors="replace") or "message", rest, last_id), last_id
    event = ""
    data: list[bytes] = []
    retry: int | None = None
    for line in LINE_END.split(block):
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data.append(value)
        elif name == b"event":
            event = value.decode(errors="replace")
        elif name == b"id" and b"\0" not in value:
            last_id = value.decode(errors="replace")
        elif name == b"retry" and value.isdigit():
            retry = _milliseconds(value)
    if not data:
        return None, last_id
    return Frame(event or "message", b"\n".join(data), last_id, retry), last_id


def _milliseconds(digits: bytes) -> int | None:
    try:
        return int(digits)
    except ValueError:  # more digits than Python converts, so no time either
        return None


class FrameDecoder:
    """Turns the bytes of an event stream into frames, however they are cut.

    Args:
        max_frame_bytes: The longest frame to accept, in bytes of its lines.
    """

    def __init__(self, *, max_frame_bytes: int = DEFAULT_LIMITS.frame_bytes) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._blocks = Blocks(max_frame_bytes)
        self._last_id = ""

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the frames that this chunk completes.

        Raises:
            LimitError: A frame is longer than `max_frame_bytes`. Where frames came
                before it in the same chunk, those are returned first and the next call
                raises.
        """
        frames = []
        for block in self._blocks.cut(chunk):
            frame, self._last_id = parse_block(block, self._last_id)
            if frame is not None:
                frames.append(frame)
        if not frames:
            self._check()
        return frames

    def finish(self) -> bytes:
        """Return the bytes of a frame that was not finished, ``b""`` if there is none.

        The standard says to discard them (9.2.6). Whoever knows what the data should be
        may do better.

        Raises:
            LimitError: As `feed` does.
        """
        self._check()
        return self._blocks.finish()

    def _check(self) -> None:
        if self._blocks.too_long is not None:
            raise too_long(self._blocks.too_long, self._max_frame_bytes)
