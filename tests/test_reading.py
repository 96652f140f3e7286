"""Bytes to events: whatever the envelope, and however the bytes are cut."""

from __future__ import annotations

import json
import re
import tracemalloc
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamkit import (
    Accumulator,
    Change,
    DecodeError,
    DoneEvent,
    ErrorObject,
    FrameDecoder,
    Limits,
    Outcome,
    PeerError,
    Run,
    RunChanged,
    ServerFailed,
    StreamEnded,
    UnknownReceived,
)
from streamkit.dialects import EventReader
from tests.cutting import cuts

BOM: Final = b"\xef\xbb\xbf"

Told = tuple[str, Any]  # the name of an event, and its data


def run(status: str) -> dict[str, str]:
    """Build the run as the wire has it."""
    return {"id": "run_1", "object": "thread.run", "status": status}


def changed(status: str) -> Change:
    """Build the change that it makes."""
    return RunChanged(Run(id="run_1", object="thread.run", status=status))


PAUSED: Final[list[Told]] = [
    ("thread.run.requires_action", run("requires_action")),
    ("done", "[DONE]"),
]
COMPLETED: Final[list[Told]] = [
    ("thread.run.queued", run("queued")),
    ("thread.run.completed", run("completed")),
    ("done", "[DONE]"),
]
PAUSES: Final[list[Change]] = [changed("requires_action"), StreamEnded("paused")]
COMPLETES: Final[list[Change]] = [changed("queued"), changed("completed"), StreamEnded("complete")]


def text(data: Any) -> str:
    """Write data, which may be bare text."""
    return data if isinstance(data, str) else json.dumps(data)


def named(events: Iterable[Told]) -> bytes:
    return "".join(f"event: {name}\ndata: {text(data)}\n\n" for name, data in events).encode()


def named_crlf(events: Iterable[Told]) -> bytes:
    return named(events).replace(b"\n", b"\r\n")


def wrapped(events: Iterable[Told]) -> bytes:
    told = [json.dumps({"event": name, "data": data}) for name, data in events]
    return "".join(f": ping\n\ndata: {data}\n\n" for data in told).encode()


def bare(events: Iterable[Told]) -> bytes:
    return "".join(f"data: {text(data)}\n\n" for _, data in events).encode()


def lines(events: Iterable[Told]) -> bytes:
    told = [json.dumps({"event": name, "data": data}) for name, data in events]
    return "".join(f"{data}\n" for data in told).encode()


Envelope = Callable[[Iterable[Told]], bytes]
ENVELOPES: Final[list[Envelope]] = [named, named_crlf, wrapped, bare, lines]


def read(chunks: Iterable[bytes], **limits: int) -> tuple[list[Change], Outcome | str]:
    """Return the changes, and the outcome or what was raised instead."""
    accumulator = Accumulator(limits=Limits(**limits))
    changes: list[Change] = []
    try:
        for chunk in chunks:
            changes += accumulator.feed_bytes(chunk)
        changes += accumulator.end()
    except PeerError as error:
        return changes + list(error.changes), f"{type(error).__name__}: {error}"
    return changes, accumulator.outcome


