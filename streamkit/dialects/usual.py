"""The frames that come once a fragment, told by their first bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ..events import Event
from . import assistants, responses

__all__ = ["HEAD", "USUAL", "of_response"]

# Nearly every frame is `event: NAME`, LF, `data: {...}`, and nothing else, of one of a few
# names. Of runs, these are two: so the first bytes of a block, as many as the longer
# beginning has, tell which one it is (the shorter one goes on with its brace), and its only
# line feed tells that nothing else is in it. A name is looked up to the place of that line
# feed, the place where the data begins, and its decoder.
_Usual = tuple[int, int, Callable[[bytes], Event]]
_HEADS: Final = {
    f"event: {name}\ndata: ".encode(): decoder for name, decoder in assistants.PLAIN.items()
}
HEAD: Final = max(map(len, _HEADS))
USUAL: Final[Mapping[bytes, _Usual]] = {
    (head + b"{")[:HEAD]: (head.index(b"\n"), len(head), decoder)
    for head, decoder in _HEADS.items()
}

# Of responses there are more names, which differ in length: each is cut out to be found.
_LINES: Final = {f"event: {name}".encode(): read for name, read in responses.PLAIN.items()}


def of_response(block: bytes) -> _Usual | None:
    """Return the same as the table does, for a fragment of the Responses API."""
    end = block.find(b"\n")
    decoder = _LINES.get(block[:end])
    if decoder is None or not block.startswith(b"data: ", end + 1):
        return None
    return end, end + 7, decoder
