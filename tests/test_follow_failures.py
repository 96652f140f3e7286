"""A source that fails: the server's part of it is a truncated stream, the caller's is a bug."""

from __future__ import annotations

import gc
import zlib
from pathlib import Path
from typing import Any, Final

import anyio
import httpx
import pytest

from streamkit import (
    Accumulator,
    Change,
    ServerFailed,
    StreamEnded,
    TruncatedError,
    UsageError,
    aaccumulate,
    accumulate,
    afollow,
    follow,
    on,
)
from tests.closable import LATER, SOURCES, Chunks, ChunksLater, Closed, Open
from tests.streams import (
    body,
    code,
    done,
    failure,
    required,
    run,
    step_completed,
    step_created,
    step_delta,
    waiting,
)

# httpx leaves its own generators to the garbage collector, of which trio complains.
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Exception ignored in. <async_generator object Response"),
]

BEGUN: Final = [run("created"), step_created(), step_delta("step_1", code(0, "1", id="call_1"))]
COMPLETE: Final = [*BEGUN, step_completed(), run("completed")]
PAUSED: Final = [run("created"), step_created(), waiting(required("call_1"))]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run what is asynchronous under both."""
    return str(request.param)


class LibraryError(Exception):
    """What a library that reads from the network defines."""


class MisuseError(RuntimeError):
    """What a library raises where it is used wrongly."""


FAILURES: Final = [
    httpx.ReadError("gone"),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
    httpx.DecodingError("not gzip"),
    ConnectionResetError("reset"),
    TimeoutError("slow"),
    OSError("no disk"),
    EOFError("end"),
    zlib.error("not deflate"),
    LibraryError("gone"),
]
BUGS: Final = [
    TypeError("a bug"),
    ValueError("a bug"),
    KeyError("a bug"),
    AttributeError("a bug"),
    ZeroDivisionError("a bug"),
    RuntimeError("a bug"),
    AssertionError("a bug"),
    MisuseError("a bug"),
    httpx.StreamConsumed(),
    UsageError("a bug"),
    KeyboardInterrupt("stop"),
]


def named(error: BaseException) -> str:
    """Name a row by what is raised."""
    return type(error).__name__


def told_of(*frames: Any) -> list[Change]:
    """Say what is told of frames, in a leg that ends so."""
    accumulator = Accumulator()
    changes = [change for frame in frames for change in accumulator.feed_frame(frame)]
    return [*changes, *accumulator.end()]


@pytest.mark.parametrize("opened", SOURCES)
@pytest.mark.parametrize("failed", FAILURES, ids=named)
def test_a_failure_to_read_is_a_truncation(failed: Exception, opened: Open) -> None:
    closed: Closed = []
    told: list[Change] = []
    with pytest.raises(TruncatedError, match="ended before the run came to rest") as caught:
        accumulate(opened([body(BEGUN), failed], closed), told.append)
    assert caught.value.__cause__ is failed
    assert f"; {type(failed).__name__}" in str(caught.value)
    assert told == told_of(*BEGUN)
    assert told[-1] == StreamEnded("truncated")
    assert caught.value.snapshot == accumulate(body(BEGUN), allow_partial=True)
    source = opened([body(BEGUN), failed], closed)
    assert accumulate(source, allow_partial=True) == caught.value.snapshot
    assert set(closed) == {"closed"}


@pytest.mark.parametrize("opened", LATER)
@pytest.mark.parametrize("failed", FAILURES, ids=named)
async def test_so_it_is_asynchronously(failed: Exception, opened: Open) -> None:
    told: list[Change] = []
    with pytest.raises(TruncatedError, match="ended before the run came to rest") as caught:
        await aaccumulate(opened([body(BEGUN), failed], []), told.append)
    assert caught.value.__cause__ is failed
    assert f"; {type(failed).__name__}" in str(caught.value)
    assert told == told_of(*BEGUN)
    source = opened([body(BEGUN), failed], [])
    assert await aaccumulate(source, allow_partial=True) == caught.value.snapshot


@pytest.mark.parametrize("bug", BUGS, ids=named)
async def test_a_bug_of_the_caller_passes_unchanged(bug: BaseException) -> None:
    for opened in SOURCES:
        told: list[Change] = []
        with pytest.raises(type(bug)) as caught:
            accumulate(opened([body(BEGUN), bug], []), told.append, allow_partial=True)
        assert caught.value is bug
        assert told == told_of(*BEGUN)
    for opened in LATER:
        told = []
        with pytest.raises(type(bug)) as caught:
            await aaccumulate(opened([body(BEGUN), bug], []), told.append, allow_partial=True)
        assert caught.value is bug
        assert told == told_of(*BEGUN)


@pytest.mark.parametrize(("frames", "outcome"), [(COMPLETE, "complete"), (PAUSED, "paused")])
async def test_a_failure_after_the_run_came_to_rest_is_none(frames: Any, outcome: str) -> None:
    """What was to be said was said, but for ``done``."""
    failed = httpx.ReadError("gone")
    assert accumulate(SOURCES[0]([body(frames), failed], [])).outcome == outcome
    assert (await aaccumulate(LATER[0]([body(frames), failed], []))).outcome == outcome


def test_the_last_event_counts_though_its_blank_line_is_lost() -> None:
    chunks = [body(COMPLETE)[:-1], httpx.ReadError("gone")]
    assert accumulate(SOURCES[0](chunks, [])).outcome == "complete"


# The next leg


@pytest.mark.parametrize("opened", SOURCES)
def test_a_failure_before_the_next_leg_said_anything(opened: Open) -> None:
    accumulator = Accumulator()
    accumulator.feed_bytes(body([*PAUSED, done()]))
    failed = httpx.ReadError("gone")
    ends: list[Change] = []
    with pytest.raises(TruncatedError) as caught:
        list(follow(opened([failed], []), on(end=ends.append), accumulator=accumulator))
    assert caught.value.__cause__ is failed
    assert f"; {type(failed).__name__}" in str(caught.value)
    assert ends == [StreamEnded("truncated")]


async def test_a_next_leg_that_says_nothing() -> None:
    paused = body([*PAUSED, done()])
    accumulator = Accumulator()
    accumulator.feed_bytes(paused)
    with pytest.raises(TruncatedError):
        list(follow(b"", accumulator=accumulator))
    accumulator = Accumulator()
    accumulator.feed_bytes(paused)
    with pytest.raises(TruncatedError):
        assert [change async for change in afollow(b"", accumulator=accumulator)]


# Other failures


@pytest.mark.parametrize("frames", [[failure()], [*BEGUN, failure(), done()]])
async def test_an_observer_that_raises_at_the_failure_of_the_server(frames: Any) -> None:
    """The end that comes with the failure is told all the same."""

    def give_up(change: Change) -> None:
        assert isinstance(change, ServerFailed)
        raise LibraryError(change.error.message)

    ends: list[Change] = []
    with pytest.raises(LibraryError, match="It broke"):
        accumulate(body(frames), on(failed=give_up, end=ends.append))
    assert ends == [StreamEnded("error")]
    with pytest.raises(LibraryError, match="It broke"):
        await aaccumulate(body(frames), on(failed=give_up, end=ends.append))
    assert ends == [StreamEnded("error")] * 2


class Stuck(Chunks):
    """A source that cannot be closed."""

    def close(self) -> None:
        raise OSError("stuck")


class StuckLater(ChunksLater):
    """An asynchronous source that cannot be closed."""

    async def aclose(self) -> None:
        raise OSError("stuck")


async def test_a_source_that_cannot_be_closed() -> None:
    ends: list[Change] = []
    with (
        pytest.raises(OSError, match="stuck"),
        follow(Stuck([body(BEGUN)], []), on(end=ends.append)) as following,
    ):
        next(following)
    assert ends == [StreamEnded("truncated")]
    with pytest.raises(OSError, match="stuck"):
        async with afollow(StuckLater([body(BEGUN)], []), on(end=ends.append)) as later:
            await anext(later)
    assert ends == [StreamEnded("truncated")] * 2


async def test_a_source_that_is_not_read_is_closed(tmp_path: Path) -> None:
    """That a run is complete is seen before anything is read; but the source was taken."""
    accumulator = Accumulator()
    accumulator.feed_bytes(body([*COMPLETE, done()]))
    path = tmp_path / "run.sse"
    path.write_bytes(body(COMPLETE))
    for call in (follow, afollow):
        with pytest.raises(UsageError, match="another run needs its own"):
            call(path, accumulator=accumulator)
        gc.collect(1)  # a file left open complains here


@pytest.mark.parametrize("opened", SOURCES)
def test_a_block_that_is_left_at_once(opened: Open) -> None:
    closed: Closed = []
    ends: list[Change] = []
    with follow(opened([body(BEGUN)], closed), on(end=ends.append)):
        pass
    assert closed == (["closed"] if opened is not SOURCES[0] else [])  # it never began
    assert ends == [StreamEnded("truncated")]


async def test_a_file_is_closed_when_the_task_is_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "run.sse"
    path.write_bytes(body([*COMPLETE, done()]))
    with anyio.CancelScope() as scope:

        async def cancel(_: Change) -> None:
            scope.cancel()
            await anyio.lowlevel.checkpoint()

        await aaccumulate(path, cancel)
    assert scope.cancelled_caught
    gc.collect(1)  # a file left open complains here
