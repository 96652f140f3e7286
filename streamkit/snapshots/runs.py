"""Runs, what they wait for, and the whole picture of one."""

from typing import Any, Literal

from msgspec import Struct

from .base import IncompleteDetails, LastError, Remark, Snapshot, Usage
from .messages import Message
from .steps import OtherToolCall, RunStep

__all__ = [
    "ErrorObject",
    "Outcome",
    "Problem",
    "ProblemKind",
    "RequiredAction",
    "RequiredActionFunction",
    "RequiredActionFunctionToolCall",
    "RequiredActionToolCall",
    "RequiredActionToolCalls",
    "Run",
    "RunSnapshot",
    "Thread",
    "TruncationStrategy",
]


class RequiredActionFunction(Snapshot, frozen=True, kw_only=True):
    """The function to execute and its arguments: JSON text, perhaps invalid."""

    name: str | None = None
    arguments: str = ""


class RequiredActionFunctionToolCall(Snapshot, frozen=True, kw_only=True):
    """A call to execute; this list, not the streamed fragments, is the authority."""

    id: str | None = None
    type: Literal["function"] = "function"
    function: RequiredActionFunction | None = None


RequiredActionToolCall = RequiredActionFunctionToolCall | OtherToolCall


class RequiredActionToolCalls(Snapshot, frozen=True, kw_only=True):
    """The calls that wait for the caller."""

    tool_calls: tuple[RequiredActionToolCall, ...] = ()


class RequiredAction(Snapshot, frozen=True, kw_only=True):
    """What the run waits for: outputs of functions, or (Azure) approval of calls."""

    type: str | None = None
    submit_tool_outputs: RequiredActionToolCalls | None = None
    submit_tool_approval: RequiredActionToolCalls | None = None

    @property
    def tool_calls(self) -> tuple[RequiredActionToolCall, ...]:
        """The calls that wait, whichever kind of action it is."""
        waiting = self.submit_tool_outputs or self.submit_tool_approval
        return waiting.tool_calls if waiting else ()


class TruncationStrategy(Remark, frozen=True, kw_only=True):
    """How the thread is cut to fit the model's context."""

    type: str | None = None
    last_messages: int | None = None


class Run(Snapshot, frozen=True, kw_only=True):
    """A run, or a response of the Responses API, as it stood at one moment.

    `status` is one of queued, in_progress, requires_action, cancelling, cancelled,
    failed, completed, incomplete and expired. Times are seconds since 1970. Why it failed
    is in `last_error` of a run, in `error` of a response.
    """

    id: str
    object: str | None = None
    created_at: int | None = None
    assistant_id: str | None = None
    thread_id: str | None = None
    status: str | None = None
    started_at: int | None = None
    expires_at: int | None = None
    cancelled_at: int | None = None
    failed_at: int | None = None
    completed_at: int | None = None
    required_action: RequiredAction | None = None
    last_error: LastError | None = None
    error: LastError | None = None
    model: str | None = None
    instructions: str | None = None
    tools: list[Any] | None = None
    tool_resources: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_completion_tokens: int | None = None
    max_prompt_tokens: int | None = None
    truncation_strategy: TruncationStrategy | None = None
    incomplete_details: IncompleteDetails | None = None
    usage: Usage | None = None
    response_format: Any = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None


class Thread(Snapshot, frozen=True, kw_only=True):
    """The thread that a create-thread-and-run request made."""

    id: str
    object: str | None = None
    created_at: int | None = None
    metadata: dict[str, Any] | None = None
    tool_resources: dict[str, Any] | None = None


class ErrorObject(Remark, frozen=True, kw_only=True):
    """What the server said of its failure."""

    message: str | None = None
    type: str | None = None
    param: str | None = None
    code: str | None = None


ProblemKind = Literal[
    "unknown_step",
    "id_changed",
    "type_changed",
    "name_changed",
    "index_missing",
    "index_invalid",
    "content_differs",
    "content_shrunk",
    "reopened",
    "illegal_move",
    "second_run",
    "sequence_gap",
]


class Problem(Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """Something the server said that contradicts what it said before.

    =================  ==============================================================
    kind               what happened, and what the fold did
    =================  ==============================================================
    unknown_step       a fragment for a step (or, with `message_id`, a message) that
                       was never created; a partial one was opened
    id_changed         a call's id changed: the first is kept, until a terminal object
                       gives another
    type_changed       a call, an output or a part changed its kind; it was replaced
    name_changed       a function's name changed; it was replaced
    index_missing      an item without an index and without another sign of its place;
                       it was taken as a new one
    index_invalid      an index that is no index; the item was placed without it
    content_differs    a full object contradicts what was streamed; a terminal object
                       has the last word, any other does not
    content_shrunk     a full object holds less than what was streamed; a list keeps
                       what was streamed, a text follows the terminal object
    reopened           a fragment for a step or message that had ended; it was taken
    illegal_move       a status that may not follow the one before it; it was taken
    second_run         an event of another run; the newer run is shown
    sequence_gap       events are missing, by the server's own numbers, or these do not
                       grow, and mean nothing
    =================  ==============================================================

    `known` and `said` are what contradicts, shortened around the first difference where
    they are long. Only the first of its kind at one place is reported; `count` says how
    often it happened.
    """

    kind: ProblemKind
    step_id: str | None = None
    call_index: int | None = None
    output_index: int | None = None
    message_id: str | None = None
    known: str | None = None
    said: str | None = None
    count: int = 1


Outcome = Literal["open", "complete", "paused", "error", "truncated"]


class RunSnapshot(Struct, frozen=True):
    """A whole run as it stood at one moment.

    Attributes:
        run: The run, once an event of it was seen.
        steps: Its steps, in the order they began.
        messages: Its messages, in the order they began.
        outcome: How the stream stands: ``open`` while more may come; ``complete``,
            ``paused`` (the run waits for tool outputs), ``error`` (the server sent an
            ``error`` event) or ``truncated`` once it ended.
        problems: What the server contradicted itself about; at most 1,000.
    """

    run: Run | None = None
    steps: tuple[RunStep, ...] = ()
    messages: tuple[Message, ...] = ()
    outcome: Outcome = "open"
    problems: tuple[Problem, ...] = ()
