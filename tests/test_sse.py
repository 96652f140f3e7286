"""Bytes to frames: the standard, clause by clause, and however the bytes are cut."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterable
from typing import Any, Final

import pytest
from httpx_sse._decoders import SSEDecoder
from hypothesis import given
from hypothesis import strategies as st

from streamkit import Frame, FrameDecoder, LimitError, UsageError, encode_frame
from streamkit._blocks import BOM, Blocks
from tests.cutting import cuts


def case(name: str, body: bytes, *expected: object) -> Any:
    """Build a row of a table."""
    return pytest.param(body, *expected, id=name)


def read(chunks: Iterable[bytes]) -> tuple[list[Frame], bytes]:
    """Return the frames in the chunks, and the rest."""
    decoder = FrameDecoder()
    frames = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    return frames, decoder.finish()


def said(*data: bytes) -> list[Frame]:
    """Build frames that hold nothing but data."""
    return [Frame("message", item) for item in data]


WHOLE: Final = [
    case("nothing", b"", []),
    case("a named event", b"event: add\ndata: 1\n\n", [Frame("add", b"1")]),
    case("an unnamed event", b"data: 1\n\n", said(b"1")),
    # Lines end in CRLF, LF or CR.
    case("CRLF", b"event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", [Frame("a", b"1"), *said(b"2")]),
    case("CR", b"event: a\rdata: 1\r\rdata: 2\r\r", [Frame("a", b"1"), *said(b"2")]),
    case("LF, then CRLF", b"data: 1\n\r\ndata: 2\n\r\n", said(b"1", b"2")),
    case("CRLF, then LF", b"data: 1\r\n\ndata: 2\r\n\n", said(b"1", b"2")),
    case("CR, then CRLF", b"data: 1\r\r\ndata: 2\r\r\n", said(b"1", b"2")),
    case("CRLF, then CR", b"data: 1\r\n\rdata: 2\r\n\r", said(b"1", b"2")),
    case("LF, then CR", b"data: 1\n\rdata: 2\n\r", said(b"1", b"2")),
    case("CRLF is one line end", b"data: 1\r\ndata: 2\r\n\r\n", said(b"1\n2")),
    case("lines of every kind", b"data: 1\rdata: 2\ndata: 3\r\ndata: 4\n\r", said(b"1\n2\n3\n4")),
    # One leading byte-order mark is stripped.
    case("BOM", BOM + b"event: a\ndata: 1\n\n", [Frame("a", b"1")]),
    case("BOM, then CRLF", BOM + b"\r\n\r\nevent: a\r\ndata: 1\r\n\r\n", [Frame("a", b"1")]),
    case("BOM alone", BOM, []),
    case("BOM twice", BOM + BOM + b"event: a\ndata: 1\n\n", said(b"1")),
    case("BOM later", b"data: 1\n\n" + BOM + b"event: a\ndata: 2\n\n", said(b"1", b"2")),
    case("BOM in a value", b"data: " + BOM + b"1\n\n", said(BOM + b"1")),
    case("part of a BOM", BOM[:2] + b"event: a\ndata: 1\n\n", said(b"1")),
    # A colon first makes a comment.
    case("comments", b": ping\n\n:\ndata: 1\n:data: 2\n\n: ping\n\n", said(b"1")),
    case("comment in between", b"data: 1\n: ping\ndata: 2\n\n", said(b"1\n2")),
    # Data lines join with LF.
    case("several data lines", b"data: 1\ndata:\ndata: 3\n\n", said(b"1\n\n3")),
    case("data of nothing but LF", b"data:\ndata:\n\n", said(b"\n")),
    case("empty data", b"data:\n\ndata: \n\n", said(b"", b"")),
    case("data without a colon", b"data\n\ndata\ndata\n\n", said(b"", b"\n")),
    # One space after the colon is dropped.
    case(
        "spaces", b"data:1\n\ndata: 2\n\ndata:  3\n\ndata: 4 \n\n", said(b"1", b"2", b" 3", b"4 ")
    ),
    case("a tab is no space", b"data:\t1\n\n", said(b"\t1")),
    case("colons in a value", b"data: a:b: c\n\ndata::\n\n", said(b"a:b: c", b":")),
    # Unknown fields are ignored, and names are matched exactly.
    case(
        "unknown fields", b"x: 1\ndata: 1\n data: 2\nDATA: 3\ndata : 4\ndatas: 5\n\n", said(b"1")
    ),
    # The last event name counts; it belongs to one frame only; empty, it is "message".
    case("the last name", b"event: a\nevent: b\ndata: 1\n\n", [Frame("b", b"1")]),
    case("an empty name", b"event: a\nevent:\ndata: 1\n\nevent\ndata: 2\n\n", said(b"1", b"2")),
    case(
        "a name is not kept", b"event: a\ndata: 1\n\ndata: 2\n\n", [Frame("a", b"1"), *said(b"2")]
    ),
    case("a name without data", b"event: a\n\ndata: 2\n\n", said(b"2")),
    # Ids are kept across frames.
    case(
        "an id is kept",
        b"id: 1\ndata: a\n\ndata: b\n\nid: 2\n\n: ping\n\ndata: c\n\n",
        [Frame("message", b"a", "1"), Frame("message", b"b", "1"), Frame("message", b"c", "2")],
    ),
    case(
        "an empty id resets", b"id: 1\n\nid\ndata: a\n\nid: 2\nid:\ndata: b\n\n", said(b"a", b"b")
    ),
    case("an id with NUL", b"id: 1\nid: 2\x003\ndata: a\n\n", [Frame("message", b"a", "1")]),
    case("an id alone is no event", b"id: 7\n\n: ping\n\n\n\n", []),
    # A retry is all ASCII digits.
    case(
        "retry",
        b"retry: 010\ndata: 1\n\ndata: 2\n\n",
        [Frame("message", b"1", "", 10), *said(b"2")],
    ),
    case("retry alone is no event", b"retry: 10\n\ndata: 1\n\n", said(b"1")),
    case("the last good retry", b"retry: 1\nretry: x\ndata:\n\n", [Frame("message", b"", "", 1)]),
    *(
        case(f"retry of {value!r}", b"retry:" + value + b"\ndata: 1\n\n", said(b"1"))
        for value in (b"", b" ", b"-1", b"+1", b"1_0", b"1.0", b"  5", b"5 ", "٣".encode())
    ),
    case("retry beyond all numbers", b"retry: " + b"9" * 5000 + b"\ndata: 1\n\n", said(b"1")),
    # Nothing else ends a line.
    case(
        "other line breaks",
        "data: \u2028\u2029\x85\v\f\x1c\x1d\x1e\x00\n\n".encode(),
        said("\u2028\u2029\x85\v\f\x1c\x1d\x1e\x00".encode()),
    ),
    # UTF-8 always: data is left as it came, for JSON to judge.
    case("raw UTF-8", "event: é\ndata: 😀\n\n".encode(), [Frame("é", "😀".encode())]),
    case(
        "invalid UTF-8",
        b"event: \xe9\xf0\x9f\nid: \xff\ndata: \xe9\n\n",
        [Frame("\N{REPLACEMENT CHARACTER}" * 2, b"\xe9", "\N{REPLACEMENT CHARACTER}")],
    ),
    case("blank lines", b"\n\r\n\r\n\n\rdata: 1\n\n\n\n\r\rdata: 2\r\r\r\n\n\n", said(b"1", b"2")),
]

# What no blank line ends is no frame.
UNFINISHED: Final = [
    case("one line", b"data: 1\n\ndata: 2\n", said(b"1"), b"data: 2\n"),
    case("part of a line", b"data: 1\n\nevent: a\ndata: 2", said(b"1"), b"event: a\ndata: 2"),
    case("no line end", b"data: 2", [], b"data: 2"),
    case("CR", b"data: 1\r\rdata: 2\r", said(b"1"), b"data: 2\r"),
    case("CRLF", b"data: 1\r\n\r\n\r\ndata: 2\r\n", said(b"1"), b"data: 2\r\n"),
    case("a comment", b"data: 1\n\n\n: ping\n", said(b"1"), b": ping\n"),
    case("after BOM", BOM + b"data: 2", [], b"data: 2"),
    case("part of a BOM alone", BOM[:2], [], BOM[:2]),
]


@pytest.mark.parametrize(("body", "frames"), WHOLE)
def test_frames_are_read_as_the_standard_says(body: bytes, frames: list[Frame]) -> None:
    for chunks in cuts(body):
        assert read(chunks) == (frames, b""), chunks


@pytest.mark.parametrize(("body", "frames", "rest"), UNFINISHED)
def test_the_unfinished_rest_is_handed_back(body: bytes, frames: list[Frame], rest: bytes) -> None:
    for chunks in cuts(body):
        assert read(chunks) == (frames, rest), chunks


def test_a_cr_ends_its_line_at_once() -> None:
    decoder = FrameDecoder()
    fed = [b"data: 1\r\n\r", b"\n", b"data: 2\r", b"\r", b"", b"\ndata: 3\r\r"]
    assert [decoder.feed(chunk) for chunk in fed] == [
        said(b"1"),
        [],
        [],
        said(b"2"),
        [],
        said(b"3"),
    ]


def reference(body: bytes) -> list[Frame]:
    """Read a whole stream as the standard says, slowly and obviously."""
    frames = []
    event, data, retry, last_id = b"", list[bytes](), None, b""
    # What follows the last line end is no line.
    for line in re.split(rb"\r\n|\n|\r", body.removeprefix(BOM))[:-1]:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not line:
            if data:
                texts = [text.decode(errors="replace") for text in (event, last_id)]
                frames.append(Frame(texts[0] or "message", b"\n".join(data), texts[1], retry))
            event, data, retry = b"", [], None
        elif name == b"data":
            data.append(value)
        elif name == b"event":
            event = value
        elif name == b"id" and b"\0" not in value:
            last_id = value
        elif name == b"retry" and re.fullmatch(rb"[0-9]+", value):
            retry = int(value)
    return frames


PIECES: Final = [
    *b"data data: event event: id id: retry retry: : :: x 1 20 \0 \t".split(b" "),
    *(b" ", b"\n", b"\n\n", b"\r", b"\r\n", b"\r\n\r\n", b"\r\r", b"\n\r", b"data: 1\n\n"),
    *(BOM, BOM[:1], BOM[1:], b"\xff", "é".encode(), "\u2028".encode()),
]
CHUNKS: Final = st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join), max_size=12)


@given(CHUNKS)
def test_every_stream_gives_what_the_standard_says(chunks: list[bytes]) -> None:
    assert read(chunks)[0] == reference(b"".join(chunks))


@given(CHUNKS)
def test_no_cut_shows(chunks: list[bytes]) -> None:
    assert read(chunks) == read([b"".join(chunks)])


def httpx_sse_reads(body: bytes) -> list[Frame]:
    """Return the frames that httpx-sse reads, its lines split as the standard says."""
    decoder = SSEDecoder()
    lines = re.split(r"\r\n|\n|\r", body.decode())[:-1]
    events = [event for line in lines if (event := decoder.decode(line)) is not None]
    return [Frame(event.event, event.data.encode(), event.id, event.retry) for event in events]


VALUES: Final = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=5)
LINES: Final = st.tuples(
    st.sampled_from(["data:", "data: ", "event:", "event: ", ":", "x:", "", "\u2028"]), VALUES
).map("".join)
PLAIN_LINES: Final = LINES.filter(lambda line: line and not line.startswith("id"))


@st.composite
def plain_streams(draw: st.DrawFn) -> bytes:
    """Write streams on which httpx-sse keeps to the standard.

    It does not where there is an ``id``, or a frame that has fields but no data: it
    gives phantom events. Nor with a leading byte-order mark, or odd retries.
    """
    body = ""
    for _ in range(draw(st.integers(0, 5))):
        lines = draw(st.lists(PLAIN_LINES, max_size=4))
        lines += draw(st.sampled_from([[], ["retry: 5"], ["retry:12"]]))
        if any(line.startswith(("event", "retry")) for line in lines):
            lines.insert(draw(st.integers(0, len(lines))), "data: 1")
        ends = st.sampled_from(["\n", "\r\n", "\r"])
        body += "".join(line + draw(ends) for line in lines) + draw(
            st.sampled_from(["\n", "\r\n"])
        )
    return body.encode()


@given(plain_streams().filter(lambda body: not body.startswith(BOM)))
def test_httpx_sse_reads_the_same_where_it_keeps_to_the_standard(body: bytes) -> None:
    assert read([body])[0] == httpx_sse_reads(body)


FRAMES: Final = st.builds(
    Frame,
    event=VALUES.filter(bool),
    data=st.binary(max_size=20).filter(lambda data: b"\r" not in data),
    id=VALUES.filter(lambda value: "\0" not in value),
    retry=st.none() | st.integers(min_value=0),
)


@given(st.lists(FRAMES))
def test_what_is_encoded_is_read_again(frames: list[Frame]) -> None:
    expected: list[Frame] = []
    for frame in frames:
        # An id stays in force until another one comes.
        known = expected[-1].id if expected else ""
        expected.append(Frame(frame.event, frame.data, frame.id or known, frame.retry))
    assert read(map(encode_frame, frames)) == (expected, b"")


@pytest.mark.parametrize(
    ("frame", "written"),
    [
        (Frame("message", b"1\n2"), b"data: 1\ndata: 2\n\n"),
        (Frame("a", b""), b"event: a\ndata: \n\n"),
        (Frame("é", b" \n", "7", 0), "event: é\nid: 7\nretry: 0\ndata:  \ndata: \n\n".encode()),
    ],
)
def test_frames_are_written_as_servers_write_them(frame: Frame, written: bytes) -> None:
    assert encode_frame(frame) == written


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        pytest.param(Frame("a\nb", b""), "name cannot hold a line break", id="LF in a name"),
        pytest.param(Frame("a\rb", b""), "name cannot hold a line break", id="CR in a name"),
        pytest.param(Frame("a", b"", "1\n"), "id cannot hold a line break", id="LF in an id"),
        pytest.param(Frame("a", b"", "\r"), "id cannot hold a line break", id="CR in an id"),
        pytest.param(Frame("a", b"", "1\0"), "id cannot hold a line break or NUL", id="NUL"),
        pytest.param(Frame("a", b"1\r\n2"), "data cannot hold a CR", id="CR in data"),
        pytest.param(Frame("a", b"", "", -1), "milliseconds, not -1", id="negative retry"),
        pytest.param(Frame("\ud83d", b""), "surrogate", id="lone surrogate in a name"),
        pytest.param(Frame("a", b"", "\udc00"), "surrogate", id="lone surrogate in an id"),
    ],
)
def test_what_cannot_be_encoded_is_refused(frame: Frame, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        encode_frame(frame)


def read_limited(chunks: Iterable[bytes]) -> tuple[list[Frame], bytes | str]:
    """Return the frames, and the rest or what was raised instead, the limit being 16 bytes."""
    decoder = FrameDecoder(max_frame_bytes=16)
    frames: list[Frame] = []
    try:
        for chunk in chunks:
            frames += decoder.feed(chunk)
        return frames, decoder.finish()
    except LimitError as error:
        with pytest.raises(LimitError):
            decoder.feed(b"data: more\n\n")
        return frames, str(error).partition(" bytes;")[0]


LONG: Final = b"data: 1234567890"  # 16 bytes


@pytest.mark.parametrize(
    ("body", "frames", "rest"),
    [
        case("the limit", LONG + b"\n\n" + LONG + b"\n\n", said(LONG[6:], LONG[6:]), b""),
        case(
            "the limit, CRLF", LONG + b"\r\n\r\n" + LONG + b"\r\n", said(LONG[6:]), LONG + b"\r\n"
        ),
        case("the limit, late", LONG + b"\n\n\n" + LONG + b"\n\n", said(LONG[6:], LONG[6:]), b""),
        case("more", LONG + b"1\n\n", [], "the frame at byte 0 is longer than 16"),
        case("more after CRLF", LONG + b"1\r\n\r\n", [], "the frame at byte 0 is longer than 16"),
        case("unfinished", LONG + b"1", [], "the frame at byte 0 is longer than 16"),
        case("several lines", b"data: 1\n:\n" * 2, [], "the frame at byte 0 is longer than 16"),
        case(
            "many times the limit",
            b"data: 1\n\n" + LONG * 9 + b"\n\ndata: 2\n\n",
            said(b"1"),
            "the frame at byte 9 is longer than 16",
        ),
        case(
            "in between",
            b"data: 1\n\ndata: 2\n\n" + LONG + b"1\n\ndata: 3\n\ndata: 4\n\n",
            said(b"1", b"2"),
            "the frame at byte 18 is longer than 16",
        ),
        case(
            "after BOM and blank lines",
            BOM + b"\r\n\ndata: 1\n\n\n\n\n" + LONG + b"1\n\ndata: 3\n\n",
            said(b"1"),
            "the frame at byte 18 is longer than 16",
        ),
        case(
            "blank lines count for nothing", b"\n" * 50 + b"data: 1\n\n" * 9, said(b"1") * 9, b""
        ),
    ],
)
def test_a_frame_over_the_limit_is_refused(
    body: bytes, frames: list[Frame], rest: bytes | str
) -> None:
    for chunks in cuts(body):
        assert read_limited(chunks) == (frames, rest), chunks


@given(CHUNKS)
def test_no_cut_shows_at_the_limit(chunks: list[bytes]) -> None:
    assert read_limited(chunks) == read_limited([b"".join(chunks)])


@pytest.mark.parametrize("piece", [b"a", b"data: a\n", b"data: a\r\n", b"\n", b"\r\n", b":\n\n"])
def test_what_is_fed_is_not_piled_up(piece: bytes) -> None:
    decoder = FrameDecoder(max_frame_bytes=100_000)
    chunk = piece * (50_000 // len(piece))
    refused = 0
    tracemalloc.start()
    for _ in range(30):  # 1.5 million bytes
        try:
            assert decoder.feed(chunk) == []
        except LimitError:
            refused += 1
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 250_000
    assert refused == (28 if b"a" in piece else 0)


@pytest.mark.parametrize("line", [b"12345678", b"data: 1\n", b"data:1\r\n", b"data: 1\r"])
def test_a_chunk_costs_its_own_length_only(line: bytes) -> None:
    """A long frame in many chunks: no chunk may copy what came before it."""
    decoder = FrameDecoder()
    chunk = line * 8
    allocated = 0
    tracemalloc.start()
    for _ in range(4000):
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        decoder.feed(chunk)
        _, peak = tracemalloc.get_traced_memory()
        allocated += peak - before
    tracemalloc.stop()
    # A kilobyte or two a chunk. Copying what is held each time would take 500 million.
    assert allocated < 10_000_000
    assert decoder.finish() == chunk * 4000


@pytest.mark.parametrize(
    ("body", "starts"),
    [
        case("LF", b"data: 1\n\ndata: 2\n: x\n\ndata: 3\n\n", [0, 9, 22]),
        case("CRLF", b"data: 1\r\n\r\ndata: 2\r\n\r\ndata: 3\r\n\r\n", [0, 11, 22]),
        case("CR", b"data: 1\r\rdata: 2\r\rdata: 3\r\r", [0, 9, 18]),
        case("mixed", b"data: 1\n\r\ndata: 2\r\n\rdata: 3\r\r\nx", [0, 10, 20]),
        case("BOM", BOM + b"data: 1\n\ndata: 2\n\n", [3, 12]),
        case("BOM and CRLF", BOM + b"data: 1\r\n\r\ndata: 2\r\n\r\n", [3, 14]),
        case("LF in excess", b"\n\n\ndata: 1\n\n\ndata: 2\n\n\n\n\ndata: 3\n\n", [3, 13, 25]),
        case("CRLF in excess", b"\r\ndata: 1\r\n\r\n\r\ndata: 2\r\n\r\n", [2, 15]),
        case("CR in excess", b"\rdata: 1\r\r\rdata: 2\r\r", [1, 11]),
    ],
)
def test_a_block_knows_where_it_began(body: bytes, starts: list[int]) -> None:
    for chunks in cuts(body):
        blocks = Blocks(1000)
        found = [
            (blocks.start_of(position), block.strip(b"\r\n"))
            for chunk in chunks
            for position, block in enumerate(blocks.cut(chunk))
            if block.strip(b"\r\n")
        ]
        assert [start for start, _ in found] == starts, chunks
        assert all(body.startswith(block, start) for start, block in found), chunks
