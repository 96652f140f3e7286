"""The command as a process on a terminal, where rich draws, or cannot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from select import select
from typing import Final

import pytest

from streamkit import Frame, encode_frame
from streamkit.cli import main
from tests.streams import (
    code,
    done,
    run,
    step_created,
    step_delta,
)
from tests.test_cli_rich import COLOUR, OVERRIDES, WIDTH, panel, words

pytestmark = pytest.mark.skipif(os.name != "posix", reason="terminals are Unix's own")

ROOT: Final = Path(__file__).parents[1]
DEADLINE: Final = 60.0


class Terminal:
    """A process whose output is a terminal."""

    def __init__(self, command: Sequence[str]) -> None:
        self._master, slave = os.openpty()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=slave, stderr=subprocess.PIPE, cwd=ROOT
        )
        os.close(slave)

    def send(self, *frames: Frame) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(map(encode_frame, frames)))
        self.process.stdin.flush()

    def read(self, wanted: str | None = None) -> str:
        """Read until something is shown; without it, until the end."""
        got = b""
        end = time.monotonic() + DEADLINE
        while wanted is None or wanted not in words(got.decode(errors="replace")):
            left = max(0, end - time.monotonic())
            assert select([self._master], [], [], left)[0], f"nothing more after {got!r}"
            try:
                chunk = os.read(self._master, 65536)
            except OSError:  # as Linux says that the other side is closed
                chunk = b""
            if not chunk:
                assert wanted is None, f"the end after {got!r}"
                break
            got += chunk
        return got.decode()

    def close(self) -> None:
        self.process.kill()
        os.close(self._master)
        for pipe in (self.process.stdin, self.process.stderr):
            assert pipe is not None
            pipe.close()
        self.process.wait()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Terminal]]:
    """Start `streamkit replay` on a terminal."""
    environment = {
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm-256color",
        "COLUMNS": f"{WIDTH}",
        "LINES": "40",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name in OVERRIDES:
        monkeypatch.delenv(name, raising=False)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    started: list[Terminal] = []

    def start(*arguments: str, prelude: str = "pass", **variables: str) -> Terminal:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        script = f"import sys; {prelude}; from streamkit.cli import main; sys.exit(main())"
        started.append(Terminal([sys.executable, "-c", script, "replay", *arguments]))
        return started[-1]

    yield start
    signal.signal(signal.SIGINT, before)
    for one in started:
        one.close()


REPORT: Final = str(ROOT / "tests" / "recordings" / "report.sse")


def test_passages_grow_while_they_arrive(terminal: Callable[..., Terminal]) -> None:
    live = terminal("-")
    live.send(run("in_progress"), step_created())
    live.read("run · run_1")
    live.send(step_delta("step_1", code(0, "import this", id="call_1")))
    live.read("│ import this ")
    live.send(step_delta("step_1", code(0, " # twice")))
    live.read("│ import this # twice ")
    live.send(run("completed"), done())
    assert panel("code · call_1", "import this # twice") in words(live.read()).replace("\r", "")
    assert live.process.wait(DEADLINE) == 0


def test_an_interrupt_leaves_the_terminal_as_it_was(terminal: Callable[..., Terminal]) -> None:
    live = terminal("-")
    live.send(step_delta("step_1", code(0, "import this", id="call_1")))
    live.read("│ import this ")
    live.process.send_signal(signal.SIGINT)
    rest = live.read()
    assert live.process.wait(DEADLINE) == 130
    assert panel("code · call_1", "import this") in words(rest)
    assert "\x1b[1A" not in rest[rest.rindex("╰") :]  # and it is not cleared away
    assert rest.rindex("\x1b[?25h") > rest.find("\x1b[?25l")  # the cursor is back
    assert live.process.stderr is not None
    assert live.process.stderr.read() == b""


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        pytest.param([], {"prelude": "sys.modules['rich'] = None"}, id="no rich"),
        pytest.param([], {"TERM": "dumb"}, id="no cursor"),
        pytest.param(["--json"], {}, id="json"),
        pytest.param(["--changes"], {}, id="changes"),
    ],
)
def test_plain_on_a_terminal(
    arguments: list[str],
    options: dict[str, str],
    terminal: Callable[..., Terminal],
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = terminal(*arguments, REPORT, **options).read()
    main(["replay", *arguments, REPORT])
    assert shown.replace("\r\n", "\n") == capsys.readouterr().out


def test_rich_on_a_terminal(terminal: Callable[..., Terminal]) -> None:
    shown = terminal(REPORT).read()
    assert COLOUR.search(shown)
    assert "╭─ code · call_LXVfuYNotARealId6l5dMfUD ─" in words(shown)
    without = terminal(REPORT, NO_COLOR="1").read()
    assert COLOUR.findall(without) == []
    assert "╭─ code · call_LXVfuYNotARealId6l5dMfUD ─" in words(without)


def test_rich_is_not_loaded_where_it_draws_nothing(tmp_path: Path) -> None:
    script = (
        "import sys; from streamkit.cli import main; main(sys.argv[1:]); "
        "sys.exit('rich' in sys.modules)"
    )
    for form in ([], ["--json"], ["--quiet"]):
        command = [sys.executable, "-c", script, "replay", *form, REPORT]
        subprocess.run(command, stdout=subprocess.DEVNULL, cwd=ROOT, check=True)
