"""What was measured, and what follows from it."""

from __future__ import annotations

import math
from statistics import linear_regression
from typing import Final

from msgspec import Struct

from .contenders import OURS

__all__ = ["FULL", "QUICK", "Plan", "Results", "Size", "Taken"]

# What there is however little is held: the accumulator, the run, a step.
_EMPTY: Final = 16 * 1024

# Fewer points than these say nothing about growth.
_ENOUGH: Final = 3


class Plan(Struct, frozen=True):
    """How much is measured.

    Attributes:
        sizes: How many events are asked for, ascending.
        base: The one of them that contenders are compared at.
        passes: How often all of it is done, as a machine may be slow for half a minute.
        rounds: Of a pass at most, at `base`.
        growing: The same at the other sizes.
        budget: After how many seconds a contender has no further round at a size.
        patience: A contender whose round would take more seconds is left out.
        longest: The same above the base.
        traced: One whose round takes more seconds is not asked for its memory, which takes
            several times as long.
        imports: How often each import is timed.
    """

    sizes: tuple[int, ...]
    base: int
    passes: int
    rounds: int
    growing: int
    budget: float
    patience: float
    longest: float
    traced: float
    imports: int


_BELOW: Final = (250, 500, 1_000, 2_000, 4_000)  # enough to foresee who would take too long

FULL: Final = Plan(
    sizes=(*_BELOW, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000),
    base=8_000,
    passes=2,
    rounds=9,
    growing=2,
    budget=0.3,
    patience=1.6,
    longest=0.6,
    traced=1.6,
    imports=20,
)
QUICK: Final = Plan(
    sizes=(*_BELOW, 8_000),
    base=8_000,
    passes=2,
    rounds=6,
    growing=2,
    budget=0.12,
    patience=0.6,
    longest=0.6,
    traced=0.05,
    imports=7,
)


class Size(Struct, frozen=True):
    """A workload as it was folded.

    Attributes:
        events: The deltas in it.
        text: Bytes of text that are held in the end.
        parts: Calls and outputs that are held in the end.
        frame: Bytes of the longest frame.
        chunk: Bytes of the longest chunk.
    """

    events: int
    text: int
    parts: int
    frame: int
    chunk: int

    @property
    def bound(self) -> int:
        """How many bytes streamkit may need: for the text, the parts, and what is at hand.

        A chunk and the rest of a frame are there at once as bytes, frames, events and
        changes, which take four times their size.
        """
        return 3 * self.text + 1024 * self.parts + 4 * (self.frame + self.chunk) + _EMPTY


class Taken(Struct, frozen=True, omit_defaults=True):
    """What a contender needed: seconds at best, and bytes at most where that was asked."""

    seconds: float
    peak: int | None = None


class Results(Struct, frozen=True):
    """What was measured, and on what.

    Attributes:
        machine: Where.
        versions: Of everything that took part, by what runs it.
        plan: How much was to be measured.
        names: Of the contenders, by their keys.
        absent: Why others did not take part, by their keys.
        mistakes: What comes out wrong, by contender and workload.
        workloads: As they were folded, by how many events were asked for.
        taken: By workload, contender and how many events were asked for.
        imports: How many seconds they take, by module.
    """

    machine: str
    versions: dict[str, dict[str, str]]
    plan: Plan
    names: dict[str, str]
    absent: dict[str, str]
    mistakes: dict[str, dict[str, str]]
    workloads: dict[str, dict[int, Size]]
    taken: dict[str, dict[str, dict[int, Taken]]]
    imports: dict[str, float]

    def where(self, workload: str, *contenders: str) -> int | None:
        """Return the size to compare at: the base, or the next below that all took."""
        taken = self.taken.get(workload, {})
        reached = [set(taken.get(contender, ())) for contender in contenders]
        common = set.intersection(*reached)
        return max((size for size in common if size <= self.plan.base), default=None)

    def micros(self, workload: str, contender: str, size: int) -> float:
        """Return what an event costs, in µs."""
        seconds = self.taken[workload][contender][size].seconds
        return seconds / self.workloads[workload][size].events * 1e6

    def ratio(self, workload: str, contender: str, other: str) -> float | None:
        """Return how many times as long as the other a contender takes."""
        size = self.where(workload, contender, other)
        if size is None:
            return None
        taken = self.taken[workload]
        return taken[contender][size].seconds / taken[other][size].seconds

    def growth(self, workload: str, contender: str) -> float | None:
        """Return with which power of the number of events the time grows.

        It is the slope of the line that fits best where both axes are logarithmic, from the
        base on. Of one who was left out before, all that there is counts.
        """
        sizes = sorted(self.taken.get(workload, {}).get(contender, {}))
        long = [size for size in sizes if size >= self.plan.base]
        if len(long) < _ENOUGH and sizes[-1:] != [self.plan.sizes[-1]]:
            long = sizes
        if len(long) < _ENOUGH:
            return None
        events = [math.log(self.workloads[workload][size].events) for size in long]
        seconds = [math.log(self.taken[workload][contender][size].seconds) for size in long]
        return linear_regression(events, seconds).slope

    def held(self, workload: str, contender: str) -> float | None:
        """Return how many bytes a contender needed at the base, in times the text."""
        base = self.plan.base
        taken = self.taken.get(workload, {}).get(contender, {}).get(base)
        if taken is None or taken.peak is None:
            return None
        return taken.peak / self.workloads[workload][base].text

    def bounded(self, workload: str) -> float | None:
        """Return what streamkit needed of the memory that it may need, at worst."""
        taken = self.taken.get(workload, {}).get(OURS, {})
        shares = [
            each.peak / self.workloads[workload][size].bound
            for size, each in taken.items()
            if each.peak is not None
        ]
        return max(shares, default=None)
