"""The plugin in a project of its own: what its fixtures play, to clients as people write them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent

# As strict as a project can be, but for what the peers leave lying about on trio.
INI: Final = """
[pytest]
addopts = --strict-markers --strict-config
asyncio_default_fixture_loop_scope = function
filterwarnings =
    error
    ignore:The Assistants API is deprecated:DeprecationWarning
    ignore:Async generator '(openai|http):ResourceWarning
"""

# What is tested: chat handlers, as they are written with the peer's client.
CHAT: Final = """
from openai import AsyncOpenAI, OpenAI


def answer(client: OpenAI, question: str) -> str:
    thread = client.beta.threads.create(messages=[{"role": "user", "content": question}])
    said = ""
    runs = client.beta.threads.runs
    with runs.stream(thread_id=thread.id, assistant_id="asst_1") as stream:
        for text in stream.text_deltas:
            said += text
    return said


async def aanswer(client: AsyncOpenAI, question: str) -> str:
    thread = await client.beta.threads.create(messages=[{"role": "user", "content": question}])
    said = ""
    runs = client.beta.threads.runs
    async with runs.stream(thread_id=thread.id, assistant_id="asst_1") as stream:
        async for text in stream.text_deltas:
            said += text
    return said
"""

SYNC: Final = """
import httpx, httpx2, openai, pytest
from pathlib import Path

from chat import answer
from streamkit import TruncatedError, accumulate
from streamkit.live import Runs
from streamkit.testing import Cut, Status, message, script

HERE = Path(__file__).parent
URL = "https://api.test/v1"
KEY = {"api_key": "none", "base_url": URL, "max_retries": 0}


def chat(transport):
    with openai.OpenAI(http_client=httpx2.Client(transport=transport), **KEY) as client:
        return answer(client, "Who?")


@pytest.mark.streamkit("refusal")
def test_a_refusal_is_no_text(streamkit_transport):
    assert chat(streamkit_transport) == ""
    assert [each.operation for each in streamkit_transport.requests][-1] == "create"


@pytest.mark.streamkit(script(message("done")))
def test_a_script_is_played(streamkit_transport):
    assert chat(streamkit_transport) == "done"


@pytest.mark.streamkit(script(message("one")), script(message("two")))
def test_runs_come_in_order(streamkit_transport):
    assert [chat(streamkit_transport) for _ in range(3)] == ["one", "two", "one"]


@pytest.mark.streamkit({"asst_2": script(message("two")), "asst_1": ("emoji",)})
def test_sources_have_names(streamkit_transport):
    assert len(chat(streamkit_transport)) > 10


def test_its_own(streamkit_transport):
    assert "sales" in chat(streamkit_transport).lower()


@pytest.mark.parametrize("case", ["a", "b/c"])
def test_each_its_own(streamkit_stream, case):
    assert streamkit_stream.snapshot.outcome == {"a": "complete", "b/c": "error"}[case]


class TestChat:
    def test_it(self, streamkit_stream):
        assert streamkit_stream.snapshot.outcome == "truncated"


@pytest.mark.streamkit("report", faults=[Cut(frames=9)])
def test_a_cut(streamkit_transport):
    client = httpx.Client(base_url=URL, transport=streamkit_transport)
    with pytest.raises(TruncatedError):
        Runs(client).stream("thread_1", assistant_id="asst_1").until_done()


@pytest.mark.streamkit("report", faults=Status(status=429))
def test_a_status(streamkit_transport):
    with pytest.raises(openai.RateLimitError):
        chat(streamkit_transport)


@pytest.mark.streamkit("three-legs")
def test_legs(streamkit_stream):
    assert len(streamkit_stream.recording.legs) == 3
    assert accumulate(iter(streamkit_stream)) == streamkit_stream.snapshot


@pytest.mark.streamkit(("parallel-functions.leg1", "parallel-functions.leg2.sse"))
def test_legs_by_their_names(streamkit_stream):
    assert len(streamkit_stream.recording.legs) == 2


@pytest.mark.streamkit(Path("recordings/emoji.sse"), HERE / "recordings/refusal.sse")
def test_paths_start_at_the_file_with_the_test(streamkit_transport):
    assert chat(streamkit_transport)
    assert not chat(streamkit_transport)


