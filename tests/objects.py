"""What the objects of a run are at a point of its stream: folded slowly and obviously.

A whole object replaces what there was; a delta is merged into it, by index.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

__all__ = ["Objects", "Wire", "bare", "fold"]

Wire = dict[str, Any]

# What is streamed in pieces; every other string comes whole.
_GROWING: Final = {"input", "arguments", "logs", "value", "refusal"}
# What a whole object says even when no delta did.
_PRESENT: Final[dict[str, Wire]] = {
    "function": {"name": "", "arguments": "", "output": None},
    "code_interpreter": {"input": "", "outputs": []},
    "text": {"value": "", "annotations": []},
}
# The lists whose items have an index in a delta.
_INDEXED: Final = {"tool_calls", "outputs", "content", "annotations"}


class Objects(NamedTuple):
    """A run, and its steps and messages in the order in which they began."""

    run: Wire
    steps: list[Wire]
    messages: list[Wire]


def fold(events: Iterable[tuple[str, Any]]) -> Objects:
    """Say what the objects are after these events."""
    found: dict[str, dict[str, Wire]] = {"run": {}, "run.step": {}, "message": {}}
    for name, payload in events:
        kind = re.fullmatch(r"thread\.(run\.step|run|message)\.(\w+)", name)
        if kind and "id" in payload:
            known = found[kind[1]]
            old = known.get(payload["id"], {"id": payload["id"]})
            is_delta = kind[2] == "delta"
            known[payload["id"]] = merged(old, payload.get("delta")) if is_delta else payload
    runs, steps, messages = ([*map(bare, each.values())] for each in found.values())
    return Objects(runs[-1] if runs else {}, steps, messages)


def merged(old: Any, new: Any, name: str = "") -> Any:
    """Merge a part of a delta, which has this name, into what there was."""
    match old, new:
        case _, None:
            return old
        case dict(), dict():
            both = [merged(old.get(key), value, key) for key, value in new.items()]
            return old | dict(zip(new, both, strict=True))
        case None, dict():
            return merged(copy.deepcopy(_PRESENT.get(name, {})), new)
        case ((list() | None), list()) if all("index" in item for item in new):
            return by_index(old or [], new)
        case str(), str() if name in _GROWING:
            return old + new
        case _:
            return new


def by_index(old: list[Wire], new: list[Wire]) -> list[Wire]:
    """Merge items into those of the same index. The rank of an item in a whole object is one."""
    items = {item.get("index", rank): item for rank, item in enumerate(old)}
    for item in new:
        items[item["index"]] = merged(items.get(item["index"]), item)
    return [{**items[index], "index": index} for index in sorted(items)]


def bare(value: Any, name: str = "") -> Any:
    """Drop the indices, which only deltas carry."""
    match value:
        case dict():
            kept = {key: each for key, each in value.items() if key != "index"}
            inner = kept if name in _INDEXED else value
            return {key: bare(each, key) for key, each in inner.items()}
        case list():
            return [bare(each, name) for each in value]
        case _:
            return value
