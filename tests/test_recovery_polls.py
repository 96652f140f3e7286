"""What befalls the asking itself: failures, refusals, whoever leaves, servers of another kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import anyio
import httpx
import pytest

from streamkit import (
    Accumulator,
    Change,
    DecodeError,
    MessageDone,
    ResponseError,
    StreamEnded,
    TruncatedError,
    UsageError,
)
from streamkit.live import Recovery, aopen_run, open_run
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
from tests.server import Answer, Fault, Operation, Place, Script, Server, serve
from tests.streams import (
    Wire,
    body,
    creation,
    done,
    frame,
    message,
    message_event,
    run_object,
    step_event,
    written,
)

pytestmark = PEERS_WARNINGS

REFUSAL: Final = OWN["refusal"]
DROP: Final = [Fault(frames=20)]
ENDS: Final = frame_ends(REFUSAL[0])

on_every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as server:
        yield server
        server.wait_idle()


def asked(server: Server, place: Place, *operations: Operation) -> int:
    """How often it was asked for these."""
    return sum(request.operation in operations for request in server.requests(place))


# Questions that fail

PASSING: Final = {
    "500": Answer(500),
    "502, no JSON": Answer(502, b"<html>"),
    "503": Answer(503, headers={"retry-after": "2"}),
    "429": Answer(429, headers={"retry-after-ms": "1500"}),
    "408": Answer(408),
    "aborted": Answer(abort=True),
}


@on_every_way
@pytest.mark.parametrize("operation", ["retrieve", "steps", "messages"])
@pytest.mark.parametrize("failure", PASSING.values(), ids=PASSING)
def test_failures_that_pass(
    server: Server, way: Way, failure: Answer, operation: Operation
) -> None:
    script = Script(REFUSAL, faults=DROP, answers={operation: [failure] * 2}, busy_polls=1)
    told, place = converse(server, script, way)
    assert_same(told, REFUSAL, place, in_order=False)


@on_every_way
@pytest.mark.parametrize("operation", ["retrieve", "steps", "messages"])
@pytest.mark.parametrize("status", [401, 403, 404])
def test_refusals(server: Server, way: Way, status: int, operation: Operation) -> None:
    error = {"error": {"message": "No.", "type": "t", "param": None, "code": "c"}}
    script = Script(REFUSAL, faults=DROP, answers={operation: [Answer(status, error)]})
    told, place = converse(server, script, way)
    expected = unbroken([REFUSAL[0][: ENDS[20]]], place)
    assert isinstance(told.error, TruncatedError)
    assert isinstance(told.error.__cause__, ResponseError)
    assert told.error.__cause__.status == status
    assert told.error.snapshot == told.snapshot == expected.snapshot
    assert story(told.changes) == story(expected.changes)
    assert asked(server, place, operation) == 1


@on_every_way
@pytest.mark.parametrize("failure", [Answer(500), Answer(abort=True)], ids=["500", "aborted"])
def test_failures_that_do_not_pass(server: Server, way: Way, failure: Answer) -> None:
    clock = Clock()
    script = Script(REFUSAL, faults=DROP, answers={"retrieve": [failure] * 99})
    told, place = converse(server, script, way, clock, within=60.0, first=1.0, most=8.0)
    assert isinstance(told.error, TruncatedError)
    cause = told.error.__cause__
    assert isinstance(cause, TruncatedError)
    assert isinstance(cause.__cause__, ResponseError | httpx.TransportError)
    assert clock.waits == [1, 2, 4, 8, 8, 8, 8, 8, 8, 5]
    assert asked(server, place, "retrieve") == len(clock.waits)
    assert told.changes.count(StreamEnded("truncated")) == 1


# Runs whose id was lost

OLDER: Final = {"id": "run_1", "status": "completed", "created_at": 1000}


@on_every_way
@pytest.mark.parametrize("older", [[], [OLDER], [OLDER, OLDER | {"id": "run_2"}]])
def test_the_run_that_is_under_way_is_found(server: Server, way: Way, older: Any) -> None:
    place = server.add(Script(REFUSAL, faults=[Fault(bytes=9)], busy_polls=5), older_runs=older)
    told = way(server.url, streamed(place))
    assert_same(told, REFUSAL, place, in_order=False)


@on_every_way
def test_the_only_run_is_found(server: Server, way: Way) -> None:
    place = server.add(Script(REFUSAL, faults=[Fault(frames=0)]))
    told = way(server.url, streamed(place))
    assert_same(told, REFUSAL, place)


@on_every_way
def test_a_run_among_several_is_not_guessed(server: Server, way: Way) -> None:
    older = [OLDER, OLDER | {"id": "run_2"}]
    place = server.add(Script(REFUSAL, faults=[Fault(frames=0)]), older_runs=older)
    told = way(server.url, streamed(place))
    assert isinstance(told.error, TruncatedError)
    assert "has 3 that it could be" in str(told.error.__cause__)
    assert told.changes == [StreamEnded("truncated")]
    assert asked(server, place, "retrieve") == 0


def streamed(place: Place) -> Callable[[Api, Any], Any]:
    def make(api: Api, hear: Callable[[Change], None]) -> Any:
        runs = api.runs(recover=api.recovery())
        return runs.stream(place.thread_id, hear, assistant_id=place.assistant_id)

    return make


# Runs that are only asked for


def begun(
    server: Server, script: Script, accumulator: Accumulator
) -> tuple[Place, str, list[Change]]:
    """Begin a run, hold what comes before its stream is dropped, and say what that changed."""
    place = server.add(script)
    changes: list[Change] = []
    with httpx.Client(base_url=server.url, headers={"OpenAI-Beta": "assistants=v2"}) as client:
        json = {"assistant_id": place.assistant_id, "stream": True}
        url = f"/threads/{place.thread_id}/runs"
        with client.stream("POST", url, json=json) as response:
            try:
                for chunk in response.iter_bytes():
                    changes += accumulator.feed_bytes(chunk)
            except httpx.RemoteProtocolError:
                pass
        (run,) = client.get(url).json()["data"]
        return place, run["id"], changes


def recovered(place: Place, run_id: str, accumulator: Accumulator | None) -> Any:
    def make(api: Api, hear: Callable[[Change], None]) -> Any:
        return api.runs().recover(
            place.thread_id, run_id, hear, accumulator=accumulator, recovery=api.recovery()
        )

    return make


@on_every_way
def test_a_run_is_recovered_from_nothing(server: Server, way: Way) -> None:
    script = Script(REFUSAL, faults=DROP, busy_polls=1)
    place, run_id, _ = begun(server, script, Accumulator())
    told = way(server.url, recovered(place, run_id, None))
    assert_same(told, REFUSAL, place, in_order=False)


@on_every_way
@pytest.mark.parametrize("place_of_cut", [ENDS[1], ENDS[9], ENDS[9] + 30, ENDS[30] - 1])
@pytest.mark.parametrize("is_ended", [False, True])
def test_a_run_is_recovered_from_its_beginning(
    server: Server, way: Way, place_of_cut: int, *, is_ended: bool
) -> None:
    accumulator = Accumulator()
    script = Script(REFUSAL, faults=[Fault(bytes=place_of_cut)], busy_polls=1)
    place, run_id, before = begun(server, script, accumulator)
    if is_ended:
        before += accumulator.end()[:-1]
    told = way(server.url, recovered(place, run_id, accumulator))
    whole = told._replace(changes=[*before, *told.changes])
    assert_same(whole, REFUSAL, place, in_order=False)


@on_every_way
def test_a_run_that_waited_is_recovered(server: Server, way: Way) -> None:
    legs = OWN["parallel-functions"]
    accumulator = Accumulator()
    place, run_id, _ = begun(server, Script(legs), accumulator)
    told = way(server.url, recovered(place, run_id, accumulator))
    assert (told.error, told.snapshot) == (None, unbroken(legs[:1], place).snapshot)
    assert told.changes == [StreamEnded("paused")]


@on_every_way
def test_a_run_that_is_not_there_is_not_recovered(server: Server, way: Way) -> None:
    place, _, _ = begun(server, Script(REFUSAL), Accumulator())
    told = way(server.url, recovered(place, "run_lost", None))
    assert isinstance(told.error, TruncatedError)
    assert isinstance(told.error.__cause__, ResponseError)
    assert told.changes == [StreamEnded("truncated")]


@on_every_way
def test_what_is_no_run_is_not_asked_for_again(server: Server, way: Way) -> None:
    script = Script(REFUSAL, faults=DROP, answers={"retrieve": [Answer(200, {})]})
    told, place = converse(server, script, way)
    assert isinstance(told.error, TruncatedError)
    assert isinstance(told.error.__cause__, DecodeError)
    assert asked(server, place, "retrieve") == 1


# Whoever leaves


class Boom(Exception):  # noqa: N818 - it says what it does
    """What the caller's code raises."""


