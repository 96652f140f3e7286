"""The words that `script` understands: calls, their outputs, messages.

Each makes a plain snapshot. What is not given, as the ids and the times, is filled in by
`script`, which knows what stands around it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from .._wire import load, to_wire
from ..errors import DecodeError, UsageError
from ..snapshots import (
    Annotation,
    CodeInterpreterImageOutput,
    CodeInterpreterLogOutput,
    CodeInterpreterOutput,
    CodeInterpreterToolCall,
    FileCitationAnnotation,
    FilePathAnnotation,
    FileSearchResult,
    FileSearchToolCall,
    FunctionToolCall,
    ImageFileContentBlock,
    IncompleteDetails,
    LastError,
    Message,
    MessageContent,
    OtherToolCall,
    RefusalContentBlock,
    RunStep,
    Snapshot,
    TextContentBlock,
    ToolCall,
    Usage,
)

__all__ = [
    "Content",
    "citation",
    "code_interpreter",
    "file_path",
    "file_search",
    "found",
    "function_call",
    "image",
    "logs",
    "message",
    "refusal",
    "step",
    "text",
    "tool_call",
]

Content: TypeAlias = str | MessageContent | CodeInterpreterImageOutput

S = TypeVar("S", bound=Snapshot)

_KINDS: Final[Mapping[str, type[ToolCall]]] = {
    "code_interpreter": CodeInterpreterToolCall,
    "function": FunctionToolCall,
    "file_search": FileSearchToolCall,
}


def step(
    *calls: ToolCall,
    id: str | None = None,
    status: str | None = None,
    last_error: LastError | Mapping[str, Any] | str | None = None,
    usage: Usage | Mapping[str, Any] | None = None,
) -> RunStep:
    """Put several calls into one step; in `script`, a call alone is a step of its own.

    Args:
        calls: The calls, in index order.
        id: The step's id; made up where it is not given.
        status: How the step ended, where it is not as the run says: completed, failed,
            cancelled or expired.
        last_error: Why the step failed: a message will do.
        usage: The tokens it used; made up where it is not given.

    Raises:
        UsageError: What is given is no call.
    """
    for call in calls:
        if not isinstance(call, ToolCall):
            raise UsageError(f"a step holds calls of tools, not {_named(call)}")
    wire = _present(
        id=id or "",
        status=status or ("failed" if last_error else None),
        last_error=wired(last_error, "message", code="server_error"),
        usage=wired(usage),
    )
    details = {"type": "tool_calls", "tool_calls": to_wire(calls)}
    return _load(RunStep, wire | {"type": "tool_calls", "step_details": details})


# Calls


def code_interpreter(
    input: str, *outputs: CodeInterpreterOutput | str, id: str | None = None
) -> CodeInterpreterToolCall:
    """Make a call of the code interpreter: its code, and the `logs` and images it gave.

    Raises:
        UsageError: What is given is no output.
    """
    for output in outputs:
        if not isinstance(output, str | CodeInterpreterOutput):
            raise UsageError(f"code gives logs and images, not {_named(output)}")
    whole = [logs(output) if isinstance(output, str) else output for output in outputs]
    inner = {"input": input, "outputs": to_wire(whole)}
    return _load(CodeInterpreterToolCall, _present(id=id) | {"code_interpreter": inner})


def logs(text: str) -> CodeInterpreterLogOutput:
    """Make what code printed."""
    return _load(CodeInterpreterLogOutput, {"logs": text})


def image(file_id: str | None = None) -> CodeInterpreterImageOutput:
    """Make an image that code produced, or that a `message` shows, by its file's id."""
    return _load(CodeInterpreterImageOutput, {"image": _present(file_id=file_id)})


def function_call(
    name: str,
    arguments: Mapping[str, Any] | str = "{}",
    output: object = None,
    *,
    id: str | None = None,
) -> FunctionToolCall:
    """Make a call of a function.

    Args:
        name: The function's name.
        arguments: Its arguments; a text stands as it is, perhaps as invalid JSON.
        output: What was submitted for it: a text as it is, anything else as JSON. With
            None nothing was, and the run waits for it.
        id: The call's id; made up where it is not given.
    """
    inner = {
        "name": name,
        "arguments": _text(arguments),
        "output": None if output is None else _text(output),
    }
    return _load(FunctionToolCall, _present(id=id) | {"function": inner})


def file_search(
    *results: FileSearchResult,
    ranker: str = "default_2024_08_21",
    score_threshold: float = 0.0,
    id: str | None = None,
) -> FileSearchToolCall:
    """Make a call of file search, with what was `found`.

    Raises:
        UsageError: What is given is no result.
    """
    for result in results:
        if not isinstance(result, FileSearchResult):
            raise UsageError(f"a search has what was found(file_name, …), not {_named(result)}")
    inner = {
        "ranking_options": {"ranker": ranker, "score_threshold": score_threshold},
        "results": to_wire(results),
    }
    return _load(FileSearchToolCall, _present(id=id) | {"file_search": inner})


