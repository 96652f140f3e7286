"""The loop: every change in its turn, to the end of the run and no further."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, Final

import anyio
import httpx
import pytest
from msgspec.structs import replace

from streamkit import (
    Accumulator,
    Change,
    DecodeError,
    Frame,
    PeerError,
    RunSnapshot,
    ServerError,
    StreamEnded,
    TruncatedError,
    UsageError,
    aaccumulate,
    accumulate,
    afollow,
    follow,
)
from tests.cutting import cuts
from tests.streams import (
    body,
    code,
    code_call,
    done,
    failure,
    function,
    image,
    logs,
    message_completed,
    message_created,
    message_delta,
    printed,
    required,
    run,
    step_completed,
    step_created,
    step_delta,
    text,
    waiting,
    written,
)

pytestmark = pytest.mark.anyio

# A short run in which most kinds of changes happen, several of them in one event.
WHOLE: Final = [
    run("created"),
    run("in_progress"),
    step_created(),
    step_delta(
        "step_1", code(0, "1", logs(0, "a"), logs(0, "b"), image(1, "file_1"), id="call_1")
    ),
    step_delta("step_1", function(1, "{", id="call_2", name="f"), code(0, None, logs(0, "é"))),
    step_completed("step_1", code_call("call_1", "1", printed("abéc"))),
    message_created(),
    message_delta("msg_1", text(0, "hello")),
    message_completed("msg_1", written("hello you")),
    run("completed"),
    done(),
]
FIRST_LEG: Final = [run("created"), step_created(), waiting(required("call_1")), done()]
SECOND_LEG: Final = [step_completed(), run("in_progress"), run("completed"), done()]
BODY: Final = body(WHOLE)

Told = list[tuple[Change, RunSnapshot]]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run what is asynchronous under both."""
    return str(request.param)


def in_turn(frames: Iterable[Frame]) -> Told:
    """Say what is told, and what the snapshot is then: event by event."""
    accumulator = Accumulator()
    told: Told = []
    for frame in frames:
        changes = accumulator.feed_frame(frame)
        told += [(change, accumulator.snapshot()) for change in changes]
    changes = accumulator.end()
    return told + [(change, accumulator.snapshot()) for change in changes]


def once(*items: object) -> Iterator[Any]:
    """Yield items, and fail a test that asks for more."""
    yield from items
    raise AssertionError("read on")


async def once_later(*items: object) -> AsyncIterator[Any]:
    """Yield items asynchronously, and fail a test that asks for more."""
    for item in items:
        await anyio.lowlevel.checkpoint()
        yield item
    raise AssertionError("read on")


def response(*items: object) -> httpx.Response:
    """Open a response that yields items, and fails a test that asks for more."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=once(*items)))
    client = httpx.Client(transport=transport)
    return client.send(client.build_request("POST", "http://test"), stream=True)


async def response_later(*items: object) -> httpx.Response:
    """Do the same with an asynchronous client."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=once_later(*items)))
    client = httpx.AsyncClient(transport=transport)
    return await client.send(client.build_request("POST", "http://test"), stream=True)


# In turn


@pytest.mark.parametrize("chunks", [WHOLE, *cuts(BODY)])
def test_observers_see_the_state_after_their_event(chunks: list[Any]) -> None:
    accumulator = Accumulator()
    told: Told = []
    seen: Told = []
    with follow(
        chunks,
        lambda change: told.append((change, accumulator.snapshot())),
        accumulator=accumulator,
    ) as following:
        for change in following:
            seen.append((change, following.snapshot()))
    assert told == seen == in_turn(WHOLE)
    assert following.accumulator is accumulator


