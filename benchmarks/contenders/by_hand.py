"""What one writes by hand: httpx-sse, `json.loads`, and dicts merged by index."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, Final

import httpx
from httpx_sse import EventSource

__all__ = ["FOLDS", "MISTAKES", "NAME", "VERSIONS", "fold", "told"]

NAME: Final = "by hand, httpx-sse"
FOLDS: Final = frozenset({"tokens", "frames", "logs", "parallel", "big", "mixed", "hostile"})
MISTAKES: Final[Mapping[str, str]] = {}
VERSIONS: Final[Mapping[str, str]] = {name: version(name) for name in ("httpx-sse", "httpx")}

_GROWING: Final = frozenset({"input", "arguments", "logs", "value", "refusal"})
_INDEXED: Final = frozenset({"tool_calls", "outputs", "content", "annotations"})
_ENDS: Final = frozenset({"completed", "failed", "cancelled", "expired", "incomplete"})

_Objects = dict[str, dict[str, Any]]


def fold(chunks: list[bytes]) -> _Objects:
    """Return the run, the steps and the messages by their ids."""
    headers = {"content-type": "text/event-stream"}
    response = httpx.Response(200, headers=headers, content=chunks)
    objects: _Objects = {}
    for sse in EventSource(response).iter_sse():
        if not sse.event.startswith("thread."):
            continue  # `done`, and the empty events that httpx-sse makes of comments after an id
        data = json.loads(sse.data)
        if sse.event.endswith(".delta"):
            _merge(objects.setdefault(data["id"], {}), data["delta"])
        elif data["id"] not in objects or data["status"] in _ENDS:
            objects[data["id"]] = _merge({}, data)
    return {key: _joined(known) for key, known in objects.items()}


def _merge(known: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """Add what is said: texts as pieces, lists as dicts by index."""
    for name, value in said.items():
        if value is None:
            known.setdefault(name, None)
        elif name in _GROWING:
            _found(known, name, list).append(value)
        elif name in _INDEXED:
            slots = _found(known, name, dict)
            for position, item in enumerate(value):
                _merge(_found(slots, item.get("index", position), dict), item)
        elif isinstance(value, dict):
            _merge(_found(known, name, dict), value)
        else:
            known[name] = value
    return known


def _found(known: dict[Any, Any], key: object, make: Callable[[], Any]) -> Any:
    if known.get(key) is None:
        known[key] = make()
    return known[key]


def _joined(known: dict[str, Any]) -> dict[str, Any]:
    """Return what was merged in the API's shape."""
    return {name: _value(name, value) for name, value in known.items() if name != "index"}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, list) and name in _GROWING:
        return "".join(value)
    if isinstance(value, dict):
        if name in _INDEXED:
            return [_joined(value[index]) for index in sorted(value)]
        return _joined(value)
    return value


def told(folded: _Objects) -> dict[str, Any]:
    """Return the steps and the messages."""
    kinds = {"steps": "thread.run.step", "messages": "thread.message"}
    return {
        name: [each for each in folded.values() if each.get("object") == kind]
        for name, kind in kinds.items()
    }