def found(
    file_name: str, *passages: str, score: float = 0.5, file_id: str | None = None
) -> FileSearchResult:
    """Make a result of `file_search`: a file, and the passages in it."""
    wire: dict[str, Any] = _present(file_id=file_id) | {"file_name": file_name, "score": score}
    if passages:
        wire["content"] = [{"type": "text", "text": passage} for passage in passages]
    return _load(FileSearchResult, wire)


def tool_call(type: str, *, id: str | None = None, **fields: Any) -> ToolCall:
    """Make a call of any other kind, its fields as on the wire: ``tool_call("mcp", …)``."""
    return _load(_KINDS.get(type, OtherToolCall), _present(id=id) | {"type": type} | fields)


# Messages


def message(
    *content: Content,
    id: str | None = None,
    annotations: Sequence[Annotation] = (),
    status: str | None = None,
    incomplete_details: IncompleteDetails | Mapping[str, Any] | str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Message:
    """Make a message; in `script`, it gets the step that creates it.

    Args:
        content: Its parts: texts, `text` with annotations, an `image`, a `refusal`.
        id: Its id; made up where it is not given.
        annotations: What is cited in its text, where it has a single one.
        status: completed or incomplete, where it is not as the run says.
        incomplete_details: Why it is incomplete: the reason will do.
        metadata: Pairs of texts.

    Raises:
        UsageError: There are annotations, but not one text.
    """
    parts = [_part(part) for part in content]
    if annotations:
        parts = _annotated(parts, annotations)
    wire = _present(
        id=id or "",
        role="assistant",
        status=status or ("incomplete" if incomplete_details else None),
        incomplete_details=wired(incomplete_details, "reason"),
        metadata=None if metadata is None else dict(metadata),
    )
    return _load(Message, wire | {"content": to_wire(parts)})


def text(value: str, *annotations: Annotation) -> TextContentBlock:
    """Make a text; an annotation without indices stands where its own text does."""
    at = 0
    placed = []
    for annotation in annotations:
        wire = to_wire(annotation)
        quoted = wire.get("text")
        if isinstance(quoted, str) and "start_index" not in wire:
            start = value.find(quoted, at)
            if start < 0:
                raise UsageError(
                    f"the annotation {quoted!r} does not stand in the text, after those before "
                    "it; give its start_index and end_index, or put it there"
                )
            at = start + len(quoted)
            wire |= {"start_index": start, "end_index": at}
        placed.append(wire)
    return _load(TextContentBlock, {"text": {"value": value, "annotations": placed}})


def refusal(text: str) -> RefusalContentBlock:
    """Make the model's refusal to answer."""
    return _load(RefusalContentBlock, {"refusal": text})


def citation(
    text: str, file_id: str, *, start_index: int | None = None, end_index: int | None = None
) -> FileCitationAnnotation:
    """Make a citation of a file: `text` is what stands for it in the message."""
    where = _present(start_index=start_index, end_index=end_index)
    wire = {"text": text, **where, "file_citation": {"file_id": file_id}}
    return _load(FileCitationAnnotation, wire)


def file_path(
    text: str, file_id: str, *, start_index: int | None = None, end_index: int | None = None
) -> FilePathAnnotation:
    """Make the path of a file that was made: `text` is what stands for it in the message."""
    where = _present(start_index=start_index, end_index=end_index)
    return _load(FilePathAnnotation, {"text": text, **where, "file_path": {"file_id": file_id}})


# Help


def _part(part: Content) -> MessageContent:
    if isinstance(part, str):
        return text(part)
    if isinstance(part, CodeInterpreterImageOutput):
        return _load(ImageFileContentBlock, {"image_file": to_wire(part.image) or {}})
    if not isinstance(part, MessageContent):
        raise UsageError(f"a message holds texts, images and refusals, not {_named(part)}")
    return part


def _annotated(parts: list[MessageContent], more: Sequence[Annotation]) -> list[MessageContent]:
    """Add annotations to the only text there is."""
    known = [part.text for part in parts if isinstance(part, TextContentBlock) and part.text]
    if len(known) != 1:
        raise UsageError(
            f"annotations need one text to stand in, and there are {len(known)}; say which with "
            "text(value, *annotations)"
        )
    whole = text(known[0].value, *known[0].annotations, *more)
    return [whole if isinstance(part, TextContentBlock) else part for part in parts]


def wired(value: Snapshot | Mapping[str, Any] | str | None, word: str = "", **more: str) -> Any:
    """Give a remark as wire JSON; a text is what it says under one word."""
    if isinstance(value, str):
        return {**more, word: value}
    return to_wire(value)


def _load(kind: type[S], wire: dict[str, Any]) -> S:
    try:
        return load(kind, wire)
    except DecodeError as error:
        raise UsageError(str(error)) from None


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{_named(value)} cannot be written as JSON: {error}") from None


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _named(value: object) -> str:
    return f"a {type(value).__name__}: {value!r:.60}"
