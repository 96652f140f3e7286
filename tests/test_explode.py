"""`explode` is the inverse of the fold, for every run that is complete or paused."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamkit import Frame, RunSnapshot, UsageError, accumulate, to_wire
from streamkit.testing.building import (
    code_interpreter,
    file_search,
    found,
    function_call,
    script,
    tool_call,
)
from streamkit.testing.exploding import explode, legs_of
from streamkit.testing.strategies import snapshots, streams
from tests.exploded import PLOT, Wire, calls_step, events, folded, items, payload, snapshot
from tests.folding import fold_every_way

# Any run

SIZES: Final = st.none() | st.integers(1, 9) | st.tuples(st.integers(1, 3), st.integers(3, 9))


@settings(max_examples=250)
@given(
    run=snapshots(),
    size=SIZES,
    seed=st.integers(0, 99),
    interleave=st.booleans(),
    legs=st.booleans(),
)
def test_the_fold_puts_together_what_was_cut(
    run: RunSnapshot, size: Any, seed: int, *, interleave: bool, legs: bool
) -> None:
    frames = explode(run, size=size, seed=seed, interleave=interleave, legs=legs)
    assert folded(frames) == run
    assert accumulate(frames) == run


@given(streams())
def test_each_leg_ends_with_its_done(frames: list[Frame]) -> None:
    legs = legs_of(frames)
    assert list(itertools.chain(*legs)) == frames
    assert [frame.event for frame in frames if frame.event == "done"] == ["done"] * len(legs)
    for leg in legs[:-1]:
        assert [frame.event for frame in leg[-2:]] == ["thread.run.requires_action", "done"]


@given(snapshots())
def test_it_can_be_told_in_one_leg(run: RunSnapshot) -> None:
    assert len(legs_of(explode(run, legs=False))) == 1


@settings(max_examples=25)
@given(streams(snapshots(max_steps=2)))
def test_however_the_bytes_arrive(frames: list[Frame]) -> None:
    assert fold_every_way(frames).snapshot == accumulate(frames)


@given(streams())
def test_frames_are_what_servers_send(frames: list[Frame]) -> None:
    for frame in frames:
        assert (frame.id, frame.retry) == ("", None)
        value = payload(frame)
        if value is None:
            assert frame.event == "done"
        else:
            compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            assert frame.data == compact.encode()
            assert isinstance(value["id"], str)


# The order of things

OPENING: Final = ["run.queued", "run.in_progress"]
STEP: Final = ["run.step.created", "run.step.in_progress"]


def test_a_run_is_told_in_the_order_of_the_api() -> None:
    first, second = legs_of(explode(PLOT))
    calls = [*STEP, "run.step.delta"]
    assert events(first) == [
        *["run.created", *OPENING, *calls, "run.step.completed", *calls],
        *["run.requires_action", "done"],
    ]
    created = ["message.created", "message.in_progress", "message.delta", "message.completed"]
    assert events(second) == [
        *["run.step.completed", *OPENING, *STEP, *created, "run.step.completed"],
        *["run.completed", "done"],
    ]


def test_what_a_run_waits_for_is_what_was_called() -> None:
    (asked,) = [f for f in explode(PLOT) if f.event == "thread.run.requires_action"]
    run = payload(asked)
    assert (run["status"], run["usage"], run["completed_at"]) == ("requires_action", None, None)
    required = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert [(each["id"], each["type"], each["function"]) for each in required] == [
        ("call_2", "function", {"name": "f", "arguments": '{"a": 1}'}),
        ("call_3", "function", {"name": "g", "arguments": "{}"}),
    ]


def test_the_outputs_of_functions_come_with_the_next_leg() -> None:
    first, second = legs_of(explode(PLOT))
    functions = [item["function"] for item in items(first) if item["type"] == "function"]
    assert len(functions) > 3
    assert all(function.get("output") is None for function in functions)
    calls = payload(second[0])["step_details"]["tool_calls"]
    assert [call["function"]["output"] for call in calls] == ["2", "[3]"]


def test_what_was_found_comes_with_the_end_of_the_step() -> None:
    run = script(file_search(found("a.md")))
    assert [item["file_search"]["results"] for item in items(explode(run))] == [[]]


def test_a_step_that_goes_on_has_no_leg_of_its_own() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "output": "1"}}
    run = snapshot(calls_step(call, status="in_progress"))
    frames = explode(run)
    assert len(legs_of(frames)) == 1
    assert [item["function"].get("output") for item in items(frames)] == [None, "1"]
    assert folded(frames) == run


def test_a_paused_run_ends_where_it_waits() -> None:
    run = script("First.", function_call("f", {"a": 1}))
    (leg,) = legs_of(explode(run))
    assert events(leg)[-3:] == ["run.step.delta", "run.requires_action", "done"]
    assert payload(leg[-2]) == to_wire(run.run)
    assert accumulate(leg) == run


@pytest.mark.parametrize("status", ["failed", "cancelled", "expired", "incomplete"])
def test_a_run_ends_as_it_did(status: Any) -> None:
    names = events(explode(script(code_interpreter("1"), status=status)))
    cancelling = ["run.cancelling"] if status == "cancelled" else []
    ending = "completed" if status == "incomplete" else status
    assert names[-3 - len(cancelling) :] == [
        f"run.step.{ending}", *cancelling, f"run.{status}", "done"
    ]  # fmt: skip


def test_earlier_states_are_derived_from_the_last() -> None:
    frames = explode(PLOT)
    whole = to_wire(PLOT.run)
    runs = [payload(frame) for frame in frames if re.match(r"thread\.run\.\w+$", frame.event)]
    assert all(run.keys() == whole.keys() for run in runs)
    first = runs[0]
    assert (first["status"], first["started_at"], first["usage"]) == ("queued", None, None)
    assert first["expires_at"] > first["created_at"]
    begun = payload(next(frame for frame in frames if frame.event == "thread.run.step.created"))
    assert begun == to_wire(PLOT.steps[0]) | {
        "status": "in_progress",
        "completed_at": None,
        "usage": None,
        "step_details": {"type": "tool_calls", "tool_calls": []},
    }


def test_a_run_starts_before_what_it_does_in_each_leg() -> None:
    legs = legs_of(explode(script(*[function_call("f", output=1)] * 3, "done")))
    assert len(legs) == 4
    for leg in legs:
        told = {frame.event: payload(frame) for frame in leg}
        begun = told["thread.run.step.created"]["created_at"]
        assert told["thread.run.in_progress"]["started_at"] <= begun
        assert begun <= told["thread.run.step.created"]["expires_at"]


# What cannot be cut


@pytest.mark.parametrize(
    ("run", "ways", "words"),
    [
        (RunSnapshot(PLOT.run, outcome="open"), {}, "Cut"),
        (RunSnapshot(PLOT.run, outcome="truncated"), {}, "Cut"),
        (RunSnapshot(PLOT.run, outcome="error"), {}, "ErrorEvent"),
        (RunSnapshot(None, outcome="complete"), {}, "no run"),
        (RunSnapshot(PLOT.run, PLOT.steps * 2, outcome="complete"), {}, r"\$\.steps\[3\]"),
        (RunSnapshot(PLOT.run, (), PLOT.messages * 2, "complete"), {}, r"\$\.messages\[1\]"),
        (RunSnapshot(PLOT.run, outcome="paused"), {}, r"\$\.outcome: \"complete\" != \"paused\""),
        (to_wire(PLOT), {}, "RunSnapshot, not dict"),
        (PLOT, {"size": 0}, "size of 0"),
        (PLOT, {"size": True}, "size of True"),
        (PLOT, {"size": (5, 2)}, r"size of \(5, 2\)"),
        (PLOT, {"size": (1, 2, 3)}, "size"),
        (PLOT, {"size": (1.5, 2)}, "size"),
        (PLOT, {"size": "12"}, "size"),
        (script(code_interpreter("\ud83d", id="c")), {}, "step_1 holds half a character"),
        (script(tool_call("new", value={1, 2})), {}, "step_1 holds what JSON cannot"),
    ],
)  # fmt: skip
def test_what_cannot_be_cut(run: RunSnapshot, ways: Wire, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        explode(run, **ways)


def test_what_nests_too_deeply() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    with pytest.raises(UsageError, match="levels deep"):
        explode(snapshot(calls_step({"id": "a", "type": "new", "deep": deep})))


def test_legs_of_nothing_are_none() -> None:
    assert legs_of([]) == []
    assert legs_of(iter(explode(PLOT)[:5])) == [explode(PLOT)[:5]]
