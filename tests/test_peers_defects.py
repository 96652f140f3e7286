"""What the peers get wrong: a test for each row of the protocol's list, by its number."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType, SimpleNamespace
from typing import Any, Final

import pytest

from streamkit import (
    Accumulator,
    CallDone,
    CallOpened,
    Change,
    CodeAppended,
    Frame,
    ImageAdded,
    ServerError,
    StreamEnded,
    TruncatedError,
    accumulate,
    follow,
    on,
    to_wire,
)
from tests.folding import Folded, fold, fold_every_way
from tests.streams import (
    Wire,
    body,
    code,
    code_call,
    done,
    drawn,
    frame,
    function,
    function_call,
    image,
    logs,
    message_created,
    message_delta,
    other,
    other_call,
    printed,
    ran,
    run,
    search,
    step,
    step_completed,
    step_created,
    step_delta,
    step_in_progress,
    text,
    waiting,
)
from tests.told import coded, found, logged, named, opened, seen

USAGE: Final = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
OVER: Final = [run("completed"), done()]


def calls_of(folded: Folded) -> Any:
    """Return the calls of the first step, in the wire's shape."""
    return to_wire(folded.snapshot.steps)[0]["step_details"]["tool_calls"]


def grown(*deltas: list[Wire]) -> Folded:
    """Fold deltas for a step that begins without calls."""
    return fold_every_way([step_created(), *(step_delta("step_1", *items) for items in deltas)])


def test_row_1_the_completed_step_is_the_last_word() -> None:
    completed = step_completed("step_1", code_call("call_1", "a"), usage=USAGE)
    folded = fold_every_way([step_created(), step_delta("step_1", code(0, "a")), completed])
    whole = step("step_1", code_call("call_1", "a"), status="completed", usage=USAGE)
    assert to_wire(folded.snapshot.steps) == [whole]


def test_row_2_calls_at_the_same_index_of_two_steps() -> None:
    frames = [
        frame
        for number in (1, 2)
        for frame in (
            step_created(f"step_{number}"),
            step_delta(f"step_{number}", code(0, "a", id=f"call_{number}")),
            step_completed(f"step_{number}", code_call(f"call_{number}", "a")),
        )
    ]
    told: list[tuple[str, str | None]] = []
    accumulate(
        body([*frames, *OVER]),
        on(
            call=lambda change: told.append(("opened", change.call_id)),
            call_done=lambda change: told.append(("done", change.call_id)),
        ),
    )
    assert told == [
        *[("opened", "call_1"), ("done", "call_1")],
        *[("opened", "call_2"), ("done", "call_2")],
    ]


def test_row_3_two_fragments_of_an_output_in_one_delta() -> None:
    folded = grown([ran(0, logs(0, "a"), logs(0, "b"))], [ran(0, logs(0, "c"))])
    assert calls_of(folded) == [seen(None, printed("abc"))]


def test_row_4_outputs_and_calls_out_of_order() -> None:
    folded = grown([ran(0, logs(1, "second"))], [ran(0, logs(0, "first"))])
    assert calls_of(folded) == [seen(None, printed("first"), printed("second"))]
    assert calls_of(grown([code(2, "a")])) == [seen("a")]


