"""A series does what its deltas do one by one, whatever state it meets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamkit import (
    Accumulator,
    CodeInterpreterLogOutput,
    Frame,
    Limits,
    OutputDone,
    PeerError,
    RunSnapshot,
    UsageError,
)
from streamkit._series import CODE, FUNCTION, LOGS, TEXT, Series
from streamkit.limits import DEFAULT_LIMITS
from tests.streams import (
    code,
    code_call,
    drawn,
    frame,
    function,
    function_call,
    image,
    logs,
    message_completed,
    message_created,
    message_delta,
    message_event,
    other,
    printed,
    ran,
    step_completed,
    step_created,
    step_delta,
    step_in_progress,
    text,
    written,
)

HIGH, LOW = "\ud83d", "\ude00"  # the halves of a character


def response(name: str, number: int, **fields: Any) -> Frame:
    return frame(f"response.{name}", {"sequence_number": number} | fields)


def item(number: int, kind: str, *, done: bool = False, **fields: Any) -> Frame:
    said = {"id": "step_1" if kind != "message" else "msg_1", "type": kind} | fields
    event = f"output_item.{'done' if done else 'added'}"
    return response(event, number, output_index=0, item=said)


def fragment(name: str, number: int, said: str) -> Frame:
    id = "msg_1" if name == "output_text" else "step_1"
    place = {"type": f"response.{name}.delta", "item_id": id, "content_index": 0}
    return response(f"{name}.delta", number, **place, delta=said)


CODES: Final = [
    step_created(),
    step_created("step_1", code_call("c", "ab")),
    step_in_progress("step_1", code_call("c", "abab")),
    step_completed(),
    step_completed("step_1", code_call("c", "abab")),
    step_delta("step_1", code(0, "", id="c")),
    step_delta("step_1", code(0, "a")),
    step_delta("step_1", code(1, "a")),
    step_delta("step_1", code(0, HIGH)),
    step_delta("step_1", code(0, "b", id="d")),
    step_delta("step_1", {"index": 0, "type": "code_interpreter"}),
    step_delta("step_1", function(0, "a")),
]
OUTPUTS: Final = [
    step_created("step_1", code_call("c", "", printed("ab"), drawn("file_a"))),
    step_in_progress("step_1", code_call("c", "", printed("aba"), printed("b"))),
    step_completed(),
    step_completed("step_1", code_call("c", "", printed("abab"), printed("b"))),
    step_completed("step_1", code_call("c", "")),
    step_delta("step_1", code(0, "", id="c")),
    step_delta("step_1", code(0, "a")),
    step_delta("step_1", {"index": 0, "type": "code_interpreter"}),
    *(step_delta("step_1", ran(0, logs(at, "ab"))) for at in range(3)),
    *(step_delta("step_1", ran(0, logs(at, HIGH))) for at in range(3)),
    step_delta("step_1", ran(0, logs(0, LOW))),
    step_delta("step_1", ran(0, image(0, "file_a"))),
    step_delta("step_1", ran(0, image(2, "file_a"))),
    step_delta("step_1", ran(0, logs(1, "a") | {"new": 1})),
    step_delta("step_1", ran(0, {"type": "logs", "logs": "n"})),
    step_delta("step_1", ran(0, {"index": 0, "logs": "n"})),
    step_delta("step_1", ran(0, other(1, "new", new=1))),
]
FUNCTIONS: Final = [
    step_created(),
    step_created("step_1", function_call("f", "f", "ab")),
    step_completed(),
    step_completed("step_1", function_call("f", "f", "abab")),
    step_delta("step_1", function(0, "", id="f")),
    step_delta("step_1", function(0, HIGH)),
    step_delta("step_1", function(1, "a")),
    step_delta("step_1", {"index": 0, "type": "function"}),
    step_delta("step_1", other(0, "mcp", arguments="a")),
]
MESSAGES: Final = [
    message_created(),
    message_created("msg_1", written("ab")),
    message_event("in_progress", {"id": "msg_1", "content": [written("abab")]}),
    message_completed(),
    message_completed("msg_1", written("abab")),
    message_delta("msg_1", text(0, "a")),
    message_delta("msg_1", text(1, "a")),
    message_delta("msg_1", text(0, HIGH)),
    message_delta("msg_1", {"index": 0, "type": "text"}),
    message_delta("msg_1", {"index": 0, "type": "refusal", "refusal": "no"}),
    message_delta("msg_1", {"index": 0, "type": "image_file", "image_file": {"file_id": "a"}}),
]
ENDS: Final = [
    frame("thread.run.requires_action", {"id": "run_1", "status": "requires_action"}),
    frame("done", "[DONE]"),
]
RESPONSES: Final = [
    response("created", 0, response={"id": "resp_1", "object": "response"}),
    response("created", 0, response={"id": "resp_1", "object": "response"}),
    response("created", 3, response={"id": "resp_2", "object": "response"}),
    response("completed", 9, response={"id": "resp_1", "object": "response", "output": []}),
    item(1, "code_interpreter_call", code="", outputs=[]),
    item(1, "function_call", call_id="f", name="f", arguments=""),
    item(1, "message", content=[]),
    item(1, "message", content=[{"type": "output_text", "text": "ab", "annotations": []}]),
    item(4, "code_interpreter_call", code="abab", outputs=[], done=True),
    step_delta("step_1", code(1, "a"), function(2, "a")),
    step_delta("step_1", function(1, "a")),
    fragment("output_text", 2, "a"),
    fragment("output_text", 2, HIGH),
    fragment("code_interpreter_call_code", 2, "a"),
    fragment("function_call_arguments", 2, "a"),
]
NAMES: Final = [
    *("output_text", "code_interpreter_call_code", "function_call_arguments"),
    *("refusal", "reasoning_text", "custom_tool_call_input"),
]

PIECES: Final = st.lists(st.sampled_from(["a", "ab", "é", "b", "ab", ""]), min_size=1, max_size=4)
INDEX: Final = st.sampled_from([0, 0, 0, 1, 2, -1])


@st.composite
def numbers(draw: st.DrawFn, count: int, each: st.SearchStrategy[int]) -> Any:
    """Draw one number for all deltas of a series, or one for each, rising or not."""
    first = draw(st.integers(0, 3))
    rising = st.just([*range(first, first + count)])
    return draw(each | rising | rising | st.lists(each, min_size=count, max_size=count))


@st.composite
def series(draw: st.DrawFn, kind: str) -> Series:
    """Draw more of what runs are made of."""
    texts = draw(PIECES)
    id = draw(st.sampled_from(["msg_1" if kind == TEXT else "step_1"] * 9 + ["new"]))
    where = [draw(numbers(len(texts), INDEX)) for _ in range(2 if kind == LOGS else 1)]
    return Series(kind, id, tuple(where), texts)


@st.composite
def fragments(draw: st.DrawFn) -> Series:
    """Draw more of what responses are made of."""
    texts, name = draw(PIECES), draw(st.sampled_from(NAMES))
    own = "msg_1" if name in ("output_text", "refusal") else "step_1"
    id = draw(st.sampled_from([own] * 9 + ["", "new"]))
    first = draw(st.sampled_from([2, 2, 3, 4]))
    rising = [*range(first, first + len(texts))]
    other = st.none() | numbers(len(texts), st.integers(0, 5))
    said = draw(st.one_of(st.just(rising), st.just(rising), other))
    part: Any = draw(st.sampled_from([0, 0, 0, [0] * len(texts), [*range(len(texts))]]))
    return Series(f"response.{name}.delta", id, (0, part, 0, said), texts)


Said = Series | Frame


def fed(
    said: Sequence[Said], *, strict: bool, limits: Limits, looks: Collection[int], alone: bool
) -> Any:
    """Feed series, at once or one by one; return all that is to be known of it."""
    accumulator = Accumulator(strict=strict, limits=limits)
    told: list[Any] = []
    try:
        for place, each in enumerate(said):
            if isinstance(each, Frame):
                told += accumulator.feed_frame(each)
            elif alone:
                for row in each.rows():
                    told += accumulator.feed(each.event(*row))
            else:
                told += accumulator.feed(each)
            if place in looks:
                told.append((accumulator.snapshot(), accumulator.sequence_number))
    except PeerError as error:
        told += [*error.changes, repr(error), error.snapshot]
    except UsageError as error:
        told.append(str(error))
    told += accumulator.end()
    return told, accumulator.snapshot(), accumulator.sequence_number


LIMITS: Final = [Limits(), Limits(), Limits(index_gap=0), Limits(open_steps=1)]


STREAMS: Final = {
    CODE: st.sampled_from(CODES + ENDS) | series(CODE),
    LOGS: st.sampled_from(OUTPUTS) | series(LOGS),
    FUNCTION: st.sampled_from(FUNCTIONS + ENDS) | series(FUNCTION),
    TEXT: st.sampled_from(MESSAGES + ENDS) | series(TEXT),
    "response": st.sampled_from(RESPONSES) | fragments(),
}


def both(
    said: Sequence[Said],
    *,
    strict: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    looks: Collection[int] = (),
) -> Any:
    """Feed series in both ways; return what comes of each."""
    return [
        fed(said, strict=strict, limits=limits, looks=looks, alone=alone)
        for alone in (False, True)
    ]


ADDED: Final[dict[str, tuple[list[Frame], tuple[Any, ...]]]] = {
    CODE: (CODES, (0,)),
    LOGS: (OUTPUTS, (0, [0, 1, 2])),
    FUNCTION: (FUNCTIONS, (0,)),
    TEXT: (MESSAGES, (0,)),
}


@pytest.mark.parametrize("texts", [["ab", "é", "b"], ["ab"], ["", "a"]])
@pytest.mark.parametrize("kind", ADDED)
def test_after_any_two_events_a_series_does_what_its_deltas_do(
    kind: str, texts: list[str]
) -> None:
    states, numbers = ADDED[kind]
    numbers = tuple(each[: len(texts)] if type(each) is list else each for each in numbers)
    more = Series(kind, "msg_1" if kind == TEXT else "step_1", numbers, texts)
    end = message_completed() if kind == TEXT else step_completed()
    for first, second in product(states, states):
        at_once, one_by_one = both([first, second, more, more, end])
        assert at_once == one_by_one
        at_once, one_by_one = both([first, second, more, more, end], looks=range(5))
        assert at_once == one_by_one


@pytest.mark.parametrize("kind", STREAMS)
@settings(max_examples=250)
@given(
    st.data(),
    st.sampled_from([False, False, True]),
    st.sampled_from(LIMITS),
    st.sets(st.integers(0, 8)),
)
def test_a_series_does_what_its_deltas_do(
    kind: str,
    data: st.DataObject,
    strict: bool,  # noqa: FBT001 - drawn
    limits: Limits,
    looks: set[int],
) -> None:
    said = data.draw(st.lists(STREAMS[kind], min_size=1, max_size=9))
    at_once, one_by_one = both(said, strict=strict, limits=limits, looks=looks)
    assert at_once == one_by_one


@pytest.mark.parametrize("end", [step_completed(), frame("done", "[DONE]")])
def test_outputs_give_up_halves_of_characters_in_the_same_order(end: Frame) -> None:
    halves = [step_delta("step_1", ran(0, logs(at, HIGH))) for at in (2, 1)]
    series = Series(LOGS, "step_1", (0, [0, 1, 2]), ["é", "é", "é"])
    said: list[Said] = [step_delta("step_1", code(0, "", id="c")), series, *halves, end]
    at_once, one_by_one = both(said)
    assert at_once == one_by_one


def test_an_output_in_one_piece_is_told_as_it_was_shown() -> None:
    accumulator = Accumulator()
    accumulator.feed_frame(step_delta("step_1", code(0, "", id="c")))
    accumulator.feed(Series(LOGS, "step_1", (0, [0, 1]), ["a", "b"]))
    shown = outputs(accumulator.snapshot())
    changes = accumulator.feed_frame(step_completed())
    told = [each.output for each in changes if isinstance(each, OutputDone)]
    assert told == [CodeInterpreterLogOutput(logs=text) for text in "ab"]
    assert all(one is other for one, other in zip(told, shown, strict=True))
    assert all(
        one is other for one, other in zip(told, outputs(accumulator.snapshot()), strict=True)
    )


def outputs(snapshot: RunSnapshot) -> list[Any]:
    details: Any = snapshot.steps[0].step_details
    return [*details.tool_calls[0].code_interpreter.outputs]


def test_a_log_without_an_index_goes_on_with_an_output_in_one_piece() -> None:
    accumulator = Accumulator()
    accumulator.feed_frame(step_delta("step_1", code(0, "", id="c")))
    accumulator.feed(Series(LOGS, "step_1", (0, [0, 1]), ["a", "b"]))
    accumulator.feed_frame(step_delta("step_1", ran(0, {"type": "logs", "logs": "c"})))
    assert [each.logs for each in outputs(accumulator.snapshot())] == ["a", "bc"]


def test_outputs_in_one_piece_count_where_the_server_has_none_in_the_end() -> None:
    accumulator = Accumulator()
    accumulator.feed_frame(step_delta("step_1", code(0, "", id="c")))
    accumulator.feed(Series(LOGS, "step_1", (0, [0, 1]), ["a", "b"]))
    accumulator.feed_frame(step_completed("step_1", code_call("c", "")))
    assert [each.known for each in accumulator.problems if each.said == "0 outputs"] == [
        "2 outputs"
    ]


def test_a_log_that_says_more_than_text_keeps_it() -> None:
    accumulator = Accumulator()
    accumulator.feed_frame(step_delta("step_1", ran(0, logs(0, "a") | {"new": 1})))
    assert [each.extra for each in outputs(accumulator.snapshot())] == [{"new": 1}]


def test_a_log_goes_on_after_its_end() -> None:
    begun = [step_delta("step_1", ran(0, logs(0, piece))) for piece in "ab"]
    more = Series(LOGS, "step_1", (0, 0), ["c", "d"])
    again = step_delta("step_1", code(0, "a"))
    at_once, one_by_one = both([*begun, step_completed(), again, more, step_completed()])
    assert at_once == one_by_one


NUMBERED: Final = {
    "next": [2, 3, 4],
    "known": [1, 2, 3],
    "missing": [3, 4, 5],
    "again": [2, 2, 3],
    "one missing": [2, 4, 4],
    "none": None,
}


@pytest.mark.parametrize("numbers", NUMBERED)
@pytest.mark.parametrize("name", NAMES)
def test_a_series_has_the_numbers_of_its_deltas(name: str, numbers: str) -> None:
    kinds = ("code_interpreter_call", "function_call", "message", "reasoning")
    for kind, id, opened in product(kinds, ("step_1", "msg_1", ""), (True, False)):
        begun: list[Said] = [RESPONSES[0], item(1, kind)] if opened else []
        begun += [step_delta("step_1", code(1, "a"))] if opened else []
        more = Series(f"response.{name}.delta", id, (0, 0, 0, NUMBERED[numbers]), ["a", "b", "c"])
        parts = Series(more.kind, id, (0, [0, 1, 0], 0, [5, 6, 7]), more.texts)
        at_once, one_by_one = both([*begun, more, more, parts], looks=range(5))
        assert at_once == one_by_one


ENDED: Final = {
    "response": response("completed", 3, response={"id": "resp_1", "object": "response"}),
    "run": frame("thread.run.completed", {"id": "run_1", "status": "completed"}),
}


@pytest.mark.parametrize("end", ENDED)
@pytest.mark.parametrize("numbers", [[1, 2, 3], [2, 3, 4], [4, 5, 6], None])
def test_after_the_end_a_series_is_taken_as_its_deltas_are(
    end: str, numbers: list[int] | None
) -> None:
    begun = [RESPONSES[0], item(1, "code_interpreter_call"), ENDED[end], frame("done", "[DONE]")]
    texts = ["a", "b", "c"]
    for more in (
        Series(CODE, "step_1", (0,), texts),
        Series("response.code_interpreter_call_code.delta", "step_1", (0, 0, 0, numbers), texts),
    ):
        at_once, one_by_one = both([*begun, more], looks=range(5))
        assert at_once == one_by_one
