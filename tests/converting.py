"""What items are held against: the models of openai-python, and the texts they were made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import openai.types.responses as models
from openai.types.responses import response_input_item, response_input_item_param
from pydantic import BaseModel, TypeAdapter

from streamkit.convert import UNKNOWN_CONTAINER, ResponseItems, to_response_items

__all__ = [
    "CODE",
    "CONTAINER",
    "DONE",
    "IMAGE",
    "Wire",
    "accept",
    "code",
    "converted",
    "function",
    "noted",
    "strings",
    "texts",
    "wire_of",
]

Wire = dict[str, Any]

CODE: Final[Wire] = {"id": "ci_1", "type": "code_interpreter"}
IMAGE: Final[Wire] = {"type": "image", "image": {"file_id": "file-1"}}

# What is decided of every call that ran code.
CONTAINER: Final = ("container", None, UNKNOWN_CONTAINER)

# What a step says once it is over, and nothing of what it did.
DONE: Final = {"status": "completed", "run_id": "run_1"}

_INPUT: Final = response_input_item_param
_PARAMS: Final[Mapping[str, Any]] = {
    "code_interpreter_call": models.ResponseCodeInterpreterToolCallParam,
    "file_search_call": models.ResponseFileSearchToolCallParam,
    "function_call": models.ResponseFunctionToolCallParam,
    "function_call_output": _INPUT.FunctionCallOutput,
    "mcp_approval_request": _INPUT.McpApprovalRequest,
    "mcp_call": _INPUT.McpCall,
    "mcp_list_tools": _INPUT.McpListTools,
    "message": models.ResponseOutputMessageParam,
}

# What a model never puts out, so that there is no such output item.
_ONLY_INPUT: Final = ("function_call_output",)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def accept(item: Mapping[str, Any], *, own: bool = False) -> None:
    """Make sure that the typed dicts and the models take an item, field by field.

    Args:
        item: The item.
        own: Whether it is one of ours, which has no field that they do not know.
    """
    assert type(item) is dict
    _adapter(models.ResponseInputItemParam).validate_python(item, strict=True)
    unions = [response_input_item.ResponseInputItem]
    is_input = item["type"] in _ONLY_INPUT or item.get("role", "assistant") != "assistant"
    unions += [] if is_input else [models.ResponseOutputItem]
    for union in unions:
        model = _adapter(union).validate_python(item, strict=True)
        assert isinstance(model, BaseModel)
        if own:
            dumped = model.model_dump(mode="json", exclude_unset=True, by_alias=True)
            assert dumped == item
            assert not list(_unknown(model))
    if own:
        param = _INPUT.Message if item.get("role") == "user" else _PARAMS[item["type"]]
        assert _whole(_adapter(param).validate_python(item, strict=True)) == item


def _unknown(model: Any) -> Iterator[str]:
    """Yield the fields that the models do not know."""
    if isinstance(model, BaseModel):
        yield from model.model_extra or ()
        for _, value in model:
            yield from _unknown(value)
    elif isinstance(model, list):
        for each in model:
            yield from _unknown(each)


def _whole(value: Any) -> Any:
    """Give what was validated as builtins; typed dicts leave unknown fields out."""
    if isinstance(value, Mapping):
        return {name: _whole(each) for name, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_whole(each) for each in value]
    return value


def strings(value: Any) -> Iterator[str]:
    """Yield every text in JSON, the names of fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield name
            yield from strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from strings(each)


_TEXTS: Final = ("input", "logs", "arguments", "output", "value", "refusal", "text", "file_id")


def texts(value: Any) -> Iterator[str]:
    """Yield the texts in a snapshot's JSON that somebody or something wrote, but empty ones."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            if name in _TEXTS and isinstance(each, str):
                if each:
                    yield each
            else:
                yield from texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each)


def wire_of(*calls: Wire, id: str = "step_1", **fields: Any) -> Wire:
    """Build a step that made these calls."""
    details = {"type": "tool_calls", "tool_calls": list(calls)}
    return {"id": id, **DONE, "type": "tool_calls", "step_details": details} | fields


def converted(*steps: Wire, messages: tuple[Wire, ...] = (), **options: Any) -> ResponseItems:
    """Convert steps and messages; the models take each item."""
    items = to_response_items({"steps": steps, "messages": messages}, **options)
    for item in items:
        accept(item, own=True)
    return items


def noted(items: ResponseItems) -> list[tuple[Any, ...]]:
    """The kinds of decisions, with what was said and given, but for the bookkeeping."""
    decisions = [each for each in items.report if each.kind != "bookkeeping"]
    return [(each.kind, each.said, each.given) for each in decisions]


def code(**inner: Any) -> Wire:
    """Build a step that ran code."""
    return wire_of(CODE | {"code_interpreter": inner})


def function(**inner: Any) -> Wire:
    """Build a step that called a function."""
    return wire_of({"id": "call_1", "type": "function", "function": inner})
