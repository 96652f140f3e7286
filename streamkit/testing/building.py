"""A run, written down from its end: `script`, and the words it is written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from .._lifecycle import ENDED
from .._wire import load, to_wire
from ..errors import DecodeError, UsageError
from ..snapshots import (
    IncompleteDetails,
    LastError,
    Message,
    Run,
    RunSnapshot,
    RunStep,
    ToolCall,
    Usage,
)
from .filling import Part, count_tokens, say_when, set_ids, tools_of
from .fragments import Wire
from .states import required
from .words import (
    citation,
    code_interpreter,
    file_path,
    file_search,
    found,
    function_call,
    image,
    logs,
    message,
    refusal,
    step,
    text,
    tool_call,
    wired,
)

__all__ = [
    "Item",
    "citation",
    "code_interpreter",
    "file_path",
    "file_search",
    "found",
    "function_call",
    "image",
    "logs",
    "message",
    "refusal",
    "script",
    "step",
    "text",
    "tool_call",
]

Item: TypeAlias = ToolCall | RunStep | Message | str

# What a run came to, and what that makes of the step and the message it came to it in.
_STEPS: Final[Mapping[str, str]] = {
    "completed": "completed",
    "requires_action": "in_progress",
    "failed": "failed",
    "cancelled": "cancelled",
    "expired": "expired",
    "incomplete": "completed",
}
_REASONS: Final[Mapping[str, str]] = {
    "failed": "run_failed",
    "cancelled": "run_cancelled",
    "expired": "run_expired",
    "incomplete": "max_tokens",
}
_SORRY: Final = {"code": "server_error", "message": "Sorry, something went wrong."}

_STEP_ENDS: Final = ("completed", "failed", "cancelled", "expired")
_MESSAGE_ENDS: Final = ("completed", "incomplete")


def script(
    *items: Item,
    id: str = "run_1",
    thread_id: str = "thread_1",
    assistant_id: str = "asst_1",
    model: str = "gpt-4o",
    instructions: str = "",
    status: str | None = None,
    last_error: LastError | Mapping[str, Any] | str | None = None,
    incomplete_details: IncompleteDetails | Mapping[str, Any] | str | None = None,
    metadata: Mapping[str, str] | None = None,
    usage: Usage | Mapping[str, Any] | None = None,
    created_at: int = 1_700_000_000,
) -> RunSnapshot:
    r"""Build a run from what it came to.

        script(
            code_interpreter("print(1)", logs("1\n"), image("file-1")),
            function_call("get_tide", {"port": "Roscoff"}, output={"low": "08:12"}),
            message("Leave at half past eight."),
        )

    It has every field that the API sends. Ids that were not given are made up and easy to
    read (``step_1``, ``call_1``, ``msg_1``, ``file-1``); times and tokens fit together. The
    same script is the same run.

    The run is complete, or paused where the function calls of the last step have no output:
    it requires them. With another status it ended in its last step, which is told alike:
    failed, cancelled or expired, unless it has all its outputs, and a message incomplete.

    Args:
        items: What it did, in order: calls, each a step of its own; `step`, for several
            calls in one; messages, for which a text will do.
        id: The run's id.
        thread_id: The thread's id.
        assistant_id: The assistant's id.
        model: The model.
        instructions: What the assistant was told.
        status: completed, requires_action, failed, cancelled, expired or incomplete.
        last_error: Why it failed: a message will do.
        incomplete_details: Why it is incomplete: the reason will do.
        metadata: Pairs of texts.
        usage: The tokens it used; those of the steps where it is not given.
        created_at: When it began, in seconds since 1970.

    Raises:
        UsageError: The items contradict each other or the status; the message says what
            to do.
    """
    parts = [_part(item) for item in items]
    set_ids(parts)
    waiting = _waiting(parts)
    last = parts[-1].step if parts else {}
    status = status or _status(last, waiting, last_error, incomplete_details)
    _check_status(status, waiting, last_error, incomplete_details)
    error = None
    if status == "failed":
        error = wired(last_error, "message", code="server_error")
        error = error or last.get("last_error") or _SORRY
    for part in parts:
        is_last = part is parts[-1]
        _end(part, status if is_last else "completed", error, waits=is_last and bool(waiting))
    whole = {
        "id": id,
        "object": "thread.run",
        "created_at": created_at,
        "assistant_id": assistant_id,
        "thread_id": thread_id,
        "status": status,
        "required_action": required(waiting) if status == "requires_action" else None,
        "last_error": error,
        "model": model,
        "instructions": instructions,
        "tools": tools_of(parts),
        "tool_resources": {},
        "metadata": dict(metadata or {}),
        "temperature": 1.0,
        "top_p": 1.0,
        "max_completion_tokens": None,
        "max_prompt_tokens": None,
        "truncation_strategy": {"type": "auto", "last_messages": None},
        "incomplete_details": _incomplete(status, incomplete_details),
        "usage": wired(usage),
        "response_format": "auto",
        "tool_choice": "auto",
        "parallel_tool_calls": True,
    }
    say_when(whole, parts)
    count_tokens(whole, parts)
    try:
        return RunSnapshot(
            load(Run, whole),
            tuple(load(RunStep, part.step) for part in parts),
            tuple(load(Message, part.message) for part in parts if part.message is not None),
            "paused" if status == "requires_action" else "complete",
        )
    except DecodeError as misfit:
        raise UsageError(str(misfit)) from None


def _part(item: Item) -> Part:
    if isinstance(item, str):
        item = message(item)
    if isinstance(item, ToolCall):
        item = step(item)
    if isinstance(item, Message):
        return Part({"id": "", "type": "message_creation"}, to_wire(item))
    if not isinstance(item, RunStep):
        raise UsageError(
            f"a script is made of calls, steps and messages, not of a {type(item).__name__}: "
            f"{item!r:.60}"
        )
    if item.type == "message_creation":
        raise UsageError("a message gets its step by itself: give the message, not the step")
    return Part(to_wire(item))


# The end


def _waiting(parts: Sequence[Part]) -> list[Wire]:
    """Return the function calls for whose outputs the run waits: those of its last step."""
    waiting: list[Wire] = []
    for part in parts:
        if waiting:
            raise UsageError(
                f"the run waits for the output of {waiting[0]['id']}, and more comes after it: "
                "give that call an output, or end the script there"
            )
        if part.step.get("status") in ENDED:
            continue
        functions = part.functions
        waiting = [
            call for call in functions if (call.get("function") or {}).get("output") is None
        ]
        if waiting and len(waiting) < len(functions):
            raise UsageError(
                f"{waiting[0]['id']} has no output, and another call of its step has one; they "
                "are submitted together: give every call of the step its output, or none"
            )
    return waiting


def _status(last: Wire, waiting: object, error: object, details: object) -> str:
    """Return what a run came to that does not say it: what its last step did."""
    if error or details:
        return "failed" if error else "incomplete"
    if waiting:
        return "requires_action"
    return str(last["status"]) if last.get("status") in _STEPS else "completed"


def _check_status(status: str, waiting: Sequence[Wire], error: object, details: object) -> None:
    if status not in _STEPS:
        known = ", ".join(_STEPS)
        raise UsageError(
            f"a script ends with one of {known}, not with {status!r}; one that breaks off is "
            "a whole one, played with the fault Cut"
        )
    if status == "completed" and waiting:
        raise UsageError(
            f"the run cannot be completed, since it waits for the output of {waiting[0]['id']}: "
            "give that call an output, or leave the status out"
        )
    if status == "requires_action" and not waiting:
        raise UsageError(
            "the run requires nothing: end it with a function_call that has no output"
        )
    if error and status != "failed":
        raise UsageError(f"a last_error says why a run failed, and this one is {status}")
    if details and status not in ("incomplete", "completed"):
        raise UsageError(f"incomplete_details are those of an incomplete run; this is {status}")


def _end(part: Part, status: str, error: Wire | None, *, waits: bool) -> None:
    """End a step as the run did, unless it says how it ended."""
    known = _STEPS[status]
    if waits and status == "incomplete":
        known = "cancelled"  # it was called, and never answered
    if part.functions and not waits:
        known = "completed"  # all was answered, so it was over before the run was
    step, message = part.step, part.message
    step["status"] = step.get("status") or known
    if step["status"] not in (*_STEP_ENDS, known):
        raise _bad_status("step", step, _STEP_ENDS)
    if step["status"] == "failed":
        step["last_error"] = step.get("last_error") or error or _SORRY
    if message is None:
        return
    message["status"] = message.get("status") or (
        "incomplete" if status in _REASONS else "completed"
    )
    if message["status"] not in _MESSAGE_ENDS:
        raise _bad_status("message", message, _MESSAGE_ENDS)
    reason = None
    if message["status"] == "incomplete":
        reason = {"reason": _REASONS.get(status, "max_tokens")}
    message["incomplete_details"] = message.get("incomplete_details") or reason


def _bad_status(what: str, whole: Wire, ends: Sequence[str]) -> UsageError:
    return UsageError(
        f"the {what} {whole['id']} cannot be {whole['status']!r} here: leave its status out, or "
        f"say {', '.join(ends)}"
    )


def _incomplete(status: str, details: Any) -> Any:
    said = wired(details, "reason")
    return {"reason": "max_completion_tokens"} if said is None and status == "incomplete" else said
