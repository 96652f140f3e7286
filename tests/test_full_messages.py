"""Whole messages: how they begin, repeat, complete, end and contradict what was streamed."""

from __future__ import annotations

from typing import Final

import pytest

from streamkit import (
    Accumulator,
    Change,
    DecodeError,
    Frame,
    MessageDone,
    MessageOpened,
    TextAppended,
    TextContentBlock,
    to_wire,
)
from tests.folding import fold_every_way
from tests.merging import Fed, row
from tests.speaking import (
    BEGUN,
    CITED,
    added,
    at,
    begun,
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
        counts=[2],
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
        "another kind of part is taken at the end only",
        [message("msg_1", {"type": "refusal", "refusal": "b"}, status="completed")],
        BEGUN,
        (message_delta("msg_1", text(0, "a")), [wrote("a")]),
        (
            message_event("in_progress", message("msg_1", {"type": "refusal", "refusal": "b"})),
            [found("type_changed", known="text", said="refusal", message="msg_1")],
        ),
        (
            message_completed("msg_1", {"type": "refusal", "refusal": "b"}),
            [refused("b"), ended({"type": "refusal", "refusal": "b"})],
        ),
        counts=[2],
    ),
    row(
        "parts that come with the end stand where it says",
        [message("msg_1", written("a"), picture("file_b"), written("c"), status="completed")],
        BEGUN,
        (message_delta("msg_1", text(1, "a")), [wrote("a", 1)]),
        (
            message_completed("msg_1", written("a"), picture("file_b"), written("c")),
            [
                *[added(picture("file_b"), 2), wrote("c", 3)],
                ended(written("a"), picture("file_b"), written("c")),
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
        (message_completed("msg_1", written("a")), []),
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
        "a message that is reopened, and ends in another way",
        [message("msg_1", written("ab"), status="incomplete")],
        (
            message_completed("msg_1", written("a")),
            [begun(written("a"), status="completed"), wrote("a"), ended(written("a"))],
        ),
        (
            message_delta("msg_1", text(0, "b")),
            [found("reopened", known="completed", said="delta", message="msg_1"), wrote("b")],
        ),
        (
            message_event("incomplete", message("msg_1", written("ab"), status="incomplete")),
            [
                found("illegal_move", known="completed", said="incomplete", message="msg_1"),
                ended(written("ab"), status="incomplete"),
            ],
        ),
    ),
    row(
        "an end without content ends the parts as they stand",
        [message("msg_1", said("a"), status="completed")],
        BEGUN,
        (message_delta("msg_1", text(0, "a")), [wrote("a")]),
        (
            message_event("completed", without(message("msg_1", status="completed"), "content")),
            [ended(said("a"))],
        ),
    ),
    row(
        "a whole message says what a part is that nobody knew",
        [message("msg_1", written("a"))],
        BEGUN,
        (message_delta("msg_1", {"index": 0}), None),
        (message_event("in_progress", message("msg_1", written("a"))), [wrote("a")]),
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


@pytest.mark.parametrize(("messages", "fed", "counts"), WHOLE)
def test_whole_messages(messages: list[Wire], fed: list[Fed], counts: list[int]) -> None:
    check(messages, fed, counts)


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


@pytest.mark.parametrize("part", [{}, {"type": None}, {"new": 1}], ids=repr)
def test_a_part_that_says_no_type_is_given_none(part: Wire) -> None:
    for end in (message_created, message_completed):
        accumulator = Accumulator()
        accumulator.feed_frame(end("msg_1", part))
        assert to_wire(accumulator.messages[0].content) == [part]
