"""The README says what is so: its Python runs and prints what it claims."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import streamkit
from tests.recorded import OWN
from tests.server import Fault, Script, serve

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(
    r"```python\n(.*?)```(?:\n\nIt prints\n\n```text\n(.*?)```)?", README, re.DOTALL
)


@pytest.fixture(scope="module", params=[None, 9], ids=["whole", "cut"])
def live(request: pytest.FixtureRequest) -> Iterator[str]:
    """Serve the recordings, as `python -m tests.server` does, with `--cut` or without."""
    faults = [] if request.param is None else [Fault(frames=request.param)]
    scripts = {name: Script(legs, faults=faults) for name, legs in OWN.items()}
    with serve(catalogue=scripts) as server:
        yield server.origin


@pytest.mark.parametrize(("code", "printed"), BLOCKS)
def test_python_blocks_run_and_print_what_they_say(code: str, printed: str, live: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code.replace("http://127.0.0.1:8765", live)],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == printed


def test_there_are_blocks() -> None:
    assert [bool(printed) for _, printed in BLOCKS] == [True, True, True]


def test_the_two_commands_come_first() -> None:
    first, second = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert first.strip().endswith("streamkit replay tests/recordings/report.sse")
    assert second.strip() in (ROOT / ".ci" / "run").read_text()


def test_every_change_stands_in_the_table() -> None:
    for keyword, kind in streamkit.observers.KEYWORDS.items():
        assert re.search(rf"^\| .*`{keyword}`.*\| .*`{kind.__name__}`", README, re.MULTILINE)
