"""The command as a process: pipes, signals, and streams that are still arriving."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, TypeAlias

import pytest

from streamkit import Frame, encode_frame
from tests.streams import (
    body,
    code,
    done,
    logs,
    message_completed,
    message_delta,
    ran,
    run,
    step_created,
    step_delta,
    text,
    written,
)

Process: TypeAlias = subprocess.Popen[bytes]
Start: TypeAlias = Callable[..., Process]

ROOT: Final = Path(__file__).parents[1]
REPORT: Final = str(ROOT / "tests" / "recordings" / "report.sse")
DEADLINE: Final = 60.0  # generous: it is only met where something hangs

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes and signals are Unix's own")


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start `streamkit replay` with pipes all around; what still runs is killed."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("PYTHONIOENCODING", "PYTHONUNBUFFERED"):
        monkeypatch.delenv(name, raising=False)
    # A child inherits a signal that is ignored, as in a background job, but no handler.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    started: list[Process] = []

    def start(*arguments: str, **options: object) -> Process:
        command = [sys.executable, "-m", "streamkit", "replay", *arguments]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen(command, **(pipes | options))  # type: ignore[call-overload]
        started.append(process)
        return process  # type: ignore[no-any-return]

    yield start
    signal.signal(signal.SIGINT, before)
    for process in started:
        process.kill()
        for pipe in (process.stdout, process.stderr, process.stdin):
            if pipe is not None:
                pipe.close()
        process.wait()


def send(process: Process, *frames: Frame) -> None:
    """Let frames arrive."""
    assert process.stdin is not None
    process.stdin.write(b"".join(map(encode_frame, frames)))
    process.stdin.flush()


def read_until(pipe: IO[bytes] | None, wanted: str) -> str:
    """Read until the text ends as wanted."""
    assert pipe is not None
    end = time.monotonic() + DEADLINE
    got = b""
    while not got.endswith(wanted.encode()):
        left = end - time.monotonic()
        assert select.select([pipe], [], [], max(0, left))[0], f"nothing more after {got!r}"
        chunk = os.read(pipe.fileno(), 65536)
        assert chunk, f"the end after {got!r}"
        got += chunk
    return got.decode()


def finish(process: Process) -> tuple[int, str, str]:
    """Let the input end; return the status and what was left on both outputs."""
    if process.stdin is not None:
        process.stdin.close()
    return left(process)


def left(process: Process) -> tuple[int, str, str]:
    """Wait for the end; return the status and what was left on both outputs, which is little."""
    status = process.wait(DEADLINE)
    out, err = (
        pipe.read().decode() if pipe is not None and not pipe.closed else ""
        for pipe in (process.stdout, process.stderr)
    )
    return status, out, err


# Live


def test_each_event_is_shown_before_the_next_arrives(start: Start) -> None:
    process = start("-")
    for frame, shown in [
        (run("in_progress"), "── run · run_1\n"),
        (message_delta("msg_1", text(0, "Tick")), "\n── message · msg_1\nTick"),
        (message_delta("msg_1", text(0, " tock")), " tock"),
        (message_delta("msg_1", text(0, ",\r")), ","),
        (message_delta("msg_1", text(0, "\ntick")), "\ntick"),
        (message_completed("msg_1", written("Tick tock,\r\ntick")), "\n"),
    ]:
        send(process, frame)
        read_until(process.stdout, shown)
    send(process, run("completed"), done())
    assert "\nrun completed · " in read_until(process.stdout, "stream complete · 1 problem\n")
    # The run is over, so the command is, though its input is still open.
    assert process.wait(DEADLINE) == 0


def test_changes_are_told_before_the_next_event_arrives(start: Start) -> None:
    process = start("--changes", "-")
    for number in range(3):
        send(process, step_delta("step_1", ran(0, logs(0, f"{number}"))))
        read_until(process.stdout, f'"text":"{number}"}}\n')
    assert finish(process)[0] == 1


def test_a_call_that_waits_for_its_turn_gets_it_when_nothing_more_arrives(start: Start) -> None:
    process = start("-")
    send(process, run("in_progress"), step_created())
    send(process, step_delta("step_1", code(0, "a", id="A")))
    read_until(process.stdout, "── code · A\na")
    send(process, step_delta("step_1", code(1, "b", id="B")))
    read_until(process.stdout, "\n── code · B\nb")


def test_a_named_pipe_is_live_too(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    process = start(str(path))
    with path.open("wb") as pipe:
        for event, shown in [
            (run("in_progress"), "run_1\n"),
            (message_delta("msg_1", text(0, "Tick")), "Tick"),
        ]:
            pipe.write(encode_frame(event))
            pipe.flush()
            read_until(process.stdout, shown)
    assert process.wait(DEADLINE) == 1


def test_standard_input_is_what_a_file_is(start: Start) -> None:
    whole = start(REPORT)
    with Path(REPORT).open("rb") as file:
        piped = start("-", stdin=file)
    assert finish(piped) == finish(whole)


# Ends


@pytest.mark.parametrize("form", [[], ["--json"], ["--changes"]], ids=str)
def test_a_reader_that_leaves_ends_it_quietly(form: list[str], start: Start) -> None:
    process = start(*form, "-")
    assert process.stdout is not None
    process.stdout.close()
    send(process, run("completed"), done())
    assert left(process) == (141, "", "")


def test_a_reader_that_leaves_during_a_pause_ends_it_quietly(start: Start) -> None:
    process = start("-")
    send(process, run("in_progress"), step_created())
    send(process, step_delta("step_1", code(0, "a", id="A")))
    read_until(process.stdout, "── code · A\na")
    assert process.stdout is not None
    process.stdout.close()
    send(process, step_delta("step_1", code(1, "b", id="B")))
    assert left(process) == (141, "", "")


def test_head_gets_its_line_and_no_one_complains(start: Start) -> None:
    process = start(REPORT)
    head = subprocess.run(
        ["head", "-n", "1"], stdin=process.stdout, capture_output=True, check=True
    )
    assert head.stdout.decode().startswith("── run · run_")
    assert process.stdout is not None
    process.stdout.close()
    status, _, err = left(process)
    assert status in (0, 141)  # it may be done before head is
    assert err == ""


def test_help_that_nobody_reads(start: Start) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = start("--help", stdout=writer)
    os.close(writer)
    assert left(process) == (141, "", "")


@pytest.mark.parametrize("form", [[], ["--json"], ["--changes"], ["--quiet"]], ids=str)
def test_an_interrupt_ends_it_quietly(form: list[str], start: Start) -> None:
    process = start(*form, "missing.sse", "-")
    read_until(process.stderr, "missing.sse: No such file or directory\n")  # it is under way
    process.send_signal(signal.SIGINT)
    status, _, err = left(process)
    assert (status, err) == (130, "")


def test_an_interrupt_shows_what_was_held_back_and_ends_the_line(start: Start) -> None:
    process = start("-")
    send(process, run("in_progress"), message_delta("msg_1", text(0, "Tick\r")))
    read_until(process.stdout, "Tick")
    process.send_signal(signal.SIGINT)
    assert left(process) == (130, "\\x0d\n", "")


# Odd outputs and inputs


@pytest.mark.parametrize(
    ("redirection", "status", "out", "err"),
    [
        pytest.param(">&-", 2, "", "streamkit: standard output is closed\n", id="no output"),
        pytest.param("2>&-", 1, "\nno run · stream truncated\n", "", id="no standard error"),
        pytest.param("<&-", 2, "", "streamkit: -: standard input is closed\n", id="no input"),
        pytest.param(
            ">/dev/full",
            2,
            "",
            "streamkit: standard output: No space left on device\n",
            id="full disk",
            marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it"),
        ),
    ],
)
def test_odd_outputs_and_inputs(redirection: str, status: int, out: str, err: str) -> None:
    shell = ["sh", "-c", f'exec "$0" -m streamkit replay - {redirection}', sys.executable]
    done = subprocess.run(
        shell, cwd=ROOT, input=b"", capture_output=True, timeout=DEADLINE, check=False
    )
    assert (done.returncode, done.stdout.decode(), done.stderr.decode()) == (status, out, err)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_an_encoding_that_lacks_characters(
    encoding: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    frames = [run("in_progress", "ru\u0142"), message_delta("msg_1", text(0, "né 中 \U0001f600"))]
    outputs = {}
    for form in ("--quiet", "--json", "--changes", "--legs"):
        process = start(form, "-")
        out, err = process.communicate(body(frames), DEADLINE)
        assert process.returncode == 1
        assert rb"run ru\u0142" in err
        outputs[form] = out.decode(encoding)
    assert "\\u4e2d \\U0001f600" in outputs["--legs"]
    (message,) = json.loads(outputs["--json"])["messages"]
    assert message["content"][0]["text"]["value"] == "né 中 \U0001f600"
    texts = [json.loads(line).get("text") for line in outputs["--changes"].splitlines()]
    assert "né 中 \U0001f600" in texts


@pytest.mark.parametrize("form", [[], ["--json"]], ids=str)
def test_the_same_from_the_script(form: list[str], start: Start) -> None:
    """The entry point and the module are one command."""
    code = "import sys; from streamkit.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "replay", *form, REPORT]
    script = subprocess.run(command, capture_output=True, timeout=DEADLINE, check=False)
    module = start(*form, REPORT)
    assert (script.returncode, script.stdout.decode(), script.stderr.decode()) == finish(module)
