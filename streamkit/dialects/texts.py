"""The texts of the Responses API: what a fragment adds, and what the end says they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from .._wire import load
from ..deltas import (
    CodeInterpreterDelta,
    CodeInterpreterToolCallDelta,
    FunctionDelta,
    FunctionToolCallDelta,
    MessageDelta,
    MessageDeltaEvent,
    OtherToolCallDelta,
    RefusalDeltaBlock,
    RunStepDelta,
    RunStepDeltaEvent,
    TextDelta,
    TextDeltaBlock,
    ToolCallDelta,
    ToolCallDeltaObject,
)
from ..deltas.base import Extra
from ..errors import DecodeError
from ..events import (
    CallEvent,
    ContentEvent,
    Event,
    ReasoningEvent,
    ResponseStreamEvent,
    SaidEvent,
)
from ..snapshots import (
    CodeInterpreter,
    CodeInterpreterToolCall,
    Function,
    FunctionToolCall,
    MessageContent,
    OtherToolCall,
    ToolCall,
)
from .items import from_part, in_item
from .payloads import Payload, a_text, an_index, an_object, item_id, within

__all__ = [
    "CALLS",
    "DELTAS",
    "PLAIN",
    "TEXTS",
    "Said",
    "delta",
    "of_call",
    "of_message",
    "part",
    "whole_call",
    "whole_text",
]

Said = tuple[SaidEvent, ...]


class _Delta(msgspec.Struct, gc=False):
    """A fragment of text, as it comes nearly always."""

    item_id: str
    delta: str
    output_index: int | None = None
    content_index: int | None = 0
    summary_index: int | None = 0
    sequence_number: int | None = None


def of_call(id: str, delta: ToolCallDelta) -> SaidEvent:
    """Add to the call of an item."""
    details = ToolCallDeltaObject(tool_calls=(delta,))
    return RunStepDeltaEvent(id=id, delta=RunStepDelta(step_details=details))


def _code(said: _Delta) -> SaidEvent:
    inner = CodeInterpreterDelta(input=said.delta)
    return of_call(said.item_id, CodeInterpreterToolCallDelta(index=0, code_interpreter=inner))


def _arguments(said: _Delta) -> SaidEvent:
    inner = FunctionDelta(arguments=said.delta)
    return of_call(said.item_id, FunctionToolCallDelta(index=0, function=inner))


def _field(kind: str, name: str) -> Callable[[_Delta], SaidEvent]:
    """Take more of a field of a call that is none of the kinds known here."""

    def take(said: _Delta) -> SaidEvent:
        fields = Extra({name: said.delta})
        return of_call(said.item_id, OtherToolCallDelta(index=0, type=kind, extra=fields))

    return take


def of_message(id: str, block: TextDeltaBlock | RefusalDeltaBlock) -> SaidEvent:
    """Add to a part of a message."""
    return MessageDeltaEvent(id=id, delta=MessageDelta(content=(block,)))


def _output_text(said: _Delta) -> SaidEvent:
    text = TextDelta(value=said.delta)
    return of_message(said.item_id, TextDeltaBlock(index=said.content_index, text=text))


def _refusal(said: _Delta) -> SaidEvent:
    return of_message(
        said.item_id, RefusalDeltaBlock(index=said.content_index, refusal=said.delta)
    )


def _summary(said: _Delta) -> SaidEvent:
    fields = {"type": "summary_text"}
    return ReasoningEvent(said.item_id, "summary", said.summary_index, said.delta, fields=fields)


def _reasoning(said: _Delta) -> SaidEvent:
    fields = {"type": "reasoning_text"}
    return ReasoningEvent(said.item_id, "content", said.content_index, said.delta, fields=fields)


DELTAS: Final[Mapping[str, Callable[[_Delta], SaidEvent]]] = {
    "response.code_interpreter_call_code.delta": _code,
    "response.function_call_arguments.delta": _arguments,
    "response.mcp_call_arguments.delta": _field("mcp_call", "arguments"),
    "response.custom_tool_call_input.delta": _field("custom_tool_call", "input"),
    "response.output_text.delta": _output_text,
    "response.refusal.delta": _refusal,
    "response.reasoning_summary_text.delta": _summary,
    "response.reasoning_text.delta": _reasoning,
}


def delta(name: str, payload: Payload) -> Said:
    """Take a fragment of a text."""
    said = _Delta(
        item_id=item_id(payload),
        delta=a_text(payload, "delta"),
        content_index=an_index(payload, "content_index"),
        summary_index=an_index(payload, "summary_index"),
    )
    return (DELTAS[name](said),)


def whole_call(name: str, payload: Payload) -> Said:
    """Take a text of a call that ended."""
    field, call = CALLS[name]
    return (CallEvent(item_id(payload), call(a_text(payload, field))),)


def whole_text(name: str, payload: Payload) -> Said:
    """Take a text of a message, or of reasoning, that ended."""
    field, kind = TEXTS[name]
    return _part_of(payload, {"type": kind, field: a_text(payload, field)})


def part(_: str, payload: Payload) -> Said:
    """Take a part that began or ended."""
    return _part_of(payload, an_object(payload.get("part"), "$.part"))


def _part_of(payload: Payload, part: Payload) -> Said:
    """Take a part, as it stands: of a message, or of reasoning."""
    id, kind = item_id(payload), part.get("type")
    if isinstance(kind, str) and kind in _REASONING:
        list_name, index_name = _REASONING[kind]
        text = None if part.get("text") is None else within("$.part", lambda: a_text(part, "text"))
        fields = {name: value for name, value in part.items() if name != "text"}
        index = an_index(payload, index_name)
        return (ReasoningEvent(id, list_name, index, text, whole=True, fields=fields),)
    try:
        whole = load(MessageContent, from_part(part))
    except DecodeError as error:
        error.path = f"$.part{in_item(error.path)[1:]}"
        raise
    return (ContentEvent(id, an_index(payload, "content_index"), whole),)


def _code_call(text: str) -> ToolCall:
    return CodeInterpreterToolCall(code_interpreter=CodeInterpreter(input=text))


def _function_call(text: str) -> ToolCall:
    return FunctionToolCall(function=Function(arguments=text))


def _other_call(kind: str, field: str) -> Callable[[str], ToolCall]:
    return lambda text: OtherToolCall(type=kind, extra={field: text})


# In which field the whole text of a call comes, and what call it makes.
CALLS: Final[Mapping[str, tuple[str, Callable[[str], ToolCall]]]] = {
    "response.code_interpreter_call_code.done": ("code", _code_call),
    "response.function_call_arguments.done": ("arguments", _function_call),
    "response.mcp_call_arguments.done": ("arguments", _other_call("mcp_call", "arguments")),
    "response.custom_tool_call_input.done": ("input", _other_call("custom_tool_call", "input")),
}

# In which field the whole text of a part comes, and of what kind the part is.
TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "response.output_text.done": ("text", "output_text"),
    "response.refusal.done": ("refusal", "refusal"),
    "response.reasoning_summary_text.done": ("text", "summary_text"),
    "response.reasoning_text.done": ("text", "reasoning_text"),
}

# The parts that are reasoning: in which list of the item, and what their index is called.
_REASONING: Final[Mapping[str, tuple[str, str]]] = {
    "summary_text": ("summary", "summary_index"),
    "reasoning_text": ("content", "content_index"),
}


def _plain(name: str, take: Callable[[_Delta], SaidEvent]) -> Callable[[bytes], Event]:
    read = msgspec.json.Decoder(_Delta).decode

    def decode(data: bytes) -> Event:
        said = read(data)
        return ResponseStreamEvent(name, (take(said),), said.sequence_number, said.output_index)

    return decode


# The events that come once a fragment, decoded straight from bytes. What these decoders
# refuse is decoded with more care.
PLAIN: Final[dict[str, Callable[[bytes], Event]]] = {
    name: _plain(name, take) for name, take in DELTAS.items()
}
