"""Showing a run as it comes: the choice of a view, and the loop that feeds it."""

from __future__ import annotations

import argparse
import math
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, TextIO

from .._following import Following
from ..accumulator import Accumulator
from ..changes import Change
from ..errors import StreamkitError
from ..snapshots import RunSnapshot
from .plain import PlainView
from .views import ChangesView, JsonView, View

__all__ = ["MOMENT", "Attentive", "add_views", "chosen_view", "described", "feed", "number"]

# Longer than from one token to the next, shorter than anyone minds, in seconds.
MOMENT: Final = 0.1


def add_views(parser: argparse.ArgumentParser, quiet: str, *, has_json: bool = True) -> None:
    """Add the options that choose a view."""
    forms = parser.add_mutually_exclusive_group()
    if has_json:
        forms.add_argument(
            "--json", action="store_true", help="print the final snapshot, one JSON document a run"
        )
    else:
        parser.set_defaults(json=False)
    forms.add_argument(
        "--changes", action="store_true", help="print each change as it comes, as a line of JSON"
    )
    forms.add_argument("--quiet", action="store_true", help=quiet)


def chosen_view(options: argparse.Namespace, quiet: Callable[[TextIO], View]) -> View:
    """Return the view that was chosen, or the one that suits standard output."""
    out = sys.stdout
    if options.quiet:
        return quiet(out)
    if options.json:
        return JsonView(out)
    if options.changes:
        return ChangesView(out)
    if out.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
        try:
            from .rich_view import RichView  # noqa: PLC0415 - rich is an extra
        except ImportError:
            pass
        else:
            return RichView(out)
    return PlainView(out)


def feed(following: Following, view: View) -> StreamkitError | None:
    """Show a stream to its end; return what went wrong with it."""
    try:
        for changes in following.batches():
            view.show(changes)
    except StreamkitError as error:
        return error
    return None


def described(failure: Exception) -> str:
    """Say what went wrong, with the failure beneath it where that tells more."""
    if isinstance(failure, OSError):
        return failure.strerror or str(failure)
    cause = failure.__cause__
    is_telling = isinstance(cause, OSError) and str(cause) not in str(failure)
    return f"{failure} ({cause})" if is_telling else str(failure)


def number(least: float, most: float, *, above: bool = False) -> Callable[[str], float]:
    """Return what reads a number of an option, within bounds."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most or (above and value == least):
            bound = f"above {least:g}" if above else f"of at least {least:g}"
            raise argparse.ArgumentTypeError(f"a number {bound} is needed, not {text!r}")
        return value

    return read


class Attentive(View):
    """Tells a view that nothing more has arrived for a moment, where nobody else can.

    A thread of its own watches the time; it and the caller take turns at the view.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._turn = threading.Lock()
        self._woken = threading.Event()
        self._is_closed = False
        self._watch = threading.Thread(target=self._watched, daemon=True)
        self._watch.start()

    def begin(self, accumulator: Accumulator) -> None:
        """Pass it on."""
        self._pass(self._view.begin, accumulator)

    def open(self, title: str | None, size: int | None) -> None:
        """Pass it on."""
        self._pass(self._view.open, title, size)

    def show(self, changes: Sequence[Change]) -> None:
        """Pass it on, and watch for what comes next."""
        self._pass(self._view.show, changes)
        self._woken.set()

    def settle(self, snapshot: RunSnapshot) -> None:
        """Pass it on."""
        self._pass(self._view.settle, snapshot)

    def close(self) -> None:
        """Stop watching, and pass it on."""
        self._is_closed = True
        self._woken.set()
        self._watch.join()
        self._view.close()

    def _pass(self, tell: Callable[..., None], *arguments: Any) -> None:
        with self._turn:
            tell(*arguments)

    def _watched(self) -> None:
        while self._woken.wait() and not self._is_closed:
            self._woken.clear()
            if not self._woken.wait(MOMENT):
                # If this fails to write, so will the caller, in telling the end.
                with self._turn, suppress(OSError, ValueError):
                    self._view.pause()
