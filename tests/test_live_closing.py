"""However a live stream is left: hung up, its end told once, its state whole."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from itertools import count
from typing import Any, Final

import anyio
import pytest

from streamkit import Change, PeerError, StreamEnded
from streamkit.live import aopen_run
from tests.living import (
    FORMS,
    HTTPX2,
    STALL,
    UNFINISHED,
    Form,
    create,
    ended,
    idle,
    serving,
    states,
    still_works,
)
from tests.recorded import OWN
from tests.server import Fault, Place, Script, Server

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings(UNFINISHED)]

(LEG,) = OWN["refusal"]  # a short one
LAST: Final = 10**6  # the number of a change that never comes


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    return FORMS[request.param]


@pytest.fixture
def anyio_backend(form: Form) -> str:
    return form.backend


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


class Boom(Exception):  # noqa: N818 - it says what it does
    """What the caller's code raises."""


class Stop(BaseException):
    """What stops a process, as KeyboardInterrupt does."""


def check(told: list[Change], stream: Any, place: Place) -> None:
    """The end was told once, at last, and the state is what was received until then."""
    snapshot = stream.snapshot()
    assert ended(told) == told[-1:] == [StreamEnded(snapshot.outcome)]
    received = told if snapshot.outcome == "complete" else told[:-1]
    assert snapshot == states(LEG, place)[len(received)]


# Ways to leave, in each form


Way = Callable[[Any], Coroutine[Any, Any, None]]


def after(changes: int) -> Way:
    async def way(stream: Any) -> None:
        async with stream:
            for _ in range(changes):
                await anext(stream)
        assert [change async for change in stream] == []

    return way


def raising(error: BaseException) -> Way:
    async def raise_in(stream: Any) -> None:
        async with stream:
            async for _ in stream:
                raise error

    async def way(stream: Any) -> None:
        with pytest.raises(type(error)) as caught:
            await raise_in(stream)
        assert caught.value is error

    return way


async def closing_twice(stream: Any) -> None:
    await stream.__aenter__()
    await anext(stream)
    await stream.close()
    await stream.aclose()
    await stream.close()


async def closing_within(stream: Any) -> None:
    async with stream:
        await anext(stream)
        await stream.close()
        assert [change async for change in stream] == []


async def closing_unread(stream: Any) -> None:
    await stream.__aenter__()
    await stream.close()


async def closing_at_the_end(stream: Any) -> None:
    await stream.until_done()
    await stream.close()


async def closing_a_generator(stream: Any) -> None:
    async def changes() -> AsyncIterator[Change]:
        async with stream:
            async for change in stream:
                yield change

    generator = changes()
    await anext(generator)
    await generator.aclose()  # type: ignore[attr-defined]


WAYS: Final[dict[str, Way]] = {
    **{f"after {changes} changes": after(changes) for changes in (0, 1, 5, 8)},
    "raising": raising(Boom()),
    "stopping": raising(Stop()),
    "closing twice": closing_twice,
    "closing within the block": closing_within,
    "closing unread": closing_unread,
    "closing at the end": closing_at_the_end,
    "closing a generator": closing_a_generator,
}


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("chunk", ["frame", "whole"])
async def test_left(form: Form, server: Server, *, name: str, chunk: Any) -> None:
    place = server.add(Script([LEG], chunk=chunk, linger=True))
    told: list[Change] = []
    async with form.client(server) as client:
        stream = form.open(client, create(place), told.append)
        await WAYS[name](stream)
        await idle(server)  # the client is still open
        await still_works(client, place)
    check(told, stream, place)


@pytest.mark.parametrize("form", HTTPX2.values(), ids=HTTPX2)
async def test_left_with_httpx2(form: Form, server: Server) -> None:
    await test_left(form, server, name="after 5 changes", chunk="frame")


@pytest.mark.parametrize("how", ["abort", "end", "stall"])
async def test_left_where_it_fails(form: Form, server: Server, how: Any) -> None:
    place = server.add(Script([LEG], faults=[Fault(frames=4, how=how)]))
    told: list[Change] = []
    options = {"timeout": STALL} if how == "stall" else {}
    async with form.client(server, **options) as client:
        stream = form.open(client, create(place), told.append)
        with pytest.raises(PeerError):
            await stream.until_done()
        await idle(server)
        await still_works(client, place)
    check(told, stream, place)


@pytest.mark.parametrize("form", [FORMS["sync"], FORMS["asyncio"]], ids=["sync", "asyncio"])
async def test_dropped(form: Form, server: Server) -> None:
    place = server.add(Script([LEG], linger=True))
    told: list[Change] = []
    async with form.client(server) as client:
        stream = form.open(client, create(place), told.append)
        accumulator = stream.accumulator
        await stream.__aenter__()
        await anext(stream)
        del stream
        gc.collect()
        await idle(server)
        await still_works(client, place)
    assert told[1:] == [StreamEnded("truncated")]
    assert accumulator.snapshot() == states(LEG, place)[1]


# Callbacks that raise


