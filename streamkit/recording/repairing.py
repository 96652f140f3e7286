"""Raw bodies: their frames, and those that were saved without the blank lines between."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from ..dialects import is_whole
from .forms import Chunk

__all__ = ["in_frames", "lacks_blank_lines", "with_blank_lines"]

_LINE: Final = re.compile(rb"[^\r\n]+")
_BLANK_LINE: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2,}")


def in_frames(data: bytes) -> Sequence[Chunk]:
    """Cut a raw body after each blank line, and keep every byte."""
    ends = [found.end() for found in _BLANK_LINE.finditer(data)]
    starts = [0, *ends]
    pieces = [data[start:end] for start, end in zip(starts, [*ends, len(data)], strict=True)]
    return [Chunk(piece) for piece in pieces if piece]


def lacks_blank_lines(data: bytes) -> bool:
    """Whether frames stand back to back: a name follows data, or whole data follows data."""
    blank = re.search(rb"(?:\r\n|\n|\r(?!\n)){2}(?=[^\r\n])", data)
    return blank is None and sum(1 for _ in _frames(data)) > 1


def with_blank_lines(data: bytes) -> tuple[bytes, int]:
    """Put the blank lines back; return the body, and how many frames are in it."""
    frames = [b"".join(line + b"\n" for line in frame) + b"\n" for frame in _frames(data)]
    return b"".join(frames), len(frames)


def _frames(data: bytes) -> Iterator[list[bytes]]:
    """Yield the lines of each frame."""
    frame: list[bytes] = []
    has_data = False
    for line in _LINE.findall(data):
        is_data = line.startswith(b"data:")
        begins = line.startswith(b"event:") or (is_data and is_whole(line.removeprefix(b"data:")))
        if has_data and begins:
            yield frame
            frame, has_data = [], False
        frame.append(line)
        has_data |= is_data
    if frame:
        yield frame
