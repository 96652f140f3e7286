"""What is said of measurements: figures, tables, the README, the plot."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Final

import msgspec
import pytest
from msgspec.structs import replace

from benchmarks.contenders import OURS
from benchmarks.guards import GUARDS, Bound, Guard, at_least, at_most, crossed
from benchmarks.readme import block, put
from benchmarks.report import report
from benchmarks.results import FULL, Results
from benchmarks.wording import number
from benchmarks.workloads import WORKLOADS

from .benching import FINE, GUARDED, PLAN, RESULTS, taken

ROOT: Final = Path(__file__).parents[1]
COMMITTED: Final = msgspec.json.decode(
    (ROOT / "benchmarks" / "results.json").read_bytes(), type=Results
)


# What follows from measurements


@pytest.mark.parametrize(
    ("workload", "contender", "other", "ratio"),
    [
        pytest.param("tokens", "changes", "limit", 1.5, id="at the base"),
        pytest.param("tokens", "limit", "changes", 1 / 1.5, id="the other way round"),
        pytest.param("logs", "openai_python", "limit", 2000 / 4 / 0.5**0.96, id="where both were"),
        pytest.param("logs", "nobody", "limit", None, id="one who is not there"),
        pytest.param("mixed", "changes", "limit", None, id="a workload that is not there"),
    ],
)
def test_ratios(workload: str, contender: str, other: str, ratio: float | None) -> None:
    assert RESULTS.ratio(workload, contender, other) == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("powers", "growth"),
    [
        pytest.param([1, 1, 1, 1], 1, id="as the events"),
        pytest.param([2, 2, 2, 2], 2, id="as their square"),
        pytest.param([9, 1, 1, 1], 1, id="what is below the base does not count"),
        pytest.param([1.5, 1.5, 1.5], 1.5, id="but of one who stopped early"),
        pytest.param([1, 1], None, id="of whom too little is known"),
        pytest.param([], None, id="or nothing"),
    ],
)
def test_growth(powers: list[float], growth: float | None) -> None:
    grown = {size: taken(1, power)[size] for size, power in zip(PLAN.sizes, powers, strict=False)}
    results = replace(RESULTS, taken={"tokens": {"changes": grown}})
    assert results.growth("tokens", "changes") == pytest.approx(growth)


def test_a_plan_that_ends_at_the_base_says_nothing_of_growth() -> None:
    assert replace(RESULTS, plan=replace(PLAN, base=800)).growth("tokens", "changes") is None


def test_memory() -> None:
    assert RESULTS.held("tokens", "changes") == 1000 / 400
    assert RESULTS.held("logs", "openai_python") is None
    bound = 3 * 20 * 200 + 1024 * 800 + 4 * (50 + 100) + 16 * 1024
    assert RESULTS.workloads["logs"][200].bound == bound
    assert RESULTS.bounded("logs") == 900_000 / bound
    assert RESULTS.bounded("mixed") is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0.00"),
        (0.994, "0.99"),
        (9.99, "9.99"),
        (9.996, "10.0"),
        (99.94, "99.9"),
        (99.96, "100"),
        (4933.4, "4,933"),
    ],
)
def test_numbers(value: float, said: str) -> None:
    assert number(value) == said


# Tables

REPORT: Final = """\
Linux, x86_64, 2 CPUs
Python 3.11.7, openai 3.52.0
openai 7.57.0, node 20.20.2

tokens: 200 events, 0.39 KiB of text
                     µs an event       x limit   x streamkit        growth memory x text
the limit                   0.80          1.00          0.67          1.00          2.50
streamkit, changes          1.20          1.50          1.00          1.00          2.50
openai-python                150           188           125          1.00          2.50

logs: 200 events, 3.91 KiB of text
                     µs an event       x limit   x streamkit        growth memory x text
the limit                   1.00          1.00          0.33          0.96          0.25
streamkit, changes          3.00          3.00          1.00          1.04           225
openai-python              1,000           973           343

openai_node took no part: node is not there.
openai-python stopped for time: logs at 100 events.
openai-python gets logs wrong: outputs are lost.

import                ms
msgspec             20.0
streamkit           40.5

goals                                         measured            goal                    guard
met                                               1.50       at most 2      met       at most 3
not met                                            125    at least 150  not met     at least 40
"""

BLOCK: Final = """\
| times the limit | tokens | logs |
|---|---:|---:|
| streamkit, changes | 1.50 | 3.00 |
| openai-python | 188 | 973 (wrong) |
| *the limit, µs an event* | 0.80 | 1.00 |
| *streamkit's time grows with the power* | 1.00 | 1.04 |
| *its memory, of the bound* | 0.05 | 1.06 |

