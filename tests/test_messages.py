"""Messages in fragments: texts, images, refusals, annotations, and what is new."""

from __future__ import annotations

from typing import Final

import pytest

from streamkit import (
    Message,
    MessageOpened,
)
from tests.merging import Fed, row
from tests.speaking import (
    BEGUN,
    CITED,
    added,
    at,
    check,
    ended,
    noted,
    picture,
    refused,
    said,
    wrote,
)
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
from tests.told import found

LINK: Final = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
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
        "a type said late loses nothing",
        [message("msg_1", {"type": "audio", "a": 1, "b": 2})],
        BEGUN,
        (message_delta("msg_1", {"index": 0, "a": 1}), None),
        (message_delta("msg_1", other(0, "audio", b=2)), None),
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
        "a fragment may say the role",
        [{"id": "msg_1", "role": "assistant", "content": [said("a")]}],
        (
            frame("thread.message.delta", {"id": "msg_1", "delta": {
                "role": "assistant", "content": [text(0, "a")]}}),
            None,
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
        "annotations that come with the end stand where it says",
        [message("msg_1", written("a", CITED, PATH, URL), status="completed")],
        BEGUN,
        (message_delta("msg_1", text(0, "a", at(2, CITED))), [wrote("a"), noted(CITED)]),
        (
            message_completed("msg_1", written("a", CITED, PATH, URL)),
            [noted(PATH), noted(URL), ended(written("a", CITED, PATH, URL))],
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


@pytest.mark.parametrize(("messages", "fed", "counts"), [*STREAMED, *ANNOTATED])
def test_messages_grow(messages: list[Wire], fed: list[Fed], counts: list[int]) -> None:
    check(messages, fed, counts)
