"""A recording is replayed in the time that it took, up to where it breaks off."""

from __future__ import annotations

import gzip
import math
import statistics
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import anyio
import httpx
import pytest

from streamkit import TruncatedError, UsageError, aaccumulate, accumulate
from streamkit.live import open_run
from streamkit.recording import (
    BrokenOff,
    Chunk,
    Leg,
    Recorder,
    Recording,
    areplay,
    read,
    replay,
    tee,
)
from tests.clocks import Clock
from tests.living import BETA, create, serving
from tests.own import OWN
from tests.server import Script

REFUSAL: Final = OWN["refusal"][0]
GAPS: Final = (0.5, 0.25, 4.0, 0.0, 1.5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two legs, of gaps that are known."""
    clock = Clock()
    with Recorder(tmp_path / "run.sse.jsonl", clock=clock) as recorder:
        for leg in range(2):
            clock.now += 8.0 * leg
            recorder.begin()
            for number, gap in enumerate(GAPS):
                clock.now += gap
                recorder.chunk(b"%d.%d" % (leg, number))
            clock.now += 2.0
            recorder.end()
    return recorder.path


def moments(path: Path, work: float = 0.0, **options: Any) -> list[tuple[bytes, float]]:
    """Say when each chunk comes, to one who works on each."""
    clock = Clock()
    told = []
    for chunk in replay(path, clock=clock, sleep=clock.sleep, **options):
        told.append((chunk, clock.now))
        clock.now += work
    return told


def at(scale: float = 1.0, most: float = math.inf) -> list[tuple[bytes, float]]:
    now, told = 0.0, []
    for leg in range(2):
        now += min(8.0 * leg, most) * scale
        for number, gap in enumerate(GAPS):
            now += min(gap, most) * scale
            told.append((b"%d.%d" % (leg, number), now))
        now += min(2.0, most) * scale
    return told


def test_intervals(path: Path) -> None:
    assert moments(path, speed=1) == at()
    assert moments(path, speed=2) == at(0.5)
    assert moments(path, speed=0.5) == at(2)
    assert moments(path, speed=1, max_gap=1) == at(most=1)
    assert moments(path, speed=2, max_gap=1) == at(0.5, most=1)
    assert moments(path) == at(0)


def test_lateness_does_not_add_up(path: Path) -> None:
    assert moments(path, work=0.25, speed=1)[-1][1] == at()[-1][1]
    assert [late - due for (_, late), (_, due) in zip(
        moments(path, work=0.25, speed=1), at(), strict=True
    )] == [0, 0, 0, 0.25, 0] * 2  # fmt: skip


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("awaited", [True, False])
def test_asynchronously(path: Path, backend: str, *, awaited: bool) -> None:
    clock = Clock()

    async def gathered() -> list[tuple[bytes, float]]:
        sleep: Any = clock.asleep if awaited else clock.sleep
        return [(chunk, clock.now) async for chunk in areplay(path, 1, clock=clock, sleep=sleep)]

    assert anyio.run(gathered, backend=backend) == at()


def test_a_body_knows_no_times() -> None:
    clock = Clock()
    assert b"".join(replay(REFUSAL, 1, clock=clock, sleep=clock.sleep)) == REFUSAL
    assert clock.waits == []


@pytest.mark.parametrize("options", [{"speed": 0}, {"speed": math.nan}, {"max_gap": -1}])
def test_misuse(options: dict[str, Any]) -> None:
    for replaying in (replay, areplay):
        with pytest.raises(UsageError, match=r"not (0|nan|-1)"):
            replaying(REFUSAL, **options)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replay(tmp_path / "none.sse")


# Cut


def recorded(tmp_path: Path, *, is_gz: bool) -> tuple[Path, bytes]:
    path = tmp_path / ("run.sse.jsonl" + ".gz" * is_gz)
    middle = REFUSAL.index(b"\n\n", 1200) + 2
    body = b"event: thread.created\ndata: {}\n\n" + REFUSAL[middle:][-400:]
    body = body if is_gz else REFUSAL
    pieces = [body[start : start + 400] for start in range(0, len(body), 400)]
    list(tee(pieces, path))
    return path, body


def replay_until_broken(source: Any) -> Iterator[bytes]:
    replaying = replay(source)
    while True:
        try:
            yield next(replaying)
        except (BrokenOff, StopIteration):
            return


@pytest.mark.parametrize("is_gz", [False, True])
def test_cut_at_every_byte(tmp_path: Path, *, is_gz: bool) -> None:
    path, body = recorded(tmp_path, is_gz=is_gz)
    whole = path.read_bytes()
    lines = [b""] if is_gz else [*whole.splitlines(keepends=True)]
    told = b""
    for stop in range(1, len(whole)):
        cut = whole[:stop]
        chunks = [*replay_until_broken(cut)]
        replayed = b"".join(chunks)
        assert body.startswith(replayed)
        assert replayed.startswith(told)
        told = replayed
        is_last = not is_gz and stop == len(whole) - 1  # only the line's end is missing
        assert read(cut).is_cut == (not is_last)
        assert is_gz or read(cut).form == "timed"
        with pytest.raises((BrokenOff, StopIteration)) as caught:
            next(iter_from(cut, len(chunks)))
        assert caught.type is (StopIteration if is_last else BrokenOff)
        if not is_gz:
            kept = lines[: cut.count(b"\n") + 1]
            done = [line for line in kept if cut.count(line.rstrip(b"\n"))]
            assert len(chunks) == sum(b'"data"' in line for line in done)
    assert told == body


def iter_from(cut: bytes, count: int) -> Iterator[bytes]:
    replaying = replay(cut)
    for _ in range(count):
        next(replaying)
    return replaying


def test_what_is_cut_folds_to_what_there_is(tmp_path: Path) -> None:
    path, body = recorded(tmp_path, is_gz=False)
    lines = path.read_bytes().splitlines(keepends=True)
    for count in range(1, len(lines)):
        cut = b"".join(lines[:count])
        partial_body = b"".join(replay_until_broken(cut))
        expected = accumulate(partial_body, allow_partial=True)
        if expected.outcome == "truncated":
            with pytest.raises(TruncatedError):
                accumulate(replay(cut))
        assert accumulate(replay(cut), allow_partial=True).run == expected.run
    assert accumulate(replay(path)) == accumulate(body)


def test_what_is_cut_asynchronously(tmp_path: Path) -> None:
    path, _ = recorded(tmp_path, is_gz=False)
    cut = path.read_bytes()[:3000]

    async def work() -> None:
        await aaccumulate(areplay(cut))

    with pytest.raises(TruncatedError):
        anyio.run(work)


def test_a_failure_is_replayed(tmp_path: Path) -> None:
    def failing() -> Iterator[bytes]:
        yield REFUSAL[:500]
        raise OSError("reset")

    path = tmp_path / "run.sse.jsonl"
    with pytest.raises(OSError, match="reset"):
        list(tee(failing(), path))
    with pytest.raises(BrokenOff, match="OSError: reset"):
        list(replay(path))
    with pytest.raises(TruncatedError):
        accumulate(replay(path))


def test_gz_of_several_members() -> None:
    halves = gzip.compress(REFUSAL[:300]) + gzip.compress(REFUSAL[300:])
    assert b"".join(replay(halves)) == REFUSAL


# A real one


def test_the_times_of_a_real_connection(tmp_path: Path) -> None:
    """The medians of two real runs: one slow gap of a loaded machine moves neither."""
    path = tmp_path / "run.sse.jsonl"
    with serving() as server:
        place = server.add(Script(OWN["emoji"], delay=0.01))
        came: list[float] = []
        with httpx.Client(base_url=server.url, headers=BETA, trust_env=False) as client:
            request = create(place)
            with open_run(
                client, request["method"], request["url"], json=request["json"], record=path
            ) as stream:
                came.extend(time.perf_counter() for _ in stream.batches())
    kept = [chunk.after for chunk in read(path).legs[0].chunks if chunk.after is not None]
    given = [time.perf_counter() for _ in replay(path, speed=1, max_gap=0.05)]
    real, again = map(gaps, (came, given))
    for one, other in ((real, kept), (kept, again)):
        assert abs(statistics.median(one) - statistics.median(other)) < 0.02


def gaps(times: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(times)]


def test_a_leg_that_broke_is_gone_on_with_in_the_next() -> None:
    """Its unfinished frame is left out, so that the next leg is read afresh."""
    first, second = OWN["parallel-functions"]
    broken = Leg(chunks=[Chunk(first[:5000]), Chunk(first[5000:9007])], error="ReadError")
    whole = Leg(chunks=[Chunk(second)], end="eof")
    snapshot = accumulate(replay(Recording(legs=[broken, whole])))
    assert (snapshot.outcome, snapshot.run) == ("complete", accumulate(second).run)
    assert snapshot.steps[0].id == accumulate(second).steps[0].id