@pytest.mark.parametrize(
    ("first", "second", "mark"),
    [
        pytest.param(
            one, other, mark, id=f"{one.__name__}, {other.__name__}{', BOM' * bool(mark)}"
        )
        for one, other, mark in product(ENVELOPES, ENVELOPES, [b"", BOM])
    ],
)
def test_legs_in_one_body_may_come_each_in_its_own_envelope(
    first: Envelope, second: Envelope, mark: bytes
) -> None:
    body = mark + first(PAUSED) + mark + second(COMPLETED)
    for chunks in cuts(body):
        assert read(chunks) == (PAUSES + COMPLETES, "complete"), chunks


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\r\n\n" + named(COMPLETED), id="blank lines before events"),
        pytest.param(BOM + b"\n\n" + named(COMPLETED), id="BOM and blank lines before events"),
        pytest.param(b": {\n\n" + named(COMPLETED), id="a comment before events"),
        pytest.param(b"\r\n \n\t" + lines(COMPLETED), id="blanks before JSON"),
        pytest.param(BOM + b"\r\n " + lines(COMPLETED), id="BOM and blanks before JSON"),
        pytest.param(b" " * 1200 + lines(COMPLETED), id="many blanks before JSON"),
        pytest.param(b"\n" * 1200 + lines(COMPLETED), id="many blank lines before JSON"),
        pytest.param(lines(COMPLETED).replace(b"\n", b"\r\n"), id="JSON and CRLF"),
        pytest.param(lines(COMPLETED).replace(b"\n", b" \n\r\n\n"), id="JSON and blank lines"),
        pytest.param(lines(COMPLETED[:2]), id="JSON without an end"),
        pytest.param(named(COMPLETED[:2]), id="events without an end"),
        # An unfinished rest that is a whole object, or [DONE], is not lost.
        pytest.param(lines(COMPLETED).removesuffix(b"\n"), id="JSON without the last line end"),
        pytest.param(lines(COMPLETED[:2]).strip(), id="JSON without the last two"),
        pytest.param(
            named(COMPLETED).removesuffix(b"\n"), id="events without the last blank line"
        ),
        pytest.param(named(COMPLETED).strip(), id="events without the last line end"),
        pytest.param(named(COMPLETED[:2]).strip(), id="events without the last two"),
        pytest.param(named_crlf(COMPLETED).removesuffix(b"\n"), id="events cut inside CRLF"),
        pytest.param(bare(COMPLETED[:2]).removesuffix(b"\n"), id="bare, without the last one"),
        pytest.param(named(COMPLETED) + b"\n\r\n: bye\n\n", id="more that means nothing"),
        pytest.param(b" data: 1\n\n\tdata: 2\n\n" + named(COMPLETED), id="fields of other names"),
    ],
)
def test_a_body_is_read_whatever_stands_around_its_events(body: bytes) -> None:
    for chunks in cuts(body):
        assert read(chunks) == (COMPLETES, "complete"), chunks


REFUSED: Final = {"error": {"message": "no key\n{", "type": "auth", "code": "c"}}
FAILED: Final[list[Change]] = [
    ServerFailed(ErrorObject(message="no key\n{", type="auth", code="c")),
    StreamEnded("error"),
]


@pytest.mark.parametrize("before", [b"", BOM, b"\r\n", b" \n\t", BOM + b"\n"])
@pytest.mark.parametrize("indent", [None, 0, 4, "\t"])
@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n"])
def test_an_error_that_was_saved_for_a_stream(
    before: bytes, indent: int | str | None, ending: str
) -> None:
    document = json.dumps(REFUSED, indent=indent)
    body = before + (document + ending).replace("\n", ending.strip("\n") + "\n").encode()
    for chunks in cuts(body):
        assert read(chunks) == (FAILED, "error"), chunks


@pytest.mark.parametrize("mark", [b"", BOM])
@pytest.mark.parametrize("ending", [b"", b"\n", b"\n\n"])
@pytest.mark.parametrize("envelope", ENVELOPES)
def test_an_error_that_was_saved_for_a_later_leg(
    envelope: Envelope, ending: bytes, mark: bytes
) -> None:
    body = envelope(PAUSED) + mark + json.dumps(REFUSED).encode() + ending
    for chunks in cuts(body):
        assert read(chunks) == (PAUSES + FAILED, "error"), chunks


@pytest.mark.parametrize(
    ("rest", "changes"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b'event: thread.run.completed\ndata: {"id": "run_1", "sta', [], id="a half"),
        pytest.param(b"event: thread.run.completed", [], id="a name"),
        pytest.param(b"event: error\ndata: bad gateway\n", [], id="a bare text"),
        pytest.param(b"event: done\ndata: done\n", [], id="done, in another word"),
        pytest.param(b"data: [1]", [], id="a list"),
        pytest.param(b"data: [DONE", [], id="half of the end"),
        pytest.param(b"data: 1", [], id="a number"),
        pytest.param(b'{"id": "run_1"}', [], id="no data line"),
        pytest.param(
            b'event: ping\ndata: {"a":\ndata: 1}',
            [UnknownReceived("ping", {"a": 1})],
            id="two lines",
        ),
    ],
)
def test_an_unfinished_rest_that_is_no_whole_object_was_cut(
    rest: bytes, changes: list[Change]
) -> None:
    body = named(COMPLETED[:1]) + rest
    for chunks in cuts(body):
        expected = [changed("queued"), *changes, StreamEnded("truncated")]
        assert read(chunks) == (expected, "truncated"), chunks


@pytest.mark.parametrize(
    "body",
    [b"", b"\r\n\n", b" \t\n", BOM, BOM[:2], b": ping\n\n", b"id: 1\nretry: 5\n\n", b"{", b"x"],
)
def test_a_body_without_events_is_truncated(body: bytes) -> None:
    for chunks in cuts(body):
        assert read(chunks) == ([StreamEnded("truncated")], "truncated"), chunks


