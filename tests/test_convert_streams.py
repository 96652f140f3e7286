"""Recorded streams as items: those of the Responses API exactly, all accepted, nothing lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

import pytest

from streamkit import Accumulator, Message, RunSnapshot, RunStep, accumulate, to_wire
from streamkit.convert import ResponseItems, Source, to_response_items
from tests.converting import accept, strings, texts
from tests.recorded import OTHERS, OWN, RESPONSES, STREAMS, Legs, every, on_every_stream

ENDS: Final = ("response.completed", "response.incomplete", "response.failed")
SIZES: Final = (1 << 16, 997, 61, 7)


def folded(legs: Legs, size: int = 1 << 16) -> RunSnapshot:
    """Fold legs, in chunks of a size."""
    accumulator = Accumulator()
    for leg in legs:
        for start in range(0, len(leg), size):
            accumulator.feed_bytes(leg[start : start + size])
        accumulator.end()
    return accumulator.snapshot()


def output(legs: Legs) -> list[dict[str, Any]]:
    """What a stream says that its output is, by a reader that knows nothing of this library."""
    said = [
        json.loads(data)
        for leg in legs
        for data in re.findall(rb"^data: (\{.*)$", leg, re.MULTILINE)
    ]
    (final,) = [each["response"] for each in said if each["type"] in ENDS]
    done = [each["item"] for each in said if each["type"] == "response.output_item.done"]
    return list(final.get("output") or done)


@pytest.mark.parametrize("name", every(RESPONSES))
def test_responses_are_given_back_as_they_were(name: str) -> None:
    legs = RESPONSES[name]
    expected = output(legs)
    assert expected
    for size in SIZES:
        items = to_response_items(folded(legs, size))
        assert list(items) == expected
        assert items.report == ()
    assert list(to_response_items(accumulate(legs[0], allow_partial=True))) == expected


@pytest.mark.parametrize("name", every(RESPONSES))
def test_the_steps_of_responses_are_known_without_their_run(name: str) -> None:
    snapshot = folded(RESPONSES[name])
    expected = output(RESPONSES[name])
    structs: list[RunStep | Message] = [*snapshot.steps, *snapshot.messages]
    sources: list[Source] = [structs, to_wire(snapshot), to_wire(structs)]
    for source in sources:
        items = to_response_items(source)
        assert list(items) == expected
        assert items.report == ()


@pytest.mark.parametrize("name", every(RESPONSES))
def test_the_models_take_the_items_of_responses(name: str) -> None:
    for item in to_response_items(folded(RESPONSES[name])):
        accept(item)


@pytest.mark.parametrize("name", every(RESPONSES))
def test_a_response_that_is_cut_gives_what_there_is(name: str) -> None:
    (body,) = RESPONSES[name][:1]
    ends = [match.end() for match in re.finditer(rb"\n\n", body)]
    for end in ends[:: max(1, len(ends) // 25)]:
        snapshot = folded((body[:end],))
        items = to_response_items(snapshot)
        for item in items:
            accept(item)
        assert lost(snapshot, items) == []


def lost(snapshot: RunSnapshot, items: ResponseItems) -> list[str]:
    """Which texts of a snapshot are neither in the items nor in the report."""
    report = [to_wire(decision.said) for decision in items.report]
    kept = {*strings(list(items)), *strings(report)}
    wires = (to_wire(snapshot.steps), to_wire(snapshot.messages))
    return [text for text in chain(*map(texts, wires)) if text not in kept]


def converted(name: str) -> Iterator[tuple[RunSnapshot, ResponseItems]]:
    """Convert a stream, and each of its beginnings that ends with a leg or in the middle."""
    legs = STREAMS[name]
    for count, leg in enumerate(legs):
        before = legs[:count]
        for cut in (len(leg) // 3, len(leg) // 2, len(leg)):
            snapshot = folded((*before, leg[:cut]))
            yield snapshot, to_response_items(snapshot)


@on_every_stream()
def test_the_models_take_the_items_of_runs(name: str) -> None:
    for _, items in converted(name):
        for item in items:
            accept(item, own=True)


@on_every_stream()
def test_nothing_of_a_run_is_lost(name: str) -> None:
    for snapshot, items in converted(name):
        assert lost(snapshot, items) == []


@on_every_stream()
def test_decisions_say_where_they_belong(name: str) -> None:
    for snapshot, items in converted(name):
        known = {step.id for step in snapshot.steps} | {None}
        said = {message.id for message in snapshot.messages} | {None}
        for decision in items.report:
            assert decision.step_id in known
            assert decision.message_id in said
            assert decision.sentence.endswith(".")
            assert (decision.path == "") == (decision.kind == "bookkeeping")


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("report", ["id", "container", "image", "left_out", "annotation", "bookkeeping"]),
        ("file-search", ["id", "queries", "left_out", *["annotation"] * 2, "bookkeeping"]),
        ("parallel-functions", ["bookkeeping"]),
        ("mcp-approval", ["id", "id", "bookkeeping"]),
        ("expired", ["id", "status", "container", "bookkeeping"]),
        ("failed", ["id", "container", "id", "container", "left_out", "bookkeeping"]),
        ("cut", ["id", "container", "unfinished", "bookkeeping"]),
    ],
)
def test_what_is_decided_of_a_recording(name: str, kinds: list[str]) -> None:
    items = to_response_items(folded(OWN[name]))
    assert [decision.kind for decision in items.report] == kinds


TYPES: Final = {
    "three-legs": [*["function_call", "function_call_output"] * 2, "message"],
    "split-logs": ["code_interpreter_call", "code_interpreter_call", "message"],
    "mcp-approval": ["mcp_list_tools", "mcp_call", "message"],
}


@pytest.mark.parametrize("name", TYPES)
def test_the_items_of_a_recording_are_in_its_order(name: str) -> None:
    assert [item["type"] for item in to_response_items(folded(OWN[name]))] == TYPES[name]


def test_there_are_recordings_of_every_origin() -> None:
    assert OWN
    assert bool(OTHERS) == bool(RESPONSES)
