"""Output items of the Responses API as steps and messages, and back.

An item is a step, whose id is the item's; a message is also a message. What the attributes
of those cannot show is in their `extra`, so that the way back gives the same item. An item
without an id is named by its place, as ``output[2]``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from .._lifecycle import ENDED
from .._wire import load, to_wire
from ..errors import DecodeError
from ..snapshots import Message, MessageCreationStepDetails, RunStep, ToolCallsStepDetails

__all__ = [
    "CODE",
    "FUNCTION",
    "MESSAGE",
    "REASONING",
    "Opened",
    "from_annotation",
    "from_item",
    "from_part",
    "in_item",
    "named",
    "to_item",
]

Wire: TypeAlias = dict[str, Any]

MESSAGE: Final = "message"
REASONING: Final = "reasoning"
CODE: Final = "code_interpreter_call"
FUNCTION: Final = "function_call"
SEARCH: Final = "file_search_call"


_NAME: Final = "output["


# Where the two shapes differ: a path here, and there.
_PATHS: Final = {
    ".step_details": "",
    ".tool_calls[0]": "",
    ".code_interpreter.input": ".code",
    ".code_interpreter": "",
    ".function": "",
    ".file_search": "",
    ".image.url": ".url",
    ".file_name": ".filename",
    ".text.value": ".text",
    ".text.annotations": ".annotations",
}


class Opened(NamedTuple):
    """What an item is in the picture of a run."""

    step: RunStep
    message: Message | None = None


def from_item(item: Mapping[str, Any], *, rank: int | None = None, done: bool = False) -> Opened:
    """Read an item.

    Args:
        item: As on the wire.
        rank: Its place in the output, which names it if it has no id.
        done: Whether it is said to be done; before that its own status says nothing.

    Raises:
        DecodeError: It is not of its kind. The path is that in the item.
    """
    try:
        return _opened(item, rank, done=done)
    except DecodeError as error:
        error.path = in_item(error.path)
        raise


def _opened(item: Mapping[str, Any], rank: int | None, *, done: bool) -> Opened:
    kind = item.get("type")
    id, status = item.get("id") or named(rank), _status(item.get("status"), done=done)
    step: Wire = {"id": id, "status": status}
    if kind == MESSAGE:
        creation = {"type": "message_creation", "message_creation": {"message_id": id}}
        step |= {"type": "message_creation", "step_details": creation}
        return Opened(load(RunStep, step), load(Message, _message(item, id, done=done)))
    if kind == REASONING:
        step |= {"type": kind, "step_details": _without(item, "id")}
        return Opened(load(RunStep, step))
    call = _CALLS.get(str(kind), _other)(item)
    step |= {"type": "tool_calls", "step_details": {"type": "tool_calls", "tool_calls": [call]}}
    return Opened(load(RunStep, step))


def to_item(step: RunStep, message: Message | None = None) -> Wire:
    """Write the item that a step was read from, and the message that it creates.

    Raises:
        DecodeError: It is not the step of an item.
    """
    details = step.step_details
    if isinstance(details, MessageCreationStepDetails) and message is not None:
        return _without_name(_from_message(to_wire(message)))
    if isinstance(details, ToolCallsStepDetails) and len(details.tool_calls) == 1:
        call = to_wire(details.tool_calls[0])
        return _ITEMS.get(call.get("type"), _same)(call, step.id)
    if details is not None and details.type == REASONING:
        return _without_name({"id": step.id} | to_wire(details))
    raise DecodeError(f"step {step.id} is not that of an item")


def in_item(path: str | None) -> str:
    """Say where in an item that is, what lies at a path of the step or the message."""
    path = path or "$"
    for ours, theirs in _PATHS.items():
        path = path.replace(ours, theirs)
    return path


def named(rank: object) -> str:
    """Name an item without an id by its place. No server's ids look so."""
    return f"{_NAME}{rank}]"


def _without_name(item: Wire) -> Wire:
    id = item.get("id")
    return _without(item, "id") if isinstance(id, str) and id.startswith(_NAME) else item


def _status(said: object, *, done: bool) -> str:
    """Say how a step stands: what is not done is in progress, whatever it is called."""
    if not done:
        return "in_progress"
    return said if isinstance(said, str) and said in ENDED else "completed"


def _without(item: Mapping[str, Any], *names: str) -> Wire:
    return {name: value for name, value in item.items() if name not in names}


def _renamed(item: Mapping[str, Any], **names: str) -> Wire:
    return {new: item[old] for old, new in names.items() if old in item}


# Messages


def _message(item: Mapping[str, Any], id: object, *, done: bool) -> Wire:
    wire = {**item, "id": id}
    if not done:
        wire["status"] = _status(item.get("status"), done=False)
    if isinstance(item.get("content"), list):
        wire["content"] = [from_part(part) for part in item["content"]]
    return wire