STEP: Final = b"event: thread.run.step.delta\ndata: "
MESSAGE: Final = b"event: thread.message.delta\ndata: "
STEP_DELTA: Final = (
    b'{"id": "s", "delta": {"step_details": {"type": "tool_calls", "tool_calls": ['
    b'{"index": 0, "type": "function", "function": {"arguments": "\xc3\xa9\\n"}}]}}}'
)
MESSAGE_DELTA: Final = (
    b'{"id": "m", "delta": {"content": [{"index": 0, "type": "text", "text": {"value": "a"}}]}}'
)
BAD: Final[list[Told]] = [("thread.run.created", {"id": 1})]
MISFIT: Final = "$.id: expected a string, got a number: data begins b'{\"id\": 1}'"


@pytest.mark.parametrize("ended", [True, False], ids=["", "unfinished"])
@pytest.mark.parametrize(
    ("before", "envelope"),
    [
        pytest.param(b"", named, id="at the start"),
        pytest.param(named(COMPLETED[:2]), named, id="LF"),
        pytest.param(named_crlf(COMPLETED[:2]), named_crlf, id="CRLF"),
        pytest.param(named_crlf(COMPLETED[:2]), named, id="CRLF, then LF"),
        pytest.param(BOM, named, id="BOM"),
        pytest.param(BOM + named(COMPLETED[:2]), named_crlf, id="BOM, LF, then CRLF"),
        pytest.param(b"\n\r\n\r", named, id="blank lines first"),
        pytest.param(named(COMPLETED[:1]) + b"\n\n\n", named, id="a blank line too many"),
        pytest.param(named_crlf(COMPLETED[:1]) + b"\r\n", named_crlf, id="one too many, CRLF"),
        pytest.param(named(COMPLETED[:1]) + b": ping\n\nid: 1\n\n", named, id="comment and id"),
        pytest.param((STEP + STEP_DELTA + b"\n\n") * 3, named, id="fragments"),
        pytest.param(named(PAUSED), named, id="a later leg"),
        pytest.param(named(PAUSED) + BOM, named, id="a later leg with a BOM"),
        pytest.param(lines(PAUSED), named, id="a later leg after JSON"),
        pytest.param(b"", lines, id="JSON"),
        pytest.param(BOM, lines, id="BOM and JSON"),
        pytest.param(b"\r\n\n", lines, id="blank lines and JSON"),
        pytest.param(lines(COMPLETED[:2]), lines, id="lines of JSON"),
        pytest.param(lines(COMPLETED[:2]) + b"\r\n\n", lines, id="JSON and blank lines"),
        pytest.param(lines(PAUSED), lines, id="a later leg of JSON"),
    ],
)
def test_an_error_says_at_which_byte_its_frame_begins(
    before: bytes, envelope: Envelope, *, ended: bool
) -> None:
    body = before + (envelope(BAD) if ended else envelope(BAD).rstrip(b"\r\n"))
    said = f"DecodeError: event 'thread.run.created', byte {len(before)}, {MISFIT}"
    for chunks in cuts(body):
        assert read(chunks)[1] == said, chunks


@pytest.mark.parametrize("line", [b'{"event": x}', b'{"event": "a"', b"{", b"x"])
def test_a_line_that_is_not_json_is_an_error(line: bytes) -> None:
    # Only the first line may be the beginning of an object spread over lines.
    before = lines(COMPLETED[:1])
    for chunks in cuts(before + line + b"\n" + lines(COMPLETED[1:])):
        changes, raised = read(chunks)
        if line == b"x":
            assert (changes[1], raised) == (UnknownReceived("message", "x"), "complete"), chunks
        else:
            assert changes == [changed("queued")], chunks
            assert raised.startswith(f"DecodeError: event 'message', byte {len(before)}: not JSON")
    for chunks in cuts(b'{"event": x}\n' + before):
        assert read(chunks)[1].startswith("DecodeError: event 'message', byte 0: not JSON"), chunks


def test_what_came_before_an_error_is_not_lost() -> None:
    body = named(COMPLETED[:2]) + named(BAD) + named(PAUSED)
    for chunks in cuts(body):
        assert read(chunks)[0] == [changed("queued"), changed("completed")], chunks
    accumulator = Accumulator()
    with pytest.raises(DecodeError) as caught:
        accumulator.feed_bytes(body)
    assert caught.value.changes == [changed("queued"), changed("completed")]
    assert caught.value.snapshot == accumulator.snapshot()


LONG: Final[list[Told]] = [("ping", "x" * 200)]


