"""What was measured, as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .contenders import CONTENDERS, LIMIT
from .results import Results

__all__ = ["plot"]

# The workload whose growth is shown: here an event adds to what there is to be kept.
_GROWING: Final = "logs"

# Colours that everybody can tell apart, by Okabe and Ito, and a shape for each.
_LOOKS: Final[Mapping[str, tuple[str, str]]] = dict(
    zip(
        CONTENDERS,
        (
            ("#000000", "|"),
            ("#d55e00", "o"),
            ("#e69f00", "s"),
            ("#cc79a7", "D"),
            ("#009e73", "^"),
            ("#0072b2", "v"),
            ("#56b4e9", "<"),
            ("#7f7f7f", ">"),
        ),
        strict=True,
    )
)

# The same results give the same bytes, and text is text, to be searched and read aloud.
_STYLE: Final[dict[Any, Any]] = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "streamkit",
}


def plot(results: Results) -> bytes:
    """Return an SVG: the ratios to the limit, and how the cost of an event grows."""
    with mpl.rc_context(_STYLE):
        # White, so that it can be read on a dark page, too.
        figure = Figure(figsize=(10, 4.6), facecolor="white", layout="constrained")
        ratios, growth = figure.subplots(1, 2, width_ratios=(3, 2))
        _ratios(ratios, results)
        _growth(growth, results)
        figure.legend(
            *ratios.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False
        )
        written = io.BytesIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


def _ratios(axes: Axes, results: Results) -> None:
    workloads = list(results.taken)
    axes.set_title("time, in times the limit", loc="left")
    axes.set_xscale("log")
    axes.set_yticks(range(len(workloads)), workloads)
    axes.invert_yaxis()
    axes.grid(axis="both", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.axvline(1, color="black", linewidth=1, label="the limit")
    for key, name in results.names.items():
        if key == LIMIT:
            continue
        found = {
            place: results.ratio(workload, key, LIMIT) for place, workload in enumerate(workloads)
        }
        there = {place: ratio for place, ratio in found.items() if ratio is not None}
        colour, shape = _LOOKS[key]
        axes.plot(list(there.values()), list(there), shape, color=colour, label=name)
    axes.xaxis.set_major_formatter("{x:,g}")


def _growth(axes: Axes, results: Results) -> None:
    axes.set_title(f"{_GROWING}: µs an event, by the number of events", loc="left")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.grid(axis="both", color="#dddddd", linewidth=0.6)
    for key, taken in results.taken.get(_GROWING, {}).items():
        colour, shape = _LOOKS[key]
        costs = [results.micros(_GROWING, key, size) for size in taken]
        marker = None if key == LIMIT else shape
        axes.plot(list(taken), costs, color=colour, marker=marker, markersize=4, linewidth=1)
    axes.set_xticks(results.plan.sizes[::2])
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,g}")
