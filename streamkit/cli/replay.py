"""`streamkit replay`: shows recorded streams, and streams that are still arriving."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import Any, Final

from .._following import Following
from .._sources import Opened
from ..accumulator import Accumulator
from ..errors import (
    PeerError,
    ServerError,
    StreamkitError,
    TruncatedError,
    UsageError,
)
from ._process import Status, complain
from .legs import STDIN, Pace, open_legs
from .recordings import UnusableError
from .showing import add_views, chosen_view, feed, number
from .views import View

__all__ = ["add_to"]

_DESCRIPTION: Final = """\
Show run streams: message text, code, logs, arguments and images as they come, then each
step with its status, time and tokens. Each FILE is a run of its own: the body of one
response, or a recording (.sse.jsonl, .gz, HAR, a cassette of VCR.py, lines of JSON) with
its legs; "-" is standard input, shown while it is still arriving, until its run is complete.
"""

_EPILOG: Final = """\
The exit status is 0 where every stream was whole, whatever became of its run; 1 where one
held an error event, was cut, or made no sense; 2 where a FILE could not be read.
"""

# A leg may be cut and another go on from there, so the last one decides.
_PASSING: Final = TruncatedError | ServerError | None
_UNREADABLE: Final = (OSError, UsageError, UnusableError)


def add_to(commands: Any) -> None:
    """Add the subcommand to the command's parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "replay",
        help="show recorded or live streams",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help='a recording, or "-"')
    add_views(parser, quiet="print nothing but errors")
    parser.add_argument(
        "--legs", action="store_true", help="the FILEs are one run, in the order given"
    )
    parser.add_argument(
        "--strict", action="store_true", help="stop where the server contradicts itself"
    )
    parser.add_argument(
        "--speed",
        type=number(0, math.inf, above=True),
        default=math.inf,
        metavar="N",
        help="as fast as it came (1), or N times as fast; without it, without waiting",
    )
    parser.add_argument(
        "--max-gap",
        type=number(0, math.inf),
        metavar="S",
        help="with --speed: wait as if nothing had taken more than S seconds",
    )
    parser.set_defaults(run=_run, parser=parser)


def _run(options: argparse.Namespace) -> Status:
    files: list[str] = options.files
    if files.count(STDIN) > 1:
        options.parser.error("standard input can be read only once")
    if options.max_gap is not None and math.isinf(options.speed):
        options.parser.error("--max-gap needs --speed")
    runs = [files] if options.legs else [[file] for file in files]
    view = chosen_view(options, lambda _: View())
    try:
        return max(_replay(run, view, options, is_titled=len(files) > 1) for run in runs)
    finally:
        view.close()


def _replay(
    files: Sequence[str], view: View, options: argparse.Namespace, *, is_titled: bool
) -> Status:
    shown = _Shown(view, options)
    for file in files:
        failure = shown.show(file, file if is_titled else None)
        if not isinstance(failure, _PASSING):
            break
    shown.settle()
    if failure is None:
        return Status.OK
    complain(str(UnusableError(file, failure)))
    return Status.FAILED if isinstance(failure, PeerError) else Status.WRONG


class _Shown:
    """A run that is being shown, file by file, or the runs that one file holds."""

    def __init__(self, view: View, options: argparse.Namespace) -> None:
        self._view = view
        self._options = options
        self._is_open = False
        self._begin()

    def show(self, file: str, title: str | None) -> Exception | None:
        """Show the legs in a file; return what went wrong with the last one shown."""
        failure: Exception | None = None
        try:
            source = open_legs(file, self._view, Pace(self._options.speed, self._options.max_gap))
        except _UNREADABLE as error:
            return error
        for note in () if self._options.quiet else source.notes:
            complain(f"{file}: {note}")
        for rank, open_leg in enumerate(source.legs):
            try:
                opened, size = open_leg()
            except _UNREADABLE as error:
                return error
            if rank and self._accumulator.outcome == "complete":
                self.settle()  # what was recorded together may be several runs
                self._begin()
            self._is_open = True
            self._view.open(None if rank else title, size)
            failure = self._follow(opened)
            if not isinstance(failure, _PASSING):
                break
        return failure

    def settle(self) -> None:
        """Show what the run came to."""
        if self._is_open:
            self._view.settle(self._accumulator.snapshot())

    def _begin(self) -> None:
        self._accumulator = Accumulator(strict=self._options.strict)
        self._view.begin(self._accumulator)

    def _follow(self, source: Opened) -> StreamkitError | None:
        try:
            with Following(source, (), self._accumulator) as following:
                return feed(following, self._view)
        except StreamkitError as error:
            return error
        finally:
            source.close()
