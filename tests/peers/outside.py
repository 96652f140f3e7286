"""What is not Python's: node, the packages of npm, and Chromium.

Where the environment variable STREAMKIT_PEERS is set, a test fails for want of them; anywhere
else it is skipped. ``nox -s browser`` installs the packages, and sets it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest

__all__ = ["FLAGS", "HERE", "PACKAGES", "chromium", "run_script"]

HERE: Final = Path(__file__).parent
PACKAGES: Final = HERE / "node" / "node_modules"

# Nothing but the page itself is to be fetched, and no graphics card is needed.
FLAGS: Final = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)

# Far more than all scripts take together, on a slow machine.
_PATIENCE: Final = 300


def absent(what: str) -> NoReturn:
    """Skip a test for want of something, or fail."""
    if os.environ.get("STREAMKIT_PEERS"):
        pytest.fail(f"{what}, and STREAMKIT_PEERS wants it")
    pytest.skip(what)


def run_script(name: str, given: Any) -> list[Any]:
    """Give a script JSON, and take the JSON of each line that it prints."""
    done = node([str(HERE / "node" / name)], json.dumps(given))
    assert (done.stderr, done.returncode) == ("", 0)
    return [json.loads(line) for line in done.stdout.splitlines()]


def node(
    arguments: list[str], given: str = "", **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run node with its packages."""
    if (found := shutil.which("node")) is None:
        absent("there is no node")
    if not PACKAGES.is_dir():
        absent(f"there is no {PACKAGES.relative_to(HERE.parent.parent)}: npm install there")
    return subprocess.run(
        [found, *arguments],
        capture_output=True,
        check=False,
        input=given,
        text=True,
        timeout=_PATIENCE,
        **options,
    )


@cache
def chromium() -> str:
    """Find Chromium, or a browser that is made of it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    absent("there is no Chromium")