@pytest.mark.parametrize("chunks", [WHOLE, [BODY], cuts(BODY)[1], cuts(BODY)[4]])
async def test_asynchronous_observers_are_awaited(chunks: list[Any]) -> None:
    accumulator = Accumulator()
    told: Told = []
    seen: Told = []

    async def hear(change: Change) -> None:
        snapshot = accumulator.snapshot()
        await anyio.lowlevel.checkpoint()
        assert accumulator.snapshot() == snapshot
        told.append((change, snapshot))

    async with afollow(once_later(*chunks), hear, accumulator=accumulator) as following:
        async for change in following:
            seen.append((change, following.snapshot()))
    assert told == seen == in_turn(WHOLE)


def test_batches_are_what_each_event_changed() -> None:
    accumulator = Accumulator()
    batches = [list(accumulator.feed_frame(frame)) for frame in WHOLE]
    with follow(BODY) as following:
        assert [list(each) for each in following.batches() if each] == [*filter(None, batches)]


def test_observers_hear_each_change_in_the_order_they_were_given() -> None:
    heard: list[tuple[str, Change]] = []
    accumulate(
        BODY,
        lambda change: heard.append(("first", change)),
        lambda change: heard.append(("second", change)),
    )
    expected = [change for change, _ in in_turn(WHOLE)]
    assert heard == [(name, change) for change in expected for name in ("first", "second")]


# To the end of the run, and no further


@pytest.mark.parametrize("items", [[BODY], WHOLE, cuts(BODY)[1]])
async def test_what_is_complete_is_not_read_on(items: list[Any]) -> None:
    expected = in_turn(WHOLE)[-1][1]
    assert accumulate(once(*items)) == expected
    assert await aaccumulate(once_later(*items)) == expected
    assert await aaccumulate(once(*items)) == expected


# httpx leaves its own generators to the garbage collector, of which trio complains.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <async_generator object .*Stream")
@pytest.mark.filterwarnings("ignore:Exception ignored in. <async_generator object Response")
@pytest.mark.parametrize(
    ("frames", "outcome"),
    [(WHOLE, "complete"), (FIRST_LEG, "paused"), ([run("created"), failure()], "error")],
)
async def test_a_live_stream_is_not_read_on(frames: list[Frame], outcome: str) -> None:
    for chunks in ([body(frames)], [*map(body, zip(frames))]):
        live = response(*chunks)
        assert accumulate(live, allow_partial=True).outcome == outcome
        assert live.is_closed
        live = await response_later(*chunks)
        assert (await aaccumulate(live, allow_partial=True)).outcome == outcome
        assert live.is_closed


@pytest.mark.parametrize("first", [FIRST_LEG, [run("created"), step_created(), failure()]])
async def test_several_legs_in_one_body_are_all_read(first: list[Frame]) -> None:
    whole = body(first) + body(SECOND_LEG)
    for source in (whole, [whole], [body(first), body(SECOND_LEG)], [*first, *SECOND_LEG]):
        told: list[Change] = []
        assert accumulate(source, told.append).outcome == "complete"
        assert sum(isinstance(each, StreamEnded) for each in told) == 2
        assert (await aaccumulate(source)).outcome == "complete"


def test_legs_that_share_an_accumulator() -> None:
    accumulator = Accumulator()
    told: list[Change] = []
    for leg, outcome in ((FIRST_LEG, "paused"), (SECOND_LEG, "complete")):
        with follow(response(body(leg)), accumulator=accumulator) as following:
            told += following
        assert following.snapshot().outcome == outcome
    assert told == [change for change, _ in in_turn([*FIRST_LEG, *SECOND_LEG])]


def test_a_second_run_in_a_whole_body(tmp_path: Any) -> None:
    path = tmp_path / "two.sse"
    path.write_bytes(BODY + body([run("created", "run_2")]))
    for source in (path, path.read_bytes()):
        told: list[Change] = []
        with pytest.raises(UsageError, match="another run needs an accumulator of its own"):
            accumulate(source, told.append)
        assert told == [change for change, _ in in_turn(WHOLE)]


async def test_nothing_is_read_into_a_complete_run() -> None:
    accumulator = Accumulator()
    accumulator.feed_bytes(BODY)
    for call in (follow, afollow):
        with pytest.raises(UsageError, match="another run needs its own"):
            call(once(), accumulator=accumulator)


