"""Calls and parts of messages, cut into the items of deltas.

All is the wire's JSON. The items of one call, or of one part, merged in their order, come
to the whole again; nothing is said that the whole does not say.
"""

from __future__ import annotations

import itertools
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from ..errors import UsageError

__all__ = ["Cutter", "Size", "Wire", "call_items", "part_items"]

T = TypeVar("T")

Wire: TypeAlias = dict[str, Any]

# How many characters a fragment has: so many, between two bounds, or None: all there are.
Size: TypeAlias = int | tuple[int, int] | None


class Cutter:
    """Cuts texts into fragments, and mixes what goes on at the same time, by a seed."""

    def __init__(self, size: Size, seed: int, *, interleave: bool) -> None:
        self._bounds = _bounds(size)
        self._random = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._interleave = interleave

    def pieces(self, text: object) -> list[str]:
        """Cut a text; nothing comes of an empty one, nor of what is none."""
        if not isinstance(text, str) or not text:
            return []
        if self._bounds is None:
            return [text]
        low, high = self._bounds
        pieces = []
        start = 0
        while start < len(text):
            end = start + low + self._below(high - low + 1)
            pieces.append(text[start:end])
            start = end
        return pieces

    def mixed(self, sequences: Iterable[Iterable[T]]) -> Iterator[T]:
        """Put sequences one after another or, interleaved, between one another.

        The order within each is kept, and the first item of one comes after the first
        item of the one before it: servers open things in their order.
        """
        if not self._interleave:
            yield from itertools.chain.from_iterable(sequences)
            return
        waiting = deque(map(deque, sequences))
        begun: list[deque[T]] = []
        while begun or waiting:
            at = self._below(len(begun) + bool(waiting))
            if at == len(begun):
                begun.append(waiting.popleft())
            if begun[at]:
                yield begun[at].popleft()
            else:
                begun[at] = begun[-1]
                begun.pop()

    def _below(self, count: int) -> int:
        # Of a generator, only what random() gives is promised to stay the same.
        return int(self._random.random() * count)


def _bounds(size: Size) -> tuple[int, int] | None:
    if size is None:
        return None
    bounds = (size, size) if isinstance(size, int) else tuple(size)
    match bounds:
        case (int(low), int(high)) if 1 <= low <= high and not isinstance(size, bool):
            return low, high
    raise UsageError(
        f"a size of {size!r} is none: give the number of characters of a fragment, from 1, "
        "a pair of bounds, or None for texts that come whole"
    )


# Calls


def call_items(call: Wire, index: int, cutter: Cutter, *, ends: bool) -> Sequence[Wire]:
    """Cut a call; where its step `ends`, what only the end tells is left out."""
    kind = call.get("type")
    cut = _CALLS.get(kind, _other) if isinstance(kind, str) else _other
    first, *rest = cut(call, cutter)
    if ends:
        rest = [item for item in rest if _TOLD_LAST.get(str(kind)) not in item.get(str(kind), ())]
    place = {"index": index}
    further = place if kind is None else {"index": index, "type": kind}
    return [place | first | place, *(further | item for item in rest)]


def _code(call: Wire, cutter: Cutter) -> Iterator[Wire]:
    inner = call.get("code_interpreter")
    if not isinstance(inner, dict):
        yield call
        return
    outputs = inner.get("outputs") or []
    yield call | {"code_interpreter": _emptied(inner, input="", outputs=[])}
    for piece in cutter.pieces(inner.get("input")):
        yield {"code_interpreter": {"input": piece}}
    cut = [_output_items(output, index, cutter) for index, output in enumerate(outputs)]
    for item in cutter.mixed(cut):
        yield {"code_interpreter": {"outputs": [item]}}


def _output_items(output: Wire, index: int, cutter: Cutter) -> list[Wire]:
    pieces = cutter.pieces(output.get("logs")) if output.get("type") == "logs" else []
    if not pieces:
        return [{"index": index} | output | {"index": index}]
    further = {"index": index, "type": "logs"}
    first, *rest = pieces
    return [
        {"index": index} | output | {"index": index, "logs": first},
        *(further | {"logs": piece} for piece in rest),
    ]


