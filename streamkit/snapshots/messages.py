"""Messages, and the parts and annotations in them."""

from typing import Any, Literal

from .base import IncompleteDetails, Remark, Snapshot

__all__ = [
    "Annotation",
    "FileCitation",
    "FileCitationAnnotation",
    "FilePath",
    "FilePathAnnotation",
    "ImageFile",
    "ImageFileContentBlock",
    "ImageURL",
    "ImageURLContentBlock",
    "Message",
    "MessageContent",
    "OtherAnnotation",
    "OtherContentBlock",
    "RefusalContentBlock",
    "TextContent",
    "TextContentBlock",
]


class FileCitation(Remark, frozen=True, kw_only=True):
    """The file a citation points to."""

    file_id: str | None = None


class FileCitationAnnotation(Remark, frozen=True, kw_only=True):
    """A citation: `text` stands in the message from `start_index` to `end_index`."""

    type: Literal["file_citation"] = "file_citation"
    text: str | None = None
    start_index: int | None = None
    end_index: int | None = None
    file_citation: FileCitation | None = None


class FilePath(Remark, frozen=True, kw_only=True):
    """The file a path in the text stands for."""

    file_id: str | None = None


class FilePathAnnotation(Remark, frozen=True, kw_only=True):
    """A path: `text` stands in the message from `start_index` to `end_index`."""

    type: Literal["file_path"] = "file_path"
    text: str | None = None
    start_index: int | None = None
    end_index: int | None = None
    file_path: FilePath | None = None


class OtherAnnotation(Remark, frozen=True, kw_only=True):
    """An annotation of any other kind (Azure: url_citation), kept raw in `extra`."""

    type: str | None = None


Annotation = FileCitationAnnotation | FilePathAnnotation | OtherAnnotation


class TextContent(Snapshot, frozen=True, kw_only=True):
    """A text and the annotations in it."""

    value: str = ""
    annotations: tuple[Annotation, ...] = ()


class TextContentBlock(Snapshot, frozen=True, kw_only=True):
    """A text in a message."""

    type: Literal["text"] = "text"
    text: TextContent | None = None


class ImageFile(Snapshot, frozen=True, kw_only=True):
    """An image by its file id."""

    file_id: str | None = None
    detail: str | None = None


class ImageFileContentBlock(Snapshot, frozen=True, kw_only=True):
    """An image in a message, by its file id."""

    type: Literal["image_file"] = "image_file"
    image_file: ImageFile | None = None


class ImageURL(Snapshot, frozen=True, kw_only=True):
    """An image by its URL."""

    url: str | None = None
    detail: str | None = None


class ImageURLContentBlock(Snapshot, frozen=True, kw_only=True):
    """An image in a message, by its URL."""

    type: Literal["image_url"] = "image_url"
    image_url: ImageURL | None = None


class RefusalContentBlock(Snapshot, frozen=True, kw_only=True):
    """The model's refusal to answer."""

    type: Literal["refusal"] = "refusal"
    refusal: str = ""


class OtherContentBlock(Snapshot, frozen=True, kw_only=True):
    """Content of any other kind, kept raw in `extra`."""

    type: str | None = None


MessageContent = (
    TextContentBlock
    | ImageFileContentBlock
    | ImageURLContentBlock
    | RefusalContentBlock
    | OtherContentBlock
)


class Message(Snapshot, frozen=True, kw_only=True):
    """A message as it stood at one moment; `content` in index order.

    `status` is one of in_progress, incomplete and completed.
    """

    id: str
    object: str | None = None
    created_at: int | None = None
    assistant_id: str | None = None
    thread_id: str | None = None
    run_id: str | None = None
    status: str | None = None
    incomplete_details: IncompleteDetails | None = None
    incomplete_at: int | None = None
    completed_at: int | None = None
    role: str | None = None
    content: tuple[MessageContent, ...] = ()
    attachments: list[Any] | None = None
    metadata: dict[str, Any] | None = None

    @property
    def partial(self) -> bool:
        """Whether only fragments of this message were seen, never the message itself."""
        return self.status is None
