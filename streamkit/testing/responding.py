"""Output items of the Responses API, cut into the frames of a stream."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from .._wire import to_wire
from ..convert import to_response_items
from ..snapshots import RunSnapshot
from ..sse import Frame
from .fragments import Cutter, Wire

__all__ = ["ENDS", "responses_of"]

# What an event says, but for its name and number, and its name without ``response.``.
Said: TypeAlias = tuple[str, Wire]

# By the status of a response, how its stream ends.
ENDS: Final = ("completed", "incomplete", "failed", "cancelled")


def responses_of(
    snapshot: RunSnapshot,
    cutter: Cutter,
    *,
    image_url: Callable[[str], str | None] | None = None,
) -> list[list[Frame]]:
    """Cut a run into the frames of its responses: each is a leg, and ends with its response.

    Args:
        snapshot: Of either API; one of the Assistants API is converted first.
        cutter: Cuts the texts, and mixes those of several items where it interleaves.
        image_url: Gives the URL of an image by its file id.
    """
    wire = to_wire(snapshot.run)
    items = to_response_items(snapshot, image_url=image_url)
    if wire.get("object") == "response":
        told = _recorded(wire, items)
    else:
        told = _converted(wire, _in_legs(items))
    return [_frames(response, output, cutter) for response, output in told]


def _recorded(last: Wire, items: Sequence[Wire]) -> Iterator[tuple[Wire, Sequence[Wire]]]:
    """Part the items of the last response from those of the ones before it."""
    here = {item.get("id") for item in last.get("output") or items}
    before = [item for item in items if item.get("id") not in here]
    if before:
        yield (
            last | {"id": f"{last['id']}_before", "status": "completed", "output": before},
            before,
        )
    yield last, [item for item in items if item.get("id") in here]


def _in_legs(items: Iterable[Wire]) -> list[list[Wire]]:
    """Part items where outputs of functions come between: those are sent, not received."""
    legs: list[list[Wire]] = [[]]
    for item in items:
        if item["type"] == "function_call_output":
            if legs[-1]:
                legs.append([])
        elif item.get("role", "assistant") == "assistant":
            legs[-1].append(item)
    return legs


def _converted(run: Wire, legs: Sequence[Sequence[Wire]]) -> Iterator[tuple[Wire, Sequence[Wire]]]:
    """Give each leg its response: as the run, so far as it can be one."""
    _, _, tail = str(run["id"]).rpartition("run_")
    for number, output in enumerate(legs):
        is_last = number == len(legs) - 1
        status = run.get("status") if is_last else "completed"
        yield (
            {
                "id": f"resp_{tail}" if is_last else f"resp_{tail}_{number + 1}",
                "object": "response",
                "created_at": run.get("created_at"),
                "status": status if status in ENDS else "completed",
                "error": run.get("last_error") if is_last else None,
                "incomplete_details": run.get("incomplete_details") if is_last else None,
                "instructions": run.get("instructions") or None,
                "metadata": run.get("metadata") or {},
                "model": run.get("model"),
                "output": [*output],
                "parallel_tool_calls": True,
                "temperature": run.get("temperature"),
                "tool_choice": "auto",
                "tools": [],
                "top_p": run.get("top_p"),
                "usage": _usage(run.get("usage")) if is_last else None,
            },
            output,
        )


def _usage(said: Mapping[str, Any] | None) -> Wire | None:
    if not said:
        return None
    return {
        "input_tokens": said.get("prompt_tokens"),
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": said.get("completion_tokens"),
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": said.get("total_tokens"),
    }


def _frames(response: Wire, items: Sequence[Wire], cutter: Cutter) -> list[Frame]:
    """Cut a response, which has ended, into the frames of its stream."""
    before = response | {"status": "in_progress", "output": []}
    before |= {name: None for name in _LATE if name in response}
    status = response.get("status")
    told = [
        ("created", {"response": before}),
        ("in_progress", {"response": before}),
        *cutter.mixed([*_item(item, index, cutter)] for index, item in enumerate(items)),
        (status if status in ENDS else "completed", {"response": response}),
    ]
    return [
        _frame({"type": f"response.{name}", "sequence_number": number, **said})
        for number, (name, said) in enumerate(told)
    ]


# What is null until a response ends.
_LATE: Final = ("completed_at", "error", "incomplete_details", "usage")


def _frame(payload: Wire) -> Frame:
    data = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return Frame(str(payload["type"]), data)


def _item(item: Wire, index: int, cutter: Cutter) -> Iterator[Said]:
    kind = str(item.get("type"))
    place = {"item_id": item.get("id"), "output_index": index}
    first, rest = _KINDS.get(kind, _whole)(item, cutter)
    under_way = {"status": "in_progress"} if "status" in item else {}
    yield "output_item.added", {"output_index": index, "item": {**item, **under_way, **first}}
    for name, said in rest:
        yield name, place | said
    yield "output_item.done", {"output_index": index, "item": item}


_Cut: TypeAlias = tuple[Wire, Iterable[Said]]


def _whole(item: Wire, cutter: Cutter) -> _Cut:
    """Say at once what an item is."""
    kind = str(item.get("type"))
    steps = _STATUSES.get(kind, ())
    return {}, [(f"{kind}.{status}", {}) for status in steps]


_STATUSES: Final[Mapping[str, Sequence[str]]] = {
    "web_search_call": ("in_progress", "searching", "completed"),
    "file_search_call": ("in_progress", "searching", "completed"),
    "image_generation_call": ("in_progress", "generating", "completed"),
    "mcp_list_tools": ("in_progress", "completed"),
}


def _code(item: Wire, cutter: Cutter) -> _Cut:
    name, code = "code_interpreter_call", item.get("code")
    return _emptied(item, code="", outputs=[]), [
        (f"{name}.in_progress", {}),
        *_grown(f"{name}_code", "code", code, cutter),
        (f"{name}.interpreting", {}),
        (f"{name}.completed", {}),
    ]


def _texts(name: str, field: str) -> Callable[[Wire, Cutter], _Cut]:
    def cut(item: Wire, cutter: Cutter) -> _Cut:
        return _emptied(item, **{field: ""}), _grown(name, field, item.get(field), cutter)

    return cut


def _message(item: Wire, cutter: Cutter) -> _Cut:
    parts = [[*_part(part, index, cutter)] for index, part in enumerate(item.get("content") or [])]
    return {"content": []}, cutter.mixed(parts)


def _part(part: Wire, index: int, cutter: Cutter) -> Iterator[Said]:
    place = {"content_index": index}
    field = "refusal" if part.get("type") == "refusal" else "text"
    name = "refusal" if field == "refusal" else "output_text"
    yield (
        "content_part.added",
        place
        | {"part": {**part, **_emptied(part, **{field: ""})} | _emptied(part, annotations=[])},
    )
    for said, fields in _grown(name, field, part.get(field), cutter):
        yield said, place | fields
    for rank, annotation in enumerate(part.get("annotations") or []):
        note = {"annotation_index": rank, "annotation": annotation}
        yield f"{name}.annotation.added", place | note
    yield "content_part.done", place | {"part": part}


def _reasoning(item: Wire, cutter: Cutter) -> _Cut:
    said = [_thought(part, index, cutter) for index, part in enumerate(item.get("summary") or [])]
    return _emptied(item, summary=[]), itertools.chain.from_iterable(said)


def _thought(part: Wire, index: int, cutter: Cutter) -> Iterator[Said]:
    name, place = "reasoning_summary", {"summary_index": index}
    yield f"{name}_part.added", place | {"part": part | {"text": ""}}
    for said, fields in _grown(f"{name}_text", "text", part.get("text"), cutter):
        yield said, place | fields
    yield f"{name}_part.done", place | {"part": part}


def _grown(name: str, field: str, text: object, cutter: Cutter) -> Iterator[Said]:
    """Say a text in fragments, then whole."""
    for piece in cutter.pieces(text):
        yield f"{name}.delta", {"delta": piece}
    if isinstance(text, str):
        yield f"{name}.done", {field: text}


def _emptied(item: Mapping[str, Any], **empty: object) -> Wire:
    """Return fields empty that have something in the item."""
    return {name: value for name, value in empty.items() if item.get(name)}


_KINDS: Final[Mapping[str, Callable[[Wire, Cutter], _Cut]]] = {
    "code_interpreter_call": _code,
    "function_call": _texts("function_call_arguments", "arguments"),
    "mcp_call": _texts("mcp_call_arguments", "arguments"),
    "custom_tool_call": _texts("custom_tool_call_input", "input"),
    "message": _message,
    "reasoning": _reasoning,
}
