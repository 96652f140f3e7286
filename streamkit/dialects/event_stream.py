"""Bodies that are event streams."""

from __future__ import annotations

from typing import Final

from .._blocks import LINE_END, Blocks, too_long
from .._series import Series
from ..errors import DecodeError
from ..limits import Limits
from ..sse import parse_block
from .bodies import LEG_ENDS, Read, last_of
from .frames import decode
from .learning import Templates
from .usual import read_usual

__all__ = ["EventStream"]

_DONE: Final = b"event: done\ndata: [DONE]"

# So many frames that are alike at the end of a chunk let expect that all of the next are.
_MANY: Final = 64


class EventStream:
    """An event stream, cut into frames; those that are alike are read together."""

    __slots__ = (
        "_is_amid",
        "_last_id",
        "_limits",
        "_templates",
        "blocks",
        "is_cut",
        "offset",
        "rest",
    )

    def __init__(self, limits: Limits, offset: int, templates: Templates | None) -> None:
        self._limits = limits
        self._templates = templates
        self.blocks: Blocks = Blocks(limits.frame_bytes, offset, may_have_bom=False)
        self._last_id = ""
        self._is_amid = False  # all that came last was alike, and much
        self.is_cut: bool = False
        self.rest: bytes | None = None
        self.offset: int = offset

    def read(self, chunk: bytes) -> list[Read]:
        """Return the events that this chunk completes."""
        if self._is_amid and (series := self._read_amid(chunk)) is not None:
            return [series]
        blocks = self.blocks.cut(chunk)
        if not blocks and self.blocks.too_long is None:
            return []
        may_be_usual = self.blocks.lf_only
        templates = self._templates if may_be_usual else None
        events: list[Read] = []
        position = count = 0
        careful = 0  # the first position at which a template may be tried again
        while position < len(blocks):
            block = blocks[position]
            template = templates.template if templates is not None else None
            if template is not None and block.startswith(template.start) and position >= careful:
                series, count = template.read(blocks, position)
                if series is not None:
                    events.append(series)
                    position += count
                    continue
                careful = position + count
            position += 1
            usual = read_usual(block, templates) if may_be_usual else None
            if usual is not None:
                events.append(usual)
                continue
            frame, self._last_id = parse_block(block, self._last_id)
            if frame is None:
                continue
            try:
                event = decode(frame, self._limits)
            except DecodeError as error:
                error.offset = self.blocks.start_of(position - 1)
                events.append(error)
                return events
            events.append(event)
            if isinstance(event, LEG_ENDS):
                is_last = position == len(blocks)
                self.rest = self.blocks.after(position - 1, is_last=is_last)
                self.offset = self.blocks.offset - len(self.rest)
                return events
        self._is_amid = count > _MANY and bool(events) and type(events[-1]) is Series
        if self.blocks.too_long is not None:
            events.append(too_long(self.blocks.too_long, self._limits.frame_bytes))
        return events

    def _read_amid(self, chunk: bytes) -> Series | None:
        """Read a chunk amid many frames that are alike, if all in it are."""
        self._is_amid = False
        template = self._templates.template if self._templates is not None else None
        data = self.blocks.ahead(chunk)
        if not data or template is None:
            return None
        series, tail = template.read_all(data)
        if series is not None:
            self.blocks.skip(chunk, tail)
            self._is_amid = True
        return series

    def finish(self) -> list[Read]:
        """Return the event that the unfinished rest amounts to, if it does to one."""
        start = self.blocks.unfinished_start
        tail = self.blocks.finish()
        frame, _ = parse_block(tail, self._last_id)
        events = last_of(frame, self._limits, start)
        # A comment that was cut is no loss, nor is what may be the beginning of `done`.
        lines = [line for line in LINE_END.split(tail) if line and not line.startswith(b":")]
        self.is_cut = not events and not _DONE.startswith(b"\n".join(lines))
        return events
