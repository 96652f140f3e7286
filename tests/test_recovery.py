"""Wherever a stream is dropped, the run comes to what it comes to unbroken; and tells the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Final, Literal

import httpx
import pytest

from streamkit import Change, ServerError, StepChanged, StreamEnded, TruncatedError
from streamkit.live import SEARCH_CONTENT
from tests.clocks import Clock
from tests.dropping import (
    PEERS_WARNINGS,
    WAYS,
    Api,
    Way,
    assert_same,
    converse,
    frame_ends,
    story,
    unbroken,
)
from tests.recorded import OWN
from tests.server import Fault, Place, Script, Server, serve

How = Literal["end", "abort"]
HOW: Final[tuple[How, How]] = ("abort", "end")

# Calls that were streamed in turns are found one after the other.
INTERLEAVED: Final = {"split-logs"}

pytestmark = PEERS_WARNINGS

on_every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as server:
        yield server
        server.wait_idle()


def dropped(
    server: Server, name: str, *faults: Fault, way: Way = WAYS["sync"], busy_polls: int = 0
) -> None:
    """Follow a recorded run that is dropped, and hold it to the unbroken one."""
    legs = OWN[name]
    told, place = converse(server, Script(legs, faults=faults, busy_polls=busy_polls), way)
    assert_same(told, legs, place, in_order=not busy_polls and name not in INTERLEAVED)
    asked = [request.operation for request in server.requests(place)]
    assert ("retrieve" in asked) == any(is_needed(legs[fault.leg], fault) for fault in faults)
    assert asked.count("create") == 1
    assert asked.count("submit") == len(legs) - 1


def is_needed(leg: bytes, fault: Fault) -> bool:
    """Whether a leg is cut before all is said but that it ends."""
    ends = frame_ends(leg)
    whole = len(leg[: ends[-2]].rstrip())
    return whole > (ends[fault.frames or 0] if fault.bytes is None else fault.bytes)


def within(leg: bytes, positions: int) -> Iterator[int]:
    """Yield so many places in each frame, spread over it."""
    for start, end in pairwise(frame_ends(leg)):
        for rank in range(1, positions + 1):
            yield start + (end - start) * rank // (positions + 1)


def spread(count: int, length: int) -> Iterator[int]:
    """Yield so many numbers up to a length, the first and the last among them."""
    return (length * rank // (count - 1) for rank in range(count))


# Every cut


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("leg", [0, 1])
def test_dropped_after_any_frame(server: Server, leg: int, how: How) -> None:
    frames = len(frame_ends(OWN["parallel-functions"][leg])) - 1
    for cut in range(frames):
        fault = Fault(leg, frames=cut, how=how)
        dropped(server, "parallel-functions", fault, busy_polls=cut % 4)


@pytest.mark.parametrize(("leg", "positions"), [(0, 3), (1, 1)])
def test_dropped_within_any_frame(server: Server, leg: int, positions: int) -> None:
    for rank, cut in enumerate(within(OWN["parallel-functions"][leg], positions)):
        fault = Fault(leg, bytes=cut, how=HOW[rank % 2])
        dropped(server, "parallel-functions", fault, busy_polls=rank % 4)


@pytest.mark.parametrize("leg", [0, 1, 2])
def test_dropped_in_any_of_three_legs(server: Server, leg: int) -> None:
    body = OWN["three-legs"][leg]
    for rank, (start, end) in enumerate(pairwise(frame_ends(body))):
        cut = (start, (start + end) // 2)[rank % 2]
        fault = Fault(leg, bytes=cut, how=HOW[rank // 2 % 2])
        dropped(server, "three-legs", fault, busy_polls=rank % 3)


BIG: Final = ["report", "file-search", "split-logs", "refusal", "failed", "incomplete", "crlf"]


@pytest.mark.parametrize("busy_polls", [0, 1, 3])
@pytest.mark.parametrize("name", [*BIG, "expired"])
def test_dropped_here_and_there(server: Server, name: str, busy_polls: int) -> None:
    (leg,) = OWN[name]
    ends = frame_ends(leg)
    for rank, cut in enumerate(spread(5, ends[-2] - 9)):
        fault = Fault(bytes=cut + busy_polls, how=HOW[rank % 2])
        dropped(server, name, fault, busy_polls=busy_polls)


@pytest.mark.parametrize("busy_polls", [0, 2])
@pytest.mark.parametrize("name", ["three-legs", "report", "file-search"])
@pytest.mark.parametrize("way", [WAYS["asyncio"], WAYS["trio"]], ids=["asyncio", "trio"])
def test_dropped_where_something_is_awaited(
    server: Server, name: str, way: Way, busy_polls: int
) -> None:
    for number, leg in enumerate(OWN[name]):
        for rank, cut in enumerate(spread(4, len(leg) - 40)):
            fault = Fault(number, bytes=cut, how=HOW[rank % 2])
            dropped(server, name, fault, way=way, busy_polls=busy_polls)


def test_dropped_between_the_halves_of_a_character(server: Server) -> None:
    (leg,) = OWN["emoji"]
    ends = frame_ends(leg)
    halves = [rank for rank, end in enumerate(ends) if leg[:end].endswith(b'\\ud83d"}}]}}\n\n')]
    assert halves
    for rank in halves:
        for cut in (ends[rank] - 1, ends[rank], ends[rank] + 1):
            dropped(server, "emoji", Fault(bytes=cut))


def test_dropped_where_frames_are_wrapped(server: Server) -> None:
    (whole,) = OWN["litellm"]
    (waits,) = [end for end in frame_ends(whole) if b"requires_action" in last_frame(whole[:end])]
    legs = (whole[:waits] + b"data: [DONE]\n\n", whole[waits:])
    for number, leg in enumerate(legs):
        for rank, cut in enumerate(spread(9, len(leg) - 40)):
            script = Script(legs, faults=[Fault(number, bytes=cut)], busy_polls=rank % 3)
            told, place = converse(server, script)
            # A null that was left out of the stream comes with the whole step.
            heard = [change for change in told.changes if not isinstance(change, StepChanged)]
            assert_same(told._replace(changes=heard), legs, place, in_order=False)


def last_frame(body: bytes) -> bytes:
    return body.rpartition(b"\n\ndata:")[2]


# More than one drop, and streams that do not even break


@on_every_way
def test_two_legs_are_dropped(server: Server, way: Way) -> None:
    faults = Fault(0, frames=7), Fault(1, bytes=333, how="end"), Fault(2, frames=20)
    dropped(server, "three-legs", *faults, way=way)
    dropped(server, "three-legs", *faults[1:], way=way, busy_polls=2)


# Longer than anything that does answer takes on a machine that is busy.
STALL: Final = 0.3


@on_every_way
def test_a_stream_that_stalls_is_dropped(server: Server, way: Way) -> None:
    legs = OWN["parallel-functions"]
    script = Script(legs, faults=[Fault(1, frames=30, how="stall")])
    told, place = converse(server, script, way, stall=STALL)
    assert_same(told, legs, place)
    server.wait_idle()


def test_only_streams_are_to_say_something_all_the_time(server: Server) -> None:
    timeouts: list[tuple[str, Any]] = []

    def note(request: httpx.Request) -> None:
        timeouts.append((request.method, request.extensions["timeout"]["read"]))

    place = server.add(Script(OWN["refusal"], faults=[Fault(frames=9)]))
    hooks = {"request": [note]}
    way = WAYS["sync"]
    told = way(server.url, created(place, recover=True, stall=7), timeout=9, event_hooks=hooks)
    assert_same(told, OWN["refusal"], place)
    assert timeouts == [("POST", 7), *[("GET", 9)] * 3]


@on_every_way
def test_the_timeout_of_the_client_is_heeded(server: Server, way: Way) -> None:
    (leg,) = OWN["refusal"]
    place = server.add(Script([leg], faults=[Fault(bytes=5000, how="stall")]))
    told = way(server.url, created(place, recover=True), timeout=STALL)
    assert_same(told, (leg,), place)


def test_each_leg_ends_once(server: Server) -> None:
    faults = [Fault(leg, frames=9) for leg in range(3)]
    told, _ = converse(server, Script(OWN["three-legs"], faults=faults))
    ends = [change.outcome for change in told.changes if isinstance(change, StreamEnded)]
    assert ends == ["paused", "paused", "complete"]


# Other ways in


def created(
    place: Place, *, recover: bool, stall: float | None = None
) -> Callable[[Api, Any], Any]:
    """Open a run by its URL."""

    def make(api: Api, hear: Callable[[Change], None]) -> Any:
        return api.open(
            "POST",
            f"/threads/{place.thread_id}/runs",
            hear,
            json={"assistant_id": place.assistant_id, "stream": True},
            recover=api.recovery(stall=stall) if recover else False,
            params={"include[]": SEARCH_CONTENT},
        )

    return make


@on_every_way
@pytest.mark.parametrize("frames", [0, 1, 5, 17, 33])
def test_a_url_is_opened(server: Server, way: Way, frames: int) -> None:
    legs = OWN["file-search"]
    place = server.add(Script(legs, faults=[Fault(frames=frames)], busy_polls=frames % 2))
    told = way(server.url, created(place, recover=True))
    assert_same(told, legs, place)


@on_every_way
def test_without_recovery_a_drop_is_the_end(server: Server, way: Way) -> None:
    (leg,) = OWN["report"]
    place = server.add(Script([leg], faults=[Fault(frames=40)]))
    told = way(server.url, created(place, recover=False))
    expected = unbroken([leg[: frame_ends(leg)[40]]], place)
    assert isinstance(told.error, TruncatedError)
    assert "RemoteProtocolError" in type(told.error.__cause__).__name__
    assert told.error.snapshot == told.snapshot == expected.snapshot
    assert story(told.changes) == story(expected.changes)
    assert [request.operation for request in server.requests(place)] == ["create"]


def test_converse_recovers_only_if_it_is_not_told_otherwise(server: Server) -> None:
    (leg,) = OWN["refusal"]
    for choice, method, is_recovered in [
        ((None, None), "converse", True),
        ((False, None), "converse", False),
        ((None, False), "converse", False),
        ((True, False), "converse", True),
        ((None, None), "stream", False),
        ((None, True), "stream", True),
        ((False, True), "stream", False),
    ]:
        place = server.add(Script([leg], faults=[Fault(frames=20)]))

        def make(
            api: Api,
            hear: Any,
            choice: Any = choice,
            method: str = method,
            place: Place = place,
        ) -> Any:
            own, others = (api.recovery() if each is True else each for each in choice)
            more: dict[str, Any] = {"tools": {}} if method == "converse" else {}
            open_ = getattr(api.runs(recover=others), method)
            name = place.assistant_id
            return open_(place.thread_id, hear, assistant_id=name, recover=own, **more)

        told = WAYS["sync"](server.url, make)
        assert (told.error is None) == is_recovered, (choice, method)


@on_every_way
@pytest.mark.parametrize("frames", [0, 1, 2, 9, 25])
def test_a_thread_is_created_with_its_run(server: Server, way: Way, frames: int) -> None:
    (leg,) = OWN["refusal"]
    thread = b'event: thread.created\ndata: {"id":"%s","object":"thread"}\n\n'
    id = leg.partition(b'"thread_id":"')[2].partition(b'"')[0]
    legs = (thread % id + leg,)
    place = server.add(Script(legs, faults=[Fault(frames=frames)]))

    def make(api: Api, hear: Callable[[Change], None]) -> Any:
        runs = api.runs(recover=api.recovery())
        return runs.stream_thread_and_run(hear, assistant_id=place.assistant_id)

    told = way(server.url, make)
    if frames:
        assert_same(told, legs, place)
    else:
        assert isinstance(told.error, TruncatedError)
        assert "which thread it had created" in str(told.error.__cause__)
        assert told.changes == [StreamEnded("truncated")]


# Runs that do not come to rest


@on_every_way
@pytest.mark.parametrize("name", ["cut", "error"])
def test_the_rest_is_not_asked_for_without_end(server: Server, way: Way, name: str) -> None:
    (leg,) = OWN[name]
    clock = Clock()
    script = Script([leg], faults=[Fault(frames=20)])
    told, place = converse(server, script, way, clock, within=100.0)
    assert isinstance(told.error, TruncatedError)
    assert "did not come to rest within 100 s" in str(told.error.__cause__)
    assert str(told.error).endswith(f"TruncatedError: {told.error.__cause__}")
    assert told.error.snapshot == told.snapshot
    assert told.changes[-1] == StreamEnded("truncated")
    assert told.changes.count(StreamEnded("truncated")) == 1
    assert told.snapshot.steps == unbroken([leg], place).snapshot.steps
    assert clock.now == 100.0


@on_every_way
def test_what_the_server_ends_by_an_error_is_not_asked_for(server: Server, way: Way) -> None:
    (leg,) = OWN["error"]
    told, place = converse(server, Script([leg]), way)
    expected = unbroken([leg], place)
    assert isinstance(told.error, ServerError)
    assert (told.snapshot, told.changes) == (expected.snapshot, expected.changes)
    assert [request.operation for request in server.requests(place)] == ["create"]


def test_a_drop_after_the_last_word_is_none(server: Server) -> None:
    (leg,) = OWN["refusal"]
    for fault in (Fault(frames=len(frame_ends(leg)) - 2), Fault(), Fault(how="stall")):
        told, place = converse(server, Script([leg], faults=[fault]))
        assert_same(told, (leg,), place)
        assert [request.operation for request in server.requests(place)] == ["create"]
