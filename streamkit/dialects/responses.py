"""The Responses API: events of its streams, in the words of runs.

The response is the run, an output item is a step. The event types are those of the API
reference; `decode` is for one whose name begins with ``response.``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from .._wire import load
from ..deltas import MessageDeltaEvent, RunStepDeltaEvent
from ..deltas.base import Extra
from ..deltas.messages import (
    AnnotationDelta,
    MessageDelta,
    RefusalDeltaBlock,
    TextDelta,
    TextDeltaBlock,
)
from ..deltas.steps import (
    CodeInterpreterDelta,
    CodeInterpreterToolCallDelta,
    FunctionDelta,
    FunctionToolCallDelta,
    OtherToolCallDelta,
    RunStepDelta,
    ToolCallDelta,
    ToolCallDeltaObject,
)
from ..errors import DecodeError
from ..events import (
    MessageEvent,
    PartEvent,
    ReasoningDeltaEvent,
    ResponseEndEvent,
    ResponseStreamEvent,
    RunEvent,
    StepEvent,
    UnknownEvent,
)
from ..snapshots import Run
from .items import from_item

__all__ = ["PREFIX", "event_of", "quick"]

PREFIX: Final = "response."

Payload = Mapping[str, Any]
Said = tuple[PartEvent, ...]


# Responses and items, whole


def _response(name: str, payload: Payload) -> Said:
    said = payload.get("response")
    return (RunEvent(name, load(Run, said)),)


def _last(name: str, payload: Payload) -> Said:
    """Take the final word: every item as it is in the end, then the response."""
    said = payload.get("response")
    output = said.get("output") if isinstance(said, dict) else None
    items = [
        event
        for rank, item in enumerate(output if isinstance(output, list) else ())
        for event in _opened(item, rank, done=True)
    ]
    return (*items, *_response(name, payload))


def _item(name: str, payload: Payload) -> Said:
    done = name.endswith(".done")
    return _opened(payload.get("item"), payload.get("output_index"), done=done)


def _opened(item: Any, rank: Any, *, done: bool) -> Said:
    if not isinstance(item, dict):
        raise DecodeError(f"expected an object, got {item!r:.20}", path="$.item")
    step, message = from_item(item, rank=rank, done=done)
    name = "completed" if done else "created"
    told: Said = (StepEvent(f"thread.run.step.{name}", step),)
    return told if message is None else (*told, MessageEvent(f"thread.message.{name}", message))


# Fragments


class _Delta(msgspec.Struct):
    """The fields that a fragment of text may have."""

    item_id: str
    delta: str
    content_index: int = 0
    summary_index: int = 0
    sequence_number: int | None = None


def _call(id: str, delta: ToolCallDelta) -> Said:
    details = ToolCallDeltaObject(tool_calls=(delta,))
    return (RunStepDeltaEvent(id=id, delta=RunStepDelta(step_details=details)),)


def _code(said: _Delta) -> Said:
    inner = CodeInterpreterDelta(input=said.delta)
    return _call(said.item_id, CodeInterpreterToolCallDelta(index=0, code_interpreter=inner))


def _arguments(said: _Delta) -> Said:
    inner = FunctionDelta(arguments=said.delta)
    return _call(said.item_id, FunctionToolCallDelta(index=0, function=inner))


def _of_kind(kind: str, field: str) -> Callable[[_Delta], Said]:
    def take(said: _Delta) -> Said:
        fields = Extra({field: said.delta})
        return _call(said.item_id, OtherToolCallDelta(index=0, type=kind, extra=fields))

    return take


def _part(id: str, block: TextDeltaBlock | RefusalDeltaBlock) -> Said:
    return (MessageDeltaEvent(id=id, delta=MessageDelta(content=(block,))),)


def _text(said: _Delta) -> Said:
    return _part(
        said.item_id, TextDeltaBlock(index=said.content_index, text=TextDelta(value=said.delta))
    )


def _refusal(said: _Delta) -> Said:
    return _part(said.item_id, RefusalDeltaBlock(index=said.content_index, refusal=said.delta))


def _summary(said: _Delta) -> Said:
    kind = {"type": "summary_text"}
    return (ReasoningDeltaEvent(said.item_id, "summary", said.summary_index, said.delta, kind),)


def _reasoning(said: _Delta) -> Said:
    kind = {"type": "reasoning_text"}
    return (ReasoningDeltaEvent(said.item_id, "content", said.content_index, said.delta, kind),)


_DELTAS: Final[Mapping[str, Callable[[_Delta], Said]]] = {
    "response.code_interpreter_call_code.delta": _code,
    "response.function_call_arguments.delta": _arguments,
    "response.mcp_call_arguments.delta": _of_kind("mcp_call", "arguments"),
    "response.custom_tool_call_input.delta": _of_kind("custom_tool_call", "input"),
    "response.output_text.delta": _text,
    "response.refusal.delta": _refusal,
    "response.reasoning_summary_text.delta": _summary,
    "response.reasoning_text.delta": _reasoning,
}


def _delta(name: str, payload: Payload) -> Said:
    try:
        said = msgspec.convert(payload, _Delta)
    except msgspec.ValidationError as error:
        raise DecodeError(str(error)) from None
    return _DELTAS[name](said)


# Parts and what stands beside the texts


def _part_added(name: str, payload: Payload) -> Said:
    """Open a part of a message, or of reasoning."""
    part = payload.get("part") or {}
    id, index = str(payload.get("item_id")), payload.get("content_index", 0)
    match part.get("type"):
        case "output_text":
            annotations = part.get("annotations")
            text = TextDelta(value=part.get("text"), annotations=() if annotations == [] else None)
            rest = {k: v for k, v in part.items() if k not in ("type", "text", "annotations")}
            return _part(id, TextDeltaBlock(index=index, text=text, extra=Extra(rest)))
        case "refusal":
            return _part(id, RefusalDeltaBlock(index=index, refusal=part.get("refusal")))
        case "reasoning_text":
            return _reasoning_part("content", id, index, part)
    return (UnknownEvent(name, payload),)


def _summary_added(name: str, payload: Payload) -> Said:
    id, index = str(payload.get("item_id")), payload.get("summary_index", 0)
    return _reasoning_part("summary", id, index, payload.get("part") or {})


def _reasoning_part(kind: str, id: str, index: int, part: Payload) -> Said:
    fields = {name: value for name, value in part.items() if name != "text"}
    return (ReasoningDeltaEvent(id, kind, index, str(part.get("text") or ""), fields),)


def _annotation(name: str, payload: Payload) -> Said:
    fields = Extra(payload.get("annotation") or {})
    note = AnnotationDelta(index=payload.get("annotation_index"), extra=fields)
    block = TextDeltaBlock(
        index=payload.get("content_index", 0), text=TextDelta(annotations=(note,))
    )
    return _part(str(payload.get("item_id")), block)


def _status(name: str, payload: Payload) -> Said:
    """Take how a call stands: of its item, the API says it so."""
    _, kind, status = name.split(".")
    fields = Extra(status=status)
    index = 0
    call = _STATUSES[kind]
    return _call(str(payload.get("item_id")), call(index=index, extra=fields))


def _partial_image(name: str, payload: Payload) -> Said:
    names = ("type", "item_id", "output_index", "sequence_number", "obfuscation")
    fields = Extra({name: value for name, value in payload.items() if name not in names})
    call = OtherToolCallDelta(index=0, type="image_generation_call", extra=fields)
    return _call(str(payload.get("item_id")), call)


def _nothing(name: str, payload: Payload) -> Said:
    """Take what only says again what the fragments said, and the item will say."""
    return ()


def _of(kind: str) -> Callable[..., ToolCallDelta]:
    return lambda **fields: OtherToolCallDelta(type=kind, **fields)


_STATUSES: Final[Mapping[str, Callable[..., ToolCallDelta]]] = {
    "code_interpreter_call": CodeInterpreterToolCallDelta,
    "file_search_call": _of("file_search"),
    "web_search_call": _of("web_search_call"),
    "image_generation_call": _of("image_generation_call"),
    "mcp_call": _of("mcp_call"),
    "mcp_list_tools": _of("mcp_list_tools"),
}

_Take = Callable[[str, Payload], Said]


def _named(names: str, take: _Take) -> dict[str, _Take]:
    return {PREFIX + name: take for name in names.split()}


_ENDS: Final = frozenset(
    PREFIX + name for name in ("completed", "incomplete", "failed", "cancelled")
)

_TAKES: Final[Mapping[str, _Take]] = {
    **_named("created queued in_progress", _response),
    **dict.fromkeys(_ENDS, _last),
    **_named("output_item.added output_item.done", _item),
    **dict.fromkeys(_DELTAS, _delta),
    **_named("content_part.added", _part_added),
    **_named("reasoning_summary_part.added", _summary_added),
    **_named("output_text.annotation.added", _annotation),
    **_named("image_generation_call.partial_image", _partial_image),
    **_named(
        "code_interpreter_call.in_progress code_interpreter_call.interpreting "
        "code_interpreter_call.completed web_search_call.in_progress web_search_call.searching "
        "web_search_call.completed file_search_call.in_progress file_search_call.searching "
        "file_search_call.completed image_generation_call.in_progress "
        "image_generation_call.generating image_generation_call.completed mcp_call.in_progress "
        "mcp_call.completed mcp_call.failed mcp_list_tools.in_progress "
        "mcp_list_tools.completed mcp_list_tools.failed",
        _status,
    ),
    **_named(
        "code_interpreter_call_code.done function_call_arguments.done mcp_call_arguments.done "
        "custom_tool_call_input.done output_text.done refusal.done content_part.done "
        "reasoning_summary_part.done reasoning_summary_text.done reasoning_text.done",
        _nothing,
    ),
}

_quick: Final = msgspec.json.Decoder(_Delta).decode


def quick(name: str, data: bytes) -> ResponseStreamEvent | None:
    """Read a fragment straight from bytes; None where it takes more care.

    Raises:
        ValueError: It is no fragment, or halves of a character are in it.
    """
    take = _DELTAS.get(name)
    if take is None:
        return None
    said = _quick(data)
    return ResponseStreamEvent(name, take(said), said.sequence_number)


def event_of(name: str, payload: Payload) -> ResponseStreamEvent:
    """Give an event its meaning.

    Raises:
        DecodeError: The name is known but the payload does not fit it.
    """
    take = _TAKES.get(name)
    said = (UnknownEvent(name, payload),) if take is None else take(name, payload)
    number = payload.get("sequence_number")
    kind = ResponseEndEvent if name in _ENDS else ResponseStreamEvent
    return kind(name, said, number if isinstance(number, int) else None)
