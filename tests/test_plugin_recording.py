"""The plugin records what a test asks a real server for, and plays it when there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from streamkit.recording import read
from streamkit.server import Server, serve
from streamkit.testing import Cut, message, script
from tests import own
from tests.own import OWN
from tests.test_plugin import INI

# Of one run that calls functions, of two runs, with each library, sync and async.
TESTS: Final = """
import os
import httpx, httpx2, openai, pytest
from streamkit.live import AsyncRuns, Runs

URL = os.environ.get("API_URL", "http://127.0.0.1:1/v1")


def run(client, assistant="report"):
    return Runs(client).stream("thread_1", assistant_id=assistant).until_done()


def test_its_own(streamkit_transport):
    with httpx.Client(base_url=URL, transport=streamkit_transport) as client:
        assert run(client).outcome == "complete"
    assert [each.operation for each in streamkit_transport.requests] == ["create"]


@pytest.mark.streamkit("functions", speed=1.0)
def test_legs(streamkit_transport):
    with httpx2.Client(base_url=URL, transport=streamkit_transport) as client:
        paused = run(client, "parallel-functions")
        outputs = [
            {"tool_call_id": call.id, "output": "1"}
            for call in paused.run.required_action.tool_calls
        ]
        stream = Runs(client).stream_tool_outputs("thread_1", paused.run.id, tool_outputs=outputs)
        assert stream.until_done().outcome == "complete"


@pytest.mark.streamkit("two/runs")
def test_two_runs(streamkit_transport):
    for assistant, kinds in [("report", {"text", "image_file"}), ("refusal", {"refusal"})]:
        # Each with a client of its own.
        with httpx.Client(base_url=URL, transport=streamkit_transport) as client:
            (said,) = run(client, assistant).messages
            assert {part.type for part in said.content} == kinds


@pytest.mark.anyio
@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_async(streamkit_transport, library):
    async with library.AsyncClient(base_url=URL, transport=streamkit_transport) as client:
        stream = AsyncRuns(client).stream("thread_1", assistant_id="report")
        assert (await stream.until_done()).outcome == "complete"


def test_the_sdk(streamkit_transport):
    client = openai.OpenAI(
        base_url=URL, api_key="sk-secret", http_client=httpx2.Client(transport=streamkit_transport)
    )
    runs = client.beta.threads.runs
    with client, runs.stream(thread_id="thread_1", assistant_id="refusal") as stream:
        stream.until_done()
        assert [type(step).__name__ for step in stream.get_final_run_steps()] == ["RunStep"]
"""
COUNT: Final = 8


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server with our recordings, to which the tests in a project go."""
    with serve({name: [*legs] for name, legs in OWN.items()}) as server:
        monkeypatch.setenv("API_URL", server.url)
        yield server


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini(INI)
    return pytester


def events(body: bytes) -> list[str]:
    """Name the events of a stream; the server says its own ids in them."""
    return [name for name, _ in own.read(body)]


def kept(project: pytest.Pytester) -> dict[str, bytes]:
    folder = project.path / "recordings"
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_what_is_not_there_is_recorded_once(project: pytest.Pytester, server: Server) -> None:
    project.makepyfile(test_chat=TESTS)

    result = project.runpytest_subprocess()
    result.assert_outcomes(errors=COUNT)
    result.stdout.fnmatch_lines(["*there is no recording 'functions'*"])
    result.stdout.fnmatch_lines(["*pytest --streamkit-record=once test_chat.py::test_legs"])
    assert not server.requests

    result = project.runpytest_subprocess("--streamkit-record=once")
    result.assert_outcomes(passed=COUNT)
    result.stdout.fnmatch_lines(["streamkit: recorded *functions.sse.jsonl"])
    recorded = kept(project)
    assert sorted(recorded) == [
        "functions.sse.jsonl",
        *(
            f"test_chat/test_async-{name}.sse.jsonl"
            for name in ("asyncio-httpx", "asyncio-httpx2", "trio-httpx", "trio-httpx2")
        ),
        "test_chat/test_its_own.sse.jsonl",
        "test_chat/test_the_sdk.sse.jsonl",
        "two/runs.sse.jsonl",
    ]
    assert not any(b"sk-secret" in data for data in recorded.values())
    legs = read(recorded["functions.sse.jsonl"]).legs
    assert [events(leg.body) for leg in legs] == [*map(events, OWN["parallel-functions"])]
    asked = len(server.requests)

    for mode in ("none", "once"):
        result = project.runpytest_subprocess(f"--streamkit-record={mode}", "--block-network")
        result.assert_outcomes(passed=COUNT)
        result.stdout.no_fnmatch_line("streamkit: *")
    assert kept(project) == recorded
    assert len(server.requests) == asked


ONE: Final = """
import os
import httpx, pytest
from streamkit.live import Runs
from streamkit.testing import Cut

@pytest.mark.streamkit("chat", faults=[Cut(frames=1)], speed=0.001)
def test_it(streamkit_transport):
    client = httpx.Client(base_url=os.environ["API_URL"], transport=streamkit_transport)
    assert Runs(client).stream("thread_1", assistant_id="asst_1").until_done().run
    {last}
"""