@pytest.mark.parametrize("ended", [True, False], ids=["", "unfinished"])
@pytest.mark.parametrize(
    ("before", "envelope"),
    [
        pytest.param(b"", named, id="at the start"),
        pytest.param(named(COMPLETED[:2]), named, id="later"),
        pytest.param(named_crlf(COMPLETED[:2]), named_crlf, id="CRLF"),
        pytest.param(BOM + named(COMPLETED[:2]), wrapped, id="BOM"),
        pytest.param(named(COMPLETED[:2]) + b"\n\n\n", named, id="blank lines"),
        pytest.param(b"", lines, id="JSON"),
        pytest.param(b"\r\n\n" + lines(COMPLETED[:2]), lines, id="lines of JSON"),
    ],
)
def test_a_frame_over_the_limit_is_refused_where_it_begins(
    before: bytes, envelope: Envelope, *, ended: bool
) -> None:
    frame = envelope(LONG).removeprefix(b": ping\n\n")
    comment = len(envelope(LONG)) - len(frame)
    body = before + envelope(LONG) if ended else before + envelope(LONG).rstrip(b"\r\n")
    body += envelope(PAUSED) if ended else b""
    said = f"LimitError: the frame at byte {len(before) + comment} is longer than 180 bytes"
    expected = [changed("queued"), changed("completed")] if before else []
    for chunks in cuts(body):
        changes, raised = read(chunks, frame_bytes=180)
        assert (changes, raised.partition(";")[0]) == (expected, said), chunks


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_the_end_of_a_line_does_not_count(ending: bytes) -> None:
    told = lines(COMPLETED[:2]).replace(b"\n", ending) + lines(COMPLETED[2:])
    longest = max(map(len, told.splitlines()))
    for chunks in cuts(told):
        assert read(chunks, frame_bytes=longest) == (COMPLETES, "complete"), chunks
        assert read(chunks, frame_bytes=longest - 1)[1] != "complete", chunks


@pytest.mark.parametrize("blanks", [b" ", b" \t" * 50])
def test_blanks_in_lines_count_alike_however_they_are_cut(blanks: bytes) -> None:
    body = blanks + lines(COMPLETED).replace(b"\n", blanks + b"\n" + blanks)
    outcomes = [read(chunks, frame_bytes=100) for chunks in cuts(body)]
    assert outcomes == [outcomes[0]] * len(outcomes)


def test_an_object_spread_over_lines_counts_as_one_frame() -> None:
    body = json.dumps({"error": {"message": "x" * 50}}, indent=1).encode()
    for chunks in cuts(body):
        assert read(chunks, frame_bytes=len(body))[1] == "error"
        assert re.match("LimitError: the frame at byte 0 ", read(chunks, frame_bytes=60)[1])


@pytest.mark.parametrize(
    ("begin", "line"),
    [
        pytest.param(b'{"a": [\n', b"[1],\n", id="an object spread over many lines"),
        pytest.param(b"event: a\n", b"data: 1\n", id="a long frame"),
        pytest.param(b"", b"        ", id="blanks before anything else"),
    ],
)
def test_a_chunk_costs_its_own_length_only(begin: bytes, line: bytes) -> None:
    accumulator = Accumulator()
    accumulator.feed_bytes(begin)
    allocated = 0
    tracemalloc.start()
    for _ in range(4000):
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        accumulator.feed_bytes(line * 10)
        allocated += tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    # A kilobyte or two a chunk. Copying what is held each time would take 400 million.
    assert allocated < 10_000_000


def test_an_unfinished_end_is_an_event() -> None:
    for data in (b"data: [DONE]", b"event: done\ndata: [DONE]\n", b'{"event": "done", "data": 0}'):
        for chunks in cuts(data):
            reader = EventReader(Limits())
            assert [event for chunk in chunks for event in reader.read(chunk)] == []
            assert reader.finish() == [DoneEvent()], chunks


FRAGMENT: Final = STEP + STEP_DELTA + b"\n\n"
UNUSUAL: Final = [
    FRAGMENT.replace(b"\n", b"\r\n"),
    FRAGMENT.replace(b"\n", b"\r"),
    STEP + STEP_DELTA[:-1] + b', "x": 1}\n\n',
    STEP + STEP_DELTA + b"\nid: 1\nevent: thread.message.delta\n\n",
    STEP + STEP_DELTA[:5] + b"\ndata: " + STEP_DELTA[5:] + b"\n\n",
    b": x\n" + FRAGMENT,
    # JSON may hold line ends, and end in blanks, where a frame may not.
    STEP + b'{"id": "s",\n"delta": {}}\n\n',
    STEP + b'{"id": "s",\r"delta": {}}\n\n',
    STEP + STEP_DELTA + b"\n \nevent: thread.message.delta\n\n",
    STEP + STEP_DELTA + b"\r \nevent: thread.message.delta\n\n",
    STEP + b"{}\n\n",
    STEP + b"\n\n",
    STEP.strip() + STEP_DELTA + b"\n\n",
    STEP + MESSAGE_DELTA + b"\n\n",
    MESSAGE + MESSAGE_DELTA + b"\n\n",
]


