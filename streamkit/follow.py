"""Following a stream, and folding a whole one."""

from __future__ import annotations

from ._afollowing import AsyncFollowing
from ._folding import check
from ._following import Following
from ._sources import AsyncSource, Source, open_source
from .accumulator import Accumulator
from .errors import ServerError, TruncatedError
from .observers import Observer
from .snapshots import RunSnapshot

__all__ = [
    "AsyncFollowing",
    "Following",
    "aaccumulate",
    "accumulate",
    "afollow",
    "follow",
]


def accumulate(
    source: Source, *observers: Observer, strict: bool = False, allow_partial: bool = False
) -> RunSnapshot:
    """Fold a whole stream and return the snapshot.

    Args:
        source: A path, bytes, an iterable of bytes or of frames, or an open response of
            httpx or httpx2. It is closed on every exit.
        observers: Told of each change, in order; see `on`.
        strict: Raise `SequenceError` where the server contradicts itself.
        allow_partial: Return what there is where the stream was cut, or the server
            failed; the snapshot's outcome says so.

    Raises:
        TruncatedError: The stream stopped before the run came to rest.
        ServerError: The server sent an ``error`` event.
        DecodeError, SequenceError, LimitError: See there; not held back by
            `allow_partial`, since the rest of the stream was not read.
        UsageError: The source, or an observer, is asynchronous, or none.
        OSError: The file cannot be opened.
    """
    with follow(source, *observers, accumulator=Accumulator(strict=strict)) as following:
        try:
            following._drain()
        except (TruncatedError, ServerError):
            if not allow_partial:
                raise
        return following.snapshot()


async def aaccumulate(
    source: AsyncSource, *observers: Observer, strict: bool = False, allow_partial: bool = False
) -> RunSnapshot:
    """Do what `accumulate` does; the source and the observers may be asynchronous."""
    following = afollow(source, *observers, accumulator=Accumulator(strict=strict))
    async with following:
        try:
            await following._drain()
        except (TruncatedError, ServerError):
            if not allow_partial:
                raise
        return following.snapshot()


def follow(
    source: Source, *observers: Observer, accumulator: Accumulator | None = None
) -> Following:
    """Follow a stream: iterate over its changes.

    After the last change, iterating raises what `Accumulator.finish` would raise. Leaving
    the ``with`` block closes the source; left early, the observers are told the end.

    Args:
        source: As `accumulate` takes it.
        observers: Told of each change before it is yielded.
        accumulator: One that holds the earlier legs of the run.

    Raises:
        UsageError: The source, or an observer, is asynchronous, or none.
        OSError: The file cannot be opened.
    """
    check(observers, accumulator, may_wait=False)
    return Following(open_source(source, is_async=False), observers, accumulator)


def afollow(
    source: AsyncSource, *observers: Observer, accumulator: Accumulator | None = None
) -> AsyncFollowing:
    """Do what `follow` does; the source and the observers may be asynchronous.

    An observer's result is awaited before the next event is looked at.
    """
    check(observers, accumulator, may_wait=True)
    return AsyncFollowing(open_source(source, is_async=True), observers, accumulator)
