"""What following a stream comes to, but for the waiting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, TypeAlias

from ._inputs import PART, parts
from ._series import is_long, one_by_one
from ._sources import Opened
from .accumulator import Accumulator
from .changes import Change, StreamEnded
from .dialects import Read
from .errors import PeerError, TruncatedError, UsageError
from .observers import Observer, is_async
from .snapshots import RunSnapshot

__all__ = ["Folding", "Followed", "check"]

# What whoever iterates is given: single changes, those of an event together, or nothing.
Yields: TypeAlias = Literal["changes", "batches", "nothing"]

_RUN_ENDS: Final = frozenset({"complete"})
_LIVE_ENDS: Final = frozenset({"complete", "paused", "error", "truncated"})


def check(observers: Sequence[object], accumulator: Accumulator | None, *, may_wait: bool) -> None:
    """Refuse what cannot be followed, before the source is opened."""
    for observer in observers:
        if not callable(observer):
            raise UsageError(f"an observer is a function that takes a change, not {observer!r}")
        if not may_wait and is_async(observer):
            raise UsageError(
                "an observer is async: use afollow or aaccumulate, or aopen_run for a live run"
            )
    if accumulator is not None and not accumulator._may_begin:
        raise UsageError("the accumulator's run is complete; another run needs its own")


class Folding:
    """What following a stream comes to, but for the waiting: items in, changes out."""

    def __init__(
        self, source: Opened, observers: Sequence[Observer], accumulator: Accumulator | None
    ) -> None:
        self.accumulator = Accumulator() if accumulator is None else accumulator
        self.source = source
        self.observers = observers
        self.error: PeerError | None = None  # to be raised after the last change
        self.is_over = False  # there is nothing more to read in this leg
        self.yields: Yields = "changes"
        # A complete run has no more to say, whether or not the connection stays open. What
        # is all there is read to its end, so that a second run in it is not passed over.
        self._ends = (
            _LIVE_ENDS
            if source.is_live
            else _RUN_ENDS
            if not source.is_whole
            else frozenset[str]()
        )
        self._ended = False
        self._heard = False  # whether this leg said anything
        self._owed: tuple[Sequence[Change], Sequence[Observer]] | None = None

    def taken(self, item: object) -> Iterable[Sequence[Change]]:
        """Return what each event changes that an item of the source holds, as it is taken."""
        events = self._read(item)
        if type(events) is list and len(events) == 1 and not is_long(events[0]):
            # As a live server sends them: nothing is to be looked at in between.
            changes = self._take(events[0])
            return (changes,) if not self.is_over else self._last(changes)
        if self.observers or self.yields != "nothing":  # someone looks at what is between two
            events = one_by_one(events)
        return self._taken(events)

    def _last(self, changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
        yield changes
        yield from self.settle()

    def _taken(self, events: Iterable[Read]) -> Iterator[Sequence[Change]]:
        for event in events:
            changes = self._take(event)
            if self.is_over:
                yield from self._last(changes)
                break
            yield changes

    def _read(self, item: object) -> Iterable[Read]:
        self._ended = False
        accumulator = self.accumulator
        if type(item) is bytes and len(item) <= PART:
            return accumulator._reader.read(item)
        if isinstance(item, bytes | bytearray | memoryview):
            return (event for part in parts(item) for event in accumulator._reader.read(part))
        if isinstance(item, str):
            raise UsageError("bytes are needed, not text: read the source in binary")
        return accumulator.read(item)

    def _take(self, event: Read) -> Sequence[Change]:
        """Take an event and return what it changed; note whether that was the end."""
        accumulator = self.accumulator
        self._heard = True
        try:
            changes = accumulator.feed(event)
        except PeerError as error:
            changes = error.changes
            self.is_over = True
        if accumulator._picture.outcome in self._ends:
            self.is_over = True
        return changes

    def settle(self, failure: Exception | None = None) -> Sequence[Sequence[Change]]:
        """Take note that the items are at their end, and put others in their place.

        Returns what this changed, to be told in turn. The source's items are those of
        where the leg goes on, or of the next leg; None where all is said.

        Raises:
            Exception: The failure, if it is not the source's own.
        """
        source = self.source
        if failure is not None and not source.is_failure(failure):
            raise failure
        batches: list[Sequence[Change]] = []
        if not self.is_over and source.can_resume:
            batches.append(self._cut())
            if not self.is_over:
                source.items = source.resume(failure)
                return batches
        batches.append(self._end(failure))
        source.items = source.next_leg() if self.error is None else None
        self.is_over = self._heard = False
        return batches

    def _cut(self) -> Sequence[Change]:
        """Take what is whole of a leg that was cut; note whether it goes on elsewhere."""
        accumulator = self.accumulator
        picture = accumulator._picture
        if not self._heard and picture.outcome != "open":
            accumulator.begin()
        try:
            changes = accumulator.cut()
        except PeerError as error:
            changes = error.changes
            self.is_over = True
        if picture.outcome in self._ends or picture.rest != "truncated":
            self.is_over = True
        self._heard = True
        return changes

    def _end(self, failure: Exception | None) -> Sequence[Change]:
        """Settle the leg, and what to raise: a failure to read matters if it was open."""
        self._ended = True
        changes: list[Change] = []
        if not self._heard:
            self.accumulator.begin()  # so that a leg without a word is no silent end
        try:
            changes += self.accumulator.end()
        except PeerError as error:
            changes += [*error.changes, *self.accumulator.end()]
        self.error = self.accumulator.error()
        if failure is not None and isinstance(self.error, TruncatedError):
            reason = ": ".join(filter(None, (type(failure).__name__, str(failure))))
            self.error.args = (f"{self.error}; {reason}",)
            self.error.__cause__ = failure
        return changes

    def interrupt(self, changes: Sequence[Change], at: Change, by: Observer) -> None:
        """Take note of who has not heard the end, if that was among the changes."""
        last = changes[-1]
        if isinstance(last, StreamEnded):
            heard = self.observers.index(by) + 1 if at is last else 0
            self._owed = (last,), self.observers[heard:]

    def leave(self) -> tuple[Sequence[Change], Sequence[Observer]]:
        """Settle the leg where following stops early; return what to tell, and to whom."""
        owed, self._owed = self._owed, None
        if owed is not None or self._ended:
            return owed or ((), ())
        self._ended = True
        return self.accumulator.end(cut=True), self.observers


class Followed:
    """What can be asked of a stream that is being followed, awaited or not."""

    _folding: Folding

    @property
    def accumulator(self) -> Accumulator:
        """What holds the state."""
        return self._folding.accumulator

    def snapshot(self) -> RunSnapshot:
        """Return the whole picture so far."""
        return self._folding.accumulator.snapshot()
