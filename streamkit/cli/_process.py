"""What the command owes to whoever started it: exit statuses and lines on standard error."""

from __future__ import annotations

import argparse
import io
import os
import sys
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import NoReturn, TextIO

from .escape import escape_line

__all__ = ["Parser", "Status", "complain", "let_go", "prepare"]


class Status(IntEnum):
    """How the command ended. Of several files, the highest wins."""

    OK = 0
    FAILED = 1  # the stream did
    WRONG = 2  # the command line was, or a file
    INTERRUPTED = 130  # as a shell reports SIGINT,
    BROKEN_PIPE = 141  # and SIGPIPE


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line that no argument can spoil."""

    def error(self, message: str) -> NoReturn:
        """Complain and exit."""
        complain(f"{message} (see {self.prog} --help)")
        sys.exit(Status.WRONG)


def prepare(stream: TextIO) -> None:
    """Let the stream take every character, whatever its encoding."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def complain(message: str) -> None:
    """Say in one line on standard error what went wrong."""
    # None is where `2>&-` leaves no standard error: print would take standard output.
    if sys.stderr is not None:
        with suppress(OSError):  # there is nobody left to tell
            print(f"streamkit: {escape_line(message)}", file=sys.stderr, flush=True)


def let_go(stream: TextIO) -> None:
    """Send what the stream still holds nowhere, so that shutting down does not fail."""
    with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
