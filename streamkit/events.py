"""What the server can say.

An `Event` is what a frame means. The two delta events are the wire's own structs; the
other events carry whole objects, and the name they came under.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from .deltas import MessageDeltaEvent, RunStepDeltaEvent
from .snapshots import (
    ErrorObject,
    Message,
    MessageContent,
    Run,
    RunStep,
    Thread,
    ToolCall,
)

__all__ = [
    "CallEvent",
    "ContentEvent",
    "DoneEvent",
    "ErrorEvent",
    "Event",
    "MessageEvent",
    "ReasoningEvent",
    "ResponseDeltaEvent",
    "ResponseEndEvent",
    "ResponseStreamEvent",
    "RunEvent",
    "SaidEvent",
    "StepEvent",
    "TextName",
    "ThreadEvent",
    "UnknownEvent",
]


# The events that add to a text of an item.
TextName = Literal[
    "response.code_interpreter_call_code.delta",
    "response.custom_tool_call_input.delta",
    "response.function_call_arguments.delta",
    "response.mcp_call_arguments.delta",
    "response.output_text.delta",
    "response.reasoning_summary_text.delta",
    "response.reasoning_text.delta",
    "response.refusal.delta",
]


class ThreadEvent(Struct, frozen=True):
    """``thread.created``."""

    name: str
    thread: Thread


class RunEvent(Struct, frozen=True):
    """``thread.run.*``: the run, whole."""

    name: str
    run: Run


class StepEvent(Struct, frozen=True):
    """``thread.run.step.*`` but for the delta: the step, whole."""

    name: str
    step: RunStep


class MessageEvent(Struct, frozen=True):
    """``thread.message.*`` but for the delta: the message, whole."""

    name: str
    message: Message


class ErrorEvent(Struct, frozen=True):
    """``error``: the server failed."""

    error: ErrorObject


class DoneEvent(Struct, frozen=True):
    """``done``: the end of this stream, though perhaps not of the run."""


class ReasoningEvent(Struct, frozen=True):
    """``response.reasoning_*``: some of the reasoning of the step `id`.

    Attributes:
        id: The step's.
        part: The list that it is in: ``summary`` or ``content``.
        index: Its place in that list.
        text: What is added to it; with `whole`, all of it.
        whole: Whether this is the part as it stands, and no fragment of it.
        fields: The other fields of the part, as its ``type``.
    """

    id: str
    part: str
    index: int
    text: str | None
    whole: bool = False
    fields: dict[str, Any] = {}


class CallEvent(Struct, frozen=True):
    """``response.*.done`` of a text in a call: the text, whole.

    Attributes:
        id: The step's.
        call: The call with this text, and with nothing else.
    """

    id: str
    call: ToolCall


class ContentEvent(Struct, frozen=True):
    """``response.content_part.*``, or the end of a text: a part of a message, whole.

    Attributes:
        id: The message's.
        index: The part's place.
        part: As it stands.
    """

    id: str
    index: int
    part: MessageContent


class ResponseDeltaEvent(Struct, frozen=True, gc=False):
    """``response.*.delta``: a fragment of a text, as `name` says which.

    What comes with it besides, as probabilities and padding, is left out: what is to stay
    comes with the item in the end.

    Attributes:
        name: The event's ``type``.
        item_id: The item's id; "" where only its place is said.
        delta: What the text gets.
        output_index: The place of the item in the output.
        content_index: The place of the part in the item, where it has parts; negative where
            the server says none that is one, as in the other events.
        summary_index: The place of the part in a summary.
        sequence_number: Its number in the stream of its response; older servers have none.
    """

    name: TextName = field(name="type")
    item_id: str
    delta: str
    output_index: int | None = None
    content_index: int = 0
    summary_index: int = 0
    sequence_number: int | None = None


class ResponseStreamEvent(Struct, frozen=True):
    """Any other event of the Responses API: its name, and what it says in the words of runs.

    Attributes:
        name: The event's ``type``.
        events: What it says, in order; nothing, where it has nothing to say.
        sequence_number: Its number in the stream of its response; older servers have none.
        output_index: The place of the item that it is about, in the output.
    """

    name: str
    events: tuple[SaidEvent, ...]
    sequence_number: int | None = None
    output_index: int | None = None


class ResponseEndEvent(ResponseStreamEvent, frozen=True):
    """The last event of a response."""


class UnknownEvent(Struct, frozen=True):
    """An event this library has no name for, or a known name with a foreign shape.

    `data` is the decoded JSON, or the text where it is not JSON.
    """

    name: str
    data: Any


# What one event of the Responses API may say.
SaidEvent = (
    RunEvent
    | StepEvent
    | RunStepDeltaEvent
    | CallEvent
    | ReasoningEvent
    | MessageEvent
    | MessageDeltaEvent
    | ContentEvent
    | ErrorEvent
    | UnknownEvent
)

Event = (
    ThreadEvent
    | SaidEvent
    | DoneEvent
    | ResponseDeltaEvent
    | ResponseStreamEvent
    | ResponseEndEvent
)
