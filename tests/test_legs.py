"""Runs of several legs: how one ends, and the next begins."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Final

import pytest

from streamkit import (
    Accumulator,
    Change,
    Frame,
    Problem,
    ProblemFound,
    RunChanged,
    RunSnapshot,
    StreamEnded,
    UsageError,
    decode,
    to_wire,
)
from tests.fold_promise import Promise
from tests.folding import fold, fold_every_way
from tests.streams import (
    body,
    code,
    code_call,
    done,
    failure,
    frame,
    function,
    function_call,
    required,
    run,
    step,
    step_completed,
    step_created,
    step_delta,
    waiting,
)
from tests.told import as_run, ending

GOING: Final = run("in_progress")
OVER: Final = run("completed")
PAUSED: Final = waiting(required("call_1"))


def test_a_complete_run_takes_no_more() -> None:
    accumulator = Accumulator()
    accumulator.feed_bytes(body([GOING, OVER, done()]))
    before = accumulator.snapshot()
    for refused in (run("queued"), step_created(), frame("ping", {"a": 1}), failure()):
        with pytest.raises(UsageError, match="complete"):
            accumulator.feed_frame(refused)
        with pytest.raises(UsageError, match="complete"):
            accumulator.feed_bytes(body([refused]))
        with pytest.raises(UsageError, match="complete"):
            accumulator.feed(decode(refused))
    assert accumulator.feed_frame(done()) == ()
    assert accumulator.finish() == accumulator.snapshot() == before


@pytest.mark.parametrize("size", [1, 100_000], ids=["one part", "several parts"])
def test_what_follows_a_complete_run_in_a_chunk_costs_nothing_that_was_told(size: int) -> None:
    whole = body([GOING, step_created(), step_delta("step_1", code(0, "a" * size)), OVER, done()])
    accumulator = Accumulator()
    with pytest.raises(UsageError):
        accumulator.feed_bytes(whole + body([run("queued"), frame("ping", "a" * size)]))
    assert accumulator.end() == fold([whole]).changes


EMPTY: Final = [Frame("message", b""), Frame("ping", b""), SimpleNamespace(event="", data="")]


@pytest.mark.parametrize("phantom", EMPTY)
@pytest.mark.parametrize("last", [[GOING, OVER, done()], [PAUSED, done()], [failure()]])
def test_empty_data_after_the_end_is_no_change(last: list[Frame], phantom: Any) -> None:
    accumulator = Accumulator()
    accumulator.feed_bytes(body(last))
    before = accumulator.snapshot()
    assert list(accumulator.feed_frame(phantom)) == []
    assert list(accumulator.end()) == []
    assert accumulator.snapshot() == before


LEG_1: Final = [
    *[run("created"), run("queued"), GOING, step_created()],
    step_delta("step_1", function(0, "{}", id="call_1", name="f")),
    *[PAUSED, done()],
]
ANSWERED: Final = function_call("call_1", "f", "{}", "out")
LEG_2: Final = [
    *[step_completed("step_1", ANSWERED), run("queued"), GOING, step_created("step_2")],
    step_delta("step_2", code(0, "a", id="call_2")),
    *[step_completed("step_2", code_call("call_2", "a")), OVER, done()],
]


def legs(*bodies: bytes) -> tuple[list[Change], RunSnapshot]:
    """Fold bodies, each to its end, into one accumulator."""
    accumulator = Accumulator()
    changes: list[Change] = []
    for each in bodies:
        changes += fold([each], accumulator).changes
    return changes, accumulator.snapshot()


def test_a_run_goes_on_in_its_next_leg() -> None:
    folded = fold_every_way([*LEG_1, *LEG_2])
    changes = folded.changes
    ends = [each for each in changes if isinstance(each, StreamEnded)]
    assert ends == [StreamEnded("paused"), StreamEnded("complete")]
    assert changes[-1] == ends[-1]
    after = changes[changes.index(ends[0]) + 1 :]
    assert after[:2] == ending(step("step_1", ANSWERED, status="completed"))
    assert to_wire(folded.snapshot.steps) == [
        step("step_1", ANSWERED, status="completed"),
        step("step_2", code_call("call_2", "a"), status="completed"),
    ]
    assert folded.snapshot.problems == ()


@pytest.mark.parametrize("cut", [0, 1, 5], ids=["done", "no blank line at the end", "no done"])
def test_legs_in_bodies_of_their_own_come_to_the_same(cut: int) -> None:
    whole = fold([body([*LEG_1, *LEG_2])])
    first, second = LEG_1[: -1 if cut == 5 else None], LEG_2[: -1 if cut == 5 else None]
    bodies = [body(each)[: -1 if cut == 1 else None] for each in (first, second)]
    assert legs(*bodies) == (whole.changes, whole.snapshot)


def test_a_later_leg_may_be_all_there_is() -> None:
    promise = Promise()
    for each in LEG_2:
        promise.feed(each)
    promise.end()
    assert promise.accumulator.outcome == "complete"
    assert promise.accumulator.steps == fold([body([*LEG_1, *LEG_2])]).snapshot.steps
    assert promise.accumulator.problems == ()


@pytest.mark.parametrize("first", [[GOING], [GOING, failure()], [GOING, failure(), done()], []])
def test_a_leg_may_follow_a_failed_one(first: list[Frame]) -> None:
    promise = Promise()
    for each in first:
        promise.feed(each)
    promise.end()
    assert promise.accumulator.outcome in ("truncated", "error")
    assert promise.feed(OVER) == [RunChanged(as_run("completed"))]
    assert promise.end() == [StreamEnded("complete")]
    assert promise.accumulator.finish().outcome == "complete"


def test_a_later_leg_without_a_word_of_the_run_is_truncated() -> None:
    for last in ([], [done()]):
        folded = fold_every_way([*LEG_1, LEG_2[0], *last])
        assert folded.changes[-1] == StreamEnded("truncated")


def test_each_leg_has_a_fresh_decoder() -> None:
    accumulator = Accumulator()
    accumulator.feed_bytes(body(LEG_1[:-1]) + b"id: 7\nevent: thread.run.step.del")
    assert accumulator.end() == [StreamEnded("paused")]
    accumulator.feed_bytes(b"\xef\xbb\xbf" + body(LEG_2))
    assert accumulator.finish().problems == ()


@pytest.mark.parametrize("json_first", [True, False])
def test_each_leg_has_a_form_of_its_own(*, json_first: bool) -> None:
    def lines(frames: Sequence[Frame]) -> bytes:
        wrapped = b'{"event": "%s", "data": %s}\n'
        return b"".join(wrapped % (each.event.encode(), each.data) for each in frames)

    write = (lines, body) if json_first else (body, lines)
    accumulator = Accumulator()
    told = list(accumulator.feed_bytes(write[0](LEG_1[:-1]) + b"\n"))
    told += accumulator.end()
    told += accumulator.feed_bytes(write[1](LEG_2[:-1]))
    told += accumulator.end()
    assert told == fold([body([*LEG_1, *LEG_2])]).changes


def test_another_run_is_shown_and_reported() -> None:
    frames = [run("queued", "run_1"), step_created(), run("in_progress", "run_2", model="m")]
    folded = fold_every_way([*frames, run("completed", "run_2"), done()])
    problem = Problem(kind="second_run", known="run_1", said="run_2")
    assert folded.told[2] == [
        ProblemFound(problem),
        RunChanged(as_run("in_progress", "run_2", model="m")),
    ]
    assert folded.snapshot.run == as_run("completed", "run_2")
    assert [each.id for each in folded.snapshot.steps] == ["step_1"]
    assert folded.snapshot.problems == (problem,)
    assert folded.snapshot.outcome == "complete"
