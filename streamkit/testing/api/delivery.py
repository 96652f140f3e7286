"""The stream of a leg, moment by moment."""

from __future__ import annotations

import enum
import math
import time
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from ...recording import Chunk
from ...recording.pacing import Pace
from ..faults import Cut, ErrorEvent, Stall, Stop, rewriters
from ..faults.stops import error_after, stops_of
from ..framing import TAIL, is_json_lines
from .bodies import Body
from .scenes import Scene

__all__ = ["ABORT", "Delivery", "Moment", "Pause", "Stalled"]

_GZIP: Final = 31  # zlib's window for a gzip container

Clock: TypeAlias = Callable[[], float]


class _Abort(enum.Enum):
    ABORT = "abort"


# The connection breaks.
ABORT: Final = _Abort.ABORT


class Stalled(NamedTuple):
    """Nothing comes for so many seconds, unless the run is cancelled meanwhile."""

    seconds: float


# What comes instead of bytes: a wait of so many seconds, or what goes wrong.
Pause: TypeAlias = float | Stalled | Literal[_Abort.ABORT]
Moment: TypeAlias = bytes | Pause


class Delivery:
    """The leg that a run is at, as a stream.

    Whoever takes a moment carries it out before taking the next; closing the iterator is
    leaving. What the API says of the run goes by the chunks that were taken.
    """

    def __init__(self, scene: Scene, *, leg: int | None = None, start: int | None = None) -> None:
        self.scene: Scene = scene
        self._play = scene.play
        self._served = scene.entry.served
        # The run may be at the next leg before this one has ended.
        self._leg = scene.play.leg if leg is None else leg
        self._at = start or 0  # where the body goes on
        self._hear = self._play.hear if start is None else self._play.hear_again
        faults = self._served.faults if start is None else ()
        has_stops = any(isinstance(fault, Stop) for fault in faults)
        self._due = [*stops_of(faults, self._leg, self._body.ends)] if has_stops else []
        self._rewriter = rewriters(faults, self._leg)
        self._packed = zlib.compressobj(wbits=_GZIP) if self._served.gzip else None

    @property
    def headers(self) -> Mapping[str, str]:
        """Those of the answer."""
        encoding = {"content-encoding": "gzip"} if self._packed else {}
        return {"content-type": self._served.content_type, **encoding}

    def on_cancel(self, tell: Callable[[], object]) -> None:
        """Tell when the run is cancelled."""
        self._play.on_cancel.append(tell)

    def moments(self, clock: Clock | None = time.monotonic) -> Generator[Moment]:
        """Yield what comes, in order.

        Args:
            clock: Gives the time in seconds, so that lateness does not add up; None: waits
                are as they were, however long it took to carry them out.
        """
        self._hear(self._leg, self._at)
        try:
            yield from self._told(clock)
            while isinstance(stall := self._stop, Stall) and not self._play.is_cancelled:
                yield Stalled(stall.seconds)
                self._due.pop(0)
                yield from self._told(clock)
        finally:
            self._play.leave(self._leg)
        yield from map(self._pack, self._rewriter.finish())
        if isinstance(self._stop, ErrorEvent):
            yield self._pack(self._error(self._stop))
        if self._breaks_off:
            yield ABORT
        elif self._packed:
            yield self._packed.flush()

    @property
    def _body(self) -> Body:
        return self._play.legs[self._leg]

    @property
    def _stop(self) -> Stop | None:
        """What stops the leg where it is to stop. A run that is cancelled ends by itself."""
        return self._due[0][1] if self._due and not self._play.is_cancelled else None

    def _told(self, clock: Clock | None) -> Iterator[Moment]:
        """Yield what comes up to the stop."""
        wait = self._waits(clock)
        while chunk := self._next():
            if seconds := wait(chunk.after):
                yield seconds
            # The run is there as soon as the client may know it: it may answer at once.
            self._at += len(chunk.data)
            self.scene.entry.sent += len(chunk.data)
            self._hear(self._leg, self._at)
            yield from map(self._pack, self._rewriter.feed(chunk.data))
        is_whole = self._stop is None and not self._play.is_cancelled
        if is_whole and (seconds := wait(self._served.recording.legs[self._leg].end_after)):
            yield seconds

    def _waits(self, clock: Clock | None) -> Callable[[float | None], float]:
        """Say how long to wait for what came so many seconds after the last."""
        speed, max_gap = self._served.speed, self._served.max_gap
        if clock is not None or math.isinf(speed):
            return Pace(speed, max_gap, clock or time.monotonic).wait
        return lambda after: Pace(speed, max_gap, lambda: 0.0).wait(after)

    def _next(self) -> Chunk | None:
        body = self._body
        stop = self._due[0][0] if self._due and not self._play.is_cancelled else len(body)
        return body.piece(self._at, stop)

    def _error(self, fault: ErrorEvent) -> bytes:
        body = self._body.data
        sent = body[max(0, self._at - TAIL) : self._at]
        return error_after(fault, sent, has_json=is_json_lines(body))

    @property
    def _breaks_off(self) -> bool:
        """Whether the connection breaks where the body ends."""
        if self._play.is_cancelled:
            return False
        if self._stop is not None:
            return isinstance(self._stop, Cut) and self._stop.how == "abort"
        legs = self._served.recording.legs
        is_last = self._leg + 1 == len(legs)
        return legs[self._leg].error is not None or (is_last and self._served.recording.is_cut)

    def _pack(self, data: bytes) -> bytes:
        packed = self._packed
        return packed.compress(data) + packed.flush(zlib.Z_SYNC_FLUSH) if packed else data
