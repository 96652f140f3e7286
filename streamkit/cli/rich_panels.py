"""What the rich view is drawn with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.panel import Panel
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn
from rich.segment import Segment, SegmentLines
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from .escape import LINE, Escaper, shorten
from .narration import Kind
from .summary import HEAD, Row

__all__ = ["Grown", "Window", "bar", "table"]

# Highlighting this much takes up to a second, and code that long is data.
_HIGHLIGHTED: Final = 100_000

# Two rows are the frame of a panel, so there must be a third.
_PANEL_ROWS: Final = 3

_FRAMES: Final[Mapping[Kind, str]] = {
    "code": "blue",
    "logs": "green",
    "arguments": "yellow",
    "output": "green",
    "message": "none",
    "refusal": "red",
    "reasoning": "dim",
    "image": "magenta",
}
_LEXERS: Final[Mapping[Kind, str]] = {"code": "python", "arguments": "json"}


class Grown:
    """A passage as far as it has come."""

    def __init__(self, kind: Kind, title: str) -> None:
        self._kind: Kind = kind
        self._title = shorten(title, LINE)
        self._escaper = Escaper()
        self._pieces: list[str] = []

    def append(self, text: str) -> None:
        """Take more text."""
        self._pieces.append(self._escaper.feed(text))

    def whole(self) -> RenderableType:
        """Draw it whole; it has ended."""
        text = "".join(self._pieces) + self._escaper.finish()
        if self._kind == "image":
            return self._image(text)
        if self._kind == "arguments":
            text = _indented(text)
        return self._panel(self._body(text.removesuffix("\n")))

    def end(self, console: Console, options: ConsoleOptions, rows: int) -> RenderableType:
        """Draw the end of it, in so many rows at most."""
        text = "".join(self._pieces)
        # No more characters could be seen. Cut in steps: lines break where they did before.
        room = rows * options.max_width
        text = text[max(0, len(text) - room) // room * room :]
        if self._kind == "image":
            return self._image(text)
        inner = options.update(width=max(1, options.max_width - 4), height=None)
        lines = console.render_lines(self._body(text), inner)
        return self._panel(SegmentLines(lines[-(rows - 2) :], new_lines=True))

    def _body(self, text: str) -> RenderableType:
        lexer = _LEXERS.get(self._kind)
        if lexer is None or len(text) > _HIGHLIGHTED:
            return Text(text)
        # The terminal's own colours, which its owner has chosen to be readable.
        return Syntax(text, lexer, theme="ansi_dark", background_color="default", word_wrap=True)

    def _panel(self, body: RenderableType) -> Panel:
        title = Text(self._title)
        return Panel(body, title=title, title_align="left", border_style=_FRAMES[self._kind])

    def _image(self, name: str) -> Text:
        return Text(f"▣ {self._title} · {shorten(name, LINE)}", _FRAMES["image"])


class Window:
    """The ends of passages that are growing, as many as fit, the last ones first."""

    def __init__(self, passages: Sequence[Grown], progress: Progress | None) -> None:
        self._passages = passages
        self._progress = progress

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = console.height - (2 if self._progress else 1)  # the cursor has a row
        drawn: list[list[list[Segment]]] = []
        for grown in reversed(self._passages):
            if rows < _PANEL_ROWS:
                break
            lines = console.render_lines(grown.end(console, options, rows), options)
            drawn.append(lines)
            rows -= len(lines)
        for lines in reversed(drawn):
            yield SegmentLines(lines, new_lines=True)
        if self._progress is not None:
            yield self._progress


def bar(console: Console, size: int) -> Progress:
    """Return a progress bar over so many bytes, to be drawn by others."""
    progress = Progress(BarColumn(None), TaskProgressColumn(), DownloadColumn(), console=console)
    progress.add_task("", total=size)
    return progress


def table(rows: Sequence[Row]) -> Table:
    """Draw the steps."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(HEAD):
        drawn.add_column(Text(name), justify="right" if number >= len(HEAD) - 2 else "left")
    for row in rows:
        drawn.add_row(*map(Text, row))
    return drawn


def _indented(text: str) -> str:
    try:
        return msgspec.json.format(text.encode(), indent=2).decode()
    except (msgspec.DecodeError, RecursionError):
        return text  # arguments may be anything
