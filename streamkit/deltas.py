"""What the wire adds: partial objects, addressed by indices.

The names are those of the API reference. An attribute that was not sent is None, and so
is one that was sent as null: inside a delta, null means "no change". Only a function's
``output`` tells the two apart, since null is what servers send for "not yet".

These classes are also what is decoded straight from bytes, by a decoder that refuses
anything it does not know at no cost. What it refuses is loaded with more care, which
fills `Delta.extra` and the attributes whose types are marked below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from msgspec import UNSET, Struct, UnsetType, field

from .snapshots import FileSearch

__all__ = [
    "WIDER",
    "AnnotationDelta",
    "CodeInterpreterDelta",
    "CodeInterpreterLogs",
    "CodeInterpreterOutputImage",
    "CodeInterpreterToolCallDelta",
    "Delta",
    "FileSearchToolCallDelta",
    "FunctionDelta",
    "FunctionToolCallDelta",
    "ImageDelta",
    "ImageFileDelta",
    "ImageFileDeltaBlock",
    "ImageURLDelta",
    "ImageURLDeltaBlock",
    "MessageContentDelta",
    "MessageCreationDelta",
    "MessageDelta",
    "MessageDeltaEvent",
    "OtherContentDeltaBlock",
    "OtherOutputDelta",
    "OtherStepDetailsDelta",
    "OtherToolCallDelta",
    "OutputDelta",
    "RefusalDeltaBlock",
    "RunStepDelta",
    "RunStepDeltaEvent",
    "RunStepDeltaMessageDelta",
    "StepDetailsDelta",
    "TextDelta",
    "TextDeltaBlock",
    "ToolCallDelta",
    "ToolCallDeltaObject",
]


class Extra(dict[str, Any]):
    """Fields unknown to this library. Not a type that the decoder takes."""


# gc=False: a delta is made from JSON, so it cannot hold itself, and there is one a frame.


class Delta(Struct, frozen=True, forbid_unknown_fields=True, gc=False, repr_omit_defaults=True):
    """Base of every partial object.

    Attributes:
        extra: Fields unknown to this library, by name, and an ``index`` that is none.
    """

    # The decoder must never fill this from the wire: no type of JSON is an `Extra`.
    extra: Extra | None = field(default=None, name="")


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


class RunStepDelta(Delta, frozen=True, kw_only=True):
    """What a step gets."""

    step_details: StepDetailsDelta | None = None


class RunStepDeltaEvent(Delta, frozen=True, kw_only=True):
    """``thread.run.step.delta``: the server added to the step `id`."""

    id: str
    delta: RunStepDelta | None
    object: str | None = None


class AnnotationDelta(Delta, frozen=True, kw_only=True):
    """Fields, in `extra`, for the annotation at `index`."""

    index: int | None = None


class TextDelta(Delta, frozen=True, kw_only=True):
    """More text, more annotations."""

    value: str | None = None
    annotations: tuple[AnnotationDeltas, ...] | None = None


class TextDeltaBlock(Delta, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """A fragment of the text part at `index`."""

    type: ClassVar[Literal["text"]] = "text"
    index: int | None = None
    text: TextDelta | None = None


class ImageFileDelta(Delta, frozen=True, kw_only=True):
    """An image by its file id."""

    file_id: str | None = None
    detail: str | None = None


class ImageFileDeltaBlock(
    Delta, frozen=True, kw_only=True, tag_field="type", tag="image_file", gc=False
):
    """The image part at `index`."""

    type: ClassVar[Literal["image_file"]] = "image_file"
    index: int | None = None
    image_file: ImageFileDelta | None = None


class ImageURLDelta(Delta, frozen=True, kw_only=True):
    """An image by its URL."""

    url: str | None = None
    detail: str | None = None


class ImageURLDeltaBlock(
    Delta, frozen=True, kw_only=True, tag_field="type", tag="image_url", gc=False
):
    """The image part at `index`."""

    type: ClassVar[Literal["image_url"]] = "image_url"
    index: int | None = None
    image_url: ImageURLDelta | None = None


class RefusalDeltaBlock(
    Delta, frozen=True, kw_only=True, tag_field="type", tag="refusal", gc=False
):
    """A fragment of the refusal part at `index`."""

    type: ClassVar[Literal["refusal"]] = "refusal"
    index: int | None = None
    refusal: str | None = None


class OtherContentDeltaBlock(Delta, frozen=True, kw_only=True):
    """Fields, in `extra`, for a part of any other kind."""

    index: int | None = None
    type: str | None = None


class MessageDelta(Delta, frozen=True, kw_only=True):
    """What a message gets."""

    role: str | None = None
    content: tuple[MessageContentDelta, ...] | None = None


class MessageDeltaEvent(Delta, frozen=True, kw_only=True):
    """``thread.message.delta``: the server added to the message `id`."""

    id: str
    delta: MessageDelta | None
    object: str | None = None


# The left side is what the decoder takes straight from bytes; the right side is what a
# delta may hold after loading.

if TYPE_CHECKING:
    OutputDelta = CodeInterpreterLogs | CodeInterpreterOutputImage | OtherOutputDelta
    ToolCallDelta = (
        CodeInterpreterToolCallDelta
        | FunctionToolCallDelta
        | FileSearchToolCallDelta
        | OtherToolCallDelta
    )
    StepDetailsDelta = ToolCallDeltaObject | RunStepDeltaMessageDelta | OtherStepDetailsDelta
    AnnotationDeltas = AnnotationDelta
    MessageContentDelta = (
        TextDeltaBlock
        | ImageFileDeltaBlock
        | ImageURLDeltaBlock
        | RefusalDeltaBlock
        | OtherContentDeltaBlock
    )
else:
    OutputDelta = CodeInterpreterLogs | CodeInterpreterOutputImage
    ToolCallDelta = CodeInterpreterToolCallDelta | FunctionToolCallDelta
    StepDetailsDelta = ToolCallDeltaObject | RunStepDeltaMessageDelta
    AnnotationDeltas = Extra
    MessageContentDelta = (
        TextDeltaBlock | ImageFileDeltaBlock | ImageURLDeltaBlock | RefusalDeltaBlock
    )

WIDER: Final[dict[Any, tuple[type[Delta], ...]]] = {
    OutputDelta: (CodeInterpreterLogs, CodeInterpreterOutputImage, OtherOutputDelta),
    ToolCallDelta: (
        CodeInterpreterToolCallDelta,
        FunctionToolCallDelta,
        FileSearchToolCallDelta,
        OtherToolCallDelta,
    ),
    StepDetailsDelta: (ToolCallDeltaObject, RunStepDeltaMessageDelta, OtherStepDetailsDelta),
    AnnotationDeltas: (AnnotationDelta,),
    MessageContentDelta: (
        TextDeltaBlock,
        ImageFileDeltaBlock,
        ImageURLDeltaBlock,
        RefusalDeltaBlock,
        OtherContentDeltaBlock,
    ),
}
