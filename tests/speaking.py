"""What is expected of messages, in few words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from streamkit import (
    AnnotationAdded,
    Change,
    MessageContent,
    MessageDone,
    MessageOpened,
    PartAdded,
    RefusalAppended,
    TextAppended,
    TextContentBlock,
    to_wire,
)
from tests.merging import Fed, checked
from tests.streams import (
    Wire,
    message,
    message_created,
    text,
    without,
    written,
)
from tests.told import as_message


def begun(*content: Wire, **fields: Any) -> Change:
    """Expect the message to open, as it is said here."""
    return MessageOpened(as_message(message("msg_1", *content, **fields)))


def ended(*content: Wire, status: str = "completed", **fields: Any) -> Change:
    """Expect the message to end, as it is said here."""
    return MessageDone(as_message(message("msg_1", *content, status=status, **fields)))


def wrote(value: str, index: int = 0) -> Change:
    """Expect text."""
    return TextAppended("msg_1", index, value)


def refused(value: str, index: int = 0) -> Change:
    """Expect a refusal."""
    return RefusalAppended("msg_1", index, value)


def added(part: Wire, index: int = 0) -> Change:
    """Expect a part that comes whole."""
    (content,) = as_message(message("msg_1", part)).content
    return PartAdded("msg_1", index, content)


def noted(annotation: Wire, index: int = 0) -> Change:
    """Expect an annotation."""
    block: MessageContent = as_message(message("msg_1", written("", annotation))).content[0]
    assert isinstance(block, TextContentBlock)
    assert block.text is not None
    return AnnotationAdded("msg_1", index, block.text.annotations[0])


def said(value: str, *annotations: Wire) -> Wire:
    """Build a text of which only this was said."""
    return without(text(0, value, *annotations), "index")


def picture(file_id: str | None, **fields: object) -> Wire:
    """Build an image."""
    where = {} if file_id is None else {"file_id": file_id}
    return {"type": "image_file", "image_file": where | fields}


def at(index: object, part: Wire) -> Wire:
    """Give an item its index."""
    return part | {"index": index}


BEGUN: Final[Fed] = (message_created(), [begun()])
CITED: Final = {
    "type": "file_citation",
    "text": "[1]",
    "start_index": 0,
    "end_index": 3,
    "file_citation": {"file_id": "file_a"},
}


def check(messages: Sequence[Wire], fed: Sequence[Fed], counts: Sequence[int] = ()) -> None:
    """Hold the fold to a row about messages, however the stream is cut."""
    assert to_wire(checked(fed, counts).messages) == list(messages)
