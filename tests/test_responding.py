"""Runs are told as responses: legal streams that come to what they came to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamkit import (
    Accumulator,
    ArgumentsAppended,
    CodeAppended,
    Frame,
    FrameDecoder,
    ImageAdded,
    LogAppended,
    RunSnapshot,
    TextAppended,
    UsageError,
    accumulate,
    to_wire,
)
from streamkit.convert import to_response_items
from streamkit.testing.building import (
    citation,
    code_interpreter,
    file_search,
    found,
    function_call,
    image,
    logs,
    message,
    refusal,
    script,
    step,
    text,
    tool_call,
)
from streamkit.testing.exploding import explode, legs_of
from streamkit.testing.fragments import Cutter
from streamkit.testing.responding import responses_of
from streamkit.testing.strategies import snapshots
from tests.cutting import cuts
from tests.folding import fold
from tests.recorded import RESPONSES, every
from tests.responses_models import misfits
from tests.streams import body

Wire = dict[str, Any]

SIZES: Final = st.none() | st.integers(1, 9) | st.tuples(st.integers(1, 3), st.integers(3, 9))

# Runs of the Assistants API, for all that a response may hold of one.
SCRIPTS: Final = {
    "all": script(
        code_interpreter("print(1)", logs("1\n"), image("file-1"), logs("2\n")),
        function_call("f", {"a": 1}, output="x"),
        message("done, and more"),
    ),
    "search": script(file_search(found("a.txt", "passage")), message("hi")),
    "failed": script("hi", last_error="oops"),
    "incomplete": script("hi", status="incomplete"),
    "cancelled": script("hi", status="cancelled"),
    "expired": script("hi", status="expired"),
    "paused": script("hi", function_call("f", {"a": 1})),
    "answered last": script(function_call("f", output="x")),
    "no words": script("", code_interpreter("")),
    "nothing": script(),
    "remote": script(
        tool_call("mcp", name="x", server_label="s", arguments="{}", output="1"),
        message(refusal("no, not that")),
    ),
    "parallel": script(
        step(function_call("f", output="1"), function_call("g", {"b": 2}, output="2")),
        function_call("h", output="3"),
        message(text("see [1]", citation("[1]", file_id="file-1"))),
    ),
    "mixed": script(
        step(
            function_call("f", output="1"),
            code_interpreter("x", logs("y")),
            function_call("g", output="2"),
        ),
        "so",
    ),
}  # fmt: skip


def payloads(frames: Sequence[Frame]) -> list[Wire]:
    return [json.loads(frame.data) for frame in frames]


def folded(frames: Sequence[Frame]) -> RunSnapshot:
    """Fold frames one by one."""
    accumulator = Accumulator()
    for frame in frames:
        accumulator.feed_frame(frame)
    return accumulator.finish()


def told(run: RunSnapshot, **how: Any) -> list[Frame]:
    return explode(run, dialect="responses", **how)


def url(file_id: str) -> str:
    return f"https://files.test/{file_id}"


def with_images(run: RunSnapshot, size: Any = (1, 8), seed: int = 0) -> list[Frame]:
    """Tell a run, as a server does that can give its images."""
    cutter = Cutter(size, seed, interleave=False)
    return [*chain.from_iterable(responses_of(run, cutter, image_url=url))]


# What other responses are made of: items of every kind, each with a status or without one


def item(kind: str, **fields: Any) -> Wire:
    return {"type": kind, **fields}


URL: Final = item("url_citation", url="https://a.test", title="a", start_index=0, end_index=1)
ITEMS: Final[dict[str, Wire]] = {
    each["id"]: each
    for each in (
        item("code_interpreter_call", id="ci_1", code="1 + 1", container_id="cntr_1",
             outputs=[{"type": "logs", "logs": "2"}, {"type": "image", "url": "https://a.test"}],
             status="completed"),
        item("code_interpreter_call", id="ci_2", code=None, container_id="cntr_1", outputs=None,
             status="failed"),
        item("function_call", id="fc_1", call_id="call_1", name="f", arguments='{"a": 1}',
             status="completed"),
        item("custom_tool_call", id="ctc_1", call_id="call_2", name="g", input="some input"),
        item("file_search_call", id="fs_1", queries=["a", "b"], status="completed",
             results=[{"file_id": "file_1", "filename": "a", "score": 0.5, "text": "b"}]),
        item("web_search_call", id="ws_1", status="completed",
             action={"type": "search", "query": "a"}),
        item("mcp_call", id="mcp_1", name="f", server_label="s", arguments="{}", output="1",
             status="completed"),
        item("mcp_call", id="mcp_2", name="f", server_label="s", arguments="{}", output=None,
             error={"type": "http_error", "code": 500, "message": "no"}, status="failed"),
        item("mcp_call", id="mcp_3", name="f", server_label="s", arguments="{}", output="x"),
        item("mcp_list_tools", id="mcpl_1", server_label="s", tools=[]),
        item("mcp_approval_request", id="mcpr_1", name="f", server_label="s", arguments="{}"),
        item("image_generation_call", id="ig_1", result="aGVsbG8=", status="completed"),
        item("reasoning", id="rs_1", summary=[
            {"type": "summary_text", "text": "first I think"},
            {"type": "summary_text", "text": "then I act"},
        ]),
        item("reasoning", id="rs_2", summary=[], status="completed", encrypted_content="abc",
             content=[{"type": "reasoning_text", "text": "all of it"}]),
        item("message", id="msg_1", role="assistant", status="completed", content=[
            {"type": "output_text", "text": "so it is", "annotations": [URL], "logprobs": []},
            {"type": "refusal", "refusal": "no more"},
        ]),
        item("message", id="msg_2", role="assistant", status="incomplete", content=[]),
        item("compaction", id="cmp_1", encrypted_content="abc"),
    )
}  # fmt: skip
RESPONSE: Final[Wire] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_700_000_000,
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "model": "gpt-4o",
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
}


def ended(*items: Wire, id: str = "resp_1", status: str = "completed") -> Frame:
    """The last frame of a response, which says all of it."""
    name = f"response.{status}"
    response = RESPONSE | {"id": id, "status": status, "output": [*items]}
    return Frame(name, json.dumps({"type": name, "response": response}).encode())


responses = st.builds(
    lambda items, status: accumulate([ended(*items, status=status)]),
    st.lists(st.sampled_from([*ITEMS.values()]), unique_by=lambda each: each["id"]),
    st.sampled_from(["completed", "incomplete", "failed", "cancelled"]),
)


# The inverse of the fold


@settings(max_examples=100)
@given(run=responses, size=SIZES, seed=st.integers(0, 99), interleave=st.booleans())
def test_the_fold_puts_together_what_was_cut(
    run: RunSnapshot, size: Any, seed: int, *, interleave: bool
) -> None:
    frames = explode(run, size=size, seed=seed, interleave=interleave)
    assert folded(frames) == run
    assert accumulate(frames) == accumulate(iter(frames)) == run
    assert explode(run, size=size, seed=seed, interleave=interleave) == frames


@pytest.mark.parametrize("id", ITEMS)
def test_each_kind_of_item(id: str) -> None:
    run = accumulate([ended(ITEMS[id])])
    frames = explode(run, size=2)
    for chunks in cuts(body(frames)):
        assert fold(chunks).snapshot == run
    assert [*to_response_items(run)] == [ITEMS[id]]
    assert [misfits(frame) for frame in frames] == [[]] * len(frames)


@pytest.mark.parametrize("interleave", [False, True])
@pytest.mark.parametrize("name", every(RESPONSES))
def test_recordings(name: str, *, interleave: bool) -> None:
    run = accumulate(RESPONSES[name][0])
    for seed in range(3):
        frames = explode(run, seed=seed, interleave=interleave)
        assert folded(frames) == run
    # Older ones lack what newer models want; nothing but that is missing here.
    lacking = set(chain.from_iterable(map(misfits, FrameDecoder().feed(RESPONSES[name][0]))))
    assert set(chain.from_iterable(map(misfits, frames))) <= lacking


def test_several_responses_of_a_conversation() -> None:
    run = accumulate([
        ended(ITEMS["fc_1"], ITEMS["rs_1"], id="resp_a"),
        ended(ITEMS["ci_1"], id="resp_b"),
        ended(ITEMS["msg_1"], id="resp_c", status="incomplete"),
    ])  # fmt: skip
    frames = explode(run, interleave=True)
    assert folded(frames) == accumulate(frames) == run
    first, last = legs_of(frames)
    assert [each["response"]["id"] for each in (payloads(first)[-1], payloads(last)[-1])] == [
        "resp_c_before", "resp_c",
    ]  # fmt: skip
    assert payloads(first)[-1]["response"]["status"] == "completed"


def test_an_item_without_an_id() -> None:
    run = accumulate([ended({name: ITEMS["fc_1"][name] for name in ("type", "name", "arguments", "call_id")})])  # fmt: skip  # noqa: E501
    frames = explode(run)
    assert folded(frames) == run
    assert not any("item_id" in each for each in payloads(frames))


# The order of things


def order(frames: Sequence[Frame]) -> list[str]:
    """The events' names, each once where it repeats."""
    names = (frame.event.removeprefix("response.") for frame in frames)
    return [name for name, _ in groupby(names)]


