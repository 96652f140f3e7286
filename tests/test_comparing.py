"""Comparing runs: equal ones have no difference, others are told apart at the right place."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import streamkit
from streamkit import Problem, RunStep, to_wire
from streamkit.recording.comparing import ABSENT, Difference, compare, differences
from tests.recorded import OWN

Path = tuple[str | int, ...]


def run(**changed: Any) -> dict[str, Any]:
    whole = {"run": {"id": "run_1", "status": "completed"}, "steps": [], "messages": []}
    return whole | {"outcome": "complete", "problems": []} | changed


@pytest.mark.parametrize(
    ("left", "right", "path", "values"),
    [
        (run(outcome="complete"), run(outcome="paused"), "$.outcome", ("complete", "paused")),
        (run(run=None), run(run={"id": 1}), "$.run", (None, {"id": 1})),
        (run(run={"id": 1}), run(run={}), "$.run.id", (1, ABSENT)),
        (run(run={}), run(run={"id": None}), "$.run.id", (ABSENT, None)),
        (run(steps=[1]), run(steps=[1, 2]), "$.steps[1]", (ABSENT, 2)),
        (run(steps=[1, 2]), run(steps=[1]), "$.steps[1]", (2, ABSENT)),
        (run(steps=[]), run(steps={}), "$.steps", ([], {})),
        (run(run={"a b": 1}), run(run={"a b": 2}), '$.run["a b"]', (1, 2)),
        (run(run={"n": 1}), run(run={"n": True}), "$.run.n", (1, True)),
        (run(run={"n": 0}), run(run={"n": False}), "$.run.n", (0, False)),
        (run(run={"n": 1}), run(run={"n": "1"}), "$.run.n", (1, "1")),
        ({}, {"run": 1}, "$.run", (ABSENT, 1)),
    ],
)
def test_a_difference_is_found_at_its_place(
    left: Any, right: Any, path: str, values: tuple[Any, Any]
) -> None:
    assert compare(left, right) == Difference(path, *values)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (run(run={"n": 1}), run(run={"n": 1.0})),
        (run(run={"n": math.nan}), run(run={"n": math.nan})),
        (run(run={"a": 1, "b": 2}), run(run={"b": 2, "a": 1})),
        (run(), dict(reversed(run().items()))),
    ],
)
def test_what_means_the_same_is_equal(left: Any, right: Any) -> None:
    assert compare(left, right) is None


def test_the_run_comes_first_then_each_step_then_each_message() -> None:
    left = {"problems": 1, "messages": [1, 2], "outcome": 1, "steps": [1, 2], "run": 1}
    right = {"problems": 2, "messages": [3, 4], "outcome": 2, "steps": [3, 4], "run": 2}
    assert [each.path for each in differences(left, right)] == [
        "$.run",
        "$.steps[0]",
        "$.steps[1]",
        "$.messages[0]",
        "$.messages[1]",
        "$.problems",
        "$.outcome",
    ]


@pytest.mark.parametrize(
    ("difference", "line"),
    [
        (Difference("$.outcome", "complete", "paused"), '$.outcome: "complete" != "paused"'),
        (Difference("$.run", None, ABSENT), "$.run: null != nothing"),
        (Difference("$.n", 1, 2.5), "$.n: 1 != 2.5"),
        (Difference("$.n", {"a": [True]}, []), '$.n: {"a": [true]} != []'),
        (Difference("$.a", "1\n2", "1\r2"), r'$.a: "1\n2" != "1\r2"'),
        (Difference("$.a", "\x9b\u2028", "\ud83d"), r'$.a: "\x9b\u2028" != "\ud83d"'),
        (
            Difference("$.a", "x" * 1016 + "y" + "z" * 100, "x" * 1016),
            f'$.a: …"{"x" * 16}y{"z" * 39}"… != …"{"x" * 16}" (from character 1,000)',
        ),
        (
            Difference("$.a", "y" + "z" * 100, "x"),
            f'$.a: "y{"z" * 55}"… != "x"',
        ),
    ],
)
def test_a_difference_reads_as_one_line(difference: Difference, line: str) -> None:
    assert str(difference) == line


def test_its_parts_can_be_laid_out_by_others() -> None:
    difference = Difference('$["\n"]', "x" * 1000 + "\n", "x" * 1000)
    x = "x" * 16
    assert difference.shown == (r'$["\n"]', rf'…"{x}\n"', f'…"{x}"', 984)


def test_absent_says_so() -> None:
    assert repr(ABSENT) == "ABSENT"


# Parts of runs

STEPS = [{"id": "step_1", "status": "completed"}, {"id": "step_2", "status": "in_progress"}]
A, B = RunStep(id="step_1", status="completed"), RunStep(id="step_2", status="in_progress")


@pytest.mark.parametrize(
    ("left", "right", "path", "values"),
    [
        (A, replace(A, status="failed"), "$.status", ("completed", "failed")),
        (A, STEPS[1], "$.id", ("step_1", "step_2")),
        ((A, B), (A, A), "$[1].id", ("step_2", "step_1")),
        ([A, B], [A], "$[1]", (STEPS[1], ABSENT)),
        ((), STEPS, "$[0]", (ABSENT, STEPS[0])),
        ((A, B), [STEPS[1], STEPS[0]], "$[0].id", ("step_1", "step_2")),
        ([A], A, "$", ([STEPS[0]], STEPS[0])),
        (Problem(kind="reopened"), Problem(kind="reopened", count=2), "$.count", (1, 2)),
    ],
)
def test_parts_of_runs_are_compared_alike(
    left: Any, right: Any, path: str, values: tuple[Any, Any]
) -> None:
    assert compare(left, right) == Difference(path, *values)
    assert compare(right, left) == Difference(path, *reversed(values))


@pytest.mark.parametrize("same", [A, (A, B), [A, B], STEPS, (), [(A,), (B,)]])
def test_a_part_is_equal_to_itself_and_to_its_json(same: Any) -> None:
    assert compare(same, same) is None
    assert compare(same, to_wire(same)) is None


# Real runs


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inner:
        if isinstance(item, dict | list):
            yield from leaves(item, (*path, key))
        else:
            yield (*path, key)


def spelled(path: Path) -> str:
    return "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)


@pytest.mark.parametrize("name", OWN)
def test_a_changed_leaf_of_a_run_is_found(name: str) -> None:
    snapshot = streamkit.accumulate([*OWN[name]], allow_partial=True)
    wire = to_wire(snapshot)
    assert compare(snapshot, snapshot) is None
    assert compare(snapshot, wire) is None
    some = [*leaves(wire)]
    for path in some[:: len(some) // 30 + 1]:
        other = copy.deepcopy(wire)
        holder = other
        for key in path[:-1]:
            holder = holder[key]
        was, holder[path[-1]] = holder[path[-1]], ["changed"]
        assert list(differences(snapshot, other)) == [Difference(spelled(path), was, ["changed"])]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values))
def test_anything_equals_itself(value: dict[str, Any]) -> None:
    assert compare(value, copy.deepcopy(value)) is None


@given(st.dictionaries(st.text(), json_values), st.dictionaries(st.text(), json_values))
def test_differences_are_the_same_from_both_sides(
    left: dict[str, Any], right: dict[str, Any]
) -> None:
    there = {(each.path, repr(each.left), repr(each.right)) for each in differences(left, right)}
    back = {(each.path, repr(each.right), repr(each.left)) for each in differences(right, left)}
    assert there == back
    for each in differences(left, right):
        assert str(each).isprintable()
