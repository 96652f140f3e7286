"""A leg with its faults: what is sent, and where it stops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from ..recording.forms import Chunk, Leg
from .faults.base import Fault
from .faults.rewrites import rewriters
from .faults.stops import UNKNOWN_LENGTH, ErrorEvent, Stop, error_after, stops_of
from .framing import TAIL, Piece, frame_ends, is_json_lines

__all__ = ["Delivering", "LiveDelivering", "Moment", "delivered"]

Moment: TypeAlias = bytes | Stop


class Delivering:
    """Takes the bytes of one leg as they come, and says what is to be done in turn.

    That is bytes to be sent, and stops: after one that ends the leg, there is nothing
    more; a stall that ends is to be waited for. The event of an `ErrorEvent` has been
    among the bytes before it.

    Args:
        faults: Those of the run, of any kind.
        leg: Which leg, from 0.
        body: All that the leg will say, so that a stop knows its place.

    Attributes:
        is_over: Whether a stop has ended the leg.
    """

    def __init__(self, faults: Sequence[Fault], leg: int, body: bytes) -> None:
        self.is_over: bool = False
        self._rewriter = rewriters(faults, leg)
        self._due = list(stops_of(faults, leg, frame_ends(body)))
        self._has_json = is_json_lines(body)
        self._at = 0  # how many bytes have come
        self._last = b""  # the last bytes that were sent

    def feed(self, chunk: bytes) -> list[Moment]:
        """Take some bytes."""
        moments: list[Moment] = []
        while self._due and not self.is_over and self._due[0][0] <= self._at + len(chunk):
            place, stop = self._due.pop(0)
            left = max(0, place - self._at)
            moments += self._sent(self._rewriter.feed(chunk[:left]))
            moments += self._stopped(stop)
            self._at += left
            chunk = chunk[left:]
        if not self.is_over:
            moments += self._sent(self._rewriter.feed(chunk))
            self._at += len(chunk)
        return moments

    def finish(self) -> list[Moment]:
        """Take note that there are no more bytes."""
        moments = self.feed(b"")
        return moments if self.is_over else [*moments, *self._rewriter.finish()]

    def _sent(self, chunks: list[bytes]) -> list[bytes]:
        self._last = b"".join((self._last, *chunks[-TAIL:]))[-TAIL:]
        return chunks

    def _stopped(self, stop: Stop) -> list[Moment]:
        if not stop.ends_leg:
            return [stop]
        self.is_over = True
        moments: list[Moment] = [*self._sent(self._rewriter.finish())]
        if isinstance(stop, ErrorEvent):
            moments.append(error_after(stop, self._last, has_json=self._has_json))
        return [*moments, stop]


class LiveDelivering(Delivering):
    """Does so for a leg that nobody knows before it comes, whole pieces of it at a time.

    A stop that is drawn lies within the first `UNKNOWN_LENGTH` frames.

    Args:
        faults: Those of the run, of any kind.
        leg: Which leg, from 0.
    """

    def __init__(self, faults: Sequence[Fault], leg: int) -> None:
        super().__init__(faults, leg, b"")
        self._leg = leg
        self._due = []
        self._ends = [0]
        self._held = b""  # what stands before a frame, which goes with it
        self._open = [
            fault.within(UNKNOWN_LENGTH)
            for fault in faults
            if isinstance(fault, Stop) and fault.befalls(leg)
        ]

    def take(self, piece: Piece) -> list[Moment]:
        """Take a whole piece."""
        self._held += piece.data
        return self._taken() if piece.is_frame else []

    def finish(self) -> list[Moment]:
        """Take note that there are no more pieces."""
        moments = self._taken(is_last=True)
        return [*moments, *super().finish()]

    def _taken(self, *, is_last: bool = False) -> list[Moment]:
        held, self._held = self._held, b""
        if held:
            self._ends.append(self._ends[-1] + len(held))
            self._has_json = self._has_json or is_json_lines(held)
        known = [stop for stop in self._open if is_last or stop.is_settled(self._ends)]
        self._open = [stop for stop in self._open if stop not in known]
        self._due = list(stops_of(known, self._leg, self._ends))
        return self.feed(held)


def delivered(leg: Leg, number: int, faults: Sequence[Fault]) -> Iterator[Chunk | Stop]:
    """Yield what is sent of a leg, each chunk with its time, and where it stops.

    After a stop that ends the leg, there is nothing more; see `Delivering`. What the
    faults hold back comes later, in the time of what it comes with.

    Args:
        leg: The leg as it was.
        number: Which one it is, from 0.
        faults: Those of the run, of any kind.
    """
    waits: float | None = None
    for after, moments in _steps(leg, Delivering(faults, number, leg.body)):
        if after is not None:
            waits = after + (waits or 0.0)
        for moment in moments:
            if isinstance(moment, bytes):
                yield Chunk(moment, waits)
                waits = waits and 0.0  # what comes with it
            else:
                yield moment


def _steps(leg: Leg, delivering: Delivering) -> Iterator[tuple[float | None, list[Moment]]]:
    for chunk in leg.chunks:
        yield chunk.after, delivering.feed(chunk.data)
    yield None, delivering.finish()
