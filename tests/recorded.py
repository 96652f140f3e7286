"""Recorded streams, our own and other projects', and a reader of them that is slow and plain.

The recordings of other projects are not copied here. They are looked for where the
environment variable STREAMKIT_RECORDINGS says, or else in ``../shared/recordings``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from streamkit import Frame, Outcome
from tests.own import OWN, Legs, Said, joined, read
from tests.promise import Place

__all__ = [
    "ENDS",
    "ODD",
    "OTHERS",
    "OWN",
    "RESPONSES",
    "STREAMS",
    "Legs",
    "Said",
    "came_to",
    "every",
    "frames",
    "objects",
    "on_every_stream",
    "read",
    "texts",
]

HERE: Final = Path(__file__).parent
ELSEWHERE: Final = Path(
    os.environ.get("STREAMKIT_RECORDINGS", HERE.parent / ".." / "shared" / "recordings")
)


# Where the streams are


def elsewhere(*apis: str) -> dict[str, Legs]:
    """Find the recordings of other projects that speak one of these protocols."""
    index = ELSEWHERE / "INDEX.json"
    files = json.loads(index.read_text())["files"] if index.is_file() else []
    return joined(
        {each["file"]: ELSEWHERE / each["file"] for each in files if each["api"] in apis}
    )


def every(streams: dict[str, Legs]) -> list[Any]:
    """One row a stream, or one that is skipped where there is none."""
    absent = pytest.mark.skip(f"no recordings of other projects in {ELSEWHERE.resolve()}")
    return [*streams] or [pytest.param("", id="elsewhere", marks=absent)]


# Stored without its blank lines, so it is no event stream.
ODD: Final = "openai-php/ThreadRunStreamResponseFixture.asis"

OTHERS: Final = elsewhere("assistants", "azure-agents")
RESPONSES: Final = elsewhere("responses")
STREAMS: Final = OWN | OTHERS


def on_every_stream(*, but: Collection[str] = ()) -> pytest.MarkDecorator:
    """Run a test with the `name` of each stream."""
    left = (ODD, *but)
    own, others = (
        {name: legs for name, legs in streams.items() if name not in left}
        for streams in (OWN, OTHERS)
    )
    return pytest.mark.parametrize("name", [*own, *every(others)])


ENDS: Final = ("completed", "failed", "cancelled", "expired", "incomplete")


# What they say, by a reader that knows nothing of this library


def objects(said: Iterable[Said]) -> Iterator[tuple[str, str, Any]]:
    """The kind, the transition and the object of each event of a run."""
    for name, data in said:
        if found := re.fullmatch(r"thread\.(run\.step|run|message)\.(\w+)", name):
            yield found[1], found[2], json.loads(data)


def came_to(said: Iterable[Said]) -> Outcome:
    """Say the outcome of a leg."""
    outcome: Outcome = "truncated"
    for kind, transition, _ in objects(said):
        if kind == "run":
            rest: Outcome = "paused" if transition == "requires_action" else "truncated"
            outcome = "complete" if transition in ENDS else rest
    return "error" if any(name == "error" for name, _ in said) else outcome


def texts(said: Iterable[Said]) -> dict[Place, str]:
    """Fold the texts, and where images lie: deltas add to them, whole objects are them."""
    folded: dict[Place, str] = {}
    for _, transition, value in objects(said):
        for place, text in pieces(value["id"], value.get("delta", value)):
            is_delta = transition == "delta"
            folded[place] = folded.get(place, "") + text if is_delta else text
    return {place: text for place, text in folded.items() if text}


def pieces(owner: str, value: Any) -> Iterator[tuple[Place, str]]:
    """The texts in a step or a message, whole or a delta."""
    calls = (value.get("step_details") or {}).get("tool_calls") or []
    for index, call in indexed(calls):
        inner = call.get(call["type"]) or {}
        yield (owner, index, "code"), inner.get("input") or ""
        yield (owner, index, "arguments"), call.get("arguments") or inner.get("arguments") or ""
        for output, each in indexed(inner.get("outputs") or []):
            said = each[each["type"]]
            is_text = isinstance(said, str)
            yield (owner, index, output, each["type"]), said if is_text else said["file_id"]
    for index, part in indexed(value.get("content") or []):
        said = part[part["type"]]
        kind = part["type"] if part["type"] in ("text", "refusal") else "part"
        is_text = isinstance(said, str)
        yield (owner, index, kind), said if is_text else said.get("value", said.get("file_id", ""))


def indexed(items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """Items under their indices, or else in their order."""
    return ((item.get("index", rank), item) for rank, item in enumerate(items))


def frames(said: Iterable[Said]) -> list[Frame]:
    """Give events as frames."""
    return [Frame(name, data.encode("utf-8", "surrogatepass")) for name, data in said]
