"""Streams of runs that break: which methods go on with them, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from streamkit import Accumulator, Change, TruncatedError
from streamkit.live import SEARCH_CONTENT, Recovery
from tests.recorded import OWN
from tests.server import Fault, Place, Script, Server, serve
from tests.shells import PEERS_WARNINGS, Shell, in_every_shell
from tests.test_converse import ended, folded

pytestmark = PEERS_WARNINGS

SEARCH: Final = OWN["file-search"]
PARALLEL: Final = OWN["parallel-functions"]
# Asks at once, however often.
AT_ONCE: Final = Recovery(sleep=lambda _: None)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as server:
        yield server
        server.wait_idle()


METHODS: Final[dict[str, Any]] = {
    "stream": lambda runs, place, *heard, **fields: runs.stream(
        place.thread_id,
        *heard,
        assistant_id=place.assistant_id,
        include=[SEARCH_CONTENT],
        **fields,
    ),
    "stream_thread_and_run": lambda runs, place, *heard, **fields: runs.stream_thread_and_run(
        *heard, assistant_id=place.assistant_id, **fields
    ),
}


@in_every_shell()
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("given", "of_runs", "recovers"), [
    (None, None, False),
    (None, False, False),
    (False, AT_ONCE, False),
    (None, AT_ONCE, True),
    (AT_ONCE, None, True),
    (AT_ONCE, False, True),
])  # fmt: skip
def test_where_it_is_asked_for(
    server: Server, *, shell: Shell, method: str, given: Any, of_runs: Any, recovers: bool
) -> None:
    place = server.add(Script(SEARCH, faults=[Fault(frames=4)]))
    heard: list[Change] = []

    def follow(runs: Any) -> Any:
        return METHODS[method](runs, place, heard.append, recover=given).until_done()

    if not recovers:
        with pytest.raises(TruncatedError):
            shell.ask(server.url, follow, recover=of_runs)
        assert ended(heard) == ["truncated"]
        return
    ours = shell.ask(server.url, follow, recover=of_runs)
    assert ended(heard) == ["complete"]
    (steps,) = [each for each in server.requests(place) if each.operation == "steps"]
    is_included = ("include[]", SEARCH_CONTENT) in steps.query
    assert is_included is (method == "stream")
    if is_included:
        assert ours == folded(place, SEARCH)[1]


def wait(server: Server, shell: Shell, place: Place, accumulator: Accumulator) -> Any:
    """Let a run come to where it waits, and say what for."""
    paused = shell.ask(
        server.url,
        lambda runs: runs.stream(
            place.thread_id, assistant_id=place.assistant_id, accumulator=accumulator
        ).until_done(),
    )
    return paused.run.id, {call.id: "" for call in paused.run.required_action.tool_calls}


@in_every_shell()
@pytest.mark.parametrize(("given", "of_runs", "recovers"), [
    (None, None, False),
    (False, AT_ONCE, False),
    (None, AT_ONCE, True),
    (AT_ONCE, False, True),
])  # fmt: skip
def test_a_later_leg(
    server: Server, *, shell: Shell, given: Any, of_runs: Any, recovers: bool
) -> None:
    place = server.add(Script(PARALLEL, faults=[Fault(1, frames=4)]))
    accumulator = Accumulator()
    run_id, outputs = wait(server, shell, place, accumulator)

    def follow(runs: Any) -> Any:
        return runs.stream_tool_outputs(
            place.thread_id,
            run_id,
            tool_outputs=outputs,
            accumulator=accumulator,
            recover=given,
        ).until_done()

    if recovers:
        ours = shell.ask(server.url, follow, recover=of_runs)
        assert ours == folded(place, PARALLEL)[1]
        return
    with pytest.raises(TruncatedError):
        shell.ask(server.url, follow, recover=of_runs)


@in_every_shell()
@pytest.mark.parametrize(("of_runs", "is_told"), [
    (None, True),
    (False, True),
    (True, True),
    (True, False),
])  # fmt: skip
def test_a_run_without_its_stream(
    server: Server, *, shell: Shell, of_runs: Any, is_told: bool
) -> None:
    """Whether or not recovering is wanted elsewhere, here it is asked for by name."""
    waits: list[float] = []
    at_once = Recovery(sleep=waits.append)
    of_runs = of_runs if is_told else at_once
    place = server.add(Script(SEARCH))
    run = shell.ask(
        server.url, lambda runs: runs.create(place.thread_id, assistant_id=place.assistant_id)
    )
    heard: list[Change] = []
    accumulator = Accumulator()
    ours = shell.ask(
        server.url,
        lambda runs: runs.recover(
            place.thread_id,
            run.id,
            heard.append,
            include=[SEARCH_CONTENT],
            accumulator=accumulator,
            recovery=at_once if is_told else None,
        ).until_done(),
        recover=of_runs,
    )
    expected = folded(place, SEARCH)[1]
    assert (ours.run, ours.steps, ours.messages) == (
        expected.run, expected.steps, expected.messages,
    )  # fmt: skip
    assert ours == accumulator.snapshot()
    assert ended(heard) == ["complete"]
    assert len(waits) == 1
    _, look, *rest = server.requests(place)
    assert look.path == f"/v1/threads/{place.thread_id}/runs/{run.id}"
    assert [each.operation for each in (look, *rest)] == ["retrieve", "steps", "messages"]
    assert all(each.headers["openai-beta"] == "assistants=v2" for each in (look, *rest))
