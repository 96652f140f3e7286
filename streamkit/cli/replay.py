"""`streamkit replay`: shows recorded streams, and streams that are still arriving."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, Final, TextIO

from .._sources import Opened
from ..accumulator import Accumulator
from ..errors import PeerError, ServerError, StreamkitError, TruncatedError, UsageError
from ..follow import Following
from ._process import Status, complain
from .legs import STDIN, open_leg
from .plain import PlainView
from .views import ChangesView, JsonView, View

__all__ = ["add_to"]

_DESCRIPTION: Final = """\
Show run streams: message text, code, logs, arguments and images as they come, then each
step with its status, time and tokens. Each FILE is the body of one response, and a run of
its own; "-" is standard input, shown while it is still arriving, until its run is complete.
"""

_EPILOG: Final = """\
The exit status is 0 where every stream was whole, whatever became of its run; 1 where one
held an error event, was cut, or made no sense; 2 where a FILE could not be read.
"""


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
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--json", action="store_true", help="print the final snapshot, one JSON document a run"
    )
    forms.add_argument(
        "--changes", action="store_true", help="print each change as it comes, as a line of JSON"
    )
    forms.add_argument("--quiet", action="store_true", help="print nothing but errors")
    parser.add_argument(
        "--legs", action="store_true", help="the FILEs are one run, in the order given"
    )
    parser.add_argument(
        "--strict", action="store_true", help="stop where the server contradicts itself"
    )
    parser.set_defaults(run=_run, parser=parser)


def _run(options: argparse.Namespace) -> Status:
    files: list[str] = options.files
    if files.count(STDIN) > 1:
        options.parser.error("standard input can be read only once")
    runs = [files] if options.legs else [[file] for file in files]
    view = _view(options, sys.stdout)
    try:
        return max(
            _replay(run, view, strict=options.strict, titled=len(files) > 1) for run in runs
        )
    finally:
        view.close()


def _view(options: argparse.Namespace, out: TextIO) -> View:
    if options.quiet:
        return View()
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


def _replay(legs: Sequence[str], view: View, *, strict: bool, titled: bool) -> Status:
    accumulator = Accumulator(strict=strict)
    view.begin(accumulator)
    is_open = False
    failure: Exception | None = None
    for leg in legs:
        try:
            source, size = open_leg(leg, view)
        except (OSError, UsageError) as error:
            failure = error
            break
        is_open = True
        view.open(leg if titled else None, size)
        failure = _follow(source, accumulator, view)
        # A leg may be cut and another go on from there, so the last one decides.
        if not isinstance(failure, TruncatedError | ServerError | None):
            break
    if is_open:
        view.settle(accumulator.snapshot())
    if failure is None:
        return Status.OK
    complain(f"{leg}: {_described(failure)}")
    return Status.FAILED if isinstance(failure, PeerError) else Status.WRONG


def _follow(source: Opened, accumulator: Accumulator, view: View) -> StreamkitError | None:
    try:
        with Following(source, (), accumulator) as following:
            for changes in following.batches():
                view.show(changes)
    except StreamkitError as error:
        return error
    finally:
        source.close()
    return None


def _described(failure: Exception) -> str:
    if isinstance(failure, OSError):
        return failure.strerror or str(failure)
    cause = failure.__cause__
    return f"{failure} ({cause})" if isinstance(cause, OSError) else str(failure)
