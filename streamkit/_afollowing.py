"""The loop that follows a stream, where something is awaited."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any, Final, Self

from ._folding import Folding
from ._sources import Opened
from .accumulator import Accumulator
from .changes import Change
from .observers import Observer, is_async
from .snapshots import RunSnapshot

__all__ = ["AsyncFollowing"]

# How many seconds observers have, together, to take the end of a stream that is left.
_LAST_WORDS: Final = 5.0


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
        except BaseException as error:  # noqa: BLE001 - raised once all have heard the end
            interruption = error
    if interruption is not None:
        raise interruption
