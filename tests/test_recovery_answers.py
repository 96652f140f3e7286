"""Where the answer to a run's calls is lost: outputs arrive, and no function runs twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from streamkit import LimitError, PeerError, ResponseError, StreamEnded
from tests.clocks import Clock
from tests.dropping import (
    PEERS_WARNINGS,
    WAYS,
    Api,
    Told,
    Way,
    assert_same,
    converse,
    story,
    unbroken,
)
from tests.recorded import OWN
from tests.server import Answer, Fault, Script, Server, serve
from tests.streams import (
    Wire,
    body,
    done,
    function_call,
    required,
    run,
    step,
    step_completed,
    step_event,
    waiting,
)

pytestmark = PEERS_WARNINGS

LEGS: Final = OWN["parallel-functions"]
TOOLS: Final = "get_tide", "get_wind"

on_every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as server:
        yield server
        server.wait_idle()


def operations(server: Server, place: Any) -> list[str | None]:
    """What was asked, but for what goes with each look at the run."""
    asked = [request.operation for request in server.requests(place)]
    return [each for each in asked if each not in ("steps", "messages")]


def outputs(server: Server, place: Any) -> list[Any]:
    """The bodies of all submissions."""
    return [request.json for request in server.requests(place) if request.operation == "submit"]


def ended_once(told: Told) -> Told:
    """Leave out the ends of legs that said nothing."""
    pairs = zip([None, *told.changes], told.changes, strict=False)
    ends = (StreamEnded("paused"),) * 2
    return told._replace(changes=[change for pair in pairs for change in pair[1:] if pair != ends])


LOST: Final = {
    "aborted": Answer(abort=True),
    "500": Answer(500),
    "502, no JSON": Answer(502, b"<html>Bad gateway</html>"),
    "503": Answer(503, headers={"retry-after": "3"}),
    "429": Answer(429, {"error": {"message": "Slow down."}}, {"retry-after": "7"}),
}


@on_every_way
@pytest.mark.parametrize("busy_polls", [0, 2])
@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
def test_the_outputs_had_arrived(server: Server, way: Way, lost: Answer, busy_polls: int) -> None:
    had_effect = Answer(lost.status, lost.body, lost.headers, abort=lost.abort, effect=True)
    script = Script(LEGS, answers={"submit": [had_effect]}, busy_polls=busy_polls)
    told, place = converse(server, script, way)
    assert_same(told, LEGS, place, in_order=False)
    assert operations(server, place) == ["create", "submit", *["retrieve"] * (busy_polls + 1)]


@on_every_way
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
def test_the_outputs_had_not_arrived(server: Server, way: Way, lost: Answer, times: int) -> None:
    script = Script(LEGS, answers={"submit": [lost] * times})
    told, place = converse(server, script, way)
    assert_same(ended_once(told), LEGS, place, in_order=False)
    asked = operations(server, place)
    assert asked.count("submit") == times + 1
    assert asked[-1] == "submit"
    first, *others = outputs(server, place)
    assert others == [first] * times


@on_every_way
def test_no_leg_ends_twice(server: Server, way: Way) -> None:
    script = Script(LEGS, answers={"submit": [Answer(503)]})
    told, _ = converse(server, script, way)
    ends = [change.outcome for change in told.changes if isinstance(change, StreamEnded)]
    assert ends == ["paused", "complete"]


@on_every_way
def test_some_arrive_and_some_do_not(server: Server, way: Way) -> None:
    lost = Answer(abort=True)
    arrived = Answer(500, effect=True)
    legs = OWN["three-legs"]
    faults = [Fault(0, frames=5), Fault(2, frames=9, how="end")]
    script = Script(legs, faults=faults, answers={"submit": [lost, lost, arrived]}, busy_polls=1)
    told, place = converse(server, script, way)
    assert_same(ended_once(told), legs, place, in_order=False)
    assert len(outputs(server, place)) == 4


@pytest.mark.parametrize("header", [{"retry-after": "30"}, {"retry-after-ms": "30000"}])
def test_the_server_is_not_asked_sooner_than_it_wants(
    server: Server, header: dict[str, str]
) -> None:
    clock = Clock()
    script = Script(LEGS, answers={"submit": [Answer(429, headers=header)]})
    told, place = converse(server, script, clock=clock)
    assert_same(ended_once(told), LEGS, place, in_order=False)
    assert clock.waits[0] >= 30.0


@on_every_way
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
def test_refused_outputs_are_an_error(server: Server, way: Way, status: int) -> None:
    script = Script(LEGS, answers={"submit": [Answer(status)]})
    told, place = converse(server, script, way)
    expected = unbroken(LEGS[:1], place)
    assert isinstance(told.error, ResponseError)
    assert told.error.status == status
    assert told.error.snapshot == told.snapshot == expected.snapshot
    assert told.changes == expected.changes
    assert told.changes[-1] == StreamEnded("paused")
    assert operations(server, place) == ["create", "submit"]


@on_every_way
def test_without_recovery_lost_outputs_are_an_error(server: Server, way: Way) -> None:
    place = server.add(Script(LEGS, answers={"submit": [Answer(503)]}))
    ran: list[int] = []

    def tool(**_: Any) -> str:
        ran.append(1)
        return "42"

    def make(api: Api, hear: Any) -> Any:
        return api.runs().converse(
            place.thread_id,
            hear,
            assistant_id=place.assistant_id,
            tools=dict.fromkeys(TOOLS, tool),
            recover=False,
        )

    told = way(server.url, make)
    assert isinstance(told.error, ResponseError)
    assert told.snapshot.outcome == "paused"
    assert operations(server, place) == ["create", "submit"]


@on_every_way
def test_a_lost_request_is_no_leg(server: Server, way: Way) -> None:
    script = Script(LEGS, answers={"submit": [Answer(503)]})
    told, place = converse(server, script, way, max_legs=2)
    assert_same(told, LEGS, place, in_order=False)


@on_every_way
def test_outputs_that_never_arrive_are_an_error_at_last(server: Server, way: Way) -> None:
    script = Script(LEGS, answers={"submit": [Answer(503)] * 999})
    told, place = converse(server, script, way)
    assert isinstance(told.error, PeerError)
    assert told.error.snapshot == told.snapshot
    assert ended_once(told).changes == unbroken(LEGS[:1], place).changes
    assert len(outputs(server, place)) < 100


@on_every_way
@pytest.mark.parametrize("fault", [Fault(how="end"), Fault(frames=7)], ids=["whole", "dropped"])
def test_the_bound_on_legs_is_the_same_after_a_drop(
    server: Server, way: Way, fault: Fault
) -> None:
    told, place = converse(server, Script(LEGS, faults=[fault]), way, max_legs=1)
    expected = unbroken(LEGS[:1], place)
    assert isinstance(told.error, LimitError)
    assert told.error.snapshot == told.snapshot == expected.snapshot
    assert story(told.changes) == story(expected.changes)


class Boom(OSError):  # noqa: N818 - it says what it does
    """What a function raises, and a broken connection might."""


@on_every_way
@pytest.mark.parametrize("fault", [Fault(how="end"), Fault(frames=7)], ids=["whole", "dropped"])
def test_what_a_function_raises_is_no_failure_of_the_stream(
    server: Server, way: Way, fault: Fault
) -> None:
    place = server.add(Script(LEGS, faults=[fault]))

    def tool(**_: Any) -> str:
        raise Boom

    def make(api: Api, hear: Any) -> Any:
        return api.runs(recover=api.recovery()).converse(
            place.thread_id,
            hear,
            assistant_id=place.assistant_id,
            tools=dict.fromkeys(TOOLS, tool),
            on_tool_error="stop",
        )

    with pytest.raises(Boom):
        way(server.url, make)
    assert "submit" not in operations(server, place)


@on_every_way
@pytest.mark.parametrize("submit", [[], [Answer(500, effect=True)]], ids=["taken", "lost"])
def test_a_call_of_the_same_id_in_a_later_leg_is_another_call(
    server: Server, way: Way, submit: list[Answer]
) -> None:
    first, second, last = (
        run(now, started_at=1) for now in ("in_progress", "queued", "completed")
    )
    waits = [waiting(required("call_1")), done()]
    other = [waiting(required("call_1", arguments='{"a":1}')), done()]
    legs = (
        body([first, *waits]),
        body([second, first, *other]),
        body([second, first, last, done()]),
    )
    told, place = converse(server, Script(legs, answers={"submit": submit}), way)
    assert_same(told, legs, place, in_order=False)


SEARCHED: Final[Wire] = {
    "id": "call_s",
    "type": "file_search",
    "file_search": {
        "results": [
            {
                "file_id": "file_1",
                "file_name": "a.md",
                "score": 0.5,
                "content": [{"type": "text", "text": "A passage."}],
            }
        ]
    },
}


@on_every_way
@pytest.mark.parametrize("cut", [0, 1, 2])
def test_what_was_included_is_included_in_every_leg(server: Server, way: Way, cut: int) -> None:
    at: Wire = {"run_id": "run_1", "thread_id": "thread_1", "assistant_id": "asst_1"}
    about = {**at, "created_at": 1, "started_at": 1}
    action = {
        "type": "submit_tool_outputs",
        "submit_tool_outputs": {"tool_calls": [required("call_f")]},
    }
    waits = run("requires_action", required_action=action, **about)
    function = step("step_2", function_call("call_f", "f", "{}"), created_at=3, **at)
    first = [
        run("in_progress", **about),
        step_event("created", step("step_1", created_at=2, **at)),
        step_completed("step_1", SEARCHED, created_at=2, **at),
        step_event("created", function),
        waits,
        done(),
    ]
    second = [
        step_completed("step_2", function_call("call_f", "f", "{}", "42"), created_at=3, **at),
        run("queued", **about),
        run("in_progress", **about),
        step_event("created", step("step_3", created_at=4, **at)),
        step_completed("step_3", SEARCHED, created_at=4, **at),
        run("completed", **about),
        done(),
    ]
    legs = (body(first), body(second))
    told, place = converse(server, Script(legs, faults=[Fault(1, frames=cut)]), way)
    assert_same(told, legs, place, in_order=False)