![Times the limit, by workload and contender; and the growth](benchmarks/results.svg)

* openai_node took no part: node is not there.
* openai-python stopped for time: logs at 100 events.
* openai-python gets logs wrong: outputs are lost.
* `import streamkit` takes 2.02 times as long as `import msgspec`.

Measured with `nox -s bench -- --write` on
Linux, x86_64, 2 CPUs;
Python 3.11.7, openai 3.52.0;
openai 7.57.0, node 20.20.2.
"""


def test_the_report() -> None:
    assert report(RESULTS, GUARDED) + "\n" == REPORT


def test_the_block_of_the_readme() -> None:
    assert block(RESULTS) == BLOCK


def test_the_block_is_put_between_its_markers() -> None:
    begin, end = "<!-- benchmarks: begin -->\n", "<!-- benchmarks: end -->\n"
    assert put(f"before\n{begin}old\n{end}after\n", RESULTS) == (
        f"before\n{begin}\n{BLOCK}\n{end}after\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!-- benchmarks: begin -->\n",
        "<!-- benchmarks: end -->\n",
        "<!-- benchmarks: end -->\n<!-- benchmarks: begin -->\n",
    ],
)
def test_a_readme_without_markers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="benchmarks: begin"):
        put(text, RESULTS)


def test_the_readme_shows_what_was_measured() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert put(text, COMMITTED) == text
    assert "](benchmarks/results.svg)" in text
    assert (ROOT / "benchmarks" / "results.svg").read_bytes().startswith(b"<?xml")


def test_everything_was_measured() -> None:
    assert COMMITTED.plan == FULL
    assert list(COMMITTED.taken) == list(WORKLOADS)
    assert COMMITTED.absent == {}
    assert all(guard.figure(COMMITTED) is not None for guard in GUARDS)


# Guards


@pytest.mark.parametrize(
    ("bound", "inside", "outside", "said"),
    [
        (at_most(2), [0, 1, 2], [2.01], "at most 2"),
        (at_least(150), [150, 1e9], [149.9], "at least 150"),
        (Bound(0.95, 1.05), [0.95, 1, 1.05], [0.94, 1.06], "0.95 to 1.05"),
    ],
)
def test_bounds(bound: Bound, inside: list[float], outside: list[float], said: str) -> None:
    assert str(bound) == said
    assert all(map(bound.holds, inside))
    assert not any(map(bound.holds, outside))


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (None, {}),
        (2, {}),
        (2.5, {"it": "2.50, but must be at most 2"}),
    ],
)
def test_a_guard_that_is_crossed_is_named(figure: float | None, said: dict[str, str]) -> None:
    guard = Guard("it", lambda _: figure, goal=at_most(1), guard=at_most(2))
    assert crossed(RESULTS, [guard]) == said


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_leaves_room_beside_its_goal(guard: Guard) -> None:
    goal = guard.goal or guard.guard
    assert guard.guard.least <= goal.least
    assert goal.most <= guard.guard.most


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        (at_most(3), ["at most 3", "met", "at most 9"]),
        (at_most(1), ["at most 1", "not met", "at most 9"]),
        (None, ["at most 9"]),
    ],
)
def test_a_goal_is_met_or_not_or_was_not_said(goal: Bound | None, said: list[str]) -> None:
    guard = Guard("it", lambda _: 2.0, goal=goal, guard=at_most(9))
    line = report(RESULTS, [guard]).splitlines()[-1]
    assert re.split(r"  +", line) == ["it", "2.00", *said]


def test_names_of_guards_are_their_own() -> None:
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_each_guard_is_crossed_when_streamkit_gets_worse(guard: Guard) -> None:
    slow = {
        workload: each | {OURS: taken(9e6, 9, peak=10**12)}
        for workload, each in FINE.taken.items()
    }
    worse = replace(FINE, taken=slow, imports={"msgspec": 0.001, "streamkit": 9.0})
    assert crossed(FINE, [guard]) == {}
    assert list(crossed(worse, [guard])) == [guard.name]


# The plot


def test_the_plot_is_text_and_always_the_same() -> None:
    pytest.importorskip("matplotlib", reason="it draws the plot, and is in the group bench")
    plot = import_module("benchmarks.plot").plot
    drawn: bytes = plot(RESULTS)
    assert drawn == plot(RESULTS)
    said = drawn.decode()
    assert all(f">{name}<" in said for name in (*RESULTS.names.values(), *RESULTS.taken))
    assert "date" not in said