@pytest.mark.streamkit("report", faults=[Cut(frames=1)], gap=0.0)
class TestMarks:
    def test_all_of_the_class(self, streamkit_stream):
        assert accumulate(iter(streamkit_stream), allow_partial=True).outcome == "truncated"

    @pytest.mark.streamkit(faults=())
    def test_other_faults(self, streamkit_stream):
        assert accumulate(iter(streamkit_stream)).outcome == "complete"

    @pytest.mark.streamkit("refusal")
    def test_another_source(self, streamkit_stream):
        assert streamkit_stream.snapshot.messages[0].content[0].type == "refusal"
        assert accumulate(iter(streamkit_stream), allow_partial=True).outcome == "truncated"

    @pytest.mark.parametrize("end", [
        pytest.param("truncated", marks=pytest.mark.streamkit(faults=Cut(frames=2))),
        pytest.param("complete", marks=pytest.mark.streamkit(faults=[])),
    ])
    def test_of_each_parameter(self, streamkit_stream, end):
        assert accumulate(iter(streamkit_stream), allow_partial=True).outcome == end


@pytest.mark.streamkit(
    "report", files={"file-hzeoJ6NotARealIdxHIDJQ": b"an image", "file-2": "chat.py"}
)
def test_files(streamkit_transport):
    client = httpx.Client(base_url=URL, transport=streamkit_transport)
    runs = Runs(client)
    runs.stream("thread_1", assistant_id="asst_1").until_done()
    assert runs.image_bytes("file-hzeoJ6NotARealIdxHIDJQ") == b"an image"
    assert b"def answer" in runs.image_bytes("file-2")
"""

ASYNC: Final = """
import httpx, httpx2, openai, pytest

from chat import aanswer
from streamkit import PeerError, aaccumulate
from streamkit.live import AsyncRuns
from streamkit.testing import Cut, message, script

URL = "https://api.test/v1"
KEY = {"api_key": "none", "base_url": URL, "max_retries": 0}


async def chat(transport):
    client = httpx2.AsyncClient(transport=transport)
    async with openai.AsyncOpenAI(http_client=client, **KEY) as client:
        return await aanswer(client, "Who?")


@pytest.mark.anyio
@pytest.mark.streamkit(script(message("done")))
async def test_with_anyio(streamkit_transport):
    assert await chat(streamkit_transport) == "done"


@pytest.mark.asyncio
@pytest.mark.streamkit(script(message("done")))
async def test_with_asyncio(streamkit_transport):
    assert await chat(streamkit_transport) == "done"


@pytest.mark.anyio
@pytest.mark.streamkit("report", faults=[Cut(frames=9)])
async def test_a_cut(streamkit_transport, streamkit_stream):
    async with httpx.AsyncClient(base_url=URL, transport=streamkit_transport) as client:
        with pytest.raises(PeerError):
            await AsyncRuns(client).stream("thread_1", assistant_id="asst_1").until_done()
    with pytest.raises(PeerError):
        await aaccumulate(streamkit_stream)


@pytest.mark.anyio
async def test_its_own(streamkit_stream):
    assert await aaccumulate(streamkit_stream) == streamkit_stream.snapshot
"""

SERVER: Final = """
import json, urllib.request
from pathlib import Path
import httpx, pytest
from streamkit import accumulate
from streamkit.live import AsyncRuns
from streamkit.testing import Cut, message, script


def ask(server, assistant="asst_1", thread="thread_1"):
    # As a browser does, or anything else.
    body = json.dumps({"assistant_id": assistant, "stream": True}).encode()
    headers = {"Content-Type": "application/json", "OpenAI-Beta": "assistants=v2"}
    request = urllib.request.Request(f"{server.url}/threads/{thread}/runs", body, headers)
    with urllib.request.urlopen(request) as response:
        return accumulate(iter(response), allow_partial=True)


def calls(snapshot):
    return snapshot.steps[0].step_details.tool_calls


@pytest.mark.streamkit("report")
def test_a_client(streamkit_server, streamkit_stream):
    assert calls(ask(streamkit_server)) == calls(streamkit_stream.snapshot)
    assert [each.operation for each in streamkit_server.requests] == ["create"]


@pytest.mark.streamkit("report", faults=[Cut(frames=9)])
def test_a_cut(streamkit_server):
    assert ask(streamkit_server).outcome == "truncated"


@pytest.mark.anyio
@pytest.mark.streamkit("report")
async def test_an_async_client(streamkit_server, streamkit_stream):
    async with httpx.AsyncClient(base_url=streamkit_server.url) as client:
        run = AsyncRuns(client).stream("thread_1", assistant_id="asst_1")
        assert calls(await run.until_done()) == calls(streamkit_stream.snapshot)


@pytest.mark.streamkit(Path("recordings"))
def test_it_serves_folders(streamkit_server):
    assert ask(streamkit_server, "failed").run.status == "failed"
    assert ask(streamkit_server, "incomplete").run.status == "incomplete"


