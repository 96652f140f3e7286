"""The Assistants protocol, and its clones: its events, by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from .._wire import load
from ..deltas import MessageDeltaEvent, RunStepDeltaEvent
from ..events import (
    Event,
    MessageEvent,
    RunEvent,
    StepEvent,
    ThreadEvent,
    UnknownEvent,
)
from ..snapshots import Message, Run, RunStep, Thread

__all__ = ["OBJECTS", "PLAIN", "READERS"]

_STEP: Final = "thread.run.step."
_RUN: Final = "thread.run."
_MESSAGE: Final = "thread.message."


def _step_delta(name: str, data: dict[str, Any]) -> Event:
    # Azure's beta puts calls under step details of their own type: mcp, openapi.
    delta = data.get("delta")
    details = delta.get("step_details") if isinstance(delta, dict) else None
    if isinstance(details, dict) and "tool_calls" in details:
        told = details | {"type": "tool_calls"}
        data = data | {"delta": data["delta"] | {"step_details": told}}
    return _delta(RunStepDeltaEvent, name, data)


def _message_delta(name: str, data: dict[str, Any]) -> Event:
    return _delta(MessageDeltaEvent, name, data)


def _delta(
    kind: type[RunStepDeltaEvent | MessageDeltaEvent], name: str, data: dict[str, Any]
) -> Event:
    # IBM's "agent connect" puts chat completions under the names of these events.
    if not isinstance(data.get("delta", ...), dict | None):
        return UnknownEvent(name, data)
    return load(kind, data)


def _thread(name: str, data: dict[str, Any]) -> Event:
    return ThreadEvent(name, load(Thread, data))


def _run(name: str, data: dict[str, Any]) -> Event:
    return RunEvent(name, load(Run, data))


def _step(name: str, data: dict[str, Any]) -> Event:
    return StepEvent(name, load(RunStep, data))


def _message(name: str, data: dict[str, Any]) -> Event:
    return MessageEvent(name, load(Message, data))


_Read = Callable[[str, dict[str, Any]], Event]


def _named(prefix: str, transitions: str, read: _Read) -> dict[str, _Read]:
    return {prefix + transition: read for transition in transitions.split()}


# The events whose data is an object; `error` and `done`, whose need not be, are the rest
# of the API reference's 25.
READERS: Final[Mapping[str, _Read]] = {
    "thread.created": _thread,
    **_named(
        _RUN,
        "created queued in_progress requires_action completed incomplete failed "
        "cancelling cancelled expired",
        _run,
    ),
    **_named(_STEP, "created in_progress completed failed cancelled expired", _step),
    _STEP + "delta": _step_delta,
    **_named(_MESSAGE, "created in_progress completed incomplete", _message),
    _MESSAGE + "delta": _message_delta,
}

# What a payload without a name is, by its own ``object`` field.
OBJECTS: Final[Mapping[str, str]] = {
    "thread": "thread.created",
    "thread.run.step.delta": "thread.run.step.delta",
    "thread.message.delta": "thread.message.delta",
    "thread.run": _RUN,
    "thread.run.step": _STEP,
    "thread.message": _MESSAGE,
}

# The two events that come once a fragment, decoded straight from bytes. What these
# decoders refuse is decoded with more care.
PLAIN: Final[dict[str, Callable[[bytes], Event]]] = {
    _STEP + "delta": msgspec.json.Decoder(RunStepDeltaEvent).decode,
    _MESSAGE + "delta": msgspec.json.Decoder(MessageDeltaEvent).decode,
}
