"""Conversations that break, or are left: no call is run twice, and no connection stays open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import anyio
import pytest

from streamkit import (
    ActionRequired,
    Change,
    ResponseError,
    RunSnapshot,
    StreamEnded,
    TruncatedError,
)
from streamkit.live import AsyncRuns, Recovery
from tests.recorded import OWN
from tests.server import Answer, Answers, Fault, Script, Server, serve
from tests.shells import ASYNC, PEERS_WARNINGS, Shell, in_every_shell
from tests.streams import body, done, required, run, waiting
from tests.test_converse import TOOLS, ended, folded, outputs, submitted

pytestmark = PEERS_WARNINGS

PARALLEL: Final = OWN["parallel-functions"]
THREE: Final = OWN["three-legs"]
# Asks at once, however often.
AT_ONCE: Final = Recovery(sleep=lambda _: None)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as server:
        yield server
        server.wait_idle()


def counting(ran: list[str]) -> dict[str, Callable[..., Any]]:
    """Build tools that note that they ran."""

    def build(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def tool(**arguments: Any) -> Any:
            ran.append(name)
            return function(**arguments)

        return tool

    return {name: build(name, function) for name, function in TOOLS.items()}


LOST: Final = Answer(abort=True, effect=True)


@in_every_shell()
@pytest.mark.parametrize(("answers", "faults", "submissions"), [
    pytest.param({"submit": [Answer(503)]}, [], 2, id="503"),
    pytest.param({"submit": [Answer(429, {}, {"retry-after": "1"})]}, [], 2, id="429"),
    pytest.param({"submit": [Answer(abort=True)]}, [], 2, id="aborted, unheard"),
    pytest.param({"submit": [LOST]}, [], 1, id="aborted, heard"),
    pytest.param({"submit": [Answer(500, effect=True)]}, [], 1, id="500, heard"),
    pytest.param({}, [Fault(0, frames=3), Fault(1, frames=3)], 1, id="both streams cut"),
    pytest.param({}, [Fault(0, frames=0, how="end")], 1, id="an empty stream"),
])  # fmt: skip
def test_no_call_is_run_twice(
    server: Server, *, shell: Shell, answers: Answers, faults: Sequence[Fault], submissions: int
) -> None:
    place = server.add(Script(PARALLEL, answers=answers, faults=faults))
    heard: list[Change] = []
    ran: list[str] = []
    ours = shell.ask(
        server.url,
        lambda runs: runs.converse(
            place.thread_id,
            heard.append,
            assistant_id=place.assistant_id,
            tools=counting(ran),
            recover=AT_ONCE,
        ).until_done(),
    )
    assert sorted(ran) == ["get_tide", "get_wind"]
    assert ours == folded(place, PARALLEL)[1]
    assert ended(heard) == ["paused", "complete"]
    first, *others = submitted(server, place)
    assert others == [first] * (submissions - 1)


@in_every_shell()
def test_an_id_that_comes_again_is_another_call(server: Server, shell: Shell) -> None:
    """Some servers count the calls of each leg anew; and some do not say the run's thread."""
    calls = [[required("call_1", "f", f'{{"n": {n}}}')] for n in range(3)]
    begun = [run("created"), run("in_progress")]
    legs = [body([*begun, waiting(*each), done()]) for each in calls]
    legs.append(body([run("in_progress"), run("completed"), done()]))
    place = server.add(Script(legs))
    ours = shell.ask(
        server.url,
        lambda runs: runs.converse(
            place.thread_id, assistant_id=place.assistant_id, tools={"f": lambda n: n}
        ).until_done(),
    )
    assert ours.outcome == "complete"
    assert submitted(server, place) == [outputs({"call_1": str(n)}) for n in range(3)]


@in_every_shell()
def test_a_submission_that_is_repeated_is_no_further_leg(server: Server, shell: Shell) -> None:
    place = server.add(Script(PARALLEL, answers={"submit": [Answer(503)]}))
    ours = shell.ask(
        server.url,
        lambda runs: runs.converse(
            place.thread_id,
            assistant_id=place.assistant_id,
            tools=TOOLS,
            recover=AT_ONCE,
            max_legs=len(PARALLEL),
        ).until_done(),
    )
    assert ours == folded(place, PARALLEL)[1]


async def without_waiting(seconds: float) -> None:
    await anyio.lowlevel.checkpoint()


