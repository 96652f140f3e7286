"""The command `streamkit record`, against a real server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias, cast

import pytest

from streamkit import Accumulator, RunSnapshot, accumulate, to_wire
from streamkit.cli import main
from streamkit.cli.showing import Attentive
from streamkit.cli.views import View
from streamkit.recording import read
from tests.living import serving
from tests.recorded import OWN
from tests.server import Answer, Fault, Place, Script, Server, rewritten

Capture: TypeAlias = pytest.CaptureFixture[str]

ROOT: Final = Path(__file__).parents[1]
DEADLINE: Final = 60.0
SECRET: Final = "sk-proj-NotARealKey_0123456789"
PLAIN: Final = "4f1b9e7c2a5d4e83b6a0c7d9e2f41b3a"
SENT: Final = (
    *("-H", "OpenAI-Beta: assistants=v2"),
    *("-H", f"Authorization: Bearer {SECRET}"),
    *("-H", f"X-Gateway: {PLAIN}"),
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "run.sse.jsonl")


def request(server: Server, place: Place, path: str | None = None) -> list[str]:
    """Give the arguments that start the run of a place."""
    asked = json.dumps({"assistant_id": place.assistant_id, "stream": True})
    path = path or f"/threads/{place.thread_id}/runs"
    return ["record", *SENT, "--json", asked, f"{server.url}{path}"]


# What comes


@pytest.mark.parametrize("name", ["report", "emoji", "refusal", "file-search", "failed"])
@pytest.mark.parametrize("form", [[], ["--changes"]], ids=str)
def test_it_shows_what_replay_shows_of_what_it_wrote(
    name: str, form: list[str], server: Server, file: str, capsys: Capture
) -> None:
    place = server.add(Script(OWN[name][:1]))
    assert main([*request(server, place), *form, "-o", file]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert read(file).body == rewritten(OWN[name][:1], place)[0].data
    assert main(["replay", *form, file]) == 0
    assert capsys.readouterr() == shown


@pytest.mark.parametrize("suffix", [".sse", ".sse.gz", ".sse.jsonl", ".sse.jsonl.gz"])
def test_the_name_tells_the_form(suffix: str, server: Server, tmp_path: Path) -> None:
    place = server.add(Script(OWN["report"]))
    file = tmp_path / f"run{suffix}"
    assert main([*request(server, place), "--quiet", "-o", str(file)]) == 0
    recording = read(file)
    assert recording.body == rewritten(OWN["report"], place)[0].data
    assert recording.form == ("timed" if "jsonl" in suffix else "raw")


def test_quiet_shows_what_the_run_came_to(server: Server, file: str, capsys: Capture) -> None:
    place = server.add(Script(OWN["report"]))
    assert main([*request(server, place), "--quiet", "-o", file]) == 0
    quiet = capsys.readouterr().out
    main(["replay", file])
    assert capsys.readouterr().out.endswith(f"\n\n{quiet}")
    assert quiet.startswith("step ")


def test_a_stream_that_is_cut_is_kept_as_far_as_it_came(
    server: Server, file: str, capsys: Capture
) -> None:
    place = server.add(Script(OWN["report"], faults=[Fault(frames=9)]))
    assert main([*request(server, place), "-o", file]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].endswith("stream truncated")
    assert err.startswith(f"streamkit: {server.url}/threads/")
    assert err.count("\n") == 1
    whole = rewritten(OWN["report"], place)[0]
    assert read(file).body == whole.data[: whole.ends[9]]
    assert read(file).legs[0].error is not None
    assert main(["replay", file]) == 1
    replayed = capsys.readouterr()
    assert replayed.out == out
    assert "reading failed when this was recorded" in replayed.err


# What is sent


@pytest.mark.parametrize(
    ("arguments", "method", "kind"),
    [
        pytest.param([], "GET", None, id="nothing"),
        pytest.param(["-d", "{}"], "POST", "application/x-www-form-urlencoded", id="data"),
        pytest.param(["--json", "{}"], "POST", "application/json", id="json"),
        pytest.param(["--json", "@body.json"], "POST", "application/json", id="a file"),
        pytest.param(["-d", "{}", "-H", "content-type: a/b"], "POST", "a/b", id="own type"),
        pytest.param(["-X", "POST"], "POST", None, id="a method"),
    ],
)
def test_what_is_sent(
    *,
    arguments: list[str],
    method: str,
    kind: str | None,
    server: Server,
    file: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("body.json").write_text("{}\n")
    stream = Answer(200, OWN["refusal"][0], {"content-type": "text/event-stream"})
    place = server.add(Script(OWN["refusal"], answers={"create": [stream], "list": [stream]}))
    url = f"{server.url}/threads/{place.thread_id}/runs"
    main(["record", *SENT, "-o", file, *arguments, url])
    (asked,) = server.requests(place)
    assert asked.method == method
    assert asked.headers.get("content-type") == kind
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert asked.headers["accept"] == "text/event-stream"


# What goes wrong


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(Answer(500, b"oops"), "answered 500; the body begins 'oops'", id="500"),
        pytest.param(Answer(200, {"id": "run_1"}), "instead of a stream", id="no stream"),
        pytest.param(Answer(302, b"", {"location": "/x"}), "not followed", id="redirect"),
        pytest.param(Answer(401, f"{SECRET} {PLAIN}\x1b[31m".encode()), "***", id="an echo"),
        pytest.param(Answer(abort=True), "cannot connect: ", id="no answer"),
    ],
)
def test_an_answer_that_is_no_stream_is_one_line_and_leaves_no_file(
    answer: Answer, said: str, server: Server, file: str, capsys: Capture
) -> None:
    place = server.add(Script(OWN["report"], answers={"create": [answer]}))
    assert main([*request(server, place), "-o", file]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("streamkit: http://127.0.0.1:")
    assert err.count("\n") == 1
    for secret in (SECRET, PLAIN, "\x1b"):
        assert secret not in err
    assert not Path(file).exists()


def test_what_was_recorded_before_stays_where_nothing_comes(server: Server, file: str) -> None:
    Path(file).write_bytes(b"old")
    assert main(["record", "-o", file, "http://127.0.0.1:9/"]) == 1
    place = server.add(Script(OWN["report"], answers={"create": [Answer(500)]}))
    assert main([*request(server, place), "-o", file]) == 1
    assert Path(file).read_bytes() == b"old"


def test_nobody_there(file: str, capsys: Capture) -> None:
    url = "http://user:password@127.0.0.1:9/runs?api-key=12345678"
    assert main(["record", "-o", file, url]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("streamkit: http://127.0.0.1:9/runs: cannot connect: ")
    assert err.count("\n") == 1


def test_an_environment_that_cannot_be_used(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "nonsense://proxy")
    assert main(["record", "-o", file, URL]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("streamkit: the environment: ")
    assert err.count("\n") == 1
    assert not Path(file).exists()


URL: Final = "http://127.0.0.1:9/"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["-o", "run.sse"], "required: URL", id="no URL"),
        pytest.param([URL], "required: -o/--output", id="no file"),
        pytest.param([URL, "-o", "run.txt"], "a recording is called .sse", id="no form"),
        pytest.param([URL, "-o", "no/run.sse"], "No such file or directory", id="no folder"),
        pytest.param([URL, "-o", "folder.sse"], "a directory", id="a folder"),
        pytest.param(["ftp://a/b", "-o", "run.sse"], "http or https", id="scheme"),
        pytest.param(["/runs", "-o", "run.sse"], "http or https", id="path"),
        pytest.param([f"http://a:{SECRET}/", "-o", "run.sse"], "http or https", id="port"),
        pytest.param([URL, "-o", "run.sse", "-X", "G T"], "no method", id="method"),
        pytest.param([URL, "-o", "run.sse", "-H", SECRET], "'NAME: VALUE'", id="header"),
        pytest.param([URL, "-o", "run.sse", "-H", f"A: b\n{SECRET}"], "cannot be sent", id="LF"),
        pytest.param([URL, "-o", "run.sse", "-H", f"A: {SECRET}é"], "cannot be sent", id="é"),
        pytest.param([URL, "-o", "run.sse", "-H", "A:", "B", SECRET], "value of A", id="quotes"),
        pytest.param([URL, "-o", "run.sse", "B", SECRET], "too many arguments", id="too many"),
        pytest.param([URL, "-o", "run.sse", "--json", "{"], "not JSON", id="no JSON"),
        pytest.param([URL, "-o", "run.sse", "--json", "@x"], "x: No such file", id="no body"),
        pytest.param([URL, "-o", "run.sse", "-d", "a", "--json", "{}"], "not allowed", id="both"),
        pytest.param([URL, "-o", "run.sse", "--timeout", "0"], "above 0", id="timeout"),
        pytest.param([URL, "-o", "run.sse", "--timeout", "nan"], "above 0", id="no number"),
        pytest.param([URL, "-o", "run.sse", "--quiet", "--changes"], "not allowed", id="views"),
    ],
)
def test_wrong_usage_sends_nothing(
    arguments: list[str],
    said: str,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.sse").mkdir()
    try:
        status = main(["record", *arguments])
    except SystemExit as exit_:
        status = cast(int, exit_.code)
    assert status == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("streamkit: ")
    assert err.count("\n") == 1
    assert SECRET not in err
    assert [path.name for path in tmp_path.iterdir()] == ["folder.sse"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
@pytest.mark.parametrize("suffix", [".sse", ".sse.jsonl"])
def test_a_full_disk_lets_the_run_go_on(
    suffix: str, server: Server, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / f"run{suffix}"
    file.symlink_to("/dev/full")
    place = server.add(Script(OWN["report"]))
    assert main([*request(server, place), "-o", str(file)]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].endswith("stream complete")
    assert err == f"streamkit: {file}: the recording is not whole: No space left on device\n"


# Secrets


def test_no_secret_that_was_sent_is_written_or_shown(
    server: Server, tmp_path: Path, capsys: Capture
) -> None:
    for suffix in (".sse", ".sse.jsonl"):
        place = server.add(Script(OWN["report"]))
        file = tmp_path / f"run{suffix}"
        url = request(server, place)[-1].replace("//", "//user:password-0@") + "?key=key-123456"
        main([*request(server, place)[:-1], url, "-o", str(file)])
        said = "".join(capsys.readouterr()).encode() + file.read_bytes()
        for secret in (SECRET, PLAIN, "password-0", "key-123456"):
            assert secret.encode() not in said


# As a process


@pytest.mark.skipif(os.name != "posix", reason="signals are Unix's own")
def test_an_interrupt_keeps_what_came(server: Server, file: str) -> None:
    fault = Fault(frames=12, how="stall")
    place = server.add(Script(OWN["report"], faults=[fault]))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "streamkit", *request(server, place), "--changes", "-o", file],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    signal.signal(signal.SIGINT, before)
    whole = rewritten(OWN["report"], place)[0]
    came = whole.data[: whole.ends[12]]
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        changes = Accumulator().feed_bytes(came)
        for _ in changes:  # it has shown them all, and so it has written them
            assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 130
        assert process.stderr.read() == b""
    assert read(file).body == came


def test_a_process_records_what_is_sent(server: Server, file: str) -> None:
    place = server.add(Script(OWN["report"]))
    done = subprocess.run(
        [sys.executable, "-m", "streamkit", *request(server, place), "--quiet", "-o", file],
        cwd=ROOT,
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    whole = rewritten(OWN["report"], place)[0].data
    assert to_wire(accumulate(read(file).body)) == to_wire(accumulate(whole))


# Pauses


def test_a_view_is_told_that_nothing_more_comes() -> None:
    class Waiting(View):
        def __init__(self, failure: type[Exception] | None) -> None:
            self.was_paused = threading.Event()
            self.failure = failure
            self.calls: list[str] = []

        def begin(self, accumulator: Accumulator) -> None:
            self.calls.append("begin")

        def open(self, title: str | None, size: int | None) -> None:
            self.calls.append("open")

        def settle(self, snapshot: RunSnapshot) -> None:
            self.calls.append("settle")

        def pause(self) -> None:
            self.was_paused.set()
            if self.failure is not None:
                raise self.failure

        def close(self) -> None:
            self.calls.append("close")

    def check(failure: type[Exception] | None) -> None:
        waiting = Waiting(failure)
        view = Attentive(waiting)
        view.begin(Accumulator())
        view.open(None, None)
        for _ in range(2):
            waiting.was_paused.clear()
            view.show(())
            assert waiting.was_paused.wait(DEADLINE)
        view.settle(RunSnapshot())
        view.close()
        assert waiting.calls == ["begin", "open", "settle", "close"]

    check(None)
    check(BrokenPipeError)
