"""Events of the Responses API in wrong shapes: an error that says where, or a value."""

from __future__ import annotations

import contextlib
import copy
import json
import random
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamkit import (
    Accumulator,
    DecodeError,
    Frame,
    LimitError,
    PeerError,
    ResponseStreamEvent,
    UnknownEvent,
    accumulate,
    decode,
    encode_frame,
    to_wire,
)
from tests.answering import (
    ITEM,
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
    note,
    numbered,
    output_text,
    part_added,
    reasoning_item,
    response,
    text_delta,
    thought,
)
from tests.folding import fold_every_way
from tests.promise import check_promise
from tests.recorded import RESPONSES, every, read
from tests.streams import Wire, body, frame, without

CODE: Final = code_item()
TEXT: Final[Wire] = {"item_id": ITEM, "output_index": 0, "delta": "a", "content_index": 0}
PART: Final[Wire] = {"item_id": ITEM, "output_index": 0, "content_index": 0}
DELTA: Final = "response.output_text.delta"

# The event, its payload, and what the error says of it.
WRONG: Final[list[tuple[str, Any, str]]] = [
    ("created", {}, r"\$\.response: expected an object, got null"),
    ("completed", {"response": []}, r"\$\.response: expected an object, got an array"),
    ("created", {"response": {"status": "x"}}, r"\$\.response\.id: expected a value, got nothing"),
    ("created", {"response": {"id": 7}}, r"\$\.response\.id: expected a string, got a number"),
    ("completed", {"response": response("completed", 7)}, r"\$\.response\.output\[0\]: .* got 7"),  # type: ignore[arg-type]
    (
        "completed",
        {"response": response("completed", CODE, CODE | {"code": 7})},
        r"\$\.response\.output\[1\]\.code: expected a string, got a number",
    ),
    ("output_item.added", {"output_index": 0}, r"\$\.item: expected an object, got None"),
    ("output_item.done", {"item": "x"}, r"\$\.item: expected an object, got 'x'"),
    ("output_item.done", {"item": CODE | {"id": 7}}, r"\$\.item\.id: expected a string"),
    ("output_item.done", {"item": CODE | {"code": []}}, r"\$\.item\.code: expected a string"),
    ("output_item.done", {"item": CODE | {"outputs": 7}}, r"\$\.item\.outputs: expected an array"),
    (
        "output_item.done",
        {"item": CODE | {"outputs": [{"type": "logs", "logs": 7}]}},
        r"\$\.item\.outputs\[0\]\.logs: expected a string",
    ),
    (
        "output_item.done",
        {"item": CODE | {"outputs": [{"type": "image", "url": 7}]}},
        r"\$\.item\.outputs\[0\]\.url: expected a string",
    ),
    (
        "output_item.done",
        {"item": function_item() | {"arguments": {}}},
        r"\$\.item\.arguments: expected a string, got an object",
    ),
    (
        "output_item.done",
        {"item": message_item() | {"content": "Hello"}},
        r"\$\.item\.content: expected an array, got a string",
    ),
    (
        "output_item.done",
        {"item": message_item(output_text("a") | {"text": 7})},
        r"\$\.item\.content\[0\]\.text: expected a string",
    ),
    ("output_text.delta", TEXT | {"delta": 7}, r"\$\.delta: expected a string, got 7"),
    ("output_text.delta", TEXT | {"delta": None}, r"\$\.delta: expected a string, got None"),
    ("output_text.delta", without(TEXT, "delta"), r"\$\.delta: expected a string, got None"),
    ("output_text.delta", TEXT | {"item_id": 7}, r"\$\.item_id: expected a string, got 7"),
    ("output_text.delta", without(TEXT, "item_id", "output_index"), r"\$\.item_id: expected"),
    ("output_text.done", PART | {"text": 7}, r"\$\.text: expected a string, got 7"),
    ("function_call_arguments.done", PART, r"\$\.arguments: expected a string, got None"),
    ("content_part.added", PART, r"\$\.part: expected an object, got None"),
    (
        "content_part.done",
        PART | {"part": output_text("a") | {"text": []}},
        r"\$\.part\.text: expected a string, got an array",
    ),
    (
        "reasoning_summary_part.done",
        PART | {"part": {"type": "summary_text", "text": 7}},
        r"\$\.part\.text: expected a string, got 7",
    ),
    (
        "output_text.annotation.added",
        PART | {"annotation": []},
        r"\$\.annotation: expected an obj",
    ),
    ("output_text.delta", [], r"\$: expected an object, got b'\[\]'"),
]


