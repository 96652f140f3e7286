"""What lies in folders that are to be served."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ..errors import UsageError
from ..testing.api.opening import Sources
from ..testing.finding import FORMS, called, find, is_named, leg_of

__all__ = ["expanded"]

# Pictures beside the recordings; their names without the ending are ids of files.
_PICTURES: Final = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")


def expanded(sources: Sequence[Sources]) -> tuple[list[Sources], dict[str, bytes]]:
    """Put the recordings in a folder in its place, in the order of their names.

    Files of one folder whose names differ only by ``.leg1``, ``.leg2`` are the legs of one
    run, in the order of these numbers, also where each is given by itself. Folders in a
    folder are not looked at, nor is what a link leads out of it to.

    Returns:
        The sources, and the content of the pictures in folders, by their names.

    Raises:
        UsageError: There is no recording in it.
        OSError: A file cannot be read.
    """
    found: list[Sources] = []
    pictures: dict[str, bytes] = {}
    runs: dict[Path, list[Path]] = {}
    for source in sources:
        path = Path(source) if isinstance(source, str | os.PathLike) else None
        if path is None:
            found.append(source)
        elif path.is_dir():
            files = [*_inside(path)]
            found += _recordings(path, files)
            pictures |= {each.stem: each.read_bytes() for each in files if _is_picture(each)}
        elif leg_of(path.name) is None:
            found.append(path)
        else:
            name = called(path.name)
            legs = runs.setdefault(path.with_name(name), [])
            if not legs:
                found.append({name: legs})
            legs.append(path)
    for legs in runs.values():
        legs.sort(key=lambda path: leg_of(path.name) or 0)
    return found, pictures


def _inside(folder: Path) -> Iterator[Path]:
    home = folder.resolve()
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.resolve().parent == home:
            yield path


def _recordings(folder: Path, files: Sequence[Path]) -> Iterator[Sources]:
    names = dict.fromkeys(called(path.name) for path in files if is_named(path.name))
    if not names:
        raise UsageError(f"there is no recording in {folder}: none ends in {', '.join(FORMS)}")
    for name in names:
        if (source := find(folder, name)) is not None:
            yield {name: source}


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in _PICTURES
