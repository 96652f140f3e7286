"""Where the frames of a body end, byte for byte, whatever its line ends."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from .._blocks import BOM

__all__ = ["Framing", "Piece", "ends_frame", "frame_ends", "is_json_lines", "pieces_of"]

# A frame ends in two line ends. Where the first was no lone CR, an LF may still belong to
# a CR that comes second, so that is waited for: what is cut off must not depend on chunks.
_BLANK_LINE: Final = re.compile(rb"(?:\r\n|\n)(?:\r\n|\n|\r(?=[^\n]))|\r\r")
_ENDED: Final = re.compile(rb"(?:\r\n|\n)(?:\r\n|\n|\r)\Z|\r\r\Z")
_LINE_END: Final = re.compile(rb"\n")
_OVERLAP: Final = 3  # bytes of a blank line that may be there without its last one

_DATA: Final = re.compile(rb"(?:\A|[\r\n])data(?:[:\r\n]|\Z)")
_BEGIN: Final = re.compile(rb"[\r\n]*(?:\xef\xbb\xbf)?")


class Piece(NamedTuple):
    """Some of a body: a frame with the blank line that ends it, or what is none.

    Attributes:
        data: The bytes, as they came.
        is_frame: Whether it has data. Comments, and whatever else means no event by
            itself, stand between the frames.
    """

    data: bytes
    is_frame: bool


class Framing:
    """Cuts the body of a leg into pieces; joined, they are the body.

    An event stream is cut at its blank lines, and lines of JSON at their ends. Wherever
    the chunks are cut, the pieces are the same.

    Attributes:
        has_json: Whether the body is lines of JSON; None until its first byte tells.
    """

    def __init__(self) -> None:
        self.has_json: bool | None = None
        self._held = b""
        self._seen = 0  # how many bytes of what is held have no blank line in them

    def feed(self, chunk: bytes) -> list[Piece]:
        """Return the pieces that this chunk completes."""
        self._held += chunk
        pieces = self._begin() if self.has_json is None else []
        if self.has_json is None:
            return pieces
        pattern = _LINE_END if self.has_json else _BLANK_LINE
        start = 0
        for found in pattern.finditer(self._held, self._seen):
            pieces.append(self._piece(self._held[start : found.end()]))
            start = found.end()
        self._held = self._held[start:]
        self._seen = max(0, len(self._held) - _OVERLAP)
        return pieces

    def finish(self) -> list[Piece]:
        """Return what is left, if anything is: a piece that was not finished."""
        held, self._held, self._seen = self._held, b"", 0
        return [self._piece(held)] if held else []

    def _begin(self) -> list[Piece]:
        """Look what kind of body it is; a byte-order mark belongs to no frame."""
        found = _BEGIN.match(self._held)
        end = found.end() if found else 0
        text = self._held[end:]
        if BOM.startswith(text) or not (first := text.lstrip(b" \t\r\n")):
            return []
        self.has_json = first.startswith(b"{")
        head, self._held = self._held[:end], text
        return [Piece(head, is_frame=False)] if head else []

    def _piece(self, data: bytes) -> Piece:
        is_frame = bool(data.strip()) if self.has_json else _DATA.search(data) is not None
        return Piece(data, is_frame)


def is_json_lines(body: bytes) -> bool:
    """Whether a leg is lines of JSON, by its first byte."""
    return body.lstrip(b"\r\n").removeprefix(BOM).lstrip(b" \t\r\n").startswith(b"{")


# The bytes of two line ends: so many at the end tell whether a frame ends there.
TAIL: Final = 4


def ends_frame(body: bytes, *, has_json: bool = False) -> bool:
    """Whether another frame may follow some bytes, of which the last `TAIL` are enough."""
    if not body:
        return True
    return body.endswith(b"\n") if has_json else _ENDED.search(body) is not None


def pieces_of(body: bytes) -> list[Piece]:
    """Cut a whole leg. A frame that was not finished counts as one."""
    framing = Framing()
    return [*framing.feed(body), *framing.finish()]


def frame_ends(body: bytes) -> list[int]:
    """Return the offsets after 0, 1, 2, ... whole frames of a leg.

    What stands before a frame goes with it, and what follows the last one goes with that.
    """
    ends, at = [0], 0
    for piece in pieces_of(body):
        at += len(piece.data)
        if piece.is_frame:
            ends.append(at)
    if len(ends) == 1 and body:
        ends.append(at)
    ends[-1] = len(body)
    return ends
