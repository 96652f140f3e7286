"""Recordings as files: read and written with a reason where that fails, and described."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..errors import StreamkitError
from ..recording import Form, Recording, read, write
from ..sse import FrameDecoder
from ._process import Status, complain
from .escape import escape_line
from .showing import described

__all__ = ["UnusableError", "counted", "load", "recognised", "refuse_same", "rewrite"]

_FORMS: Final = {"har": "a HAR file", "vcr": "a cassette of VCR.py", "events": "lines of JSON"}


class UnusableError(Exception):
    """A file cannot be used; the message names it and says why."""

    def __init__(self, name: str, reason: Exception | str) -> None:
        said = reason if isinstance(reason, str) else described(reason)
        for prefix in (name, Path(name).name, "the recording"):
            said = said.removeprefix(f"{prefix}: ")
        super().__init__(f"{name}: {said}")


def load(name: str, data: bytes | None = None) -> Recording:
    """Read a recording; `data` is what the file holds, if it was read before.

    Raises:
        UnusableError: It cannot be read.
    """
    try:
        return read(name if data is None else data)
    except (OSError, StreamkitError) as error:
        raise UnusableError(name, error) from error


def _save(recording: Recording, name: str, form: Form | None) -> None:
    """Write a recording in a form, or in the one that the name tells.

    Raises:
        UnusableError: The name tells none, or it cannot be written.
    """
    try:
        write(recording, name, form=form)
    except (OSError, StreamkitError) as error:
        raise UnusableError(name, error) from error


def rewrite(
    source: str,
    target: str,
    change: Callable[[Recording], Recording],
    *,
    form: Form | None = None,
    remark: str = "",
) -> Status:
    """Write a recording anew, changed, and say what was written."""
    try:
        refuse_same(source, target)
        recording = load(source)
        for note in recognised(recording):
            complain(f"{source}: {note}")
        changed = change(recording)
        said = _measured(changed)
        _save(changed, target, form)
    except UnusableError as error:
        complain(str(error))
        return Status.WRONG
    except StreamkitError as error:
        complain(f"{source}: {error}")
        return Status.FAILED
    print(f"{escape_line(target)}: {said}{remark}")
    if recording.is_cut:
        complain(f"{source}: the recording breaks off; {target} holds what there is")
        return Status.FAILED
    return Status.OK


def refuse_same(source: str, target: str) -> None:
    """Make sure that writing one file does not spoil the other.

    Raises:
        UnusableError: They are the same.
    """
    with suppress(OSError):
        if Path(source).samefile(target):
            raise UnusableError(target, "this is the recording itself; write another file")


def recognised(recording: Recording) -> Iterator[str]:
    """Say what was not to be expected of a recording: its form, and what was put right."""
    said = _FORMS.get(recording.form)
    if said is not None:
        kind = "event" if recording.form == "events" else "event stream"
        count = _frames(recording) if recording.form == "events" else len(recording.legs)
        yield f"{said}, {counted(count, kind)}"
    yield from recording.repairs


def _measured(recording: Recording) -> str:
    """Say how much there is in a recording."""
    return f"{counted(len(recording.legs), 'leg')}, {counted(_frames(recording), 'frame')}"


def counted(count: int, kind: str) -> str:
    """Say how many there are of a kind."""
    return f"{count:,} {kind}{'' if count == 1 else 's'}"


def _frames(recording: Recording) -> int:
    count = 0
    for leg in recording.legs:
        body = leg.body
        if body.lstrip().startswith(b"{"):
            count += sum(1 for line in body.splitlines() if line.strip())
        else:
            count += len(FrameDecoder().feed(body))
    return count
