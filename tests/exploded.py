"""What tests of `explode` share: runs built from JSON, and a look into frames."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from streamkit import Frame, RunSnapshot
from streamkit.testing.building import (
    code_interpreter,
    function_call,
    image,
    logs,
    message,
    script,
    step,
)
from streamkit.testing.wire import snapshot_from_wire
from tests.fold_promise import Promise

__all__ = ["PLOT", "Wire", "calls_step", "events", "folded", "items", "payload", "snapshot"]

Wire = dict[str, Any]


def folded(frames: Sequence[Frame]) -> RunSnapshot:
    """Fold frames, held to the promise of the changes after each."""
    promise = Promise()
    for frame in frames:
        promise.feed(frame)
    promise.end()
    return promise.accumulator.finish()


def snapshot(*steps: Wire, messages: Sequence[Wire] = (), **run: Any) -> RunSnapshot:
    whole = {"id": "run_1", "status": "completed"} | run
    return snapshot_from_wire({"run": whole, "steps": steps, "messages": messages})


def calls_step(*calls: Wire, step_id: str = "step_1", status: str | None = "completed") -> Wire:
    details = {"type": "tool_calls", "tool_calls": list(calls)}
    return {"id": step_id, "status": status, "step_details": details}


def payload(frame: Frame) -> Any:
    return json.loads(frame.data) if frame.data != b"[DONE]" else None


def items(frames: Sequence[Frame]) -> Iterator[Wire]:
    """The fragments of calls and of parts, in the order they come."""
    for frame in frames:
        if frame.event.endswith(".delta"):
            delta = payload(frame)["delta"]
            yield from delta.get("content") or delta["step_details"]["tool_calls"]


def events(frames: Sequence[Frame]) -> list[str]:
    """The events' names, each once where it repeats."""
    names = (frame.event.removeprefix("thread.") for frame in frames)
    return [name for name, _ in itertools.groupby(names)]


PLOT: Final = script(
    code_interpreter("print(1)", logs("1\n"), image("file-1")),
    step(function_call("f", {"a": 1}, output="2"), function_call("g", output=[3])),
    message("done"),
)