# What is raised after the last change


@pytest.mark.parametrize(
    ("frames", "kind"),
    [
        ([], TruncatedError),
        (WHOLE[:5], TruncatedError),
        ([*WHOLE[:5], done()], TruncatedError),
        ([*WHOLE[:5], failure("Too much.", "busy")], ServerError),
        ([*WHOLE[:5], failure("Too much.", "busy"), done()], ServerError),
    ],
)
async def test_what_finish_would_raise_is_raised(
    frames: list[Frame], kind: type[PeerError]
) -> None:
    accumulator = Accumulator()
    accumulator.feed_bytes(body(frames))
    with pytest.raises(kind) as expected:
        accumulator.finish()
    heard: list[Change] = []
    told: list[Change] = []
    with pytest.raises(kind) as caught, follow(body(frames), heard.append) as following:
        told.extend(following)
    with pytest.raises(kind) as later:
        await aaccumulate(body(frames))
    assert told == heard == [change for change, _ in in_turn(frames)]
    assert str(caught.value) == str(later.value) == str(expected.value)
    assert caught.value.snapshot == later.value.snapshot == accumulator.snapshot()
    assert accumulate(body(frames), allow_partial=True) == accumulator.snapshot()
    assert await aaccumulate(body(frames), allow_partial=True) == accumulator.snapshot()


BROKEN: Final = [
    pytest.param(Frame("thread.run.step.delta", b'{"id": "step_1", "delta": {'), id="no JSON"),
    pytest.param(Frame("thread.run.step.created", b'{"object": "thread.run.step"}'), id="no id"),
    pytest.param(step_delta("step_1", code(9999, "x")), id="a limit"),
    pytest.param(step_delta("step_2", code(0, "x")), id="strict"),
    pytest.param(step_delta("step_1", code(0, "x"), function(0, "y")), id="strict, half taken"),
]


@pytest.mark.parametrize("broken", BROKEN)
async def test_nothing_before_an_error_is_lost(broken: Frame) -> None:
    stream = body([*WHOLE[:5], broken, *WHOLE[5:]])
    reference = Accumulator(strict=True)
    expected = [*reference.feed_bytes(body(WHOLE[:5]))]
    with pytest.raises(PeerError) as known:
        reference.feed_bytes(body([broken]))
    expected += known.value.changes
    for chunks in cuts(stream):
        fed: list[Change] = []
        accumulator = Accumulator(strict=True)
        with pytest.raises(PeerError) as caught:
            fed.extend(each for chunk in chunks for each in accumulator.feed_bytes(chunk))
        assert [*fed, *caught.value.changes] == expected
        told: list[Change] = []
        accumulator = Accumulator(strict=True)
        with (
            pytest.raises(PeerError) as raised,
            follow(once(*chunks), accumulator=accumulator) as following,
        ):
            told.extend(following)
        assert told == [*expected, StreamEnded("truncated")]
        for error in (caught.value, raised.value):
            assert (type(error), str(error)) == (type(known.value), str(known.value))
            assert error.snapshot == known.value.snapshot
        assert replace(accumulator.snapshot(), outcome="open") == known.value.snapshot


async def test_what_cannot_be_decoded_is_never_partial() -> None:
    stream = body([*WHOLE[:5], Frame("thread.run.step.delta", b"{"), *WHOLE[5:]])
    told: list[Change] = []
    for frames in (stream, [*WHOLE[:5], Frame("thread.run.step.delta", b"{"), *WHOLE[5:]]):
        with pytest.raises(DecodeError, match=r"event 'thread\.run\.step\.delta'"):
            accumulate(frames, allow_partial=True)
        with pytest.raises(DecodeError, match=r"event 'thread\.run\.step\.delta'"):
            await aaccumulate(frames, told.append, allow_partial=True)
        assert told[-1] == StreamEnded("truncated")
