"""Where the legs of a run are read from: files, and what is still arriving."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from select import select
from typing import Any, Final, cast

from .._sources import CHUNK, Opened, open_source
from ..errors import UsageError
from .views import View

__all__ = ["STDIN", "open_leg"]

STDIN: Final = "-"

# Longer than from one token to the next, shorter than anyone minds, in seconds.
_MOMENT: Final = 0.1


def open_leg(name: str, view: View) -> tuple[Opened, int | None]:
    """Open a leg; return it and its size in bytes, where that is known.

    As it is read, the view is told how far it has come, or that nothing has arrived for
    a moment.

    Raises:
        UsageError: It is in a form that cannot be read.
        OSError: It cannot be opened.
    """
    if name == STDIN:
        if sys.stdin is None:  # as `<&-` leaves it
            raise UsageError("standard input is closed")
        return Opened(_arriving(cast(BufferedReader, sys.stdin.buffer), view)), None
    path = Path(name)
    if not path.is_file():  # a named pipe, or nothing
        file = path.open("rb")
        return Opened(_arriving(file, view), file), None
    opened = open_source(path, is_async=False)
    opened.items = _counted(opened.items, view)
    return opened, path.stat().st_size


def _arriving(stream: BufferedReader, view: View) -> Iterator[bytes]:
    while True:
        if _is_idle(stream):
            # If this fails to write, it passes for a failure to read; but then the view
            # fails again, in telling the end of the leg.
            view.pause()
        # Not read(): it would wait for the whole of a chunk.
        chunk = stream.read1(CHUNK)
        if not chunk:
            return
        yield chunk


def _is_idle(stream: BufferedReader) -> bool:
    try:
        return not select([stream], [], [], _MOMENT)[0]
    except (OSError, ValueError):  # where only sockets can be asked: then it may be
        return True


def _counted(chunks: Any, view: View) -> Iterator[bytes]:
    for chunk in chunks:
        view.read(len(chunk))
        yield chunk
