"""What a peer makes of a run, held against what streamkit makes of the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from streamkit import Accumulator, Change, ImageAdded, LogAppended, RunSnapshot, to_wire
from tests.own import Legs, read

__all__ = ["Piece", "Theirs", "agree", "calls", "fold", "pieces", "renamed"]

# A log's text or an image's id: the step, the call, the output, the kind and what was said.
Piece = tuple[str, int, int, str, str]


class Theirs(NamedTuple):
    """What a peer makes of a run: as JSON, in the API's shapes."""

    events: Sequence[Any]  # names and payloads
    pieces: Sequence[Piece]  # that its callbacks told, as they came
    streamed: Sequence[Any]  # the steps as its stream has them in the end
    run: Any  # by asking for it
    steps: Sequence[Any]
    messages: Sequence[Any]
    files: dict[str, bytes]  # the images


def agree(theirs: Theirs, legs: Legs, *, streamed: bool = True) -> None:
    """Expect that a peer received all that was said, and came to the same.

    Args:
        theirs: What it made of the run.
        legs: What was recorded.
        streamed: Whether it is right about what it merged by itself.
    """
    legs = renamed(legs, theirs.run["thread_id"], theirs.run["assistant_id"])
    changes, ours = fold(legs)
    said = [[name, json.loads(data)] for leg in legs for name, data in read(leg) if name != "done"]
    assert [*map(list, theirs.events)] == said
    assert [*map(tuple, theirs.pieces)] == told(changes)
    steps = to_wire(ours.steps)
    assert theirs.steps == steps
    assert theirs.run == to_wire(ours.run)
    assert theirs.messages == to_wire(ours.messages)
    assert theirs.files.keys() == {what for *_, kind, what in told(changes) if kind == "image"}
    assert all(content.startswith(b"\x89PNG") for content in theirs.files.values())
    if streamed:
        by_id = {step["id"]: calls(step) for step in theirs.streamed}
        assert by_id == {step["id"]: calls(step) for step in steps if step["id"] in by_id}
        assert bool(by_id) == any(name == "thread.run.step.created" for name, _ in said)


def renamed(legs: Legs, thread_id: str, assistant_id: str) -> Legs:
    """Put other ids of thread and assistant into recorded bodies."""
    for field, new in (("thread_id", thread_id), ("assistant_id", assistant_id)):
        found = re.search(rb'"%s": ?"(\w+)"' % field.encode(), legs[0])
        assert found
        legs = tuple(leg.replace(b'"%s"' % found[1], b'"%s"' % new.encode()) for leg in legs)
    return legs


def fold(legs: Legs) -> tuple[list[Change], RunSnapshot]:
    """Say what a run tells, and what it comes to."""
    accumulator = Accumulator()
    changes: list[Change] = []
    for leg in legs:
        changes += accumulator.feed_bytes(leg)
        changes += accumulator.end()
    return changes, accumulator.snapshot()


def told(changes: Iterable[Change]) -> list[Piece]:
    """Say which logs and images were told, in order."""
    found: list[Piece] = []
    for change in changes:
        match change:
            case LogAppended(step_id, call, _, output, text):
                found.append((step_id, call, output, "logs", text))
            case ImageAdded(step_id, call, _, output, file_id):
                found.append((step_id, call, output, "image", str(file_id)))
    return found


def pieces(step_id: str, delta: Any) -> Iterator[Piece]:
    """Say which logs and images a delta of a step brings."""
    for call in (delta.get("step_details") or {}).get("tool_calls") or []:
        for output in (call.get("code_interpreter") or {}).get("outputs") or []:
            kind = output["type"]
            said = output.get("logs") if kind == "logs" else output["image"]["file_id"]
            if said:
                yield step_id, call["index"], output["index"], kind, said


def calls(step: Any) -> list[Any]:
    """What is in the calls of a step, but for what only its end says."""
    outlines = []
    for call in (step.get("step_details") or {}).get("tool_calls") or []:
        inner = call.get(call["type"]) or {}
        outputs = [
            output.get("logs") or output["image"]["file_id"]
            for output in inner.get("outputs") or []
        ]
        said = [inner.get(name) for name in ("input", "name", "arguments")]
        outlines.append((call.get("id"), call["type"], said, outputs))
    return outlines
