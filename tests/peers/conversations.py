"""What is served to other clients as responses, and what it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from streamkit import RunSnapshot
from streamkit.convert import to_response_items
from streamkit.testing.building import (
    code_interpreter,
    file_search,
    found,
    function_call,
    image,
    logs,
    message,
    script,
    step,
)
from tests.recorded import RESPONSES

__all__ = ["CONVERSATIONS", "SCRIPTS", "plain", "wanted"]

SCRIPTS: Final[Mapping[str, RunSnapshot]] = {
    "all": script(
        code_interpreter("print('ü')", logs("ü\n"), image("file-1")),
        function_call("f", {"a": 1}, output="x"),
        message("Leave at half past eight."),
    ),
    "parallel": script(
        step(function_call("f", output="1"), function_call("g", {"b": 2}, output="2")),
        file_search(found("a.txt", "passage")),
        "so it is",
    ),
}

# Those that have numbers, and need no functions.
CONVERSATIONS: Final[Mapping[str, Any]] = {
    **SCRIPTS,
    **{
        name.replace("/", "."): legs[0]
        for name, legs in RESPONSES.items()
        if b'"sequence_number"' in legs[0]
        and b'"type":"function_call"' not in legs[0]
        and b"event: response.completed" in legs[0]
    },
}


def plain(items: list[Any]) -> list[Any]:
    """Leave out what clients add to items, and ids that were made for them."""
    dropped = ("parsed", "parsed_arguments")
    return [
        {name: _parts(value) for name, value in item.items() if name not in dropped}
        for item in items
    ]


def _parts(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [
        {name: part[name] for name in part if name != "parsed"} if isinstance(part, dict) else part
        for part in value
    ]


def wanted(run: RunSnapshot, url: str) -> list[Any]:
    """The items that a script comes to, as they are received."""
    items = to_response_items(run, image_url=lambda _: url)
    return [
        ({"id": f"fc_{item['call_id']}"} if item["type"] == "function_call" else {}) | item
        for item in items
        if item["type"] != "function_call_output"
    ]
