"""Streams of the Responses API, built event by event."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from streamkit import Frame, RunSnapshot
from streamkit.dialects.items import to_item
from tests.streams import Wire, frame, present

__all__ = [
    "ITEM",
    "added",
    "code_delta",
    "code_item",
    "completed",
    "created",
    "event",
    "finished",
    "function_item",
    "item_of",
    "items_of",
    "message_item",
    "note",
    "numbered",
    "output_text",
    "part_added",
    "reasoning_item",
    "response",
    "text_delta",
    "thought",
]

# What the item of most tests is called.
ITEM = "item_a"


def event(kind: str, **fields: object) -> Frame:
    """Say an event by its type; its number is for `numbered` to give."""
    name = kind if kind == "error" else f"response.{kind}"
    return frame(name, {"type": name, **fields})


def numbered(frames: Iterable[Frame], start: int = 0) -> list[Frame]:
    """Number events as servers do."""
    return [
        frame(each.event, json.loads(each.data) | {"sequence_number": number})
        for number, each in enumerate(frames, start)
    ]


# Responses


def response(status: str, *output: Wire, id: str = "resp_1", **fields: object) -> Wire:
    """Build a response."""
    return {
        "id": id,
        "object": "response",
        "created_at": 100,
        "status": status,
        "model": "gpt-5",
        "error": None,
        "incomplete_details": None,
        "output": list(output),
        "usage": None,
        **fields,
    }


def created(id: str = "resp_1") -> Frame:
    """Begin a response."""
    return event("created", response=response("in_progress", id=id))


def completed(*output: Wire, id: str = "resp_1", status: str = "completed", **more: Any) -> Frame:
    """End a response, well or not."""
    return event(status, response=response(status, *output, id=id, **more))


# Items


def added(item: Wire, place: int = 0) -> Frame:
    """Begin an item."""
    return event("output_item.added", output_index=place, item=item)


def finished(item: Wire, place: int = 0) -> Frame:
    """End an item."""
    return event("output_item.done", output_index=place, item=item)


def code_item(
    code: str | None = "", *outputs: Wire, id: str = ITEM, status: str = "in_progress"
) -> Wire:
    """Build a call of the code interpreter."""
    return {
        "id": id,
        "type": "code_interpreter_call",
        "status": status,
        "code": code,
        "container_id": "cntr_1",
        "outputs": list(outputs) or None,
    }


def function_item(arguments: str = "", *, id: str = ITEM, status: str = "in_progress") -> Wire:
    """Build a call of a function."""
    named = {"id": id, "type": "function_call", "status": status, "name": "add"}
    return named | {"call_id": f"call_{id}", "arguments": arguments}


def message_item(*content: Wire, id: str = ITEM, status: str = "in_progress") -> Wire:
    """Build a message."""
    said = {"id": id, "type": "message", "status": status, "role": "assistant"}
    return said | {"content": list(content)}


def reasoning_item(*summary: str, id: str = ITEM, **fields: object) -> Wire:
    """Build reasoning."""
    parts = [{"type": "summary_text", "text": text} for text in summary]
    return {"id": id, "type": "reasoning", "summary": parts, **fields}


def output_text(text: str, *annotations: Wire) -> Wire:
    """Build a text of a message."""
    return {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}


# Fragments


def code_delta(text: str, id: str | None = ITEM, place: int = 0) -> Frame:
    """Add to the code of an item."""
    return event(
        "code_interpreter_call_code.delta",
        **present(item_id=id),
        output_index=place,
        delta=text,
        obfuscation="xyz",
    )


def text_delta(text: str, id: str | None = ITEM, place: int = 0, part: int = 0) -> Frame:
    """Add to a text of a message."""
    where = present(item_id=id) | {"output_index": place, "content_index": part}
    return event("output_text.delta", **where, delta=text, logprobs=[], obfuscation="xyz")


def part_added(part: Wire, id: str = ITEM, place: int = 0, index: int = 0) -> Frame:
    """Begin a part of a message, or of reasoning."""
    where = {"item_id": id, "output_index": place, "content_index": index}
    return event("content_part.added", **where, part=part)


def note(annotation: Wire, index: int = 0, id: str = ITEM) -> Frame:
    """Add an annotation to the first text of a message."""
    where = {"item_id": id, "output_index": 0, "content_index": 0, "annotation_index": index}
    return event("output_text.annotation.added", **where, annotation=annotation)


def thought(text: str, index: int = 0, id: str = ITEM) -> Frame:
    """Add to a summary of reasoning."""
    where = {"item_id": id, "output_index": 0, "summary_index": index}
    return event("reasoning_summary_text.delta", **where, delta=text, obfuscation="xyz")


# What came of it


def items_of(snapshot: RunSnapshot) -> list[Wire]:
    """Return the items of a run."""
    messages = {message.id: message for message in snapshot.messages}
    return [to_item(step, messages.get(step.id)) for step in snapshot.steps]


def item_of(snapshot: RunSnapshot) -> Wire:
    """Return the only item of a run."""
    (item,) = items_of(snapshot)
    return item
