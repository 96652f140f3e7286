"""Fragments of the Responses API in the words of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from .deltas import (
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
from .deltas.base import Extra
from .events import ReasoningEvent, ResponseDeltaEvent, SaidEvent, TextName

__all__ = ["of_call", "of_message", "said_by"]


def of_call(id: str, delta: ToolCallDelta) -> SaidEvent:
    """Add to the call of an item."""
    details = ToolCallDeltaObject(tool_calls=(delta,))
    return RunStepDeltaEvent(id=id, delta=RunStepDelta(step_details=details))


def _code(said: ResponseDeltaEvent) -> SaidEvent:
    inner = CodeInterpreterDelta(input=said.delta)
    return of_call(said.item_id, CodeInterpreterToolCallDelta(index=0, code_interpreter=inner))


def _arguments(said: ResponseDeltaEvent) -> SaidEvent:
    inner = FunctionDelta(arguments=said.delta)
    return of_call(said.item_id, FunctionToolCallDelta(index=0, function=inner))


def _field(kind: str, name: str) -> Callable[[ResponseDeltaEvent], SaidEvent]:
    """Take more of a field of a call that is none of the kinds known here."""

    def take(said: ResponseDeltaEvent) -> SaidEvent:
        fields = Extra({name: said.delta})
        return of_call(said.item_id, OtherToolCallDelta(index=0, type=kind, extra=fields))

    return take


def of_message(id: str, block: TextDeltaBlock | RefusalDeltaBlock) -> SaidEvent:
    """Add to a part of a message."""
    return MessageDeltaEvent(id=id, delta=MessageDelta(content=(block,)))


def _output_text(said: ResponseDeltaEvent) -> SaidEvent:
    text = TextDelta(value=said.delta)
    return of_message(said.item_id, TextDeltaBlock(index=said.content_index, text=text))


def _refusal(said: ResponseDeltaEvent) -> SaidEvent:
    return of_message(
        said.item_id, RefusalDeltaBlock(index=said.content_index, refusal=said.delta)
    )


def _summary(said: ResponseDeltaEvent) -> SaidEvent:
    fields = {"type": "summary_text"}
    return ReasoningEvent(said.item_id, "summary", said.summary_index, said.delta, fields=fields)


def _reasoning(said: ResponseDeltaEvent) -> SaidEvent:
    fields = {"type": "reasoning_text"}
    return ReasoningEvent(said.item_id, "content", said.content_index, said.delta, fields=fields)


_TEXTS: Final[Mapping[TextName, Callable[[ResponseDeltaEvent], SaidEvent]]] = {
    "response.code_interpreter_call_code.delta": _code,
    "response.function_call_arguments.delta": _arguments,
    "response.mcp_call_arguments.delta": _field("mcp_call", "arguments"),
    "response.custom_tool_call_input.delta": _field("custom_tool_call", "input"),
    "response.output_text.delta": _output_text,
    "response.refusal.delta": _refusal,
    "response.reasoning_summary_text.delta": _summary,
    "response.reasoning_text.delta": _reasoning,
}


def said_by(fragment: ResponseDeltaEvent) -> SaidEvent:
    """Say a fragment in the words of runs."""
    return _TEXTS[fragment.name](fragment)
