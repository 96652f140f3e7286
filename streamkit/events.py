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


class UnknownEvent(Struct, frozen=True):
    """An event this library has no name for, or a known name with a foreign shape.

    `data` is the decoded JSON, or the text where it is not JSON.
    """

    name: str
    data: Any


Event = (
    ThreadEvent
    | RunEvent
    | StepEvent
    | RunStepDeltaEvent
    | MessageEvent
    | MessageDeltaEvent
    | ErrorEvent
    | DoneEvent
    | UnknownEvent
)
