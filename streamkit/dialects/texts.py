"""The texts of the Responses API: what a fragment adds, and what the end says they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, get_args

import msgspec

from .._wire import load
from ..errors import DecodeError
from ..events import (
    CallEvent,
    ContentEvent,
    Event,
    ReasoningEvent,
    ResponseDeltaEvent,
    SaidEvent,
    TextName,
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
from .payloads import Payload, a_text, an_index, an_int, an_object, item_id, within

__all__ = [
    "CALLS",
    "DELTAS",
    "PLAIN",
    "TEXTS",
    "Said",
    "delta",
    "part",
    "whole_call",
    "whole_text",
]

Said = tuple[SaidEvent, ...]


def delta(name: TextName, payload: Payload) -> ResponseDeltaEvent:
    """Take a fragment of a text.

    Raises:
        DecodeError: It is none.
    """
    return ResponseDeltaEvent(
        name=name,
        item_id=item_id(payload),
        delta=a_text(payload, "delta"),
        output_index=an_int(payload, "output_index"),
        content_index=an_index(payload, "content_index"),
        summary_index=an_index(payload, "summary_index"),
        sequence_number=an_int(payload, "sequence_number"),
    )


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


DELTAS: Final[Mapping[str, TextName]] = {name: name for name in get_args(TextName)}

# The events that come once a fragment, decoded straight from bytes. What the decoder refuses
# is decoded with more care.
PLAIN: Final[dict[str, Callable[[bytes], Event]]] = dict.fromkeys(
    DELTAS, msgspec.json.Decoder(ResponseDeltaEvent).decode
)
