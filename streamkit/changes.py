"""What one event did to the state.

Every change says where it happened. ``call_index`` and ``output_index`` are the wire's
indices: keys, not positions. ``call_id`` is None until the server names the call.

The promise, for every stream: each call is opened once; every fragment is reported once,
the first included, in the order of the stream; an empty fragment is no change; the
fragments of a text, joined, are the text of the final snapshot. Outputs, calls and steps
are done when, and only when, their step's terminal object comes. What comes only with a
full object is reported as fragments too. `StreamEnded` comes once a leg, last. Only where
a full object contradicts what was already reported is there a `ProblemFound` instead.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from .snapshots import (
    Annotation,
    CodeInterpreterOutput,
    ErrorObject,
    Message,
    MessageContent,
    Outcome,
    Problem,
    RequiredActionToolCall,
    Run,
    RunStep,
    ToolCall,
)

__all__ = [
    "ActionRequired",
    "AnnotationAdded",
    "ArgumentsAppended",
    "CallDone",
    "CallOpened",
    "Change",
    "CodeAppended",
    "ImageAdded",
    "LogAppended",
    "MessageDone",
    "MessageOpened",
    "OutputDone",
    "PartAdded",
    "ProblemFound",
    "ReasoningAppended",
    "RefusalAppended",
    "RunChanged",
    "ServerFailed",
    "StepChanged",
    "StepDone",
    "StepOpened",
    "StreamEnded",
    "TextAppended",
    "UnknownReceived",
]


class RunChanged(Struct, frozen=True):
    """The run is not what it was."""

    run: Run


class ActionRequired(Struct, frozen=True):
    """The run waits for the outputs (Azure: the approval) of these calls."""

    run_id: str
    tool_calls: tuple[RequiredActionToolCall, ...]


class StepOpened(Struct, frozen=True):
    """The run began a step."""

    step: RunStep


class StepChanged(Struct, frozen=True):
    """The step changed in a way that no other change tells: a status, a name, results."""

    step: RunStep


class StepDone(Struct, frozen=True):
    """The step ended; `step` is the server's final word."""

    step: RunStep


# gc=False: these hold nothing that could hold them, and there is one a fragment.


class CallOpened(Struct, frozen=True, gc=False):
    """The step began a call of a tool."""

    step_id: str
    call_index: int
    call_id: str | None
    type: str | None


class CallDone(Struct, frozen=True):
    """The call ended with its step; `call` is the server's final word."""

    step_id: str
    call_index: int
    call_id: str | None
    call: ToolCall


class CodeAppended(Struct, frozen=True, gc=False):
    """A code interpreter call got more code."""

    step_id: str
    call_index: int
    call_id: str | None
    text: str


class ArgumentsAppended(Struct, frozen=True, gc=False):
    """A function call, or any other call that has arguments, got more of them."""

    step_id: str
    call_index: int
    call_id: str | None
    text: str


class LogAppended(Struct, frozen=True, gc=False):
    """A code interpreter call printed more text."""

    step_id: str
    call_index: int
    call_id: str | None
    output_index: int
    text: str


class ImageAdded(Struct, frozen=True, gc=False):
    """A code interpreter call produced an image: a file id, or (Responses) a URL."""

    step_id: str
    call_index: int
    call_id: str | None
    output_index: int
    file_id: str | None
    url: str | None


class OutputDone(Struct, frozen=True):
    """The output ended with its step; `output` is the server's final word."""

    step_id: str
    call_index: int
    call_id: str | None
    output_index: int
    output: CodeInterpreterOutput


class MessageOpened(Struct, frozen=True):
    """The run began a message."""

    message: Message


class MessageDone(Struct, frozen=True):
    """The message ended; `message` is the server's final word."""

    message: Message


class TextAppended(Struct, frozen=True, gc=False):
    """A text part of a message got more text."""

    message_id: str
    content_index: int
    text: str


class RefusalAppended(Struct, frozen=True, gc=False):
    """A refusal part of a message got more text."""

    message_id: str
    content_index: int
    text: str


class PartAdded(Struct, frozen=True):
    """A message got an image, or a part of a kind unknown to this library."""

    message_id: str
    content_index: int
    part: MessageContent


class AnnotationAdded(Struct, frozen=True):
    """A text part of a message got an annotation."""

    message_id: str
    content_index: int
    annotation: Annotation


class ReasoningAppended(Struct, frozen=True, gc=False):
    """The model reasoned (the Responses API only)."""

    step_id: str
    index: int
    text: str


class ServerFailed(Struct, frozen=True):
    """The server sent an ``error`` event."""

    error: ErrorObject


class UnknownReceived(Struct, frozen=True):
    """The server sent an event this library has no name for.

    `data` is the decoded JSON, or the text where it is not JSON.
    """

    name: str
    data: Any


class ProblemFound(Struct, frozen=True):
    """The server contradicted itself, for the first time in this way at this place."""

    problem: Problem


class StreamEnded(Struct, frozen=True, gc=False):
    """The leg ended: the last change of every leg."""

    outcome: Outcome


Change = (
    RunChanged
    | ActionRequired
    | StepOpened
    | StepChanged
    | StepDone
    | CallOpened
    | CallDone
    | CodeAppended
    | ArgumentsAppended
    | LogAppended
    | ImageAdded
    | OutputDone
    | MessageOpened
    | MessageDone
    | TextAppended
    | RefusalAppended
    | PartAdded
    | AnnotationAdded
    | ReasoningAppended
    | ServerFailed
    | UnknownReceived
    | ProblemFound
    | StreamEnded
)
