"""Annotations of messages, as those of items."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from .cargo import Cargo
from .writer import Writer

__all__ = ["write_annotation"]

Wire = dict[str, Any]


class _Place(NamedTuple):
    """Where an annotation stands."""

    text: str
    before: Sequence[Wire]  # those that were written
    names: Mapping[str, str]  # of files, by their ids


def write_annotation(
    annotation: Cargo, here: Writer, text: str, before: Sequence[Wire]
) -> Wire | None:
    """Write an annotation; None where items have none that says it.

    Args:
        annotation: As on the wire.
        here: Where it is noted.
        text: What it annotates.
        before: Those that were written before it.
    """
    said = annotation.all()
    write = _WRITERS.get(str(said.get("type")))
    given = write(said, _Place(text, before, here.names)) if write is not None else None
    here.note("annotation", annotation.path, said=said, given=given)
    return given


def _citation(said: Wire, place: _Place) -> Wire | None:
    file_id = _inner(said, "file_citation").get("file_id")
    if not isinstance(file_id, str):
        return None
    name = place.names.get(file_id, "")
    _, end = _range(said, place.text)
    return {"type": "file_citation", "file_id": file_id, "filename": name, "index": end}


def _path(said: Wire, place: _Place) -> Wire | None:
    file_id = _inner(said, "file_path").get("file_id")
    if not isinstance(file_id, str):
        return None
    rank = sum(each["type"] == "file_path" for each in place.before)
    return {"type": "file_path", "file_id": file_id, "index": rank}


def _url(said: Wire, place: _Place) -> Wire | None:
    inner = _inner(said, "url_citation")
    url, title = inner.get("url"), inner.get("title")
    if not isinstance(url, str):
        return None
    start, end = _range(said, place.text)
    title = title if isinstance(title, str) else ""
    span = {"start_index": start, "end_index": end}
    return {"type": "url_citation", "url": url, "title": title, **span}


def _inner(said: Wire, name: str) -> Wire:
    inner = said.get(name)
    return inner if isinstance(inner, dict) else {}


def _range(said: Wire, text: str) -> tuple[int, int]:
    """Say where an annotation stands: where it says, else where its text is, else last."""
    start, end = said.get("start_index"), said.get("end_index")
    if type(start) is int and type(end) is int:  # and not a boolean
        return start, end
    marker = said.get("text")
    place = text.find(marker) if isinstance(marker, str) and marker else -1
    return (place, place + len(str(marker))) if place >= 0 else (len(text), len(text))


_WRITERS: Final[Mapping[str, Callable[[Wire, _Place], Wire | None]]] = {
    "file_citation": _citation,
    "file_path": _path,
    "url_citation": _url,
}
