"""The three-line loop: read, fold, tell."""

from __future__ import annotations

import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterator,
    Sequence,
)
from contextlib import suppress
from typing import Any, Final, Self

from ._folding import Folding, check
from ._sources import AsyncSource, Opened, Source, open_source
from .accumulator import Accumulator
from .changes import Change
from .errors import ServerError, TruncatedError, UsageError
from .observers import Observer, is_async
from .snapshots import RunSnapshot

__all__ = [
    "AsyncFollowing",
    "Following",
    "aaccumulate",
    "accumulate",
    "afollow",
    "follow",
]


# How many seconds observers have, together, to take the end of a stream that is left.
_LAST_WORDS: Final = 5.0


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


class Following:
    """A stream that is being followed: an iterator of changes, and a context manager."""

    def __init__(
        self, source: Opened, observers: Sequence[Observer], accumulator: Accumulator | None
    ) -> None:
        # The generators know the folding and not this object, so that dropping this
        # object, as a plain `for` loop does at `break`, closes the source at once.
        self._folding = Folding(source, observers, accumulator)
        self._batches = _read(self._folding)
        self._changes = (change for changes in self._batches for change in changes)

    @property
    def accumulator(self) -> Accumulator:
        """What holds the state."""
        return self._folding.accumulator

    def snapshot(self) -> RunSnapshot:
        """Return the whole picture so far."""
        return self._folding.accumulator.snapshot()

    def batches(self) -> Iterator[Sequence[Change]]:
        """Iterate over what each event changed, instead of over single changes."""
        return self._batches

    def _drain(self) -> None:
        """Read to the end, and tell nobody but the observers."""
        self._folding.is_quiet = True
        for _ in self._batches:
            pass

    def close(self) -> None:
        """Close the source; observers that heard no end of the leg hear it now."""
        self._batches.close()
        _leave(self._folding)

    def __iter__(self) -> Iterator[Change]:
        return self

    def __next__(self) -> Change:
        return next(self._changes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _read(folding: Folding) -> Generator[Sequence[Change], None, None]:
    observers, source = folding.observers, folding.source
    try:
        while (items := source.items) is not None:
            failure: Exception | None = None
            try:
                item = next(items)  # type: ignore[arg-type] # one that is not asynchronous
            except StopIteration:
                pass
            except Exception as error:  # noqa: BLE001 - settling tells which it is
                failure = error
            else:
                for event in folding.read(item):
                    changes = folding.take(event)
                    if observers:
                        _tell(folding, changes)
                    if not folding.is_quiet:
                        yield changes
                    if folding.is_over:
                        break
                if not folding.is_over:
                    continue
            for changes in folding.settle(failure):
                _tell(folding, changes)
                yield changes
    finally:
        _leave(folding)
    if folding.error is not None:
        raise folding.error


def _tell(folding: Folding, changes: Sequence[Change]) -> None:
    for change in changes:
        for observer in folding.observers:
            try:
                _call(observer, change)
            except BaseException:
                folding.interrupt(changes, change, observer)
                raise


def _call(observer: Observer, change: Change) -> None:
    result = observer(change)
    if result is not None and inspect.isawaitable(result):
        if hasattr(result, "close"):
            result.close()
        raise UsageError("an observer is async: use afollow or aaccumulate")


def _leave(folding: Folding) -> None:
    try:
        folding.source.close()
    finally:
        changes, observers = folding.leave()
        for observer in observers:
            with suppress(Exception):  # whatever made us leave is what the caller is to see
                for change in changes:
                    _call(observer, change)


class AsyncFollowing:
    """A stream that is being followed: an async iterator of changes, and a context manager.

    Use it in an ``async with`` block wherever the loop may be left early.
    """

    def __init__(
        self, source: Opened, observers: Sequence[Observer], accumulator: Accumulator | None
    ) -> None:
        self._folding = Folding(source, observers, accumulator)
        self._batches = _aread(self._folding)
        self._next = self._batches.__anext__
        self._pending: Iterator[Change] = iter(())  # of the event at hand

    @property
    def accumulator(self) -> Accumulator:
        """What holds the state."""
        return self._folding.accumulator

    def snapshot(self) -> RunSnapshot:
        """Return the whole picture so far."""
        return self._folding.accumulator.snapshot()

    def batches(self) -> AsyncIterator[Sequence[Change]]:
        """Iterate over what each event changed, instead of over single changes."""
        return self._batches

    async def _drain(self) -> None:
        """Read to the end, and tell nobody but the observers."""
        self._folding.is_quiet = True
        async for _ in self._batches:
            pass

    async def aclose(self) -> None:
        """Close the source; observers that heard no end of the leg hear it now."""
        await self._batches.aclose()
        await _aleave(self._folding)

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        while (change := next(self._pending, None)) is None:
            self._pending = iter(await self._next())
        return change

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


async def _aread(folding: Folding) -> AsyncGenerator[Sequence[Change], None]:
    observers, source = folding.observers, folding.source
    known: object = None
    try:
        while (items := source.items) is not None:
            failure: Exception | None = None
            if items is not known:
                known, step = items, _step(items)
            try:
                item = await step()
            except StopAsyncIteration:
                pass
            except Exception as error:  # noqa: BLE001 - settling tells which it is
                failure = error
            else:
                for event in folding.read(item):
                    changes = folding.take(event)
                    if observers:
                        await _atell(folding, changes)
                    if not folding.is_quiet:
                        yield changes
                    if folding.is_over:
                        break
                if not folding.is_over:
                    continue
            for changes in folding.settle(failure):
                await _atell(folding, changes)
                yield changes
    finally:
        await _aleave(folding)
    if folding.error is not None:
        raise folding.error


def _step(items: Iterator[Any] | AsyncIterator[Any]) -> Callable[[], Awaitable[Any]]:
    """Return what gives the next item: found once, since it is asked once a fragment."""
    if isinstance(items, AsyncIterator):
        return items.__anext__

    async def step() -> Any:
        try:
            return next(items)
        except StopIteration:
            raise StopAsyncIteration from None

    return step


async def _atell(folding: Folding, changes: Sequence[Change]) -> None:
    for change in changes:
        for observer in folding.observers:
            try:
                result = observer(change)
                if result is not None and inspect.isawaitable(result):
                    await result
            except BaseException:
                folding.interrupt(changes, change, observer)
                raise


async def _aleave(folding: Folding) -> None:
    try:
        await folding.source.aclose()
    finally:
        changes, observers = folding.leave()
        if any(map(is_async, observers)):
            import anyio  # noqa: PLC0415 - only asynchronous observers need it

            # Where a cancelled task leaves, they could not wait for anything otherwise.
            with anyio.move_on_after(_LAST_WORDS, shield=True):
                await _atell_all(changes, observers)
        else:
            await _atell_all(changes, observers)


async def _atell_all(changes: Sequence[Change], observers: Sequence[Observer]) -> None:
    interruption: BaseException | None = None
    for observer in observers:
        try:
            for change in changes:
                result = observer(change)
                if inspect.isawaitable(result):
                    await result
        except Exception:  # noqa: BLE001, S110 - what made us leave is what the caller is to see
            pass
        except BaseException as error:  # noqa: BLE001 - once all have heard the end
            interruption = error
    if interruption is not None:
        raise interruption
