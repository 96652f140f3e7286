"""Following a stream: the loop that reads, folds and tells."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Self

from ._folding import Folding, Followed, check
from ._sources import Opened, Source, open_source
from .accumulator import Accumulator
from .changes import Change
from .errors import ServerError, TruncatedError, UsageError
from .observers import Observer
from .snapshots import RunSnapshot

__all__ = ["Following", "accumulate", "follow"]


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
