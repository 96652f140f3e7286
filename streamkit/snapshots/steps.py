"""Steps of a run, and the calls of tools in them."""

from typing import Any, Literal

from .base import LastError, Remark, Snapshot, Usage

__all__ = [
    "CodeInterpreter",
    "CodeInterpreterImage",
    "CodeInterpreterImageOutput",
    "CodeInterpreterLogOutput",
    "CodeInterpreterOutput",
    "CodeInterpreterToolCall",
    "FileSearch",
    "FileSearchRankingOptions",
    "FileSearchResult",
    "FileSearchResultContent",
    "FileSearchToolCall",
    "Function",
    "FunctionToolCall",
    "MessageCreation",
    "MessageCreationStepDetails",
    "OtherOutput",
    "OtherStepDetails",
    "OtherToolCall",
    "RunStep",
    "StepDetails",
    "ToolCall",
    "ToolCallsStepDetails",
]


class CodeInterpreterLogOutput(Snapshot, frozen=True, kw_only=True):
    """Text that the code printed."""

    type: Literal["logs"] = "logs"
    logs: str = ""


class CodeInterpreterImage(Snapshot, frozen=True, kw_only=True):
    """Where an image lies: a file id (Assistants) or a URL (Responses)."""

    file_id: str | None = None
    url: str | None = None


class CodeInterpreterImageOutput(Snapshot, frozen=True, kw_only=True):
    """An image that the code produced."""

    type: Literal["image"] = "image"
    image: CodeInterpreterImage | None = None


class OtherOutput(Snapshot, frozen=True, kw_only=True):
    """An output of any other kind, kept raw in `extra`."""

    type: str | None = None


CodeInterpreterOutput = CodeInterpreterLogOutput | CodeInterpreterImageOutput | OtherOutput


class CodeInterpreter(Snapshot, frozen=True, kw_only=True):
    """Code, and what running it gave, in index order."""

    input: str = ""
    outputs: tuple[CodeInterpreterOutput, ...] = ()


class CodeInterpreterToolCall(Snapshot, frozen=True, kw_only=True):
    """A call of the code interpreter."""

    id: str | None = None
    type: Literal["code_interpreter"] = "code_interpreter"
    code_interpreter: CodeInterpreter | None = None


class Function(Snapshot, frozen=True, kw_only=True):
    """A function's name, its arguments (JSON text, perhaps invalid) and its output.

    `output` is None until the server reports what was submitted.
    """

    name: str | None = None
    arguments: str = ""
    output: str | None = None


class FunctionToolCall(Snapshot, frozen=True, kw_only=True):
    """A call of one of the caller's functions."""

    id: str | None = None
    type: Literal["function"] = "function"
    function: Function | None = None


class FileSearchRankingOptions(Remark, frozen=True, kw_only=True):
    """How results are ranked; `score_threshold` is between 0 and 1."""

    ranker: str | None = None
    score_threshold: float | None = None


class FileSearchResultContent(Snapshot, frozen=True, kw_only=True):
    """A passage that was found."""

    type: str | None = None
    text: str | None = None


class FileSearchResult(Snapshot, frozen=True, kw_only=True):
    """A file that was found; `score` is between 0 and 1.

    `content` is filled only where the request asked to include it.
    """

    file_id: str | None = None
    file_name: str | None = None
    score: float | None = None
    content: tuple[FileSearchResultContent, ...] = ()


class FileSearch(Snapshot, frozen=True, kw_only=True):
    """How files were searched, and what was found."""

    ranking_options: FileSearchRankingOptions | None = None
    results: tuple[FileSearchResult, ...] = ()


class FileSearchToolCall(Snapshot, frozen=True, kw_only=True):
    """A call of file search."""

    id: str | None = None
    type: Literal["file_search"] = "file_search"
    file_search: FileSearch | None = None


class OtherToolCall(Snapshot, frozen=True, kw_only=True):
    """A call of any other kind (mcp, openapi, bing_grounding, ...), raw in `extra`."""

    id: str | None = None
    type: str | None = None


ToolCall = CodeInterpreterToolCall | FunctionToolCall | FileSearchToolCall | OtherToolCall


class MessageCreation(Snapshot, frozen=True, kw_only=True):
    """Which message a step creates."""

    message_id: str | None = None


class MessageCreationStepDetails(Snapshot, frozen=True, kw_only=True):
    """The step creates a message."""

    type: Literal["message_creation"] = "message_creation"
    message_creation: MessageCreation | None = None


class ToolCallsStepDetails(Snapshot, frozen=True, kw_only=True):
    """The step calls tools, in index order."""

    type: Literal["tool_calls"] = "tool_calls"
    tool_calls: tuple[ToolCall, ...] = ()


class OtherStepDetails(Snapshot, frozen=True, kw_only=True):
    """The step does something else (Azure: activities), kept raw in `extra`."""

    type: str | None = None


StepDetails = MessageCreationStepDetails | ToolCallsStepDetails | OtherStepDetails


class RunStep(Snapshot, frozen=True, kw_only=True):
    """A step of a run, or an output item of a response, as it stood at one moment.

    `status` is one of in_progress, cancelled, failed, completed and expired. Times are
    seconds since 1970. `expires_at` is a deadline, `expired_at` says that it passed.
    """

    id: str
    object: str | None = None
    created_at: int | None = None
    run_id: str | None = None
    assistant_id: str | None = None
    thread_id: str | None = None
    type: str | None = None
    status: str | None = None
    cancelled_at: int | None = None
    completed_at: int | None = None
    expires_at: int | None = None
    expired_at: int | None = None
    failed_at: int | None = None
    last_error: LastError | None = None
    step_details: StepDetails | None = None
    usage: Usage | None = None
    metadata: dict[str, Any] | None = None

    @property
    def partial(self) -> bool:
        """Whether only fragments of this step were seen, and never the step itself."""
        return self.status is None