def _function(call: Wire, cutter: Cutter) -> Iterator[Wire]:
    inner = call.get("function")
    if not isinstance(inner, dict):
        yield call
        return
    yield call | {"function": _emptied(inner, arguments="", output=None)}
    for piece in cutter.pieces(inner.get("arguments")):
        yield {"function": {"arguments": piece}}
    if inner.get("output") is not None:
        yield {"function": {"output": inner["output"]}}


def _search(call: Wire, _: Cutter) -> Iterator[Wire]:
    inner = call.get("file_search")
    if not isinstance(inner, dict):
        yield call
        return
    yield call | {"file_search": _emptied(inner, results=[])}
    if inner.get("results"):
        yield {"file_search": {"results": inner["results"]}}


def _other(call: Wire, cutter: Cutter) -> Iterator[Wire]:
    yield _without_later(call)
    for path, name, value in _later(call, ()):
        pieces = cutter.pieces(value) if name == "arguments" else [value]
        for piece in pieces:
            yield _nested(path, {name: piece})


def _without_later(fields: Wire) -> Wire:
    """Empty the arguments, wherever they lie, and the output beside them."""
    empty = {name: "" if name == "arguments" else None for name in _later_names(fields)}
    return {
        name: _without_later(value) if isinstance(value, dict) else value
        for name, value in (fields | empty).items()
    }


def _later(fields: Wire, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Find the arguments, wherever they lie, and the output beside them, with their paths."""
    for name in _later_names(fields):
        yield path, name, fields[name]
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _later(value, (*path, name))


def _later_names(fields: Wire) -> list[str]:
    if not isinstance(fields.get("arguments"), str):
        return []
    return ["arguments", *(["output"] if isinstance(fields.get("output"), str) else [])]


def _nested(path: Sequence[str], fields: Wire) -> Wire:
    for name in reversed(path):
        fields = {name: fields}
    return fields


def _emptied(inner: Wire, **empty: object) -> Wire:
    """Put what a server says first in the place of what is said, not of what is not."""
    return inner | {name: value for name, value in empty.items() if inner.get(name) is not None}


_Cut: TypeAlias = Callable[[Wire, Cutter], Iterator[Wire]]

_CALLS: Final[Mapping[str, _Cut]] = {
    "code_interpreter": _code,
    "function": _function,
    "file_search": _search,
}

# What only the terminal object of the step tells, where there is one.
_TOLD_LAST: Final = {"function": "output", "file_search": "results"}


# Parts of messages


def part_items(part: Wire, index: int, cutter: Cutter) -> Sequence[Wire]:
    """Cut a part of a message; images and what is unknown come whole."""
    place = {"index": index}
    whole = place | part | place
    kind = part.get("type")
    if kind == "refusal":
        pieces = cutter.pieces(part.get("refusal"))
        further = place | {"type": "refusal"}
        rest = [further | {"refusal": piece} for piece in pieces[1:]]
        return [whole | {"refusal": piece} for piece in pieces[:1]] + rest or [whole]
    inner = part.get("text")
    if kind != "text" or not isinstance(inner, dict):
        return [whole]
    first, *rest = _text_items(inner, cutter)
    further = place | {"type": "text"}
    return [whole | {"text": first}, *(further | {"text": item} for item in rest)]


def _text_items(text: Wire, cutter: Cutter) -> list[Wire]:
    """Cut a text; an annotation comes with the piece in which what it is about ends."""
    value = text.get("value")
    first, *rest = cutter.pieces(value) or [""]
    items: list[Wire] = [_emptied(text, value=first, annotations=[])]
    items += [{"value": piece} for piece in rest]
    ends = list(itertools.accumulate(len(piece) for piece in (first, *rest)))
    at = 0
    for index, annotation in enumerate(text.get("annotations") or []):
        end = annotation.get("end_index")
        while at < len(items) - 1 and not (isinstance(end, int) and end <= ends[at]):
            at += 1
        place = {"index": index}
        items[at].setdefault("annotations", []).append(place | annotation | place)
    return items
