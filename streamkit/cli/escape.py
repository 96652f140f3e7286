r"""What came from a stream is data: nothing in it may steer the terminal.

Control characters, and those that change the direction of the text around them, are
shown as Python would write them: ``\x1b``, ``\u202e``.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["LINE", "Escaper", "escape", "escape_json", "escape_line", "shorten"]

# C0 and C1; ARABIC LETTER MARK, the directional marks, embeddings, overrides and isolates;
# the line and paragraph separators; and lone surrogates, which stand for undecodable bytes
# in file names and would be written as those.
_CONTROLS: Final = r"\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_IN_TEXT: Final = re.compile(rf"\r\n|[\x00-\x08\x0b-\x1f{_CONTROLS}]")
_IN_LINE: Final = re.compile(rf"[\x00-\x08\x0a-\x1f{_CONTROLS}]")
_IN_JSON: Final = re.compile(rf"[{_CONTROLS}]")
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]")

# What a title or a note may be long: five lines of a terminal. More would hide the rest.
LINE: Final = 400


def escape(text: str) -> str:
    """Make a text safe; its line feeds and tabs stay, CR LF becomes a line feed."""
    return _IN_TEXT.sub(_visible, text)


def escape_line(text: str) -> str:
    """Make a text safe and one line, so that it cannot pass for a line of ours."""
    return _IN_LINE.sub(_visible, text)


def shorten(text: str, length: int) -> str:
    """Make a text safe, one line, and about as long as there is room for."""
    return escape_line(text if len(text) <= length else f"{text[: length - 1]}…")


def escape_json(text: str, encoding: str | None) -> str:
    r"""Make JSON safe, and fit for an encoding, by ``\uXXXX`` in its strings."""
    text = _IN_JSON.sub(_json_escape, text)
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return _BEYOND_ASCII.sub(_json_escape, text)
    return text


class Escaper:
    """Makes safe a text that comes in fragments, as `escape` would make it whole."""

    def __init__(self) -> None:
        self._held = ""  # a CR, until it is known whether a line feed follows

    def feed(self, piece: str) -> str:
        """Take a fragment, never empty, and return what can be shown."""
        text = self._held + piece
        self._held = "\r" if text.endswith("\r") else ""
        return escape(text.removesuffix(self._held))

    def finish(self) -> str:
        """Return what was held back; the text ends here."""
        held, self._held = self._held, ""
        return escape(held)


def _visible(found: re.Match[str]) -> str:
    character = found[0]
    if character == "\r\n":
        return "\n"
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _json_escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
