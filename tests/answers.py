"""Items of the Responses API as they begin and end, and what folding them tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest

from streamkit import (
    Change,
    Frame,
)
from tests.answering import (
    ITEM,
    code_item,
    event,
    message_item,
    numbered,
    output_text,
)
from tests.folding import Folded, fold_every_way
from tests.promise import check_promise
from tests.streams import Wire

__all__ = [
    "CITED",
    "CODE",
    "CUSTOM",
    "FILE",
    "FOUND",
    "IMAGE",
    "LOGS",
    "MCP",
    "NOTED",
    "NOTES",
    "PICTURE",
    "REFUSED",
    "SEARCH",
    "SHELL",
    "THOUGHT",
    "WEB",
    "fold",
    "of_item",
    "row",
    "told",
]

LOGS: Final = {"type": "logs", "logs": "42\n"}
IMAGE: Final = {"type": "image", "url": "https://example.org/plot.png"}


CODE: Final = code_item("print(42)", LOGS, IMAGE, status="completed")
FILE: Final = {"file_id": "file-a", "filename": "a.csv"}
CITED: Final = {"type": "container_file_citation", "container_id": "cntr_1", **FILE}
NOTES: Final[list[Wire]] = [
    CITED | {"start_index": 0, "end_index": 2},
    {"type": "url_citation", "url": "https://x", "title": "X", "start_index": 0, "end_index": 2},
    {"type": "file_citation", "index": 2, **FILE},
    {"type": "file_path", "index": 2, "file_id": "file-b"},
]
NOTED: Final = message_item(output_text("Hello", *NOTES), status="completed")
REFUSED: Final = {"type": "refusal", "refusal": "No."}
THOUGHT: Final = {"type": "reasoning_text", "text": "Think."}
SEARCH: Final[Wire] = {"id": ITEM, "type": "file_search_call", "status": "in_progress"}
FOUND: Final = {
    "file_id": "file-a",
    "filename": "a.txt",
    "score": 0.5,
    "text": "So it is.",
    "attributes": {"year": 2024},
}
MCP: Final[Wire] = {
    "id": ITEM,
    "type": "mcp_call",
    "status": "in_progress",
    "name": "roll",
    "arguments": "",
    "server_label": "dice",
    "approval_request_id": None,
    "output": None,
    "error": None,
}
CUSTOM: Final[Wire] = {"id": ITEM, "type": "custom_tool_call", "call_id": "c", "name": "grep"}
PICTURE: Final[Wire] = {
    "id": ITEM,
    "type": "image_generation_call",
    "status": "in_progress",
    "result": None,
}
WEB: Final[Wire] = {"id": ITEM, "type": "web_search_call", "status": "in_progress"}
SHELL: Final[Wire] = {
    "id": ITEM,
    "type": "shell_call",
    "call_id": "c",
    "status": "in_progress",
    "action": {"commands": []},
}


def row(name: str, begun: Wire, between: Sequence[Frame], expected: list[str], end: Wire) -> Any:
    """Build a row of the table."""
    return pytest.param(begun, between, expected, end, id=name)


def of_item(kind: str, **fields: object) -> Frame:
    """Say something of the item of most tests."""
    return event(kind, item_id=ITEM, output_index=0, **fields)


def fold(*said: Frame) -> Folded:
    """Fold a stream in every way, numbered or not, and hold it to the promise."""
    folded = fold_every_way(numbered(said))
    other = fold_every_way(said)
    assert (other.changes, other.snapshot) == (folded.changes, folded.snapshot)
    check_promise(folded.changes, folded.snapshot, legs=1)
    return folded


def told(changes: Sequence[Change]) -> list[str]:
    """Say what was told in a word or two each."""
    return [
        " ".join([type(change).__name__, *filter(None, [_piece(change)])]) for change in changes
    ]


def _piece(change: Change) -> str | None:
    return getattr(change, "text", None) or getattr(change, "url", None)
