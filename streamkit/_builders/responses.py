"""The picture of a run that a response is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from .._fragments import said_by
from .._lifecycle import ENDED
from .._series import Series
from ..changes import ServerFailed
from ..deltas import MessageDeltaEvent, RunStepDeltaEvent
from ..events import (
    CallEvent,
    ContentEvent,
    ErrorEvent,
    MessageEvent,
    ReasoningEvent,
    ResponseDeltaEvent,
    ResponseEndEvent,
    ResponseStreamEvent,
    RunEvent,
    StepEvent,
    UnknownEvent,
)
from .ledger import Ledger
from .numbering import Numbered, Numbering
from .picture import Picture

__all__ = ["ResponsePicture"]


class ResponsePicture(Picture):
    """A picture that the events of responses change, too: they are numbered and placed."""

    __slots__ = ("_numbering",)

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self._numbering = Numbering(ledger)

    @property
    def sequence(self) -> int | None:
        """The number of the last event, where numbers tell which were taken."""
        return self._numbering.number if self._numbering.is_sound else None

    def is_known(self, event: Numbered) -> bool:
        """Whether an event was taken before, by its number."""
        return not self.begins_response(event) and self._numbering.has(event)

    def begins_response(self, event: object) -> bool:
        """Whether an event belongs to another response than those before it."""
        if self.run is None or not isinstance(event, ResponseStreamEvent) or not event.events:
            return False
        said = event.events[-1]
        return type(said) is RunEvent and said.run.id != self.run.id

    def response_event(self, event: ResponseStreamEvent) -> None:
        """Take an event of the Responses API, unless it was taken before."""
        if self.begins_response(event):
            self._begin_response()
        elif self._numbering.has(event):
            return
        self._numbering.take(event)
        self._place = event.output_index
        for said in event.events:
            _TAKES[type(said)](self, said)
            if type(said) is StepEvent and self._place is not None:
                self._items[self._place] = said.step.id
        self._place = None
        if self.error is not None:
            self.rest = "error"
        if type(event) is ResponseEndEvent:
            self._compare_items(event)
            self.end_leg(self.rest)

    def _compare_items(self, event: ResponseEndEvent) -> None:
        """Report items that the response lacks in the end. Some servers list none."""
        known = set(self._items.values())
        said = {each.step.id for each in event.events if type(each) is StepEvent}
        if said and not known <= said:
            listed, streamed = f"{len(said)} items", f"{len(known)} items"
            self._ledger.problem("content_shrunk", known=streamed, said=listed)

    def fragment(self, event: ResponseDeltaEvent) -> None:
        """Take a fragment of a text, unless it was taken before."""
        numbering, number = self._numbering, event.sequence_number
        if number is not None:
            if numbering.number is not None and number == numbering.number + 1:
                numbering.number = number
                numbering.last = event
            elif numbering.has(event):
                return
            else:
                numbering.take(event)
        if not self._grows(event):
            self._place = event.output_index
            said = said_by(event)
            _TAKES[type(said)](self, said)
            self._place = None

    def fragments(self, series: Series) -> bool:
        """Take a series, if none was taken before, and none is missing; return whether it was."""
        *_, content_index, _, said = series.numbers
        numbering, texts = self._numbering, series.texts
        last = numbering.number
        if said is not None:
            numbers = said if isinstance(said, list) else [said]
            if last is None or numbers != [*range(last + 1, last + 1 + len(texts))]:
                return False
            last = numbers[-1]
        kind = _CALL_TEXTS.get(series.kind)
        if kind is not None:
            call = self.growing_call(series.id, 0, kind)
            if call is None or not call.add_all(texts):
                return False
        elif series.kind == "response.output_text.delta" and type(content_index) is int:
            message = self.growing_message(series.id)
            if message is None or not message.add_all(content_index, texts):
                return False
        else:
            return False
        if said is not None:
            numbering.number = last
            numbering.last = series.last()
        return True

    def _grows(self, event: ResponseDeltaEvent) -> bool:
        """Add a fragment to a text that grows already, as nearly all do; say whether it was."""
        kind = _CALL_TEXTS.get(event.name)
        if kind is not None:
            call = self.growing_call(event.item_id, 0, kind)
            return call is not None and call.add(event.delta)
        if event.name == "response.output_text.delta":
            message = self.growing_message(event.item_id)
            return message is not None and message.add(event.content_index, event.delta)
        return False

    def _begin_response(self) -> None:
        """Make room for another response, which is no problem once this one has ended."""
        self._numbering.begin()
        self._items.clear()
        if self.run is not None and self.run.status in ENDED:
            self.run = None

    def _failing(self, event: ErrorEvent) -> None:
        """Take the failure that a failed response is to follow."""
        self.error = event.error
        self._ledger.changes.append(ServerFailed(event.error))


# What kind of call grows by a fragment, where most of its fragments are of that kind.
_CALL_TEXTS: Final[Mapping[str, str]] = {
    "response.code_interpreter_call_code.delta": "code_interpreter",
    "response.function_call_arguments.delta": "function",
}

# What an event of the Responses API may say.
_TAKES: Final[Mapping[type, Callable[[ResponsePicture, Any], None]]] = {
    RunStepDeltaEvent: ResponsePicture.step_delta,
    MessageDeltaEvent: ResponsePicture.message_delta,
    StepEvent: ResponsePicture.step,
    MessageEvent: ResponsePicture.message,
    RunEvent: ResponsePicture.run_changed,
    CallEvent: ResponsePicture.call,
    ContentEvent: ResponsePicture.content,
    ReasoningEvent: ResponsePicture.reasoning,
    ErrorEvent: ResponsePicture._failing,
    UnknownEvent: ResponsePicture.unknown_event,
}
