"""However a stream is left: its source is closed once, its end told once, its state whole."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable
from typing import Any, Final, NoReturn

import anyio
import pytest

from streamkit import Accumulator, Change, Outcome, StreamEnded, afollow, follow, on
from tests.closable import LATER, SOURCES, Closed, Open
from tests.streams import body, code, done, logs, run, step_created, step_delta

pytestmark = pytest.mark.anyio

BEGUN: Final = [
    run("created"),
    step_created(),
    step_delta("step_1", code(0, "1", logs(0, "a"), id="call_1")),
]
CHUNKS: Final = [body([frame]) for frame in (*BEGUN, run("completed"), done())]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run what is asynchronous under both."""
    return str(request.param)


# Ways to leave, each with the outcome that is told


class Boom(Exception):  # noqa: N818 - it says what it does
    """What the caller's code raises."""


class Stop(BaseException):
    """What stops a process, as KeyboardInterrupt does."""


def raising(error: BaseException) -> Callable[[object], NoReturn]:
    """Build an observer that raises this, whatever it hears."""

    def observe(_: object) -> NoReturn:
        raise error

    return observe


Way = Callable[[Any, Any, Accumulator], Outcome]
AsyncWay = Callable[[Any, Any, Accumulator], Awaitable[Outcome]]


def to_the_end(source: Any, hear: Any, accumulator: Accumulator) -> Outcome:
    with follow(source, hear, accumulator=accumulator) as following:
        assert list(following)
    return "complete"


def to_the_end_of_a_bare_loop(source: Any, hear: Any, accumulator: Accumulator) -> Outcome:
    assert list(follow(source, hear, accumulator=accumulator))
    return "complete"


def out_of_the_block(source: Any, hear: Any, accumulator: Accumulator) -> Outcome:
    with follow(source, hear, accumulator=accumulator) as following:
        next(following)
    assert list(following) == []
    return "truncated"


def out_of_a_bare_loop(source: Any, hear: Any, accumulator: Accumulator) -> Outcome:
    for _ in follow(source, hear, accumulator=accumulator):
        break
    return "truncated"


def closing_twice(source: Any, hear: Any, accumulator: Accumulator) -> Outcome:
    following = follow(source, hear, accumulator=accumulator)
    next(following)
    following.close()
    following.close()
    return "truncated"


def raising_in_the_loop(source: Any, hear: Any, accumulator: Accumulator) -> Outcome:
    boom = Boom()

    def loop() -> None:
        with follow(source, hear, accumulator=accumulator) as following:
            for _ in following:
                raise boom

    with pytest.raises(Boom) as caught:
        loop()
    assert caught.value is boom
    return "truncated"


def raised(
    error: BaseException, keyword: str, outcome: Outcome = "truncated", *, first: bool = False
) -> Way:
    """Build a way: an observer raises, which stands before or after the one that listens."""

    def way(source: Any, hear: Any, accumulator: Accumulator) -> Outcome:
        callback: Any = {keyword: raising(error)}
        observers = [on(**callback), hear] if first else [hear, on(**callback)]
        with pytest.raises(type(error)) as caught:
            list(follow(source, *observers, accumulator=accumulator))
        assert caught.value is error
        return outcome

    return way


WAYS: Final[dict[str, Way]] = {
    "to the end": to_the_end,
    "to the end of a bare loop": to_the_end_of_a_bare_loop,
    "out of the block": out_of_the_block,
    "out of a bare loop": out_of_a_bare_loop,
    "closing twice": closing_twice,
    "raising in the loop": raising_in_the_loop,
    "an observer raises": raised(Boom(), "code"),
    "an observer raises before others are told": raised(Boom(), "code", first=True),
    "an observer raises at everything": raised(Boom(), "change", first=True),
    "an observer raises at the end": raised(Boom(), "end", "complete"),
    "an observer stops the process": raised(Stop(), "code"),
}


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("opened", SOURCES)
def test_left(opened: Open, name: str) -> None:
    closed: Closed = []
    ends: list[Change] = []
    accumulator = Accumulator()
    outcome = WAYS[name](opened(CHUNKS, closed), on(end=ends.append), accumulator)
    check(closed, ends, accumulator, outcome)


def check(closed: Closed, ends: list[Change], accumulator: Accumulator, outcome: Outcome) -> None:
    """The source was closed once, the end was told once, and the state can be read."""
    assert closed == ["closed"]
    assert ends == [StreamEnded(outcome)]
    assert accumulator.outcome == outcome
    assert accumulator.snapshot().run is not None
    gc.collect(1)  # whatever was left open complains here


