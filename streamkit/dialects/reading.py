"""The bytes of a body, in any envelope, to events."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from operator import length_hint
from typing import Final, Protocol, TypeAlias

from .._blocks import BOM, Blocks, too_long
from .._json import parse
from ..errors import DecodeError, PeerError
from ..events import DoneEvent, ErrorEvent, Event
from ..limits import Limits
from ..sse import Frame, parse_block
from .assistants import PLAIN, decode

__all__ = ["EventReader", "Read"]

_BLANK: Final = b" \t\r\n"

# Above this, looking whether a chunk is just one frame costs more than it saves.
_SMALL: Final = 1024

# Nearly every frame is `event: NAME`, LF, `data: {...}`, and nothing else, of one of two
# names. So the first bytes of a block, as many as the longer beginning has, tell which
# one it is (the shorter one goes on with its brace), and its only line feed tells that
# nothing else is in it. A name is looked up to the place of that line feed, the place
# where the data begins, and its decoder.
_HEADS: Final = {f"event: {name}\ndata: ".encode(): decoder for name, decoder in PLAIN.items()}
_HEAD: Final = max(map(len, _HEADS))
_USUAL: Final[Mapping[bytes, tuple[int, int, Callable[[bytes], Event]]]] = {
    (head + b"{")[:_HEAD]: (head.index(b"\n"), len(head), decoder)
    for head, decoder in _HEADS.items()
}

_LF: Final = ord("\n")
_LEG_ENDS: Final = (DoneEvent, ErrorEvent)

# More blank bytes than this before the first other one: an event stream, since they are
# comments to nobody's JSON.
_MAX_HEAD: Final = 1024


# What comes out of reading: events and, last, the error where reading cannot go on: a
# `DecodeError` whose offset says where, or a `LimitError`.
Read: TypeAlias = Event | PeerError


class _Body(Protocol):
    def read(self, chunk: bytes) -> list[Read]: ...

    def finish(self) -> list[Read]: ...


class EventReader:
    """Reads the body of a leg: an event stream, or lines of JSON.

    Which of the two it is, the first byte that is not blank says: ``{`` is JSON. Where
    one body holds several legs, each is looked at afresh.

    Attributes:
        read: Takes the next bytes and returns the events that they complete and, last,
            the error where reading cannot go on.
    """

    __slots__ = ("_body", "_dropped", "_head", "_limits", "read")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._head = b""  # the first bytes, while they say nothing
        self._dropped = 0  # blank lines before them
        self._body: _Body | None = None
        # An attribute, so that the body's own method can take over.
        self.read: Callable[[bytes], list[Read]] = self._read_first

    def finish(self) -> list[Read]:
        """Return the event that the unfinished rest amounts to, if it does to one.

        The standard says to discard it. But bodies are often saved without their last
        blank line, and JSON says itself where it ends: so a whole object counts, and
        ``[DONE]``. Anything else was cut.
        """
        return self._body.finish() if self._body is not None else []

    def _read_first(self, chunk: bytes) -> list[Read]:
        chunk = self._begin(chunk)
        if self._body is None:
            return []
        self.read = self._body.read
        return self.read(chunk)

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
    __slots__ = ("_blocks", "_fresh", "_is_json", "_last_id", "_limits", "_small")

    def __init__(self, limits: Limits, offset: int) -> None:
        self._limits = limits
        self._blocks = Blocks(limits.frame_bytes, offset)
        self._small = min(_SMALL, limits.frame_bytes)
        self._last_id = ""
        self._fresh = True  # no event of this leg was seen
        self._is_json = False  # this leg, unlike the first, is lines of JSON

    def read(self, chunk: bytes) -> list[Read]:
        size = len(chunk)
        if self._blocks.quiet and size <= self._small:
            # A live server sends nearly every frame as a chunk of its own.
            usual = _USUAL.get(chunk[:_HEAD])
            if usual is not None:
                _, start, decode_data = usual
                if (
                    chunk.find(b"\n", start) == size - 2
                    and chunk[-1] == _LF
                    and b"\r" not in chunk
                ):
                    try:
                        event = decode_data(chunk[start:])
                    except (ValueError, RecursionError):
                        pass  # it takes more care: the general way
                    else:
                        self._blocks.offset += size
                        self._fresh = False
                        return [event]
        blocks = self._blocks.cut(chunk)
        usual_of = _USUAL.get if self._blocks.lf_only else _none
        events: list[Read] = []
        todo = iter(blocks)
        for block in todo:
            usual = usual_of(block[:_HEAD])
            if usual is not None:
                line_feed, start, decode_data = usual
                if block.rfind(b"\n") == line_feed:
                    try:
                        events.append(decode_data(block[start:]))
                    except (ValueError, RecursionError):
                        pass  # it takes more care: the general way
                    else:
                        self._fresh = False
                        continue
            try:
                self._read_block(block, events)
            except DecodeError as error:
                error.offset = self._blocks.start_of(len(blocks) - length_hint(todo) - 1)
                events.append(error)
                return events
        if self._blocks.too_long is not None:
            events.append(too_long(self._blocks.too_long, self._limits.frame_bytes))
        return events

    def finish(self) -> list[Read]:
        start = self._blocks.unfinished_start
        tail = self._blocks.finish()
        frame, _ = parse_block(tail, self._last_id)
        if self._is_json or (self._fresh and tail.startswith(b"{")):
            frame = Frame("message", tail)
        if frame is None or not _is_whole(frame.data, self._limits):
            return []
        try:
            return [self._decode(frame)]
        except DecodeError as error:
            error.offset = start
            return [error]

    def _read_block(self, block: bytes, events: list[Read]) -> None:
        if self._fresh:
            block = block.lstrip(_BLANK).removeprefix(BOM)
            self._is_json = block.startswith(b"{")
        if self._is_json:
            lines = filter(None, map(bytes.strip, block.split(b"\n")))
            events += (self._decode(Frame("message", line)) for line in lines)
            return
        frame, self._last_id = parse_block(block, self._last_id)
        if frame is not None:
            events.append(self._decode(frame))

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

    def read(self, chunk: bytes) -> list[Read]:
        events: list[Read] = []
        if self._next is not None:
            return self._read_on(chunk)
        self._carry += chunk
        if b"\n" in chunk and not self._spread:
            self._read_lines(events)
        if len(self._carry) > self._limits.frame_bytes:
            events.append(too_long(self._offset, self._limits.frame_bytes))
        return events

    def _read_on(self, chunk: bytes) -> list[Read]:
        self._next = self._next or _EventStream(self._limits, self._offset)
        return self._next.read(chunk)

    def finish(self) -> list[Read]:
        if self._next is not None:
            return self._next.finish()
        tail = bytes(self._carry).strip()
        self._carry.clear()
        if not _is_whole(tail, self._limits):
            return []
        try:
            return [decode(Frame("message", tail), self._limits)]
        except DecodeError as error:
            error.offset = self._offset
            return [error]

    def _read_lines(self, events: list[Read]) -> None:
        data = bytes(self._carry)
        start = 0
        while (end := data.find(b"\n", start) + 1) > 0:
            line = data[start:end].strip().removeprefix(BOM)
            if line and self._fresh and not line.startswith(b"{"):
                self._carry.clear()
                events += self._read_on(data[start:])
                return
            if line:
                try:
                    event = decode(Frame("message", line), self._limits)
                except DecodeError as error:
                    if self._fresh and _goes_on(line):
                        self._spread = True
                        break
                    error.offset = self._offset
                    events.append(error)
                    self._carry.clear()
                    return
                self._fresh = isinstance(event, _LEG_ENDS)
                events.append(event)
            self._offset += end - start
            start = end
        self._carry = bytearray(data[start:])


def _none(_: bytes) -> None:
    """Find no block usual."""


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