ORDERS: Final = {
    "ci_1": [
        "code_interpreter_call.in_progress",
        "code_interpreter_call_code.delta",
        "code_interpreter_call_code.done",
        "code_interpreter_call.interpreting",
        "code_interpreter_call.completed",
    ],
    "ci_2": ["code_interpreter_call.in_progress", "code_interpreter_call.interpreting"],
    "fc_1": ["function_call_arguments.delta", "function_call_arguments.done"],
    "ctc_1": ["custom_tool_call_input.delta", "custom_tool_call_input.done"],
    "fs_1": [
        "file_search_call.in_progress",
        "file_search_call.searching",
        "file_search_call.completed",
    ],
    "mcp_1": [
        "mcp_call.in_progress",
        "mcp_call_arguments.delta",
        "mcp_call_arguments.done",
        "mcp_call.completed",
    ],
    "mcp_2": [
        "mcp_call.in_progress",
        "mcp_call_arguments.delta",
        "mcp_call_arguments.done",
        "mcp_call.failed",
    ],
    "mcp_3": ["mcp_call_arguments.delta", "mcp_call_arguments.done"],
    "rs_1": [
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
    ]
    * 2,
    "msg_1": [
        "content_part.added",
        "output_text.delta",
        "output_text.annotation.added",
        "output_text.done",
        "content_part.done",
        "content_part.added",
        "refusal.delta",
        "refusal.done",
        "content_part.done",
    ],
    "msg_2": [],
    "cmp_1": [],
}


