"""The command `streamkit`.

A subcommand is a module with a function `add_to`, which adds its parser to the command's
and sets, as the default of ``run``, what takes the options and returns the exit status.
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Sequence
from typing import Final

from . import convert, diff, record, replay, scrub, serve
from ._process import Parser, Status, complain, let_go, prepare

__all__ = ["main"]

COMMANDS: Final = (record, replay, convert, diff, scrub, serve)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Whatever happens, standard error gets a line and not a traceback.

    Args:
        argv: The arguments; those of the process, if left out.

    Raises:
        SystemExit: As argparse does: 2 where the arguments are wrong, 0 after ``--help``.
    """
    if sys.stdout is None:  # as `>&-` leaves it
        complain("standard output is closed")
        return Status.WRONG
    prepare(sys.stdout)
    try:
        try:
            options, unknown = _parser().parse_known_args(argv)
            if unknown:
                options.parser.error(_complaint(unknown))
            return int(options.run(options))
        finally:
            sys.stdout.flush()  # at shutdown it would be too late to answer a failure
    except KeyboardInterrupt:
        return Status.INTERRUPTED
    except OSError as error:
        let_go(sys.stdout)
        if isinstance(error, BrokenPipeError):
            return Status.BROKEN_PIPE
        complain(f"standard output: {error.strerror or error}")
        return Status.WRONG


def _parser() -> Parser:
    parser = Parser(prog="streamkit", description="Work with the streams of AI assistants' runs.")
    parser.add_argument("--version", action="version", version=f"streamkit {_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_to(commands)
    return parser


def _complaint(unknown: Sequence[str]) -> str:
    """Name the options that there are not; what else is too many may be a secret."""
    names = [each.partition("=")[0] for each in unknown if each.startswith("-")]
    if names:
        return f"unrecognized arguments: {' '.join(names)}"
    return f"too many arguments: {len(unknown):,} more than there may be"


def _version() -> str:
    try:
        return importlib.metadata.version("streamkit")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
