"""What a message gets."""

from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from .base import Delta, Extra

__all__ = [
    "WIDER",
    "AnnotationDelta",
    "ImageFileDelta",
    "ImageFileDeltaBlock",
    "ImageURLDelta",
    "ImageURLDeltaBlock",
    "MessageContentDelta",
    "MessageDelta",
    "MessageDeltaEvent",
    "OtherContentDeltaBlock",
    "RefusalDeltaBlock",
    "TextDelta",
    "TextDeltaBlock",
]


class AnnotationDelta(Delta, frozen=True, kw_only=True):
    """Fields, in `extra`, for the annotation at `index`."""

    index: int | None = None


# What a delta may hold after loading, and what the decoder takes straight from bytes.
if TYPE_CHECKING:
    AnnotationDeltas = AnnotationDelta
else:
    AnnotationDeltas = Extra


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


if TYPE_CHECKING:
    MessageContentDelta = (
        TextDeltaBlock
        | ImageFileDeltaBlock
        | ImageURLDeltaBlock
        | RefusalDeltaBlock
        | OtherContentDeltaBlock
    )
else:
    MessageContentDelta = (
        TextDeltaBlock | ImageFileDeltaBlock | ImageURLDeltaBlock | RefusalDeltaBlock
    )


class MessageDelta(Delta, frozen=True, kw_only=True):
    """What a message gets."""

    role: str | None = None
    content: tuple[MessageContentDelta, ...] | None = None


class MessageDeltaEvent(Delta, frozen=True, kw_only=True):
    """``thread.message.delta``: the server added to the message `id`."""

    id: str
    delta: MessageDelta | None
    object: str | None = None


WIDER: Final[dict[Any, tuple[type[Delta], ...]]] = {
    AnnotationDeltas: (AnnotationDelta,),
    MessageContentDelta: (
        TextDeltaBlock,
        ImageFileDeltaBlock,
        ImageURLDeltaBlock,
        RefusalDeltaBlock,
        OtherContentDeltaBlock,
    ),
}
