"""Deltas in a row that say one thing each: more of a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import repeat
from typing import Any, Final, TypeGuard, TypeVar

from msgspec import Struct

from ._fragments import of_call, of_message
from .deltas import (
    CodeInterpreterDelta,
    CodeInterpreterLogs,
    CodeInterpreterToolCallDelta,
    FunctionDelta,
    FunctionToolCallDelta,
    MessageDeltaEvent,
    RunStepDeltaEvent,
    TextDelta,
    TextDeltaBlock,
    ToolCallDeltaObject,
)
from .events import Event, ResponseDeltaEvent

__all__ = ["CODE", "FUNCTION", "LOGS", "TEXT", "Series", "is_long", "one_by_one", "series_of"]

T = TypeVar("T")

CODE: Final = "code_interpreter"
LOGS: Final = "logs"
FUNCTION: Final = "function"
TEXT: Final = "text"

# One for all deltas, or one for each.
Numbers = int | list[int] | None


class Series(Struct, frozen=True, gc=False):
    """Deltas in a row, each of which adds to a text, and says nothing else.

    Attributes:
        kind: Of the text; of the Responses API, the name of the event.
        id: Of the step, the message, the item.
        numbers: Where in it: by the kind, the index of the call; of the call and of the
            output; of the part; or the numbers of a `ResponseDeltaEvent`, in its order.
        texts: What the deltas add, in turn.
    """

    kind: str
    id: str
    numbers: tuple[Numbers, ...]
    texts: list[str]

    def rows(self) -> Iterable[tuple[Any, ...]]:
        """Return the numbers and the text of each delta."""
        columns = [each if type(each) is list else repeat(each) for each in self.numbers]
        return zip(*columns, self.texts, strict=False)

    def singles(self) -> Iterator[Any]:
        """Yield the deltas one by one: in the shortest form that says them."""
        kind: Any = self.kind
        id = self.id
        if kind in _EVENTS:
            for *numbers, text in self.rows():
                yield Series(kind, id, tuple(numbers), [text])
        else:
            for output, content, summary, number, text in self.rows():
                yield ResponseDeltaEvent(kind, id, text, output, content, summary, number)

    def last(self) -> Any:
        """Give the last delta as the event that it is."""
        numbers = (each[-1] if type(each) is list else each for each in self.numbers)
        return self.event(*numbers, self.texts[-1])

    def event(self, *row: Any) -> Any:
        """Give a delta as the event that it is."""
        kind: Any = self.kind
        made = _EVENTS.get(kind)
        if made is not None:
            return made(self.id, *row)
        *numbers, text = row
        return ResponseDeltaEvent(kind, self.id, text, *numbers)


def is_long(said: object) -> TypeGuard[Series]:
    """Whether what was said is a series of several deltas."""
    return type(said) is Series and len(said.texts) > 1


def one_by_one(said: Iterable[T]) -> Iterator[T | Series]:
    """Yield what was said, of each series one delta at a time."""
    for each in said:
        if is_long(each):
            yield from each.singles()
        else:
            yield each


def _code(id: str, index: int, text: str) -> Event:
    inner = CodeInterpreterDelta(input=text)
    return of_call(id, CodeInterpreterToolCallDelta(index=index, code_interpreter=inner))


def _logs(id: str, index: int, output_index: int, text: str) -> Event:
    inner = CodeInterpreterDelta(outputs=(CodeInterpreterLogs(index=output_index, logs=text),))
    return of_call(id, CodeInterpreterToolCallDelta(index=index, code_interpreter=inner))


def _arguments(id: str, index: int, text: str) -> Event:
    return of_call(id, FunctionToolCallDelta(index=index, function=FunctionDelta(arguments=text)))


def _text(id: str, index: int, text: str) -> Event:
    return of_message(id, TextDeltaBlock(index=index, text=TextDelta(value=text)))


_EVENTS: Final[Mapping[str, Callable[..., Event]]] = {
    CODE: _code,
    LOGS: _logs,
    FUNCTION: _arguments,
    TEXT: _text,
}


def series_of(event: Event) -> Series | None:
    """Say an event as a series of one, unless it says anything besides."""
    if type(event) is ResponseDeltaEvent:
        numbers = (
            event.output_index,
            event.content_index,
            event.summary_index,
            event.sequence_number,
        )
        return Series(event.name, event.item_id, numbers, [event.delta])
    if type(event) is MessageDeltaEvent:
        return _of_message(event)
    if type(event) is RunStepDeltaEvent:
        return _of_step(event)
    return None


def _of_message(event: MessageDeltaEvent) -> Series | None:
    if event.delta is None or not event.delta.content or event.extra:
        return None
    part = event.delta.content[0]
    if type(part) is not TextDeltaBlock or part.index is None or part.text is None:
        return None
    return _alone(event, TEXT, (part.index,), part.text.value)


def _of_step(event: RunStepDeltaEvent) -> Series | None:
    details = event.delta.step_details if event.delta is not None else None
    if type(details) is not ToolCallDeltaObject or not details.tool_calls or event.extra:
        return None
    call = details.tool_calls[0]
    if call.index is None:
        return None
    if type(call) is FunctionToolCallDelta and call.function is not None:
        return _alone(event, FUNCTION, (call.index,), call.function.arguments)
    if type(call) is not CodeInterpreterToolCallDelta or call.code_interpreter is None:
        return None
    code = call.code_interpreter
    if not code.outputs:
        return _alone(event, CODE, (call.index,), code.input)
    output = code.outputs[0]
    if type(output) is not CodeInterpreterLogs or output.index is None:
        return None
    return _alone(event, LOGS, (call.index, output.index), output.logs)


def _alone(
    event: RunStepDeltaEvent | MessageDeltaEvent,
    kind: str,
    numbers: tuple[int, ...],
    text: str | None,
) -> Series | None:
    """Return a series of one, if the event says nothing besides."""
    if text is None:
        return None
    said = Series(kind, event.id, numbers, [text])
    return said if said.event(*numbers, text).delta == event.delta else None
