"""Fragments of calls, and calls: on the wire they look alike."""

from __future__ import annotations

from .streams import JSON, frame

__all__ = ["code", "function", "step_delta"]


def code(which: JSON, **fields: object) -> JSON:
    """Return some of a call of the code interpreter; its id, its index or both say which."""
    return which | {"type": "code_interpreter", "code_interpreter": fields}


def function(which: JSON, **fields: object) -> JSON:
    """Return some of a call of a function."""
    return which | {"type": "function", "function": fields}


def step_delta(step_id: str, fragment: JSON) -> bytes:
    """Write the event that adds a fragment of a call to a step."""
    delta = {"step_details": {"type": "tool_calls", "tool_calls": [fragment]}}
    return frame(
        "thread.run.step.delta",
        {"id": step_id, "object": "thread.run.step.delta", "delta": delta},
    )
