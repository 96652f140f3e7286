"""Whatever can be played, as a recording."""

from __future__ import annotations

import math
import os
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import msgspec
from msgspec import Struct

from .._blocks import BOM
from .._inputs import to_frame
from .._json import parse
from ..dialects import decode
from ..errors import DecodeError, PeerError, RecordingError, UsageError
from ..events import DoneEvent, ResponseEndEvent
from ..limits import DEFAULT_LIMITS
from ..recording.forms import Chunk, Form, Leg, Recording
from ..recording.reading import _decompressed, read
from ..snapshots import RunSnapshot
from ..sse import Frame, encode_frame, parse_block
from .exploding import explode
from .framing import Piece, pieces_of
from .responding import ENDS
from .wire import snapshot_from_wire

__all__ = ["PlayedSource", "is_live", "recording_of", "says_done"]

_File: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO
PlayedSource: TypeAlias = RunSnapshot | Recording | _File | Sequence[Frame] | Sequence[_File]

# The forms whose legs are joined where a recorder wrote one body after another.
_JOINED: Final = ("raw", "events")

# What may be one leg of a sequence, beside a file that is open.
_ONE: Final = (str, os.PathLike, bytes, bytearray, memoryview, Recording)

# One of these is in the last frame of a leg.
_LAST_WORDS: Final = (b"done", b"[DONE]", *(f"response.{end}".encode() for end in ENDS))

_WHAT: Final = (
    "what is played is a run that script() built, frames, a recording, a path, bytes, or a "
    "sequence of paths or bytes, each of them a leg"
)


def recording_of(source: PlayedSource, *, gap: float = 0.0) -> Recording:
    """Return what is to be played, as a recording; its bytes are never changed.

    What has no times of its own comes a frame at a time. A body that holds several legs,
    one after another, is cut after each ``done`` and each response; whatever knows its
    legs keeps them.

    Args:
        source: A run that `script` built, or a fold; a sequence of frames; a recording, or
            what `streamkit.recording.read` takes; the JSON of a snapshot, as a file or
            bytes; or a sequence of files or bytes, each of them a leg.
        gap: How many seconds there are before each chunk, where nobody noted it.

    Raises:
        UsageError: It is none of these, or a run that cannot be played.
        RecordingError: It cannot be read.
        OSError: The file cannot be read.
    """
    if not 0 <= gap < math.inf:
        raise UsageError(f"the gap is a number of seconds, not {gap!r}")
    recording = _found(source)
    legs = [_with_gap(leg, gap) for leg in recording.legs]
    return msgspec.structs.replace(recording, legs=legs)


def is_live(source: object) -> bool:
    """Whether a source comes as it is read: an iterable, or an open response."""
    if hasattr(source, "iter_bytes") or hasattr(source, "aiter_bytes"):
        return True
    is_known = isinstance(source, str | bytes | bytearray | memoryview | Sequence | Mapping)
    is_known = is_known or hasattr(source, "read") or isinstance(source, Struct)
    return not is_known and isinstance(source, Iterable | AsyncIterable)


def says_done(piece: Piece) -> bool:
    """Whether a frame is the last one of a leg."""
    return _last_word(piece) is not None


def _last_word(piece: Piece) -> DoneEvent | ResponseEndEvent | None:
    """Return the event that ends a leg, if a frame is one."""
    data = piece.data
    if not piece.is_frame or not any(word in data for word in _LAST_WORDS):
        return None
    text = data.strip()
    frame = Frame("message", text) if text.startswith(b"{") else parse_block(text)[0]
    try:
        event = None if frame is None else decode(frame)
    except PeerError:
        return None
    return event if isinstance(event, DoneEvent | ResponseEndEvent) else None


def _found(source: Any) -> Recording:
    if isinstance(source, RunSnapshot):
        return _of_frames(explode(source))
    if isinstance(source, Recording):
        return _in_legs(source)
    if isinstance(source, str | os.PathLike):
        return _read_file(source)
    if isinstance(source, bytes | bytearray | memoryview):
        return _read(bytes(source), bytes(source))
    if hasattr(source, "read") and not is_live(source):
        data = source.read()
        if not isinstance(data, bytes):
            raise UsageError("a file that is played is opened in binary")
        return _read(data, data)
    if isinstance(source, Sequence):
        return _of_sequence(source)
    raise UsageError(f"{_WHAT}; not {type(source).__name__}")


