"""Every type of event and item that openai-python knows is read, or handed over on purpose."""

from __future__ import annotations

import importlib
import json
import pkgutil
import types
import typing
from typing import Any, Final

import pytest
from openai.types import responses
from openai.types.responses import ResponseOutputItem, ResponseStreamEvent
from pydantic import BaseModel

from streamkit import Accumulator, OtherToolCall, StepDone, ToolCallsStepDetails, UnknownReceived
from streamkit.dialects.items import from_item, to_item
from streamkit.dialects.responses import KNOWN
from tests.answering import added, created, event, finished, item_of
from tests.streams import Wire

# What is handed over as it is, for want of an item that it belongs to, or because its item
# says it all again.
RAW: Final = {
    "response.audio.delta",
    "response.audio.done",
    "response.audio.transcript.delta",
    "response.audio.transcript.done",
    "response.shell_call_command.added",
    "response.shell_call_command.delta",
    "response.shell_call_command.done",
    "response.shell_call_output_content.delta",
    "response.shell_call_output_content.done",
    "response.steer.accepted",
    "response.steer.failed",
    "response.steer.pending",
}
SENT_BY_CLIENTS: Final = {"response.create", "response.steer"}


def type_of(model: type[BaseModel]) -> str:
    """Return the ``type`` that a model stands for."""
    (kind,) = typing.get_args(model.model_fields["type"].annotation)
    assert isinstance(kind, str)
    return kind


def members(union: Any) -> tuple[type[BaseModel], ...]:
    """Return the models of an annotated union."""
    return typing.get_args(typing.get_args(union)[0])


def events() -> set[str]:
    """Return the types of all events: those of streams, and those of any other module."""
    known = {type_of(model) for model in members(ResponseStreamEvent)}
    for module in pkgutil.iter_modules(responses.__path__):
        if module.name.endswith("_event"):
            found = vars(importlib.import_module(f"{responses.__name__}.{module.name}")).values()
            known |= {
                type_of(each)
                for each in found
                if isinstance(each, type)
                and issubclass(each, BaseModel)
                and each.__name__.endswith("Event")
                and "type" in each.model_fields
            }
    return known


def test_every_event_is_read_or_handed_over() -> None:
    known = events() - SENT_BY_CLIENTS
    assert len(known) > 60
    assert known - KNOWN == RAW | {"error"}


# What this library reads and openai-python has no name for: the API reference had it.
OLD: Final = {"response.cancelled"}


def test_nothing_is_read_that_no_server_says() -> None:
    assert events() | OLD >= KNOWN


@pytest.mark.parametrize("name", sorted(RAW))
def test_what_is_handed_over_is_whole(name: str) -> None:
    accumulator = Accumulator()
    accumulator.feed_frame(created())
    said = event(name.removeprefix("response."), delta="AAAA", command_index=0, output_index=0)
    assert accumulator.feed_frame(said) == [UnknownReceived(name, json.loads(said.data))]


def sample(annotation: Any, *, bare: bool = False) -> Any:
    """Make up a value of a type, as simple as can be; `bare`: null wherever it may be."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return sample(inner[0], bare=bare)
    if origin in (typing.Union, types.UnionType):
        if bare and type(None) in inner:
            return None
        return sample(next(each for each in inner if each is not type(None)), bare=bare)
    if origin is typing.Literal:
        return "completed" if "completed" in inner else inner[0]
    if origin is list:
        return [sample(inner[0], bare=bare)]
    if origin is dict:
        return {"key": sample(inner[1], bare=bare)}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {
            name: sample(field.annotation, bare=bare)
            for name, field in annotation.model_fields.items()
        }
    return _SAMPLES.get(annotation, {"any": "thing"})


_SAMPLES: Final[dict[Any, Any]] = {str: "text", int: 7, float: 0.5, bool: True}

ITEMS: Final = {type_of(model): model for model in members(ResponseOutputItem)}


@pytest.mark.parametrize("kind", sorted(ITEMS))
@pytest.mark.parametrize("bare", [False, True], ids=["full", "bare"])
def test_every_item_is_the_same_after_a_way_there_and_back(kind: str, *, bare: bool) -> None:
    item = sample(ITEMS[kind], bare=bare) | {"id": "item_a"}
    ITEMS[kind].model_validate(item)
    assert to_item(*from_item(item, done=True)) == item


@pytest.mark.parametrize("kind", sorted(ITEMS))
@pytest.mark.parametrize("bare", [False, True], ids=["full", "bare"])
def test_every_item_folds_to_itself(kind: str, *, bare: bool) -> None:
    item = sample(ITEMS[kind], bare=bare) | {"id": "item_a"}
    begun = item | {"status": "in_progress"} if item.get("status") else item
    accumulator = Accumulator()
    for frame in (created(), added(begun)):
        accumulator.feed_frame(frame)
    changes = accumulator.feed_frame(finished(item))
    assert isinstance(changes[-1], StepDone)
    assert item_of(accumulator.snapshot()) == item
    assert accumulator.problems == ()
    ITEMS[kind].model_validate(item_of(accumulator.snapshot()))


UNKNOWN: Final[Wire] = {"id": "item_a", "type": "oracle_call", "vision": {"of": ["things"]}}


def test_an_unknown_item_is_kept_raw() -> None:
    accumulator = Accumulator()
    for frame in (created(), added(UNKNOWN), finished(UNKNOWN)):
        accumulator.feed_frame(frame)
    (step,) = accumulator.steps
    assert isinstance(step.step_details, ToolCallsStepDetails)
    (call,) = step.step_details.tool_calls
    assert call == OtherToolCall(
        id="item_a", type="oracle_call", extra={"vision": {"of": ["things"]}}
    )
    assert item_of(accumulator.snapshot()) == UNKNOWN
