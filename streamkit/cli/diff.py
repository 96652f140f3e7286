"""`streamkit diff`: compares what two recordings come to."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from .._json import parse
from .._sources import Opened
from .._wire import to_wire
from ..accumulator import Accumulator
from ..changes import StreamEnded
from ..errors import DecodeError, ServerError, StreamkitError, TruncatedError
from ..follow import Following
from ..limits import DEFAULT_LIMITS
from ..recording import Recording, differences, replay
from ._process import Status, complain
from .escape import escape_line
from .recordings import UnusableError, load, recognised

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

# Between the documents that `replay --json` prints: inside of one, a brace is indented.
_BETWEEN: Final = re.compile(rb"(?<=\n\})\s+(?=\{)")

Wire = Mapping[str, Any]


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
        left, right = _runs(options.left), _runs(options.right)
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


def _counted(runs: Sequence[Wire]) -> str:
    return f"{len(runs):,} run{'' if len(runs) == 1 else 's'}"


def _runs(name: str) -> list[Wire]:
    """Read the runs in a file.

    Raises:
        UnusableError: There is none in it, or it cannot be read.
    """
    try:
        data = Path(name).read_bytes()  # once: it may be a pipe
    except OSError as error:
        raise UnusableError(name, error) from error
    snapshots = _snapshots(data)
    if snapshots:
        return snapshots
    recording = load(name, data)
    for note in recognised(recording):
        complain(f"{name}: {note}")
    try:
        runs = list(_folded(recording))
    except StreamkitError as error:
        raise UnusableError(name, error) from error
    if not runs:
        raise UnusableError(name, "there is no event in it")
    return runs


def _snapshots(data: bytes) -> list[Wire]:
    """Read what `replay --json` printed; nothing where it is something else."""
    if not data.lstrip().startswith(b"{\n"):
        return []
    found: list[Wire] = []
    for document in _BETWEEN.split(data.strip()):
        try:
            value = parse(document, depth=DEFAULT_LIMITS.depth)
        except DecodeError:
            return []
        if not isinstance(value, dict) or not {"outcome", "steps"} <= value.keys():
            return []
        found.append(value)
    return found


def _folded(recording: Recording) -> Iterator[Wire]:
    """Fold legs as one run, and as another where that is complete.

    Raises:
        StreamkitError: They make no sense.
    """
    accumulator = Accumulator()
    has_said = False
    for number in range(len(recording.legs)):
        if accumulator.outcome == "complete":
            yield to_wire(accumulator.snapshot())
            accumulator = Accumulator()
        has_said |= _fold(recording, number, accumulator)
    if has_said:
        yield to_wire(accumulator.snapshot())


def _fold(recording: Recording, number: int, accumulator: Accumulator) -> bool:
    """Fold a leg; return whether it said anything."""
    has_said = False
    leg = Recording(legs=recording.legs[number : number + 1], form=recording.form)
    source = Opened(replay(leg), is_whole=True)
    try:
        with Following(source, (), accumulator) as following:
            for change in following:
                has_said |= not isinstance(change, StreamEnded)
    except (TruncatedError, ServerError):
        pass  # the snapshot tells it
    return has_said
