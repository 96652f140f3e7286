"""The loop that follows a stream: read, fold, tell."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Self

from ._folding import Folding, Followed
from ._sources import Opened
from .accumulator import Accumulator
from .changes import Change
from .errors import UsageError
from .observers import Observer

__all__ = ["Following"]


class Following(Followed):
    """A stream that is being followed: an iterator of changes, and a context manager."""

    def __init__(
        self, source: Opened, observers: Sequence[Observer], accumulator: Accumulator | None
    ) -> None:
        # The generators know the folding and not this object, so that dropping this
        # object, as a plain `for` loop does at `break`, closes the source at once.
        self._folding = Folding(source, observers, accumulator)
        self._told: Generator[Any, None, None] = _read(self._folding)

    def batches(self) -> Iterator[Sequence[Change]]:
        """Iterate over what each event changed, instead of over single changes."""
        self._folding.yields = "batches"
        return self._told

    def _drain(self) -> None:
        """Read to the end, and tell nobody but the observers."""
        self._folding.yields = "nothing"
        for _ in self._told:
            pass

    def close(self) -> None:
        """Close the source; observers that heard no end of the leg hear it now."""
        self._told.close()
        _leave(self._folding)

    def __iter__(self) -> Iterator[Change]:
        return self

    def __next__(self) -> Change:
        change: Change = next(self._told)
        return change

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _read(folding: Folding) -> Generator[Any, None, None]:
    observers, source = folding.observers, folding.source
    try:
        while (items := source.items) is not None:
            try:
                item = next(items)  # type: ignore[arg-type] # one that is not asynchronous
                batches = folding.taken(item)
            except StopIteration:
                batches = iter(folding.settle())
            except Exception as error:  # noqa: BLE001 - settling tells whose it is
                batches = iter(folding.settle(error))
            for changes in batches:
                for change in changes if observers else ():
                    for observer in observers:
                        try:
                            _call(observer, change)
                        except BaseException:
                            folding.interrupt(changes, change, observer)
                            raise
                if folding.yields == "nothing":
                    continue
                if folding.yields == "batches":
                    yield changes
                else:
                    yield from changes
    finally:
        _leave(folding)
    if folding.error is not None:
        raise folding.error


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
        _tell_all(*folding.leave())


def _tell_all(changes: Sequence[Change], observers: Sequence[Observer]) -> None:
    interruption: BaseException | None = None
    for observer in observers:
        try:
            for change in changes:
                _call(observer, change)
        except Exception:  # noqa: BLE001, S110 - what made us leave is what the caller is to see
            pass
        except BaseException as error:  # noqa: BLE001 - raised once all have heard the end
            interruption = error
    if interruption is not None:
        raise interruption
