"""What shows a run while it is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TextIO

import msgspec

from .._wire import to_wire
from ..accumulator import Accumulator
from ..changes import Change
from ..snapshots import RunSnapshot
from .escape import escape_json

__all__ = ["ChangesView", "JsonView", "View"]


class View:
    """Shows runs, one after the other. This one shows nothing.

    For each run, `begin` is called, then for each of its legs `open`, and as it is read
    `read`, `show` and `pause`, then `settle`. `close` is called once, however it ends.
    """

    def begin(self, accumulator: Accumulator) -> None:
        """A run begins, and the accumulator will hold it."""

    def open(self, title: str | None, size: int | None) -> None:
        """A leg begins, perhaps with a title and of a known size in bytes."""

    def read(self, count: int) -> None:
        """So many bytes more of the leg are on their way."""

    def show(self, changes: Sequence[Change]) -> None:
        """Show what an event changed."""

    def pause(self) -> None:
        """Nothing more has arrived for a moment: show what was held back."""

    def settle(self, snapshot: RunSnapshot) -> None:
        """Show what the run came to; perhaps it was cut short."""

    def close(self) -> None:
        """Show what was held back, and leave the terminal as it was."""


class JsonView(View):
    """Writes the final snapshot of each run as JSON."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def settle(self, snapshot: RunSnapshot) -> None:
        """Write the document."""
        json = msgspec.json.format(_encode(to_wire(snapshot)), indent=2)
        self._out.write(escape_json(json.decode(), self._out.encoding) + "\n")
        self._out.flush()


class ChangesView(View):
    """Writes each change as a line of JSON."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, changes: Sequence[Change]) -> None:
        """Write a line for each change."""
        for change in changes:
            line = _encode({"change": type(change).__name__, **to_wire(change)})
            self._out.write(escape_json(line.decode(), self._out.encoding) + "\n")
        self._out.flush()


def _encode(value: Any) -> bytes:
    return msgspec.json.encode(value)
