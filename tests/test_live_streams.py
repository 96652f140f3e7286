"""A run over the network tells what its bytes tell, however they come."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from streamkit import (
    Accumulator,
    Change,
    PeerError,
    RunSnapshot,
    ServerError,
    StreamEnded,
    UsageError,
    on,
)
from streamkit.live import aopen_run, open_run
from tests.living import (
    BETA,
    FORMS,
    HTTPX2,
    STALL,
    UNFINISHED,
    Form,
    accumulated,
    create,
    ended,
    idle,
    outputs,
    serving,
    still_works,
)
from tests.recorded import OWN, read
from tests.server import Fault, Script, Server, rewritten

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings(UNFINISHED)]

REPORT: Final = OWN["report"]
REFUSAL: Final = OWN["refusal"]  # a short one
EMOJI: Final = OWN["emoji"]
LINES: Final = b"".join(
    b'{"event": "%s", "data": %s}\n' % (name.encode(), data.encode())
    for name, data in read(EMOJI[0])
    if name != "done"
)

FAILING: Final = {"cut": "TruncatedError", "error": "ServerError"}  # by recording


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    return FORMS[request.param]


@pytest.fixture
def anyio_backend(form: Form) -> str:
    return form.backend


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


# Whole runs


async def check(form: Form, server: Server, script: Script, failure: str | None = None) -> None:
    """A run, followed through its legs, tells and comes to what its bytes do."""
    place = server.add(script)
    told: list[Change] = []
    seen: list[Change] = []
    errors: list[PeerError] = []
    accumulator = Accumulator()
    async with form.client(server) as client:
        for leg in range(len(script.legs)):
            request = outputs(accumulator.snapshot()) if leg else create(place)
            stream = form.open(client, request, told.append, accumulator=accumulator)
            async with stream:
                try:
                    async for change in stream:
                        seen.append(change)  # noqa: PERF401 - kept where an error follows
                except PeerError as error:
                    errors.append(error)
            assert stream.accumulator is accumulator
            assert stream.snapshot() == accumulator.snapshot()
        await still_works(client, place)
    await idle(server)
    assert seen == told
    assert (told, accumulator.snapshot()) == accumulated(script.legs, place)
    assert [type(error).__name__ for error in errors] == ([failure] if failure else [])
    assert all(error.snapshot == accumulator.snapshot() for error in errors)


@pytest.mark.parametrize("name", OWN)
async def test_a_recorded_run(form: Form, server: Server, name: str) -> None:
    await check(form, server, Script(OWN[name]), FAILING.get(name))


DELIVERIES: Final = {
    "whole": Script(REPORT, chunk="whole"),
    "a byte a chunk": Script(REFUSAL, chunk=1),
    "odd chunks": Script(REPORT, chunk=1021),
    "gzip": Script(REPORT, gzip=True),
    "gzip in odd chunks": Script(EMOJI, gzip=True, chunk=777),
    "keepalives": Script(EMOJI, keepalives=True),
    "keepalives in odd chunks": Script(OWN["crlf"], keepalives=True, chunk=13),
    "LiteLLM in odd chunks": Script(OWN["litellm"], chunk=99),
    "CRLF in odd chunks": Script(OWN["crlf"], chunk=97),
    "three legs, whole": Script(OWN["three-legs"], chunk="whole"),
    "the connection stays open": Script(EMOJI, linger=True),
    "the connection stays open after each leg": Script(OWN["three-legs"], linger=True),
    "the connection breaks after the end": Script(EMOJI, faults=[Fault()]),
    "no space": Script(EMOJI, content_type="text/event-stream;charset=UTF-8"),
    "upper case": Script(EMOJI, content_type="TEXT/Event-Stream"),
    "another charset": Script(EMOJI, content_type="text/event-stream; charset=latin-1"),
    "an empty media type": Script(EMOJI, content_type=""),
    "lines": Script([LINES], content_type="application/x-ndjson"),
    "lines by another name": Script([LINES], content_type="application/jsonl; charset=utf-8"),
}


@pytest.mark.parametrize("delivery", DELIVERIES)
async def test_however_it_is_delivered(form: Form, server: Server, delivery: str) -> None:
    await check(form, server, DELIVERIES[delivery])


@pytest.mark.parametrize("name", ["three-legs", "refusal", "error"])
async def test_nothing_is_read_after_the_end_of_a_leg(
    form: Form, server: Server, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.DEBUG, "httpcore")
    place = server.add(Script(OWN[name][:1], linger=True))
    async with (
        form.client(server, timeout=STALL) as client,
        form.open(client, create(place)) as it,
    ):
        with suppress(ServerError):
            await it.until_done()
    assert "receive_response_body.started" in caplog.text
    assert "ReadTimeout" not in caplog.text


@pytest.mark.parametrize("form", HTTPX2.values(), ids=HTTPX2)
@pytest.mark.parametrize("script", [
    pytest.param(Script(OWN["three-legs"]), id="legs"),
    pytest.param(Script(REPORT, gzip=True, linger=True), id="gzip"),
])  # fmt: skip
async def test_with_httpx2(form: Form, server: Server, script: Script) -> None:
    await check(form, server, script)


BREAKS: Final = {
    "ends early": (Fault(frames=10, how="end"), None),
    "ends within a frame": (Fault(bytes=2000, how="end"), None),
    "breaks": (Fault(frames=10), "RemoteProtocolError"),
    "breaks within a frame": (Fault(bytes=2000), "RemoteProtocolError"),
    "breaks at once": (Fault(frames=0), "RemoteProtocolError"),
    "ends at once": (Fault(frames=0, how="end"), None),
    "stalls": (Fault(frames=10, how="stall"), "ReadTimeout"),
}


@pytest.mark.parametrize("name", BREAKS)
async def test_a_stream_that_stops_too_early(form: Form, server: Server, name: str) -> None:
    fault, cause = BREAKS[name]
    place = server.add(Script(REFUSAL, faults=[fault]))
    told: list[Change] = []
    options = {"timeout": STALL} if fault.how == "stall" else {}
    async with form.client(server, **options) as client:
        stream = form.open(client, create(place), told.append)
        with pytest.raises(PeerError) as caught:
            await stream.until_done()
        await still_works(client, place)
    await idle(server)
    (body,) = rewritten(REFUSAL, place)
    sent = body.data[: fault.bytes] if fault.bytes else b"".join(body.frames[: fault.frames])
    accumulator = Accumulator()
    changes = [*accumulator.feed_bytes(sent), *accumulator.end()]
    assert (told, stream.snapshot()) == (changes, accumulator.snapshot())
    assert type(caught.value).__name__ == "TruncatedError"
    assert type(caught.value.__cause__).__name__ == (cause or "NoneType")
    assert caught.value.snapshot == stream.snapshot()


# What is left to the caller


async def with_a_block(stream: Any) -> RunSnapshot:
    async with stream:
        return await stream.until_done()  # type: ignore[no-any-return]


async def without_a_block(stream: Any) -> RunSnapshot:
    return await stream.until_done()  # type: ignore[no-any-return]


async def having_begun(stream: Any) -> RunSnapshot:
    async with stream:
        await anext(stream)
        return await stream.until_done()  # type: ignore[no-any-return]


@pytest.mark.parametrize("way", [with_a_block, without_a_block, having_begun])
@pytest.mark.parametrize("linger", [False, True])
async def test_until_done(
    form: Form, server: Server, *, way: Callable[[Any], Awaitable[RunSnapshot]], linger: bool
) -> None:
    place = server.add(Script(REFUSAL, linger=linger))
    told: list[Change] = []
    async with form.client(server) as client:
        stream = form.open(client, create(place), told.append)
        snapshot = await way(stream)
        await idle(server)  # nothing waits for the client to be closed
        await still_works(client, place)
    assert (told, snapshot) == accumulated(REFUSAL, place)
    assert stream.snapshot() == snapshot


async def test_what_is_asked(form: Form, server: Server) -> None:
    place = server.add(Script(REFUSAL, linger=True))
    request = create(place) | {"method": "post"}
    async with form.client(server, headers={**BETA, "x-client": "a"}) as client:
        stream = form.open(
            client,
            request,
            headers={"x-request": "b"},
            params={"include[]": ["c", "d"], "n": 1, "on": True},
        )
        assert stream.request_id is None
        async with stream:
            request_id = stream.request_id
            await stream.until_done()
        assert stream.request_id == request_id
        assert str(request_id).startswith("req_")
    (asked,) = server.requests(place)
    assert (asked.method, asked.json) == ("POST", request["json"])
    assert asked.query == [("include[]", "c"), ("include[]", "d"), ("n", "1"), ("on", "true")]
    sent = {"accept": "text/event-stream", "x-client": "a", "x-request": "b"}
    assert sent.items() <= asked.headers.items()
    assert asked.headers["openai-beta"] == BETA["OpenAI-Beta"]


@pytest.mark.parametrize(("options", "query"), [
    ({}, [("in", "url")]),
    ({"params": ()}, [("in", "url")]),
    ({"params": [("a", "1"), ("a", ("2", "3"))]}, [("a", "1"), ("a", "2"), ("a", "3")]),
])  # fmt: skip
async def test_the_query_of_the_url_is_kept_unless_there_is_another(
    form: Form, server: Server, *, options: dict[str, Any], query: list[tuple[str, str]]
) -> None:
    place = server.add(Script(REFUSAL))
    request = create(place)
    request["url"] += "?in=url"
    async with form.client(server) as client:
        await form.open(client, request, **options).until_done()
    assert server.requests(place)[0].query == query


async def test_other_options_are_the_clients(form: Form, server: Server) -> None:
    place = server.add(Script(REFUSAL, faults=[Fault(how="stall", frames=1)]))
    async with form.client(server) as client:
        url = httpx.URL(f"{server.url}/threads/{place.thread_id}/runs")
        request = create(place) | {"url": url}
        stream = form.open(client, request, timeout=STALL, auth=("user", "word"))
        with pytest.raises(PeerError) as caught:
            await stream.until_done()
    assert type(caught.value.__cause__).__name__ == "ReadTimeout"
    (asked,) = server.requests(place)
    assert asked.headers["authorization"].startswith("Basic ")


# What a caller does wrong is said before anything is sent


async def observe(_: Change) -> None:
    raise AssertionError


class Half:
    """Streams, and can do nothing else."""

    def stream(self) -> None:
        raise AssertionError


def complete() -> Accumulator:
    accumulator = Accumulator()
    accumulator.feed_bytes(REFUSAL[0])
    return accumulator


MISTAKES: Final[dict[str, tuple[Any, Any, tuple[Any, ...], dict[str, Any], str]]] = {
    "sync, async client": (open_run, httpx.AsyncClient, (), {}, "is asynchronous: use aopen_run"),
    "async, sync client": (aopen_run, httpx.Client, (), {}, "is synchronous: use open_run"),
    "sync, no client": (open_run, dict, (), {}, "a client of httpx or httpx2 is needed, not dict"),
    "async, no client": (aopen_run, dict, (), {}, "a client .* is needed, not dict"),
    "async, half a client": (aopen_run, Half, (), {}, "a client .* is needed, not Half"),
    "sync, async observer": (open_run, httpx.Client, (observe,), {}, "use .* aopen_run"),
    "sync, async callback": (open_run, httpx.Client, (on(end=observe),), {}, "use .* aopen_run"),
    "sync, no observer": (open_run, httpx.Client, (1,), {}, "an observer is a function"),
    "async, no observer": (aopen_run, httpx.AsyncClient, (1,), {}, "an observer is a function"),
    "sync, complete": (open_run, httpx.Client, (), {"accumulator": complete()}, "is complete"),
    "async, complete": (
        aopen_run, httpx.AsyncClient, (), {"accumulator": complete()}, "is complete",
    ),
    "sync, no place": (open_run, httpx.Client, (), {"recover": True}, "to recover, the URL must"),
    "async, no place": (aopen_run, httpx.AsyncClient, (), {"recover": True}, "the URL must"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("form", [FORMS["asyncio"]])
async def test_mistakes_are_found_at_once(mistake: str) -> None:
    opens, client, observers, options, message = MISTAKES[mistake]
    with pytest.raises(UsageError, match=message):
        opens(client(), "POST", "http://test/", *observers, **options)


async def test_an_accumulator_may_be_complete_only_later(form: Form, server: Server) -> None:
    place = server.add(Script(REFUSAL))
    accumulator = Accumulator()
    async with form.client(server) as client:
        await form.open(client, create(place), accumulator=accumulator).until_done()
        with pytest.raises(UsageError, match="is complete"):
            form.open(client, create(place), accumulator=accumulator)
    assert len(server.requests(place)) == 1


async def test_a_stream_is_opened_before_it_is_read(form: Form, server: Server) -> None:
    place = server.add(Script(REFUSAL))
    told: list[Change] = []
    async with form.client(server) as client:
        stream = form.open(client, create(place), told.append)
        with pytest.raises(UsageError, match="open the stream first"):
            await anext(stream)
        await stream.close()
    assert server.requests(place) == []
    assert stream.snapshot().outcome == "truncated"
    assert ended(told) == told == [StreamEnded("truncated")]


async def test_a_stream_is_opened_once(form: Form, server: Server) -> None:
    place = server.add(Script(REFUSAL))
    async with form.client(server) as client:
        stream = form.open(client, create(place))
        async with stream:
            with pytest.raises(UsageError, match="opened once"):
                await stream.__aenter__()
            await stream.until_done()
        with pytest.raises(UsageError, match="opened once"):
            await stream.__aenter__()
        await still_works(client, place)
    assert [each.operation for each in server.requests(place)] == ["create", "list"]


async def test_a_leg_without_its_accumulator_stands_alone(form: Form, server: Server) -> None:
    legs = OWN["parallel-functions"]
    place = server.add(Script(legs))
    async with form.client(server) as client:
        first = await form.open(client, create(place)).until_done()
        second = await form.open(client, outputs(first)).until_done()
    assert first == accumulated(legs[:1], place)[1]
    alone = rewritten(legs, place)[1].data
    assert second == accumulated([alone], place)[1]


async def test_a_second_leg_without_a_word_is_no_silent_end(form: Form, server: Server) -> None:
    place = server.add(Script(OWN["three-legs"], faults=[Fault(1, frames=0, how="end")]))
    told: list[Change] = []
    accumulator = Accumulator()
    async with form.client(server) as client:
        await form.open(client, create(place), told.append, accumulator=accumulator).until_done()
        request = outputs(accumulator.snapshot())
        stream = form.open(client, request, told.append, accumulator=accumulator)
        with pytest.raises(PeerError):
            await stream.until_done()
    assert ended(told) == [StreamEnded("paused"), StreamEnded("truncated")]
    assert stream.snapshot().outcome == "truncated"


async def test_nothing_is_sent_where_there_is_no_folder_to_record_to(
    form: Form, server: Server, tmp_path: Path
) -> None:
    place = server.add(Script(OWN["refusal"]))
    async with form.client(server) as client:
        stream = form.open(client, create(place), record=tmp_path / "gone" / "run.sse")
        with pytest.raises(FileNotFoundError, match="gone"):
            await stream.until_done()
    assert server.requests(place) == []
