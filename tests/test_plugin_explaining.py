"""A failed comparison says where two snapshots first differ, in a few lines."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any, Final

import pytest
from msgspec.structs import replace

from streamkit import Problem, RunSnapshot, accumulate, to_wire
from streamkit.pytest_plugin.explaining import explain
from streamkit.recording import differences
from tests.own import OWN

REPORT: Final = accumulate([*OWN["report"]])
REFUSAL: Final = accumulate([*OWN["refusal"]])
WIRE: Final[dict[str, Any]] = to_wire(REPORT)
STEP: Final = REPORT.steps[0]
MESSAGE: Final = REPORT.messages[0]


def changed(**fields: Any) -> dict[str, Any]:
    return copy.deepcopy(WIRE) | fields


@pytest.mark.parametrize(
    ("left", "right", "lines"),
    [
        pytest.param(
            RunSnapshot(outcome="paused"),
            RunSnapshot(outcome="complete"),
            [
                "RunSnapshot == RunSnapshot",
                "One difference:",
                "$.outcome",
                '  left:  "paused"',
                '  right: "complete"',
            ],
            id="a run",
        ),
        pytest.param(
            RunSnapshot(outcome="paused", run=REPORT.run),
            RunSnapshot(),
            [
                "RunSnapshot == RunSnapshot",
                "The first difference:",
                "$.run",
                '  left:  {"id": "run_l7dO36NotARealIdSOVrYdi2", "object": "thread…',
                "  right: null",
                "and 1 more difference, which -vv shows",
            ],
            id="two differences",
        ),
        pytest.param(
            (STEP, STEP),
            (STEP,),
            [
                "tuple of 2 RunSteps == tuple of 1 RunStep",
                "One difference:",
                "$[1]",
                None,
                "  right: nothing",
            ],
            id="steps",
        ),
        pytest.param(
            [MESSAGE],
            [],
            ["list of 1 Message == list of 0 parts", "One difference:", "$[0]", None, None],
            id="messages",
        ),
        pytest.param(
            REPORT.steps,
            [*REPORT.steps],
            [
                "tuple of 2 RunSteps == list of 2 RunSteps",
                "A tuple is not equal to a list.",
                "Apart from that they are equal.",
            ],
            id="a tuple and a list",
        ),
        pytest.param(
            REPORT.steps,
            [],
            [
                "tuple of 2 RunSteps == list of 0 parts",
                "A tuple is not equal to a list.",
                "The first difference:",
                "$[0]",
                None,
                "  right: nothing",
                "and 1 more difference, which -vv shows",
            ],
            id="a tuple and an empty list",
        ),
        pytest.param(
            REPORT,
            WIRE,
            [
                "RunSnapshot == dict",
                "A snapshot is not equal to its JSON: compare to_wire(left).",
                "Apart from that they are equal.",
            ],
            id="a run and its JSON",
        ),
        pytest.param(
            to_wire(STEP),
            STEP,
            [
                "dict == RunStep",
                "A snapshot is not equal to its JSON: compare to_wire(right).",
                "Apart from that they are equal.",
            ],
            id="the JSON of a step and the step",
        ),
        pytest.param(
            WIRE,
            changed(outcome="paused"),
            ["dict == dict", "One difference:", "$.outcome", None, None],
            id="JSON",
        ),
        pytest.param(
            WIRE["steps"],
            [{**step, "status": "failed"} for step in WIRE["steps"][:1]] + WIRE["steps"][1:],
            ["list of 2 dicts == list of 2 dicts", "One difference:", "$[0].status", None, None],
            id="the JSON of steps",
        ),
        pytest.param(
            (Problem(kind="reopened"),),
            (Problem(kind="reopened", count=2),),
            [
                "tuple of 1 Problem == tuple of 1 Problem",
                "One difference:",
                "$[0].count",
                "  left:  1",
                "  right: 2",
            ],
            id="problems",
        ),
        pytest.param(
            STEP,
            MESSAGE,
            ["RunStep == Message", "A RunStep is not equal to a Message.", *[None] * 5],
            id="a step and a message",
        ),
        pytest.param(
            RunSnapshot(steps=(STEP,)),
            RunSnapshot(steps=(replace(STEP, status="\x1b[31m" + "x" * 100),)),
            [
                "RunSnapshot == RunSnapshot",
                "One difference:",
                "$.steps[0].status",
                '  left:  "completed"',
                f'  right: "\\u001b[31m{"x" * 51}"…',
            ],
            id="a long text",
        ),
    ],
)
def test_it_says_where_they_differ(left: Any, right: Any, lines: list[str | None]) -> None:
    told = explain(left, right)
    assert told is not None
    assert [known and said for known, said in zip(lines, told, strict=True)] == lines


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 2),
        ("a", "b"),
        ([], ()),
        ([], [1]),
        ({}, {"run": 1}),
        ({"object": "list"}, {"object": "thread"}),
        (REPORT, None),
        (REPORT, 1),
        ([STEP], [1]),
        ([STEP, 1], [STEP, 2]),
        ([STEP, MESSAGE], [STEP, {}]),
        (STEP, {"id": STEP.id}),
        (STEP, object()),
    ],
)
def test_of_what_is_no_snapshot_it_says_nothing(left: Any, right: Any) -> None:
    assert explain(left, right) is None
    assert explain(right, left) is None


def test_what_only_python_tells_apart_it_leaves_to_others() -> None:
    assert explain(replace(STEP, extra={}), replace(STEP, extra=None)) is None


SNAPSHOTS: Final = {name: accumulate([*legs], allow_partial=True) for name, legs in OWN.items()}
PAIRS: Final = [*pairwise([*SNAPSHOTS])]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_it_is_short_enough_to_be_shown_whole(one: str, other: str) -> None:
    left, right = SNAPSHOTS[one], SNAPSHOTS[other]
    for pair in ((left, right), (left.steps, right.steps), (left.messages, [*right.messages])):
        told = explain(*pair)
        if pair[0] or pair[1]:
            assert told is not None
            assert len(told) <= 8
            assert sum(map(len, told)) <= 640
            assert all(line.isprintable() for line in told)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_all_that_differs_is_shown_in_order_up_to_a_limit(one: str, other: str) -> None:
    left, right = SNAPSHOTS[one], SNAPSHOTS[other]
    known = [*differences(left, right)]
    for at_most in (1, 2, 7, 49, 50, 1000):
        told = explain(left, right, at_most=at_most) or []
        shown = min(at_most, 50, len(known))
        paths = [line.partition(" (from")[0] for line in told if line.startswith("$")]
        assert paths == [each.path for each in known[:shown]]
        counts = [int(line.split()[1]) for line in told if line.startswith("and ")]
        assert counts == [len(known) - shown] * (shown < len(known))
        assert ("-vv" in told[-1]) == (at_most < 50 and shown < len(known))