@pytest.mark.parametrize(("kind", "payload", "said"), WRONG)
def test_a_wrong_shape_is_an_error_that_says_where(kind: str, payload: Any, said: str) -> None:
    with pytest.raises(DecodeError, match=rf"event 'response\.{kind}', {said}"):
        decode(frame(f"response.{kind}", payload))
    chunk = encode_frame(created())
    with pytest.raises(DecodeError, match=rf"response\.{kind}', byte {len(chunk)}, {said}"):
        accumulate(chunk + encode_frame(frame(f"response.{kind}", payload)))


@pytest.mark.parametrize("data", [b'{"delta": ', b"plain text", b'{"delta": "\xff'])
def test_what_is_no_json_is_an_error(data: bytes) -> None:
    with pytest.raises(DecodeError, match=r"event 'response\.output_text\.delta'.*not JSON"):
        decode(Frame(DELTA, data))


def test_an_event_without_data_means_nothing() -> None:
    assert decode(Frame(DELTA, b" ")) == UnknownEvent(DELTA, "")


# Odd, but taken


ODD: Final = [
    pytest.param({"content_index": "0"}, id="a text"),
    pytest.param({"content_index": -1}, id="negative"),
    pytest.param({"content_index": [0]}, id="a list"),
]


@pytest.mark.parametrize("fields", ODD)
def test_an_index_that_is_none_is_a_guess(fields: Wire) -> None:
    delta = frame(DELTA, TEXT | fields)
    folded = fold_every_way([created(), added(message_item()), text_delta("A"), delta])
    assert item_of(folded.snapshot)["content"][0]["text"] == "Aa"
    assert [each.kind for each in folded.snapshot.problems] == ["index_invalid"]
    thoughts = [
        event("reasoning_summary_text.delta", item_id=ITEM, delta="a", summary_index=index)
        for index in (0, *(fields.values()))
    ]
    folded = fold_every_way([created(), added(reasoning_item()), *thoughts])
    assert item_of(folded.snapshot)["summary"][0]["text"] == "aa"
    assert [each.kind for each in folded.snapshot.problems] == ["index_invalid"]


@pytest.mark.parametrize("index", [{}, {"content_index": None}, {"content_index": 0.0}])
def test_an_index_may_be_left_out(index: Wire) -> None:
    delta = frame(DELTA, without(TEXT, "content_index") | {"type": DELTA} | index)
    parts = [text_delta("A"), text_delta("B", part=1)]
    folded = fold_every_way([created(), added(message_item()), *parts, delta])
    assert [each["text"] for each in item_of(folded.snapshot)["content"]] == ["Aa", "B"]
    assert folded.snapshot.problems == ()


@pytest.mark.parametrize(
    "said",
    [
        text_delta("a", part=2000),
        note({"type": "file_path", "file_id": "f"}, 2000),
        thought("a", 2000),
        part_added(output_text(""), index=2000),
    ],
)
def test_an_index_far_past_the_end_is_refused(said: Frame) -> None:
    accumulator = Accumulator()
    for each in (
        created(),
        added(message_item() if b"summary" not in said.data else reasoning_item()),
    ):
        accumulator.feed_frame(each)
    with pytest.raises(LimitError, match=r"Limits\.index_gap"):
        accumulator.feed_frame(said)


def test_a_character_in_two_halves_is_one() -> None:
    halves = [text_delta("\ud83d"), text_delta("\ude00"), code_delta("\ud83d", "item_b", 1)]
    begun = [created(), added(message_item()), added(code_item(id="item_b"), 1)]
    folded = fold_every_way([*begun, *halves, code_delta("\ude00", "item_b", 1)])
    message, code = items_of(folded.snapshot)
    assert (message["content"][0]["text"], code["code"]) == ("\U0001f600", "\U0001f600")


def test_half_a_character_at_the_end_of_reasoning_is_told() -> None:
    end = reasoning_item("a\ufffd")
    folded = fold_every_way([created(), added(reasoning_item()), thought("a\ud83d")])
    assert item_of(folded.snapshot) == end


def test_half_a_character_is_told_before_its_step_is_done() -> None:
    said = [added(reasoning_item()), thought("a\ud83d"), finished(reasoning_item())]
    folded = fold_every_way([created(), *said, completed()])
    check_promise(folded.changes, folded.snapshot, legs=1)
    assert item_of(folded.snapshot) == reasoning_item("a\ufffd")
    assert [each.kind for each in folded.snapshot.problems] == ["content_shrunk"]


