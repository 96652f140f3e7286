"""What passes by is written down: live runs, sources and clients, an SDK's included."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
import httpx
import httpx2
import pytest

from streamkit import (
    Change,
    FrameDecoder,
    PeerError,
    RunSnapshot,
    UsageError,
    aaccumulate,
    accumulate,
    to_wire,
)
from streamkit.live import AsyncRuns
from streamkit.recording import (
    AsyncRecordingTransport,
    Recorder,
    RecordingTransport,
    areplay,
    atee,
    read,
    replay,
    tee,
)
from tests.living import FORMS, HTTPX2, UNFINISHED, Form, create, serving
from tests.own import OWN
from tests.server import Fault, Script, Server, rewritten
from tests.shells import SHELLS, Shell, in_every_shell
from tests.test_converse import TOOLS
from tests.test_live_openai import TIDY, peer

pytestmark = [
    pytest.mark.filterwarnings(UNFINISHED),
    pytest.mark.filterwarnings("ignore:The Assistants API is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Async generator 'http(x|core):ResourceWarning"),
]

SECRETS: Final = ("sk-NotARealKey-1", "NotARealKey-2", "NotARealKey-3", "NotARealKey-4")
SENT: Final[dict[str, Any]] = {
    "headers": {
        "OpenAI-Beta": "assistants=v2",
        "Authorization": f"Bearer {SECRETS[0]}",
        "api-key": SECRETS[1],
        "Cookie": f"session={SECRETS[2]}",
    },
    "params": {"sig": SECRETS[3]},
}
NAMES: Final = ["one.sse", "one.sse.gz", "one.sse.jsonl", "one.sse.jsonl.gz"]


@pytest.fixture(params=FORMS | HTTPX2)
def form(request: pytest.FixtureRequest) -> Form:
    return (FORMS | HTTPX2)[request.param]


@pytest.fixture
def anyio_backend(form: Form) -> str:
    return form.backend


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def without_secrets(path: Path) -> None:
    plain = read(path).body + repr(read(path)).encode()
    for secret in SECRETS:
        assert secret.encode() not in path.read_bytes() + plain


def replayed(path: Path) -> tuple[RunSnapshot, list[Change]]:
    changes: list[Change] = []
    return accumulate(replay(path), changes.append), changes


# Live runs


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.anyio
async def test_a_live_run_is_recorded(
    form: Form, server: Server, tmp_path: Path, *, name: str
) -> None:
    place = server.add(Script(OWN["report"], gzip=name.endswith("gz")))
    path = tmp_path / name
    told: list[Change] = []
    async with form.client(server, **SENT) as client:
        stream = form.open(client, create(place), told.append, record=path)
        snapshot = await stream.until_done()
    assert stream.recorder.error is None
    assert replayed(path) == (snapshot, told)
    assert read(path).body == rewritten(OWN["report"], place)[0].data
    assert not read(path).is_cut
    without_secrets(path)


@in_every_shell()
def test_all_legs_of_a_conversation_are_recorded(
    server: Server, tmp_path: Path, shell: Shell
) -> None:
    place = server.add(Script(OWN["three-legs"]))
    path = tmp_path / "run.sse.jsonl"
    told: list[Change] = []
    snapshot = shell.ask(
        server.url,
        lambda runs: runs.converse(
            place.thread_id, told.append, assistant_id=place.assistant_id, tools=TOOLS, record=path
        ).until_done(),
        **SENT,
    )
    recording = read(path)
    assert [leg.end for leg in recording.legs] == ["closed"] * 3
    assert [leg.after is not None for leg in recording.legs] == [False, True, True]
    requests = [leg.request for leg in recording.legs if leg.request is not None]
    assert [each.path.rpartition("/")[2] for each in requests] == [
        "runs", "submit_tool_outputs", "submit_tool_outputs",
    ]  # fmt: skip
    assert {each.method for each in requests} == {"POST"}
    responses = [leg.response for leg in recording.legs if leg.response is not None]
    assert [each.status for each in responses] == [200] * 3
    assert responses[0].headers["content-type"].startswith("text/event-stream")
    assert replayed(path) == (snapshot, told)

    async def again() -> RunSnapshot:
        return await aaccumulate(areplay(path))

    assert anyio.run(again) == snapshot
    without_secrets(path)


@pytest.mark.parametrize(("how", "end"), [("abort", None), ("end", "eof")])
@pytest.mark.anyio
async def test_a_connection_that_breaks(
    form: Form, server: Server, tmp_path: Path, *, how: Any, end: str | None
) -> None:
    place = server.add(Script(OWN["report"], faults=[Fault(frames=9, how=how)]))
    path = tmp_path / "run.sse.jsonl"
    async with form.client(server, **SENT) as client:
        with pytest.raises(PeerError) as caught:
            await form.open(client, create(place), record=path).until_done()
    (leg,) = read(path).legs
    assert leg.end == end
    assert (leg.error or "").startswith("RemoteProtocolError: " if how == "abort" else "")
    with pytest.raises(type(caught.value)):
        accumulate(replay(path))
    without_secrets(path)


@pytest.mark.parametrize("count", [0, 5])
@pytest.mark.anyio
async def test_a_run_that_is_left(
    form: Form, server: Server, tmp_path: Path, *, count: int
) -> None:
    place = server.add(Script(OWN["report"]))
    path = tmp_path / "run.sse.jsonl"
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async with form.client(server, **SENT) as client:
            stream = form.open(client, create(place), record=path)
            async with stream:
                for _ in range(count):
                    await anext(stream) if form.is_async else next(stream.inner)
                raise ZeroDivisionError
    (leg,) = read(path).legs
    assert leg.end == "closed"
    assert leg.error is None


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_run_that_is_cancelled(server: Server, tmp_path: Path, backend: str) -> None:
    place = server.add(Script(OWN["report"], faults=[Fault(frames=9, how="stall")]))
    path = tmp_path / "run.sse.jsonl"

    async def follow() -> None:
        async with httpx.AsyncClient(base_url=server.url, trust_env=False, **SENT) as client:
            told: list[Change] = []
            with anyio.move_on_after(5) as scope:
                stream = AsyncRuns(client).stream(
                    place.thread_id, assistant_id=place.assistant_id, record=path
                )
                async with stream:
                    async for change in stream:
                        told.append(change)
                        if len(told) == 5:
                            scope.cancel()

    anyio.run(follow, backend=backend)
    assert read(path).legs[0].end == "closed"


# Sources


def chunks() -> list[bytes]:
    body = OWN["emoji"][0]
    return [body[start : start + 7] for start in range(0, len(body), 7)]


async def aiterated(items: list[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_sources_of_both_kinds(tmp_path: Path, backend: str) -> None:
    path, other, third = (tmp_path / f"{name}.sse.jsonl" for name in "abc")
    snapshot = accumulate(tee(chunks(), path))

    async def gathered() -> list[RunSnapshot]:
        return [
            await aaccumulate(atee(aiterated(chunks()), other)),
            await aaccumulate(atee(chunks(), third)),
        ]

    assert anyio.run(gathered, backend=backend) == [snapshot, snapshot]
    for each in (path, other, third):
        assert [chunk.data for chunk in read(each).legs[0].chunks] == chunks()
        assert accumulate(replay(each)) == snapshot


def test_sources_that_are_read_to_their_ends(tmp_path: Path) -> None:
    path, other = (tmp_path / f"{name}.sse.jsonl" for name in "ab")

    async def gathered() -> list[bytes]:
        return [each async for each in atee(aiterated(chunks()), other)]

    assert [*tee(iter(chunks()), path)] == anyio.run(gathered) == chunks()
    assert [read(each).legs[0].end for each in (path, other)] == ["eof", "eof"]


def test_a_source_of_frames(tmp_path: Path) -> None:
    path = tmp_path / "run.sse"
    snapshot = accumulate(tee(FrameDecoder().feed(OWN["emoji"][0]), path))
    assert accumulate(replay(path)) == snapshot == accumulate(OWN["emoji"][0])


def test_a_tee_that_is_closed_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.sse.jsonl"
    left: Any = tee(chunks(), path)
    left.close()  # not dropped yet
    assert read(path).legs[0].end == "closed"


def test_a_tee_that_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "run.sse.jsonl"
    for _ in tee(chunks(), path):
        break
    (leg,) = read(path).legs
    assert (leg.end, leg.body) == ("closed", chunks()[0])


@pytest.mark.parametrize("error", [OSError("gone: https://user:pw@host/a?key=k"), KeyError("k")])
def test_a_source_that_fails(tmp_path: Path, error: Exception) -> None:
    def failing() -> Iterator[bytes]:
        yield chunks()[0]
        raise error

    path = tmp_path / "run.sse.jsonl"
    with pytest.raises(type(error)):
        list(tee(failing(), path))
    said = "OSError: gone: (a URL)" if isinstance(error, OSError) else "KeyError"
    assert read(path).legs[0].error == said


def test_cancellation_of_a_source_closes_the_leg(tmp_path: Path) -> None:
    path = tmp_path / "run.sse.jsonl"

    async def stalling(scope: anyio.CancelScope) -> AsyncIterator[bytes]:
        yield chunks()[0]
        scope.cancel()
        await anyio.sleep_forever()

    async def work() -> None:
        with anyio.CancelScope() as scope:
            async for _ in atee(stalling(scope), path):
                pass

    for backend in ("asyncio", "trio"):
        anyio.run(work, backend=backend)
        assert (read(path).legs[0].end, read(path).legs[0].error) == ("closed", None)


def test_legs_that_overlap(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Recorder(tmp_path / "run.sse.jsonl") as recorder:
        first, second = tee([b"a", b"b"], recorder), tee([b"c"], recorder)
        assert next(first) == b"a"
        assert [*second] == [b"c"]
        assert [*first] == [b"b"]
    legs = read(recorder.path).legs
    assert [(leg.body, leg.end) for leg in legs] == [(b"", "closed"), (b"c", "eof")]
    assert "leg 1" in caplog.text


@pytest.mark.parametrize("record", [5, None, b"run.sse", "run.txt"])
@pytest.mark.parametrize("write", [partial(tee, []), partial(atee, []), RecordingTransport])
def test_what_is_no_place_for_a_recording(write: Any, record: Any) -> None:
    with pytest.raises(UsageError, match="recording is"):
        write(record)


@pytest.mark.parametrize("source", [["text"], 5, [5], {}])
def test_what_is_no_source(source: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="bytes"):
        list(tee(source, tmp_path / "run.sse"))


def test_what_is_no_response(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="httpx"):
        tee([], tmp_path / "run.sse", response="200")
    assert list(tee([b"a"], tmp_path / "run.sse", response=httpx.Response(200))) == [b"a"]


# Clients


@pytest.mark.parametrize("name", [None, *NAMES])
@in_every_shell()
def test_any_client(server: Server, tmp_path: Path, shell: Shell, name: str | None) -> None:
    place = server.add(Script(OWN["report"], gzip=True))
    library = shell.library
    inner = (library.AsyncHTTPTransport if shell.is_async else library.HTTPTransport)()
    kind = AsyncRecordingTransport if shell.is_async else RecordingTransport
    transport = kind(tmp_path if name is None else tmp_path / name, inner)
    snapshot = shell.ask(
        server.url,
        lambda runs: runs.stream(place.thread_id, assistant_id=place.assistant_id).until_done(),
        transport=transport,
        **SENT,
    )
    (path,) = tmp_path.iterdir()
    assert path.name == (name or "0001.sse.jsonl")
    assert transport.error is None
    assert replayed(path)[0] == snapshot
    assert not read(path).is_cut
    without_secrets(path)


def test_what_is_no_stream_is_not_recorded(server: Server, tmp_path: Path) -> None:
    place = server.add(Script(OWN["refusal"]))
    with httpx.Client(transport=RecordingTransport(tmp_path), **SENT) as client:
        assert client.get(f"{server.url}/threads/{place.thread_id}/runs").json()["data"] == []
    assert [*tmp_path.iterdir()] == []


def test_a_client_of_the_other_library(tmp_path: Path) -> None:
    transport: Any = RecordingTransport(tmp_path)
    with (
        httpx2.Client(transport=transport) as client,
        pytest.raises(UsageError, match=r"transport=\.\.\. of httpx2"),
    ):
        client.get("http://127.0.0.1:9/")


def test_a_folder_that_is_gone(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    transport = RecordingTransport(folder)
    folder.rmdir()
    place = server.add(Script(OWN["refusal"]))
    caplog.set_level(logging.WARNING, "streamkit")
    snapshot = SHELLS["sync"].ask(
        server.url,
        lambda runs: runs.stream(place.thread_id, assistant_id=place.assistant_id).until_done(),
        transport=transport,
        **SENT,
    )
    assert snapshot.outcome == "complete"
    assert isinstance(transport.error, FileNotFoundError)
    assert len(caplog.records) == 1


def test_the_peer_is_recorded(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = server.add(Script(OWN["three-legs"]))
    path = tmp_path / "run.sse.jsonl"
    transport: Any = RecordingTransport(path, httpx2.HTTPTransport())
    monkeypatch.setitem(TIDY, "transport", transport)
    theirs = peer(server.url, place)
    snapshot = accumulate(replay(path))
    assert len(read(path).legs) == 3
    assert to_wire(snapshot.steps) == theirs.listed
    assert to_wire(snapshot.run) == theirs.run.to_dict()
    without_secrets(path)