@pytest.mark.parametrize("id", ORDERS)
def test_the_order_of_a_response(id: str) -> None:
    frames = explode(accumulate([ended(ITEMS[id])]))
    inner = ["output_item.added", *ORDERS[id], "output_item.done"]
    assert order(frames) == ["created", "in_progress", *inner, "completed"]


@pytest.mark.parametrize("name", every(RESPONSES))
def test_the_order_is_that_of_real_streams(name: str) -> None:
    real = FrameDecoder().feed(RESPONSES[name][0])
    mine = explode(accumulate(RESPONSES[name][0]))
    assert order(mine) == order(real)


@pytest.mark.parametrize("interleave", [False, True])
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_numbers_of_events(name: str, *, interleave: bool) -> None:
    for leg in legs_of(told(SCRIPTS[name], interleave=interleave)):
        said = payloads(leg)
        assert [each["sequence_number"] for each in said] == [*range(len(said))]
        assert [each["type"] for each in said] == [frame.event for frame in leg]


def test_items_are_mixed_and_each_stays_in_its_order() -> None:
    run = accumulate([ended(ITEMS["ci_1"], ITEMS["ctc_1"], ITEMS["fc_1"])])
    frames = explode(run, size=1, seed=3, interleave=True)
    places = [each["output_index"] for each in payloads(frames) if "output_index" in each]
    assert len([*groupby(places)]) > 9
    for place in range(3):
        own = [each for each in payloads(frames) if each.get("output_index", place) == place]
        alone = payloads(explode(run, size=1))
        assert [each["type"] for each in own] == [
            each["type"] for each in alone if each.get("output_index", place) == place
        ]


# Runs of the Assistants API


def place(change: Any) -> tuple[Any, ...]:
    """Where a text lies, by the ids of this dialect."""
    names = ("step_id", "message_id", "call_index", "output_index", "content_index")
    return tuple(getattr(change, name, None) for name in names)