def test_it_serves_what_is_added(streamkit_server):
    place = streamkit_server.add(script(message("added")))
    said = ask(streamkit_server, place.assistant_id, place.thread_id)
    assert said.messages[0].content[0].text.value == "added"
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project, with recordings."""
    shutil.copytree(HERE / "recordings", pytester.path / "recordings")
    pytester.makeini(INI)
    pytester.makepyfile(chat=CHAT)
    return pytester


def lay(folder: Path, recordings: dict[str, str]) -> None:
    """Copy recordings to where tests have their own."""
    for test, name in recordings.items():
        path = folder / test
        path.parent.mkdir(exist_ok=True)
        shutil.copy(HERE / "recordings" / name, path)


def test_synchronous_clients_are_played_to(project: pytest.Pytester) -> None:
    project.makepyfile(test_sync=SYNC)
    odd = "test_sync/test_each_its_own-b_c-" + sha256(b"test_each_its_own[b/c]").hexdigest()[:8]
    lay(
        project.path / "recordings",
        {
            "test_sync/test_its_own.sse": "report.sse",
            "test_sync/TestChat.test_it.sse": "cut.sse",
            "test_sync/test_each_its_own-a.sse": "report.sse",
            f"{odd}.sse": "error.sse",
        },
    )
    project.runpytest_subprocess("--block-network").assert_outcomes(passed=19)


def test_asynchronous_clients_are_played_to(project: pytest.Pytester) -> None:
    project.makepyfile(test_async=ASYNC)
    lay(
        project.path / "recordings",
        {
            "test_async/test_its_own-asyncio.sse": "report.sse",
            "test_async/test_its_own-trio.leg1.sse": "parallel-functions.leg1.sse",
            "test_async/test_its_own-trio.leg2.sse": "parallel-functions.leg2.sse",
        },
    )
    project.runpytest_subprocess("--block-network").assert_outcomes(passed=7)


def test_a_server_is_there_for_any_client(project: pytest.Pytester) -> None:
    project.makepyfile(test_server=SERVER)
    result = project.runpytest_subprocess("--block-network", "--allowed-hosts=127.0.0.1")
    result.assert_outcomes(passed=6)


def test_the_folder_can_be_another(project: pytest.Pytester) -> None:
    (project.path / "recordings").rename(project.path / "kept")
    project.makeini(f"{INI}streamkit_recordings = kept\n")
    project.mkpydir("inner")
    (project.path / "inner" / "test_it.py").write_text(FOLDER)
    lay(project.path / "kept", {"test_it/test_its_own.sse": "cut.sse"})
    project.runpytest_subprocess().assert_outcomes(passed=3)


FOLDER: Final = """
import httpx, pytest
from pathlib import Path
from streamkit.live import Runs

@pytest.mark.streamkit("report")
def test_named(streamkit_stream):
    assert streamkit_stream.snapshot.outcome == "complete"

def test_its_own(streamkit_stream):
    assert streamkit_stream.snapshot.outcome == "truncated"

@pytest.mark.streamkit(Path("../kept/report.sse"), files={"file-1": "test_it.py"})
def test_paths_start_here(streamkit_transport):
    client = httpx.Client(base_url="https://api.test/v1", transport=streamkit_transport)
    assert b"import" in Runs(client).image_bytes("file-1")
"""


def test_without_the_plugin_there_is_nothing(project: pytest.Pytester) -> None:
    project.makepyfile("def test_it(streamkit_stream): pass")
    result = project.runpytest_subprocess("-p", "no:streamkit")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'streamkit_stream' not found*"])


# What it costs whoever does not use it


HEAVY: Final = {"anyio", "httpx", "httpx2", "hypothesis", "openai", "rich", "starlette", "uvicorn"}


def test_the_module_loads_nothing_that_takes_time() -> None:
    code = "import streamkit.pytest_plugin, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    loaded = set(done.stdout.split())
    assert not HEAVY & loaded
    ours = ("streamkit.testing", "streamkit.recording", "streamkit.pytest_plugin")
    assert {name for name in loaded if name.startswith(ours)} == {"streamkit.pytest_plugin"}


def test_a_run_without_its_fixtures_loads_nothing_more(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(f"""
        import sys

        def test_it():
            assert not {HEAVY!r} & set(sys.modules)
            assert [1, 2] == [1, 2]
    """)
    result = pytester.runpytest_subprocess("-p", "streamkit.pytest_plugin")
    result.assert_outcomes(passed=1)


def test_it_is_there_wherever_the_package_is_installed() -> None:
    declared = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]
    assert declared["entry-points"]["pytest11"] == {"streamkit": "streamkit.pytest_plugin"}
