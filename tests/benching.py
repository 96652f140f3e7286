"""Results of a benchmark that nobody ran, small enough to be read."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from benchmarks.contenders import LIMIT, OURS
from benchmarks.guards import Guard, at_least, at_most
from benchmarks.results import Plan, Results, Size, Taken
from benchmarks.workloads import WORKLOADS

PLAN: Final = Plan(
    sizes=(100, 200, 400, 800),
    base=200,
    passes=1,
    rounds=3,
    growing=2,
    budget=1.0,
    patience=1.0,
    longest=1.0,
    traced=1.0,
    imports=2,
)


def sizes(text: int, *, parts: int = 1) -> dict[int, Size]:
    return {
        size: Size(events=size, text=text * size, parts=parts, frame=50, chunk=100)
        for size in PLAN.sizes
    }


def taken(
    micros: float, power: float = 1.0, *, to: int = 800, peak: int = 1000
) -> dict[int, Taken]:
    """Return what it takes where an event costs so much at 200 events."""
    return {
        size: Taken(micros * 200e-6 * (size / 200) ** power, peak if size == PLAN.base else None)
        for size in PLAN.sizes
        if size <= to
    }


RESULTS: Final = Results(
    machine="Linux, x86_64, 2 CPUs",
    versions={
        "Python": {"Python": "3.11.7", "openai": "3.52.0"},
        "node": {"openai": "7.57.0", "node": "20.20.2"},
    },
    plan=PLAN,
    names={
        "limit": "the limit",
        "changes": "streamkit, changes",
        "openai_python": "openai-python",
    },
    absent={"openai_node": "node is not there"},
    mistakes={"openai_python": {"logs": "outputs are lost", "mixed": "is not shown here"}},
    workloads={"tokens": sizes(2), "logs": sizes(20, parts=800)},
    taken={
        "tokens": {
            "limit": taken(0.8),
            "changes": taken(1.2),
            "openai_python": taken(150),
        },
        "logs": {
            "limit": taken(1, 0.96),
            "changes": taken(3, 1.04, peak=900_000),
            "openai_python": taken(2000, 2, to=100),
        },
    },
    imports={"msgspec": 0.020, "streamkit": 0.0405},
)

GUARDED: Final = (
    Guard(
        "met", lambda results: results.ratio("tokens", "changes", "limit"), at_most(2), at_most(3)
    ),
    Guard("not met", lambda _: 125, at_least(150), at_least(40)),
    Guard("not measured", lambda _: None, at_most(1), at_most(2)),
)

# Everything is as it should be: every contender, every workload.
FINE: Final = replace(
    RESULTS,
    names=RESULTS.names | {"openai_node": "openai-node"},
    absent={},
    mistakes={},
    workloads=dict.fromkeys(WORKLOADS, RESULTS.workloads["logs"]),
    taken={
        workload: {
            LIMIT: taken(1),
            OURS: taken(0.5),
            "openai_python": taken(500),
            "openai_node": taken(100),
        }
        for workload in WORKLOADS
    },
    imports={"msgspec": 0.02, "streamkit": 0.021},
)
