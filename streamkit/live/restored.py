"""What a broken stream would have gone on to say, from what the API says afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from .._lifecycle import ENDED
from .._wire import load
from ..accumulator import Accumulator
from ..events import Event, MessageEvent, RunEvent, StepEvent
from ..snapshots import Message, Run, RunStep

__all__ = ["restored", "rests"]

_Wire = Mapping[str, Any]


def restored(
    accumulator: Accumulator, run: _Wire, steps: Sequence[_Wire], messages: Sequence[_Wire]
) -> Iterator[Event]:
    """Yield the events by which a fold gets from what it holds to what is said.

    What began unseen is opened as it must have begun, in progress and empty, and the run
    passes through the states that it must have passed, so that whoever listens hears of
    them as from a stream that did not break.

    Args:
        accumulator: What holds the run as far as the stream went.
        run: The run as the API shows it, and so the others.
        steps: All its steps, the oldest first.
        messages: The messages of its thread, or those of the run, the oldest first.
    """
    known = {step.id for step in accumulator.steps}
    known |= {message.id for message in accumulator.messages}
    if accumulator.run is not None and accumulator.run.status == "requires_action":
        # What it waited for ends before it goes on.
        for step in steps:
            if step.get("id") in known:
                yield StepEvent(f"thread.run.step.{step.get('status')}", load(RunStep, step))
    latest = RunEvent(f"thread.run.{run.get('status')}", load(Run, run))
    if not _waits_still(accumulator.run, latest.run):
        for earlier in _passed(accumulator.run, run):
            yield RunEvent(f"thread.run.{earlier['status']}", load(Run, earlier))
    if not rests(run):
        yield latest
    by_id = {
        message.get("id"): message
        for message in messages
        if message.get("run_id") in (None, run.get("id"))
    }
    for step in steps:
        if step.get("id") not in known:
            yield StepEvent("thread.run.step.created", load(RunStep, _begun(step, _STEP_ENDS)))
        message = by_id.pop(_message_id(step), None)
        if message is not None:
            yield from _message(message, known)
        yield StepEvent(f"thread.run.step.{step.get('status')}", load(RunStep, step))
    for message in by_id.values():
        if message.get("run_id") is not None:
            yield from _message(message, known)
    if rests(run):
        yield latest


def rests(run: _Wire) -> bool:
    """Whether a run has ended, or waits."""
    return run.get("status") in {*ENDED, "requires_action"}


def _message(message: _Wire, known: set[str]) -> Iterator[Event]:
    if message.get("id") not in known:
        begun = {**_begun(message, _MESSAGE_ENDS), "content": []}
        yield MessageEvent("thread.message.created", load(Message, begun))
    yield MessageEvent(f"thread.message.{message.get('status')}", load(Message, message))


def _message_id(step: _Wire) -> object:
    details = step.get("step_details")
    creation = details.get("message_creation") if isinstance(details, dict) else None
    return creation.get("message_id") if isinstance(creation, dict) else None


# What is null until a step, a message or a run has ended, or waits.
_STEP_ENDS: Final = (
    "cancelled_at",
    "completed_at",
    "expired_at",
    "failed_at",
    "last_error",
    "usage",
)
_MESSAGE_ENDS: Final = ("completed_at", "incomplete_at", "incomplete_details")
_RUN_ENDS: Final = (
    "cancelled_at",
    "completed_at",
    "failed_at",
    "incomplete_details",
    "last_error",
    "required_action",
    "usage",
)


def _begun(whole: _Wire, ends: Sequence[str]) -> dict[str, Any]:
    """Return a step or a message as it must have been when it began."""
    begun = {**whole, **{name: None for name in ends if name in whole}, "status": "in_progress"}
    details = whole.get("step_details")
    if isinstance(details, dict) and "tool_calls" in details:
        begun["step_details"] = {**details, "tool_calls": []}
    return begun


# A run is queued, then in progress, before it waits or ends by itself; one that waited is
# queued again. Others may end it at any time.
_PATH: Final = ("queued", "in_progress")
_LEFT: Final[Mapping[str | None, int]] = {None: 0, "requires_action": 0, "queued": 1}
_REACHED: Final[Mapping[str | None, int]] = {
    "in_progress": 1,
    **dict.fromkeys((*ENDED, "cancelling", "requires_action"), len(_PATH)),
}
_BY_OTHERS: Final = frozenset({"cancelled", "cancelling", "expired"})


def _waits_still(known: Run | None, said: Run) -> bool:
    """Whether a run waits for what it was known to wait for."""
    return (
        known is not None
        and known.status == said.status == "requires_action"
        and known.required_action == said.required_action
    )


def _passed(known: Run | None, said: _Wire) -> Iterator[dict[str, Any]]:
    """Yield the run in the states that it passed unseen."""
    left = known.status if known is not None else None
    reached = said.get("status")
    if left == "requires_action" and reached in _BY_OTHERS:
        return
    for status in _PATH[_LEFT.get(left, len(_PATH)) : _REACHED.get(reached, 0)]:
        nulls: dict[str, Any] = {name: None for name in _RUN_ENDS if name in said}
        if known is None and status == "queued":
            nulls["started_at"] = None
        elif reached in _BY_OTHERS | {"failed"} and said.get("started_at") is None:
            continue  # it ended before it began
        yield {**said, **nulls, "status": status}
