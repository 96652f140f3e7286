"""What becomes of messages, and where they stand."""

from __future__ import annotations

from typing import Any, Final

import pytest

from streamkit.convert import to_response_items
from tests.converting import DONE, Wire, accept, noted, wire_of

FILE: Final[Wire] = {"type": "image_file", "image_file": {"file_id": "file-1"}}


def message(*content: Wire, id: str = "msg_1", **fields: Any) -> dict[str, Any]:
    """Build a message of the assistant."""
    whole = {"object": "thread.message", "role": "assistant", "status": "completed"}
    return {"id": id, **whole, "content": list(content)} | fields


def text(value: str, *annotations: Wire) -> dict[str, Any]:
    return {"type": "text", "text": {"value": value, "annotations": list(annotations)}}


def creates(id: str, step_id: str = "step_1", **fields: Any) -> dict[str, Any]:
    """Build the step that creates a message."""
    details = {"type": "message_creation", "message_creation": {"message_id": id}}
    return {"id": step_id, **DONE, "step_details": details} | fields


def output(value: str, *annotations: Wire) -> dict[str, Any]:
    return {"type": "output_text", "text": value, "annotations": list(annotations)}


def item(*content: Wire, **fields: Any) -> dict[str, Any]:
    whole = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    return {**whole, "content": list(content)} | fields


NO_URL: Final[Wire] = {"type": "url_citation", "url_citation": {}}
CITED: Final[Wire] = {
    "type": "file_citation",
    "text": "[1]",
    "start_index": 1,
    "end_index": 4,
    "file_citation": {"file_id": "file-1", "quote": "q"},
}
SAVED: Final[Wire] = {"type": "file_path", "text": "a", "file_path": {"file_id": "file-2"}}
LINK: Final[Wire] = {
    "type": "url_citation",
    "text": "[2]",
    "start_index": 0,
    "end_index": 3,
    "url_citation": {"url": "https://x", "title": "X"},
}

# A name, the message, the item if there is one, and what was decided.
MESSAGES: Final[dict[str, tuple[Wire, Wire | None, list[tuple[Any, ...]]]]] = {
    "text": (message(text("a"), text("")), item(output("a"), output("")), []),
    "a text without its text": (message({"type": "text"}), item(output("")), []),
    "refusal": (
        message({"type": "refusal", "refusal": "no"}),
        item({"type": "refusal", "refusal": "no"}),
        [],
    ),
    "an image": (message(FILE, text("a")), item(output("a")), [("left_out", FILE, None)]),
    "only an image": (message(FILE), None, [("left_out", FILE, None), ("empty", None, None)]),
    "nothing": (message(), None, [("empty", None, None)]),
    "another part": (
        message({"type": "audio", "data": "x"}, text("a")),
        item(output("a")),
        [("left_out", {"type": "audio", "data": "x"}, None)],
    ),
    "incomplete": (
        message(text("a"), status="incomplete", incomplete_details={"reason": "max_tokens"}),
        item(output("a"), status="incomplete"),
        [("left_out", {"reason": "max_tokens"}, None)],
    ),
    "in progress": (
        message(text("a"), status="in_progress"),
        item(output("a"), status="incomplete"),
        [("unfinished", "in_progress", "incomplete")],
    ),
    "fragments": (
        message(text("a"), status=None, role=None),
        item(output("a"), status="incomplete"),
        [("role", None, "assistant"), ("unfinished", None, "incomplete")],
    ),
    "another role": (
        message(text("a"), role="tool"),
        item(output("a")),
        [("role", "tool", "assistant")],
    ),
    "attachments": (
        message(text("a"), attachments=[{"file_id": "f"}], metadata={}),
        item(output("a")),
        [("left_out", [{"file_id": "f"}], None)],
    ),
    "an id that would be refused": (
        message(text("a"), id="m1"),
        item(output("a"), id="msg_m1"),
        [("id", "m1", "msg_m1")],
    ),
    "of the user": (
        message(
            text("a"),
            FILE,
            {"type": "image_file", "image_file": {"file_id": "file-2", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "https://x", "detail": "high"}},
            {"type": "image_url"},
            role="user",
        ),
        {
            "type": "message",
            "role": "user",
            "status": "completed",
            "content": [
                {"type": "input_text", "text": "a"},
                {"type": "input_image", "detail": "auto", "file_id": "file-1"},
                {"type": "input_image", "detail": "low", "file_id": "file-2"},
                {"type": "input_image", "detail": "high", "image_url": "https://x"},
            ],
        },
        [("left_out", {"type": "image_url"}, None)],
    ),
    "of the user, and of no status": (
        message(text("a"), role="user", status=None),
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]},
        [],
    ),
}

