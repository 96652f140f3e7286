"""A source as it is told: in its time, and with its faults."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, cast

import anyio

from .._following import accumulate
from .._sources import AsyncSource, Opened, open_source, step_of
from ..errors import UsageError
from ..recording.forms import Recording
from ..recording.pacing import Pace
from ..snapshots import RunSnapshot
from .faults.base import Fault, LegFault
from .faults.stops import Stall
from .sources import PlayedSource, is_live, recording_of
from .telling import LiveTelling, Told, checked, scheduled

__all__ = ["Stream"]


class Stream:
    """The bytes of a run, synchronously or not: in their time, and with their faults.

        accumulate(Stream(run, faults=[Cut(frames=9)]))

    Each iteration tells it from the start. All legs come one after another; nothing
    follows a stop, but for a stall that ends.

    Args:
        source: What `recording_of` takes; or what is live, as `aaccumulate` takes it: an
            iterable, or an async iterable, of bytes or of frames, or an open response. That
            is told once, as it comes, and a leg of it ends with ``done``.
        faults: What goes wrong. Stops lie where the source has them, whatever the rewrites
            do, and those change the bytes in the order given.
        speed: How many times faster than it was; infinity is without waiting. A stall takes
            its own time.
        max_gap: The longest wait to keep, in seconds of the recording.
        gap: How many seconds there are before each chunk, where nobody noted it.
        clock: Gives the time in seconds, from any start.
        sleep: Waits so many seconds, awaited where it is asynchronous; infinity is for
            ever. By default, that of `time`, or of anyio.

    Raises:
        UsageError: The source, a fault or a number is none; from iterating synchronously,
            that the source is asynchronous, or that a stall has no end.
        RecordingError: The source cannot be read.
        OSError: The file cannot be read.
    """

    def __init__(
        self,
        source: PlayedSource | AsyncSource,
        *,
        faults: Sequence[Fault] = (),
        speed: float = math.inf,
        max_gap: float | None = None,
        gap: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self.faults: Sequence[LegFault] = checked(faults)
        self._pace: Callable[[], Pace] = lambda: Pace(speed, max_gap, clock)
        self._pace()  # which refuses what is no number
        self._sleep = sleep
        self._source: Any = source
        self._opened: Opened | None = None
        self._recording = (
            None if is_live(source) else recording_of(cast("PlayedSource", source), gap=gap)
        )

    @property
    def recording(self) -> Recording:
        """The run as it was, without faults.

        Raises:
            UsageError: It is live, and not known before it comes.
        """
        if self._recording is None:
            raise UsageError("a live source is known only once it has come; record it with tee")
        return self._recording

    @property
    def is_whole(self) -> bool:
        """Whether a fold is to read on where the run seems to be over: there is another leg."""
        return self._recording is not None and len(self._recording.legs) > 1

    @cached_property
    def snapshot(self) -> RunSnapshot:
        """What the run comes to without faults; its outcome says if that is no end.

        Raises:
            UsageError: It is live, and not known before it comes.
            DecodeError, LimitError: It is spoiled by itself.
        """
        return accumulate(Stream(self.recording), allow_partial=True)

    def __iter__(self) -> Iterator[bytes]:
        if self._sleep is None and any(_is_endless(fault) for fault in self.faults):
            raise UsageError(
                "a stall without an end would never return here: give it seconds, or read the "
                "stream asynchronously"
            )
        told = self._scheduled() if self._recording is not None else self._live()
        return self._later(told)

    def __aiter__(self) -> AsyncIterator[bytes]:
        if self._recording is not None:
            return self._alater(self._scheduled())
        return self._alive(self._open(is_async=True))

    def close(self) -> None:
        """Close the source, if it is live."""
        if self._opened is not None:
            self._opened.close()

    async def aclose(self) -> None:
        """Close the source, if it is live."""
        if self._opened is not None:
            await self._opened.aclose()

    def _scheduled(self) -> Iterator[Told]:
        return scheduled(self.recording, self.faults, self._pace)

    def _open(self, *, is_async: bool) -> Opened:
        if self._opened is not None:
            raise UsageError("this source is live, and was told once: make another Stream of it")
        self._opened = open_source(self._source, is_async=is_async)
        return self._opened

    def _live(self) -> Iterator[Told]:
        return _told_live(self._open(is_async=False), LiveTelling(self.faults))

    def _later(self, told: Iterator[Told]) -> Iterator[bytes]:
        sleep = self._sleep or time.sleep
        try:
            for each in told:
                if isinstance(each, bytes):
                    yield each
                else:
                    sleep(each)
        finally:
            self.close()

    async def _alater(self, told: Iterator[Told]) -> AsyncIterator[bytes]:
        for each in told:
            if isinstance(each, bytes):
                yield each
            else:
                await self._asleep(each)

    async def _alive(self, opened: Opened) -> AsyncIterator[bytes]:
        live = LiveTelling(self.faults)
        step = step_of(opened.items)  # type: ignore[arg-type] # just opened: they are there
        try:
            while not live.is_ended:
                try:
                    told = live.feed(await step())
                except StopAsyncIteration:
                    told = live.finish()
                except Exception as error:  # noqa: BLE001 - raised after what came before it
                    told = live.fail(error)
                for each in told:
                    if isinstance(each, bytes):
                        yield each
                    else:
                        await self._asleep(each)
        finally:
            await self.aclose()

    async def _asleep(self, seconds: float) -> None:
        sleep = self._sleep or (anyio.sleep if math.isfinite(seconds) else _for_ever)
        if inspect.isawaitable(slept := sleep(seconds)):
            await slept


def _is_endless(fault: LegFault) -> bool:
    return isinstance(fault, Stall) and fault.ends_leg


async def _for_ever(_: float) -> None:
    await anyio.sleep_forever()


def _told_live(opened: Opened, live: LiveTelling) -> Iterator[Told]:
    items: Any = opened.items
    while not live.is_ended:
        try:
            told = live.feed(next(items))
        except StopIteration:
            told = live.finish()
        except Exception as error:  # noqa: BLE001 - raised after what came before it
            told = live.fail(error)
        yield from told
