"""The timed form: a line of JSON for each thing that happened.

Lines are written one by one, so that a recording that breaks off is whole up to its last
line. FORMAT.md beside this file defines it for other programs.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ..errors import RecordingError
from .forms import Chunk, Leg, Recording, RequestInfo, ResponseInfo

__all__ = ["VERSION", "Line", "chunk_line", "is_timed", "lines_of", "read_timed", "written"]

T = TypeVar("T")

VERSION: Final = 1

_HEADER: Final = re.compile(rb'\s*\{\s*"streamkit"\s*:')


class Line(Struct, kw_only=True, omit_defaults=True):
    """A line: the fields that it has say what it is.

    ====================  ==============================================================
    ``streamkit``         the header, which opens the first leg: the version of this
                          form, ``created``, ``request``, ``response``
    ``leg``               another leg is opened: its number, ``request``, ``response``
    ``data``, ``bytes``   a chunk: its text, or base64 where it is not whole UTF-8
    ``end``, ``error``    the leg ended: how, or what went wrong
    ====================  ==============================================================

    All but the header have ``after``: the seconds since the line before, or null.
    """

    streamkit: int | UnsetType = UNSET
    created: str | UnsetType = UNSET
    leg: int | UnsetType = UNSET
    after: float | UnsetType | None = UNSET
    request: RequestInfo | UnsetType = UNSET
    response: ResponseInfo | UnsetType = UNSET
    data: str | UnsetType = UNSET
    bytes: str | UnsetType = UNSET
    end: str | UnsetType = UNSET
    error: str | UnsetType = UNSET


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Line).decode


def is_timed(data: bytes) -> bool:
    """Whether a file begins as one of this form, or breaks off before it could say more."""
    begins = _HEADER.match(data) is not None
    return begins or (bool(data) and b'{"streamkit":'.startswith(data))


def written(line: Line) -> bytes:
    """Write a line."""
    return _encode(line) + b"\n"


def chunk_line(data: bytes, after: float | None) -> Line:
    """Build the line of a chunk."""
    try:
        return Line(after=after, data=data.decode())
    except UnicodeDecodeError:
        return Line(after=after, bytes=base64.b64encode(data).decode())


def lines_of(recording: Recording) -> Iterator[Line]:
    """Yield the lines of a recording."""
    for number, leg in enumerate(recording.legs or (Leg(),), 1):
        line = Line(request=leg.request or UNSET, response=leg.response or UNSET)
        if number == 1:
            line.streamkit, line.created = VERSION, recording.created or UNSET
        else:
            line.leg, line.after = number, leg.after
        yield line
        for chunk in leg.chunks:
            yield chunk_line(chunk.data, chunk.after)
        if leg.error is not None:
            yield Line(after=leg.end_after, error=leg.error)
        elif leg.end is not None:
            yield Line(after=leg.end_after, end=leg.end)


def read_timed(data: bytes) -> Recording:
    """Read a recording; one that breaks off, up to its last whole line.

    Raises:
        RecordingError: A line that is whole is none of this form.
    """
    lines, is_cut = _decoded(data.split(b"\n"))
    legs: list[_OpenLeg] = []
    created: str | None = None
    for number, line in lines:
        if line.streamkit is not UNSET:
            created = _given(line.created)
            legs.append(_OpenLeg(line))
        elif not legs:
            raise RecordingError(f"line {number}: the header is missing")
        elif line.leg is not UNSET:
            legs.append(_OpenLeg(line))
        else:
            legs[-1].take(line, number)
    return Recording(
        legs=[leg.closed() for leg in legs],
        form="timed",
        created=created,
        is_cut=is_cut or not legs or not legs[-1].has_ended,
    )


def _decoded(texts: Sequence[bytes]) -> tuple[list[tuple[int, Line]], bool]:
    """Return the lines with their numbers, and whether the last one breaks off."""
    lines: list[tuple[int, Line]] = []
    for number, text in enumerate(texts, 1):
        if not text.strip():
            continue
        try:
            line = _decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if number == len(texts):
                return lines, True
            raise RecordingError(f"line {number} is no line of a recording: {error}") from error
        if line.streamkit is not UNSET and line.streamkit > VERSION:
            raise RecordingError(
                f"this recording is of version {line.streamkit}, and this streamkit reads "
                f"version {VERSION}"
            )
        lines.append((number, line))
    return lines, False


class _OpenLeg:
    """A leg that is being read."""

    def __init__(self, line: Line) -> None:
        self._opened = line
        self._chunks: list[Chunk] = []
        self._last: Line | None = None

    @property
    def has_ended(self) -> bool:
        return self._last is not None

    def take(self, line: Line, number: int) -> None:
        after = _given(line.after)
        if line.data is not UNSET:
            self._chunks.append(Chunk(line.data.encode(), after))
        elif line.bytes is not UNSET:
            try:
                self._chunks.append(Chunk(base64.b64decode(line.bytes, validate=True), after))
            except binascii.Error as error:
                raise RecordingError(f"line {number}: the bytes are no base64") from error
        elif line.end is not UNSET or line.error is not UNSET:
            self._last = line

    def closed(self) -> Leg:
        opened, last = self._opened, self._last or Line()
        return Leg(
            chunks=self._chunks,
            after=_given(opened.after),
            request=_given(opened.request),
            response=_given(opened.response),
            end=_given(last.end),
            error=_given(last.error),
            end_after=_given(last.after),
        )


def _given(value: T | UnsetType) -> T | None:
    return None if isinstance(value, UnsetType) else value