@pytest.mark.parametrize("error", [Boom(), Stop()])
@pytest.mark.parametrize("at", [1, 2, 7, -1])
@pytest.mark.parametrize("first", [False, True])
async def test_a_callback_raises(
    form: Form, server: Server, *, error: BaseException, at: int, first: bool
) -> None:
    place = server.add(Script([LEG], linger=True))
    told: list[Change] = []
    calls = count(1)

    def observe(change: Change) -> None:
        if isinstance(change, StreamEnded) if at < 0 else next(calls) == at:
            raise error

    observers = [observe, told.append] if first else [told.append, observe]
    async with form.client(server) as client:
        stream = form.open(client, create(place), *observers)
        with pytest.raises(type(error)) as caught:
            await stream.until_done()
        assert caught.value is error
        await idle(server)
        await still_works(client, place)
    assert ended(told) == told[-1:] == [StreamEnded(stream.snapshot().outcome)]
    assert stream.snapshot().outcome == ("complete" if at < 0 else "truncated")
    received = len(told) - (at > 0) + (first and at > 0)
    assert stream.snapshot() == states(LEG, place)[received]


# Cancelled, wherever it waits


class Stepped:
    """A coroutine that has something done before it waits for the k-th time."""

    def __init__(self, work: Coroutine[Any, Any, None], at: int, do: Callable[[], object]) -> None:
        self.work = work
        self.left = at
        self.do = do

    def __await__(self) -> Generator[Any, Any, None]:
        resume, given = self.work.send, None
        while True:
            try:
                waiting = resume(given)
            except StopIteration:
                return
            self.left -= 1
            if self.left == 0:
                self.do()
            try:
                resume, given = self.work.send, (yield waiting)
            except BaseException as error:  # noqa: BLE001 - it is for the coroutine
                resume, given = self.work.throw, error


async def until_done(stream: Any) -> None:
    await stream.until_done()


async def in_a_block(stream: Any) -> None:
    async with stream:
        async for _ in stream:
            pass


async def left_early(stream: Any) -> None:
    async with stream:
        for _ in range(4):
            await anext(stream)


CANCELLED: Final = [until_done, in_a_block, left_early]


class Slow:
    """An observer that takes its time."""

    def __init__(self) -> None:
        self.begun: list[Change] = []
        self.done: list[Change] = []

    async def __call__(self, change: Change) -> None:
        self.begun.append(change)
        await anyio.lowlevel.checkpoint()
        self.done.append(change)


async def follow_cancelled(
    client: Any, place: Place, way: Way, at: int, *, slow: int, task: Any = None
) -> tuple[int, Callable[[], None]]:
    """Follow a run that is cancelled where it waits for the k-th time.

    Say how many times were left, and what is to be checked once the server is idle.
    """
    told: list[Change] = []
    observers = [Slow() for _ in range(slow)]
    target = ("POST", f"/threads/{place.thread_id}/runs")
    body = create(place)["json"]
    stream = aopen_run(client, *target, told.append, *observers, json=body)
    empty = stream.snapshot()
    with anyio.CancelScope() as scope:
        stepped = Stepped(way(stream), at, task.cancel if task else scope.cancel)
        try:
            await stepped
        except asyncio.CancelledError:
            if task is None:
                raise
            task.uncancel()

    def check_all() -> None:
        if told:
            check(told, stream, place)
        else:
            assert stream.snapshot() in (empty, states(LEG, place)[0])
        for observer in observers:
            assert ended(observer.begun) == ended(told)
            if task is None and stream.snapshot().outcome == "truncated":
                assert ended(observer.done) == ended(told)  # who leaves waits for them

    return stepped.left, check_all


@pytest.mark.parametrize("form", [FORMS["asyncio"], FORMS["trio"]], ids=["asyncio", "trio"])
@pytest.mark.parametrize("way", CANCELLED)
@pytest.mark.parametrize("slow", [0, 2])
async def test_cancelled_at_every_await(
    form: Form, server: Server, *, way: Way, slow: int
) -> None:
    async with form.client(server) as client:
        for at in count(1):
            place = server.add(Script([LEG], linger=True))
            left, check_all = await follow_cancelled(client, place, way, at, slow=slow)
            await idle(server)
            await still_works(client, place)
            check_all()
            if left > 0:
                break
    assert at > 5


@pytest.mark.parametrize("form", [FORMS["asyncio"]], ids=["asyncio"])
@pytest.mark.parametrize("way", CANCELLED)
@pytest.mark.parametrize("slow", [0, 2])
async def test_a_task_is_cancelled_at_every_await(
    form: Form, server: Server, *, way: Way, slow: int
) -> None:
    task = asyncio.current_task()
    for at in count(1):
        place = server.add(Script([LEG], linger=True))
        # httpx loses a connection whose closing is cancelled so, and finds it at its own end.
        async with form.client(server) as client:
            left, check_all = await follow_cancelled(client, place, way, at, slow=slow, task=task)
        check_all()
        if left > 0:
            break
    assert at > 5


@pytest.mark.parametrize("form", [FORMS["asyncio"], FORMS["trio"]], ids=["asyncio", "trio"])
async def test_too_late(form: Form, server: Server) -> None:
    place = server.add(Script([LEG], faults=[Fault(frames=8, how="stall")]))
    told: list[Change] = []
    slow = Slow()
    with anyio.CancelScope() as scope:

        def observe(change: Change) -> None:
            told.append(change)
            if len(told) == 3:
                scope.deadline = anyio.current_time()

        async with form.client(server) as client:
            stream = form.open(client, create(place), observe, slow)
            await stream.until_done()
    assert scope.cancelled_caught
    await idle(server)
    check(told, stream, place)
    assert ended(slow.done) == ended(told)
