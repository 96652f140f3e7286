"""Runs drawn with rich."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final

import pytest
from rich.console import Console

from streamkit import Accumulator, Frame
from streamkit.cli import main
from streamkit.cli.narration import Kind
from streamkit.cli.rich_panels import Grown, Window
from streamkit.cli.rich_view import RichView
from tests.streams import (
    body,
    code,
    code_call,
    done,
    drawn,
    function,
    function_call,
    message_completed,
    message_created,
    printed,
    run,
    step_completed,
    step_created,
    step_delta,
    written,
)
from tests.test_cli_hostile import FOUND, HOSTILE

WIDTH: Final = 100
OVERRIDES: Final = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")

# Sequences as rich writes them, the ones that set colours apart.
COLOUR: Final = re.compile(r"\x1b\[(?:\d+;)*(?:3\d|4\d|9\d|10\d)(?:;\d+)*m")
SEQUENCE: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Screen(io.StringIO):
    """A terminal that keeps what is written."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Make a terminal of some size."""
    for name in OVERRIDES:
        monkeypatch.delenv(name, raising=False)
    environment = {"TERM": "xterm-256color", "COLUMNS": f"{WIDTH}", "LINES": "40"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Screen()


def words(output: str) -> str:
    """Leave out what moves the cursor and sets colours."""
    return SEQUENCE.sub("", output).replace("\r", "")


def panel(title: str, *lines: str) -> str:
    """Draw a panel by hand."""
    head = f"╭─ {title} ".ljust(WIDTH - 1, "─") + "╮\n"
    rows = "".join(f"│ {line.ljust(WIDTH - 4)} │\n" for line in lines)
    return f"{head}{rows}╰{'─' * (WIDTH - 2)}╯\n"


def replay(screen: Screen, path: Path, *frames: Frame) -> int:
    """Replay frames as a file in this directory."""
    path /= "run.sse"
    path.write_bytes(body(frames))
    with redirect_stdout(screen):
        return main(["replay", str(path)])


CITED: Final = {"type": "file_citation", "text": "[1]", "file_citation": {"file_id": "file-b"}}
RUN: Final = (
    run("in_progress"),
    step_created(),
    step_delta("step_1", code(0, "print(6", id="call_1"), code(1, "1 /", id="call_2")),
    step_delta("step_1", code(0, " * 7)"), code(1, " 0")),
    step_completed(
        "step_1",
        code_call("call_1", "print(6 * 7)", printed("42\n"), drawn("file-a")),
        code_call("call_2", "1 / 0"),
        function_call("call_3", "f", '{"a":1}', "one"),
        created_at=1,
        completed_at=3,
        usage={"total_tokens": 1500},
    ),
    message_created("[msg]"),
    message_completed("[msg]", written("It is [bold]42[/bold] :smile:", CITED)),
    run("completed"),
    done(),
)


def test_a_run_is_drawn(screen: Screen, tmp_path: Path) -> None:
    assert replay(screen, tmp_path, *RUN) == 0
    output = words(screen.getvalue())
    places = [
        output.index(drawing)
        for drawing in (
            "run · run_1\n",
            panel("code · call_1", "print(6 * 7)"),
            panel("logs · call_1", "42"),
            "▣ image · call_1 · file-a\n",
            panel("code · call_2", "1 / 0"),
            panel("arguments · f · call_3", "{", '  "a": 1', "}"),
            panel("output · f · call_3", "one"),
            panel("message · [msg]", "It is [bold]42[/bold] :smile:"),
            "· [1] cites file-b\n",
            "run completed · stream complete\n",
        )
    ]
    assert places == sorted(places)
    assert re.search(r"\n step_1 +code_interpreter x2, f +completed +2 s +1,500 *\n", output)


def test_code_is_coloured_and_text_is_not(screen: Screen, tmp_path: Path) -> None:
    replay(screen, tmp_path, *RUN)
    assert re.search(r"\x1b\[[0-9;]*m *print", screen.getvalue())
    assert COLOUR.search(screen.getvalue())
    assert re.search(r"│ It is \[bold\]42", screen.getvalue())


def test_no_color_is_respected(
    screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    replay(screen, tmp_path, *RUN)
    assert panel("code · call_1", "print(6 * 7)") in words(screen.getvalue())
    assert COLOUR.findall(screen.getvalue()) == []


def test_a_long_code_is_drawn_without_colours(screen: Screen, tmp_path: Path) -> None:
    replay(screen, tmp_path, step_delta("step_1", code(0, "import x\n" * 20_000)))
    assert not re.search(r"\x1b\[[0-9;]*mimport", screen.getvalue())
    assert "│ import x " in words(screen.getvalue())


@pytest.mark.parametrize("arguments", ["not JSON", '{"a":', "[" * 5000, '{"a": NaN}'])
def test_arguments_may_be_anything(arguments: str, screen: Screen, tmp_path: Path) -> None:
    replay(screen, tmp_path, step_delta("step_1", function(0, arguments, id="call_1")))
    assert arguments[:80] in words(screen.getvalue())


def test_several_files_are_headed(screen: Screen, tmp_path: Path) -> None:
    for name in ("1.sse", "2.sse"):
        (tmp_path / name).write_bytes(body([run("completed"), done()]))
    with redirect_stdout(screen):
        assert main(["replay", f"{tmp_path}/1.sse", f"{tmp_path}/2.sse"]) == 0
    output = words(screen.getvalue())
    assert re.search(r"/1\.sse ─+\n(.|\n)*run completed(.|\n)*/2\.sse ─+\n", output)


def test_nothing_hostile_gets_through(screen: Screen, tmp_path: Path) -> None:
    assert replay(screen, tmp_path, *HOSTILE) == 1
    output = screen.getvalue()
    # Once rich's own sequences are left out, nothing but text is left. Rich returns the
    # carriage only before it clears a line.
    output = SEQUENCE.sub("", re.sub(r"\r(?=\x1b\[|  |$)", "", output))
    assert FOUND.findall(output) == []
    assert output.count("\\x1b]0;title\\x07") > 20


def test_no_hostile_name_gets_through(screen: Screen, tmp_path: Path) -> None:
    path = tmp_path / "\x1b]0;title\x07\u202e.sse"
    path.write_bytes(body([run("completed"), done()]))
    with redirect_stdout(screen):
        assert main(["replay", str(path), str(path)]) == 0
    assert "\\x1b]0;title\\x07\\u202e.sse ──" in words(screen.getvalue())
    assert "\x1b]0;" not in screen.getvalue()
    assert "\u202e" not in screen.getvalue()


# The window


def grown(kind: Kind, title: str, value: str) -> Grown:
    """Let a passage grow by one fragment."""
    passage = Grown(kind, title)
    passage.append(value)
    return passage


def window(*passages: Grown, height: int) -> str:
    """Draw the window on a terminal of some height."""
    console = Console(file=io.StringIO(), width=WIDTH, height=height)
    console.print(Window(passages, None))
    assert isinstance(console.file, io.StringIO)
    return re.sub(" +\n", "\n", console.file.getvalue())


NUMBERS: Final = "\n".join(map(str, range(100)))


@pytest.mark.parametrize(
    ("passages", "height", "drawn_"),
    [
        pytest.param([], 10, "", id="nothing"),
        pytest.param([("code", "a", "1\n2")], 10, panel("a", "1", "2"), id="all of it"),
        pytest.param([("logs", "a", NUMBERS)], 5, panel("a", "98", "99"), id="the end of it"),
        pytest.param([("image", "a", "file-a")], 5, "▣ a · file-a\n", id="image"),
        pytest.param(
            [("code", "a", NUMBERS), ("logs", "b", "1\n2")],
            10,
            panel("a", "97", "98", "99") + panel("b", "1", "2"),
            id="the last have the room they need",
        ),
        pytest.param(
            [("code", "a", NUMBERS), ("message", "b", NUMBERS)],
            8,
            panel("b", "95", "96", "97", "98", "99"),
            id="no room for the first",
        ),
        pytest.param(
            [("message", "a", "word " * 100)],
            5,
            panel("a", "word " * 19, "word " * 5),
            id="long lines",
        ),
    ],
)
def test_the_window_shows_the_ends_that_fit(
    passages: Sequence[tuple[Kind, str, str]], height: int, drawn_: str
) -> None:
    assert window(*(grown(*passage) for passage in passages), height=height) == drawn_


@pytest.mark.parametrize(("size", "shown"), [(2**23, "25%"), (2**20, None), (None, None)])
def test_a_long_file_has_a_bar(size: int | None, shown: str | None, screen: Screen) -> None:
    view = RichView(screen)
    view.begin(Accumulator())
    view.open(None, size)
    view.read(2**21)
    assert view._live is not None
    view._live.refresh()
    view.close()
    percentages = re.findall(r"\d+%", words(screen.getvalue()))
    assert percentages[-1:] == ([shown] if shown else [])
