"""What a stream comes to, but for the waiting: bytes, and how long to wait for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from .._inputs import to_frame
from ..errors import UsageError
from ..recording.forms import Chunk, Recording
from ..recording.pacing import Pace
from ..recording.replaying import BrokenOff, followed
from ..sse import encode_frame
from .delivering import LiveDelivering, Moment, delivered
from .faults.base import Fault, LegFault
from .faults.stops import Cut, Stall, Stop
from .framing import Framing, Piece
from .sources import says_done

__all__ = ["LiveTelling", "Told", "checked", "done_with", "scheduled"]

# Bytes, or how many seconds to wait.
Told: TypeAlias = bytes | float


def checked(faults: Sequence[Fault]) -> Sequence[LegFault]:
    """Return the faults, once it is sure that each can befall a stream.

    Raises:
        UsageError: One cannot.
    """
    for fault in faults:
        if not isinstance(fault, Fault):
            raise UsageError(f"a fault is a value such as Cut(frames=9), not {fault!r}")
        if not isinstance(fault, LegFault):
            raise UsageError(
                f"a stream is no HTTP answer, so {fault.word!r} cannot befall it: give it to a "
                "transport or to the server"
            )
    return [fault for fault in faults if isinstance(fault, LegFault)]


def scheduled(
    recording: Recording, faults: Sequence[LegFault], paced: Callable[[], Pace]
) -> Iterator[Told]:
    """Tell a recording, all its legs, up to a stop that ends it.

    Raises:
        BrokenOff: It was cut, by a fault or when it was recorded.
    """
    pace = paced()
    for number, leg in enumerate(recording.legs):
        is_last = number + 1 == len(recording.legs)
        yield from _waits(pace.wait(leg.after))
        if not is_last:
            leg = msgspec.structs.replace(leg, chunks=[*followed(leg)])  # noqa: PLW2901
        for moment in delivered(leg, number, faults):
            if isinstance(moment, Chunk):
                yield from _waits(pace.wait(moment.after))
                yield moment.data
                continue
            yield from done_with(moment)
            if moment.ends_leg:
                return
            pace = paced()  # what comes later comes so much later
        yield from _waits(pace.wait(leg.end_after))
        if leg.error is not None and is_last:
            raise BrokenOff(f"reading failed when this was recorded: {leg.error}")
    if recording.is_cut:
        raise BrokenOff("the recording breaks off here")


def _waits(seconds: float) -> Iterable[Told]:
    return (seconds,) if seconds > 0 else ()


def done_with(stop: Stop) -> Iterator[Told]:
    """Tell a stop: what there is to wait for.

    Raises:
        BrokenOff: The connection breaks.
    """
    match stop:
        case Stall():
            yield stop.seconds
        case Cut(how="abort"):
            raise BrokenOff("the connection was broken, as a fault asks for")


class LiveTelling:
    """Tells what nobody knows before it comes, leg by leg: a leg ends with ``done``.

    Attributes:
        is_ended: Whether all is told.
    """

    def __init__(self, faults: Sequence[LegFault]) -> None:
        self.is_ended: bool = False
        self._faults = faults
        self._framing = Framing()
        self._leg = 0
        self._delivering: LiveDelivering | None = None

    def feed(self, item: Any) -> Iterator[Told]:
        """Take bytes, or a frame.

        Raises:
            BrokenOff: The connection breaks, as a fault asks for.
            UsageError: It is neither.
        """
        chunk = bytes(item) if isinstance(item, bytes | bytearray | memoryview) else None
        if chunk is None:
            if isinstance(item, str):
                raise UsageError("bytes are needed, not text: read the source in binary")
            chunk = encode_frame(to_frame(item))
        if not self._faults:
            yield chunk
            return
        for piece in self._framing.feed(chunk):
            if not self.is_ended:
                yield from self._taken(piece)

    def finish(self) -> Iterator[Told]:
        """Take note that there is no more."""
        self.is_ended = True
        for piece in self._framing.finish():
            yield from self._taken(piece)
        if self._delivering is not None:
            yield from _acted(self._delivering.finish())

    def fail(self, error: Exception) -> Iterator[Told]:
        """Take note that reading failed, and raise that once all is told."""
        yield from self.finish()
        raise error

    def _taken(self, piece: Piece) -> Iterator[Told]:
        if self._delivering is None:
            self._delivering = LiveDelivering(self._faults, self._leg)
        delivering = self._delivering
        yield from _acted(delivering.take(piece))
        if says_done(piece):
            yield from _acted(delivering.finish())
            self._delivering = None
            self._leg += 1
        self.is_ended = self.is_ended or delivering.is_over


def _acted(moments: Iterable[Moment]) -> Iterator[Told]:
    for moment in moments:
        if isinstance(moment, bytes):
            yield moment
        else:
            yield from done_with(moment)
