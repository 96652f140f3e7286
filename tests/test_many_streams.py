"""Many streams at once, and slow observers: no hidden tasks, and nothing that piles up."""

from __future__ import annotations

import asyncio
import gc
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any, Final

import anyio
import anyio.to_thread
import httpx
import pytest
import trio

from streamkit import Change, RunSnapshot
from tests.living import FORMS, UNFINISHED, Form, accumulated, create, idle, serving
from tests.recorded import OWN
from tests.server import Place, Script, Server
from tests.streams import body, code, done, run, step_created, step_delta

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings(UNFINISHED)]

ASYNC: Final = [FORMS["asyncio"], FORMS["trio"]]
MANY: Final = 100
NAMES: Final = ["report", "three-legs", "emoji", "refusal"]

# Of some megabytes, in frames of ten kilobytes: much more than the system's buffers hold.
SIZE: Final = 10_000
FRAMES: Final = 1_500
LONG: Final = body(
    [
        run("created"),
        step_created(),
        *(step_delta("step_1", code(0, "x" * SIZE, id="call_1")) for _ in range(FRAMES)),
        run("completed"),
        done(),
    ]
)
# What may lie between the server's script and a client that does not read: buffers of the
# system's, of the server's and of the client's; a third of a megabyte was seen.
BETWEEN: Final = 2_000_000


@pytest.fixture(params=ASYNC, ids=["asyncio", "trio"])
def form(request: pytest.FixtureRequest) -> Form:
    form: Form = request.param
    return form


@pytest.fixture
def anyio_backend(form: Form) -> str:
    return form.backend


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def count_tasks(form: Form) -> int:
    """Say how many tasks there are."""
    if form.backend == "trio":
        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks())


async def test_a_hundred_at_once(form: Form, server: Server) -> None:
    legs = [OWN[NAMES[n % len(NAMES)]][:1] for n in range(MANY)]
    places = [server.add(Script(each)) for each in legs]
    found: dict[Place, RunSnapshot] = {}
    begun: list[Place] = []
    all_have_begun = anyio.Event()
    tasks: set[int] = set()
    threads: set[str] = set()

    async def follow(place: Place) -> None:
        async def observe(change: Change) -> None:
            if place not in begun:
                begun.append(place)
                if len(begun) == MANY:
                    all_have_begun.set()
                await all_have_begun.wait()
                tasks.add(count_tasks(form))
                threads.update(each.name for each in threading.enumerate())

        found[place] = await form.open(client, create(place), observe).until_done()

    async with form.client(server, limits=httpx.Limits(max_connections=MANY)) as client:
        before = count_tasks(form), {each.name for each in threading.enumerate()}
        async with anyio.create_task_group() as group:
            for place in places:
                group.start_soon(follow, place)
        await idle(server)
    # The first of them counts while all are there. trio finds addresses in a thread or two.
    assert max(tasks) == before[0] + MANY
    assert len(threads - before[1]) < MANY / 10
    assert found == {
        place: accumulated(each, place)[1] for place, each in zip(places, legs, strict=True)
    }


def check_whole(snapshot: RunSnapshot) -> None:
    """All of the long run was received."""
    (call,) = snapshot.steps[0].step_details.tool_calls  # type: ignore[union-attr]
    assert len(call.code_interpreter.input) == SIZE * FRAMES  # type: ignore[union-attr]
    assert snapshot.outcome == "complete"


async def follow_slowly(form: Form, server: Server, place: Place) -> tuple[int, int]:
    """Follow a long run, with a pause; say what was sent until then, and what memory it took."""
    paused = anyio.Event()
    go_on = anyio.Event()
    heard = 0
    sent_before = server.sent(place)

    async def observe(change: Change) -> None:
        nonlocal heard
        heard += 1
        if heard == 5:
            paused.set()
            await go_on.wait()

    async with form.client(server) as client:
        stream = form.open(client, create(place), observe)
        async with anyio.create_task_group() as tasks:
            before = tracemalloc.get_traced_memory()[0]
            tasks.start_soon(stream.until_done)
            await paused.wait()
            await anyio.to_thread.run_sync(server.wait_paused)
            sent = server.sent(place) - sent_before
            grown = tracemalloc.get_traced_memory()[0] - before
            assert heard == 5
            go_on.set()
        await idle(server)
    check_whole(stream.snapshot())
    return sent, grown


async def test_a_slow_observer_makes_the_server_wait(form: Form, server: Server) -> None:
    place = server.add(Script([LONG]))
    sent, _ = await follow_slowly(form, server, place)
    assert sent < BETWEEN
    assert server.sent(place) == len(LONG)


async def test_while_an_observer_waits_nothing_piles_up(form: Form, server: Server) -> None:
    place = server.add(Script([LONG]))
    await follow_slowly(form, server, place)  # the server prepares its script
    gc.collect()
    tracemalloc.start()
    try:
        sent, grown = await follow_slowly(form, server, place)
    finally:
        tracemalloc.stop()
    assert sent < BETWEEN
    assert grown < BETWEEN  # both ends of the connection are in this process


@pytest.mark.parametrize("form", [FORMS["sync"]])
async def test_who_iterates_slowly_makes_the_server_wait(form: Form, server: Server) -> None:
    place = server.add(Script([LONG]))
    async with form.client(server) as client, form.open(client, create(place)) as stream:
        for _ in range(5):
            await anext(stream)
        server.wait_paused()
        assert server.sent(place) < BETWEEN
        check_whole(await stream.until_done())
    server.wait_idle()
    assert server.sent(place) == len(LONG)


async def test_whoever_waits_holds_up_nobody_else(form: Form, server: Server) -> None:
    slow, quick = server.add(Script([LONG])), server.add(Script(OWN["report"]))
    paused = anyio.Event()
    go_on = anyio.Event()

    async def observe(_: Any) -> None:
        paused.set()
        await go_on.wait()

    async with form.client(server, limits=httpx.Limits(max_connections=2)) as client:
        stream = form.open(client, create(slow), observe)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stream.until_done)
            await paused.wait()
            other = await form.open(client, create(quick)).until_done()
            go_on.set()
    assert other == accumulated(OWN["report"], quick)[1]
    check_whole(stream.snapshot())
