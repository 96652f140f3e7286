"""A stream, folded in every way that it may arrive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from streamkit import Accumulator, Change, Frame, RunSnapshot
from tests.cutting import cuts
from tests.fold_promise import Promise
from tests.streams import body

__all__ = ["Folded", "fold", "fold_every_way"]


class Folded(Struct, frozen=True):
    """What a stream came to: what each event changed, the end last; and the snapshot."""

    told: list[list[Change]]
    snapshot: RunSnapshot

    @property
    def changes(self) -> list[Change]:
        """All changes."""
        return [change for changes in self.told for change in changes]


def fold(chunks: Iterable[bytes], accumulator: Accumulator | None = None) -> Folded:
    """Fold the chunks of a body, to the end of the leg."""
    accumulator = accumulator or Accumulator()
    told = [list(accumulator.feed_bytes(chunk)) for chunk in chunks]
    told.append(list(accumulator.end()))
    return Folded(told, accumulator.snapshot())


def fold_every_way(frames: Sequence[Frame]) -> Folded:
    """Fold frames one by one, and their bytes cut in many ways: all must come to the same.

    Between frames the state is looked at, between the cuts it is not.
    """
    promise = Promise()
    told = [*map(promise.feed, frames), promise.end()]
    folded = Folded(told, promise.accumulator.snapshot())
    for chunks in cuts(body(frames)):
        other = fold(chunks)
        assert (other.changes, other.snapshot) == (folded.changes, folded.snapshot)
    return folded