CITATION: Final[Wire] = {"type": "file_citation", "file_id": "file-1", "filename": "", "index": 4}
PLACE: Final[Wire] = {"start_index": 1, "end_index": 4}
CITATIONS: Final[dict[str, tuple[Wire, Wire | None]]] = {
    "a file": (CITED, CITATION),
    "a file, and where its text is": (
        {name: value for name, value in CITED.items() if not name.endswith("_index")},
        CITATION,
    ),
    "a file, and not where": (
        {"type": "file_citation", "file_citation": {"file_id": "file-1"}},
        CITATION | {"index": 5},
    ),
    "a file, and where makes no sense": (
        CITED | {"start_index": "x", "text": 7},
        CITATION | {"index": 5},
    ),
    "a file, and where is no number": (CITED | {"end_index": True}, CITATION),
    "no file": (CITED | {"file_citation": {}}, None),
    "a path": (SAVED, {"type": "file_path", "file_id": "file-2", "index": 0}),
    "a path of no file": ({"type": "file_path", "text": "a"}, None),
    "a URL": (LINK | PLACE, {"type": "url_citation", "url": "https://x", "title": "X"} | PLACE),
    "a URL without a title": (
        LINK | PLACE | {"url_citation": {"url": "u", "title": 7}},
        {"type": "url_citation", "url": "u", "title": ""} | PLACE,
    ),
    "no URL": (NO_URL, None),
    "another": ({"type": "mood", "mood": "good"}, None),
}


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("has_step", [True, False])
def test_what_becomes_of_a_message(name: str, *, has_step: bool) -> None:
    said, expected, decisions = MESSAGES[name]
    steps = [creates(said["id"], status="in_progress")] if has_step else []
    items = to_response_items({"steps": steps, "messages": [said]})
    assert items == ([expected] if expected else [])
    assert noted(items) == decisions
    for each in items:
        accept(each, own=True)
    for decision in items.report[:-1]:
        assert decision.path.startswith("messages[0]")
        assert decision.message_id == said["id"]
        assert decision.step_id == ("step_1" if has_step else None)


@pytest.mark.parametrize("name", CITATIONS)
def test_what_becomes_of_an_annotation(name: str) -> None:
    said, expected = CITATIONS[name]
    items = to_response_items([message(text("a[1]b", said))])
    assert items == [item(output("a[1]b", *([expected] if expected else [])))]
    assert noted(items) == [("annotation", said, expected)]
    accept(items[0], own=True)


def test_a_cited_file_has_the_name_that_the_search_found() -> None:
    found = {"results": [{"file_id": "file-1", "file_name": "a.md", "score": 1}]}
    steps = [wire_of({"id": "fs_1", "type": "file_search", "file_search": found})]
    items = to_response_items([*steps, message(text("a[1]b", CITED))])
    assert items[1]["content"][0]["annotations"] == [CITATION | {"filename": "a.md"}]


def test_paths_are_numbered() -> None:
    items = to_response_items([message(text("a", NO_URL, CITED, SAVED, SAVED))])
    assert [each["index"] for each in items[0]["content"][0]["annotations"][1:]] == [0, 1]


def test_a_message_is_complete_where_its_step_says_so() -> None:
    said = message(text("a"), status="in_progress")
    items = to_response_items([creates("msg_1"), said])
    assert (items[0]["status"], noted(items)) == ("completed", [])


