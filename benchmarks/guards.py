"""What is wanted of streamkit, and what must never be given up.

Ratios, which carry over to other machines, and never times. A goal is for a quiet machine
and a long look; a guard leaves room for noise, and fails ``--check`` when it is crossed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from .contenders import LIMIT, OURS
from .results import Results
from .wording import number

__all__ = ["GUARDS", "Bound", "Guard", "crossed"]

Figure = Callable[[Results], float | None]


class Bound(NamedTuple):
    """Where a figure is to lie."""

    least: float
    most: float

    def holds(self, figure: float) -> bool:
        """Whether it lies there."""
        return self.least <= figure <= self.most

    def __str__(self) -> str:
        if self.most == _ENDLESS:
            return f"at least {self.least:g}"
        return f"{self.least:g} to {self.most:g}" if self.least else f"at most {self.most:g}"


_ENDLESS: Final = float("inf")


def at_most(most: float) -> Bound:
    """Return a bound from above."""
    return Bound(0, most)


def at_least(least: float) -> Bound:
    """Return a bound from below."""
    return Bound(least, _ENDLESS)


class Guard(NamedTuple):
    """A figure and its bounds.

    Attributes:
        name: Of the figure, as it is shown.
        figure: Takes it from results; None where it was not measured.
        goal: Where it is wanted, if that was said.
        guard: Where it must be.
    """

    name: str
    figure: Figure
    goal: Bound | None
    guard: Bound


def _times(workload: str, contender: str, other: str) -> Figure:
    return lambda results: results.ratio(workload, contender, other)


def _growth(workload: str) -> Figure:
    return lambda results: results.growth(workload, OURS)


def _memory(workload: str) -> Figure:
    return lambda results: results.bounded(workload)


def _importing(results: Results) -> float | None:
    return results.imports["streamkit"] / results.imports["msgspec"]


GUARDS: Final[Sequence[Guard]] = (
    *(
        Guard(f"{workload}, times the limit", _times(workload, OURS, LIMIT), goal, guard)
        for workload, goal, guard in (
            ("tokens", at_most(1), at_most(1.2)),
            ("frames", at_most(2), at_most(3)),
            ("logs", at_most(2), at_most(2.5)),
            ("parallel", at_most(2), at_most(2.5)),
            ("big", None, at_most(3)),
            ("mixed", None, at_most(7)),
            ("responses", None, at_most(4)),
        )
    ),
    Guard(
        "tokens, openai-python's time in streamkit's",
        _times("tokens", "openai_python", OURS),
        at_least(150),
        at_least(100),
    ),
    Guard(
        "tokens, openai-node's time in streamkit's",
        _times("tokens", "openai_node", OURS),
        at_least(20),
        at_least(10),
    ),
    *(
        Guard(f"{workload}, growth", _growth(workload), at_most(1.05), at_most(1.25))
        for workload in ("tokens", "logs", "parallel", "mixed")
    ),
    *(
        Guard(f"{workload}, memory in its bound", _memory(workload), at_most(1), at_most(1))
        for workload in ("tokens", "logs", "parallel", "big", "responses")
    ),
    Guard("import, times msgspec's", _importing, at_most(1.5), at_most(2.2)),
)


def crossed(results: Results, guards: Iterable[Guard] = GUARDS) -> dict[str, str]:
    """Return what crosses which guards; what was not measured crosses none."""
    figures = ((each, each.figure(results)) for each in guards)
    return {
        each.name: f"{number(figure)}, but must be {each.guard}"
        for each, figure in figures
        if figure is not None and not each.guard.holds(figure)
    }
