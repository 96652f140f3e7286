"""The bytes of a body, in any envelope, to events."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from operator import length_hint
from typing import Final, Protocol, TypeAlias

from .._blocks import BOM, LINE_END, Blocks, too_long
from .._json import parse
from ..errors import DecodeError, PeerError
from ..events import DoneEvent, ErrorEvent, Event, ResponseEndEvent
from ..limits import DEFAULT_LIMITS, Limits
from ..sse import Frame, parse_block
from . import assistants, responses
from .frames import decode

__all__ = ["EventReader", "Read", "is_whole"]

_BLANK: Final = b" \t\r\n"

# Above this, looking whether a chunk is just one frame costs more than it saves.
_SMALL: Final = 1024

# Nearly every frame is `event: NAME`, LF, `data: {...}`, and nothing else, of one of a few
# names. Of runs, these are two: so the first bytes of a block, as many as the longer
# beginning has, tell which one it is (the shorter one goes on with its brace), and its only
# line feed tells that nothing else is in it. A name is looked up to the place of that line
# feed, the place where the data begins, and its decoder.
_Usual = tuple[int, int, Callable[[bytes], Event]]
_HEADS: Final = {
    f"event: {name}\ndata: ".encode(): decoder for name, decoder in assistants.PLAIN.items()
}
_HEAD: Final = max(map(len, _HEADS))
_USUAL: Final[Mapping[bytes, _Usual]] = {
    (head + b"{")[:_HEAD]: (head.index(b"\n"), len(head), decoder)
    for head, decoder in _HEADS.items()
}

# Of responses there are more names, which differ in length: each is cut out to be found.
_LINES: Final = {f"event: {name}".encode(): read for name, read in responses.PLAIN.items()}


def _of_response(block: bytes) -> _Usual | None:
    end = block.find(b"\n")
    decoder = _LINES.get(block[:end])
    if decoder is None or not block.startswith(b"data: ", end + 1):
        return None
    return end, end + 7, decoder


_DONE: Final = b"event: done\ndata: [DONE]"
_LF: Final = ord("\n")
_CR: Final = ord("\r")
_LEG_ENDS: Final = (DoneEvent, ErrorEvent, ResponseEndEvent)

# What comes out of reading: events and, last, the error where reading cannot go on: a
# `DecodeError` whose offset says where, or a `LimitError`.
Read: TypeAlias = Event | PeerError


class _Body(Protocol):
    is_cut: bool  # what was left at the end amounts to nothing
    rest: bytes | None  # what follows the end of the leg, once that was read
    offset: int  # of the byte after what was read

    def read(self, chunk: bytes) -> list[Read]: ...

    def finish(self) -> list[Read]: ...


class EventReader:
    """Reads the body of a leg: an event stream, or lines of JSON.

    Which of the two it is, the first byte that is not blank says: ``{`` is JSON. Where
    one body holds several legs, each is looked at afresh.
    """

    __slots__ = ("_blocks", "_body", "_has_begun", "_head", "_limits", "_offset", "_small")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._small = min(_SMALL, limits.frame_bytes)
        self._body: _Body | None = None
        self._blocks: Blocks | None = None  # of the body, if it is an event stream
        self._has_begun = False  # a byte-order mark may no longer come
        self._head = b""  # the first bytes, while they may be one, or a blank
        self._offset = 0  # of the head, in the stream

    def read(self, chunk: bytes) -> list[Read]:
        """Return the events that this chunk completes.

        Last stands the error where reading cannot go on.
        """
        blocks = self._blocks
        size = len(chunk)
        if blocks is not None and blocks.quiet and size <= self._small:
            # A live server sends nearly every frame as a chunk of its own.
            usual = _USUAL.get(chunk[:_HEAD]) or _of_response(chunk)
            if usual is not None:
                _, start, decode_data = usual
                if chunk.find(b"\n", start) == size - 2 and chunk[-1] == _LF and _CR not in chunk:
                    try:
                        event = decode_data(chunk[start:])
                    except (ValueError, RecursionError):
                        pass  # it takes more care: the general way
                    else:
                        blocks.offset += size
                        return [event]
        body = self._body
        if body is not None:
            events = body.read(chunk)
            if body.rest is None:
                return events
        else:
            body = self._begin(chunk)
            events = body.read(self._head) if body is not None else []
        while body is not None and body.rest is not None:
            self._body = self._blocks = None
            self._has_begun = False
            self._head = b""
            self._offset = body.offset
            body = self._begin(body.rest)
            if body is not None:
                events += body.read(self._head)
        return events

    def finish(self) -> list[Read]:
        """Return the event that the unfinished rest amounts to, if it does to one.

        The standard says to discard it. But bodies are often saved without their last
        blank line, and JSON says itself where it ends: so a whole object counts, and
        ``[DONE]``. Anything else was cut.
        """
        return self._body.finish() if self._body is not None else []

    @property
    def is_cut(self) -> bool:
        """Whether what was left at the end was something, but no event."""
        return self._body is not None and self._body.is_cut

    def _begin(self, chunk: bytes) -> _Body | None:
        """Look at the first bytes; leave in the head what the body is to read first."""
        data = self._head + chunk
        end = self._offset + len(data)
        if not self._has_begun:
            data = data.lstrip(b"\r\n")
            if len(data) < len(BOM) and BOM.startswith(data):
                self._head = data
                self._offset = end - len(data)
                return None
            self._has_begun = True
            data = data.removeprefix(BOM)
        text = data.lstrip(_BLANK)
        # To the grammar of event streams, a line that begins with one blank or with many
        # is the same, so that one of them is enough to remember.
        indent = data[: len(data) - len(text)][-1:].strip(b"\r\n")
        self._head = indent + text
        self._offset = end - len(self._head)
        if not text:
            return None
        if text.startswith(b"{"):
            self._body = _JsonLines(self._limits, self._offset)
        else:
            stream = _EventStream(self._limits, self._offset)
            self._body, self._blocks = stream, stream.blocks
        return self._body


class _EventStream:
    __slots__ = ("_last_id", "_limits", "blocks", "is_cut", "offset", "rest")

    def __init__(self, limits: Limits, offset: int) -> None:
        self._limits = limits
        self.blocks = Blocks(limits.frame_bytes, offset, may_have_bom=False)
        self._last_id = ""
        self.is_cut = False
        self.rest: bytes | None = None
        self.offset = offset

    def read(self, chunk: bytes) -> list[Read]:
        blocks = self.blocks.cut(chunk)
        may_be_usual = self.blocks.lf_only
        events: list[Read] = []
        todo = iter(blocks)
        for block in todo:
            usual = (_USUAL.get(block[:_HEAD]) or _of_response(block)) if may_be_usual else None
            if usual is not None:
                line_feed, start, decode_data = usual
                if block.rfind(b"\n") == line_feed:
                    try:
                        events.append(decode_data(block[start:]))
                    except (ValueError, RecursionError):
                        pass  # it takes more care: the general way
                    else:
                        continue
            frame, self._last_id = parse_block(block, self._last_id)
            if frame is None:
                continue
            try:
                event = decode(frame, self._limits)
            except DecodeError as error:
                error.offset = self.blocks.start_of(len(blocks) - length_hint(todo) - 1)
                events.append(error)
                return events
            events.append(event)
            if isinstance(event, _LEG_ENDS):
                self.rest = self.blocks.after(len(blocks) - length_hint(todo) - 1)
                self.offset = self.blocks.offset - len(self.rest)
                return events
        if self.blocks.too_long is not None:
            events.append(too_long(self.blocks.too_long, self._limits.frame_bytes))
        return events

    def finish(self) -> list[Read]:
        start = self.blocks.unfinished_start
        tail = self.blocks.finish()
        frame, _ = parse_block(tail, self._last_id)
        events = _last(frame, self._limits, start)
        # A comment that was cut is no loss, nor is what may be the beginning of `done`.
        lines = [line for line in LINE_END.split(tail) if line and not line.startswith(b":")]
        self.is_cut = not events and not _DONE.startswith(b"\n".join(lines))
        return events


class _JsonLines:
    """Lines of JSON, or one object spread over lines, as a refused request is saved."""

    __slots__ = ("_carry", "_is_first", "_limits", "_spread", "is_cut", "offset", "rest")

    def __init__(self, limits: Limits, offset: int) -> None:
        self._limits = limits
        self._carry = bytearray()
        self._is_first = True  # no line of this leg was read
        self._spread = False  # the object goes on over the next lines, to the end
        self.is_cut = False
        self.rest: bytes | None = None
        self.offset = offset  # of the carry

    def read(self, chunk: bytes) -> list[Read]:
        events: list[Read] = []
        self._carry += chunk
        if b"\n" in chunk and not self._spread:
            self._read_lines(events)
        if self.rest is None and self._length(self._carry) > self._limits.frame_bytes:
            events.append(too_long(self.offset, self._limits.frame_bytes))
        return events

    def finish(self) -> list[Read]:
        tail = bytes(self._carry).strip()
        events = _last(Frame("message", tail), self._limits, self.offset)
        self.is_cut = bool(tail) and not events
        return events

    @staticmethod
    def _length(line: bytes | bytearray) -> int:
        return len(line) - line.endswith(b"\r")

    def _read_lines(self, events: list[Read]) -> None:
        data = bytes(self._carry)
        start = 0
        while (end := data.find(b"\n", start) + 1) > 0 and self.rest is None:
            if self._length(data[start : end - 1]) > self._limits.frame_bytes:
                break
            line = data[start:end].strip()
            if line:
                try:
                    event = decode(Frame("message", line), self._limits)
                except DecodeError as error:
                    if self._is_first and _goes_on(line):
                        self._spread = True
                        break
                    error.offset = self.offset
                    events.append(error)
                    self._carry.clear()
                    return
                events.append(event)
                self._is_first = False
                if isinstance(event, _LEG_ENDS):
                    self.rest = data[end:]
            self.offset += end - start
            start = end
        self._carry = bytearray(data[start:])


def _last(frame: Frame | None, limits: Limits, start: int) -> list[Read]:
    """Return the event that an unfinished frame amounts to, if its data is whole."""
    if frame is None or not is_whole(frame.data, limits):
        return []
    try:
        return [decode(frame, limits)]
    except DecodeError as error:
        error.offset = start
        return [error]


def _goes_on(line: bytes) -> bool:
    """Whether a line that is not JSON could be the beginning of some."""
    try:
        json.loads(line)
    except json.JSONDecodeError as error:
        return error.pos >= len(line.decode(errors="replace"))
    except (ValueError, RecursionError):
        pass
    return False


def is_whole(data: bytes, limits: Limits = DEFAULT_LIMITS) -> bool:
    """Whether data that no blank line follows can be all there is."""
    if data.strip() == b"[DONE]":
        return True
    try:
        return isinstance(parse(data, depth=limits.depth), dict)
    except DecodeError:
        return False