# The steps, the messages by their ids and roles, and the order of the items.
ORDERS: Final[dict[str, tuple[list[str], list[tuple[str, str]], list[str]]]] = {
    "where their steps are": (
        ["a", "!", "b"],
        [("b", "assistant"), ("a", "assistant")],
        ["a", "!", "b"],
    ),
    "a question comes first": (["!", "a"], [("q", "user"), ("a", "assistant")], ["q", "!", "a"]),
    "questions come first": (["!"], [("p", "user"), ("q", "user")], ["p", "q", "!"]),
    "an answer comes last": (["!"], [("a", "assistant")], ["!", "a"]),
    "a question and an answer": (["!"], [("q", "user"), ("a", "assistant")], ["q", "!", "a"]),
    "a question after an answer": (
        ["a", "!"],
        [("a", "assistant"), ("q", "user"), ("r", "user")],
        ["a", "q", "r", "!"],
    ),
    "all that follows an answer": (["!"], [("a", "assistant"), ("q", "user")], ["!", "a", "q"]),
    "a message said twice": (["a"], [("a", "assistant"), ("a", "assistant")], ["a", "a"]),
}


@pytest.mark.parametrize("name", ORDERS)
def test_the_order_of_messages(name: str) -> None:
    steps, messages, expected = ORDERS[name]
    found = [
        wire_of({"id": "ci_1", "type": "code_interpreter"})
        if id == "!"
        else creates(id, f"step_{id}")
        for id in steps
    ]
    said = [message(text(id), id=id, role=role) for id, role in messages]
    items = to_response_items({"steps": found, "messages": said})
    order = ["!" if each["type"] != "message" else each["content"][0]["text"] for each in items]
    assert order == expected


def test_the_second_step_that_creates_a_message_has_none() -> None:
    items = to_response_items([creates("msg_1"), creates("msg_1", "step_2"), message(text("a"))])
    assert len(items) == 1
    assert noted(items) == [("message_missing", "msg_1", None)]


# What a run waits for

WAITING: Final[Wire] = {
    "id": "run_1",
    "object": "thread.run",
    "status": "requires_action",
    "required_action": {
        "type": "submit_tool_outputs",
        "submit_tool_outputs": {
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ]
        },
    },
}
ASKED: Final[Wire] = {"type": "mcp", "name": "f", "arguments": "{}", "server_label": "s"}
CALL: Final[Wire] = {
    "type": "function_call",
    "call_id": "call_1",
    "name": "f",
    "arguments": "{}",
    "status": "completed",
}


@pytest.mark.parametrize("is_shown", [True, False])
def test_a_call_that_waits_is_whole(*, is_shown: bool) -> None:
    (call,) = WAITING["required_action"]["submit_tool_outputs"]["tool_calls"]
    steps = [wire_of(call) | {"status": "in_progress"}] if is_shown else []
    items = to_response_items({"run": WAITING, "steps": steps, "messages": []})
    assert items == [CALL]
    assert noted(items) == [("unanswered", None, None)]
    path = "steps[0].step_details" if is_shown else "run.required_action"
    assert items.report[0].path == f"{path}.tool_calls[0]"
    accept(items[0], own=True)


def test_what_the_run_says_of_a_call_that_waits_is_told_where_the_step_says_otherwise() -> None:
    shown = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{"}}
    steps = [wire_of(shown) | {"status": "in_progress"}]
    items = to_response_items({"run": WAITING, "steps": steps, "messages": []})
    assert items == [CALL | {"arguments": "{"}]
    (call,) = WAITING["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert noted(items) == [("unanswered", None, None), ("left_out", call, None)]


@pytest.mark.parametrize("is_shown", [True, False])
def test_a_call_that_waits_for_approval_asks_for_it(*, is_shown: bool) -> None:
    asked = {"id": "mcpr_1", **ASKED}
    action = {"type": "submit_tool_approval", "submit_tool_approval": {"tool_calls": [asked]}}
    run = WAITING | {"required_action": action}
    steps = [wire_of(asked | {"output": None}) | {"status": "in_progress"}] if is_shown else []
    items = to_response_items({"run": run, "steps": steps, "messages": []})
    assert items == [asked | {"type": "mcp_approval_request"}]
    assert noted(items) == []
    accept(items[0], own=True)


@pytest.mark.parametrize(("status", "is_output"), [("in_progress", False), ("completed", True)])
def test_an_empty_output_is_one_once_the_step_is_done(status: str, *, is_output: bool) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "output": ""}}
    items = to_response_items([wire_of(call) | {"status": status}])
    assert [item["type"] for item in items] == ["function_call", "function_call_output"][
        : 1 + is_output
    ]
