"""What becomes of each thing that a run can hold, as tables."""

from __future__ import annotations

from typing import Any, Final

import pytest

from streamkit.convert import UNKNOWN_CONTAINER
from tests.converting import (
    CODE,
    CONTAINER,
    IMAGE,
    Wire,
    code,
    converted,
    function,
    noted,
    wire_of,
)

Row = tuple[Wire, list[Wire], list[tuple[Any, ...]]]

ITEM: Final[Wire] = {
    "id": "ci_1",
    "type": "code_interpreter_call",
    "status": "completed",
    "code": None,
    "container_id": UNKNOWN_CONTAINER,
    "outputs": None,
}


LOGS: Final[Wire] = {"type": "logs", "logs": "1\n"}

CODES: Final[dict[str, Row]] = {
    "nothing is known": (wire_of(CODE), [ITEM], [CONTAINER]),
    "code": (code(input="1"), [ITEM | {"code": "1"}], [CONTAINER]),
    "empty code": (code(input=""), [ITEM | {"code": ""}], [CONTAINER]),
    "no outputs": (code(outputs=[]), [ITEM | {"outputs": []}], [CONTAINER]),
    "logs": (code(outputs=[LOGS]), [ITEM | {"outputs": [LOGS]}], [CONTAINER]),
    "empty logs": (
        code(outputs=[{"type": "logs"}]),
        [ITEM | {"outputs": [{"type": "logs", "logs": ""}]}],
        [CONTAINER],
    ),
    "an image by its file": (
        code(outputs=[IMAGE, LOGS]),
        [ITEM | {"outputs": [LOGS]}],
        [CONTAINER, ("image", "file-1", None)],
    ),
    "an image by its URL": (
        code(outputs=[{"type": "image", "image": {"url": "https://x"}}]),
        [ITEM | {"outputs": [{"type": "image", "url": "https://x"}]}],
        [CONTAINER],
    ),
    "an image by both": (
        code(outputs=[{"type": "image", "image": {"url": "https://x", "file_id": "file-1"}}]),
        [ITEM | {"outputs": [{"type": "image", "url": "https://x"}]}],
        [CONTAINER, ("left_out", "file-1", None)],
    ),
    "an image by neither": (
        code(outputs=[{"type": "image"}]),
        [ITEM | {"outputs": []}],
        [CONTAINER, ("image", None, None)],
    ),
    "another output": (
        code(outputs=[{"type": "table", "rows": [1]}]),
        [ITEM | {"outputs": []}],
        [CONTAINER, ("left_out", {"type": "table", "rows": [1]}, None)],
    ),
    "fields that items have not": (
        wire_of(CODE | {"code_interpreter": {"input": "1", "engine": "v8"}, "seed": 7}),
        [ITEM | {"code": "1"}],
        [CONTAINER, ("left_out", 7, None), ("left_out", "v8", None)],
    ),
}

CALL: Final[Wire] = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
DONE: Final = {"status": "completed"}
ANSWER: Final[Wire] = {"type": "function_call_output", "call_id": "call_1", "output": "3"} | DONE

FUNCTIONS: Final[dict[str, Row]] = {
    "answered": (function(name="f", arguments="{}", output="3"), [CALL | DONE, ANSWER], []),
    "answered with nothing": (
        function(name="f", arguments="{}", output=""),
        [CALL | DONE, ANSWER | {"output": ""}],
        [],
    ),
    "not answered": (
        function(name="f", arguments="{}", output=None),
        [CALL | DONE],
        [("unanswered", None, None)],
    ),
    "answered with what is no text": (
        wire_of(
            {
                "id": "call_1",
                "type": "azure_function",
                "azure_function": {"name": "f", "arguments": "{}", "output": {"a": 1}},
            }
        ),
        [CALL | DONE],
        [
            ("kind", "azure_function", "function_call"),
            ("unanswered", None, None),
            ("left_out", {"a": 1}, None),
        ],
    ),
    "without arguments": (
        function(name="f", output="3"),
        [CALL | DONE | {"arguments": ""}, ANSWER],
        [],
    ),
    "without a name": (
        function(arguments="{}", output="3"),
        [CALL | DONE | {"name": "unknown"}, ANSWER],
        [("name", None, "unknown")],
    ),
    "a name that would be refused": (
        function(name="f.g h", arguments="{}", output="3"),
        [CALL | DONE | {"name": "f_g_h"}, ANSWER],
        [("name", "f.g h", "f_g_h")],
    ),
}

FOUND: Final[Wire] = {"type": "file_search_call", "id": "fs_1", "queries": []} | DONE
QUERIES: Final[tuple[Any, ...]] = ("queries", None, [])
FILE: Final[Wire] = {"file_id": "file-1", "score": 0.5}


def search(**inner: Any) -> Wire:
    return wire_of({"id": "fs_1", "type": "file_search", "file_search": inner})


