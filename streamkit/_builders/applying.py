"""What each event does to the picture: a table by type, since this is asked once a fragment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from .._series import Series
from ..deltas import MessageDeltaEvent, RunStepDeltaEvent
from ..errors import DecodeError, LimitError, NestingError, PeerError
from ..events import (
    CallEvent,
    ContentEvent,
    DoneEvent,
    ErrorEvent,
    MessageEvent,
    ReasoningEvent,
    ResponseDeltaEvent,
    ResponseEndEvent,
    ResponseStreamEvent,
    RunEvent,
    StepEvent,
    ThreadEvent,
    UnknownEvent,
)
from .growing import grow
from .picture import Picture
from .responses import ResponsePicture

__all__ = ["APPLY"]


def _undecodable(_: Picture, error: PeerError) -> None:
    raise error


APPLY: Final[Mapping[type, Callable[[ResponsePicture, Any], None]]] = {
    RunStepDeltaEvent: Picture.step_delta,
    MessageDeltaEvent: Picture.message_delta,
    StepEvent: Picture.step,
    MessageEvent: Picture.message,
    RunEvent: Picture.run_changed,
    ThreadEvent: Picture.thread_created,
    ErrorEvent: Picture.failed,
    DoneEvent: Picture.done,
    UnknownEvent: Picture.unknown_event,
    CallEvent: Picture.call,
    ContentEvent: Picture.content,
    ReasoningEvent: Picture.reasoning,
    ResponseDeltaEvent: ResponsePicture.fragment,
    ResponseStreamEvent: ResponsePicture.response_event,
    ResponseEndEvent: ResponsePicture.response_event,
    Series: grow,
    DecodeError: _undecodable,
    NestingError: _undecodable,
    LimitError: _undecodable,
}
