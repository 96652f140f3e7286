"""Output items of the Responses API, cut into what the events of a stream say of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from .fragments import Cutter, Wire

__all__ = ["Said", "item_said"]

# The name of an event, without ``response.``, and what it says but for its number.
Said: TypeAlias = tuple[str, Wire]


def item_said(item: Wire, index: int, cutter: Cutter) -> Iterator[Said]:
    """Say an item: that it was added, what comes of it, and that it is done.

    Args:
        item: As it is in the end.
        index: Its place in the output.
        cutter: Cuts its texts, and mixes those of its parts where it interleaves.
    """
    named = {"item_id": item["id"]} if "id" in item else {}
    place = named | {"output_index": index}
    under_way = {"status": "in_progress"} if "status" in item else {}
    first, rest = _KINDS.get(str(item.get("type")), _whole)(item, cutter)
    yield "output_item.added", {"output_index": index, "item": item | under_way | first}
    for name, said in rest:
        yield name, place | said
    yield "output_item.done", {"output_index": index, "item": item}


# What an item is without what comes later, and the events that bring it.
_Cut: TypeAlias = tuple[Wire, Iterable[Said]]


def _whole(_: Wire, __: Cutter) -> _Cut:
    """Say at once what an item is."""
    return {}, ()


def _emptied(item: Mapping[str, Any], **empty: object) -> Wire:
    """Put what a server says first in the place of what is said, not of what is not."""
    return {name: value for name, value in empty.items() if item.get(name)}


def _grown(name: str, field: str, text: object, cutter: Cutter, **more: object) -> Iterator[Said]:
    """Say a text in fragments, then whole; nothing of what is none."""
    for piece in cutter.pieces(text):
        yield f"{name}.delta", {"delta": piece} | more
    if isinstance(text, str):
        yield f"{name}.done", {field: text} | more


# Calls


class _Call(NamedTuple):
    """How a call is told.

    Attributes:
        empty: What its fields are at first that come with its end.
        field: The text that grows, if one does.
        text: The name of the events that bring it.
        before: The states that it says it is in, until the text is there.
        after: The states after that.
        ends: The states that it may say it has come to.
    """

    empty: Mapping[str, object] = {}
    field: str = ""
    text: str = ""
    before: Sequence[str] = ()
    after: Sequence[str] = ()
    ends: Sequence[str] = ()

    def cut(self, item: Wire, cutter: Cutter) -> _Cut:
        """Cut one."""
        texts = _grown(self.text, self.field, item.get(self.field), cutter) if self.field else ()
        said = itertools.chain(
            self._said(item, self.before),
            texts,
            self._said(item, self.after),
            self._said(item, [end for end in self.ends if end == item.get("status")]),
        )
        return _emptied(item, **self.empty), said

    def _said(self, item: Wire, states: Iterable[str]) -> list[Said]:
        # Where the item has no state, those that are told would be kept.
        return [(f"{item['type']}.{state}", {}) for state in states if "status" in item]


_BEGUN: Final = ("in_progress",)
_DONE: Final = ("completed",)

_CALLS: Final[Mapping[str, _Call]] = {
    "code_interpreter_call": _Call(
        empty={"code": "", "outputs": []},
        field="code",
        text="code_interpreter_call_code",
        before=_BEGUN,
        after=("interpreting",),
        ends=_DONE,
    ),
    "function_call": _Call(
        empty={"arguments": ""}, field="arguments", text="function_call_arguments"
    ),
    "custom_tool_call": _Call(empty={"input": ""}, field="input", text="custom_tool_call_input"),
    "mcp_call": _Call(
        empty={"arguments": "", "output": None, "error": None},
        field="arguments",
        text="mcp_call_arguments",
        before=_BEGUN,
        ends=("completed", "failed"),
    ),
    "mcp_list_tools": _Call(before=_BEGUN, ends=("completed", "failed")),
    "web_search_call": _Call(before=_BEGUN, after=("searching",), ends=_DONE),
    "file_search_call": _Call(
        empty={"results": None}, before=_BEGUN, after=("searching",), ends=_DONE
    ),
    "image_generation_call": _Call(
        empty={"result": None}, before=_BEGUN, after=("generating",), ends=_DONE
    ),
}


# Messages and reasoning


def _message(item: Wire, cutter: Cutter) -> _Cut:
    return _emptied(item, content=[]), _parts(item, "content", _content, cutter)


def _reasoning(item: Wire, cutter: Cutter) -> _Cut:
    summary = _parts(item, "summary", _summary, cutter)
    said = itertools.chain(summary, _parts(item, "content", _content, cutter))
    return _emptied(item, summary=[], content=[]), said


_Part: TypeAlias = Callable[[Wire, Cutter], Iterator[Said]]


def _parts(item: Wire, name: str, cut: _Part, cutter: Cutter) -> Iterator[Said]:
    """Say the parts that an item has in a list."""

    def said(part: Wire, index: int) -> Iterator[Said]:
        for event, fields in cut(part, cutter):
            yield event, {f"{name}_index": index} | fields

    parts = enumerate(item.get(name) or [])
    return cutter.mixed(said(part, index) for index, part in parts)


def _content(part: Wire, cutter: Cutter) -> Iterator[Said]:
    """Say a part of a message, or of the reasoning itself."""
    kind = str(part.get("type"))
    field = "refusal" if kind == "refusal" else "text"
    more: Wire = {"logprobs": []} if kind == "output_text" else {}
    first = _emptied(part, **{field: "", "annotations": []})
    yield "content_part.added", {"part": part | first}
    grown = [*_grown(kind, field, part.get(field), cutter, **more)]
    yield from grown[:-1]
    for rank, annotation in enumerate(part.get("annotations") or []):
        note = {"annotation_index": rank, "annotation": annotation}
        yield f"{kind}.annotation.added", note
    yield from grown[-1:]
    yield "content_part.done", {"part": part}


def _summary(part: Wire, cutter: Cutter) -> Iterator[Said]:
    """Say a part of what the reasoning comes to."""
    name = "reasoning_summary"
    yield f"{name}_part.added", {"part": part | _emptied(part, text="")}
    yield from _grown(f"{name}_text", "text", part.get("text"), cutter)
    yield f"{name}_part.done", {"part": part}


_KINDS: Final[Mapping[str, Callable[[Wire, Cutter], _Cut]]] = {
    **{kind: call.cut for kind, call in _CALLS.items()},
    "message": _message,
    "reasoning": _reasoning,
}