@on_every_way
def test_an_observer_raises_at_what_was_restored(server: Server, way: Way) -> None:
    place = server.add(Script(REFUSAL, faults=DROP))
    heard: list[Change] = []

    def raising(change: Change) -> None:
        if isinstance(change, MessageDone):
            raise Boom

    def make(api: Api, _: Any) -> Any:
        runs = api.runs(recover=api.recovery())
        name = place.assistant_id
        return runs.stream(place.thread_id, raising, heard.append, assistant_id=name)

    with pytest.raises(Boom):
        way(server.url, make)
    assert heard[-1] == StreamEnded("truncated")
    assert sum(isinstance(change, StreamEnded) for change in heard) == 1
    server.wait_idle()


def test_the_block_is_left_during_the_asking(server: Server) -> None:
    place = server.add(Script(REFUSAL, faults=DROP, busy_polls=3))
    heard: list[Change] = []
    recovery = Recovery(sleep=lambda _: None)
    with httpx.Client(base_url=server.url) as client:
        with opened(open_run, client, place, heard.append, recovery) as stream:
            for _ in stream:
                if asked(server, place, "messages") == 2:
                    break
        assert heard[-1] == StreamEnded("truncated")
        assert heard.count(StreamEnded("truncated")) == 1
        assert stream.snapshot().outcome == "truncated"
    asked_then = len(server.requests(place))
    assert list(stream) == []
    assert len(server.requests(place)) == asked_then


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_task_is_cancelled_during_the_asking(
    server: Server, backend: str, number: int
) -> None:
    place = server.add(Script(REFUSAL, faults=DROP, busy_polls=3))
    heard: list[Change] = []

    async def follow() -> None:
        waits: list[float] = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) > number:
                scope.cancel()
            await anyio.lowlevel.checkpoint()

        async with httpx.AsyncClient(base_url=server.url) as client:
            with anyio.CancelScope() as scope:
                recovery = Recovery(sleep=sleep)
                async with opened(aopen_run, client, place, heard.append, recovery) as stream:
                    await stream.until_done()
            assert scope.cancelled_caught
            assert stream.snapshot().outcome == "truncated"

    anyio.run(follow, backend=backend)
    assert heard[-1] == StreamEnded("truncated")
    assert heard.count(StreamEnded("truncated")) == 1
    assert asked(server, place, "retrieve") == number
    server.wait_idle()