def from_part(part: Any) -> Any:
    """Put a part of an item into the shape of a part of a message."""
    if not isinstance(part, dict) or part.get("type") != "output_text":
        return part
    text = _renamed(part, text="value", annotations="annotations")
    if isinstance(text.get("annotations"), list):
        text["annotations"] = [from_annotation(each) for each in text["annotations"]]
    return _without(part, "text", "annotations") | {"type": "text", "text": text}


def from_annotation(annotation: Any) -> Any:
    """Put an annotation of an item into the shape of one of a message."""
    kind = annotation.get("type") if isinstance(annotation, dict) else None
    if kind not in _FILES or "file_id" not in annotation:
        return annotation
    return _without(annotation, "file_id") | {kind: {"file_id": annotation["file_id"]}}


def _from_message(wire: Wire) -> Wire:
    if "content" in wire:
        wire["content"] = [_to_part(part) for part in wire["content"]]
    return wire


def _to_part(part: Wire) -> Wire:
    if part.get("type") != "text":
        return part
    text = _renamed(part.get("text") or {}, value="text", annotations="annotations")
    if isinstance(text.get("annotations"), list):
        text["annotations"] = [_to_annotation(each) for each in text["annotations"]]
    return _without(part, "text") | {"type": "output_text"} | text


def _to_annotation(annotation: Wire) -> Wire:
    kind = annotation.get("type")
    file = annotation.get(kind) if kind in _FILES else None
    return _without(annotation, str(kind)) | file if isinstance(file, dict) else annotation


# Annotations that point to a file.
_FILES: Final = ("file_citation", "file_path")


# Calls


def _code(item: Mapping[str, Any]) -> Wire:
    inner = _renamed(item, code="input", outputs="outputs")
    if isinstance(inner.get("outputs"), list):
        inner["outputs"] = [_output(output) for output in inner["outputs"]]
    rest = _without(item, "type", "code", "outputs")
    return {**rest, "type": "code_interpreter", "code_interpreter": inner}


def _output(output: Any) -> Any:
    if not isinstance(output, dict) or output.get("type") != "image" or "url" not in output:
        return output
    return _without(output, "url") | {"image": {"url": output["url"]}}


def _from_code(call: Wire, id: str) -> Wire:
    inner = call.pop("code_interpreter", None) or {}
    item = _of(CODE, call, id) | _renamed(inner, input="code", outputs="outputs")
    if isinstance(item.get("outputs"), list):
        item["outputs"] = [_from_output(output) for output in item["outputs"]]
    return item


def _from_output(output: Wire) -> Wire:
    image = output.get("image")
    return _without(output, "image") | image if isinstance(image, dict) else output


def _of(kind: str, call: Wire, id: str) -> Wire:
    return _without_name({"id": id} | call | {"type": kind})


def _function(item: Mapping[str, Any]) -> Wire:
    inner = _renamed(item, name="name", arguments="arguments")
    rest = _without(item, "type", "id", "call_id", "name", "arguments")
    return {**rest, **_renamed(item, call_id="id"), "type": "function", "function": inner}


def _from_function(call: Wire, id: str) -> Wire:
    inner = _renamed(call.pop("function", None) or {}, name="name", arguments="arguments")
    rest = _without(call, "id") | _renamed(call, id="call_id")
    return _of(FUNCTION, rest, id) | inner


def _search(item: Mapping[str, Any]) -> Wire:
    inner = _renamed(item, queries="queries", results="results")
    if isinstance(inner.get("results"), list):
        inner["results"] = [_result(result) for result in inner["results"]]
    rest = _without(item, "type", "queries", "results")
    return {**rest, "type": "file_search", "file_search": inner}


def _result(result: Any) -> Any:
    if not isinstance(result, dict):
        return result
    wire = _without(result, "filename", "text") | _renamed(result, filename="file_name")
    if isinstance(text := result.get("text"), str):
        return wire | {"content": [{"type": "text", "text": text}]}
    return wire | _renamed(result, text="text")


def _from_search(call: Wire, id: str) -> Wire:
    inner = call.pop("file_search", None) or {}
    item = _of(SEARCH, call, id) | inner
    if isinstance(item.get("results"), list):
        item["results"] = [_from_result(result) for result in item["results"]]
    return item


def _from_result(result: Wire) -> Wire:
    wire = _without(result, "file_name", "content") | _renamed(result, file_name="filename")
    for part in result.get("content") or []:
        wire |= _renamed(part, text="text")
    return wire


def _other(item: Mapping[str, Any]) -> Wire:
    return {**item}


def _same(call: Wire, _: str) -> Wire:
    return call


_CALLS: Final[Mapping[str, Callable[[Mapping[str, Any]], Wire]]] = {
    CODE: _code,
    FUNCTION: _function,
    SEARCH: _search,
}
_ITEMS: Final[Mapping[Any, Callable[[Wire, str], Wire]]] = {
    "code_interpreter": _from_code,
    "function": _from_function,
    "file_search": _from_search,
}
