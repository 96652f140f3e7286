"""What runs, steps and messages were before they became what they are, as wire JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .._lifecycle import ENDED
from .fragments import Wire

__all__ = [
    "LIFETIME",
    "begun",
    "calls_of",
    "created_by",
    "is_ended",
    "required",
    "run_before",
    "started_with",
    "unstarted",
    "waiting_for",
]

# A run, or what is in it, expires so many seconds after it was created.
LIFETIME: Final = 600

# What is null as long as something is under way. Only what the end says at all is null
# before: a server that leaves a field out does so all along.
_ENDS: Final = (
    *("cancelled_at", "completed_at", "expired_at", "failed_at", "incomplete_at"),
    *("incomplete_details", "last_error", "required_action", "usage"),
)


def run_before(run: Wire, status: str) -> Wire:
    """Return what a run was when its status was another, and it had not ended."""
    before = run | _nulls(run) | {"status": status}
    created = run.get("created_at")
    # The deadline is taken from a run when it ends.
    if "expires_at" in run and run["expires_at"] is None and isinstance(created, int):
        before["expires_at"] = created + LIFETIME
    return before


def unstarted(run: Wire) -> Wire:
    """Return a run that has not started yet."""
    return run | {name: None for name in ("started_at",) if name in run}


def started_with(run: Wire, steps: Iterable[Wire]) -> Wire:
    """Return a run that started with these steps, where it started anew after them.

    It says only when it started last.
    """
    times = (run.get("started_at"), *(step.get("created_at") for step in steps))
    known = [time for time in times[:2] if isinstance(time, int)]
    return run | {"started_at": min(known)} if len(known) == 2 else run


def waiting_for(run: Wire, calls: Iterable[Wire]) -> Wire:
    """Return what a run was when it waited for the outputs of function calls."""
    return run_before(run, "requires_action") | {"required_action": required(calls)}


def required(calls: Iterable[Wire]) -> Wire:
    """Return what a run requires that waits for the outputs of function calls."""
    waiting = [_only(call, "id", "type") | {"function": _called(call)} for call in calls]
    return {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": waiting}}


def begun(whole: Wire) -> Wire:
    """Return what a step or a message was when it began: empty, and under way."""
    if not is_ended(whole):
        return _emptied(whole)
    return _emptied(whole) | _nulls(whole) | {"status": "in_progress"}


def _emptied(whole: Wire) -> Wire:
    """Return a step without its calls, or a message without its content."""
    if whole.get("content"):
        return whole | {"content": []}
    if calls_of(whole):
        return whole | {"step_details": whole["step_details"] | {"tool_calls": []}}
    return whole


def calls_of(step: Wire) -> list[Wire]:
    """Return the calls of a step."""
    details = step.get("step_details") or {}
    return (details.get("tool_calls") or []) if details.get("type") == "tool_calls" else []


def created_by(step: Wire) -> str | None:
    """Return the id of the message that a step creates."""
    details = step.get("step_details") or {}
    is_creation = details.get("type") == "message_creation"
    return (details.get("message_creation") or {}).get("message_id") if is_creation else None


def is_ended(whole: Wire) -> bool:
    """Whether a run, a step or a message has come to its end, by its status."""
    return whole.get("status") in ENDED


def _nulls(whole: Wire) -> Wire:
    return {name: None for name in _ENDS if name in whole}


def _called(call: Wire) -> Wire:
    return _only(call.get("function") or {}, "name", "arguments")


def _only(whole: Wire, *names: str) -> Wire:
    return {name: whole[name] for name in names if name in whole}
