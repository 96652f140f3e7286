"""How things are put in a line, or in a few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from .._wire import to_wire
from ..changes import ImageAdded
from ..snapshots import (
    Annotation,
    CodeInterpreterToolCall,
    ErrorObject,
    FileCitationAnnotation,
    FilePathAnnotation,
    FileSearchToolCall,
    FunctionToolCall,
    ImageFileContentBlock,
    ImageURLContentBlock,
    Message,
    MessageContent,
    OtherAnnotation,
    OtherToolCall,
    Problem,
    RequiredActionToolCall,
    Run,
    RunStep,
    TextContentBlock,
    ToolCall,
    ToolCallsStepDetails,
)

__all__ = [
    "action",
    "citations",
    "failure",
    "image",
    "name_of",
    "output",
    "part",
    "problem",
    "reason",
    "tool",
    "unknown",
]

# A stream of another protocol has a dozen names or two; the most frequent tell which.
_NAMES_SHOWN = 8


def image(change: ImageAdded) -> str:
    """Name an image that code produced."""
    return change.file_id or _url(change.url or "") or "(nameless)"


def _url(url: str) -> str:
    """Name what lies at a URL; of what lies in it, say only what it is."""
    if not url.startswith("data:"):
        return url
    kind, _, data = url.partition(",")
    return f"{kind}, {len(data):,} characters"


def part(content: MessageContent) -> str:
    """Name a part of a message that is no text."""
    match content:
        case ImageFileContentBlock(image_file=file) if file and file.file_id:
            return file.file_id
        case ImageURLContentBlock(image_url=url) if url and url.url:
            return _url(url.url)
        case _:
            return f"({content.type or 'of no kind'})"


def citations(message: Message) -> Iterator[str]:
    """Yield what each annotation of a message points to."""
    for content in message.content:
        if isinstance(content, TextContentBlock) and content.text is not None:
            for annotation in content.text.annotations:
                yield _citation(annotation)


def _citation(annotation: Annotation) -> str:
    # Of the Responses API, an annotation has the name of its file instead of a text.
    fields = annotation.extra or {}
    match annotation:
        case FileCitationAnnotation(text=text, file_citation=to) if to:
            return f"{text or fields.get('filename') or 'the message'} cites {to.file_id}"
        case FilePathAnnotation(text=text, file_path=to) if to:
            return f"{text or fields.get('filename') or 'a path'} is {to.file_id}"
        case OtherAnnotation(type="container_file_citation") if "file_id" in fields:
            return f"{fields.get('filename') or 'a file'} is {fields['file_id']}"
        case OtherAnnotation(type="url_citation") if "url" in fields:
            return f"{fields.get('title') or 'the message'} cites {fields['url']}"
        case _:
            return f"annotation {_json(annotation)}"


def output(call: ToolCall) -> str | None:
    """Say what a call gave, as far as only its end can tell."""
    match call:
        case FunctionToolCall(function=function):
            return function.output if function else None
        case FileSearchToolCall(file_search=search):
            results = search.results if search else ()
            return "\n".join(
                f"{result.score or 0:.2f}  {result.file_id}  {result.file_name}"
                for result in results
            )
        case OtherToolCall():
            given = (call.extra or {}).get("output")
            return given if isinstance(given, str | None) else _json(given)
        case CodeInterpreterToolCall():
            return None


def name_of(steps: Sequence[RunStep], step_id: str, call_id: str | None) -> str | None:
    """Return the name of the function, or of the tool, that a call calls."""
    for step in steps:
        if step.id == step_id and isinstance(step.step_details, ToolCallsStepDetails):
            for call in step.step_details.tool_calls:
                if call.id == call_id:
                    return tool(call)
    return None


def tool(call: ToolCall | RequiredActionToolCall) -> str | None:
    """Return the name a call gives to what it calls, where it gives one."""
    function = getattr(call, "function", None)
    name = function.name if function else (call.extra or {}).get("name")
    return name if isinstance(name, str) else None


def action(calls: Sequence[RequiredActionToolCall]) -> str:
    """Say what the run waits for."""
    names = (tool(call) or call.type or "a call" for call in calls)
    waiting = ", ".join(f"{name} ({call.id})" for name, call in zip(names, calls, strict=True))
    return f"waiting for {waiting or 'action'}"


def problem(found: Problem) -> str:
    """Say where the server contradicted itself, and how."""
    places = {
        "step": found.step_id,
        "call": found.call_index,
        "output": found.output_index,
        "message": found.message_id,
    }
    place = ", ".join(f"{name} {value}" for name, value in places.items() if value is not None)
    said = {"known": found.known, "said": found.said}
    text = ", ".join(f"{name} {value!r}" for name, value in said.items() if value is not None)
    what = f"{found.kind.replace('_', ' ')} at {place or 'the run'}"
    return f"{what}: {text}" if text else what


def failure(error: ErrorObject) -> str:
    """Say what the server said of its failure."""
    return f"error: {error.code or error.type or 'unnamed'}: {error.message or 'no message'}"


def reason(ended: Run | RunStep | Message) -> str | None:
    """Say why a run, a step or a message did not end well, as far as the server does."""
    error = getattr(ended, "last_error", None) or getattr(ended, "error", None)
    if error is not None:
        return ": ".join(filter(None, (error.code, error.message))) or None
    details = getattr(ended, "incomplete_details", None)
    return details and details.reason


def unknown(names: Counter[str]) -> str:
    """Count unknown events by name."""
    often = [f"{name} x{count}" for name, count in names.most_common(_NAMES_SHOWN) if count > 1]
    return f"{names.total():,} unknown events, most often {', '.join(often)}"


def _json(value: Any) -> str:
    wire: Mapping[str, Any] = to_wire(value)
    return msgspec.json.encode(wire).decode()
