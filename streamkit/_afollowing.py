"""Following a stream where something is awaited."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence
from typing import Any, Final, Self

from ._folding import Folding, Followed, check
from ._sources import AsyncSource, Opened, open_source, step_of
from .accumulator import Accumulator
from .changes import Change
from .errors import ServerError, TruncatedError
from .observers import Observer, is_async
from .snapshots import RunSnapshot

__all__ = ["AsyncFollowing", "aaccumulate", "afollow"]

# How many seconds observers have, together, to take the end of a stream that is left.
_LAST_WORDS: Final = 5.0


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


def afollow(
    source: AsyncSource, *observers: Observer, accumulator: Accumulator | None = None
) -> AsyncFollowing:
    """Do what `follow` does; the source and the observers may be asynchronous.

    An observer's result is awaited before the next event is looked at.
    """
    check(observers, accumulator, may_wait=True)
    return AsyncFollowing(open_source(source, is_async=True), observers, accumulator)


class AsyncFollowing(Followed):
    """A stream that is being followed: an async iterator of changes, and a context manager.

    Use it in an ``async with`` block wherever the loop may be left early.
    """

    def __init__(
        self, source: Opened, observers: Sequence[Observer], accumulator: Accumulator | None
    ) -> None:
        self._folding = Folding(source, observers, accumulator)
        self._told: AsyncGenerator[Any, None] = _aread(self._folding)
        self._next = self._told.__anext__

    def batches(self) -> AsyncIterator[Sequence[Change]]:
        """Iterate over what each event changed, instead of over single changes."""
        self._folding.yields = "batches"
        return self._told

    async def _drain(self) -> None:
        """Read to the end, and tell nobody but the observers."""
        self._folding.yields = "nothing"
        async for _ in self._told:
            pass

    async def aclose(self) -> None:
        """Close the source; observers that heard no end of the leg hear it now."""
        await self._told.aclose()
        await _aleave(self._folding)

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    def __anext__(self) -> Awaitable[Change]:
        return self._next()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


async def _aread(folding: Folding) -> AsyncGenerator[Any, None]:
    observers, source = folding.observers, folding.source
    known: object = None
    try:
        while (items := source.items) is not None:
            if items is not known:
                known, step = items, step_of(items)
            try:
                batches = folding.taken(await step())
            except StopAsyncIteration:
                batches = iter(folding.settle())
            except Exception as error:  # noqa: BLE001 - settling tells whose it is
                batches = iter(folding.settle(error))
            for changes in batches:
                for change in changes if observers else ():
                    for observer in observers:
                        try:
                            result = observer(change)
                            if result is not None and inspect.isawaitable(result):
                                await result
                        except BaseException:
                            folding.interrupt(changes, change, observer)
                            raise
                if folding.yields == "nothing":
                    continue
                if folding.yields == "batches":
                    yield changes
                else:
                    for change in changes:
                        yield change
    finally:
        await _aleave(folding)
    if folding.error is not None:
        raise folding.error


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
        except BaseException as error:  # noqa: BLE001 - raised once all have heard the end
            interruption = error
    if interruption is not None:
        raise interruption