def test_a_fragment_of_another_kind_is_a_problem() -> None:
    said = event("function_call_arguments.delta", item_id=ITEM, output_index=0, delta="{}")
    folded = fold_every_way([created(), added(code_item()), code_delta("1"), said, said])
    assert [each.kind for each in folded.snapshot.problems] == ["type_changed"]
    assert item_of(folded.snapshot)["arguments"] == "{}{}"


def test_an_unknown_event_is_a_value() -> None:
    said = decode(event("oracle.spoke", sequence_number=3, output_index=1))
    payload = {"type": "response.oracle.spoke", "sequence_number": 3, "output_index": 1}
    unknown = UnknownEvent("response.oracle.spoke", payload)
    assert said == ResponseStreamEvent("response.oracle.spoke", (unknown,), 3, 1)


# Anything at all: what comes out is an error of the peer, or a snapshot that can be written


STREAM: Final = numbered(
    [
        created(),
        added(CODE),
        code_delta("print("),
        event("code_interpreter_call.interpreting", item_id=ITEM, output_index=0),
        event("code_interpreter_call_code.done", item_id=ITEM, output_index=0, code="print(1)"),
        finished(CODE | {"code": "print(1)", "outputs": [{"type": "image", "url": "u"}]}),
        added(message_item(id="item_m"), 1),
        part_added(output_text(""), "item_m", 1),
        text_delta("a", "item_m", 1),
        note({"type": "file_citation", "file_id": "f", "index": 1}, id="item_m"),
        finished(message_item(output_text("a"), id="item_m"), 1),
        added(reasoning_item(id="item_r"), 2),
        thought("a", id="item_r"),
        finished(reasoning_item("a", id="item_r"), 2),
        added({"id": "item_s", "type": "file_search_call", "queries": [], "results": None}, 3),
        finished(
            {
                "id": "item_s",
                "type": "file_search_call",
                "queries": ["a"],
                "results": [{"file_id": "f", "filename": "a", "text": "b", "score": 1}],
            },
            3,
        ),
        completed(CODE, message_item(output_text("a"), id="item_m")),
    ]
)

JUNK: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    0,
    7,
    1e300,
    "",
    "text",
    [],
    {},
    [{}],
    {"type": "logs"},
    "\ud800",
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container and key in a value."""
    items: Any = ()
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, inner in items:
        yield value, key
        yield from places(inner)


def mutated(payload: Any, source: random.Random) -> Any:
    """Change something in a payload."""
    payload = copy.deepcopy(payload)
    container, key = source.choice(list(places(payload)))
    if source.random() < 0.2:
        del container[key]
    elif source.random() < 0.2 and isinstance(container, dict):
        other = source.choice([*container, "id", "type", "item_id", "call_id", "status", "index"])
        container[other] = container.pop(key)
    else:
        container[key] = source.choice(JUNK)
    return payload


def survives(frames: list[Frame]) -> None:
    """Fold frames, frame by frame and as bytes: nothing but an error of the peer may come."""
    accumulator, other = Accumulator(), Accumulator()
    with contextlib.suppress(PeerError):
        for each in frames:
            accumulator.feed_frame(each)
    with contextlib.suppress(PeerError):
        other.feed_bytes(body(frames))
    assert other.snapshot() == accumulator.snapshot()
    assert all(step.id for step in accumulator.steps)
    json.dumps(to_wire(accumulator.snapshot()))


@given(st.integers(0, 2**64))
@settings(max_examples=400, deadline=None)
def test_nothing_but_an_error_of_the_peer_comes_of_anything(seed: int) -> None:
    source = random.Random(seed)
    frames = list(STREAM)
    for _ in range(source.randint(1, 3)):
        at = source.randrange(len(frames))
        frames[at] = frame(frames[at].event, mutated(json.loads(frames[at].data), source))
    survives(frames)


@pytest.mark.parametrize("name", every(RESPONSES))
def test_nothing_but_an_error_of_the_peer_comes_of_a_broken_recording(name: str) -> None:
    said = [(name, json.loads(data)) for name, data in read(RESPONSES[name][0])]
    rare = [each for each in said if not each[0].endswith(".delta")]
    for seed in range(60):
        source = random.Random(seed)
        frames = [frame(*each) for each in rare]
        at = source.randrange(len(frames))
        frames[at] = frame(rare[at][0], mutated(rare[at][1], source))
        survives(frames)
