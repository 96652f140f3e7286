"""Contradictions: reported, counted, or raised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, get_args

import pytest

from streamkit import (
    Accumulator,
    CallOpened,
    Frame,
    Problem,
    ProblemFound,
    ProblemKind,
    SequenceError,
    UsageError,
)
from tests.fold_promise import Promise
from tests.folding import fold_every_way
from tests.streams import (
    body,
    code,
    code_call,
    function,
    image,
    logs,
    message,
    message_completed,
    message_created,
    message_delta,
    message_event,
    other,
    ran,
    run,
    step,
    step_completed,
    step_created,
    step_delta,
    step_event,
    step_in_progress,
    text,
    written,
)
from tests.told import problem

CREATED: Final = step_created()
CODED: Final = step_delta("step_1", code(0, "ab", logs(0, "cd"), id="a"))
SPOKEN: Final = [message_created(), message_delta("msg_1", text(0, "ab"))]


def case(name: str, expected: Problem, *frames: Frame) -> Any:
    """Build a row: the last frame contradicts those before it, in this way alone."""
    return pytest.param(frames, expected, id=f"{expected.kind}: {name}")


PROBLEMS: Final = [
    case("step", problem("unknown_step"), step_delta("step_1", code(0, "a"))),
    case("message", problem("unknown_step", message="msg_1"), message_delta("msg_1")),
    case(
        "delta",
        problem("id_changed", 0, known="a", said="b"),
        *[CREATED, CODED, step_delta("step_1", code(0, "x", id="b"))],
    ),
    case(
        "end",
        problem("id_changed", 0, known="a", said="b"),
        *[CREATED, step_delta("step_1", code(0, id="a"))],
        step_completed("step_1", code_call("b", "")),
    ),
    case(
        "call",
        problem("type_changed", 0, known="code_interpreter", said="function"),
        *[CREATED, CODED, step_delta("step_1", function(0, "x"))],
    ),
    case(
        "output",
        problem("type_changed", 0, 0, known="logs", said="image"),
        *[CREATED, CODED, step_delta("step_1", ran(0, image(0, "file_x")))],
    ),
    case(
        "part",
        problem("type_changed", message="msg_1", known="text", said="refusal"),
        *[*SPOKEN, message_delta("msg_1", other(0, "refusal", refusal="x"))],
    ),
    case(
        "function",
        problem("name_changed", 0, known="f", said="g"),
        *[CREATED, step_delta("step_1", function(0, name="f"))],
        step_delta("step_1", function(0, name="g")),
    ),
    case(
        "calls",
        problem("index_missing"),
        *[CREATED, step_delta("step_1", code(None, "x"), code(1, "x"))],
    ),
    case(
        "outputs",
        problem("index_missing", 0),
        *[CREATED, CODED, step_delta("step_1", ran(0, logs(None, "x"), logs(0, "x")))],
    ),
    case(
        "parts",
        problem("index_missing", message="msg_1"),
        *[*SPOKEN, message_delta("msg_1", text(None, "x"), text(0, "x"))],
    ),
    case(
        "call",
        problem("index_invalid", said="-1"),
        *[CREATED, CODED, step_delta("step_1", code(-1, "x"))],
    ),
    case(
        "output",
        problem("index_invalid", 0, said="'x'"),
        *[CREATED, CODED, step_delta("step_1", ran(0, logs("x", "x")))],
    ),
    case(
        "part",
        problem("index_invalid", message="msg_1", said="True"),
        *[*SPOKEN, message_delta("msg_1", text(True, "x"))],
    ),
    case(
        "code",
        problem("content_differs", 0, known="ab", said="ax"),
        *[CREATED, CODED, step_in_progress("step_1", code_call("a", "ax"))],
    ),
    case(
        "log",
        problem("content_differs", 0, 0, known="cd", said="x"),
        *[CREATED, CODED],
        step_completed("step_1", code_call("a", "ab", {"type": "logs", "logs": "x"})),
    ),
    case(
        "text",
        problem("content_differs", message="msg_1", known="ab", said="x"),
        *[*SPOKEN, message_completed("msg_1", written("x"))],
    ),
    case(
        "calls",
        problem("content_shrunk", known="1 calls", said="0 calls"),
        *[CREATED, CODED, step_completed()],
    ),
    case(
        "outputs",
        problem("content_shrunk", 0, known="1 outputs", said="0 outputs"),
        *[CREATED, CODED, step_completed("step_1", code_call("a", "ab"))],
    ),
    case(
        "parts",
        problem("content_shrunk", message="msg_1", known="1 parts", said="0 parts"),
        *[*SPOKEN, message_completed()],
    ),
    case(
        "step",
        problem("reopened", known="completed", said="delta"),
        *[CREATED, step_completed(), step_delta("step_1", code(0, "a"))],
    ),
    case(
        "message",
        problem("reopened", message="msg_1", known="completed", said="delta"),
        *[message_created(), message_completed(), message_delta("msg_1", text(0, "a"))],
    ),
    case(
        "run",
        Problem(kind="illegal_move", known="completed", said="queued"),
        *[run("completed"), run("queued")],
    ),
    case(
        "step",
        problem("illegal_move", known="failed", said="completed"),
        *[step_event("failed", step("step_1", status="failed")), step_completed()],
    ),
    case(
        "message",
        problem("illegal_move", message="msg_1", known="completed", said="in_progress"),
        *[message_completed(), message_event("in_progress", message())],
    ),
    case(
        "run",
        Problem(kind="second_run", known="run_1", said="run_2"),
        *[run("queued", "run_1"), run("queued", "run_2")],
    ),
]


def test_every_kind_of_problem_has_a_row() -> None:
    kinds = {row.values[1].kind for row in PROBLEMS}
    assert kinds == set(get_args(ProblemKind)) - {"sequence_gap"}  # that needs numbered events


@pytest.mark.parametrize(("frames", "expected"), PROBLEMS)
def test_a_contradiction_is_reported(frames: Sequence[Frame], expected: Problem) -> None:
    folded = fold_every_way(frames)
    assert folded.snapshot.problems == (expected,)
    assert ProblemFound(expected) in folded.told[-2]


@pytest.mark.parametrize(("frames", "expected"), PROBLEMS)
def test_a_contradiction_is_raised_where_that_is_asked_for(
    frames: Sequence[Frame], expected: Problem
) -> None:
    promise = Promise(Accumulator(strict=True))
    before = [promise.feed(each) for each in frames[:-1]]
    promise.feed(frames[-1])
    error, accumulator = promise.error, promise.accumulator
    assert before == fold_every_way(frames).told[: len(before)]
    assert isinstance(error, SequenceError)
    assert error.problem == expected
    assert expected.kind.replace("_", " ") in str(error)
    assert error.snapshot == accumulator.snapshot()
    assert not any(isinstance(change, ProblemFound) for change in error.changes)
    for refused in (accumulator.feed_frame, lambda each: accumulator.feed_bytes(body([each]))):
        with pytest.raises(UsageError) as refusal:
            refused(frames[-1])
        assert refusal.value.__cause__ is error
    assert accumulator.snapshot() == error.snapshot
    promise.end()
    with pytest.raises(SequenceError) as again:
        accumulator.finish()
    assert again.value is error


@pytest.mark.parametrize(("frames", "expected"), PROBLEMS)
def test_what_came_before_in_the_same_chunk_is_in_the_error(
    frames: Sequence[Frame], expected: Problem
) -> None:
    one_by_one, at_once = Promise(Accumulator(strict=True)), Accumulator(strict=True)
    told = [change for each in frames for change in one_by_one.feed(each)]
    with pytest.raises(SequenceError) as whole:
        at_once.feed_bytes(body(frames))
    assert list(whole.value.changes) == told
    assert whole.value.snapshot == one_by_one.accumulator.snapshot()
    assert whole.value.problem == expected


def test_a_problem_at_one_place_is_told_once_and_counted() -> None:
    odd = step_delta("step_1", code(0, "x", id="b"), code(1, "x", id="c"))
    even = step_delta("step_1", code(0, "x", id="c"), code(1, "x", id="d"))
    folded = fold_every_way([CREATED, CODED, odd, even, even])
    assert folded.snapshot.problems == (
        problem("id_changed", 0, known="a", said="b", count=3),
        problem("id_changed", 1, known="c", said="d", count=2),
    )
    told = [each for each in folded.changes if isinstance(each, ProblemFound)]
    assert [each.problem.count for each in told] == [1, 1]


def test_a_thousand_problems_are_enough() -> None:
    accumulator = Accumulator()
    frames = [step_delta(f"step_{number}", code(0, "a")) for number in range(1001)]
    told = accumulator.feed_bytes(body(frames))
    found = [each.problem for each in told if isinstance(each, ProblemFound)]
    assert accumulator.problems == tuple(found)
    assert [each.step_id for each in found] == [f"step_{number}" for number in range(1000)]
    assert sum(isinstance(each, CallOpened) for each in told) == 1001
    accumulator.feed_frame(step_delta("step_0", code(-1, "a")))
    assert len(accumulator.problems) == 1000


def test_long_texts_are_shown_where_they_begin_to_differ() -> None:
    known, said = "a" * 500 + "b" * 500, "a" * 500 + "c" * 500
    frames = [CREATED, step_delta("step_1", code(0, known))]
    (found,) = fold_every_way(
        [*frames, step_completed("step_1", code_call(None, said))]
    ).snapshot.problems
    assert found.known is not None
    assert found.said is not None
    assert "ab" in found.known
    assert "ac" in found.said
    assert max(len(found.known), len(found.said)) < 100
