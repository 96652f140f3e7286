"""Replaying a recording: the same bytes, after the same waits."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator
from typing import Final

from ..dialects import EventReader
from ..limits import DEFAULT_LIMITS
from ..sse import FrameDecoder
from .forms import Chunk, Leg, Recording
from .pacing import Pace
from .reading import RecordingSource, read

__all__ = ["BrokenOff", "areplay", "followed", "replay"]


class BrokenOff(OSError):  # noqa: N818 - it is what happened, not a mistake
    """The recording says that reading failed here, or it breaks off here itself.

    A fold takes it as it would have taken the failure of the connection.
    """


def replay(
    source: RecordingSource,
    speed: float = math.inf,
    max_gap: float | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[bytes]:
    """Yield the bytes of a recording, all its legs, in the time that they took.

        accumulate(replay("run.sse.jsonl", speed=1))

    Args:
        source: As `read` takes it.
        speed: How many times faster than it was; infinity is without waiting.
        max_gap: The longest wait to keep, in seconds of the recording.
        clock: Gives the time in seconds, from any start.
        sleep: Waits so many seconds.

    Raises:
        RecordingError: It cannot be read; from the call itself.
        BrokenOff: Reading failed then, or the recording breaks off; after the last byte.
        UsageError: The speed is not above zero, or the gap below it.
    """
    return _Replay(_replay(_paced(source, speed, max_gap, clock), sleep))


def areplay(
    source: RecordingSource,
    speed: float = math.inf,
    max_gap: float | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] | None = None,
) -> AsyncIterator[bytes]:
    """Do what `replay` does, for `afollow` and `aaccumulate`; the waits are awaited.

    `sleep` may give an awaitable; it is anyio's, if it is None.
    """
    return _AsyncReplay(_areplay(_paced(source, speed, max_gap, clock), sleep))


class _Replay(Iterator[bytes]):
    """The bytes of a recording: all there are, so that a fold reads them to their end."""

    is_whole: Final = True

    def __init__(self, told: Generator[bytes, None, None]) -> None:
        self._told = told

    def __next__(self) -> bytes:
        return next(self._told)

    def close(self) -> None:
        """Leave it."""
        self._told.close()


class _AsyncReplay(AsyncIterator[bytes]):
    """The bytes of a recording, awaited."""

    is_whole: Final = True

    def __init__(self, told: AsyncGenerator[bytes, None]) -> None:
        self._told = told

    async def __anext__(self) -> bytes:
        return await anext(self._told)

    async def aclose(self) -> None:
        """Leave it."""
        await self._told.aclose()


def _replay(
    moments: Iterator[float | bytes], sleep: Callable[[float], object]
) -> Generator[bytes, None, None]:
    for moment in moments:
        if isinstance(moment, bytes):
            yield moment
        else:
            sleep(moment)


async def _areplay(
    moments: Iterator[float | bytes], sleep: Callable[[float], object] | None
) -> AsyncGenerator[bytes, None]:
    if sleep is None:
        import anyio  # noqa: PLC0415 - only who awaits needs it

        sleep = anyio.sleep
    for moment in moments:
        if isinstance(moment, bytes):
            yield moment
        else:
            slept = sleep(moment)
            if inspect.isawaitable(slept):
                await slept


def _paced(
    source: RecordingSource,
    speed: float,
    max_gap: float | None,
    clock: Callable[[], float],
) -> Iterator[float | bytes]:
    pace = Pace(speed, max_gap, clock)
    return _moments(read(source), pace)


def _moments(recording: Recording, pace: Pace) -> Iterator[float | bytes]:
    for number, leg in enumerate(recording.legs, 1):
        is_last = number == len(recording.legs)
        chunks = leg.chunks if is_last else [*followed(leg)]
        waits = [leg.after, *(chunk.after for chunk in chunks), leg.end_after]
        datas = [b"", *(chunk.data for chunk in chunks), b""]
        for after, data in zip(waits, datas, strict=True):
            seconds = pace.wait(after)
            if seconds > 0:
                yield seconds
            if data:
                yield data
        if leg.error is not None and is_last:
            raise BrokenOff(f"reading failed when this was recorded: {leg.error}")
    if recording.is_cut:
        raise BrokenOff("the recording breaks off here")


def followed(leg: Leg) -> Iterable[Chunk]:
    """Return what can be followed by the next leg: without a frame that was not finished.

    One that lacks only its blank line was taken, so it gets that.
    """
    decoder = FrameDecoder()
    decoder.feed(leg.body)
    rest = decoder.finish()
    reader = EventReader(DEFAULT_LIMITS)
    reader.read(rest)
    if reader.finish():
        yield from [*leg.chunks, Chunk(b"\n\n")]
        return
    left = len(leg.body) - len(rest)
    if leg.error is None and not left:  # nothing tells that this is made of frames
        left = len(rest)
    for chunk in leg.chunks:
        yield Chunk(chunk.data[:left], chunk.after)
        left = max(0, left - len(chunk.data))
