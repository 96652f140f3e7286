"""What the server can say.

An `Event` is what a frame means. The two delta events are the wire's own structs; the
other events carry whole objects, and the name they came under.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from .deltas import MessageDeltaEvent, RunStepDeltaEvent
from .snapshots import ErrorObject, Message, Run, RunStep, Thread

__all__ = [
    "DoneEvent",
    "ErrorEvent",
    "Event",
    "MessageEvent",
    "ReasoningDeltaEvent",
    "ResponseEndEvent",
    "ResponseStreamEvent",
    "RunEvent",
    "StepEvent",
    "ThreadEvent",
    "UnknownEvent",
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


class ReasoningDeltaEvent(Struct, frozen=True):
    """``response.reasoning_*``: more of the reasoning of the step `id`.

    Attributes:
        id: The step's.
        part: The list that it is in: ``summary`` or ``content``.
        index: Its place in that list.
        text: What it gets.
        fields: The other fields of the part, as its ``type``.
    """

    id: str
    part: str
    index: int
    text: str
    fields: dict[str, Any]


class ResponseStreamEvent(Struct, frozen=True):
    """An event of the Responses API: its name, and what it says in the words of runs.

    Attributes:
        name: The event's ``type``.
        events: What it says, in order; nothing, where it only repeats.
        sequence_number: Its number in the stream of its response; older servers have none.
    """

    name: str
    events: tuple[PartEvent, ...]
    sequence_number: int | None = None


class ResponseEndEvent(ResponseStreamEvent, frozen=True):
    """The last event of a response."""


class UnknownEvent(Struct, frozen=True):
    """An event this library has no name for, or a known name with a foreign shape.

    `data` is the decoded JSON, or the text where it is not JSON.
    """

    name: str
    data: Any


# What one event of the Responses API may say.
PartEvent = (
    RunEvent
    | StepEvent
    | RunStepDeltaEvent
    | ReasoningDeltaEvent
    | MessageEvent
    | MessageDeltaEvent
    | ErrorEvent
    | UnknownEvent
)

Event = ThreadEvent | PartEvent | DoneEvent | ResponseStreamEvent | ResponseEndEvent
