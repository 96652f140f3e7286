"""Runs as plain text, fit for any terminal, pipe or file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from ..accumulator import Accumulator
from ..changes import Change
from ..snapshots import RunSnapshot
from .escape import LINE, Escaper, escape_line, shorten
from .narration import Closed, Item, Narrator, Note, Passage, Place, Tone
from .summary import HEAD, final_line, reasons, rows
from .views import View

__all__ = ["PlainView"]

_MARKS: Final[Mapping[Tone, str]] = {"run": "── ", "plain": "· ", "dim": "· ", "problem": "! "}

_Call = tuple[str, int | None]


class PlainView(View):
    """Writes passages under a header each, as they grow, and a table at the end.

    Calls that run side by side, token by token, could not be read that way: one keeps
    its turn until the step ends, or until nothing more has arrived for a moment.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._narrator = Narrator(Accumulator())
        self._place: Place | None = None  # of the passage under the last header
        self._seen: set[Place] = set()
        self._text = Escaper()
        self._is_line_open = False
        self._has_written = False
        self._owner: str | None = None  # of the last passage
        self._turn: _Call | None = None
        self._waiting: dict[_Call, list[Passage]] = {}

    def begin(self, accumulator: Accumulator) -> None:
        """Forget the run before."""
        self._narrator = Narrator(accumulator)
        self._seen.clear()

    def open(self, title: str | None, size: int | None) -> None:
        """Write the title, as `head` and `tail` do."""
        for item in self._narrator.resume():
            self._tell(item)
        if title is not None:
            gap = "\n" if self._has_written else ""
            self._line(f"{gap}==> {shorten(title, LINE)} <==")
            self._out.flush()

    def show(self, changes: Sequence[Change]) -> None:
        """Write what is new."""
        for change in changes:
            for item in self._narrator.tell(change):
                self._tell(item)
        self._out.flush()

    def pause(self) -> None:
        """Give every call its turn."""
        self._give_turns()
        self._out.flush()

    def settle(self, snapshot: RunSnapshot) -> None:
        """Write the table and the final line."""
        self._tell(Closed(None))
        unknown = self._narrator.unknown()
        if unknown is not None:
            self._tell(Note("dim", unknown))
        self._line("")
        for line in _table([HEAD, *rows(snapshot)] if snapshot.steps else []):
            self._line(line)
        self._line(final_line(snapshot))
        for reason in reasons(snapshot):
            self._line(escape_line(reason))
        self._out.flush()

    def close(self) -> None:
        """Write what was held back, and end the line."""
        self._tell(Closed(None))
        self._out.flush()

    def _tell(self, item: Item) -> None:
        match item:
            case Passage(place):
                if place.owner != self._owner:
                    self._give_turns()
                    self._owner = place.owner
                call = (place.owner, place.call_index)
                self._turn = self._turn or call
                if call == self._turn:
                    self._write(item)
                else:
                    self._waiting.setdefault(call, []).append(item)
            case Note(tone, text):
                self._line(_MARKS[tone] + shorten(text, LINE))
            case Closed(owner):
                if owner in (None, self._owner):
                    self._give_turns()
                    self._end_passage()

    def _give_turns(self) -> None:
        """Let everyone speak who waits."""
        for passages in self._waiting.values():
            for passage in passages:
                self._write(passage)
        self._waiting.clear()
        self._turn = None

    def _write(self, passage: Passage) -> None:
        if passage.place.kind == "image":
            self._line(f"── {shorten(f'{passage.title} · {passage.text}', LINE)}")
            return
        if passage.place != self._place:
            again = " · continued" if passage.place in self._seen else ""
            self._line(f"── {shorten(passage.title, LINE)}{again}")
            self._place = passage.place
            self._seen.add(passage.place)
        self._put(self._text.feed(passage.text))

    def _end_passage(self) -> None:
        self._put(self._text.finish())
        if self._is_line_open:
            self._put("\n")
        self._place = None

    def _line(self, text: str) -> None:
        self._end_passage()
        self._put(f"{text}\n")

    def _put(self, text: str) -> None:
        if text:
            self._out.write(text)
            self._is_line_open = not text.endswith("\n")
            self._has_written = True


def _table(cells: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    # Text to the left, the numbers of the last two columns to the right.
    return [
        "  ".join(
            cell.rjust(width) if column >= len(widths) - 2 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
