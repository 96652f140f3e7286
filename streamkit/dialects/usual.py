"""The frames that come once a fragment, told by their first bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ..events import Event
from . import assistants, responses
from .learning import Templates

__all__ = ["read_usual"]

# Nearly every frame is `event: NAME`, LF, `data: {...}`, and nothing else, of one of a few
# names. Of runs, these are two: so the first bytes of a block, as many as the longer
# beginning has, tell which one it is (the shorter one goes on with its brace), and its only
# line feed tells that nothing else is in it. A name is looked up to the place of that line
# feed, the place where the data begins, and its decoder.
_Usual = tuple[int, int, Callable[[bytes], Event]]
_HEADS: Final = {
    f"event: {name}\ndata: ".encode(): decoder for name, decoder in assistants.PLAIN.items()
}
_HEAD: Final = max(map(len, _HEADS))
_USUAL: Final[Mapping[bytes, _Usual]] = {
    (head + b"{")[:_HEAD]: (head.index(b"\n"), len(head), decoder)
    for head, decoder in _HEADS.items()
}

# Of responses there are more names, which differ in length: each is cut out to be found.
_LINES: Final = {f"event: {name}".encode(): read for name, read in responses.PLAIN.items()}


def _of_response(block: bytes) -> _Usual | None:
    end = block.find(b"\n")
    decoder = _LINES.get(block[:end])
    if decoder is None or not block.startswith(b"data: ", end + 1):
        return None
    return end, end + 7, decoder


def read_usual(block: bytes, templates: Templates | None) -> Event | None:
    """Return what a block means whose lines end in LF, if it is a fragment as nearly all are.

    The templates learn from it.
    """
    usual = _USUAL.get(block[:_HEAD]) or _of_response(block)
    if usual is None:
        return None
    line_feed, start, decode = usual
    if block.rfind(b"\n") != line_feed:
        return None
    try:
        event = decode(block[start:])
    except (ValueError, RecursionError):  # it takes more care
        return None
    if templates is not None:
        templates.see(block, start, event, decode)
    return event
