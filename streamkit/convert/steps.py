"""Steps as items."""

from __future__ import annotations

from typing import Final

from .._wire import to_wire
from ..snapshots import (
    FunctionToolCall,
    MessageCreation,
    MessageCreationStepDetails,
    RunStep,
    ToolCallsStepDetails,
)
from .calls import write_activity, write_call
from .cargo import Cargo
from .writer import Writer

__all__ = ["created", "is_item", "write_calls"]

_BOOKKEEPING: Final = frozenset(
    {
        "id",
        "object",
        "created_at",
        "run_id",
        "assistant_id",
        "thread_id",
        "type",
        "cancelled_at",
        "completed_at",
        "expires_at",
        "expired_at",
        "failed_at",
        "usage",
    }
)


def created(step: RunStep) -> str | None:
    """Return the id of the message that a step creates, if it creates one."""
    details = step.step_details
    if not isinstance(details, MessageCreationStepDetails):
        return None
    creation = details.message_creation or MessageCreation()
    return creation.message_id or ""


def is_item(step: RunStep) -> bool:
    """Whether a step was read from an item of the Responses API, to judge by itself.

    Such a step says nothing of a run or a thread, and its id is that of what it holds.
    """
    is_bare = not (step.object or step.run_id or step.thread_id or step.created_at)
    if step.partial or not is_bare or step.id.startswith("step_"):
        return False
    details = step.step_details
    if isinstance(details, MessageCreationStepDetails):
        return created(step) == step.id
    if not isinstance(details, ToolCallsStepDetails):
        return details is not None and details.type == "reasoning"
    if len(details.tool_calls) != 1:
        return False
    (call,) = details.tool_calls
    if isinstance(call, FunctionToolCall):  # whose id is not the item's
        return call.function is None or call.function.output is None
    return call.id in (step.id, None)


def write_calls(step: RunStep, path: str, here: Writer) -> None:
    """Write what a step did, but for the message it created."""
    cargo = Cargo(to_wire(step), path)
    here.drop(cargo, _BOOKKEEPING)
    cargo.take("status", str)
    details = cargo.open("step_details")
    details.take("type", str)
    calls, activities = details.each("tool_calls"), details.each("activities")
    for rank, call in enumerate(calls):
        write_call(call, here, f"{step.id}_{rank}")
    for rank, activity in enumerate(activities):
        write_activity(activity, here, f"{step.id}_{rank}")
    if created(step) is not None:
        details.open("message_creation").take("message_id", str)
    elif not (calls or activities):
        here.note("empty", path)
    here.note_left(cargo)
