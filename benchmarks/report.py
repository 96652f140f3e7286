"""What was measured, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from .contenders import LIMIT, OURS
from .guards import GUARDS, Guard
from .results import Results
from .wording import number, remarks, setting

__all__ = ["report"]

_COLUMNS: Final = ("µs an event", "x limit", "x streamkit", "growth", "memory x text")


def report(results: Results, guards: Sequence[Guard] = GUARDS) -> str:
    """Return a table for each workload, the imports, and whether the goals are met."""
    parts = [
        setting(results),
        *(list(_workload(results, workload)) for workload in results.taken),
        list(remarks(results)),
        list(_imports(results)),
        list(_goals(results, guards)),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _workload(results: Results, workload: str) -> Iterator[str]:
    base = results.workloads[workload][results.plan.base]
    yield f"{workload}: {base.events:,} events, {number(base.text / 1024)} KiB of text"
    width = max(map(len, results.names.values()))
    yield f"{'':{width}}" + "".join(f"{column:>14}" for column in _COLUMNS)
    for contender in results.taken[workload]:
        size = results.where(workload, contender)
        if size is not None:
            cells = (f"{cell:>14}" for cell in _cells(results, workload, contender, size))
            yield f"{results.names[contender]:{width}}{''.join(cells)}".rstrip()


def _cells(results: Results, workload: str, contender: str, size: int) -> Iterator[str]:
    yield number(results.micros(workload, contender, size))
    for figure, form in (
        (results.ratio(workload, contender, LIMIT), number),
        (results.ratio(workload, contender, OURS), number),
        (results.growth(workload, contender), "{:.2f}".format),
        (results.held(workload, contender), number),
    ):
        yield "" if figure is None else form(figure)


def _imports(results: Results) -> Iterator[str]:
    yield f"{'import':16}{'ms':>8}"
    for module, seconds in results.imports.items():
        yield f"{module:16}{number(seconds * 1e3):>8}"


def _goals(results: Results, guards: Sequence[Guard]) -> Iterator[str]:
    yield f"{'goals':44}{'measured':>10}{'goal':>16}{'':>9}{'guard':>16}"
    for each in guards:
        figure = each.figure(results)
        if figure is not None:
            goal = each.goal or ""
            met = each.goal and ("met" if each.goal.holds(figure) else "not met")
            yield f"{each.name:44}{number(figure):>10}{goal!s:>16}{met or '':>9}{each.guard!s:>16}"
