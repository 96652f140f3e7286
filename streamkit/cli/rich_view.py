"""Runs drawn on a terminal: panels that grow, and a table at the end. Needs rich."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from rich.console import Console
from rich.live import Live
from rich.progress import Progress
from rich.text import Text

from ..accumulator import Accumulator
from ..changes import Change
from ..snapshots import RunSnapshot
from .escape import LINE, escape_line, shorten
from .narration import Closed, Item, Narrator, Note, Passage, Place, Tone
from .rich_panels import Grown, Window, bar, table
from .summary import final_line, reasons, rows
from .views import View

__all__ = ["RichView"]

# About a second's worth: a smaller file is shown before a bar could be read.
_LARGE: Final = 4 * 2**20

_TONES: Final[Mapping[Tone, tuple[str, str]]] = {
    "run": ("", "bold"),
    "plain": ("· ", "cyan"),
    "dim": ("· ", "dim"),
    "problem": ("! ", "bold yellow"),
}
_OUTCOMES: Final[Mapping[str, str]] = {"complete": "bold", "paused": "bold cyan"}


class RichView(View):
    """Draws each passage as a panel.

    The passages of a step, or of a message, grow in a window at the bottom of the
    terminal, as far as they fit. When it ends they are printed above it, whole, call by
    call, and scroll away like any other output.
    """

    def __init__(self, out: TextIO) -> None:
        self._console = Console(file=out, highlight=False, markup=False, emoji=False)
        self._narrator = Narrator(Accumulator())
        self._passages: dict[Place, Grown] = {}
        self._live: Live | None = None
        self._progress: Progress | None = None

    def begin(self, accumulator: Accumulator) -> None:
        """Forget the run before."""
        self._narrator = Narrator(accumulator)

    def open(self, title: str | None, size: int | None) -> None:
        """Draw the title, and open the window."""
        for item in self._narrator.resume():
            self._tell(item)
        if title is not None:
            self._console.rule(Text(shorten(title, LINE), "bold"), align="left")
        self._progress = bar(self._console, size) if size and size >= _LARGE else None
        if self._live is None:
            self._live = self._new_window()
            self._live.start()

    def read(self, count: int) -> None:
        """Move the bar."""
        if self._progress is not None:
            self._progress.advance(self._progress.task_ids[0], count)

    def show(self, changes: Sequence[Change]) -> None:
        """Let passages grow."""
        for change in changes:
            for item in self._narrator.tell(change):
                self._tell(item)

    def settle(self, snapshot: RunSnapshot) -> None:
        """Close the window; draw the table and the final line."""
        self.close()
        unknown = self._narrator.unknown()
        if unknown is not None:
            self._tell(Note("dim", unknown))
        if snapshot.steps:
            self._console.print(table(rows(snapshot)))
        style = _OUTCOMES.get(snapshot.outcome, "bold red")
        self._console.print(Text(final_line(snapshot), style))
        for reason in reasons(snapshot):
            self._console.print(Text(escape_line(reason), "red"))

    def close(self) -> None:
        """Draw what is in the window, and close it."""
        self._tell(Closed(None))
        self._progress = None
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _tell(self, item: Item) -> None:
        match item:
            case Passage(place, title, text):
                grown = self._passages.get(place)
                if grown is None:
                    grown = self._passages[place] = Grown(place.kind, title)
                grown.append(text)
            case Note(tone, text):
                mark, style = _TONES[tone]
                self._console.print(Text(mark + shorten(text, LINE), style))
            case Closed(owner):
                ended = self._take(owner)
                if ended and self._live is not None:
                    self._live.refresh()  # else they would be drawn again in the window
                for grown in ended:
                    self._console.print(grown.whole())

    def _take(self, owner: str | None) -> list[Grown]:
        """Take an owner's passages, call by call; None takes everyone's."""
        calls: dict[tuple[str, int | None], list[Grown]] = {}
        for place in [place for place in self._passages if owner in (None, place.owner)]:
            call = calls.setdefault((place.owner, place.call_index), [])
            call.append(self._passages.pop(place))
        return [grown for call in calls.values() for grown in call]

    def _new_window(self) -> Live:
        return Live(
            console=self._console,
            # Called by the thread that draws, while passages are being added by the other.
            get_renderable=lambda: Window(tuple(self._passages.values()), self._progress),
            transient=True,
            refresh_per_second=10,
            redirect_stdout=False,
            redirect_stderr=False,
        )