def read_at_once(chunks: Iterable[bytes]) -> tuple[list[Change], Outcome | str]:
    """Read the events of an event stream as bytes."""
    accumulator = Accumulator()
    changes: list[Change] = []
    try:
        for chunk in chunks:
            changes += accumulator.feed_bytes(chunk)
        changes += accumulator.end(cut=True)
    except DecodeError as error:
        return [*changes, *error.changes], error.reason
    return changes, accumulator.outcome


def read_frame_by_frame(body: bytes) -> tuple[list[Change], Outcome | str]:
    """Read the events of an event stream, slowly and obviously."""
    accumulator = Accumulator()
    changes: list[Change] = []
    try:
        for frame in FrameDecoder().feed(body):
            changes += accumulator.feed_frame(frame)
        changes += accumulator.end(cut=True)
    except DecodeError as error:
        return changes, error.reason
    return changes, accumulator.outcome


@pytest.mark.parametrize("unusual", UNUSUAL)
def test_fragments_are_read_alike_whatever_is_unusual_about_their_frames(unusual: bytes) -> None:
    for body in (2 * FRAGMENT + unusual + FRAGMENT, unusual + 2 * FRAGMENT):
        expected = read_frame_by_frame(body)
        for chunks in cuts(body):
            assert read_at_once(chunks) == expected, chunks


@pytest.mark.parametrize("before", [b"data: 1\n", b"id: 1\r", b"data: 1", b": x\r\n"])
def test_a_fragment_that_is_a_chunk_may_yet_go_on_with_a_frame(before: bytes) -> None:
    chunks = [FRAGMENT, before, FRAGMENT, FRAGMENT]
    assert read_at_once(chunks) == read_frame_by_frame(b"".join(chunks))


@pytest.mark.parametrize("end", [b"", b"\n", b"\n ", b"\n:", b"\r", b"\r ", b"\r\n"])
def test_a_fragment_is_not_taken_before_its_frame_ends(end: bytes) -> None:
    accumulator = Accumulator()
    accumulator.feed_bytes(2 * FRAGMENT)
    assert accumulator.feed_bytes(STEP + STEP_DELTA + end) == []


FRAGMENTS: Final = st.sampled_from(
    [
        *(STEP, MESSAGE, STEP_DELTA, MESSAGE_DELTA, STEP_DELTA[:50], STEP_DELTA[50:], b"{", b"}"),
        *(
            b"\n",
            b"\r",
            b"\r\n",
            b"\n\n",
            b"\r\n\r\n",
            b"id: 1\n",
            b"data: ",
            b": x\n",
            b"event: a",
        ),
        *UNUSUAL,
        *(FRAGMENT, MESSAGE + MESSAGE_DELTA + b"\n\n") * 3,
    ]
)


@given(st.lists(st.lists(FRAGMENTS, max_size=3).map(b"".join), max_size=8))
def test_fragments_are_read_alike_whatever_surrounds_them(chunks: list[bytes]) -> None:
    chunks = [b": begun\n\n", *chunks]
    assert read_at_once(chunks) == read_frame_by_frame(b"".join(chunks))


PIECES: Final = [
    *(
        b'{"event": "done", "data": "[DONE]"}',
        b'{"error": {}}',
        b"{",
        b"}",
        b'{"a":',
        b"1}",
        b"[DONE]",
    ),
    *(b"data: [DONE]", b"event: done", b'data: {"error": 1}', b"data:", b"id: 1", b":", b"x"),
    *(b"\n", b"\r\n", b"\n\n", b"\r", b" ", BOM, BOM[:1], BOM[1:]),
    *(named(BAD), lines(BAD), named(PAUSED), lines(PAUSED), named(COMPLETED[:1])),
]
PIECE: Final = st.sampled_from(PIECES)


@settings(max_examples=500)
@given(
    st.lists(st.lists(PIECE, max_size=4).map(b"".join), max_size=8), st.sampled_from([40, 2**20])
)
def test_no_cut_shows(chunks: list[bytes], limit: int) -> None:
    assert read(chunks, frame_bytes=limit) == read([b"".join(chunks)], frame_bytes=limit)
