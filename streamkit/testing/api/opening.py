"""Sources to what is served."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TypeAlias

from ...errors import UsageError
from ...recording.pacing import Pace
from ..faults import Fault
from ..finding import called
from ..sources import PlayedSource, recording_of
from .answering import Api
from .catalogue import Catalogue
from .scenes import Entry, Statuses
from .served import Served

__all__ = ["Files", "Sources", "opened", "read_files", "served"]

Sources: TypeAlias = PlayedSource | Mapping[str, PlayedSource]
Files: TypeAlias = Mapping[str, bytes | str | os.PathLike[str]]


def opened(
    sources: Sequence[Sources],
    *,
    faults: Sequence[Fault],
    speed: float,
    max_gap: float | None,
    gap: float,
    files: Files,
    mapping: Mapping[str, str],
    sunset: bool = False,
    key: str | None = None,
    strict: bool = False,
) -> Api:
    """Open what is to be served to whoever asks.

    Raises:
        UsageError: A source is none, or an option makes no sense.
        RecordingError: A recording cannot be read.
        OSError: A file cannot be read.
    """
    statuses = Statuses(faults)
    contents = read_files(files)
    entries = [
        Entry(
            name,
            served(source, faults=faults, speed=speed, max_gap=max_gap, gap=gap, files=contents),
            statuses,
        )
        for name, source in _named(sources)
    ]
    return Api(Catalogue(entries, mapping), statuses, sunset=sunset, key=key, strict=strict)


def served(
    source: PlayedSource,
    *,
    faults: Sequence[Fault],
    speed: float,
    max_gap: float | None,
    gap: float,
    files: Mapping[str, bytes],
) -> Served:
    """Read a source that is to be served.

    Raises:
        UsageError, RecordingError, OSError: As `opened` does.
    """
    Pace(speed, max_gap)
    for fault in faults:
        if not isinstance(fault, Fault):
            raise UsageError(f"a fault is one of those in streamkit.testing, not {fault!r}")
    return Served(recording_of(source, gap=gap), [*faults], files, speed, max_gap)


def read_files(files: Files) -> dict[str, bytes]:
    """Read the content of files.

    Raises:
        OSError: One cannot be read.
    """
    return {
        id: content if isinstance(content, bytes) else Path(content).read_bytes()
        for id, content in files.items()
    }


def _named(sources: Sequence[Sources]) -> Iterator[tuple[str, PlayedSource]]:
    numbers = count(1)
    for source in sources:
        number = str(next(numbers))
        if isinstance(source, Mapping):
            yield from source.items()
        elif isinstance(source, str | os.PathLike):
            yield called(Path(source).name), source
        else:
            yield number, source