def texts(project: pytest.Pytester) -> list[str]:
    """Return the words of the recording, if there is one."""
    files = [read(data).body for data in kept(project).values()]
    return [word for word in ("one", "two") for body in files if f'"{word}"'.encode() in body]


@pytest.mark.parametrize("name", ["chat.sse.jsonl", "chat.sse.jsonl.gz"])
def test_what_is_there_is_recorded_anew(
    name: str, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.makepyfile(ONE.format(last=""))
    folder = project.path / "recordings"
    folder.mkdir()
    (folder / name).touch()
    for word in ("one", "two"):
        with serve(script(message(word))) as server:
            monkeypatch.setenv("API_URL", server.url)
            result = project.runpytest_subprocess("--streamkit-record=rewrite")
        result.assert_outcomes(passed=1)
        assert texts(project) == [word]
        assert [*kept(project)] == [name]
    # And stays when that fails.
    result = project.runpytest_subprocess("--streamkit-record=rewrite")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"streamkit: *{name} is not recorded: no event stream came by"])
    assert texts(project) == ["two"]


@pytest.mark.parametrize(
    ("last", "cut", "outcomes", "words"),
    [
        # The stream is whole, and what fails is what comes after it.
        ("assert not streamkit_transport.requests", False, {"failed": 1}, ["one"]),
        ("pytest.xfail()", False, {"xfailed": 1}, ["one"]),
        ("", True, {"failed": 1}, []),
    ],
)
def test_what_a_failed_test_recorded_is_kept_if_it_is_whole(
    last: str,
    outcomes: dict[str, int],
    words: list[str],
    project: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    *,
    cut: bool,
) -> None:
    project.makepyfile(ONE.format(last=last))
    with serve(script(message("one")), faults=[Cut(frames=5)] if cut else []) as server:
        monkeypatch.setenv("API_URL", server.url)
        result = project.runpytest_subprocess("--streamkit-record=once")
    result.assert_outcomes(**outcomes)
    assert texts(project) == words
    said = "recorded *chat.sse.jsonl" if words else "*is not recorded: the test failed before*"
    result.stdout.fnmatch_lines([f"streamkit: {said}"])


NOTHING: Final = """
import pytest

def test_nothing(streamkit_transport):
    pass

@pytest.mark.streamkit("one", "two")
def test_two_names(streamkit_transport):
    pass

@pytest.mark.streamkit("there")
def test_another_form(streamkit_transport):
    pass
"""


def test_what_cannot_be_recorded_says_why(project: pytest.Pytester) -> None:
    project.makepyfile(test_chat=NOTHING)
    folder = project.path / "recordings"
    folder.mkdir()
    (folder / "there.sse").write_bytes(OWN["report"][0])
    result = project.runpytest_subprocess("--streamkit-record=rewrite")
    result.assert_outcomes(passed=1, errors=3)
    result.stdout.fnmatch_lines_random(
        [
            "streamkit: *test_nothing.sse.jsonl is not recorded: no event stream came by",
            "streamkit: a test records one recording*has 2 sources*",
            "streamkit: *there.sse is not*",
        ]
    )
    assert [*kept(project)] == ["there.sse"]


PLAYED: Final = """
import pytest
from pathlib import Path
from streamkit.testing import MockTransport, message, script

@pytest.mark.streamkit(script(message("one")), Path("recordings/there.sse"))
def test_no_name(streamkit_transport):
    assert isinstance(streamkit_transport, MockTransport)

@pytest.mark.streamkit("there")
def test_stream(streamkit_stream):
    assert streamkit_stream.snapshot.outcome == "complete"
"""


@pytest.mark.parametrize("mode", ["once", "rewrite"])
def test_what_is_no_name_or_no_transport_is_played(mode: str, project: pytest.Pytester) -> None:
    project.makepyfile(PLAYED)
    folder = project.path / "recordings"
    folder.mkdir()
    (folder / "there.sse").write_bytes(OWN["report"][0])
    result = project.runpytest_subprocess(f"--streamkit-record={mode}", "--block-network")
    result.assert_outcomes(passed=2)


BESIDE: Final = """
import os
import httpx, pytest
from pathlib import Path
from streamkit.live import Runs

URL = os.environ["API_URL"]


@pytest.mark.vcr
def test_both(streamkit_transport):
    with httpx.Client(base_url=URL, transport=streamkit_transport) as client:
        assert Runs(client).stream("thread_1", assistant_id="report").until_done().run
    with httpx.Client(base_url=URL) as client:
        assert Runs(client).stream("thread_1", assistant_id="refusal").until_done().run


@pytest.mark.streamkit(Path("cassettes/test_chat/test_both.yaml"))
def test_its_cassette_is_played(streamkit_transport):
    with httpx.Client(base_url=URL, transport=streamkit_transport) as client:
        for _ in range(2):
            assert Runs(client).stream("thread_1", assistant_id="any").until_done().run
"""


def test_it_records_beside_cassettes(project: pytest.Pytester, server: Server) -> None:
    project.makepyfile(test_chat=BESIDE)
    result = project.runpytest_subprocess("--streamkit-record=once", "--record-mode=once")
    result.assert_outcomes(passed=2)
    result = project.runpytest_subprocess("--block-network")
    result.assert_outcomes(passed=2)
    assert [*kept(project)] == ["test_chat/test_both.sse.jsonl"]
    assert len(server.requests) == 2