def opened(open_: Any, client: Any, place: Place, hear: Any, recovery: Recovery) -> Any:
    """Open a run by its URL."""
    return open_(
        client,
        "POST",
        f"/threads/{place.thread_id}/runs",
        hear,
        json={"assistant_id": place.assistant_id, "stream": True},
        headers={"OpenAI-Beta": "assistants=v2"},
        recover=recovery,
    )


# Where and how it is asked


@on_every_way
def test_what_cannot_be_asked_for_is_refused_at_once(way: Way) -> None:
    with pytest.raises(UsageError, match="must be one of the API's"):
        way("http://127.0.0.1:9", lambda api, hear: api.open("POST", "/x", hear, recover=True))


@on_every_way
@pytest.mark.parametrize("where", ["url", "params", "client"])
def test_azure_wants_its_key_and_version_with_every_question(
    server: Server, way: Way, where: str
) -> None:
    place = server.add(Script(REFUSAL, faults=DROP, busy_polls=1))
    version = {"api-version": "2024-05-01-preview"}
    query = "?api-version=2024-05-01-preview" if where == "url" else ""
    options = {"params": version} if where == "client" else {}

    def make(api: Api, hear: Callable[[Change], None]) -> Any:
        return api.open(
            "POST",
            f"/threads/{place.thread_id}/runs{query}",
            hear,
            json={"assistant_id": place.assistant_id, "stream": True},
            headers={"api-key": "k", "x-trace": "t"},
            params=version if where == "params" else None,
            recover=api.recovery(),
        )

    told = way(server.azure_url, make, **options)
    assert_same(told, REFUSAL, place, in_order=False)
    requests = server.requests(place)
    assert len(requests) > 3
    for request in requests:
        assert dict(request.query)["api-version"] == version["api-version"]
        assert (request.headers["api-key"], request.headers["x-trace"]) == ("k", "t")


def long_run(steps: int) -> bytes:
    """Write a run of so many steps, each of which creates a message."""
    of: Wire = {"run_id": "run_1", "thread_id": "thread_1", "assistant_id": "asst_1"}
    base: Wire = {
        "thread_id": "thread_1",
        "assistant_id": "asst_1",
        "created_at": 5,
        "started_at": 5,
    }
    said = [
        frame(f"thread.run.{now}", run_object(now, **base)) for now in ("queued", "in_progress")
    ]
    for number in range(steps):
        at: Wire = {**of, "created_at": 10 + number}
        names = f"step_{number}", f"msg_{number}"
        text = written(f"This is the {number}th.")
        for status, content in (("in_progress", ()), ("completed", (text,))):
            name = "created" if status == "in_progress" else status
            step = creation(*names, status=status, **at)
            whole = message(names[1], *content, status=status, **at)
            events = [step_event(name, step), message_event(name, whole)]
            said += events if name == "created" else events[::-1]
    return body([*said, frame("thread.run.completed", run_object("completed", **base)), done()])


@on_every_way
def test_steps_and_messages_come_in_pages(server: Server, way: Way) -> None:
    legs = (long_run(230),)
    told, place = converse(server, Script(legs, faults=[Fault(frames=11)]), way)
    assert_same(told, legs, place)
    assert len(told.snapshot.steps) == 230
    assert asked(server, place, "steps", "messages") == 6