def texts(changes: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """What is told of a run, kind by kind in order, but for how it was cut."""
    kinds: dict[type, str] = {
        CodeAppended: "code",
        ArgumentsAppended: "arguments",
        LogAppended: "log",
        TextAppended: "text",
    }
    pieces = [(kinds[type(each)], place(each), each) for each in changes if type(each) in kinds]
    for (kind, _), group in groupby(pieces, key=lambda piece: piece[:2]):
        yield kind, "".join(each.text for *_, each in group)


@pytest.mark.parametrize("name", SCRIPTS)
def test_payloads_are_those_of_the_api(name: str) -> None:
    frames = told(SCRIPTS[name], seed=1, interleave=True) + with_images(SCRIPTS[name])
    assert [misfits(frame) for frame in frames] == [[]] * len(frames)


@pytest.mark.parametrize("size", [1, (1, 8), None])
@pytest.mark.parametrize("name", SCRIPTS)
def test_both_dialects_tell_the_same(name: str, size: Any) -> None:
    run = SCRIPTS[name]
    here: list[Any] = []
    there: list[Any] = []
    accumulate(explode(run, size=size), here.append, allow_partial=True)
    snapshot = accumulate(with_images(run, size), there.append, allow_partial=True)
    assert [*texts(there)] == [*texts(here)]
    images = [url(each.file_id or "") for each in here if isinstance(each, ImageAdded)]
    assert [each.url for each in there if isinstance(each, ImageAdded)] == images
    assert snapshot.problems == ()


def without_ids(items: Sequence[Wire]) -> list[Wire]:
    return [{name: each[name] for name in each if name != "id"} for each in items]


def is_output(each: Wire) -> bool:
    """Whether an item is received, and not sent."""
    return each["type"] != "function_call_output" and each.get("role") != "user"


@settings(max_examples=100)
@given(run=snapshots(), size=SIZES, seed=st.integers(0, 99), interleave=st.booleans())
def test_any_run_comes_to_the_items_that_it_is_converted_to(
    run: RunSnapshot, size: Any, seed: int, *, interleave: bool
) -> None:
    legs = legs_of(told(run, size=size, seed=seed, interleave=interleave))
    snapshot = accumulate([*chain.from_iterable(legs)])
    assert snapshot.problems == ()
    wanted = without_ids([each for each in to_response_items(run) if is_output(each)])
    assert without_ids(to_response_items(snapshot)) == wanted
    whole = [each["response"] for leg in legs for each in payloads(leg)[-1:]]
    assert without_ids([item for each in whole for item in each["output"]]) == wanted
    assert [each["previous_response_id"] for each in whole] == [
        None,
        *(each["id"] for each in whole[:-1]),
    ]


LEGS: Final[dict[str, list[list[str]]]] = {
    "all": [["code_interpreter_call", "function_call"], ["message"]],
    "paused": [["message", "function_call"]],
    "answered last": [["function_call"], []],
    "parallel": [["function_call", "function_call"], ["function_call"], ["message"]],
    "mixed": [["function_call", "code_interpreter_call", "function_call"], ["message"]],
    "nothing": [[]],
}


@pytest.mark.parametrize("name", LEGS)
def test_a_response_ends_where_functions_are_answered(name: str) -> None:
    run = SCRIPTS[name]
    legs = [payloads(leg)[-1]["response"] for leg in legs_of(told(run))]
    assert [[each["type"] for each in leg["output"]] for leg in legs] == LEGS[name]
    (one,) = legs_of(told(run, legs=False))
    types = [each["type"] for each in payloads(one)[-1]["response"]["output"]]
    assert types == [*chain.from_iterable(LEGS[name])]


ENDINGS: Final[dict[str, tuple[str, Wire]]] = {
    "all": ("completed", {"error": None, "incomplete_details": None}),
    "paused": ("completed", {"error": None, "incomplete_details": None}),
    "failed": ("failed", {"error": {"code": "server_error", "message": "oops"}}),
    "incomplete": ("incomplete", {"incomplete_details": {"reason": "max_output_tokens"}}),
    "cancelled": ("cancelled", {"error": None, "incomplete_details": None}),
    "expired": ("incomplete", {"error": None, "incomplete_details": None}),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_what_a_run_came_to(name: str) -> None:
    run = SCRIPTS[name]
    status, fields = ENDINGS[name]
    *_, last = told(run)
    response = json.loads(last.data)["response"]
    assert (last.event, response["status"]) == (f"response.{status}", status)
    assert {each: response[each] for each in fields} == fields
    usage = to_wire(run)["run"]["usage"] or {}
    tokens = response["usage"] or {}
    for theirs, ours in [("input", "prompt"), ("output", "completion"), ("total", "total")]:
        assert tokens.get(f"{theirs}_tokens") == usage.get(f"{ours}_tokens")


# What is refused


@pytest.mark.parametrize(
    ("run", "how", "said"),
    [
        (SCRIPTS["all"], {"dialect": "chat"}, "one of assistants, responses, not 'chat'"),
        (accumulate([ended()]), {"dialect": "assistants"}, "a response is told as one"),
        (script(message("\ud83d")), {"dialect": "responses"}, "resp_1 holds half a character"),
        (accumulate([ended()][:0], allow_partial=True), {}, "'truncated'"),
    ],
)  # fmt: skip
def test_what_is_refused(run: RunSnapshot, how: Any, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        explode(run, **how)
