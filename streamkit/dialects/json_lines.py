"""Bodies that are lines of JSON."""

from __future__ import annotations

from .._blocks import too_long
from .._json import breaks_off
from ..errors import DecodeError
from ..limits import Limits
from ..sse import Frame
from .bodies import LEG_ENDS, Read, last_of
from .frames import decode

__all__ = ["JsonLines"]


class JsonLines:
    """Lines of JSON, or one object spread over lines, as a refused request is saved."""

    __slots__ = ("_carry", "_is_first", "_limits", "_spread", "is_cut", "offset", "rest")

    def __init__(self, limits: Limits, offset: int) -> None:
        self._limits = limits
        self._carry = bytearray()
        self._is_first = True  # no line of this leg was read
        self._spread = False  # the object goes on over the next lines, to the end
        self.is_cut: bool = False
        self.rest: bytes | None = None
        self.offset: int = offset  # of the carry

    def read(self, chunk: bytes) -> list[Read]:
        """Return the events that this chunk completes."""
        events: list[Read] = []
        self._carry += chunk
        if b"\n" in chunk and not self._spread:
            self._read_lines(events)
        if self.rest is None and self._length(self._carry) > self._limits.frame_bytes:
            events.append(too_long(self.offset, self._limits.frame_bytes))
        return events

    def finish(self) -> list[Read]:
        """Return the event that the unfinished rest amounts to, if it does to one."""
        tail = bytes(self._carry).strip()
        events = last_of(Frame("message", tail), self._limits, self.offset)
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
                    if self._is_first and breaks_off(line):
                        self._spread = True
                        break
                    error.offset = self.offset
                    events.append(error)
                    self._carry.clear()
                    return
                events.append(event)
                self._is_first = False
                if isinstance(event, LEG_ENDS):
                    self.rest = data[end:]
            self.offset += end - start
            start = end
        self._carry = bytearray(data[start:])