# Asynchronously


async def to_the_end_later(source: Any, hear: Any, accumulator: Accumulator) -> Outcome:
    async with afollow(source, hear, accumulator=accumulator) as following:
        assert [change async for change in following]
    return "complete"


async def to_the_end_of_a_bare_loop_later(
    source: Any, hear: Any, accumulator: Accumulator
) -> Outcome:
    assert [change async for change in afollow(source, hear, accumulator=accumulator)]
    return "complete"


async def out_of_the_block_later(source: Any, hear: Any, accumulator: Accumulator) -> Outcome:
    async with afollow(source, hear, accumulator=accumulator) as following:
        await anext(following)
    assert [change async for change in following] == []
    return "truncated"


async def closing_twice_later(source: Any, hear: Any, accumulator: Accumulator) -> Outcome:
    following = afollow(source, hear, accumulator=accumulator)
    await anext(following)
    await following.aclose()
    await following.aclose()
    return "truncated"


async def raising_in_the_loop_later(source: Any, hear: Any, accumulator: Accumulator) -> Outcome:
    boom = Boom()

    async def loop() -> None:
        async with afollow(source, hear, accumulator=accumulator) as following:
            async for _ in following:
                raise boom

    with pytest.raises(Boom) as caught:
        await loop()
    assert caught.value is boom
    return "truncated"


def raised_later(
    error: BaseException, keyword: str, outcome: Outcome = "truncated", *, first: bool = False
) -> AsyncWay:
    """Build a way: an asynchronous observer raises."""

    async def observe(_: Change) -> None:
        await anyio.lowlevel.checkpoint()
        raise error

    async def way(source: Any, hear: Any, accumulator: Accumulator) -> Outcome:
        callback: Any = {keyword: observe}
        observers = [on(**callback), hear] if first else [hear, on(**callback)]
        with pytest.raises(type(error)) as caught:
            async for _ in afollow(source, *observers, accumulator=accumulator):
                pass
        assert caught.value is error
        return outcome

    return way


async def cancelled_in_the_loop(source: Any, hear: Any, accumulator: Accumulator) -> Outcome:
    with anyio.CancelScope() as scope:
        async with afollow(source, hear, accumulator=accumulator) as following:
            async for _ in following:
                scope.cancel()
                await anyio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    return "truncated"


async def cancelled_by_an_observer(source: Any, hear: Any, accumulator: Accumulator) -> Outcome:
    with anyio.CancelScope() as scope:

        async def cancel(_: Change) -> None:
            scope.cancel()
            await anyio.lowlevel.checkpoint()

        async for _ in afollow(source, hear, cancel, accumulator=accumulator):
            pass
    assert scope.cancelled_caught
    return "truncated"


async def cancelled_while_it_waits(source: Any, hear: Any, accumulator: Accumulator) -> Outcome:
    with anyio.CancelScope() as scope:

        def cancel(_: Change) -> None:
            scope.cancel()

        async for _ in afollow(source, hear, cancel, accumulator=accumulator):
            pass
    assert scope.cancelled_caught
    return "truncated"


ASYNC_WAYS: Final[dict[str, AsyncWay]] = {
    "to the end": to_the_end_later,
    "to the end of a bare loop": to_the_end_of_a_bare_loop_later,
    "out of the block": out_of_the_block_later,
    "closing twice": closing_twice_later,
    "raising in the loop": raising_in_the_loop_later,
    "an observer raises": raised_later(Boom(), "code"),
    "an observer raises before others are told": raised_later(Boom(), "code", first=True),
    "an observer raises at everything": raised_later(Boom(), "change", first=True),
    "an observer raises at the end": raised_later(Boom(), "end", "complete"),
    "cancelled in the loop": cancelled_in_the_loop,
    "cancelled by an observer": cancelled_by_an_observer,
    "cancelled while it waits": cancelled_while_it_waits,
}


# httpx leaves its own generators to the garbage collector, of which trio complains.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <async_generator object Response")
@pytest.mark.parametrize("name", ASYNC_WAYS)
@pytest.mark.parametrize("opened", [*LATER, *SOURCES[:2]])
async def test_left_asynchronously(opened: Open, name: str) -> None:
    if opened in SOURCES and name == "cancelled while it waits":
        return  # it never waits
    closed: Closed = []
    ends: list[Change] = []
    accumulator = Accumulator()
    outcome = await ASYNC_WAYS[name](opened(CHUNKS, closed), on(end=ends.append), accumulator)
    check(closed, ends, accumulator, outcome)
