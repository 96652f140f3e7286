"""`explode` cuts what is odd, as long as a legal stream comes to it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamkit import accumulate, to_wire
from streamkit.testing.building import (
    script,
)
from streamkit.testing.exploding import explode
from streamkit.testing.wire import snapshot_from_wire
from tests.exploded import PLOT, Wire, calls_step, events, folded, payload, snapshot

# What is odd


@pytest.mark.parametrize("status", ["completed", "in_progress", "new", None])
@pytest.mark.parametrize(
    "calls",
    [
        [],
        [{"type": "function", "id": None}],
        [{"type": "function", "function": {"name": None, "arguments": "{", "output": ""}}],
        [{"id": "a", "type": "function", "function": {"name": "f"}}] * 2,
        [{"id": "a", "type": "mcp"}, {"id": "a", "type": "function", "function": {}}],
        [{"id": "a"}, {"id": None}, {"type": None}, {}],
        [{"id": "a", "type": "mcp", "index": 7, "arguments": "{}"}],
        [{"id": "a", "type": "x", "deep": {"arguments": "12", "b": {"arguments": "34"}}}],
        [{"id": "a", "type": "x", "list": [{"arguments": "12"}], "arguments": {"a": 1}}],
        [{"type": "code_interpreter", "code_interpreter": {"input": None, "outputs": None}}],
        [{"type": "code_interpreter", "code_interpreter": {"input": "\ufffd", "outputs": []}}],
        [{"type": "code_interpreter", "code_interpreter": {"outputs": [{}, {"type": "logs"}]}}],
        [{"type": "file_search", "file_search": {"results": None, "ranking_options": None}}],
    ],
    ids=repr,
)
def test_odd_calls(calls: list[Wire], status: Any) -> None:
    run = snapshot(calls_step(*calls, status=status))
    assert folded(explode(run, size=1)) == run


@pytest.mark.parametrize("status", ["completed", "in_progress", None])
@pytest.mark.parametrize(
    "details",
    [
        None,
        {"type": "tool_calls"},
        {"type": "tool_calls", "tool_calls": None},
        {"type": "message_creation", "message_creation": None},
        {"type": "message_creation", "message_creation": {"message_id": "nowhere"}},
        {"type": "activities", "activities": [{"tools": {"a": {"parameters": {}}}}]},
        {"type": "mcp", "tool_calls": [{"id": "a", "type": "mcp"}]},
        {"message_creation": 5, "type": "new"},
    ],
    ids=repr,
)
def test_odd_steps(details: Any, status: Any) -> None:
    whole = {"id": "step_1", "status": status, "step_details": details, "new": {"a": None}}
    for left in (whole, {name: value for name, value in whole.items() if value is not None}):
        run = snapshot(left)
        assert folded(explode(run)) == run


@pytest.mark.parametrize("status", ["completed", "incomplete", "cancelled", "in_progress", None])
@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        [{"type": "text"}, {"type": "text", "text": None}, {"type": "text", "text": {}}],
        [{"type": "text", "text": {"value": None, "annotations": None}}],
        [{"type": "text", "text": {"value": "", "annotations": [{"index": 3, "type": "new"}]}}],
        [
            {"type": "refusal"},
            {"type": "refusal", "refusal": None},
            {"type": "refusal", "refusal": ""},
        ],
        [{"type": "image_file"}, {"type": "image_url", "image_url": {"url": None}}],
        [{"type": "audio", "audio": {"arguments": "not of a call"}}],
        [{}, {"type": None, "new": 1}],
    ],
    ids=repr,
)
def test_odd_messages(content: Any, status: Any) -> None:
    run = snapshot(messages=[{"id": "msg_1", "status": status, "content": content}])
    assert folded(explode(run, size=1)) == run


def creation(step_id: str, message_id: str) -> Wire:
    details = {"type": "message_creation", "message_creation": {"message_id": message_id}}
    return {"id": step_id, "status": "completed", "step_details": details}


@pytest.mark.parametrize(
    ("steps", "messages", "order"),
    [
        ([], ["a", "b"], "a b"),
        ([("1", "a"), ("2", "b")], ["a", "b"], "1 a 2 b"),
        ([("1", "b"), ("2", "a")], ["a", "b"], "a 1 b 2"),
        ([("1", "b")], ["a", "b", "c"], "a 1 b c"),
        ([("1", "x"), ("2", "a")], ["a"], "1 2 a"),
        ([("1", "a"), ("2", "a")], ["a"], "1 a 2"),
    ],
)
def test_messages_keep_their_order_and_stay_with_their_steps(
    steps: list[tuple[str, str]], messages: list[str], order: str
) -> None:
    wholes = [{"id": name, "status": "completed", "content": []} for name in messages]
    run = snapshot(*(creation(*each) for each in steps), messages=wholes)
    frames = explode(run)
    assert folded(frames) == run
    created = [payload(frame)["id"] for frame in frames if frame.event.endswith(".created")][1:]
    assert " ".join(created) == order


def test_the_message_of_a_step_is_told_before_its_end() -> None:
    names = events(explode(script("Hello")))
    assert names.index("message.completed") < names.index("run.step.completed")


def test_problems_are_not_repeated() -> None:
    whole = to_wire(PLOT) | {"problems": [{"kind": "reopened", "step_id": "step_1"}]}
    run = snapshot_from_wire(whole)
    assert run.problems
    assert accumulate(explode(run)) == PLOT


def test_numbers_that_json_does_not_know() -> None:
    call = {"id": "a", "type": "new", "n": float("inf"), "big": 2**70}
    run = snapshot(calls_step(call))
    assert accumulate(explode(run)) == run
    nan = snapshot(calls_step(call | {"n": float("nan")}))
    assert "NaN" in json.dumps(to_wire(accumulate(explode(nan))))
