"""Messages: texts, images, refusals, annotations, and what nobody has heard of yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest

from streamkit import (
    Accumulator,
    AnnotationAdded,
    Change,
    DecodeError,
    Frame,
    Message,
    MessageContent,
    MessageDone,
    MessageOpened,
    PartAdded,
    RefusalAppended,
    StreamEnded,
    TextAppended,
    TextContentBlock,
    to_wire,
)
from tests.folding import fold_every_way
from tests.streams import (
    Wire,
    frame,
    message,
    message_completed,
    message_created,
    message_delta,
    message_event,
    other,
    text,
    without,
    written,
)
from tests.told import as_message, found

Fed = tuple[Frame, Sequence[Change] | None]


def row(name: str, messages: Sequence[Wire] | None, *fed: Fed) -> Any:
    """Build a row: what the stream comes to, and what each frame changed."""
    return pytest.param(messages, fed, id=name)


def begun(*content: Wire, **fields: Any) -> Change:
    return MessageOpened(as_message(message("msg_1", *content, **fields)))


def ended(*content: Wire, status: str = "completed", **fields: Any) -> Change:
    return MessageDone(as_message(message("msg_1", *content, status=status, **fields)))


def wrote(value: str, index: int = 0) -> Change:
    return TextAppended("msg_1", index, value)


def refused(value: str, index: int = 0) -> Change:
    return RefusalAppended("msg_1", index, value)


def added(part: Wire, index: int = 0) -> Change:
    (content,) = as_message(message("msg_1", part)).content
    return PartAdded("msg_1", index, content)


def noted(annotation: Wire, index: int = 0) -> Change:
    block: MessageContent = as_message(message("msg_1", written("", annotation))).content[0]
    assert isinstance(block, TextContentBlock)
    assert block.text is not None
    return AnnotationAdded("msg_1", index, block.text.annotations[0])


def said(value: str, *annotations: Wire) -> Wire:
    """Build a text of which only this was said."""
    return without(text(0, value, *annotations), "index")


def picture(file_id: str | None, **fields: object) -> Wire:
    where = {} if file_id is None else {"file_id": file_id}
    return {"type": "image_file", "image_file": where | fields}


def at(index: object, part: Wire) -> Wire:
    return part | {"index": index}


BEGUN: Final[Fed] = (message_created(), [begun()])
LINK: Final = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
CITED: Final = {
    "type": "file_citation",
    "text": "[1]",
    "start_index": 0,
    "end_index": 3,
    "file_citation": {"file_id": "file_a"},
}
QUOTED: Final = CITED | {"file_citation": {"file_id": "file_a", "quote": ""}}
PATH: Final = {"type": "file_path", "text": "b", "file_path": {"file_id": "file_b"}}
URL: Final = {"type": "url_citation", "url_citation": {"url": "https://example.org", "title": "c"}}

STREAMED: Final = [
    row(
        "a text in fragments",
        [message("msg_1", written("abc"), status="completed", completed_at=9)],
        BEGUN,
        (message_event("in_progress", message()), []),
        (message_delta("msg_1", at(0, written("a"))), [wrote("a")]),
        (message_delta("msg_1", text(0, "b")), [wrote("b")]),
        (message_delta("msg_1", text(0, "")), []),
        (message_delta("msg_1", text(0, "c")), [wrote("c")]),
        (
            message_completed("msg_1", written("abc"), completed_at=9),
            [ended(written("abc"), completed_at=9)],
        ),
    ),
    row(
        "parts in any order, with gaps",
        [message("msg_1", picture("file_a"), said("bd"), {"type": "refusal", "refusal": "c"})],
        BEGUN,
        (message_delta("msg_1", text(1, "b")), [wrote("b", 1)]),
        (message_delta("msg_1", other(5, "refusal", refusal="c")), [refused("c", 5)]),
        (message_delta("msg_1", at(0, picture("file_a"))), [added(picture("file_a"))]),
        (message_delta("msg_1", text(1, "d")), [wrote("d", 1)]),
    ),
    row(
        "several fragments in one delta",
        [message("msg_1", said("ac"), said("b"))],
        BEGUN,
        (
            message_delta("msg_1", text(0, "a"), text(1, "b"), text("0", "c")),
            [wrote("a"), wrote("b", 1), wrote("c")],
        ),
    ),
    row(
        "a refusal in fragments",
        [message("msg_1", {"type": "refusal", "refusal": "abc"}, status="completed")],
        BEGUN,
        (message_delta("msg_1", other(0, "refusal", refusal="a")), [refused("a")]),
        (message_delta("msg_1", other(0, "refusal", refusal="b")), [refused("b")]),
        (
            message_completed("msg_1", {"type": "refusal", "refusal": "abc"}),
            [refused("c"), ended({"type": "refusal", "refusal": "abc"})],
        ),
    ),
    row(
        "images are told once it is known where they lie",
        [message("msg_1", picture("file_a", detail="low"), LINK)],
        BEGUN,
        (message_delta("msg_1", at(0, picture(None))), []),
        (message_delta("msg_1", at(0, picture("file_a"))), [added(picture("file_a"))]),
        (message_delta("msg_1", at(0, picture("file_a", detail="low"))), []),
        (message_delta("msg_1", at(1, LINK)), [added(LINK, 1)]),
        (message_delta("msg_1", at(1, LINK)), []),
    ),
    row(
        "an image that becomes another",
        [message("msg_1", picture("file_b"))],
        BEGUN,
        (message_delta("msg_1", at(0, picture("file_a"))), [added(picture("file_a"))]),
        (
            message_delta("msg_1", at(0, picture("file_b"))),
            [found("content_differs", known="file_a", said="file_b", message="msg_1")],
        ),
    ),
    row(
        "a part of an unknown kind",
        [message("msg_1", {"type": "audio", "n": 2, "new": {"a": 1, "b": 2}, "url": "v"})],
        BEGUN,
        (
            message_delta("msg_1", other(0, "audio", n=1, new={"a": 1}, url="u")),
            [added({"type": "audio", "n": 1, "new": {"a": 1}, "url": "u"})],
        ),
        (message_delta("msg_1", other(0, "audio", n=2, new={"b": 2})), []),
        (message_delta("msg_1", {"index": 0, "url": "v", "n": None}), []),
    ),
    row(
        "a text becomes a refusal",
        [message("msg_1", {"type": "refusal", "refusal": "b"})],
        BEGUN,
        (message_delta("msg_1", text(0, "a")), [wrote("a")]),
        (
            message_delta("msg_1", other(0, "refusal", refusal="b")),
            [
                found("type_changed", known="text", said="refusal", message="msg_1"),
                refused("b"),
            ],
        ),
    ),
    row(
        "null and what is left out are no change",
        [message("msg_1", said("ab"))],
        BEGUN,
        (message_delta("msg_1", text(0, "a")), [wrote("a")]),
        (message_delta("msg_1", without(text(0, "b"), "type")), [wrote("b")]),
        (message_delta("msg_1", {"index": 0, "type": "text", "text": None}), []),
        (message_delta("msg_1", text(0, None) | {"text": {"value": None}}), []),
        (message_delta("msg_1", {"index": 0}), []),
        (frame("thread.message.delta", {"id": "msg_1", "delta": {"content": None}}), []),
        (frame("thread.message.delta", {"id": "msg_1", "delta": {}}), []),
        (frame("thread.message.delta", {"id": "msg_1", "delta": None}), []),
    ),
    row(
        "the only fragment without an index goes on with the last part",
        [message("msg_1", said("a"), said("bc"))],
        BEGUN,
        (message_delta("msg_1", text(0, "a"), text(1, "b")), [wrote("a"), wrote("b", 1)]),
        (message_delta("msg_1", text(None, "c")), [wrote("c", 1)]),
    ),
    row(
        "unknown fields are kept anywhere, and replaced",
        [message("msg_1", {"type": "text", "text": {"value": "ab", "new": 2}, "new": 2}, new=2)],
        BEGUN,
        *(
            (
                frame("thread.message.delta", {"id": "msg_1", "delta": {"new": new, "content": [
                    {"index": 0, "type": "text", "text": {"value": value, "new": new}, "new": new}
                ]}}),
                [wrote(value)],
            )
            for new, value in ((1, "a"), (2, "b"))
        ),
    ),
    row(
        "a fragment for an unknown message opens a placeholder",
        [message("msg_1", said("ab"))],
        (
            message_delta("msg_1", text(0, "a")),
            [
                found("unknown_step", message="msg_1"),
                MessageOpened(Message(id="msg_1")),
                wrote("a"),
            ],
        ),
        (message_created(), []),
        (message_delta("msg_1", text(0, "b")), [wrote("b")]),
    ),
]  # fmt: skip

ANNOTATED: Final = [
    row(
        "annotations have indices of their own",
        [message("msg_1", said("abc", CITED, PATH, URL))],
        BEGUN,
        (message_delta("msg_1", text(0, "a", at(4, URL))), [wrote("a"), noted(URL)]),
        (message_delta("msg_1", text(0, "b", at(0, CITED))), [wrote("b"), noted(CITED)]),
        (message_delta("msg_1", text(0, "c", at(2, PATH))), [wrote("c"), noted(PATH)]),
    ),
    row(
        "an annotation may come in fragments, and again",
        [message("msg_1", said("a", CITED))],
        BEGUN,
        (
            message_delta("msg_1", text(0, "a", at(0, without(CITED, "end_index")))),
            [wrote("a"), noted(without(CITED, "end_index"))],
        ),
        (message_delta("msg_1", text(0, None, {"index": 0, "end_index": 3, "text": None})), []),
        (message_delta("msg_1", text(0, None, at(0, CITED))), []),
    ),
    row(
        "annotations without an index are all taken",
        [message("msg_1", said("a", CITED, PATH))],
        BEGUN,
        (
            message_delta("msg_1", text(0, "a", CITED, PATH)),
            [wrote("a"), noted(CITED), noted(PATH)],
        ),
    ),
    row(
        "the end has the last word on annotations",
        [message("msg_1", written("a", CITED, PATH), status="completed")],
        BEGUN,
        (message_delta("msg_1", text(0, "a", at(0, QUOTED))), [wrote("a"), noted(QUOTED)]),
        (
            message_completed("msg_1", written("a", CITED, PATH)),
            [noted(PATH), ended(written("a", CITED, PATH))],
        ),
    ),
    row(
        "annotations that the end lacks are kept",
        [message("msg_1", written("a") | said("a", CITED), status="completed")],
        BEGUN,
        (message_delta("msg_1", text(0, "a", at(0, CITED))), [wrote("a"), noted(CITED)]),
        (
            message_completed("msg_1", written("a")),
            [
                found(
                    "content_shrunk", known="1 annotations", said="0 annotations", message="msg_1"
                ),
                ended(said("a", CITED)),
            ],
        ),
    ),
]

WHOLE: Final = [
    row(
        "a message that comes whole only is told in fragments too",
        [message("msg_1", picture("file_a"), written("b", CITED), status="completed")],
        (
            message_completed("msg_1", picture("file_a"), written("b", CITED)),
            [
                begun(picture("file_a"), written("b", CITED), status="completed"),
                *[added(picture("file_a")), wrote("b", 1), noted(CITED, 1)],
                ended(picture("file_a"), written("b", CITED)),
            ],
        ),
    ),
    row(
        "incomplete is terminal, and says the rest",
        [message("msg_1", written("ab"), status="incomplete")],
        BEGUN,
        (message_delta("msg_1", text(0, "a")), [wrote("a")]),
        (
            message_event("incomplete", message("msg_1", written("ab"), status="incomplete")),
            [wrote("b"), ended(written("ab"), status="incomplete")],
        ),
    ),
    row(
        "the name alone is terminal",
        [message("msg_1", written("ab"))],
        BEGUN,
        (message_delta("msg_1", text(0, "a")), [wrote("a")]),
        (
            message_event("completed", message("msg_1", written("a"))),
            [ended(written("a"), status="in_progress")],
        ),
        (message_event("completed", message("msg_1", written("a"))), []),
        (
            message_delta("msg_1", text(0, "b")),
            [
                found("reopened", known="in_progress", said="delta", message="msg_1"),
                wrote("b"),
            ],
        ),
        (
            message_event("completed", message("msg_1", written("ab"))),
            [ended(written("ab"), status="in_progress")],
        ),
    ),
    row(
        "another text is the final word",
        [message("msg_1", written("x"), status="completed")],
        BEGUN,
        (message_delta("msg_1", text(0, "ab")), [wrote("ab")]),
        (
            message_event("in_progress", message("msg_1", written("x"))),
            [found("content_differs", known="ab", said="x", message="msg_1")],
        ),
        (message_completed("msg_1", written("x")), [ended(written("x"))]),
    ),
    row(
        "a shorter text is the final word",
        [message("msg_1", written("a"), status="completed")],
        BEGUN,
        (message_delta("msg_1", text(0, "ab")), [wrote("ab")]),
        (message_event("in_progress", message("msg_1", written("a"))), []),
        (
            message_completed("msg_1", written("a")),
            [
                found("content_shrunk", known="ab", said="a", message="msg_1"),
                ended(written("a")),
            ],
        ),
    ),
    row(
        "parts that the end lacks are kept",
        [message("msg_1", written("a"), said("b"), status="completed")],
        BEGUN,
        (message_delta("msg_1", text(0, "a"), text(1, "b")), [wrote("a"), wrote("b", 1)]),
        (
            message_completed("msg_1", written("a")),
            [
                found("content_shrunk", known="2 parts", said="1 parts", message="msg_1"),
                ended(written("a"), said("b")),
            ],
        ),
    ),
    row(
        "an end that adds to an ended message reopens it",
        [message("msg_1", written("ab"), status="completed")],
        (
            message_completed("msg_1", written("a")),
            [begun(written("a"), status="completed"), wrote("a"), ended(written("a"))],
        ),
        (message_completed("msg_1", written("a")), []),
        (message_completed("msg_1", written("ab")), None),
    ),
    row(
        "a message that had ended by name alone, and grows on the way",
        [message("msg_1", written("ab"), status="completed")],
        BEGUN,
        (
            message_event("completed", message("msg_1", written("a"))),
            [wrote("a"), ended(written("a"), status="in_progress")],
        ),
        (message_event("in_progress", message("msg_1", written("ab"))), None),
        (message_completed("msg_1", written("ab")), None),
    ),
    row(
        "several messages at once, told apart by their ids",
        [message("msg_1", said("ac")), message("msg_2", said("bd"))],
        BEGUN,
        (message_created("msg_2"), [MessageOpened(as_message(message("msg_2")))]),
        (message_delta("msg_1", text(0, "a")), [wrote("a")]),
        (message_delta("msg_2", text(0, "b")), [TextAppended("msg_2", 0, "b")]),
        (message_delta("msg_1", text(0, "c")), [wrote("c")]),
        (message_delta("msg_2", text(0, "d")), [TextAppended("msg_2", 0, "d")]),
    ),
    row(
        "a message created with an empty text",
        [message("msg_1", written("ab"))],
        (message_created("msg_1", written("")), [begun(written(""))]),
        (message_delta("msg_1", text(0, "ab")), [wrote("ab")]),
    ),
    row(
        "a message created with its text, which the delta repeats",
        [message("msg_1", written("ab"))],
        (message_created("msg_1", written("a")), [begun(written("a")), wrote("a")]),
        (message_delta("msg_1", text(0, "a")), []),
        (message_delta("msg_1", text(0, "b")), [wrote("b")]),
    ),
]


@pytest.mark.parametrize(("messages", "fed"), [*STREAMED, *ANNOTATED, *WHOLE])
def test_messages(messages: list[Wire], fed: list[Fed]) -> None:
    folded = fold_every_way([each for each, _ in fed])
    for told, (_, changes) in zip(folded.told, fed, strict=False):
        assert changes is None or told == list(changes)
    assert folded.told[-1] == [StreamEnded("truncated")]
    assert to_wire(folded.snapshot.messages) == messages


@pytest.mark.parametrize(
    ("part", "whole", "change"),
    [
        pytest.param(text(0, "a\ud83d"), said("a\ufffd"), wrote("\ufffd"), id="text"),
        pytest.param(
            other(0, "refusal", refusal="a\ud83d"),
            {"type": "refusal", "refusal": "a\ufffd"},
            refused("\ufffd"),
            id="refusal",
        ),
    ],
)
@pytest.mark.parametrize("end", [[], [message_completed()]], ids=["of the leg", "of the message"])
def test_half_a_character_is_given_up_at_the_end(
    part: Wire, whole: Wire, change: Change, end: list[Frame]
) -> None:
    folded = fold_every_way([message_created(), message_delta("msg_1", part), *end])
    told = folded.told[2]
    assert change in told
    assert not any(isinstance(each, MessageDone) for each in told[: told.index(change)])
    assert to_wire(folded.snapshot.messages[0].content) == [whole]


BROKEN: Final = {"index": 0, "type": "file_citation", "text": 5}


@pytest.mark.parametrize("before", [[], [at(0, CITED)]], ids=["new", "known"])
def test_an_annotation_that_makes_no_sense_spoils_nothing(before: list[Wire]) -> None:
    """It is taken, or it is a `DecodeError`; what came before stays readable."""
    accumulator = Accumulator()
    accumulator.feed_frame(message_created())
    accumulator.feed_frame(message_delta("msg_1", text(0, "a", *before)))
    try:
        accumulator.feed_frame(message_delta("msg_1", text(0, "b", BROKEN)))
    except DecodeError as error:
        assert error.event == "thread.message.delta"  # noqa: PT017 - either is right
        assert error.snapshot is not None  # noqa: PT017
    (shown,) = accumulator.snapshot().messages
    (block,) = shown.content
    assert isinstance(block, TextContentBlock)
    assert block.text is not None
    assert block.text.value in ("a", "ab")
