"""Streams of the Responses API: their numbers, their errors, and several in one body."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Final

import anyio
import pytest

from streamkit import (
    Accumulator,
    Frame,
    Problem,
    ProblemFound,
    RunChanged,
    SequenceError,
    ServerError,
    ServerFailed,
    StreamEnded,
    TruncatedError,
    accumulate,
    afollow,
    follow,
    to_wire,
)
from tests import closable
from tests.answering import (
    added,
    code_delta,
    code_item,
    completed,
    created,
    event,
    finished,
    function_item,
    item_of,
    items_of,
    message_item,
    numbered,
    output_text,
    response,
    text_delta,
)
from tests.folding import fold_every_way
from tests.promise import check_promise
from tests.streams import body, frame

CODE: Final = code_item("print(42)", status="completed")
ANSWER: Final = numbered(
    [
        created(),
        added(code_item()),
        code_delta("print("),
        code_delta("42"),
        code_delta(")"),
        finished(CODE),
        completed(CODE),
    ]
)


# Numbers


def feed(*frames: Frame) -> tuple[list[object], Accumulator]:
    """Feed frames; return all changes."""
    accumulator = Accumulator()
    return [each for said in frames for each in accumulator.feed_frame(said)], accumulator


WHOLE, _ = feed(*ANSWER)


@pytest.mark.parametrize("start", range(len(ANSWER)))
@pytest.mark.parametrize("count", range(1, len(ANSWER) + 1))
def test_what_comes_again_is_dropped(start: int, count: int) -> None:
    """As when a stream is resumed a little, or all the way, before where it was cut."""
    again = ANSWER[start : start + count]
    changes, accumulator = feed(*ANSWER[: start + count], *again, *ANSWER[start + count :])
    assert changes == WHOLE
    assert accumulator.problems == ()


@pytest.mark.parametrize("at", range(1, len(ANSWER)))
def test_a_leg_that_was_cut_may_be_sent_again_from_the_beginning(at: int) -> None:
    accumulator = Accumulator()
    changes = [each for said in ANSWER[:at] for each in accumulator.feed_frame(said)]
    assert accumulator.end() == [StreamEnded("truncated")]
    changes += [each for said in ANSWER for each in accumulator.feed_frame(said)]
    assert changes == WHOLE
    assert accumulator.outcome == "complete"
    assert accumulator.problems == ()


def test_what_is_missing_is_a_problem_once() -> None:
    frames = [*ANSWER[:2], ANSWER[3], *ANSWER[5:]]
    folded = fold_every_way(frames)
    check_promise(folded.changes, folded.snapshot, legs=1)
    missing, code = folded.snapshot.problems
    assert missing == Problem(kind="sequence_gap", known="1", said="3", count=2)
    assert code.kind == "content_differs"
    assert sum(isinstance(change, ProblemFound) for change in folded.changes) == 2
    assert item_of(folded.snapshot) == CODE


def test_strictly_what_is_missing_is_an_error() -> None:
    accumulator = Accumulator(strict=True)
    accumulator.feed_frame(ANSWER[0])
    with pytest.raises(SequenceError, match="sequence gap at the run: known '0', said '2'"):
        accumulator.feed_frame(ANSWER[2])


@pytest.mark.parametrize("start", [0, 1, 17, -3])
def test_numbers_may_begin_anywhere(start: int) -> None:
    frames = numbered([frame(each.event, _unnumbered(each)) for each in ANSWER], start)
    changes, accumulator = feed(*frames)
    assert changes == WHOLE
    assert accumulator.problems == ()


def _unnumbered(said: Frame) -> dict[str, object]:
    fields: dict[str, object] = json.loads(said.data)
    del fields["sequence_number"]
    return fields


@pytest.mark.parametrize("number", [None, "1", 1.5, True, [1], {"n": 1}])
def test_a_number_that_is_none_is_no_number(number: object) -> None:
    frames = [
        frame(each.event, _unnumbered(each) | {"sequence_number": number}) for each in ANSWER
    ]
    changes, accumulator = feed(*frames)
    assert changes == WHOLE
    assert accumulator.problems == ()


def test_whole_numbers_may_be_written_with_a_point() -> None:
    frames = [
        frame(each.event, _unnumbered(each) | {"sequence_number": float(number)})
        for number, each in enumerate(ANSWER)
    ]
    changes, _ = feed(*frames, *frames)
    assert changes == WHOLE


def test_numbers_that_never_grow_mean_nothing() -> None:
    frames = [frame(each.event, _unnumbered(each) | {"sequence_number": 0}) for each in ANSWER]
    folded = fold_every_way(frames)
    assert items_of(folded.snapshot) == [CODE]
    assert folded.snapshot.outcome == "complete"
    assert folded.snapshot.problems == (Problem(kind="sequence_gap", known="0", said="0"),)


# Errors


def failure(**fields: object) -> Frame:
    """Say that the server failed."""
    said = {"code": "server_error", "message": "It broke.", "param": None} | fields
    return event("error", **said)


FAILED: Final = completed(status="failed", error={"code": "server_error", "message": "It broke."})
NESTED: Final = event(
    "error",
    error={"type": "server_error", "code": "server_error", "message": "It broke.", "param": None},
)


@pytest.mark.parametrize("said", [failure(), NESTED], ids=["flat", "nested"])
@pytest.mark.parametrize("is_numbered", [False, True])
@pytest.mark.parametrize("follows", [(FAILED,), ()], ids=["failed", "alone"])
def test_an_error_is_the_outcome(
    said: Frame, *, is_numbered: bool, follows: tuple[Frame, ...]
) -> None:
    frames = [created(), said, *follows]
    folded = fold_every_way(numbered(frames) if is_numbered else frames)
    check_promise(folded.changes, folded.snapshot, legs=1)
    assert folded.snapshot.outcome == "error"
    assert folded.snapshot.problems == ()
    assert [type(each) for each in folded.changes] == [
        RunChanged,
        ServerFailed,
        *[RunChanged for _ in follows],
        StreamEnded,
    ]
    with pytest.raises(ServerError, match=r"server_error: It broke\.") as caught:
        accumulate(body(frames))
    assert caught.value.error is not None
    assert (caught.value.error.code, caught.value.error.message) == ("server_error", "It broke.")


def test_an_error_may_be_all_there_is() -> None:
    with pytest.raises(ServerError, match="It broke"):
        accumulate(body([failure()]))
    with pytest.raises(ServerError, match="It broke"):
        accumulate(b"data: " + NESTED.data + b"\n\n")
    with pytest.raises(ServerError, match="It broke"):
        accumulate(b'{"error": {"message": "It broke.", "type": "invalid_request_error"}}')


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed", "cancelled"])
def test_a_response_ends_well_or_not(status: str) -> None:
    """How it ended, the run says; the stream is complete."""
    folded = fold_every_way(numbered([created(), completed(status=status)]))
    assert folded.snapshot.outcome == "complete"
    assert folded.snapshot.run is not None
    assert folded.snapshot.run.status == status


def test_why_a_response_failed_is_in_its_error() -> None:
    run = accumulate(body([created(), FAILED])).run
    assert run is not None
    assert run.error is not None
    assert (run.error.code, run.error.message) == ("server_error", "It broke.")


@pytest.mark.parametrize("count", range(len(ANSWER)))
def test_cut_anywhere_it_is_truncated(count: int) -> None:
    folded = fold_every_way(ANSWER[:count])
    assert folded.snapshot.outcome == "truncated"
    assert folded.changes[-1] == StreamEnded("truncated")
    with pytest.raises(TruncatedError):
        accumulate(body(ANSWER[:count]))


def test_a_response_waits_in_a_queue() -> None:
    queued = event("queued", response=response("queued"))
    started = event("in_progress", response=response("in_progress"))
    folded = fold_every_way(numbered([queued, started, completed(CODE)]))
    runs = [each.run.status for each in folded.changes if isinstance(each, RunChanged)]
    assert runs == ["queued", "in_progress", "completed"]
    assert folded.snapshot.problems == ()


# Several responses


SECOND: Final = message_item(output_text("42"), id="item_m", status="completed")
NEXT: Final = numbered(
    [
        created("resp_2"),
        added(message_item(id="item_m")),
        text_delta("42", "item_m"),
        finished(SECOND),
        completed(SECOND, id="resp_2"),
    ]
)


@pytest.mark.parametrize("between", [[], [Frame("message", b"[DONE]")]], ids=["", "done"])
def test_several_responses_are_legs_of_one_conversation(between: list[Frame]) -> None:
    frames = [*ANSWER, *between, *NEXT, *between]
    folded = fold_every_way(frames)
    check_promise(folded.changes, folded.snapshot, legs=2, runs=True)
    assert items_of(folded.snapshot) == [CODE, SECOND]
    assert folded.snapshot.problems == ()
    assert folded.snapshot.run is not None
    assert folded.snapshot.run.id == "resp_2"
    assert to_wire(folded.snapshot.run) == response("completed", SECOND, id="resp_2")


def test_a_leg_for_each_body() -> None:
    accumulator = Accumulator()
    changes = [each for leg in (ANSWER, NEXT) for each in accumulator.feed_bytes(body(leg))]
    assert changes == fold_every_way([*ANSWER, *NEXT]).changes
    assert accumulator.end() == []


def test_a_response_that_another_one_cuts_short_is_a_problem() -> None:
    folded = fold_every_way([*ANSWER[:3], *NEXT])
    kinds = [(each.kind, each.known, each.said) for each in folded.snapshot.problems]
    assert kinds == [("second_run", "resp_1", "resp_2")]
    assert items_of(folded.snapshot)[1] == SECOND


def test_a_place_is_one_in_its_response() -> None:
    strayed = numbered([code_delta("1", None, 0)], 1)
    folded = fold_every_way([*ANSWER, *NEXT[:1], *strayed])
    assert [step.id for step in folded.snapshot.steps] == ["item_a", "output[0]"]


def test_done_after_the_response_is_harmless() -> None:
    assert accumulate(body(ANSWER) + b"data: [DONE]\n\n") == accumulate(body(ANSWER))
    assert accumulate(body(ANSWER) + b"event: done\ndata: [DONE]\n\n") == accumulate(body(ANSWER))


@pytest.mark.parametrize("indent", [None, 2])
def test_a_response_that_is_not_streamed_is_a_stream_of_one_event(indent: int | None) -> None:
    said = response("completed", CODE, SECOND)
    snapshot = accumulate(json.dumps(said, indent=indent).encode())
    assert items_of(snapshot) == [CODE, SECOND]
    assert to_wire(snapshot.run) == said
    assert (snapshot.outcome, snapshot.problems) == ("complete", ())


def test_a_response_that_is_still_under_way_is_a_truncated_stream() -> None:
    said = json.dumps(response("in_progress", code_item("print(")))
    snapshot = accumulate(said.encode(), allow_partial=True)
    assert items_of(snapshot)[0]["code"] == "print("
    assert snapshot.outcome == "truncated"


def test_items_that_a_response_lacks_in_the_end_are_a_problem() -> None:
    other = function_item("{}", id="item_b", status="completed")
    folded = fold_every_way([created(), finished(CODE), finished(other, 1), completed(other)])
    check_promise(folded.changes, folded.snapshot, legs=1)
    assert items_of(folded.snapshot) == [CODE, other]
    missing = Problem(kind="content_shrunk", known="2 items", said="1 items")
    assert folded.snapshot.problems == (missing,)


# A connection that stays open


def endless() -> Iterator[bytes]:
    """Send a response, and do not close."""
    yield from (body([each]) for each in ANSWER)
    raise AssertionError("read past the end of the response")


async def aendless() -> AsyncIterator[bytes]:
    """Send a response, and do not close."""
    for each in endless():
        yield each


def test_following_ends_with_the_response() -> None:
    with follow(endless()) as following:
        assert list(following) == WHOLE


def test_an_error_ends_a_connection_only_with_its_response() -> None:
    chunks = [body([each]) for each in (created(), failure(), FAILED)]
    closed: list[str] = []
    past = AssertionError("read past the end of the response")
    source = closable.response([*chunks, past], closed)
    with pytest.raises(ServerError) as caught, follow(source) as following:
        list(following)
    assert caught.value.snapshot is not None
    assert caught.value.snapshot.run is not None
    assert caught.value.snapshot.run.status == "failed"
    assert closed == ["closed"]


def test_following_ends_with_the_response_when_awaited() -> None:
    async def main() -> list[object]:
        async with afollow(aendless()) as following:
            return [change async for change in following]

    assert anyio.run(main) == WHOLE