@in_every_shell()
@pytest.mark.parametrize(("given", "of_runs", "recovers"), [
    (None, None, True),
    (None, AT_ONCE, True),
    (None, False, False),
    (True, False, True),
    (AT_ONCE, False, True),
    (False, None, False),
    (False, AT_ONCE, False),
])  # fmt: skip
def test_whether_a_broken_stream_is_gone_on_with(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    *,
    shell: Shell,
    given: Any,
    of_runs: Any,
    recovers: bool,
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("anyio.sleep", without_waiting)
    place = server.add(Script(PARALLEL, faults=[Fault(0, frames=3)]))

    def converse(runs: Any) -> Any:
        fields = {"assistant_id": place.assistant_id, "tools": TOOLS, "recover": given}
        return runs.converse(place.thread_id, **fields).until_done()

    if recovers:
        ours = shell.ask(server.url, converse, recover=of_runs)
        assert ours == folded(place, PARALLEL)[1]
        return
    with pytest.raises(TruncatedError) as caught:
        shell.ask(server.url, converse, recover=of_runs)
    assert caught.value.snapshot is not None
    assert caught.value.snapshot.outcome == "truncated"
    assert [noted.operation for noted in server.requests(place)] == ["create"]


@in_every_shell()
def test_a_second_refusal_is_raised(server: Server, shell: Shell) -> None:
    place = server.add(Script(PARALLEL, answers={"submit": [Answer(503), Answer(400)]}))
    ran: list[str] = []
    with pytest.raises(ResponseError) as caught:
        shell.ask(
            server.url,
            lambda runs: runs.converse(
                place.thread_id,
                assistant_id=place.assistant_id,
                tools=counting(ran),
                recover=AT_ONCE,
            ).until_done(),
        )
    assert caught.value.status == 400
    assert caught.value.snapshot == folded(place, PARALLEL[:1])[1]
    assert sorted(ran) == ["get_tide", "get_wind"]


@in_every_shell()
def test_a_result_with_half_a_character_is_submitted(server: Server, shell: Shell) -> None:
    place = server.add(Script(PARALLEL))
    tools = {name: lambda **_: "a\ud800" for name in TOOLS}
    shell.ask(
        server.url,
        lambda runs: runs.converse(
            place.thread_id, assistant_id=place.assistant_id, tools=tools
        ).until_done(),
    )
    (submission,) = submitted(server, place)
    assert [each["output"] for each in submission["tool_outputs"]] == ["a\ufffd"] * 2


# Left


@in_every_shell()
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_a_tool_that_ends_the_process(
    server: Server, *, shell: Shell, error: BaseException
) -> None:
    def tool(**_: object) -> None:
        raise error

    place = server.add(Script(THREE, linger=True))
    heard: list[Change] = []
    with pytest.raises((type(error), BaseExceptionGroup)):
        shell.ask(
            server.url,
            lambda runs: runs.converse(
                place.thread_id,
                heard.append,
                assistant_id=place.assistant_id,
                tools={"find_station": tool},
            ).until_done(),
        )
    assert ended(heard) == ["paused"]
    assert submitted(server, place) == []
    server.wait_idle()


@in_every_shell()
@pytest.mark.parametrize("leg", [0, 1, 2])
def test_an_observer_raises(server: Server, *, shell: Shell, leg: int) -> None:
    place = server.add(Script(THREE, linger=True))
    heard: list[Change] = []

    def observe(change: Change) -> None:
        if len(ended(heard)) == leg and not isinstance(change, StreamEnded):
            raise LookupError(leg)

    with pytest.raises(LookupError):
        shell.ask(
            server.url,
            lambda runs: runs.converse(
                place.thread_id,
                heard.append,
                observe,
                assistant_id=place.assistant_id,
                tools=TOOLS,
            ).until_done(),
        )
    assert ended(heard) == ["paused"] * leg + ["truncated"]
    assert len(submitted(server, place)) == leg
    server.wait_idle()


@in_every_shell()
def test_the_block_is_left_before_the_calls_are_run(server: Server, shell: Shell) -> None:
    """The leg has ended by then: the end is heard once, and nothing is run or submitted."""
    place = server.add(Script(PARALLEL, linger=True))
    first, _ = folded(place, PARALLEL[:1])
    heard: list[Change] = []
    ran: list[str] = []
    for most in (len(first) - 2, len(first) - 1, len(first)):
        heard.clear()
        changes = shell.ask(
            server.url,
            lambda runs: runs.converse(
                place.thread_id,
                heard.append,
                assistant_id=place.assistant_id,
                tools=counting(ran),
            ),
            most=most,
        )
        assert changes == first[:most]
        assert len(ended(heard)) == 1
    assert any(isinstance(change, ActionRequired) for change in first)
    assert ran == submitted(server, place) == []
    server.wait_idle()


@pytest.mark.parametrize("shell", ASYNC.values(), ids=ASYNC)
def test_the_task_is_cancelled_while_a_tool_runs(server: Server, shell: Shell) -> None:
    place = server.add(Script(PARALLEL, linger=True))
    heard: list[Change] = []
    seen: list[str] = []
    kept: list[RunSnapshot] = []

    async def converse(url: str) -> None:
        with anyio.CancelScope() as scope:

            async def leave(**_: object) -> None:
                scope.cancel()
                await anyio.lowlevel.checkpoint()

            async def wait(**_: object) -> None:
                try:
                    await anyio.sleep_forever()
                finally:
                    seen.append("cancelled")

            options = {"base_url": url, "trust_env": False, "verify": False}
            async with shell.library.AsyncClient(**options) as client:
                stream = AsyncRuns(client).converse(
                    place.thread_id,
                    heard.append,
                    assistant_id=place.assistant_id,
                    tools={"get_tide": leave, "get_wind": wait},
                )
                try:
                    await stream.until_done()
                finally:
                    kept.append(stream.snapshot())
        assert scope.cancelled_caught

    anyio.run(converse, server.url, backend=shell.backend or "")
    changes, snapshot = folded(place, PARALLEL[:1])
    assert (seen, kept, heard) == (["cancelled"], [snapshot], changes)
    assert submitted(server, place) == []
    server.wait_idle()