def work(act: Callable[[], object]) -> int:
    """Count the calls, of Python and of C, that it takes to do something."""
    count = 0

    def note(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("reads", [False, True], ids=["folded", "read after every change"])
def test_row_5_two_thousand_outputs_cost_twice_what_a_thousand_cost(*, reads: bool) -> None:
    accumulator = Accumulator()
    accumulator.feed_frame(step_created())

    def feed(first: int) -> None:
        for index in range(first, first + 1000):
            accumulator.feed_frame(step_delta("step_1", ran(0, logs(index, f"line {index}"))))
            if reads:
                accumulator.snapshot()

    early, late = (work(lambda first=first: feed(first)) for first in (0, 1000))  # type: ignore[misc]
    assert late < early * 1.05


def test_row_6_ids_and_names_that_are_repeated() -> None:
    deltas = [[function(0, piece, id="call_1", name="f")] for piece in ("", "{", "}")]
    assert calls_of(grown(*deltas)) == [{"id": "call_1"} | named("f", "{}")]


def test_row_7_rankers_and_scores_that_are_repeated() -> None:
    options = {"ranker": "auto", "score_threshold": 0.5}
    (call,) = calls_of(grown(*[[search(0, ranking_options=options)]] * 2))
    assert call["file_search"] == {"ranking_options": options}


def test_row_8_null_after_a_value() -> None:
    folded = grown(
        [code(0, "a", logs(0, "b"), id="call_1")],
        [ran(0, logs(0, "c") | {"logs": None}, input=None) | {"id": None}],
        [ran(0, outputs=None), ran(0) | {"code_interpreter": None}],
    )
    assert calls_of(folded) == [seen("a", printed("b"), id="call_1")]


def test_row_9_parallel_calls_in_turns() -> None:
    turns = [(0, "a"), (1, "b"), (0, "c"), (1, "d"), (0, "e")]
    deltas = [[code(index, piece, id=f"call_{index}")] for index, piece in turns]
    frames = [step_created(), *(step_delta("step_1", *items) for items in deltas)]
    whole = [code_call("call_0", "ace"), code_call("call_1", "bd")]
    changes = fold_every_way([*frames, step_completed("step_1", *whole)]).changes
    assert [each.call_index for each in changes if isinstance(each, CallOpened)] == [0, 1]
    assert [each.call_index for each in changes if isinstance(each, CallDone)] == [0, 1]
    fragments = [each for each in changes if isinstance(each, CodeAppended)]
    assert [(each.call_index, each.text) for each in fragments] == turns


def test_row_10_the_first_fragment_carries_text() -> None:
    folded = grown([code(0, "a", logs(0, "b"), image(1, "file_c"))])
    drew = ImageAdded("step_1", 0, None, 1, "file_c", None)
    assert folded.told[1] == [opened(), coded("a"), logged("b"), drew]


def test_row_11_steps_that_were_never_created() -> None:
    folded = fold_every_way([step_delta("step_1", code(0, "a"))])
    assert folded.snapshot.steps[0].partial
    assert [each.kind for each in folded.snapshot.problems] == ["unknown_step"]
    folded = fold_every_way([step_completed("step_1", function_call("a", "f", "{}", "out"))])
    assert calls_of(folded) == [function_call("a", "f", "{}", "out")]
    assert folded.snapshot.problems == ()


def test_row_12_an_error_as_documented() -> None:
    error = {"code": "rate_limit", "message": "Slow down.", "param": None, "type": "t"}
    for payload in (error, {"error": error}):
        with pytest.raises(ServerError, match="Slow down") as caught:
            accumulate(body([run("in_progress"), frame("error", payload), done()]))
        assert caught.value.error is not None
        assert (caught.value.error.code, caught.value.error.message) == (
            "rate_limit",
            "Slow down.",
        )


def test_row_13_a_body_that_stops() -> None:
    whole = body([run("in_progress"), step_created(), step_delta("step_1", code(0, "a"))])
    for cut in (whole, whole + b"event: thread.run.step.delta\ndata: {"):
        told: list[Change] = []
        with pytest.raises(TruncatedError) as caught:
            accumulate(cut, told.append)
        assert told[-2:] == [coded("a"), StreamEnded("truncated")]
        assert caught.value.snapshot is not None
        assert caught.value.snapshot.outcome == "truncated"
        partial = accumulate(cut, allow_partial=True)
        assert partial == caught.value.snapshot


def test_row_14_an_output_that_changes_its_type() -> None:
    folded = grown([ran(0, logs(0, "a"))], [ran(0, image(0, "file_b"))])
    assert calls_of(folded) == [seen(None, drawn("file_b"))]
    assert folded.told[2][0] == found("type_changed", 0, 0, known="logs", said="image")


def test_row_15_an_unknown_kind_of_tool() -> None:
    folded = grown([other(0, "new_tool", new_tool={"a": [1]}, b=2)])
    assert calls_of(folded) == [other_call(None, "new_tool", new_tool={"a": [1]}, b=2)]
    assert folded.told[1] == [opened(0, None, "new_tool")]


def test_row_16_a_snapshot_that_was_kept() -> None:
    accumulator = Accumulator()
    first = [step_created(), step_delta("step_1", code(0, "a", logs(0, "b")))]
    first += [message_created(), message_delta("msg_1", text(0, "c"))]
    for each in first:
        accumulator.feed_frame(each)
    kept = accumulator.snapshot()
    before = to_wire(kept)
    for each in first[1::2]:
        accumulator.feed_frame(each)
    assert to_wire(kept) == before
    assert accumulator.snapshot() != kept


STREAM: Final = [run("in_progress"), step_created(), step_delta("step_1", code(0, "a")), *OVER]


def test_row_17_line_ends_comments_and_several_data_lines() -> None:
    plain = fold([body(STREAM)])
    for end in (b"\n", b"\r\n", b"\r"):
        lines = [b": ping", *body(STREAM).replace(b', "', b',\ndata:  "').split(b"\n")]
        data = end.join(lines).replace(end * 2, end * 2 + b": ping" + end * 2)
        folded = fold([data])
        assert data.count(b"data:") > len(STREAM)
        assert (folded.changes, folded.snapshot) == (plain.changes, plain.snapshot)


def test_row_18_ids_retries_and_byte_order_marks() -> None:
    plain = fold([body(STREAM)])
    noise = b"id: 7\n: ping\n\n: ping\n\nretry: 5\n\n"
    folded = fold([b"\xef\xbb\xbf" + body(STREAM).replace(b"\n\n", b"\n\n" + noise)])
    assert (folded.changes, folded.snapshot) == (plain.changes, plain.snapshot)
    raw = body([frame("ping", {"text": "é"})]).replace(rb"\u00e9", "é".encode())
    response = SimpleNamespace(
        iter_bytes=lambda: iter([raw, body(OVER)]),
        close=lambda: None,
        headers={"content-type": "text/event-stream; charset=latin-1"},
    )
    told: list[Any] = []
    accumulate(response, on(unknown=lambda change: told.append(change.data)))
    assert told == [{"text": "é"}]


def test_row_18_phantom_frames_are_no_change() -> None:
    accumulator = Accumulator()
    frames = [*STREAM[:-2], waiting(), done()]
    phantom = SimpleNamespace(event="message", data="", id="7", retry=None)
    for each in frames:
        accumulator.feed_frame(each)
        assert list(accumulator.feed_frame(phantom)) == []
    assert accumulator.finish().outcome == "paused"


def test_row_19_a_deadline_is_not_a_time_that_passed() -> None:
    (shown,) = fold_every_way([step_in_progress("step_1", expires_at=9)]).snapshot.steps
    assert (shown.expires_at, shown.expired_at) == (9, None)


def test_row_20_a_callback_that_raises() -> None:
    class OursError(Exception):
        pass

    def fail(change: CodeAppended) -> None:
        raise OursError(change.text)

    source = Source(STREAM)
    following = follow(source, on(code=fail))
    with pytest.raises(OursError, match="a"), following:
        list(following)
    assert source.closed
    (shown,) = to_wire(following.accumulator.steps)
    assert shown == step("step_1", seen("a"))


def test_row_21_the_envelope_of_a_proxy() -> None:
    def wrapped(each: Frame) -> bytes:
        data = each.data if each.event != "done" else b'"[DONE]"'
        return b'data: {"event": "%s", "data": %s}\n\n' % (each.event.encode(), data)

    plain, folded = fold([body(STREAM)]), fold([b"".join(map(wrapped, STREAM))])
    assert (folded.changes, folded.snapshot) == (plain.changes, plain.snapshot)


def test_row_22_a_character_in_two_halves() -> None:
    folded = grown([code(0, "a\ud83d", logs(0, "\ud83d"))], [code(0, "\ude00", logs(0, "\ude00"))])
    assert calls_of(folded) == [seen("a😀", printed("😀"))]
    assert folded.told[1:3] == [[opened(), coded("a")], [coded("😀"), logged("😀")]]


def test_row_23_any_output_of_the_code_interpreter() -> None:
    whole = code_call("call_1", "a", printed("b"), drawn("file_c"), {"type": "new", "x": 1})
    frames = [step_created(), step_delta("step_1", code(0, "a", logs(0, "b"), image(1, "file_c")))]
    folded = fold_every_way([*frames, step_completed("step_1", whole)])
    assert calls_of(folded) == [whole]


class Source:
    """Chunks that say whether they were closed."""

    def __init__(self, frames: list[Frame]) -> None:
        self._chunks = iter([body([each]) for each in frames])
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        self.closed = True


def test_row_24_a_loop_that_is_left_early() -> None:
    source, told = Source(STREAM), list[Change]()
    with follow(source, told.append) as following:
        for change in following:
            if isinstance(change, CodeAppended):
                break
    assert source.closed
    assert [each for each in told if isinstance(each, StreamEnded)] == [StreamEnded("truncated")]
    assert told[-1] == StreamEnded("truncated")


def test_every_row_has_a_test() -> None:
    rows = {name.split("_")[2] for name in globals() if name.startswith("test_row_")}
    assert rows == {str(row) for row in range(1, 25)}
