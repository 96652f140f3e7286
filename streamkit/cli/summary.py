"""What is said of a run when it is over."""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from ..snapshots import (
    MessageCreationStepDetails,
    Run,
    RunSnapshot,
    RunStep,
    ToolCallsStepDetails,
    Usage,
)
from . import wording
from .escape import shorten

__all__ = ["HEAD", "Row", "final_line", "reasons", "rows"]

# Enough for every real id and kind; what is longer would push the numbers out of sight.
_CELL: Final = 40

_ENDS: Final = ("completed_at", "failed_at", "cancelled_at", "expired_at")


class Row(NamedTuple):
    """A step, cell by cell, safe to show."""

    step: str
    kind: str
    status: str
    time: str
    tokens: str


HEAD: Final = Row("step", "kind", "status", "time", "tokens")


def rows(snapshot: RunSnapshot) -> list[Row]:
    """Return a row for each step."""
    return [
        Row(
            shorten(step.id, _CELL),
            shorten(_kind(step), _CELL),
            shorten(step.status or "partial", _CELL),
            _duration(step.created_at, _ended_at(step)) or "-",
            _tokens(step.usage) or "-",
        )
        for step in snapshot.steps
    ]


def final_line(snapshot: RunSnapshot) -> str:
    """Return the run's status, time and tokens, and the outcome of the stream."""
    run = snapshot.run
    parts = [f"stream {snapshot.outcome}"]
    if run is None:
        parts.insert(0, "no run")
    else:
        time = _duration(run.created_at, _ended_at(run))
        tokens = _tokens(run.usage)
        status = f"run {shorten(run.status or 'of no status', _CELL)}"
        parts[:0] = filter(None, (status, time, tokens and f"{tokens} tokens"))
    if snapshot.problems:
        total = sum(problem.count for problem in snapshot.problems)
        parts.append(f"{total:,} problem{'s' if total > 1 else ''}")
    return " · ".join(parts)


def reasons(snapshot: RunSnapshot) -> list[str]:
    """Return why the run, or a step of it, did not end well; each reason once."""
    found = [wording.reason(step) for step in snapshot.steps]
    if snapshot.run is not None:
        found.append(wording.reason(snapshot.run))
    return list(dict.fromkeys(filter(None, found)))


def _kind(step: RunStep) -> str:
    match step.step_details:
        case ToolCallsStepDetails(tool_calls=calls):
            counts = Counter(wording.tool(call) or call.type or "call" for call in calls)
            named = (f"{name} x{count}" if count > 1 else name for name, count in counts.items())
            return ", ".join(named) or "tool_calls"
        case MessageCreationStepDetails():
            return "message"
        case details:
            return (details and details.type) or step.type or "-"


def _ended_at(ended: Run | RunStep) -> int | None:
    times = (getattr(ended, name, None) for name in _ENDS)
    end = next((time for time in times if time is not None), None)
    # Servers say when an expired run or step was to end, seldom that it did.
    return ended.expires_at if end is None and ended.status == "expired" else end


def _duration(start: int | None, end: int | None) -> str | None:
    if start is None or end is None:
        return None
    minutes, seconds = divmod(end - start, 60)
    if minutes <= 0:
        return f"{end - start} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"


def _tokens(usage: Usage | None) -> str | None:
    if usage is None:
        return None
    total = usage.total_tokens
    if total is None:
        total = (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)
    return f"{total:,}"
