"""What a step gets."""

from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from msgspec import UNSET, UnsetType

from ..snapshots import FileSearch
from .base import Delta

__all__ = [
    "WIDER",
    "CodeInterpreterDelta",
    "CodeInterpreterLogs",
    "CodeInterpreterOutputImage",
    "CodeInterpreterToolCallDelta",
    "FileSearchToolCallDelta",
    "FunctionDelta",
    "FunctionToolCallDelta",
    "ImageDelta",
    "MessageCreationDelta",
    "OtherOutputDelta",
    "OtherStepDetailsDelta",
    "OtherToolCallDelta",
    "OutputDelta",
    "RunStepDelta",
    "RunStepDeltaEvent",
    "RunStepDeltaMessageDelta",
    "StepDetailsDelta",
    "ToolCallDelta",
    "ToolCallDeltaObject",
]


class CodeInterpreterLogs(Delta, frozen=True, kw_only=True, tag_field="type", tag="logs"):
    """More text for the log at `index`."""

    type: ClassVar[Literal["logs"]] = "logs"
    index: int | None = None
    logs: str | None = None


class ImageDelta(Delta, frozen=True, kw_only=True):
    """Where an image lies."""

    file_id: str | None = None
    url: str | None = None


class CodeInterpreterOutputImage(
    Delta, frozen=True, kw_only=True, tag_field="type", tag="image", gc=False
):
    """The image at `index`."""

    type: ClassVar[Literal["image"]] = "image"
    index: int | None = None
    image: ImageDelta | None = None


class OtherOutputDelta(Delta, frozen=True, kw_only=True):
    """Fields, in `extra`, for an output of any other kind."""

    index: int | None = None
    type: str | None = None


# What a delta may hold after loading, and what the decoder takes straight from bytes.
if TYPE_CHECKING:
    OutputDelta = CodeInterpreterLogs | CodeInterpreterOutputImage | OtherOutputDelta
else:
    OutputDelta = CodeInterpreterLogs | CodeInterpreterOutputImage


class CodeInterpreterDelta(Delta, frozen=True, kw_only=True):
    """More code, more outputs."""

    input: str | None = None
    outputs: tuple[OutputDelta, ...] | None = None


class CodeInterpreterToolCallDelta(
    Delta, frozen=True, kw_only=True, tag_field="type", tag="code_interpreter", gc=False
):
    """A fragment of the code interpreter call at `index`."""

    type: ClassVar[Literal["code_interpreter"]] = "code_interpreter"
    index: int | None = None
    id: str | None = None
    code_interpreter: CodeInterpreterDelta | None = None


class FunctionDelta(Delta, frozen=True, kw_only=True):
    """A function's name, more of its arguments, its output."""

    name: str | None = None
    arguments: str | None = None
    output: str | UnsetType | None = UNSET


class FunctionToolCallDelta(
    Delta, frozen=True, kw_only=True, tag_field="type", tag="function", gc=False
):
    """A fragment of the function call at `index`."""

    type: ClassVar[Literal["function"]] = "function"
    index: int | None = None
    id: str | None = None
    function: FunctionDelta | None = None


class FileSearchToolCallDelta(
    Delta, frozen=True, kw_only=True, tag_field="type", tag="file_search", gc=False
):
    """Options or results of the file search call at `index`; results carry no index."""

    type: ClassVar[Literal["file_search"]] = "file_search"
    index: int | None = None
    id: str | None = None
    file_search: FileSearch | None = None


class OtherToolCallDelta(Delta, frozen=True, kw_only=True):
    """Fields, in `extra`, for a call of any other kind."""

    index: int | None = None
    id: str | None = None
    type: str | None = None


if TYPE_CHECKING:
    ToolCallDelta = (
        CodeInterpreterToolCallDelta
        | FunctionToolCallDelta
        | FileSearchToolCallDelta
        | OtherToolCallDelta
    )
else:
    ToolCallDelta = CodeInterpreterToolCallDelta | FunctionToolCallDelta


class ToolCallDeltaObject(
    Delta, frozen=True, kw_only=True, tag_field="type", tag="tool_calls", gc=False
):
    """Fragments of calls."""

    type: ClassVar[Literal["tool_calls"]] = "tool_calls"
    tool_calls: tuple[ToolCallDelta, ...] | None = None


class MessageCreationDelta(Delta, frozen=True, kw_only=True):
    """Which message the step creates."""

    message_id: str | None = None


class RunStepDeltaMessageDelta(
    Delta, frozen=True, kw_only=True, tag_field="type", tag="message_creation", gc=False
):
    """The step creates a message."""

    type: ClassVar[Literal["message_creation"]] = "message_creation"
    message_creation: MessageCreationDelta | None = None


class OtherStepDetailsDelta(Delta, frozen=True, kw_only=True):
    """Fields, in `extra`, for step details of any other kind."""

    type: str | None = None


if TYPE_CHECKING:
    StepDetailsDelta = ToolCallDeltaObject | RunStepDeltaMessageDelta | OtherStepDetailsDelta
else:
    StepDetailsDelta = ToolCallDeltaObject | RunStepDeltaMessageDelta


class RunStepDelta(Delta, frozen=True, kw_only=True):
    """What a step gets."""

    step_details: StepDetailsDelta | None = None


class RunStepDeltaEvent(Delta, frozen=True, kw_only=True):
    """``thread.run.step.delta``: the server added to the step `id`."""

    id: str
    delta: RunStepDelta | None
    object: str | None = None


WIDER: Final[dict[Any, tuple[type[Delta], ...]]] = {
    OutputDelta: (CodeInterpreterLogs, CodeInterpreterOutputImage, OtherOutputDelta),
    ToolCallDelta: (
        CodeInterpreterToolCallDelta,
        FunctionToolCallDelta,
        FileSearchToolCallDelta,
        OtherToolCallDelta,
    ),
    StepDetailsDelta: (ToolCallDeltaObject, RunStepDeltaMessageDelta, OtherStepDetailsDelta),
}