SEARCHES: Final[dict[str, Row]] = {
    "nothing is known": (search(), [FOUND | {"results": None}], [QUERIES]),
    "nothing was found": (search(results=[]), [FOUND | {"results": []}], [QUERIES]),
    "files": (
        search(results=[FILE | {"file_name": "a"}, FILE | {"attributes": {"x": 1, "y": True}}]),
        [
            FOUND
            | {"results": [FILE | {"filename": "a"}, FILE | {"attributes": {"x": 1, "y": True}}]}
        ],
        [QUERIES],
    ),
    "a passage": (
        search(results=[FILE | {"content": [{"type": "text", "text": "b"}]}]),
        [FOUND | {"results": [FILE | {"text": "b"}]}],
        [QUERIES],
    ),
    "passages": (
        search(results=[FILE | {"content": [{"type": "text", "text": each} for each in "bc"]}]),
        [FOUND | {"results": [FILE | {"text": "b"}, FILE | {"text": "c"}]}],
        [QUERIES, ("results", "2 passages", "as many results")],
    ),
    "what is no passage": (
        search(results=[FILE | {"content": [{"type": "image", "url": "u"}]}]),
        [FOUND | {"results": [FILE]}],
        [QUERIES, ("left_out", "image", None), ("left_out", "u", None)],
    ),
    "ranking": (
        search(ranking_options={"ranker": "auto", "score_threshold": 0.0}),
        [FOUND | {"results": None}],
        [QUERIES, ("left_out", {"ranker": "auto", "score_threshold": 0.0}, None)],
    ),
    "a score that is none": (
        search(results=[{"file_id": "file-1", "score": "high"}]),
        [FOUND | {"results": [{"file_id": "file-1"}]}],
        [QUERIES, ("left_out", "high", None)],
    ),
    "attributes that are none": (
        search(results=[FILE | {"attributes": {"x": [1]}}]),
        [FOUND | {"results": [FILE]}],
        [QUERIES, ("left_out", {"x": [1]}, None)],
    ),
}

MCP: Final[Wire] = {"id": "mcp_1", "type": "mcp_call", "server_label": "s", "name": "f"}

AZURE: Final[dict[str, Row]] = {
    "mcp": (
        wire_of(
            {
                "id": "mcp_1",
                "type": "mcp",
                "server_label": "s",
                "name": "f",
                "arguments": "{}",
                "output": "3",
            }
        ),
        [MCP | DONE | {"arguments": "{}", "output": "3"}],
        [],
    ),
    "mcp, of which little is known": (
        wire_of({"id": "mcp_1", "type": "mcp", "output": None}),
        [
            MCP
            | DONE
            | {"arguments": "", "output": None, "server_label": "unknown", "name": "unknown"}
        ],
        [("name", None, "unknown"), ("name", None, "unknown")],
    ),
    "openapi": (
        wire_of(
            {
                "id": "call_1",
                "type": "openapi",
                "function": {"name": "f", "arguments": "{}", "output": "3"},
            }
        ),
        [CALL | DONE, ANSWER],
        [("kind", "openapi", "function_call")],
    ),
    "connected_agent": (
        wire_of(
            {
                "id": "call_1",
                "type": "connected_agent",
                "connected_agent": {"arguments": "{}", "output": "3", "run_id": "run_2"},
            }
        ),
        [CALL | DONE | {"name": "connected_agent"}, ANSWER],
        [
            ("kind", "connected_agent", "function_call"),
            ("name", None, "connected_agent"),
            ("left_out", "run_2", None),
        ],
    ),
    "bing_grounding": (
        wire_of({"id": "call_1", "type": "bing_grounding", "bing_grounding": {"requesturl": "u"}}),
        [],
        [
            (
                "kind",
                {"type": "bing_grounding", "id": "call_1", "bing_grounding": {"requesturl": "u"}},
                None,
            )
        ],
    ),
    "a kind without a name": (wire_of({"x": 1}), [], [("kind", {"type": None, "x": 1}, None)]),
    "activities": (
        {
            "id": "step_1",
            "status": "completed",
            "step_details": {
                "type": "activities",
                "activities": [
                    {
                        "id": "mcpl_1",
                        "type": "mcp_list_tools",
                        "server_label": "s",
                        "tools": {
                            "f": {"description": "d", "parameters": {"type": "object"}},
                            "g": {},
                            "h": 1,
                        },
                    },
                    {"id": "a_2", "type": "nap"},
                ],
            },
        },
        [
            {
                "id": "mcpl_1",
                "type": "mcp_list_tools",
                "server_label": "s",
                "tools": [
                    {"name": "f", "description": "d", "input_schema": {"type": "object"}},
                    {"name": "g", "input_schema": {}},
                ],
            }
        ],
        [("kind", {"id": "a_2", "type": "nap"}, None), ("left_out", 1, None)],
    ),
    "calls in details of another type": (
        {
            "id": "step_1",
            "status": "completed",
            "step_details": {
                "type": "mcp",
                "tool_calls": [
                    {"id": "mcp_1", "type": "mcp", "name": "f", "server_label": "s"},
                    7,
                ],
            },
        },
        [MCP | DONE | {"arguments": "", "output": None}],
        [("left_out", 7, None)],
    ),
}

STEPS: Final[dict[str, Row]] = {
    "no details": ({"id": "step_1", "status": "completed"}, [], [("empty", None, None)]),
    "no calls": (wire_of(), [], [("empty", None, None)]),
    "an error": (
        code(input="1") | {"last_error": {"code": "c", "message": "m"}, "metadata": {"a": "b"}},
        [ITEM | {"code": "1"}],
        [
            CONTAINER,
            ("left_out", {"code": "c", "message": "m"}, None),
            ("left_out", {"a": "b"}, None),
        ],
    ),
    "a message that is not there": (
        {
            "id": "step_1",
            "status": "completed",
            "step_details": {
                "type": "message_creation",
                "message_creation": {"message_id": "msg_1"},
            },
        },
        [],
        [("message_missing", "msg_1", None)],
    ),
}


@pytest.mark.parametrize(
    "table", [CODES, FUNCTIONS, SEARCHES, AZURE, STEPS], ids=lambda t: next(iter(t))
)
def test_what_becomes_of_steps(table: dict[str, Row]) -> None:
    for name, (step, expected, decisions) in table.items():
        items = converted(step)
        assert (name, items) == (name, expected)
        assert (name, noted(items)) == (name, decisions)
