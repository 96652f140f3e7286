"""A stream tells a source in its time and with its faults, and a fold says what came of it."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit import (
    DecodeError,
    Frame,
    FrameDecoder,
    PeerError,
    RunSnapshot,
    ServerError,
    TruncatedError,
    UsageError,
    aaccumulate,
    accumulate,
    follow,
)
from streamkit.recording import BrokenOff, Chunk, Leg, Recording, replay
from streamkit.testing.delivering import Delivering, delivered
from streamkit.testing.faults import (
    Corrupt,
    Crlf,
    Cut,
    Drop,
    Duplicate,
    ErrorEvent,
    Fault,
    Keepalives,
    Reorder,
    Split,
    Stall,
    Status,
    error_frame,
    rewriters,
    stop_of,
)
from streamkit.testing.framing import frame_ends
from streamkit.testing.streams import Stream
from tests.clocks import Clock
from tests.own import OWN
from tests.recorded import ODD, STREAMS, on_every_stream

REPORT: Final = OWN["report"][0]
THREE: Final = OWN["three-legs"]


def body(stream: Stream) -> bytes:
    """Read a stream as far as it goes."""
    told = b""
    try:
        for chunk in stream:
            told += chunk
    except BrokenOff:
        pass
    return told


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


async def apieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for piece in pieces(data, size):
        yield piece


# Without faults


@on_every_stream(but=[ODD])
def test_a_stream_is_its_source(name: str) -> None:
    stream = Stream(STREAMS[name])
    assert body(stream) == b"".join(STREAMS[name]) == body(stream)
    assert body(Stream(pieces(b"".join(STREAMS[name]), 100))) == body(stream)
    said = accumulate(b"".join(STREAMS[name]), allow_partial=True)
    assert stream.snapshot == said
    assert stream.snapshot is stream.snapshot
    assert stream.recording.body == b"".join(STREAMS[name])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_both_ways(backend: str) -> None:
    stream = Stream(THREE, faults=[Keepalives(leg=None)])

    async def read() -> RunSnapshot:
        return await aaccumulate(stream)

    assert anyio.run(read, backend=backend) == accumulate(stream) == stream.snapshot


# What a fold makes of each fault


def fold(*faults: Fault, source: Any = REPORT) -> RunSnapshot:
    return accumulate(Stream(source, faults=faults))


ENDS: Final = frame_ends(REPORT)


@pytest.mark.parametrize("how", ["end", "abort"])
@pytest.mark.parametrize("inside", [True, False])
def test_cut(how: Any, *, inside: bool) -> None:
    with pytest.raises(TruncatedError) as cut:
        fold(Cut(frames=9, how=how, inside=inside))
    assert cut.value.snapshot == accumulate(REPORT[: ENDS[9]], allow_partial=True)
    assert isinstance(cut.value.__cause__, BrokenOff if how == "abort" else type(None))
    assert isinstance(cut.value.__cause__, OSError | None)


def test_cut_after_bytes() -> None:
    assert body(Stream(REPORT, faults=[Cut(bytes=1000)])) == REPORT[:1000]
    assert body(Stream(REPORT, faults=[Cut(bytes=0)])) == b""
    assert body(Stream(REPORT, faults=[Cut(bytes=10**9)])) == REPORT


def test_an_error_event() -> None:
    with pytest.raises(ServerError) as failed:
        fold(ErrorEvent(frames=9, message="No.", code="nope"))
    assert failed.value.error is not None
    assert (failed.value.error.message, failed.value.error.code) == ("No.", "nope")
    before = accumulate(REPORT[: ENDS[9]], allow_partial=True)
    assert failed.value.snapshot is not None
    assert failed.value.snapshot.steps == before.steps
    for frames in (0, 9):
        error = ErrorEvent(frames=frames)
        told = REPORT[: ENDS[frames]] + error_frame(error)
        assert body(Stream(REPORT, faults=[error])) == told
        assert body(Stream(iter([REPORT]), faults=[error])) == told


@pytest.mark.parametrize("name", ["report", "crlf", "litellm", "cut", "three-legs"])
@pytest.mark.parametrize("place", [{}, {"frames": 0}, {"frames": 10**6}, {"bytes": 700}])
@pytest.mark.parametrize("others", [[], [Crlf()], [Split(size=7)], [Reorder()]])
def test_an_error_event_is_a_frame_of_its_own(
    name: str, place: dict[str, int], others: list[Fault]
) -> None:
    error = ErrorEvent(**place)  # type: ignore[arg-type]
    for source in (OWN[name][0], iter([OWN[name][0]])):
        told = body(Stream(source, faults=[error, *others]))
        (frame,) = FrameDecoder().feed(error_frame(error))
        last = FrameDecoder().feed(told)[-1]
        assert (last.event, last.data) == (frame.event, frame.data)
        assert told.endswith(error_frame(error))


def test_an_error_event_in_lines_of_json() -> None:
    line = b'{"event":"thread.run.created","data":{"id":"run_1","object":"thread.run"}}'
    for frames, before in ((0, b""), (1, line + b"\n"), (9, line + b"\n" + line + b"\n\n")):
        error = ErrorEvent(frames=frames)
        said = error_frame(error, as_json_line=True)
        for source in (line + b"\n" + line, iter([line + b"\n" + line])):
            assert body(Stream(source, faults=[error])) == before + said
        with pytest.raises(ServerError, match="server_error"):
            accumulate(Stream(line + b"\n" + line, faults=[error]))


def test_corrupt() -> None:
    for seed in range(9):
        with pytest.raises(DecodeError) as spoilt:
            fold(Corrupt(frames=(12,), seed=seed))
        assert spoilt.value.offset == ENDS[12]


@pytest.mark.parametrize(
    "fault",
    [
        Split(),
        Crlf(),
        Keepalives(),
        Keepalives(every=3),
        Stall(frames=9, seconds=0),
        Drop(share=0),
        Drop(frames=(10**6,)),
        Duplicate(share=0),
        Cut(frames=10**6),
        Cut(leg=5),
        ErrorEvent(leg=5),
    ],
)
def test_what_changes_nothing(fault: Fault) -> None:
    assert fold(fault) == accumulate(REPORT)
    assert fold(fault, source=pieces(REPORT, 333)) == accumulate(REPORT)


@pytest.mark.parametrize("kind", [Drop, Duplicate, Reorder])
def test_what_contradicts_itself_is_reported(kind: Callable[..., Fault]) -> None:
    found = set[str]()
    for seed in range(9):
        stream = Stream(REPORT, faults=[kind(share=0.3, seed=seed)])
        snapshot = accumulate(stream, allow_partial=True)
        found |= {problem.kind for problem in snapshot.problems}
    assert "content_differs" in found


# Together

PLACES: Final = [
    *(
        Cut(frames=n, inside=i, how=h)
        for n in (0, 3, 50)
        for i in (True, False)
        for h in ("end", "abort")
    ),
    Cut(bytes=777),
    ErrorEvent(frames=5),
    ErrorEvent(bytes=999),
    Stall(frames=2, seconds=5),
    Stall(frames=4),
]
REWRITES: Final = [
    Drop(share=0.2),
    Duplicate(share=0.2),
    Reorder(share=0.2),
    Corrupt(share=0.2),
    Split(size=9),
    Crlf(),
    Keepalives(every=2),
]


def slowly(data: bytes, faults: Sequence[Fault], leg: int = 0) -> bytes:
    """Say what is sent of a leg: what was before its stop, rewritten; and an error."""
    ending = [each for each in faults if not (isinstance(each, Stall) and each.seconds < math.inf)]
    place, stop = stop_of(ending, leg, frame_ends(data))
    rewriter = rewriters(faults, leg)
    sent = b"".join([*rewriter.feed(data[:place]), *rewriter.finish()])
    return sent + (error_frame(stop) if isinstance(stop, ErrorEvent) else b"")


SOME_FAULTS: Final = st.lists(st.sampled_from([*PLACES, *REWRITES]), max_size=5)


@given(SOME_FAULTS, st.sampled_from(["report", "crlf", "emoji"]), st.integers(1, 5000))
def test_any_faults_on_any_source(faults: list[Fault], name: str, size: int) -> None:
    data = OWN[name][0][:20_000]
    clock = Clock()
    expected = slowly(data, faults)
    assert body(Stream(data, faults=faults, sleep=clock.sleep)) == expected
    assert body(Stream(pieces(data, size), faults=faults, sleep=clock.sleep)) == expected
    chunked = Recording(legs=[Leg(chunks=[Chunk(each, 0.0) for each in pieces(data, size)])])
    assert body(Stream(chunked, faults=faults, sleep=clock.sleep)) == expected


@given(SOME_FAULTS, st.lists(st.integers(0, 3000), max_size=9))
def test_a_leg_is_delivered_alike_however_it_comes(faults: list[Fault], places: list[int]) -> None:
    data = OWN["crlf"][0][:3000]
    cuts = sorted(places)
    whole = Delivering(faults, 0, data)
    moments = [*whole.feed(data), *whole.finish()]
    other = Delivering(faults, 0, data)
    told: list[Any] = []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        told += other.feed(data[start:end])
    told += other.finish()
    assert merged(told) == merged(moments)


def merged(moments: Sequence[Any]) -> list[Any]:
    """Join what comes between the stops."""
    told: list[Any] = [b""]
    for moment in moments:
        if isinstance(moment, bytes):
            told[-1] += moment
        else:
            told += [moment, b""]
    return told


def test_seeds() -> None:
    def told(seed: int) -> bytes:
        faults = [Cut(seed=seed), Drop(share=0.3, seed=seed), Corrupt(share=0.1, seed=seed)]
        return body(Stream(REPORT, faults=faults))

    assert [told(seed) for seed in range(20)] == [told(seed) for seed in range(20)]
    assert len({told(seed) for seed in range(20)}) > 15


def test_the_place_of_a_stop_does_not_depend_on_other_faults() -> None:
    drop = Drop(frames=(0, 1, 2))
    assert body(Stream(REPORT, faults=[drop, Cut(frames=9)])) == REPORT[ENDS[3] : ENDS[9]]
    assert body(Stream(REPORT, faults=[Cut(frames=9), drop])) == REPORT[ENDS[3] : ENDS[9]]
    keep = [Keepalives(), Cut(bytes=1000)]
    assert body(Stream(REPORT, faults=keep)).replace(b": keepalive\n\n", b"") == REPORT[:1000]


# Legs


@pytest.mark.parametrize("size", [None, 99, 10**6])
def test_the_leg_that_is_meant(size: int | None) -> None:
    for leg in range(3):
        source: Any = pieces(b"".join(THREE), size) if size else THREE
        told = body(Stream(source, faults=[Cut(frames=4, leg=leg)]))
        ends = frame_ends(THREE[leg])
        assert told == b"".join(THREE[:leg]) + THREE[leg][: ends[4]]


@pytest.mark.parametrize("live", [True, False])
def test_every_leg(*, live: bool) -> None:
    source: Any = pieces(b"".join(THREE), 99) if live else THREE
    told = body(Stream(source, faults=[Drop(frames=(0, 2), leg=None), Drop(frames=(5,), leg=1)]))
    expected = b""
    for number, leg in enumerate(THREE):
        frames = [leg[start:end] for start, end in pairwise(frame_ends(leg))]
        left = {0, 2, 7} if number == 1 else {0, 2}
        expected += b"".join(frame for rank, frame in enumerate(frames) if rank not in left)
    assert told == expected


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("fault", [Cut(leg=1, how="abort"), ErrorEvent(leg=1), Stall(leg=1)])
def test_a_leg_that_is_not_there_has_no_faults(fault: Fault, *, live: bool) -> None:
    source: Any = iter([REPORT]) if live else REPORT
    assert b"".join(Stream(source, faults=[fault], sleep=Clock().sleep)) == REPORT


# Time


def at(stream: Callable[..., Stream], work: float = 0.0) -> list[tuple[bytes, float]]:
    clock = Clock()
    told = []
    for chunk in stream(clock=clock, sleep=clock.sleep):
        told.append((chunk, clock.now))
        clock.now += work
    return told


FRAMES: Final = [b"data: %d\n\n" % rank for rank in range(6)]
TIMED: Final = Recording(
    legs=[
        Leg(chunks=[Chunk(each, 1.0) for each in FRAMES[:3]], after=2.0, end_after=4.0),
        Leg(chunks=[Chunk(each, 10.0) for each in FRAMES[3:]], after=3.0),
    ],
    form="timed",
)


@pytest.mark.parametrize(
    ("options", "times"),
    [
        ({}, [0, 0, 0, 0, 0, 0]),
        ({"speed": 1}, [3, 4, 5, 22, 32, 42]),
        ({"speed": 2}, [1.5, 2, 2.5, 11, 16, 21]),
        ({"speed": 1, "max_gap": 1}, [2, 3, 4, 7, 8, 9]),
        ({"speed": 1, "faults": [Stall(frames=1, seconds=100)]}, [3, 104, 105, 122, 132, 142]),
        ({"faults": [Stall(frames=1, seconds=100)]}, [0, 100, 100, 100, 100, 100]),
        (
            {
                "speed": 1,
                "faults": [Stall(frames=1, seconds=9), Stall(frames=2, seconds=9, leg=1)],
            },
            [3, 13, 14, 31, 41, 60],
        ),
    ],
)
def test_in_its_time(options: dict[str, Any], times: list[float]) -> None:
    told = at(lambda **clock: Stream(TIMED, **clock, **options))
    assert told == list(zip(FRAMES, times, strict=True))


def test_lateness_does_not_add_up() -> None:
    told = at(lambda **clock: Stream(TIMED, speed=1, **clock), work=0.5)
    assert [now for _, now in told] == [3, 4, 5, 22, 32, 42]


def test_a_gap() -> None:
    told = at(lambda **clock: Stream(FRAMES[:1] * 3, speed=1, gap=0.25, **clock))
    assert [now for _, now in told] == [0.25, 0.5, 0.75]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("awaited", [True, False])
def test_in_its_time_asynchronously(backend: str, *, awaited: bool) -> None:
    clock = Clock()
    sleep: Any = clock.asleep if awaited else clock.sleep
    stream = Stream(TIMED, speed=1, clock=clock, sleep=sleep)

    async def told() -> list[tuple[bytes, float]]:
        return [(chunk, clock.now) async for chunk in stream]

    assert anyio.run(told, backend=backend) == at(lambda **own: Stream(TIMED, speed=1, **own))


def test_what_is_held_back_comes_in_the_time_of_the_next() -> None:
    (leg, _) = TIMED.legs
    reordered = [*delivered(leg, 0, [Reorder(frames=(0,))])]
    assert reordered == [Chunk(FRAMES[1], 2.0), Chunk(FRAMES[0], 0.0), Chunk(FRAMES[2], 1.0)]
    assert [*delivered(leg, 0, [Drop(frames=(0, 1))])] == [Chunk(FRAMES[2], 3.0)]
    assert [*delivered(leg, 0, [Reorder(frames=(1,)), Cut(frames=2)])] == [
        Chunk(FRAMES[0], 1.0),
        Chunk(FRAMES[1], 1.0),
        Cut(frames=2),
    ]
    halves = [*delivered(leg, 0, [Stall(bytes=4, seconds=1)])]
    assert halves == [
        Chunk(b"data", 1.0),
        Stall(bytes=4, seconds=1),
        Chunk(b": 0\n\n", 0.0),
        *leg.chunks[1:],
    ]
    untimed = Leg(chunks=[Chunk(b"data: 1\n\n")])
    assert [*delivered(untimed, 0, [Duplicate(frames=(0,))])] == [Chunk(b"data: 1\n\n")] * 2


# Stalls


def test_an_endless_stall_is_for_who_can_leave() -> None:
    stream = Stream(REPORT, faults=[Stall(frames=3)])
    for read in (iter, accumulate, follow):
        with pytest.raises(UsageError, match="seconds"):
            read(stream)
    clock = Clock()
    with pytest.raises(TruncatedError):
        accumulate(Stream(REPORT, faults=[Stall(frames=3)], sleep=clock.waits.append))
    assert clock.waits == [math.inf]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("live", [True, False])
def test_an_endless_stall_asynchronously(backend: str, *, live: bool) -> None:
    told: list[bytes] = []

    async def read() -> None:
        source: Any = apieces(REPORT, 50) if live else REPORT
        stream = Stream(source, faults=[Stall(frames=3)])
        with anyio.CancelScope() as scope:
            async for chunk in stream:
                told.append(chunk)
                if sum(map(len, told)) == ENDS[3]:
                    scope.cancel()  # the next wait would be for ever
        assert scope.cancelled_caught
        await stream.aclose()

    anyio.run(read, backend=backend)
    assert b"".join(told) == REPORT[: ENDS[3]]


# Live sources


class Source:
    """An iterable that says whether it was closed."""

    def __init__(self, chunks: Iterable[Any], failure: Exception | None = None) -> None:
        self.chunks = iter(chunks)
        self.failure = failure
        self.closed = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        for chunk in self.chunks:
            return chunk
        if self.failure is not None:
            raise self.failure
        raise StopIteration

    def close(self) -> None:
        self.closed += 1


def test_a_live_source_is_closed_on_every_exit() -> None:
    for faults in ([], [Cut(frames=1)], [Cut(frames=1, how="abort")], [ErrorEvent(frames=1)]):
        source = Source(FRAMES)
        body(Stream(source, faults=faults))
        assert source.closed == 1
    source = Source(pieces(REPORT, 99))
    with follow(Stream(source)) as following:
        for _ in following:
            break
    assert source.closed == 1
    source = Source(FRAMES)
    stream = Stream(source)
    for _ in stream:
        break
    stream.close()
    stream.close()
    assert source.closed == 1


@pytest.mark.parametrize("failure", [ConnectionResetError("gone"), ValueError("a bug")])
def test_a_failure_comes_after_what_came_before_it(failure: Exception) -> None:
    source = Source([*FRAMES[:2], b"data: half"], failure)
    told: list[bytes] = []
    with pytest.raises(type(failure)) as raised:
        told.extend(Stream(source, faults=[Reorder(frames=(1,))]))
    assert raised.value is failure
    assert b"".join(told) == b"".join(FRAMES[:2]) + b"data: half"


def test_a_live_source_is_told_once() -> None:
    stream = Stream(iter(FRAMES))
    assert body(stream) == b"".join(FRAMES)
    with pytest.raises(UsageError, match="told once"):
        iter(stream)
    with pytest.raises(UsageError, match="known only once"):
        _ = stream.recording
    with pytest.raises(UsageError, match="known only once"):
        _ = stream.snapshot


def test_frames_of_a_live_source() -> None:
    told = (Frame("e", b"%d" % rank) for rank in range(4))
    assert body(Stream(told, faults=[Drop(frames=(1,))])) == b"".join(
        b"event: e\ndata: %d\n\n" % rank for rank in (0, 2, 3)
    )
    with pytest.raises(UsageError, match="binary"):
        body(Stream(each for each in ("data: 1\n\n",)))  # type: ignore[arg-type]


def test_an_open_response() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(REPORT))

    with (
        httpx.Client(transport=httpx.MockTransport(answer)) as client,
        client.stream("GET", "http://x") as response,
    ):
        assert body(Stream(response, faults=[Cut(frames=3)])) == REPORT[: ENDS[3]]
        assert response.is_closed


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_asynchronous_source(backend: str) -> None:
    async def read() -> None:
        stream = Stream(apieces(REPORT, 50), faults=[Cut(frames=20, how="abort")])
        with pytest.raises(TruncatedError) as cut:
            await aaccumulate(stream)
        assert cut.value.snapshot == accumulate(REPORT[: ENDS[20]], allow_partial=True)
        assert isinstance(cut.value.__cause__, BrokenOff)
        with pytest.raises(UsageError, match="asynchronous"):
            iter(Stream(apieces(REPORT, 50)))
        told = [chunk async for chunk in Stream(iter(FRAMES), faults=[Drop(frames=(0,))])]
        assert told == FRAMES[1:]
        source = Source(FRAMES)
        assert [chunk async for chunk in Stream(source)] == FRAMES
        assert source.closed == 1
        source = Source(FRAMES, ConnectionResetError("gone"))
        with pytest.raises(TruncatedError) as cut:
            await aaccumulate(Stream(source))
        assert isinstance(cut.value.__cause__, ConnectionResetError)
        assert source.closed == 1

    anyio.run(read, backend=backend)


@pytest.mark.parametrize("seed", range(40))
def test_where_a_live_source_is_cut(seed: int) -> None:
    many = [b"data: %d\n\n" % rank for rank in range(99)]
    told = body(Stream(iter(many), faults=[Cut(seed=seed)]))
    assert 1 <= told.count(b"data") <= 32
    few = body(Stream(iter(many[:2]), faults=[Cut(seed=seed)]))
    assert 1 <= few.count(b"data") <= 2
    half = body(Stream(iter(many), faults=[Cut(seed=seed, inside=True)]))
    following = many[told.count(b"data")]
    assert half == told + following[: len(following) // 2]


def test_a_stall_in_a_live_source_waits_at_its_place() -> None:
    seen: list[str] = []

    def source() -> Iterator[bytes]:
        for rank, frame in enumerate(FRAMES):
            seen.append(f"in {rank}")
            yield frame

    def sleep(seconds: float) -> None:
        seen.append(f"stalled for {seconds:g}")

    for chunk in Stream(source(), faults=[Stall(frames=2, seconds=3)], sleep=sleep):
        seen.append(f"out {chunk[6:7].decode()}")  # noqa: PERF401 - in the order of both
    assert seen[:6] == ["in 0", "out 0", "in 1", "out 1", "stalled for 3", "in 2"]


# What was recorded broken


def test_a_recording_that_breaks_off() -> None:
    failed = Recording(legs=[Leg(chunks=[Chunk(FRAMES[0])], error="gone")])
    cut = Recording(legs=[Leg(chunks=[Chunk(FRAMES[0])])], is_cut=True)
    for recording, said in ((failed, "gone"), (cut, "breaks off here")):
        with pytest.raises(BrokenOff, match=said):
            [*Stream(recording)]
        assert [*Stream(recording, faults=[Cut(frames=0)])] == []
    middle = Recording(legs=[Leg(chunks=[Chunk(FRAMES[0] + b"data")], error="gone"), *cut.legs])
    assert b"".join(Stream(middle)) == FRAMES[0] * 2


def test_a_leg_that_another_follows_is_told_as_it_is_replayed() -> None:
    first, *others = THREE
    legs = [
        Leg(chunks=[Chunk(first[:-20])], end="eof"),
        *(Leg(chunks=[Chunk(each)]) for each in others),
    ]
    recording = Recording(legs=legs, form="timed")
    told = b"".join(Stream(recording))
    assert told == b"".join(replay(recording))
    assert accumulate(told).outcome == "complete"


# What is refused


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"faults": [Status()]}, "'status' cannot befall it"),
        ({"faults": ["cut"]}, "such as Cut"),
        ({"speed": 0}, "speed"),
        ({"speed": math.nan}, "speed"),
        ({"max_gap": -1}, "gap"),
        ({"gap": -1}, "gap"),
    ],
)
def test_what_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Stream(REPORT, **options)


def test_a_source_that_is_none() -> None:
    sources: list[Any] = [3, None, {}, "data: 1\n\n"]
    for source in sources:
        with pytest.raises(UsageError):
            Stream(source)
    with pytest.raises(FileNotFoundError):
        Stream("nowhere.sse")


def test_what_a_fold_says_has_its_state() -> None:
    for seed in range(20):
        faults = [Drop(share=0.2, seed=seed), Corrupt(share=0.01, seed=seed), Cut(seed=seed)]
        with pytest.raises(PeerError) as raised:
            fold(*faults)
        assert raised.value.snapshot is not None
