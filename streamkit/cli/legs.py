"""Where the legs of a run are read from: files, recordings, and what is still arriving."""

from __future__ import annotations

import math
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from io import BufferedReader
from pathlib import Path
from select import select
from typing import Any, Final, NamedTuple, cast

from .._sources import CHUNK, Opened, open_source
from ..errors import UsageError
from ..recording import Recording, replay
from ..recording.repairing import lacks_blank_lines
from .recordings import load, recognised
from .showing import MOMENT
from .views import View

__all__ = ["STDIN", "Pace", "Source", "open_leg", "open_legs"]

STDIN: Final = "-"

_BLANK_LINE: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")


class Pace(NamedTuple):
    """How fast a recording is replayed: see `replay`."""

    speed: float = math.inf
    max_gap: float | None = None


class Source(NamedTuple):
    """What a name stands for.

    Attributes:
        legs: How to open each leg, for the leg and its size in bytes, where that is known.
        notes: What is to be said of it.
    """

    legs: Sequence[Callable[[], tuple[Opened, int | None]]]
    notes: Sequence[str] = ()


def open_legs(name: str, view: View, pace: Pace) -> Source:
    """Find what legs there are under a name.

    Raises:
        UnusableError: It is no recording, or cannot be read.
    """
    if not _is_recording(name):
        return Source([partial(open_leg, name, view)], _untimed(pace))
    recording = load(name)
    legs = [
        partial(_replayed, recording, number, view, pace)
        for number in range(max(1, len(recording.legs)))
    ]
    notes = [] if _has_times(recording) else _untimed(pace)
    return Source(legs, [*recognised(recording), *notes])


def open_leg(name: str, view: View) -> tuple[Opened, int | None]:
    """Open the body of a leg; return it and its size in bytes, where that is known.

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


def _is_recording(name: str) -> bool:
    """Whether a name stands for more, or for something else, than the body of a leg."""
    path = Path(name)
    if name == STDIN or not path.is_file():
        return False
    if path.suffix.lower() != ".sse":
        return True
    with path.open("rb") as file:
        head = file.read(CHUNK)
    if _BLANK_LINE.search(head):
        return False
    return lacks_blank_lines(head)


def _replayed(
    recording: Recording, number: int, view: View, pace: Pace
) -> tuple[Opened, int | None]:
    legs = recording.legs[number : number + 1]
    is_last = number + 1 >= len(recording.legs)
    leg = Recording(legs=legs, form=recording.form, is_cut=recording.is_cut and is_last)
    chunks = replay(leg, pace.speed, pace.max_gap, sleep=partial(_sleep, view))
    size = sum(len(chunk.data) for leg in legs for chunk in leg.chunks)
    return Opened(_counted(chunks, view), is_whole=True), size


def _sleep(view: View, seconds: float) -> None:
    if seconds > MOMENT:
        time.sleep(MOMENT)
        seconds -= MOMENT
        view.pause()
    time.sleep(seconds)


def _has_times(recording: Recording) -> bool:
    return any(chunk.after is not None for leg in recording.legs for chunk in leg.chunks)


def _untimed(pace: Pace) -> list[str]:
    return [] if math.isinf(pace.speed) else ["no times are known; shown without waiting"]


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
        return not select([stream], [], [], MOMENT)[0]
    except (OSError, ValueError):  # where only sockets can be asked: then it may be
        return True


def _counted(chunks: Any, view: View) -> Iterator[bytes]:
    for chunk in chunks:
        view.read(len(chunk))
        yield chunk
