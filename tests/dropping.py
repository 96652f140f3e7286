"""Runs whose streams are dropped, followed to their end in every way; and what they tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import anyio
import httpx
import pytest

from streamkit import (
    Accumulator,
    Change,
    MessageOpened,
    PeerError,
    Run,
    RunChanged,
    RunSnapshot,
    StepOpened,
    StreamEnded,
    to_wire,
)
from streamkit.live import SEARCH_CONTENT, AsyncRuns, Recovery, Runs, aopen_run, open_run
from tests.clocks import Clock
from tests.recorded import Legs
from tests.server import Body, Place, Script, Server, rewritten

__all__ = [
    "PEERS_WARNINGS",
    "WAYS",
    "Api",
    "Told",
    "Way",
    "assert_same",
    "converse",
    "frame_ends",
    "story",
    "tools",
    "unbroken",
]


class Told(NamedTuple):
    """What following a run came to."""

    snapshot: RunSnapshot
    error: PeerError | None
    changes: Sequence[Change]


# Where a stream is left at `done`, httpx leaves its inner generators to trio.
PEERS_WARNINGS: Final = pytest.mark.filterwarnings(
    "ignore:Async generator 'http(x|core):ResourceWarning",
    "ignore:Exception ignored in. <async_generator object (Response|BoundAsync|Async|Pool|HTTP)",
)


# Ways to follow


class Api(NamedTuple):
    """A client, and what is built on it."""

    client: Any
    runs: Callable[..., Any]  # Runs or AsyncRuns, of this client
    open: Callable[..., Any]  # open_run or aopen_run, with this client
    recovery: Callable[..., Recovery]  # one whose waiting costs no time


Make = Callable[[Api, Callable[[Change], None]], Any]
Way = Callable[..., Told]


def recovery(sleep: Callable[[float], Any], clock: Clock, **options: Any) -> Recovery:
    return Recovery(clock=clock, sleep=sleep, **{"jitter": lambda: 1.0, **options})


def by_itself(url: str, make: Make, clock: Clock | None = None, **options: Any) -> Told:
    """Follow a run synchronously."""
    clock = clock or Clock()
    heard: list[Change] = []
    with httpx.Client(base_url=url, **_CLIENT | options) as client:
        api = Api(
            client,
            partial(Runs, client),
            partial(open_run, client),
            partial(recovery, clock.sleep, clock),
        )
        stream, error = make(api, heard.append), None
        try:
            with stream:
                assert list(stream) == heard
        except PeerError as raised:
            error = raised
        return Told(stream.snapshot(), error, heard)


async def awaited(url: str, make: Make, clock: Clock | None, options: dict[str, Any]) -> Told:
    """Follow a run asynchronously."""
    clock = clock or Clock()
    heard: list[Change] = []
    async with httpx.AsyncClient(base_url=url, **_CLIENT | options) as client:
        api = Api(
            client,
            partial(AsyncRuns, client),
            partial(aopen_run, client),
            partial(recovery, clock.asleep, clock),
        )
        stream, error = make(api, heard.append), None
        try:
            async with stream:
                assert [change async for change in stream] == heard
        except PeerError as raised:
            error = raised
        return Told(stream.snapshot(), error, heard)


def under(backend: str) -> Way:
    """Follow runs under this backend of anyio."""

    def way(url: str, make: Make, clock: Clock | None = None, **options: Any) -> Told:
        return anyio.run(awaited, url, make, clock, options, backend=backend)

    return way


# To load certificates takes longer than a run.
_CLIENT: Final[dict[str, Any]] = {
    "verify": False,
    "trust_env": False,
    "headers": {"OpenAI-Beta": "assistants=v2"},
}
WAYS: Final[dict[str, Way]] = {
    "sync": by_itself,
    "asyncio": under("asyncio"),
    "trio": under("trio"),
}


# Whole runs


def required(legs: Sequence[bytes]) -> Iterator[str]:
    """Yield the name of each function call that a run waits for."""
    accumulator = Accumulator()
    for leg in legs:
        accumulator.feed_bytes(leg)
        accumulator.end()
        run: Run | None = accumulator.run
        action = run.required_action if run is not None else None
        for call in action.tool_calls if action is not None else ():
            function: Any = getattr(call, "function", None)
            yield function.name if function else ""


def tools(legs: Sequence[bytes], ran: list[str]) -> dict[str, Callable[..., str]]:
    """Build the functions that a run calls; each notes that it ran."""

    def build(name: str) -> Callable[..., str]:
        def function(**_: Any) -> str:
            ran.append(name)
            return "42"

        return function

    return {name: build(name) for name in required(legs)}


def converse(
    server: Server,
    script: Script,
    way: Way = by_itself,
    clock: Clock | None = None,
    max_legs: int = 32,
    **how: Any,
) -> tuple[Told, Place]:
    """Follow a run through all its legs; each function that it calls runs once a call."""
    place = server.add(script)
    ran: list[str] = []

    def make(api: Api, hear: Callable[[Change], None]) -> Any:
        return api.runs(recover=api.recovery(**how)).converse(
            place.thread_id,
            hear,
            assistant_id=place.assistant_id,
            tools=tools(script.legs, ran),
            include=[SEARCH_CONTENT],
            max_legs=max_legs,
        )

    told = way(server.url, make, clock)
    assert sorted(ran) == sorted(required(script.legs)) or told.error is not None
    return told, place


def unbroken(legs: Sequence[bytes], place: Place) -> Told:
    """Fold a run as it is streamed at a place if nothing is dropped."""
    accumulator = Accumulator()
    changes: list[Change] = []
    for body in rewritten(legs, place):
        changes += [*accumulator.feed_bytes(body.data), *accumulator.end()]
    return Told(accumulator.snapshot(), None, changes)


def frame_ends(leg: bytes) -> list[int]:
    """After how many bytes the frames of a leg end, from none of them to all."""
    return Body(leg).ends


# What was told


def story(changes: Sequence[Change]) -> list[str]:
    """Tell changes again, but for how the texts were cut and for what the run says beside.

    A text stands whole where its first fragment stood. What holds nothing is left out: a
    delta may say it where the whole object does not.
    """
    told: dict[tuple[object, ...], Any] = {}
    status = None
    for rank, change in enumerate(changes):
        said = to_wire(change)
        if isinstance(change, RunChanged):
            if change.run.status != status:
                told[rank,] = status = change.run.status
        elif "text" in said:
            text = said.pop("text")
            place = (type(change), *said.values())
            told[place] = told.get(place, "") + text
        else:
            told[rank,] = type(change).__name__, filled(said)
    return [f"{place} {said}" if place[1:] else str(said) for place, said in told.items()]


def course(changes: Sequence[Change]) -> list[str]:
    """Tell only in what order things began, and what became of the run."""
    kinds = StepOpened | MessageOpened | RunChanged | StreamEnded
    return story([change for change in changes if isinstance(change, kinds)])


def filled(value: Any) -> Any:
    """Leave out what holds nothing."""
    match value:
        case dict():
            items = {name: filled(item) for name, item in sorted(value.items())}
            return {name: item for name, item in items.items() if item}
        case list():
            return [filled(item) for item in value]
        case _:
            return value


def assert_same(told: Told, legs: Legs, place: Place, *, in_order: bool = True) -> None:
    """Hold a run to what it comes to if nothing is dropped."""
    whole = unbroken(legs, place)
    assert told.error is None
    assert told.snapshot == whole.snapshot
    ordered = list if in_order else sorted
    assert ordered(story(told.changes)) == ordered(story(whole.changes))
    assert course(told.changes) == course(whole.changes)
