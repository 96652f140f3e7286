"""Runs as input items of the Responses API, in a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from .._json import parse
from ..convert import ResponseItems, Source, to_response_items
from ..errors import DecodeError
from ..limits import DEFAULT_LIMITS
from ._process import Status, complain
from .escape import escape_line
from .folding import read_once, runs
from .recordings import UnusableError, counted, refuse_same

__all__ = ["write_items"]

# What became of a stream that was not whole.
_FAILED: Final = {
    "truncated": "the stream ended before the run came to rest",
    "error": "the server sent an error event",
}


def write_items(source: str, target: str, container_id: str | None, image: str | None) -> Status:
    """Write what a file comes to as items, and say what they cannot say.

    Args:
        source: The file.
        target: Where to write.
        container_id: The container that code is said to have run in.
        image: The URL of an image, with ``{file_id}`` where its file id belongs.
    """
    try:
        refuse_same(source, target)
        found = _sources(source)
        converted = [_converted(source, each, container_id, image) for each in found]
        items = [item for each in converted for item in each]
        _save(items, target)
    except UnusableError as error:
        complain(str(error))
        return Status.WRONG
    for number, each in enumerate(converted, 1):
        where = f"run {number}: " if len(converted) > 1 else ""
        for decision in each.report:
            complain(f"{source}: {where}{decision}")
    noted = sum(len(each.report) for each in converted)
    print(f"{escape_line(target)}: {counted(len(items), 'item')}, {counted(noted, 'remark')}")
    outcomes = [each.get("outcome") for each in found if isinstance(each, dict)]
    for said in [_FAILED[outcome] for outcome in outcomes if outcome in _FAILED][-1:]:
        complain(f"{source}: {said}; {target} holds what there is")
        return Status.FAILED
    return Status.OK


def _sources(name: str) -> list[Source]:
    """Read what is to be converted.

    Raises:
        UnusableError: There is nothing in the file, or it cannot be read.
    """
    data = read_once(name)
    stored = _stored(data)
    return [*runs(name, data)] if stored is None else [stored]


def _stored(data: bytes) -> Source | None:
    """Read a list of steps and messages, as the API gives it; None if it is something else."""
    if data.lstrip()[:1] not in (b"[", b"{"):
        return None
    try:
        value = parse(data, depth=DEFAULT_LIMITS.depth)
    except DecodeError:
        return None
    listed = value.get("data") if isinstance(value, dict) else value
    return listed if isinstance(listed, list) and _are_stored(listed) else None


def _are_stored(values: list[object]) -> bool:
    return bool(values) and all(isinstance(each, dict) and "id" in each for each in values)


def _converted(
    name: str, source: Source, container_id: str | None, image: str | None
) -> ResponseItems:
    """Convert a run.

    Raises:
        UnusableError: What is stored is no run.
    """
    try:
        return to_response_items(
            source,
            container_id=container_id,
            image_url=None if image is None else partial(_url, image),
        )
    except DecodeError as error:
        raise UnusableError(name, error) from error


def _url(template: str, file_id: str) -> str:
    return template.replace("{file_id}", quote(file_id, safe=""))


def _save(items: list[dict[str, object]], target: str) -> None:
    """Write items as JSON.

    Raises:
        UnusableError: The file cannot be written.
    """
    from ..recording.writing import opened  # noqa: PLC0415 - it loads httpx

    written = msgspec.json.format(msgspec.json.encode(items), indent=2)
    try:
        with opened(Path(target)) as file:
            file.write(written + b"\n")
    except OSError as error:
        raise UnusableError(target, error) from error
