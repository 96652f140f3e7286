"""A run from its JSON: what `to_wire` gives, loaded again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamkit import Accumulator, RunSnapshot, UsageError, to_wire
from streamkit.testing.wire import snapshot_from_wire
from tests.recorded import ODD, STREAMS, on_every_stream


@on_every_stream(but=(ODD,))
def test_every_run_comes_back(name: str) -> None:
    accumulator = Accumulator()
    for leg in STREAMS[name]:
        accumulator.feed_bytes(leg)
        accumulator.end()
    run = accumulator.snapshot()
    assert snapshot_from_wire(json.loads(json.dumps(to_wire(run)))) == run


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("completed", "complete"),
        ("failed", "complete"),
        ("incomplete", "complete"),
        ("requires_action", "paused"),
        ("in_progress", "open"),
        (None, "open"),
    ],
)
def test_the_outcome_is_the_runs_where_it_is_not_said(status: Any, outcome: str) -> None:
    said = {"run": {"id": "run_1", "status": status}}
    assert snapshot_from_wire(said).outcome == outcome
    assert snapshot_from_wire(said | {"outcome": "error"}).outcome == "error"


def test_what_is_left_out_is_empty() -> None:
    assert snapshot_from_wire({"steps": []}) == RunSnapshot()
    assert snapshot_from_wire({"run": None, "steps": None, "legs": 3}) == RunSnapshot()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "this is no run"),
        ({}, "this is no run"),
        ({"id": "run_1"}, "this is no run"),
        ({"run": []}, r"^\$\.run: expected an object, got an array"),
        ({"run": {}}, r"^\$\.run\.id: expected a value, got nothing"),
        ({"steps": {}}, r"^\$\.steps: expected an array"),
        ({"steps": "ab"}, r"^\$\.steps: expected an array"),
        (
            {"steps": [{"id": "a"}, {"id": "b", "step_details": {"tool_calls": 5}}]},
            r"^\$\.steps\[1\]\.step_details\.tool_calls: expected an array, got a number",
        ),
        ({"messages": [1]}, r"^\$\.messages\[0\]: expected an object"),
        ({"steps": [], "outcome": "done"}, r"^\$\.outcome: 'done' is no outcome; .* truncated"),
        ({"steps": [], "problems": [{"kind": "new"}]}, r"^\$\.problems: Invalid enum"),
    ],
)
def test_what_is_no_run(value: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        snapshot_from_wire(value)
