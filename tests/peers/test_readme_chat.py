"""The README tests a chat in a browser: its command and its test work as they stand there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.peers.outside import HERE, PACKAGES, chromium, node

ROOT: Final = HERE.parent.parent
README: Final = (ROOT / "README.md").read_text()


@contextmanager
def served(*more: str) -> Iterator[str]:
    """Start the server as the README does, but at a free port, and say where it is."""
    *_, command = re.findall(
        r"^\S.*/streamkit serve (.*)", README.partition("```js")[0], re.MULTILINE
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "streamkit", "serve", *shlex.split(command), *more, "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        first = process.stdout.readline()
        assert first.startswith("Serving ")
        yield first.removeprefix("Serving ").strip().removesuffix("/v1")
    finally:
        process.terminate()
        process.communicate()


def attempt(origin: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the test in a folder that looks like this one."""
    browser = chromium()
    (code,) = re.findall(r"```js\n(.*?)```", README, re.DOTALL)
    for given, here in (("http://127.0.0.1:8765", origin), ("/usr/bin/chromium", browser)):
        assert given in code
        code = code.replace(given, here)
    (folder / "tests").symlink_to(ROOT / "tests")
    (folder / "node_modules").symlink_to(PACKAGES)
    (folder / "chat.test.mjs").write_text(code)
    return node(["--test", "chat.test.mjs"], cwd=folder)


def test_a_chat_in_a_browser(tmp_path: Path) -> None:
    with served() as origin:
        done = attempt(origin, tmp_path)
    assert done.returncode == 0, done.stdout
    assert re.search(r"pass 1$", done.stdout, re.MULTILINE)


def test_a_cut_is_seen(tmp_path: Path) -> None:
    (fault,) = re.findall(r"`--fault (\S+)`", README.partition("```js")[2])
    with served("--fault", fault, "--gap", "0") as origin:
        done = attempt(origin, tmp_path)
    assert done.returncode == 1
    assert "The connection ended before the answer did." in done.stdout
