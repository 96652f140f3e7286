"""`streamkit diff`: compares what two recordings come to."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from ..recording import differences
from ._process import Status, complain
from .escape import escape_line
from .folding import Wire, runs
from .recordings import UnusableError

__all__ = ["add_to"]

_DESCRIPTION: Final = """\
Compare what two recordings come to: the run, then step by step, then its messages, a line
for each difference. A and B are recordings of any form, or what `streamkit replay --json`
printed of one.
"""

_EPILOG: Final = """\
The exit status is 0 where they are equal, 1 where they differ, 2 where one could not be read.
"""

_SHOWN: Final = 20


def add_to(commands: Any) -> None:
    """Add the subcommand to the command's parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "diff",
        help="compare two recordings",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("left", metavar="A", help="a recording, or a snapshot")
    parser.add_argument("right", metavar="B", help="another")
    parser.add_argument(
        "--all", action="store_true", help=f"show every difference, not the first {_SHOWN}"
    )
    parser.set_defaults(run=_run, parser=parser)


def _run(options: argparse.Namespace) -> Status:
    try:
        left, right = runs(options.left), runs(options.right)
    except UnusableError as error:
        complain(str(error))
        return Status.WRONG
    lines = _lines(left, right)
    first = list(islice(lines, None if options.all else _SHOWN))
    if not first:
        print("equal")
        return Status.OK
    for line in first:
        print(escape_line(line))
    more = sum(1 for _ in lines)
    if more:
        print(f"and {more:,} more (--all shows them)")
    return Status.FAILED


def _lines(left: Sequence[Wire], right: Sequence[Wire]) -> Iterator[str]:
    if len(left) != len(right):
        yield f"$: {_counted(left)} != {_counted(right)}"
    for number, (one, other) in enumerate(zip(left, right, strict=False), 1):
        where = f"run {number}: " if len(left) > 1 or len(right) > 1 else ""
        for difference in differences(one, other):
            yield f"{where}{difference}"


def _counted(found: Sequence[Wire]) -> str:
    return f"{len(found):,} run{'' if len(found) == 1 else 's'}"
