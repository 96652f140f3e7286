"""Where the recordings of tests lie: by name, in a folder of theirs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PureWindowsPath
from typing import Final, TypeAlias

from ..errors import UsageError

__all__ = ["FORMS", "Found", "called", "find", "is_named", "leg_of", "name_of", "path_of"]

# One file, or a file a leg.
Found: TypeAlias = Path | tuple[Path, ...]

# What the name of a recording ends in, in whatever form it is kept; `.gz` may follow.
FORMS: Final = (".sse.jsonl", ".sse", ".jsonl", ".json", ".yaml", ".yml", ".har")

# The form that tests record, which keeps times and legs.
_RECORDED: Final = (".sse.jsonl", ".sse.jsonl.gz")

_FORM: Final = f"(?:{'|'.join(map(re.escape, FORMS))})(?:\\.gz)?"
_WITH_FORM: Final = re.compile(f".*{_FORM}", re.DOTALL)
_ENDING: Final = re.compile(rf"(?:\.leg(?P<leg>[1-9]\d*))?{_FORM}\Z")

# Short enough for every file system, with a form after it.
_LONGEST: Final = 120


def called(file: str) -> str:
    """Say what a file of this name is called: ``chat`` for ``chat.leg1.sse.jsonl``."""
    return _ENDING.sub("", file) or file


def leg_of(file: str) -> int | None:
    """Say which leg a file of this name holds, from 1; None where it holds all."""
    found = _ENDING.search(file)
    return int(found["leg"]) if found and found["leg"] else None


def is_named(file: str) -> bool:
    """Whether a file is called as recordings are."""
    return _WITH_FORM.fullmatch(file) is not None


def find(folder: Path, name: str) -> Found | None:
    """Find a recording in a folder.

    A name that ends in a form, as in ``report.sse``, is that file. Any other stands for
    the one file in any form that is called so, or for its legs ``NAME.leg1.sse``,
    ``NAME.leg2.sse``, and so on. It may name a folder within the folder: ``chat/report``.

    Returns:
        The path, or the paths of its legs; None where there is none.

    Raises:
        UsageError: There are two, a leg is missing, or the name leads out of the folder.
    """
    _must_stay(name)
    whole = folder / name
    if is_named(name):
        return whole if whole.is_file() else None
    singles, legs = _called(whole)
    found: list[Found] = [*singles, *([_in_order(whole, legs)] if legs else [])]
    if len(found) > 1:
        raise UsageError(
            f"{name!r} may be any of {_listed([*singles, *legs])} in {whole.parent}: "
            "name one of them with its ending, or remove the others"
        )
    return found[0] if found else None


def path_of(folder: Path, name: str) -> Path:
    """Say where a recording is written that is found by its name.

    Raises:
        UsageError: It would not be found there, since it is kept in another form; or the
            name leads out of the folder.
    """
    found = find(folder, name)
    file = name if is_named(name) else f"{name}{_RECORDED[0]}"
    files = found if isinstance(found, tuple) else (found or folder / file,)
    if len(files) > 1 or not files[0].name.endswith(_RECORDED):
        raise UsageError(
            f"what a test records is called {_RECORDED[0]}, as {_listed(files)} is not: "
            f"remove it from {files[0].parent}, or name another"
        )
    return files[0]


def name_of(module: str, classes: Sequence[str], test: str) -> str:
    """Give the recording of a test its name: ``test_chat/test_answer``.

    A test of a class is called ``TestChat.test_answer``, one with parameters
    ``test_answer-asyncio``. What a file had better not be called is replaced, and a
    number follows that tells the names apart.
    """
    function, _, parameters = test.removesuffix("]").partition("[")
    clean = re.sub(r"[^\w-]", "_", parameters, flags=re.ASCII)
    parts = [*classes, f"{function}-{clean}" if parameters else function]
    name = ".".join(parts)
    if clean != parameters or len(name) > _LONGEST:
        name = f"{name[:_LONGEST]}-{hashlib.sha256(test.encode()).hexdigest()[:8]}"
    return f"{module}/{name}"


def _must_stay(name: str) -> None:
    # Read as Windows would, since both kinds of slash are separators there.
    path = PureWindowsPath(name)
    if path.anchor or path.name in ("", "..") or ".." in path.parts:
        raise UsageError(
            f"{name!r} is no name of a recording, which lies in the folder of recordings: "
            "for a file anywhere else, give a pathlib.Path"
        )


def _called(whole: Path) -> tuple[list[Path], list[Path]]:
    """Return what is called so in one file, and what is a leg of it."""
    pattern = re.compile(rf"{re.escape(whole.name)}(\.leg[1-9]\d*)?{_FORM}")
    singles: list[Path] = []
    legs: list[Path] = []
    for path in _files(whole.parent):
        if match := pattern.fullmatch(path.name):
            (legs if match[1] else singles).append(path)
    return singles, legs


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if path.is_file())


def _in_order(whole: Path, legs: Sequence[Path]) -> tuple[Path, ...]:
    numbered = sorted((leg_of(path.name) or 0, path) for path in legs)
    for place, (number, path) in enumerate(numbered, 1):
        if number < place:
            twice = [each for other, each in numbered if other == number]
            raise UsageError(f"one leg is in {_listed(twice)}: remove all but one of them")
        if number > place:
            raise UsageError(
                f"there is {path.name}, and no {whole.name}.leg{place} before it, "
                f"in {whole.parent}"
            )
    return tuple(path for _, path in numbered)


def _listed(paths: Sequence[Path]) -> str:
    return " and ".join(path.name for path in paths)
