"""The README says what is so: its Python runs and prints what it claims."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

import pytest

from streamkit.observers import KEYWORDS
from streamkit.server import Server, serve
from streamkit.testing import parse_fault

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
SHELL = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
BLOCKS = re.findall(
    r"```python\n(.*?)```(?:\n\nIt prints\n\n```text\n(.*?)```)?", README, re.DOTALL
)


PYTHON: Final = [sys.executable, "-W", "error", "-c"]
RECORDINGS: Final = ROOT / "tests" / "recordings"
(FAULT,) = re.findall(r"start the server with `--fault (\S+)`", README)


@pytest.fixture(scope="module")
def live() -> Iterator[Server]:
    with serve(RECORDINGS) as server:
        yield server


@pytest.fixture(scope="module")
def cut() -> Iterator[Server]:
    with serve(RECORDINGS, faults=[parse_fault(FAULT)]) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like this one, and may be written to."""
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    return tmp_path


def run(server: Server, folder: Path, command: list[str], code: str) -> str:
    done = subprocess.run(
        [*command, code.replace("http://127.0.0.1:8765", server.origin)],
        capture_output=True,
        check=False,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


@pytest.mark.parametrize(("code", "printed"), BLOCKS)
def test_python_blocks_run_and_print_what_they_say(
    code: str, printed: str, live: Server, folder: Path
) -> None:
    assert run(live, folder, PYTHON, code) == printed


def test_a_conversation_prints_the_same_over_broken_connections(cut: Server, folder: Path) -> None:
    ((code, printed),) = (block for block in BLOCKS if "converse" in block[0])
    assert run(cut, folder, PYTHON, code) == printed


def test_a_run_is_recorded_and_shared_from_a_shell(live: Server, folder: Path) -> None:
    (code,) = (block for block in SHELL if "streamkit record" in block)
    command = f"streamkit() {{ '{sys.executable}' -m streamkit \"$@\"; }}; set -e\n{code}"
    printed = run(live, folder, ["bash", "-c"], command)
    assert "equal" in printed.splitlines()
    names = {path.name for path in folder.iterdir() if path.is_file()}
    assert names == {"one.sse.jsonl", "one.sse", "shared.sse.jsonl"}


def test_a_chat_handler_is_tested(folder: Path) -> None:
    (code,) = (code for code, _ in BLOCKS if "import pytest" in code)
    (folder / "test_chat.py").write_text(code)
    options = ["-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:asyncio"]
    if "streamkit" not in {each.name for each in entry_points(group="pytest11")}:
        options += ["-p", "streamkit.pytest_plugin"]  # it is not installed, only there
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "test_chat.py"],
        capture_output=True,
        check=False,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
    )
    assert "2 passed" in done.stdout


def test_there_are_blocks() -> None:
    assert [bool(printed) for _, printed in BLOCKS] == [True, True, True, True, True, False]


def test_the_two_commands_come_first() -> None:
    first, second = SHELL[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert first.strip().endswith("streamkit replay tests/recordings/report.sse")
    assert second.strip() in (ROOT / ".ci" / "run").read_text()


def test_every_change_stands_in_the_table() -> None:
    for keyword, kind in KEYWORDS.items():
        assert re.search(rf"^\| .*`{keyword}`.*\| .*`{kind.__name__}`", README, re.MULTILINE)
