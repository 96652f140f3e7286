"""Rewriters, held against what they do to decoded frames: on real bodies, and on odd ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit import DecodeError, FrameDecoder, accumulate
from streamkit.testing.faults import (
    Corrupt,
    Crlf,
    Cut,
    Drop,
    Duplicate,
    Fault,
    Keepalives,
    Reorder,
    Rewrite,
    Split,
    rewriters,
)
from streamkit.testing.faults.rewriting import Rewriter, spoiled
from streamkit.testing.framing import Framing, frame_ends, pieces_of
from tests.cutting import cuts
from tests.recorded import STREAMS, on_every_stream

Said = tuple[str, bytes]


def through(rewriter: Rewriter, chunks: Sequence[bytes]) -> list[bytes]:
    return [*(each for chunk in chunks for each in rewriter.feed(chunk)), *rewriter.finish()]


def rewritten(body: bytes, *faults: Fault) -> bytes:
    return b"".join(through(rewriters(faults, 0), [body]))


def said(body: bytes) -> list[Said]:
    """Read the frames that are finished."""
    return [(frame.event, frame.data) for frame in FrameDecoder().feed(body)]


# What each does, said slowly


def dropped(frames: list[Said], drawn: set[int]) -> list[Said]:
    return [frame for rank, frame in enumerate(frames) if rank not in drawn]


def doubled(frames: list[Said], drawn: set[int]) -> list[Said]:
    return [frame for rank, frame in enumerate(frames) for _ in range(1 + (rank in drawn))]


def swapped(frames: list[Said], drawn: set[int]) -> list[Said]:
    frames, rank = [*frames], 0
    while rank < len(frames) - 1:
        if rank in drawn:
            frames[rank], frames[rank + 1] = frames[rank + 1], frames[rank]
            rank += 1
        rank += 1
    return frames


ORACLES: Final[dict[type[Rewrite], Callable[[list[Said], set[int]], list[Said]]]] = {
    Drop: dropped,
    Duplicate: doubled,
    Reorder: swapped,
}
CHOICES: Final = [(0,), (1,), (0, 1), (0, 1, 2), (2, 4, 5), (3, 10**6), (10**6,)]


@on_every_stream()
@pytest.mark.parametrize("kind", ORACLES)
@pytest.mark.parametrize("frames", CHOICES)
def test_of_frames_that_were_chosen(
    name: str, kind: type[Rewrite], frames: tuple[int, ...]
) -> None:
    for body in STREAMS[name]:
        fault = kind(frames=frames)  # type: ignore[call-arg]
        assert said(rewritten(body, fault)) == ORACLES[kind](said(body), set(frames))


@pytest.mark.parametrize("kind", ORACLES)
def test_of_frames_that_are_drawn(kind: type[Rewrite]) -> None:
    body = b"".join(b"event: e%d\ndata: {}\n\n" % rank for rank in range(400))
    frames = said(body)
    found = set()
    for seed in range(20):
        fault = kind(share=0.3, seed=seed)  # type: ignore[call-arg]
        drawn = {rank for rank, is_it in zip(range(400), fault._chosen(), strict=False) if is_it}  # type: ignore[attr-defined]
        assert 60 < len(drawn) < 180
        assert said(rewritten(body, fault)) == ORACLES[kind](frames, drawn)
        found.add(frozenset(drawn))
    assert len(found) == 20


@pytest.mark.parametrize(
    ("share", "kind", "left"), [(0, Drop, 9), (1, Drop, 0), (0, Duplicate, 9), (1, Duplicate, 18)]
)
def test_none_and_all(share: float, kind: type[Rewrite], left: int) -> None:
    body = b"data: {}\n\n" * 9
    assert len(said(rewritten(body, kind(share=share)))) == left  # type: ignore[call-arg]


def test_the_draws_of_two_faults_do_not_go_together() -> None:
    first, second = (
        [is_it for _, is_it in zip(range(60), kind(share=0.5)._chosen(), strict=False)]
        for kind in (Drop, Duplicate)
    )
    assert first != second


# Spoiled frames


@on_every_stream()
@pytest.mark.parametrize("seed", range(3))
def test_each_spoiled_frame_is_no_json_and_ends_where_it_did(name: str, seed: int) -> None:
    for body in STREAMS[name]:
        frames = said(rewritten(body, Corrupt(share=1, seed=seed)))
        assert [event for event, _ in frames] == [event for event, _ in said(body)]
        for (_, data), (_, was) in zip(frames, said(body), strict=True):
            if was.startswith(b"{"):
                with pytest.raises(ValueError, match=r".+"):
                    json.loads(data.decode(errors="replace"))
            else:
                assert data == was


@given(
    st.recursive(
        st.none() | st.integers() | st.text(st.sampled_from('a"{}[]\\:,\n'), max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text('a{}"', max_size=3), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from([None, 1]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_any_object_can_be_spoiled(
    value: object, draw: float, indent: int | None, end: str
) -> None:
    lines = json.dumps({"x": value} if value else {}, indent=indent).split("\n")
    frame = "".join(["event: e", end, *(f"data: {line}{end}" for line in lines), end]).encode()
    ((event, data),) = said(spoiled(frame, draw) + b"\n")
    assert event == "e"
    with pytest.raises(ValueError, match=r".+"):
        json.loads(data)
    assert re.findall(rb"[\r\n]+", spoiled(frame, draw)) == re.findall(rb"[\r\n]+", frame)


@pytest.mark.parametrize("seed", range(12))
def test_a_fold_says_where_it_is_spoiled(seed: int) -> None:
    body = STREAMS["report"][0]
    with pytest.raises(DecodeError) as spoilt:
        accumulate(rewritten(body, Corrupt(frames=(7,), seed=seed)))
    whole = sum(len(piece.data) for piece in pieces_of(body)[:7])
    assert spoilt.value.offset == whole
    before = accumulate(body[:whole], allow_partial=True)
    assert spoilt.value.snapshot == msgspec.structs.replace(before, outcome="open")


def test_an_object_without_a_key_can_be_spoiled() -> None:
    ways = {spoiled(b"data: {}\n\n", draw / 30) for draw in range(30)}
    assert ways == {b"data: {\n\n", b"data: {\0\n\n"}


def test_spoiled_in_more_ways_than_one() -> None:
    body = b'data: {"id":"step_1"}\n\n' * 9
    assert len(set(said(rewritten(body, Corrupt(share=1))))) > 3
    assert len({rewritten(body, Corrupt(frames=(0,), seed=seed)) for seed in range(30)}) > 3
    frame = b'data: {"id":"step_1","object":"thread.run.step"}\n\n'
    ways = {spoiled(frame, draw / 30) for draw in range(30)}
    assert frame[:-3] + b"\n\n" in ways
    assert frame.replace(b'"', b"\0", 1) in ways
    assert len(ways) > 8


# Bytes


@on_every_stream()
def test_crlf(name: str) -> None:
    for body in STREAMS[name]:
        sent = rewritten(body, Crlf())
        assert sent == re.sub(rb"\r\n|\r|\n", b"\r\n", body)
        assert said(sent) == said(body)


@on_every_stream()
@pytest.mark.parametrize("every", [1, 2, 5])
def test_keepalives(name: str, every: int) -> None:
    for body in STREAMS[name]:
        sent = rewritten(body, Keepalives(every=every))
        assert said(sent) == said(body)
        assert sent.replace(b": keepalive\n\n", b"") == body
        assert sent.count(b": keepalive\n\n") == len(said(body)[::every])


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_split(size: int) -> None:
    chunks = [b"", b"abcde", b"f", b"ghij"]
    sent = through(rewriters([Split(size=size)], 0), chunks)
    assert b"".join(sent) == b"abcdefghij"
    assert max(map(len, sent)) == min(size, 5)
    assert b"" not in sent
    assert len(sent) == {1: 10, 3: 5, 1000: 3}[size]


# However it is cut

FAULTS: Final[Sequence[list[Rewrite]]] = (
    [],
    [Drop(frames=(0, 3))],
    [Drop(share=0.4)],
    [Duplicate(share=0.4)],
    [Reorder(share=0.4)],
    [Reorder(frames=(0, 1, 4))],
    [Corrupt(share=0.7)],
    [Crlf()],
    [Keepalives(every=2)],
    [Split(size=2)],
    [Drop(share=0.2), Duplicate(share=0.3), Reorder(share=0.3), Corrupt(share=0.2)],
    [Keepalives(), Crlf(), Drop(share=0.3), Split(size=3), Reorder(share=0.5)],
)
LINES: Final = st.lists(
    st.tuples(
        st.sampled_from(
            [
                b"",
                b"",
                b"",
                b"data: {}",
                b'data: {"a":"}"}',
                b"data",
                b"event: e",
                b": c",
                b"id: 1",
                b"x",
            ]
        ),
        st.sampled_from([b"\n", b"\r\n", b"\r"]),
    ),
    max_size=24,
)
BODIES: Final = st.builds(
    lambda bom, lines, tail: bom + b"".join(line + end for line, end in lines) + tail,
    st.sampled_from([b"", b"\xef\xbb\xbf", b"\xef\xbb", b"\n", b" "]),
    LINES,
    st.sampled_from([b"", b"\n", b"\r", b"data: {", b"dat"]),
) | st.lists(st.sampled_from([b'{"event":"e"}\n', b"\n", b"{}\r\n", b"{"]), max_size=9).map(
    b"".join
)


@st.composite
def cut_somewhere(draw: st.DrawFn) -> list[bytes]:
    body = draw(BODIES)
    places = sorted(draw(st.lists(st.integers(0, len(body)), max_size=9)))
    return [body[a:b] for a, b in zip([0, *places], [*places, len(body)], strict=True)]


@given(cut_somewhere(), st.sampled_from(FAULTS))
def test_the_bytes_do_not_depend_on_the_chunks(chunks: list[bytes], faults: list[Rewrite]) -> None:
    body = b"".join(chunks)
    sent = through(rewriters(faults, 0), chunks)
    assert b"".join(sent) == rewritten(body, *faults)
    assert b"".join(through(rewriters(faults, 0), [bytes([each]) for each in body])) == b"".join(
        sent
    )


@pytest.mark.parametrize(
    ("body", "ends"),
    [
        (b"", [0]),
        (b"\n", [0, 1]),
        (b": c\n\n", [0, 5]),
        (b"data\n\n", [0, 6]),
        (b"data: 1\n\ndata: 2\r\n\r\ndata: 3\r\rdata: 4\n\r\n", [0, 9, 20, 29, 39]),
        (b": a\n\ndata: 1\n\n: b\n\nid: 3\n\ndata: 2\n\n: c\n\n\n", [0, 14, 41]),
        (b"data: 1\n\n: c", [0, 12]),
        (b"data: 1\n\ndata", [0, 9, 13]),
        (b"event: e", [0, 8]),
        (b"\xef\xbb\xbfdata: 1\n\ndata: 2\n\n", [0, 12, 21]),
        (b'{"a":1}\n\n\n{"b":2}\r\n{"c', [0, 8, 19, 22]),
        (b'{"a":1}\n\n', [0, 9]),
    ],
)
def test_where_frames_end(body: bytes, ends: list[int]) -> None:
    assert frame_ends(body) == ends


@given(cut_somewhere())
def test_pieces_are_the_body_and_its_frames(chunks: list[bytes]) -> None:
    body = b"".join(chunks)
    framing = Framing()
    pieces = [piece for chunk in chunks for piece in framing.feed(chunk)]
    finished = len(pieces)
    pieces += framing.finish()
    assert pieces == pieces_of(body)
    assert b"".join(piece.data for piece in pieces) == body
    if not body.strip(b"\n\r ").startswith(b"{") and not body.endswith(b"\r"):
        whole = b"".join(piece.data for piece in pieces[:finished])
        assert (
            sum(piece.is_frame for piece in pieces[:finished])
            == len(said(whole))
            == len(said(body))
        )


@given(BODIES, st.sampled_from([*ORACLES]), st.integers(0, 9))
def test_odd_bodies(body: bytes, kind: type[Rewrite], seed: int) -> None:
    if body.strip(b"\n\r ").startswith(b"{") or body.endswith(b"\r"):
        return
    fault = kind(share=0.4, seed=seed)  # type: ignore[call-arg]
    drawn = {rank for rank, is_it in zip(range(99), fault._chosen(), strict=False) if is_it}  # type: ignore[attr-defined]
    assert said(rewritten(body, fault)) == ORACLES[kind](said(body), drawn)


@given(BODIES, st.sampled_from([Crlf(), Keepalives(), Split(), Drop(share=0), Corrupt(share=0)]))
def test_what_changes_no_frame(body: bytes, fault: Rewrite) -> None:
    if not body.endswith(b"\r"):
        assert accumulates(rewritten(body, fault)) == accumulates(body)


def accumulates(body: bytes) -> object:
    try:
        return accumulate(body, allow_partial=True)
    except DecodeError as error:
        return error.snapshot


@pytest.mark.parametrize("name", ["crlf", "litellm", "cut", "three-legs"])
@pytest.mark.parametrize("faults", FAULTS, ids=lambda faults: "+".join(map(str, faults)))
def test_real_bodies_in_every_cut(name: str, faults: list[Rewrite]) -> None:
    body = STREAMS[name][0][-2500:]
    sent = rewritten(body, *faults)
    for chunks in cuts(body):
        assert b"".join(through(rewriters(faults, 0), chunks)) == sent


@pytest.mark.parametrize("start", [b"", b"\n", b"\xef\xbb\xbf", b"\r\n\xef\xbb\xbf"])
def test_a_byte_order_mark_stays_in_its_place(start: bytes) -> None:
    first, second = b"data: 0\n\n", b"data\n\n"
    for chunks in cuts(start + first + second):
        sent = through(rewriters([Reorder(frames=(0,))], 0), chunks)
        assert b"".join(sent) == start + second + first


# Together


def test_in_the_order_given() -> None:
    body = b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    drop, double = Drop(frames=(0,)), Duplicate(frames=(0,))
    assert [data for _, data in said(rewritten(body, drop, double))] == [b"1", b"1", b"2"]
    assert [data for _, data in said(rewritten(body, double, drop))] == [b"0", b"1", b"2"]
    late = rewritten(body, Reorder(frames=(2,)), Crlf(), Keepalives(every=2))
    assert late == b": keepalive\n\ndata: 0\r\n\r\ndata: 1\r\n\r\n: keepalive\n\ndata: 2\r\n\r\n"
    assert rewritten(body, Crlf(), Keepalives()).count(b": keepalive\n\n") == 3
    assert rewritten(body, Keepalives(), Crlf()).count(b": keepalive\r\n\r\n") == 3


def test_of_the_leg_that_they_are_for() -> None:
    body = b"data: 0\n\ndata: 1\n\n"
    faults: list[Fault] = [Drop(frames=(0,)), Drop(frames=(0,), leg=1), Cut(frames=1)]
    assert [len(through(rewriters(faults, leg), [body])) for leg in range(3)] == [1, 1, 1]
    assert [b"".join(through(rewriters(faults, leg), [body])) for leg in range(3)] == [
        b"data: 1\n\n",
        b"data: 1\n\n",
        body,
    ]
    every = Drop(frames=(0,), leg=None)
    assert [b"".join(through(rewriters([every], leg), [body])) for leg in (0, 7)] == [
        b"data: 1\n\n"
    ] * 2


def test_lines_of_json() -> None:
    body = b'{"event":"a","data":{}}\n\n{"event":"b","data":{}}\r\n{"event":"c","data":{}}'
    assert rewritten(body, Drop(frames=(1,))) == body.replace(b'{"event":"b","data":{}}\r\n', b"")
    assert rewritten(body, Keepalives()).count(b"\n") == body.count(b"\n") + 2
    first = rewritten(body, Corrupt(frames=(0,))).split(b"\n")[0]
    with pytest.raises(ValueError, match=r".+"):
        json.loads(first)


@pytest.mark.parametrize(
    "fault", [Drop(frames=(9,)), Corrupt(frames=(9,)), Crlf(), Split(size=99)]
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_what_can_go_on_is_not_held_back(fault: Rewrite, end: bytes) -> None:
    frame = b"event: e" + end + b"data: {}" + end + end
    rewriter = rewriters([fault], 0)
    for _ in range(3):
        assert len(said(b"".join(rewriter.feed(frame)))) == 1
    assert rewriter.finish() == []


def test_what_changes_places_is_held_back() -> None:
    first, second, third = (b"data: %d\n\n" % rank for rank in range(3))
    rewriter = rewriters([Reorder(frames=(1,))], 0)
    assert rewriter.feed(first) == [first]
    assert rewriter.feed(second) == []
    assert rewriter.feed(b": c\n\n") == [b": c\n\n"]
    assert rewriter.feed(third) == [third, second]
    late = rewriters([Reorder(frames=(0,))], 0)
    assert [late.feed(first + b"data"), late.finish()] == [[], [first, b"data"]]
