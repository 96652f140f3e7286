"""Writing a recording in another form."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from .._json import parse
from ..dialects import is_whole
from ..errors import DecodeError, UsageError
from ..limits import DEFAULT_LIMITS
from ..sse import Frame, FrameDecoder, encode_frame, parse_block
from .forms import Form, Recording
from .timed import lines_of, written
from .writing import is_timed_name, opened

__all__ = ["write"]


def write(recording: Recording, path: str | os.PathLike[str], *, form: Form | None = None) -> None:
    """Write a recording in the form that the name of a file tells, or that is named.

    The timed form has one line a frame where no times are known. The raw form keeps the
    bodies of all legs, one after another, and ``events`` lines of ``{"event", "data"}``.

    Raises:
        UsageError: The name tells no form, or the form is one that is only read.
        OSError: The file cannot be written.
    """
    target = Path(path)
    chosen = form or ("timed" if is_timed_name(target) else "raw")
    if chosen not in _WRITERS:
        raise UsageError(f"the form {chosen!r} is only read; write 'timed', 'raw' or 'events'")
    with opened(target) as file:
        for piece in _WRITERS[chosen](recording):
            file.write(piece)


def _as_timed(recording: Recording) -> Iterator[bytes]:
    return map(written, lines_of(recording))


def _as_raw(recording: Recording) -> Iterator[bytes]:
    if recording.form == "events":
        return map(encode_frame, _frames(recording))
    return (chunk.data for leg in recording.legs for chunk in leg.chunks)


def _frames(recording: Recording) -> Iterator[Frame]:
    for leg in recording.legs:
        if recording.form == "events":
            for chunk in leg.chunks:
                value = json.loads(chunk.data.decode(errors="replace"))  # which keeps halves
                data = value.get("data")
                text = data if isinstance(data, str) else json.dumps(data)
                yield Frame(value["event"], text.encode(errors="replace"))
            continue
        decoder = FrameDecoder()
        yield from decoder.feed(leg.body)
        frame, _ = parse_block(decoder.finish())
        if frame is not None and is_whole(frame.data):
            yield frame


def _as_events(recording: Recording) -> Iterator[bytes]:
    for frame in _frames(recording):
        # JSON is kept as it is written: halves of characters find each other when folded.
        data: Any = frame.data.decode(errors="replace")
        with suppress(DecodeError):
            parse(frame.data, depth=DEFAULT_LIMITS.depth)
            data = msgspec.Raw(frame.data.replace(b"\n", b" "))
        yield msgspec.json.encode({"event": frame.event, "data": data}) + b"\n"


_WRITERS: Final[Mapping[Form, Callable[[Recording], Iterator[bytes]]]] = {
    "timed": _as_timed,
    "raw": _as_raw,
    "events": _as_events,
}
