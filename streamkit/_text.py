"""Text that grows at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

__all__ = ["Text", "Verdict", "scrub"]

Verdict = Literal["content_differs", "content_shrunk"]

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


class Text:
    """A string that grows at its end: appending is cheap, reading decodes it once.

    The pieces go into one growing buffer of UTF-8: kept as strings in a list, pieces of
    four characters cost 15 bytes a character. The first piece stays as it is, since it
    is the only one of most outputs.

    Some servers slice text as UTF-16, so that one fragment ends in a high surrogate and
    the next begins with the low one. A high surrogate at the end is held back until the
    next piece says what it is; a surrogate that finds no other half becomes U+FFFD.

    Attributes:
        buffer: Where pieces go, once there is more than one. While nothing is `held`, a
            piece that can be encoded may be added there directly.
        held: The surrogate that is held back.
    """

    __slots__ = ("_start", "buffer", "held")

    def __init__(self) -> None:
        self._start = ""
        self.buffer: bytearray | None = None
        self.held = ""

    def append(self, piece: str) -> str:
        """Take a piece and return what became readable: usually just the piece."""
        # isascii() reads a flag; only text beyond ASCII can hold a surrogate.
        if self.held or not piece.isascii():
            piece = self._whole(self.held + piece)
        self._write(piece)
        return piece

    def extend(self, pieces: Sequence[str]) -> None:
        """Take pieces in which no surrogate is, while none is held."""
        if self.buffer is None:
            self.buffer = bytearray(self._start.encode())
            self._start = ""
        self.buffer += "".join(pieces).encode()

    def flush(self) -> str:
        """Give up on a held surrogate: return what became readable, perhaps nothing."""
        if not self.held:
            return ""
        self.held = ""
        self._write(REPLACEMENT)
        return REPLACEMENT

    def settle(self, full: str, *, final: bool) -> tuple[str, Verdict | None]:
        """Compare with the whole text that the server now says this is.

        Return what it adds at the end, which is appended, and how it contradicts what
        was held, if it does. A contradicting text is taken only where it is final. Less
        text that is not final is no contradiction: it was true before.
        """
        known = str(self)
        if full.startswith(known):
            rest = full[len(known) :]
            if not final:  # half a character, of which the server does not have the rest yet
                rest = rest.removesuffix(REPLACEMENT)
            if rest or final:
                self.held = ""
            self._write(rest)
            return rest, None
        shrunk = known.startswith(full)
        if shrunk and not final:
            return "", None
        if final:
            self.replace(full)
        return "", "content_shrunk" if shrunk else "content_differs"

    def replace(self, text: str) -> None:
        """Hold this text from now on."""
        self._start = text
        self.buffer = None
        self.held = ""

    def __str__(self) -> str:
        return self._start if self.buffer is None else self.buffer.decode()

    def __bool__(self) -> bool:
        return bool(self._start or self.buffer)

    def _write(self, piece: str) -> None:
        if self.buffer is not None:
            self.buffer += piece.encode()
        elif not self._start:
            self._start = piece
        elif piece:
            self.buffer = bytearray(self._start.encode())
            self.buffer += piece.encode()
            self._start = ""

    def _whole(self, piece: str) -> str:
        self.held = ""
        try:
            piece.encode()
        except UnicodeEncodeError:
            if "\ud800" <= piece[-1] <= "\udbff":
                self.held = piece[-1]
                piece = piece[:-1]
            return scrub(piece)
        return piece


def scrub(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates by U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
