"""What the marks of a test ask for: which sources are played, and how."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import UsageError
from ..testing.finding import FORMS, find, name_of, path_of
from ..testing.sources import recording_of
from .taking import runs_of

if TYPE_CHECKING:
    import pytest

__all__ = ["MARKER", "OPTIONS", "MissingError", "Wish", "wish_of"]

MARKER: Final = "streamkit"

OPTIONS: Final = ("speed", "faults", "gap", "max_gap", "files")

# Beside the file with the test, where nothing else is said.
_FOLDER: Final = "recordings"


class MissingError(UsageError):
    """There is no recording of a name."""


class Wish(NamedTuple):
    """What a test asks to be played.

    Attributes:
        given: The sources of the nearest of its marks that has any.
        options: How to play, each as the nearest mark says that speaks of it.
        own: The name that its recording has where no other is given.
        folder: Where recordings are looked for by their names.
        beside: The folder of the file with the test.
        test: The test, as it is asked for on a command line.
    """

    given: tuple[Any, ...]
    options: Mapping[str, Any]
    own: str
    folder: Path
    beside: Path
    test: str

    def source(self) -> Any:
        """Return the one source that is played.

        Raises:
            MissingError: There is no recording of its name.
            UsageError: There are several, or the name is of no use.
        """
        if len(self.given) > 1:
            raise UsageError(
                f"a stream has one source, and {self.test} is marked with {len(self.given)}: "
                "several are for streamkit_transport and streamkit_server"
            )
        runs = [*_runs(self._played(self._named[0]))]
        if len(runs) > 1:
            raise UsageError(
                f"a stream is one run, and the recording of {self.test} holds {len(runs)}: "
                "several are for streamkit_transport and streamkit_server"
            )
        return runs[0]

    def runs(self, *, may_miss: bool = False) -> list[Any]:
        """Return the runs that are played, in order: one a source, or all of a recording's.

        Args:
            may_miss: Whether there need be none where no source is given.

        Raises:
            MissingError: There is no recording of a name.
            UsageError: A name is of no use.
        """
        try:
            sources = [self._played(each) for each in self._named]
        except MissingError:
            if self.given or not may_miss:
                raise
            return []
        return [run for source in sources for run in _runs(source)]

    def target(self, mode: str) -> Path | None:
        """Say where the runs are recorded; None where they are played.

        Args:
            mode: ``once``, ``rewrite`` or ``none``.

        Raises:
            UsageError: They cannot be recorded as they are named.
        """
        names = [each for each in self._named if isinstance(each, str)]
        is_played = mode == "none" or not names
        if is_played or (mode == "once" and all(find(self.folder, name) for name in names)):
            return None
        if len(self._named) > 1:
            raise UsageError(
                f"a test records one recording, with all of its runs, and {self.test} has "
                f"{len(self._named)} sources: give it one name"
            )
        return path_of(self.folder, names[0])

    def without(self, *options: str) -> dict[str, Any]:
        """Return its options but for some."""
        return {name: value for name, value in self.options.items() if name not in options}

    @property
    def _named(self) -> tuple[Any, ...]:
        return self.given or (self.own,)

    def _played(self, source: Any) -> Any:
        if isinstance(source, str):
            found = find(self.folder, source)
            if found is None:
                raise self._missing(source)
            return found
        if isinstance(source, os.PathLike):
            return self.beside / source
        if isinstance(source, Mapping):
            return {name: self._played(each) for name, each in source.items()}
        if isinstance(source, list | tuple) and any(map(_is_file, source)):
            return tuple(_flat(self._played(each) for each in source))
        return source

    def _missing(self, name: str) -> MissingError:
        last = name.rpartition("/")[2]
        return MissingError(
            f"there is no recording {name!r}: looked for {last} with {', '.join(FORMS)}, with .gz "
            f"after that, and for its legs, {last}.leg1 and so on, in "
            f"{(self.folder / name).parent}\n"
            "To record it, let a test with streamkit_transport reach the network once:\n"
            f"    pytest --streamkit-record=once {quote(self.test)}"
        )


def wish_of(item: pytest.Item, folder: str | None) -> Wish:
    """Read the marks of a test.

    Args:
        item: The test.
        folder: Where the recordings are, from the root folder of the tests on; None is
            beside the file with the test.

    Raises:
        UsageError: A mark has an option that is none.
    """
    given: tuple[Any, ...] = ()
    options: dict[str, Any] = {}
    for mark in item.iter_markers(MARKER):
        for option in mark.kwargs:
            if option not in OPTIONS:
                raise UsageError(
                    f"the marker {MARKER!r} has no option {option!r}; "
                    f"those that it has are {', '.join(OPTIONS)}"
                )
        given = given or mark.args
        options = {**mark.kwargs, **options}
    beside = item.path.parent
    return Wish(
        given=given,
        options={name: _option(name, value, beside) for name, value in options.items()},
        own=name_of(item.path.stem, [*_classes(item)], item.name),
        folder=item.config.rootpath / folder if folder else beside / _FOLDER,
        beside=beside,
        test=item.nodeid,
    )


def _option(name: str, value: Any, beside: Path) -> Any:
    if name == "faults" and not isinstance(value, list | tuple):
        return (value,)
    if name == "files" and isinstance(value, Mapping):
        return {id: beside / each if _is_file(each) else each for id, each in value.items()}
    return value


def _classes(item: pytest.Item) -> Iterator[str]:
    import pytest  # noqa: PLC0415 - the types are ours, the classes are not

    return (each.name for each in item.listchain() if isinstance(each, pytest.Class))


def _runs(source: Any) -> Iterator[Any]:
    """Yield the runs of a file, which may hold several; anything else is left as it is."""
    files = source if isinstance(source, tuple) else (source,)
    is_read = all(_is_file(each) and not each.is_dir() for each in files)
    runs = runs_of(recording_of(source)) if is_read else []
    yield from runs if len(runs) > 1 else (source,)


def _is_file(source: Any) -> bool:
    return isinstance(source, str | os.PathLike)


def _flat(legs: Iterable[Any]) -> Iterator[Any]:
    for each in legs:
        yield from each if isinstance(each, tuple) else (each,)
