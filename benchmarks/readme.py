"""What was measured, as the README shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from .contenders import LIMIT, OURS
from .results import Results
from .wording import number, remarks, setting

__all__ = ["block", "put"]

_BEGIN: Final = "<!-- benchmarks: begin -->\n"
_END: Final = "<!-- benchmarks: end -->\n"


def put(readme: str, results: Results) -> str:
    """Return a README whose block says what these results say.

    Raises:
        ValueError: It has no such block.
    """
    before, begin, rest = readme.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"there is nothing between {_BEGIN.strip()} and {_END.strip()}")
    return f"{before}{begin}\n{block(results)}\n{end}{after}"


def block(results: Results) -> str:
    """Return a table of ratios, the plot, on what it was measured, and how."""
    lines = [
        *_table(results),
        "",
        "![Times the limit, by workload and contender; and the growth](benchmarks/results.svg)",
        "",
        *(f"* {remark}" for remark in (*remarks(results), _importing(results))),
        "",
        "Measured with `nox -s bench -- --write` on",
        ";\n".join(setting(results)) + ".",
    ]
    return "\n".join(lines) + "\n"


def _importing(results: Results) -> str:
    times = results.imports["streamkit"] / results.imports["msgspec"]
    return f"`import streamkit` takes {number(times)} times as long as `import msgspec`."


def _table(results: Results) -> Iterator[str]:
    yield "| times the limit | " + " | ".join(results.taken) + " |"
    yield "|---|" + "---:|" * len(results.taken)
    for contender, name in results.names.items():
        if contender != LIMIT:
            cells = (_cell(results, workload, contender) for workload in results.taken)
            yield f"| {name} | " + " | ".join(cells) + " |"
    for title, figure in _BESIDE.items():
        cells = (_or_blank(figure(results, workload)) for workload in results.taken)
        yield f"| *{title}* | " + " | ".join(cells) + " |"


def _cell(results: Results, workload: str, contender: str) -> str:
    ratio = _or_blank(results.ratio(workload, contender, LIMIT))
    if workload not in results.mistakes.get(contender, {}):
        return ratio
    return f"{ratio} (wrong)" if ratio else "fails"


def _micros(results: Results, workload: str) -> float | None:
    size = results.where(workload, LIMIT)
    return None if size is None else results.micros(workload, LIMIT, size)


def _or_blank(figure: float | None) -> str:
    return "" if figure is None else number(figure)


_BESIDE: Final[Mapping[str, Callable[[Results, str], float | None]]] = {
    "the limit, µs an event": _micros,
    "streamkit's time grows with the power": lambda results, name: results.growth(name, OURS),
    "its memory, of the bound": Results.bounded,
}
