"""The times and the faults of what the transport plays, as clients of both libraries see them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import anyio
import httpx
import httpx2
import pytest

from streamkit import UsageError, accumulate, to_wire
from streamkit.recording import Chunk, Leg, Recording
from streamkit.testing.faults import (
    Corrupt,
    Crlf,
    Cut,
    Drop,
    Duplicate,
    ErrorEvent,
    Fault,
    Keepalives,
    Reorder,
    Split,
    Stall,
    Status,
)
from streamkit.testing.streams import Stream
from streamkit.testing.transports import MockTransport
from tests.asking import (
    ASKING,
    FORMS,
    PLAIN,
    RUN,
    Form,
    aopened,
    ask,
    bodies,
    create,
    on_every_form,
    opened,
    submitted,
)


def told(source: Any, *faults: Any) -> bytes:
    """What a stream of the first leg tells, or as much of it as there is."""
    chunks: list[bytes] = []
    with suppress(Exception):
        chunks.extend(Stream(Recording(legs=Stream(source).recording.legs[:1]), faults=faults))
    return b"".join(chunks)


# Time


TIMED: Final = Recording(
    legs=[
        Leg(
            chunks=[
                Chunk(b"event: a\ndata: {}\n\n", after) for after in (0.5, 0.1, 0.3, None, 7.0)
            ],
            end_after=0.2,
        )
    ],
    form="timed",
)


@on_every_form
@pytest.mark.parametrize(
    ("options", "waits"),
    [
        ({"speed": 1}, [0.5, 0.1, 0.3, 7.0, 0.2]),
        ({"speed": 4}, [0.125, 0.025, 0.075, 1.75, 0.05]),
        ({"speed": 1, "max_gap": 0.4}, [0.4, 0.1, 0.3, 0.4, 0.2]),
        ({"speed": 2, "max_gap": 0.4}, [0.2, 0.05, 0.15, 0.2, 0.1]),
        ({}, []),
    ],
)
def test_its_own_times(form: Form, options: Any, waits: list[float]) -> None:
    slept: list[float] = []
    transport = MockTransport(TIMED, sleep=slept.append, **options)
    heard = ask(form, transport, timeout=None, **create())
    assert slept == waits
    assert len(heard.chunks) == 5


def test_a_gap_where_nobody_noted_any() -> None:
    slept: list[float] = []
    transport = MockTransport(RUN, gap=0.02, speed=1, sleep=slept.append)
    heard = ask(PLAIN, transport, **create())
    assert slept == [0.02] * len(heard.chunks)


def test_a_sleep_may_be_awaited() -> None:
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await anyio.lowlevel.checkpoint()

    ask(Form(httpx, "trio"), MockTransport(TIMED, speed=1, sleep=sleep), **create(), timeout=None)
    assert len(slept) == 5


@on_every_form
def test_waits_are_really_waited_for(form: Form) -> None:
    recording = Recording(legs=[Leg(chunks=[Chunk(b"data: 1\n\n", 0.001)] * 3)])
    assert len(ask(form, MockTransport(recording, speed=1), **create()).chunks) == 3


@on_every_form
def test_a_wait_longer_than_the_clients_patience(form: Form) -> None:
    slept: list[float] = []
    transport = MockTransport(TIMED, speed=1, sleep=slept.append)
    heard = ask(form, transport, timeout=1, **create())
    assert isinstance(heard.error, form.library.ReadTimeout)
    assert (len(heard.chunks), slept) == (4, [0.5, 0.1, 0.3, 1])


# Faults


REWRITES: Final[Sequence[Fault]] = (
    Drop(frames=(3, 5)),
    Duplicate(share=0.5, seed=1),
    Reorder(share=0.5, seed=1),
    Corrupt(frames=(4,)),
    Split(size=1),
    Crlf(),
    Keepalives(every=2),
)


@on_every_form
@pytest.mark.parametrize("fault", REWRITES, ids=str)
def test_rewrites(form: Form, fault: Fault) -> None:
    heard = ask(form, MockTransport(RUN, faults=[fault]), **create())
    assert heard.body == told(RUN, fault)
    assert heard.error is None
    assert fault == Split(size=1) or heard.body != told(RUN)
    assert fault != Split(size=1) or {len(chunk) for chunk in heard.chunks} == {1}


STOPS: Final[Sequence[tuple[Any, str | None]]] = (
    (Cut(frames=9), None),
    (Cut(frames=9, inside=True), None),
    (Cut(bytes=321, how="abort"), "ReadError"),
    (Cut(frames=0, how="abort"), "ReadError"),
    (Cut(seed=7), None),
    (ErrorEvent(frames=4, message="Overloaded."), None),
    (Stall(frames=9), "ReadTimeout"),
    (Stall(frames=9, seconds=3600), "ReadTimeout"),
    (Stall(frames=9, seconds=1), None),
)


@on_every_form
@pytest.mark.parametrize(("fault", "error"), STOPS, ids=str)
def test_stops(form: Form, fault: Any, error: str | None) -> None:
    slept: list[float] = []
    transport = MockTransport(RUN, faults=[fault], sleep=slept.append)
    heard = ask(form, transport, timeout=5, **create())
    kept = Cut(frames=9) if error == "ReadTimeout" else fault
    assert heard.body == (bodies(RUN)[0] if fault == STOPS[-1][0] else told(RUN, kept))
    assert type(heard.error) is (getattr(form.library, error) if error else type(None))
    if isinstance(fault, Stall):
        assert slept == [min(5, fault.seconds)]


def test_stops_and_rewrites_at_once() -> None:
    faults = [Crlf(), Cut(frames=9), Keepalives(), Split(size=3), ErrorEvent(frames=12)]
    heard = ask(PLAIN, MockTransport(RUN, faults=faults), **create())
    assert heard.body == told(RUN, *faults)


def test_what_comes_after_a_stall_comes_in_its_time() -> None:
    slept: list[float] = []
    faults = [Stall(frames=2, seconds=2), Stall(frames=4, seconds=3)]
    transport = MockTransport(TIMED, faults=faults, speed=1, sleep=slept.append)
    heard = ask(PLAIN, transport, timeout=None, **create())
    assert slept == [0.5, 0.1, 2, 0.3, 3, 7.0, 0.2]
    assert len(heard.chunks) == 5


def test_during_a_stall_the_run_is_where_its_stream_is() -> None:
    seen: list[str] = []

    def look(_: float) -> None:
        run = ask(PLAIN, transport, url="/threads/thread_1/runs/run_1").json()
        seen.append(run["status"])

    for seconds in (1, math.inf):
        transport = MockTransport(RUN, faults=[Stall(frames=9, seconds=seconds)], sleep=look)
        ask(PLAIN, transport, **create())
        look(0)
        assert seen == ["in_progress", "completed"]
        seen.clear()


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_stall_for_ever_without_a_timeout_is_refused(library: Any) -> None:
    transport = MockTransport(RUN, faults=[Stall(frames=3)])
    with (
        pytest.raises(UsageError, match="give it a read timeout"),
        opened(transport, library, timeout=None, **create()) as response,
    ):
        response.read()


ASYNC: Final = pytest.mark.parametrize(
    "form", [form for form in FORMS if form.backend == "asyncio"] + [FORMS[2]], ids=str
)


@ASYNC
def test_a_stall_for_ever_can_be_cancelled(form: Form) -> None:
    transport = MockTransport(RUN, faults=[Stall(frames=3)])
    seen: list[bytes] = []

    async def leave() -> None:
        async with anyio.create_task_group() as group:

            async def cancel() -> None:
                await anyio.wait_all_tasks_blocked()
                group.cancel_scope.cancel()

            group.start_soon(cancel)
            async with aopened(transport, form.library, timeout=None, **create()) as response:
                async for chunk in response.aiter_raw():
                    seen.append(chunk)  # noqa: PERF401 - it never ends

    anyio.run(leave, backend=form.backend or "")
    assert len(seen) == 3
    run = ask(form, transport, url="/threads/thread_1/runs/run_1").json()
    assert run["status"] == "completed"


@ASYNC
@pytest.mark.parametrize("timeout", [None, 60])
def test_a_stalled_run_that_is_cancelled_ends(form: Form, timeout: float | None) -> None:
    transport = MockTransport(RUN, faults=[Stall(frames=9)])
    seen = b""

    async def stop() -> None:
        nonlocal seen
        library = form.library
        async with (
            library.AsyncClient(base_url="http://a.test/v1", transport=transport) as other,
            aopened(transport, library, timeout=timeout, **create()) as response,
            anyio.create_task_group() as group,
        ):

            async def cancel() -> None:
                await anyio.wait_all_tasks_blocked()
                await other.post("/threads/thread_1/runs/run_1/cancel")

            group.start_soon(cancel)
            async for chunk in response.aiter_raw():
                seen += chunk

    anyio.run(stop, backend=form.backend or "")
    run = accumulate([seen])
    assert run.run is not None
    assert (run.outcome, run.run.status) == ("complete", "cancelled")


@on_every_form
def test_a_fault_of_a_later_leg(form: Form) -> None:
    transport = MockTransport(ASKING, faults=[Cut(leg=1, frames=2, how="abort")])
    first = ask(form, transport, **create())
    assert first.body == bodies(ASKING)[0]
    last = ask(form, transport, **submitted(accumulate([first.body], allow_partial=True)))
    assert isinstance(last.error, form.library.ReadError)
    assert bodies(ASKING)[1].startswith(last.body)
    assert len(last.chunks) == 2


def test_a_recording_that_failed_fails_again() -> None:
    chunks = [Chunk(b"data: 1\n\n")]
    broken = Recording(legs=[Leg(chunks=chunks, error="ReadError")])
    cut = Recording(legs=[Leg(chunks=chunks)], is_cut=True)
    for recording in (broken, cut):
        heard = ask(PLAIN, MockTransport(recording), **create())
        assert isinstance(heard.error, httpx.ReadError)
        assert heard.body == b"data: 1\n\n"


def test_an_error_event_of_lines_of_json() -> None:
    run = {"id": "run_1", "thread_id": "thread_1", "assistant_id": "asst_1", "status": "queued"}
    line = json.dumps({"event": "thread.run.queued", "data": run}).encode() + b"\n"
    lines = Recording(legs=[Leg(chunks=[Chunk(line)] * 3)])
    heard = ask(PLAIN, MockTransport(lines, faults=[ErrorEvent(frames=2)]), **create())
    assert heard.body == told(lines, ErrorEvent(frames=2))
    assert heard.body.count(b"\n") == 3
    assert accumulate([heard.body], allow_partial=True).outcome == "error"


SLOW_DOWN: Final = {"error": {"message": "Slow down.", "type": "t", "param": None, "code": "c"}}


@on_every_form
def test_statuses(form: Form) -> None:
    faults = [
        Status(status=429, body=SLOW_DOWN, retry_after=0.5, operation="create"),
        Status(status=502, body=b"<html>", headers={"Content-Type": "text/html"}),
        Status(abort=True, operation="create"),
        Status(status=204, body=b"none", operation="create"),
        Status(status=503, operation="retrieve", times=2),
    ]
    transport = MockTransport(RUN, faults=faults)
    slow, bad, lost, empty, good = (ask(form, transport, **create()) for _ in range(5))
    assert (slow.status, slow.headers["retry-after"], slow.json()) == (429, "0.5", SLOW_DOWN)
    assert (bad.status, bad.headers["content-type"], bad.body) == (502, "text/html", b"<html>")
    assert isinstance(lost.error, form.library.RemoteProtocolError)
    assert (empty.status, empty.body) == (204, b"")
    assert good.body == bodies(RUN)[0]
    looks = [ask(form, transport, url="/threads/thread_1/runs/run_1").status for _ in range(3)]
    assert looks == [503, 503, 200]


@on_every_form
@pytest.mark.parametrize("abort", [False, True])
def test_only_the_answer_is_lost(form: Form, *, abort: bool) -> None:
    lost = Status(status=504, operation="submit", effect=True, abort=abort)
    transport = MockTransport(ASKING, faults=[lost])
    paused = accumulate([ask(form, transport, **create()).body], allow_partial=True)
    assert ask(form, transport, **submitted(paused)).status == (None if abort else 504)
    again = ask(form, transport, **submitted(paused))
    assert again.status == 400
    run = ask(form, transport, url="/threads/thread_1/runs/run_1").json()
    assert run == to_wire(ASKING)["run"]


@pytest.mark.parametrize("fault", ["cut", 9, None, Cut])
def test_what_is_no_fault_is_refused(fault: Any) -> None:
    with pytest.raises(UsageError, match="fault"):
        MockTransport(RUN, faults=[fault])


@pytest.mark.parametrize(
    "options", [{"speed": 0}, {"speed": math.nan}, {"max_gap": -1}, {"gap": -1}]
)
def test_what_is_no_time_is_refused(options: Any) -> None:
    with pytest.raises(UsageError):
        MockTransport(RUN, **options)
