"""`streamkit replay`: shows recorded streams, and streams that are still arriving."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from select import select
from typing import Any, Final, TextIO, cast

from .._sources import Opened, open_source
from ..accumulator import Accumulator
from ..errors import PeerError, ServerError, StreamkitError, TruncatedError, UsageError
from ..follow import Following
from ._process import Status, complain
from .plain import PlainView
from .views import ChangesView, JsonView, View

__all__ = ["add_to"]

STDIN: Final = "-"

_DESCRIPTION: Final = """\
Show run streams: message text, code, logs, arguments and images as they come, then each
step with its status, time and tokens. Each FILE is the body of one response, and a run of
its own; "-" is standard input, shown while it is still arriving, until its run is complete.
"""

_EPILOG: Final = """\
The exit status is 0 where every stream was whole, whatever became of its run; 1 where one
held an error event, was cut, or made no sense; 2 where a FILE could not be read.
"""

# Enough that a pipe is emptied at once; what is there is taken without waiting for more.
_CHUNK: Final = 64 * 1024

# Longer than from one token to the next, shorter than anyone minds, in seconds.
_MOMENT: Final = 0.1


def add_to(commands: Any) -> None:
    """Add the subcommand to the command's parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "replay", help="show recorded or live streams", description=_DESCRIPTION, epilog=_EPILOG
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
            source = _open(leg, view)
        except (OSError, UsageError) as error:
            failure = error
            break
        is_open = True
        view.open(leg if titled else None, _size(leg))
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


def _open(name: str, view: View) -> Opened:
    if name == STDIN:
        if sys.stdin is None:  # as `<&-` leaves it
            raise UsageError("standard input is closed")
        return Opened(_arriving(cast(BufferedReader, sys.stdin.buffer), view.pause))
    opened = open_source(Path(name), is_async=False)
    opened.items = _counted(opened.items, view.read)
    return opened


def _arriving(stream: BufferedReader, pause: Callable[[], None]) -> Iterator[bytes]:
    while True:
        if _is_idle(stream):
            pause()
        chunk = stream.read1(_CHUNK)
        if not chunk:
            return
        yield chunk


def _is_idle(stream: BufferedReader) -> bool:
    try:
        return not select([stream], [], [], _MOMENT)[0]
    except (OSError, ValueError):  # not to be asked here: then it may be
        return True


def _counted(chunks: Any, count: Callable[[int], None]) -> Iterator[bytes]:
    for chunk in chunks:
        count(len(chunk))
        yield chunk


def _size(name: str) -> int | None:
    if name == STDIN:
        return None
    status = Path(name).stat()
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _described(failure: Exception) -> str:
    if isinstance(failure, OSError):
        return failure.strerror or str(failure)
    cause = failure.__cause__
    return f"{failure} ({cause})" if isinstance(cause, OSError) else str(failure)
