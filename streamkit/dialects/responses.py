"""The Responses API: events of its streams, in the words of runs.

The response is the run, an output item is a step. A fragment of text is a delta; the text
said again, whole, tells what was lost of it. `event_of` is for an event whose name begins
with ``response.``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from .._fragments import of_call, of_message
from .._wire import load
from ..deltas import (
    AnnotationDelta,
    CodeInterpreterToolCallDelta,
    FileSearchToolCallDelta,
    OtherToolCallDelta,
    TextDelta,
    TextDeltaBlock,
    ToolCallDelta,
)
from ..deltas.base import Extra
from ..events import (
    MessageEvent,
    ResponseDeltaEvent,
    ResponseEndEvent,
    ResponseStreamEvent,
    RunEvent,
    StepEvent,
    UnknownEvent,
)
from ..snapshots import (
    Run,
)
from .items import from_annotation, from_item
from .payloads import Payload, an_index, an_int, an_object, item_id, within
from .texts import (
    CALLS,
    DELTAS,
    PLAIN,
    TEXTS,
    Said,
    delta,
    part,
    whole_call,
    whole_text,
)

__all__ = ["KNOWN", "PLAIN", "PREFIX", "event_of"]

PREFIX: Final = "response."


# Responses and items, whole


def _response(name: str, payload: Payload) -> Said:
    """Take a response: the last word on every item in it, then on itself."""
    response = payload.get("response")
    run = within("$.response", lambda: load(Run, response))
    output = response.get("output") if isinstance(response, dict) else None
    items = [
        said
        for rank, item in enumerate(output if isinstance(output, list) else ())
        for said in _opened(item, rank, f"$.response.output[{rank}]", done=name in _ENDS)
    ]
    return (*items, RunEvent(name, run))


def _item(name: str, payload: Payload) -> Said:
    rank = an_int(payload, "output_index")
    return _opened(payload.get("item"), rank, "$.item", done=name.endswith(".done"))


def _opened(value: object, rank: int | None, path: str, *, done: bool) -> Said:
    item = an_object(value, path)
    step, message = within(path, lambda: from_item(item, rank=rank, done=done))
    whole = StepEvent(f"thread.run.step.{'completed' if done else 'created'}", step)
    if message is None:
        return (whole,)
    if done:
        return (MessageEvent("thread.message.completed", message), whole)
    return (whole, MessageEvent("thread.message.created", message))


# What stands beside the texts


def _annotation(_: str, payload: Payload) -> Said:
    annotation = from_annotation(an_object(payload.get("annotation"), "$.annotation"))
    index = an_index(payload, "annotation_index")
    text = TextDelta(annotations=(AnnotationDelta(index=index, extra=Extra(annotation)),))
    block = TextDeltaBlock(index=an_index(payload, "content_index"), text=text)
    return (of_message(item_id(payload), block),)


def _status(name: str, payload: Payload) -> Said:
    """Take how a call stands, which the names of its events say."""
    _, kind, status = name.split(".")
    call = _KINDS.get(kind, OtherToolCallDelta(index=0, type=kind))
    stands = msgspec.structs.replace(call, extra=Extra(status=status))
    return (of_call(item_id(payload), stands),)


def _partial_image(_: str, payload: Payload) -> Said:
    """Take an image that is not finished: fields of its call, until the image is there."""
    fields = Extra({name: value for name, value in payload.items() if name not in _ADDRESS})
    call = OtherToolCallDelta(index=0, type="image_generation_call", extra=fields)
    return (of_call(item_id(payload), call),)


_ADDRESS: Final = frozenset({"type", "item_id", "output_index", "sequence_number", "obfuscation"})

_KINDS: Final[Mapping[str, ToolCallDelta]] = {
    "code_interpreter_call": CodeInterpreterToolCallDelta(index=0),
    "file_search_call": FileSearchToolCallDelta(index=0),
}


# All of them

_Take = Callable[[str, Payload], Said]


def _named(names: str, take: _Take) -> dict[str, _Take]:
    return {PREFIX + name: take for name in names.split()}


_ENDS: Final = frozenset(_named("completed incomplete failed cancelled", _response))

# Others are handed over as they are: audio, which belongs to no item; steering, which
# belongs to a connection; the pieces of shell commands and of what they print, which come
# with their items again.
_TAKES: Final[Mapping[str, _Take]] = {
    **_named("created queued in_progress", _response),
    **dict.fromkeys(_ENDS, _response),
    **_named("output_item.added output_item.done", _item),
    **dict.fromkeys(CALLS, whole_call),
    **dict.fromkeys(TEXTS, whole_text),
    **_named(
        "content_part.added content_part.done reasoning_summary_part.added "
        "reasoning_summary_part.done",
        part,
    ),
    **_named("output_text.annotation.added", _annotation),
    **_named("image_generation_call.partial_image", _partial_image),
    **_named(
        "code_interpreter_call.in_progress code_interpreter_call.interpreting "
        "code_interpreter_call.completed web_search_call.in_progress web_search_call.searching "
        "web_search_call.completed file_search_call.in_progress file_search_call.searching "
        "file_search_call.completed image_generation_call.in_progress "
        "image_generation_call.generating image_generation_call.completed mcp_call.in_progress "
        "mcp_call.completed mcp_call.failed mcp_list_tools.in_progress "
        "mcp_list_tools.completed mcp_list_tools.failed compaction.compacting",
        _status,
    ),
}


# The names that mean something here.
KNOWN: Final = frozenset(_TAKES) | frozenset(DELTAS)


def event_of(name: str, payload: Payload) -> ResponseStreamEvent | ResponseDeltaEvent:
    """Give an event its meaning.

    Raises:
        DecodeError: The name is known but the payload does not fit it.
    """
    if name in DELTAS:
        return delta(DELTAS[name], payload)
    take = _TAKES.get(name)
    said = (UnknownEvent(name, payload),) if take is None else take(name, payload)
    number, place = an_int(payload, "sequence_number"), an_int(payload, "output_index")
    kind = ResponseEndEvent if name in _ENDS else ResponseStreamEvent
    return kind(name, said, number, place)
