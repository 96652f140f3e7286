"""Conversations: a run through all its legs, its calls answered on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import anyio
import pytest

from streamkit import (
    Accumulator,
    Change,
    LimitError,
    Limits,
    ResponseError,
    RunSnapshot,
    StreamEnded,
    ToolError,
    UsageError,
)
from streamkit.live import SEARCH_CONTENT
from tests.recorded import OWN
from tests.server import Answer, Operation, Place, Script, Server, rewritten, serve
from tests.shells import PEERS_WARNINGS, Shell, in_every_shell
from tests.streams import body, done, required, run, waiting

pytestmark = PEERS_WARNINGS

PARALLEL: Final = OWN["parallel-functions"]
THREE: Final = OWN["three-legs"]
TIDE, WIND = "call_bImm7xNotARealIdcE0gHn2N", "call_fSGCTsNotARealIdfXhnxnje"
STATION, DEPARTURES = "call_y70DxPNotARealIdDEcpSR1O", "call_3rsbbgNotARealId0iMQ10Mt"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as server:
        yield server
        server.wait_idle()


def folded(place: Place, legs: Sequence[bytes]) -> tuple[list[Change], RunSnapshot]:
    """What legs tell, and what they come to."""
    accumulator = Accumulator()
    changes: list[Change] = []
    for leg in rewritten(legs, place):
        changes += accumulator.feed_bytes(leg.data)
        changes += accumulator.end()
    return changes, accumulator.snapshot()


def submitted(server: Server, place: Place) -> list[Any]:
    """The bodies of all submissions."""
    return [noted.json for noted in server.requests(place) if noted.operation == "submit"]


def outputs(said: Mapping[str, str]) -> dict[str, Any]:
    """The body of a submission."""
    given = [{"tool_call_id": id, "output": output} for id, output in said.items()]
    return {"tool_outputs": given, "stream": True}


def ended(heard: Sequence[Change]) -> list[str]:
    """How the legs ended."""
    return [change.outcome for change in heard if isinstance(change, StreamEnded)]


def get_tide(port: str, date: str) -> dict[str, list[str]]:
    return {"low": [port, date]}


def get_wind(port: str, *, unit: str = "bft") -> str:
    return f"{port}: 11 {unit}"


async def get_wind_later(port: str, unit: str) -> str:
    await anyio.lowlevel.checkpoint()
    return get_wind(port, unit=unit)


def find_station(city: str) -> list[str]:
    return [city]


def next_departures(station: str, to: str, limit: int) -> None:
    return None


TOOLS: Final[dict[str, Callable[..., Any]]] = {
    "get_tide": get_tide,
    "get_wind": get_wind,
    "find_station": find_station,
    "next_departures": next_departures,
}
ANSWERED: Final = [
    pytest.param(
        PARALLEL,
        [{TIDE: '{"low":["Roscoff","2026-03-14"]}', WIND: "Roscoff: 11 knots"}],
        id="parallel-functions",
    ),
    pytest.param(THREE, [{STATION: '["Ghent"]'}, {DEPARTURES: "null"}], id="three-legs"),
    pytest.param(OWN["report"], [], id="report"),
]


# Whole runs


@in_every_shell()
@pytest.mark.parametrize(("legs", "answers"), ANSWERED)
def test_a_run_is_answered_to_its_end(
    server: Server, *, shell: Shell, legs: Sequence[bytes], answers: Sequence[Mapping[str, str]]
) -> None:
    place = server.add(Script(legs))
    heard: list[Change] = []
    tools = TOOLS | ({"get_wind": get_wind_later} if shell.is_async else {})
    ours = shell.ask(
        server.url,
        lambda runs: runs.converse(
            place.thread_id, heard.append, assistant_id=place.assistant_id, tools=tools
        ).until_done(),
    )
    changes, snapshot = folded(place, legs)
    assert ours == snapshot
    assert heard == changes
    assert ended(heard) == ["paused"] * len(answers) + ["complete"]
    create, *submits = server.requests(place)
    assert create.json == {"assistant_id": place.assistant_id, "stream": True}
    assert [noted.json for noted in submits] == [outputs(said) for said in answers]
    path = f"/v1/threads/{place.thread_id}/runs/{snapshot.run and snapshot.run.id}"
    for noted in submits:
        assert noted[:4] == ("submit", "POST", f"{path}/submit_tool_outputs", [])
    assert {noted.headers["openai-beta"] for noted in (create, *submits)} == {"assistants=v2"}


@in_every_shell()
@pytest.mark.parametrize(("legs", "answers"), ANSWERED)
def test_iterating_tells_the_same(
    server: Server, *, shell: Shell, legs: Sequence[bytes], answers: object
) -> None:
    place = server.add(Script(legs))
    heard: list[Change] = []
    accumulator = Accumulator()
    changes = shell.ask(
        server.url,
        lambda runs: runs.converse(
            place.thread_id,
            heard.append,
            assistant_id=place.assistant_id,
            tools=TOOLS,
            accumulator=accumulator,
        ),
    )
    assert (changes, accumulator.snapshot()) == folded(place, legs)
    assert heard == changes


@in_every_shell()
def test_what_the_request_says(server: Server, shell: Shell) -> None:
    place = server.add(Script(PARALLEL))
    definitions = [{"type": "function", "function": {"name": "get_tide"}}]
    fields = {"instructions": "é", "parallel_tool_calls": True, "metadata": {"a": "1"}}
    shell.ask(
        server.url,
        lambda runs: runs.converse(
            place.thread_id,
            assistant_id=place.assistant_id,
            tools=TOOLS,
            include=[SEARCH_CONTENT],
            definitions=iter(definitions),
            **fields,
        ).until_done(),
    )
    create, submit = server.requests(place)
    beginning = {"assistant_id": place.assistant_id, "stream": True, "tools": definitions}
    assert create.json == beginning | fields
    assert create.query == [("include[]", SEARCH_CONTENT)]
    assert submit.json.keys() == {"tool_outputs", "stream"}


@in_every_shell()
def test_limits_and_strictness_are_the_accumulators(server: Server, shell: Shell) -> None:
    place = server.add(Script(PARALLEL))
    accumulator = Accumulator(limits=Limits(frame_bytes=10))
    with pytest.raises(LimitError):
        shell.ask(
            server.url,
            lambda runs: runs.converse(
                place.thread_id,
                assistant_id=place.assistant_id,
                tools=TOOLS,
                accumulator=accumulator,
            ).until_done(),
        )


@in_every_shell()
def test_nothing_is_sent_where_a_rule_is_broken(server: Server, shell: Shell) -> None:
    def positional(a: int, /) -> None: ...

    asked: list[str] = []
    rows: list[dict[str, Any]] = [{"tools": {"a": positional}}, {"tools": {"a": None}}]
    rows += [{"tools": {}, "on_tool_error": "ignore"}, {"tools": {}, "stream": True}]
    rows += [] if shell.is_async else [{"tools": {"a": get_wind_later}}]
    for given in rows:
        with pytest.raises(UsageError):
            shell.ask(
                server.url,
                lambda runs: runs.converse("t", assistant_id="a", **given),  # noqa: B023
                asked=asked,
            )
    assert asked == []


# How many legs


@in_every_shell()
@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_bound_on_legs(server: Server, shell: Shell, most: int) -> None:
    place = server.add(Script(THREE))
    heard: list[Change] = []
    ran: list[str] = []

    def noting(name: str) -> Any:
        return lambda **arguments: ran.append(name)

    def converse(runs: Any) -> Any:
        return runs.converse(
            place.thread_id,
            heard.append,
            assistant_id=place.assistant_id,
            tools={name: noting(name) for name in TOOLS},
            max_legs=most,
        ).until_done()

    changes, snapshot = folded(place, THREE[:most])
    if most == 3:
        assert shell.ask(server.url, converse) == snapshot
    else:
        with pytest.raises(LimitError, match=rf"more than {most} legs \(max_legs\)") as caught:
            shell.ask(server.url, converse)
        assert caught.value.snapshot == snapshot
    assert heard == changes
    assert len(submitted(server, place)) == most - 1
    assert ran == ["find_station", "next_departures"][: most - 1]


# Failures on the way


def told(error: str) -> str:
    return f'{{"error":"{error}"}}'


def no_tide(port: str, date: str) -> str:
    raise OSError("no tide")


FAILING: Final[list[tuple[dict[str, Any], type[Exception], str, str]]] = [
    (
        {"get_wind": get_wind}, ToolError,
        "there is no tool 'get_tide'; there are: get_wind", "Roscoff: 11 knots",
    ),
    (
        {"get_tide": no_tide, "get_wind": get_wind}, OSError,
        "OSError: no tide", "Roscoff: 11 knots",
    ),
    (
        {"get_tide": lambda: "", "get_wind": lambda **_: 5}, ToolError,
        "the arguments of 'get_tide' do not fit: Object contains unknown field `port`", "5",
    ),
]  # fmt: skip


@in_every_shell()
@pytest.mark.parametrize(("tools", "error", "words", "other"), FAILING)
def test_a_failing_tool_is_reported_or_stops_the_run(
    server: Server,
    *,
    shell: Shell,
    tools: dict[str, Any],
    error: type[Exception],
    words: str,
    other: str,
) -> None:
    place = server.add(Script(PARALLEL))
    fields: dict[str, Any] = {"assistant_id": place.assistant_id, "tools": tools}
    reported = shell.ask(
        server.url, lambda runs: runs.converse(place.thread_id, **fields).until_done()
    )
    assert reported == folded(place, PARALLEL)[1]
    assert submitted(server, place) == [outputs({TIDE: told(words), WIND: other})]

    place = server.add(Script(PARALLEL))
    fields |= {"assistant_id": place.assistant_id, "on_tool_error": "stop"}
    heard: list[Change] = []
    with pytest.raises(error) as caught:
        shell.ask(
            server.url,
            lambda runs: runs.converse(place.thread_id, heard.append, **fields).until_done(),
        )
    assert submitted(server, place) == []
    changes, snapshot = folded(place, PARALLEL[:1])
    assert heard == changes
    if isinstance(caught.value, ToolError):
        assert caught.value.snapshot == snapshot
        assert (caught.value.call_id, caught.value.name) == (TIDE, "get_tide")


@in_every_shell()
def test_what_no_function_can_give(server: Server, shell: Shell) -> None:
    legs = OWN["mcp-approval"]
    place = server.add(Script(legs))
    heard: list[Change] = []
    for policy in ("report", "stop"):
        heard.clear()
        with pytest.raises(ToolError, match=r"no function can give \(mcp\)") as caught:
            shell.ask(
                server.url,
                lambda runs: runs.converse(
                    place.thread_id,
                    heard.append,
                    assistant_id=place.assistant_id,
                    tools=TOOLS,
                    on_tool_error=policy,  # noqa: B023
                ).until_done(),
            )
        changes, snapshot = folded(place, legs[:1])
        assert caught.value.snapshot == snapshot
        assert heard == changes
        assert ended(heard) == ["paused"]
        assert submitted(server, place) == []


@in_every_shell()
@pytest.mark.parametrize(("calls", "kinds"), [
    ([required("call_1"), {"id": "call_2", "type": "mcp"}], "function, mcp"),
    ([required("call_1"), {**required("call_2"), "id": None}], "function"),
    ([], "nothing it names"),
])  # fmt: skip
def test_all_can_be_answered_or_none_is_run(
    server: Server, *, shell: Shell, calls: list[Any], kinds: str
) -> None:
    legs = [body([run("created"), waiting(*calls), done()])]
    place = server.add(Script(legs))
    ran: list[str] = []
    with pytest.raises(ToolError, match=rf"\({kinds}\)"):
        shell.ask(
            server.url,
            lambda runs: runs.converse(
                place.thread_id,
                assistant_id=place.assistant_id,
                tools={"f": lambda: ran.append("f")},
            ).until_done(),
        )
    assert ran == []


FAILURE: Final = {"error": {"message": "Expected outputs.", "type": "t", "code": "c"}}


@in_every_shell()
@pytest.mark.parametrize(("operation", "legs"), [("create", 0), ("submit", 1)])
def test_a_request_is_refused(
    server: Server, *, shell: Shell, operation: Operation, legs: int
) -> None:
    place = server.add(Script(PARALLEL, answers={operation: [Answer(400, FAILURE)]}))
    heard: list[Change] = []
    with pytest.raises(ResponseError, match="Expected outputs") as caught:
        shell.ask(
            server.url,
            lambda runs: runs.converse(
                place.thread_id, heard.append, assistant_id=place.assistant_id, tools=TOOLS
            ).until_done(),
        )
    changes, snapshot = folded(place, PARALLEL[:legs])
    assert caught.value.status == 400
    assert caught.value.snapshot == snapshot
    assert heard == changes
    assert len(server.requests(place)) == legs + 1
