"""What reading the body of a leg has in common, in any envelope."""

from __future__ import annotations

from typing import Final, Protocol, TypeAlias

from .._json import parse
from .._series import Series
from ..errors import DecodeError, PeerError
from ..events import DoneEvent, ErrorEvent, Event, ResponseEndEvent
from ..limits import DEFAULT_LIMITS, Limits
from ..sse import Frame
from .frames import decode

__all__ = ["LEG_ENDS", "Body", "Read", "is_whole", "last_of"]

LEG_ENDS: Final = (DoneEvent, ErrorEvent, ResponseEndEvent)

# What comes out of reading: events, many of them together where they are alike, and, last,
# the error where reading cannot go on: a `DecodeError` whose offset says where, or a
# `LimitError`.
Read: TypeAlias = Event | Series | PeerError


class Body(Protocol):
    """The body of a leg, while it is read."""

    is_cut: bool  # what was left at the end amounts to nothing
    rest: bytes | None  # what follows the end of the leg, once that was read
    offset: int  # of the byte after what was read

    def read(self, chunk: bytes) -> list[Read]:
        """Return the events that this chunk completes."""

    def finish(self) -> list[Read]:
        """Return the event that the unfinished rest amounts to, if it does to one."""


def last_of(frame: Frame | None, limits: Limits, start: int) -> list[Read]:
    """Return the event that an unfinished frame amounts to, if its data is whole."""
    if frame is None or not is_whole(frame.data, limits):
        return []
    try:
        return [decode(frame, limits)]
    except DecodeError as error:
        error.offset = start
        return [error]


def is_whole(data: bytes, limits: Limits = DEFAULT_LIMITS) -> bool:
    """Whether data that no blank line follows can be all there is."""
    if data.strip() == b"[DONE]":
        return True
    try:
        return isinstance(parse(data, depth=limits.depth), dict)
    except DecodeError:
        return False
