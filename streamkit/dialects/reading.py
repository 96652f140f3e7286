"""The bytes of a body, in any envelope, to events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from operator import length_hint
from typing import Final, Protocol

from .._json import parse
from ..errors import DecodeError, LimitError
from ..events import DoneEvent, ErrorEvent, Event
from ..limits import Limits
from ..sse import BOM, Blocks, Frame, parse_block, raise_too_long
from .assistants import PLAIN, decode

__all__ = ["EventReader"]

_BLANK: Final = b" \t\r\n"
_LEG_ENDS: Final = (DoneEvent, ErrorEvent)

# More blank bytes than this before the first other one: an event stream, since they are
# comments to nobody's JSON.
_MAX_HEAD: Final = 1024


class _Body(Protocol):
    def read(self, chunk: bytes) -> Iterator[Event]: ...

    def finish(self) -> Iterator[Event]: ...


class EventReader:
    """Reads the body of a leg: an event stream, or lines of JSON.

    Which of the two it is, the first byte that is not blank says: ``{`` is JSON. Where
    one body holds several legs, each is looked at afresh.
    """

    __slots__ = ("_body", "_dropped", "_head", "_limits")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._head = b""  # the first bytes, while they say nothing
        self._dropped = 0  # blank lines before them
        self._body: _Body | None = None

    def read(self, chunk: bytes) -> Iterator[Event]:
        """Yield the events that this chunk completes.

        Raises:
            DecodeError: A frame has no meaning; its offset says which.
            LimitError: A frame is too long.
        """
        if self._body is None:
            chunk = self._begin(chunk)
        return self._body.read(chunk) if self._body is not None else iter(())

    def finish(self) -> Iterator[Event]:
        """Yield the event that the unfinished rest amounts to, if it does to one.

        The standard says to discard it. But bodies are often saved without their last
        blank line, and JSON says itself where it ends: so a whole object counts, and
        ``[DONE]``. Anything else was cut.
        """
        body, self._body = self._body, None
        self._head, self._dropped = b"", 0
        return body.finish() if body is not None else iter(())

    def _begin(self, chunk: bytes) -> bytes:
        head = self._head + chunk
        lines = head.lstrip(b"\r\n")
        self._dropped += len(head) - len(lines)
        start = lines.removeprefix(BOM).lstrip(_BLANK)
        undecided = not start or BOM.startswith(lines)
        if undecided and len(lines) <= _MAX_HEAD:
            self._head = lines
            return b""
        self._head = b""
        kind = _JsonLines if start.startswith(b"{") else _EventStream
        self._body = kind(self._limits, self._dropped)
        return lines


class _EventStream:
    __slots__ = ("_blocks", "_fresh", "_is_json", "_last_id", "_limits")

    def __init__(self, limits: Limits, offset: int) -> None:
        self._limits = limits
        self._blocks = Blocks(limits.frame_bytes, offset)
        self._last_id = ""
        self._fresh = True  # no event of this leg was seen
        self._is_json = False  # this leg, unlike the first, is lines of JSON

    def read(self, chunk: bytes) -> Iterator[Event]:
        blocks = self._blocks.cut(chunk)
        plain = PLAIN if self._blocks.lf_only else {}
        todo = iter(blocks)
        for block in todo:
            # Nearly every frame is `event: NAME`, LF, `data: JSON`, and nothing else.
            name, _, data = block.partition(b"\ndata: ")
            decoder = plain.get(name)
            if decoder is not None and b"\n" not in data:
                try:
                    event = decoder(data)
                except (ValueError, RecursionError):
                    pass  # it takes more care: the general way
                else:
                    self._fresh = False
                    yield event
                    continue
            position = len(blocks) - length_hint(todo) - 1
            try:
                yield from self._events(block)
            except DecodeError as error:
                error.offset = self._blocks.start_of(position)
                raise
        raise_too_long(self._blocks, self._limits.frame_bytes)

    def finish(self) -> Iterator[Event]:
        raise_too_long(self._blocks, self._limits.frame_bytes)
        tail = self._blocks.finish()
        frame, _ = parse_block(tail, self._last_id)
        if self._is_json or (self._fresh and tail.startswith(b"{")):
            frame = Frame("message", tail)
        if frame is not None and _is_whole(frame.data, self._limits):
            yield self._decode(frame)

    def _events(self, block: bytes) -> Iterator[Event]:
        if self._fresh:
            block = block.lstrip(_BLANK).removeprefix(BOM)
            self._is_json = block.startswith(b"{")
        if self._is_json:
            for line in filter(None, map(bytes.strip, block.split(b"\n"))):
                yield self._decode(Frame("message", line))
            return
        frame, self._last_id = parse_block(block, self._last_id)
        if frame is not None:
            yield self._decode(frame)

    def _decode(self, frame: Frame) -> Event:
        event = decode(frame, self._limits)
        self._fresh = isinstance(event, _LEG_ENDS)
        if self._fresh:
            self._last_id = ""
            self._is_json = False
        return event


class _JsonLines:
    """Lines of JSON, or one object spread over lines, as a refused request is saved."""

    __slots__ = ("_carry", "_fresh", "_limits", "_next", "_offset", "_spread")

    def __init__(self, limits: Limits, offset: int) -> None:
        self._limits = limits
        self._carry = bytearray()
        self._offset = offset  # of the carry, in the stream
        self._fresh = True  # no event of this leg was seen
        self._spread = False  # the object goes on over the next lines, to the end
        self._next: _EventStream | None = None  # a later leg that is an event stream

    def read(self, chunk: bytes) -> Iterator[Event]:
        if self._next is not None:
            yield from self._next.read(chunk)
            return
        self._carry += chunk
        if b"\n" in chunk and not self._spread:
            yield from self._lines()
        if len(self._carry) > self._limits.frame_bytes:
            raise LimitError(
                f"the line of JSON at byte {self._offset} is longer than "
                f"{self._limits.frame_bytes:,} bytes (Limits.frame_bytes)"
            )

    def finish(self) -> Iterator[Event]:
        if self._next is not None:
            yield from self._next.finish()
        tail = bytes(self._carry).strip()
        self._carry.clear()
        if _is_whole(tail, self._limits):
            yield decode(Frame("message", tail), self._limits)

    def _lines(self) -> Iterator[Event]:
        data = bytes(self._carry)
        start = 0
        while (end := data.find(b"\n", start) + 1) > 0:
            line = data[start:end].strip().removeprefix(BOM)
            if line and self._fresh and not line.startswith(b"{"):
                self._carry.clear()
                self._next = _EventStream(self._limits, self._offset)
                yield from self._next.read(data[start:])
                return
            if line:
                try:
                    event = decode(Frame("message", line), self._limits)
                except DecodeError as error:
                    if self._fresh and _goes_on(line):
                        self._spread = True
                        break
                    error.offset = self._offset
                    raise
                self._fresh = isinstance(event, _LEG_ENDS)
                yield event
            self._offset += end - start
            start = end
        self._carry = bytearray(data[start:])


def _goes_on(line: bytes) -> bool:
    """Whether a line that is not JSON could be the beginning of some."""
    try:
        json.loads(line)
    except json.JSONDecodeError as error:
        return error.pos >= len(line.decode(errors="replace"))
    except (ValueError, RecursionError):
        pass
    return False


def _is_whole(data: bytes, limits: Limits) -> bool:
    if data.strip() == b"[DONE]":
        return True
    try:
        return isinstance(parse(data, depth=limits.depth), dict)
    except DecodeError:
        return False
