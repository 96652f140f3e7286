"""Reading a recording, in whatever form it was kept."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

import msgspec

from .._blocks import BOM
from .._json import parse
from ..errors import DecodeError, RecordingError, UsageError
from ..limits import DEFAULT_LIMITS
from .foreign import is_cassette, is_har, read_cassette, read_har
from .forms import Chunk, Leg, Recording
from .repairing import in_frames, lacks_blank_lines, with_blank_lines
from .timed import is_timed, read_timed

__all__ = ["RecordingSource", "read"]

RecordingSource: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | Recording

_GZIP: Final = b"\x1f\x8b"
_FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:", b":", BOM)
_FIELD: Final = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|[\r\n])(?:data|event|id|retry)?:")


def read(source: RecordingSource) -> Recording:
    """Read a recording: the raw body, the timed form, a cassette, a HAR file, JSON lines.

    What form it is, its content says, not its name; it may be compressed with gzip.

    Args:
        source: A path, the bytes of a file, a binary file, or a recording that was read.

    Raises:
        RecordingError: It is in none of these forms, or breaks the rules of its own.
        OSError: The file cannot be read.
    """
    if isinstance(source, Recording):
        return source
    name, data = _content(source)
    try:
        data, is_cut = _decompressed(data)
        recording = _chosen(data)(data)
    except RecordingError as error:
        raise RecordingError(f"{name}: {error}") from error.__cause__
    except DecodeError as error:
        raise RecordingError(f"{name}: {error}") from error
    return msgspec.structs.replace(recording, is_cut=True) if is_cut else recording


def _content(source: str | os.PathLike[str] | bytes | BinaryIO) -> tuple[str, bytes]:
    if isinstance(source, bytes | bytearray | memoryview):
        return "the recording", bytes(source)
    if isinstance(source, str | os.PathLike):
        return os.fspath(source), Path(source).read_bytes()
    data = source.read() if hasattr(source, "read") else None
    if not isinstance(data, bytes):
        raise UsageError(
            "a recording is a path, bytes, or a file opened in binary; "
            f"not {type(source).__name__}"
        )
    return str(getattr(source, "name", "the recording")), data


def _decompressed(data: bytes) -> tuple[bytes, bool]:
    """Return what was compressed, as far as it goes, and whether it breaks off."""
    parts: list[bytes] = []
    if data and _GZIP.startswith(data):
        return b"", True
    while data.startswith(_GZIP):
        decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            parts.append(decompressor.decompress(data))
        except zlib.error as error:
            raise RecordingError(f"the gzip data is damaged: {error}") from error
        if not decompressor.eof:
            return b"".join(parts), True
        data = decompressor.unused_data
    return (b"".join(parts), False) if parts else (data, False)


def _chosen(data: bytes) -> Callable[[bytes], Recording]:
    if is_timed(data):
        return read_timed
    if is_har(data):
        return read_har
    if is_cassette(data):
        return read_cassette
    if data.removeprefix(BOM).lstrip().startswith(b"{"):
        return _read_events
    if lacks_blank_lines(data):
        return _read_stripped
    return _read_raw


def _read_raw(data: bytes) -> Recording:
    begins = data.removeprefix(BOM).strip()
    if not _FIELD.search(data) and not any(each.startswith(begins) for each in _FIELDS):
        raise RecordingError("line 1 begins in none of the known forms: this is no recording")
    return Recording(legs=[Leg(chunks=in_frames(data))] if data else [], form="raw")


def _read_stripped(data: bytes) -> Recording:
    repaired, count = with_blank_lines(data)
    said = f"the blank lines between {count:,} frames were missing, and were put back"
    return Recording(legs=[Leg(chunks=in_frames(repaired))], form="raw", repairs=[said])


def _read_events(data: bytes) -> Recording:
    texts = data.removeprefix(BOM).splitlines(keepends=True)
    chunks: list[Chunk] = []
    for number, text in enumerate(texts, 1):
        if not text.strip():
            continue
        try:
            value = parse(text, depth=DEFAULT_LIMITS.depth)
        except DecodeError as error:
            if not text.endswith((b"\n", b"\r")):
                return Recording(legs=[Leg(chunks=chunks)], form="events", is_cut=True)
            raise RecordingError(f"line {number} is no JSON, nor is the file: {error}") from error
        if not isinstance(value, dict) or not isinstance(value.get("event"), str):
            raise RecordingError(f'line {number} is no event: it has no "event" that names one')
        chunks.append(Chunk(text))
    return Recording(legs=[Leg(chunks=chunks)], form="events")