def _read_file(path: str | os.PathLike[str]) -> Recording:
    name = os.fspath(path)
    if "\n" in name or name.startswith(("event:", "data:", "{")):
        raise UsageError("this is the text of a stream, not a path: encode it to bytes")
    return _read(path, Path(path).read_bytes())


def _read(source: _File, data: bytes) -> Recording:
    """Read what is a snapshot, or else a recording, whose errors name the source."""
    snapshot = _snapshot(data)
    return _in_legs(read(source)) if snapshot is None else _of_frames(explode(snapshot))


def _snapshot(data: bytes) -> RunSnapshot | None:
    """Return the snapshot that a file is, if it is one."""
    with suppress(RecordingError, DecodeError, TypeError):
        text, _ = _decompressed(data)
        if b'"steps"' in text and text.removeprefix(BOM).lstrip().startswith(b"{"):
            value = parse(text.removeprefix(BOM), depth=DEFAULT_LIMITS.depth)
            if isinstance(value, Mapping) and value.keys() >= {"run", "steps"}:
                return snapshot_from_wire(value)
    return None


def _of_sequence(source: Sequence[Any]) -> Recording:
    if not source:
        raise UsageError("there is nothing to play: the sequence is empty")
    if all(hasattr(each, "event") and hasattr(each, "data") for each in source):
        return _of_frames(map(to_frame, source))
    for each in source:
        is_one = isinstance(each, _ONE) or (hasattr(each, "read") and not is_live(each))
        if not is_one:
            raise UsageError(
                "a sequence is of frames, or of paths, bytes or recordings, each of them a leg; "
                f"not of {type(each).__name__}"
            )
    recordings = [_found(each) for each in source]
    forms: set[Form] = {each.form for each in recordings}
    return Recording(
        legs=[leg for each in recordings for leg in each.legs],
        form=forms.pop() if len(forms) == 1 else "timed",
        is_cut=recordings[-1].is_cut,
    )


def _of_frames(frames: Iterable[Frame]) -> Recording:
    pieces = [Piece(encode_frame(frame), is_frame=True) for frame in frames]
    return Recording(legs=[Leg(chunks=chunks) for chunks in _legs(pieces)])


def _in_legs(recording: Recording) -> Recording:
    """Cut the one body of several legs; elsewhere, legs are known."""
    if recording.form not in _JOINED or len(recording.legs) != 1:
        return recording
    (leg,) = recording.legs
    legs = _legs(pieces_of(leg.body))
    if len(legs) < 2 or any(chunk.after is not None for chunk in leg.chunks):
        return recording
    *firsts, last = legs
    ended = msgspec.structs.replace(leg, chunks=last, after=None)
    return msgspec.structs.replace(
        recording, legs=[*(Leg(chunks=chunks, end="eof") for chunks in firsts), ended]
    )


def _legs(pieces: Iterable[Piece]) -> list[list[Chunk]]:
    """Put pieces together to legs; what is no frame goes with one that is."""
    legs: list[list[Chunk]] = []
    last: object = DoneEvent()
    waiting: list[Chunk] = []
    for piece in pieces:
        waiting.append(Chunk(piece.data))
        if piece.is_frame:
            before, last = last, _last_word(piece)
            # A response has ended by itself; some servers say done even so.
            is_said_again = isinstance(before, ResponseEndEvent) and isinstance(last, DoneEvent)
            if before is not None and not is_said_again:
                legs.append([])
            legs[-1] += waiting
            waiting = []
    if waiting:
        legs = [*legs[:-1], [*legs[-1], *waiting]] if legs else [waiting]
    return legs


def _with_gap(leg: Leg, gap: float) -> Leg:
    """Let a leg take its time, if nobody noted what it took."""
    if any(chunk.after is not None for chunk in leg.chunks):
        return leg
    bodies = [chunk.data for chunk in leg.chunks]
    if len(bodies) == 1:
        bodies = [piece.data for piece in pieces_of(bodies[0])]
    chunks = [Chunk(data, gap or None) for data in bodies]
    return leg if chunks == leg.chunks else msgspec.structs.replace(leg, chunks=chunks)
