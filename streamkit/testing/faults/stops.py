"""Faults that end a leg early, or make it wait."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Literal, Self

import msgspec

from ...errors import UsageError
from ...sse import Frame, encode_frame
from ..framing import ends_frame
from .base import Count, Fault, LegFault, Seconds

__all__ = [
    "UNKNOWN_LENGTH",
    "Cut",
    "ErrorEvent",
    "Stall",
    "Stop",
    "error_after",
    "error_frame",
    "stop_of",
    "stops_of",
]

# Of a stream whose length is not known, a stop that is drawn lies within so many frames:
# even a short answer has about as many.
UNKNOWN_LENGTH: Final = 32


class Stop(LegFault, frozen=True, kw_only=True):
    """Base of the faults that end a leg early, or make it wait.

    The place is counted in the stream as it was, whatever other faults do to it: after so
    many whole `frames`, or `bytes`, whichever comes first. Without both, `seed` draws a
    number of frames, from 1 to one less than the leg has.
    """

    frames: Count | None = None
    bytes: Count | None = None

    @property
    def ends_leg(self) -> bool:
        """Whether nothing comes after it."""
        return True

    def position(self, ends: Sequence[int]) -> int:
        """Return after how many bytes of a leg it lies.

        Args:
            ends: The offsets after 0, 1, 2, ... whole frames of the leg; `frame_ends`
                gives them.
        """
        whole = ends[-1]
        places = []
        if self.bytes is not None:
            places.append(min(self.bytes, whole))
        if self.frames is not None or not places:
            rank = self.rank(len(ends) - 1)
            places.append(self.place(rank, ends) if rank < len(ends) else whole)
        return min(places)

    def within(self, count: int) -> Self:
        """Return the same, its place drawn among so many frames if it does not say one."""
        if self.frames is not None or self.bytes is not None:
            return self
        return msgspec.structs.replace(self, frames=self.rank(count + 1))

    def is_settled(self, ends: Sequence[int]) -> bool:
        """Whether its place is known, though more frames may come; see `position`."""
        has_bytes = self.bytes is not None and self.bytes <= ends[-1]
        return has_bytes or (self.frames is not None and self.frames < len(ends))

    def rank(self, count: int) -> int:
        """Return after how many of so many frames it lies; drawn if it does not say."""
        if self.frames is not None:
            return self.frames
        return min(1 + int(self._random().random() * (count - 1)), count - 1) if count > 0 else 0

    def place(self, rank: int, ends: Sequence[int]) -> int:
        """Return the offset of a place that was given as a number of frames."""
        return ends[rank]


class _Inside(Stop, frozen=True, kw_only=True):
    inside: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.inside and self.bytes is not None and self.frames is None:
            raise UsageError(
                f"{type(self).__name__}: inside is for frames; bytes say the place themselves"
            )

    def is_settled(self, ends: Sequence[int]) -> bool:
        """Whether its place is known: of one that is inside, with the end of its frame."""
        return super().is_settled(ends[:-1] or ends if self.inside else ends)

    def place(self, rank: int, ends: Sequence[int]) -> int:
        """Return the offset after so many frames, or in the middle of the next."""
        following = ends[min(rank + 1, len(ends) - 1)]
        return (ends[rank] + following) // 2 if self.inside else ends[rank]


class Cut(_Inside, frozen=True, kw_only=True):
    """The body ends there.

    Attributes:
        frames, bytes: Where; see `Stop`.
        inside: In the middle of the frame after `frames`.
        how: ``"end"``: as if it were complete; ``"abort"``: the connection breaks.
    """

    word: ClassVar[str] = "cut"

    how: Literal["end", "abort"] = "end"


class Stall(_Inside, frozen=True, kw_only=True):
    """Nothing comes for a while, then the rest.

    Attributes:
        frames, bytes: Where; see `Stop`.
        inside: In the middle of the frame after `frames`.
        seconds: For how long; infinity: until the client leaves.
    """

    word: ClassVar[str] = "stall"

    seconds: Seconds = math.inf

    @property
    def ends_leg(self) -> bool:
        """Whether nothing comes after it: if it has no end."""
        return math.isinf(self.seconds)


class ErrorEvent(Stop, frozen=True, kw_only=True):
    """The server sends an ``error`` event, and ends the body.

    Attributes:
        frames, bytes: Where; see `Stop`. Of so many bytes, the whole frames.
        message, code, type: What the event says.
    """

    word: ClassVar[str] = "error"

    message: str = (
        "The server had an error processing your request. Sorry about that! You can retry "
        "your request, or contact us through our help center."
    )
    code: str | None = "server_error"
    type: str | None = "server_error"

    def position(self, ends: Sequence[int]) -> int:
        """Return after how many bytes of a leg it lies: at the end of a frame."""
        place = super().position(ends)
        return max(end for end in ends if end <= place)


def error_frame(fault: ErrorEvent, *, as_json_line: bool = False) -> bytes:
    """Return the frame that a server sends where it fails."""
    said = {"message": fault.message, "type": fault.type, "param": None, "code": fault.code}
    data: Mapping[str, Any] = {"error": said}
    if as_json_line:
        return json.dumps({"event": "error", "data": data}).encode() + b"\n"
    return encode_frame(Frame("error", json.dumps(data).encode()))


def error_after(fault: ErrorEvent, sent: bytes, *, has_json: bool) -> bytes:
    """Return what a server that fails sends after some bytes, of which the end is enough.

    A recording may itself break off within a frame, which this is not part of.
    """
    apart = b"" if ends_frame(sent, has_json=has_json) else b"\n\n"
    return apart + error_frame(fault, as_json_line=has_json)


def stops_of(faults: Sequence[Fault], leg: int, ends: Sequence[int]) -> Sequence[tuple[int, Stop]]:
    """Return where a leg stops, in bytes of it, and what stops it: the first comes first.

    Of several at one place, the first is that which was given first.

    Args:
        faults: Those of the run, of any kind.
        leg: Which leg, from 0.
        ends: See `Stop.position`.
    """
    stops = [fault for fault in faults if isinstance(fault, Stop) and fault.befalls(leg)]
    return sorted(((stop.position(ends), stop) for stop in stops), key=lambda place: place[0])


def stop_of(faults: Sequence[Fault], leg: int, ends: Sequence[int]) -> tuple[int, Stop | None]:
    """Return the first of `stops_of`; without any, the end of the leg, and None."""
    return next(iter(stops_of(faults, leg, ends)), (ends[-1], None))
