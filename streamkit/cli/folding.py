"""What the runs in a file come to: in a recording, or in what `replay --json` printed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .._following import Following
from .._json import parse
from .._sources import Opened
from .._wire import to_wire
from ..accumulator import Accumulator
from ..changes import StreamEnded
from ..errors import DecodeError, ServerError, StreamkitError, TruncatedError
from ..limits import DEFAULT_LIMITS
from ._process import complain
from .recordings import UnusableError, load, recognised

if TYPE_CHECKING:
    from ..recording import Recording

__all__ = ["Wire", "read_once", "runs"]

# Between the documents that `replay --json` prints: inside of one, a brace is indented.
_BETWEEN: Final = re.compile(rb"(?<=\n\})\s+(?=\{)")

Wire: TypeAlias = Mapping[str, Any]


def runs(name: str, data: bytes | None = None) -> list[Wire]:
    """Read the runs in a file; `data` is what it holds, if it was read before.

    Raises:
        UnusableError: There is none in it, or it cannot be read.
    """
    if data is None:
        data = read_once(name)
    snapshots = _snapshots(data)
    if snapshots:
        return snapshots
    recording = load(name, data)
    for note in recognised(recording):
        complain(f"{name}: {note}")
    try:
        folded = list(_folded(recording))
    except StreamkitError as error:
        raise UnusableError(name, error) from error
    if not folded:
        raise UnusableError(name, "there is no event in it")
    return folded


def read_once(name: str) -> bytes:
    """Read what a file holds, which may be a pipe.

    Raises:
        UnusableError: It cannot be read.
    """
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise UnusableError(name, error) from error


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
    from ..recording import Recording, replay  # noqa: PLC0415 - it loads httpx

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
