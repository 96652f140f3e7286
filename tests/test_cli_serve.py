"""`streamkit serve`, as a process: what it prints, serves and ends with."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from streamkit import accumulate, to_wire
from streamkit.cli import main
from streamkit.testing.faults import FAULTS
from tests.asking import create

HERE: Final = Path(__file__).parent / "recordings"
REPORT: Final = str(HERE / "report.sse")
COMMAND: Final = [sys.executable, "-m", "streamkit", "serve"]
# As a script reads it: what is not flushed does not come.
BUFFERED: Final = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
END: Final = pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])


@contextmanager
def serving(*arguments: str, sign: signal.Signals = signal.SIGINT) -> Iterator[httpx.Client]:
    """Serve, and see it end as it ought to."""
    command = [*COMMAND, "--port=0", *arguments]
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True, env=BUFFERED) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        found = re.fullmatch(r"Serving (http://127\.0\.0\.1:\d+/v1)\n", first)
        try:
            assert found, first
            with httpx.Client(base_url=found[1], trust_env=False) as client:
                yield client
        finally:
            process.send_signal(sign)
            rest, errors = process.stdout.read(), process.stderr.read()
        assert (process.wait(), errors) == (0, "")
        assert rest.startswith(f"The start page {found[1].removesuffix('/v1')} says how to ask.\n")


def played(client: httpx.Client, **options: Any) -> Any:
    return accumulate([client.request(**create(**options)).content], allow_partial=True)


@END
def test_it_serves_until_it_is_told_to_end(sign: signal.Signals) -> None:
    with serving(REPORT, "--speed=inf", sign=sign) as client:
        assert played(client).outcome == "complete"
        assert "report" in client.get(f"{client.base_url}".removesuffix("v1/")).text


def test_a_stream_that_is_open_is_broken_off() -> None:
    with httpx.Client(trust_env=False) as other, serving(REPORT, "--fault=stall:3") as client:
        url = f"{client.base_url}threads/thread_1/runs"
        request = other.build_request(**(create() | {"url": url}))
        response = other.send(request, stream=True)
        chunks = response.iter_raw()
        next(chunks)
    with pytest.raises(httpx.TransportError):
        list(chunks)


def test_every_option(tmp_path: Path) -> None:
    mapping = tmp_path / "map.json"
    mapping.write_text('{"asst_1": "failed", "gpt-9": "report"}')
    options = ["--speed=1000", "--max-gap=0.001", "--gap=0", f"--map={mapping}"]
    faults = ["--fault=cut:frames=20", "--fault", "status:503,operation=retrieve"]
    with serving(str(HERE), *options, *faults) as client:
        assert played(client).outcome == "truncated"
        assert len(played(client, assistant="x", thread="thread_2", model="gpt-9").steps) == 1
        runs = "/threads/thread_1/runs"
        (run,) = client.get(runs).json()["data"]
        looks = [client.get(f"{runs}/{run['id']}") for _ in range(2)]
        assert [look.status_code for look in looks] == [503, 200]
        assert looks[1].json()["status"] == "failed"


def test_switched_off() -> None:
    with serving(REPORT, "--sunset") as client:
        assert client.request(**create()).status_code == 404


def test_a_run_as_replay_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--json", REPORT]) == 0
    file = tmp_path / "run.json"
    file.write_text(capsys.readouterr().out)
    (tmp_path / "chart.png").write_bytes(b"chart")
    whole = to_wire(accumulate(REPORT))
    with serving(str(tmp_path), "--gap=0") as client:
        run = whole["run"]
        found = played(client, assistant=run["assistant_id"], thread=run["thread_id"])
        assert client.get("/files/chart/content").content == b"chart"
    assert to_wire(found) == whole


def test_what_reads_only_the_first_line() -> None:
    with subprocess.Popen(
        [*COMMAND, REPORT, "--port=0"], stdout=-1, stderr=-1, env=BUFFERED
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"Serving ")
        process.stdout.close()
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: FILE_OR_FOLDER"),
        (["nothing.sse"], "nothing.sse: No such file or directory"),
        ([__file__], "this is no recording"),
        ([str(HERE.parent)], "there is no recording in"),
        ([REPORT, REPORT], "'report' is served twice"),
        ([REPORT, "--port=-1"], "argument --port: a number from 0 to 65535 is needed, not '-1'"),
        ([REPORT, "--port=65536"], "argument --port: a number from 0 to 65535 is needed"),
        ([REPORT, "--port=8.5"], "argument --port: a number from 0 to 65535 is needed"),
        ([REPORT, f"--port={'9' * 9999}"], "argument --port: a number from 0 to 65535 is needed"),
        ([REPORT, "--port=²"], "argument --port: a number from 0 to 65535 is needed"),
        ([REPORT, "--speed=0"], "argument --speed: a number above 0 is needed"),
        ([REPORT, "--gap=x"], "argument --gap: a number of at least 0 is needed"),
        ([REPORT, "--gap=inf"], "argument --gap: a number"),
        ([REPORT, "--max-gap=-1"], "argument --max-gap: a number of at least 0 is needed"),
        ([REPORT, "--fault=cutt"], "there is no 'cutt'; there are cut, stall"),
        ([REPORT, "--fault=cut:frame=1"], "cut has no field 'frame'; it has frames"),
        ([REPORT, "--fault=status:status=9"], "Status: status: "),
        ([REPORT, "--map=none.json"], "none.json: No such file or directory"),
        ([REPORT, f"--map={__file__}"], 'what is needed is {"asst_1": "NAME", ...}'),
        ([REPORT, "--sun"], "unrecognized arguments: --sun"),
    ],
)
def test_what_goes_wrong_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["serve", "--port=0", *arguments])
    except SystemExit as exit:
        status = int(exit.code or 0)
    out, errors = capsys.readouterr()
    assert (status, out) == (2, "")
    assert errors.startswith("streamkit: ")
    assert errors.count("\n") == 1
    assert said in errors


def test_a_mapping_to_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping = tmp_path / "map.json"
    mapping.write_text('{"asst_1": "none"}')
    assert main(["serve", REPORT, f"--map={mapping}"]) == 2
    said = "streamkit: 'asst_1' is mapped to 'none'; what is served is 'report'\n"
    assert capsys.readouterr().err == said


def test_the_port_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", REPORT, f"--port={port}"]) == 2
    assert capsys.readouterr().err == f"streamkit: port {port}: Address already in use\n"


@pytest.mark.parametrize("absent", ["starlette", "uvicorn"])
def test_without_its_extra(absent: str) -> None:
    code = f"import sys; sys.modules[{absent!r}] = None\n"
    code += "from streamkit.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "serve", REPORT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("streamkit: the server needs starlette and uvicorn (")
    assert done.stderr.endswith("): pip install 'streamkit[server]'\n")


def test_help_names_every_fault_and_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    listed = re.search(r"one of ([\w, ]+?),? with", said)
    assert listed
    assert set(re.split(r", | and ", listed[1])) == set(FAULTS)
