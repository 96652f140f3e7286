"""Frames that are alike but for a few values, read by these alone.

Neighbouring deltas are the same, byte for byte, but for a text and perhaps a number or two:
``{... "outputs":[{"index":`` 17 ``,"type":"logs","logs":"`` text ``"}]}}]}}}``. A `Template`
is what stays the same, and where the values stand in it, its holes. A frame that fits means
the same with other values (`learning` proves that), so that only these need decoding, and
those of many frames at once.

Why other bytes cannot pass for a frame that fits. A block (it holds no blank line) must begin
with the template's beginning and end with its end; what stands between, nothing where these
overlap, is split at the constants between the holes, each of which must stand there once.
What is left must be one token in each hole. To find that out, the pieces of all blocks in
the same hole are decoded together, as an array in which they are joined by a comma and a
line feed. No piece holds a line feed, as is counted. The decoder takes none inside a string,
so that each joint stands outside of strings, between two elements: each piece holds one or
more. There must be as many elements as pieces: each holds one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import Struct

from .._series import Series

__all__ = ["Cut", "Template"]


class Cut(Struct, frozen=True):
    """Where the holes of a frame may be.

    Attributes:
        constants: What stands before, between and after them.
        kinds: What they hold: `str` or `int`.
        parts: What stands around all tokens of the frame's data, if these were looked at.
        places: Which of them the holes are.
    """

    constants: list[bytes]
    kinds: list[type]
    parts: list[bytes] = []
    places: frozenset[int] = frozenset()


class Template:
    """What frames have in common, and where they differ.

    Args:
        cut: Where the holes are.
        slots: Which value of a series each is: that of its numbers, its text, or none.
        like: What one of the frames says.

    Attributes:
        start: How they all begin.
        served: How many frames have fitted.
    """

    __slots__ = (
        "_between",
        "_close",
        "_decoders",
        "_end",
        "_pair",
        "_size",
        "_slots",
        "cut",
        "like",
        "served",
        "start",
    )

    def __init__(self, cut: Cut, slots: Sequence[int | None], like: Series) -> None:
        self.cut: Cut = cut
        self.like: Series = like
        self.served: int = 0
        start, *self._between, end = cut.constants
        self.start: bytes = start
        self._end = end
        self._size = len(self.start)
        self._close = self._end + b"\n\n"
        self._decoders = [_DECODERS[kind] for kind in cut.kinds]
        self._slots = tuple(slots)
        self._pair: tuple[bytes, tuple[Any, ...], tuple[Any, ...], bool] | None = None
        if len(slots) == 2 and None not in slots:
            slot = min(slot for slot in slots if slot is not None)  # the text's is the last
            before, after = like.numbers[:slot], like.numbers[slot + 1 :]
            self._pair = self._between[0], before, after, cut.kinds[1] is int

    def fits(self, block: bytes) -> bool:
        """Whether a block may fit, by how it begins and ends."""
        return block.startswith(self.start) and block.endswith(self._end)

    def read(self, blocks: Sequence[bytes], position: int) -> tuple[Series | None, int]:
        """Read the blocks that may fit, from `position` to the first that cannot.

        Where they fit, they count as served.

        Returns:
            What they say, None where they do not fit after all; and how many they are.
        """
        start, size = self.start, self._size
        end, back = self._end, -len(self._end)
        found = []
        for block in islice(blocks, position, None):
            if not block.startswith(start) or not block.endswith(end):
                break
            found.append(block[size:back])
        return (self._read(found) if found else None), len(found)

    def read_all(self, data: bytes) -> tuple[Series | None, bytes]:
        """Read blocks, and the blank lines after them, if all fit; return what is left, too."""
        pieces = data.split(self._close)
        tail = pieces.pop()
        start, size = self.start, self._size
        found = [piece[size:] for piece in pieces if piece.startswith(start)]
        is_whole = b"\n\n" not in tail and not tail.startswith(b"\n")
        if not found or len(found) < len(pieces) or not is_whole:
            return None, b""
        del pieces  # they are as long as the data
        return self._read(found), tail

    def read_one(self, chunk: bytes) -> Series | None:
        """Read a chunk that begins as all do, if it is one frame which fits, and a blank line.

        Where a number varies beside the text, this is hardly faster than decoding all; where
        more does, it would be slower.
        """
        size, close = self._size, self._close
        if not chunk.endswith(close):
            return None
        token = chunk[size : -len(close)]
        if _LF in token or _CR in token:
            return None
        like = self.like
        numbers = like.numbers
        try:
            if self._between:
                if self._pair is None:
                    return None
                constant, before, after, number_is_last = self._pair
                number, _, token = token.partition(constant)
                if number_is_last:
                    number, token = token, number
                numbers = (*before, _decode_number(number), *after)
            texts = [_decode_text(token)]
        except ValueError:
            return None
        self.served += 1
        return Series(like.kind, like.id, numbers, texts)

    def _read(self, rest: Sequence[bytes]) -> Series | None:
        like, values = self.like, []
        try:
            for constant, decode in zip(self._between, self._decoders, strict=False):
                tokens, rest = zip(*[each.split(constant) for each in rest], strict=True)
                values.append(_column(tokens, decode))
            values.append(_column(rest, self._decoders[-1]))
        except ValueError:
            return None
        numbers: list[Any] = [*like.numbers, None]
        for slot, value in zip(self._slots, values, strict=True):
            if slot is not None:
                numbers[slot] = value
        texts = numbers.pop()
        self.served += len(texts)
        return Series(like.kind, like.id, tuple(numbers), texts)


def _column(tokens: Sequence[bytes], decode: Callable[[bytes], list[Any]]) -> list[Any]:
    """Decode what stands in the same hole of many frames.

    Raises:
        ValueError: It is not one value in each, or not in one line.
    """
    data = b",\n".join(tokens)
    values = decode(b"[" + data + b"]")
    if len(values) != len(tokens) or data.count(_LF) >= len(tokens):
        raise ValueError
    return values


_LF, _CR = b"\n\r"
_decode_number: Final = msgspec.json.Decoder(int).decode
_decode_text: Final = msgspec.json.Decoder(str).decode
_DECODERS: Final[Mapping[type, Callable[[bytes], list[Any]]]] = {
    str: msgspec.json.Decoder(list[str]).decode,
    int: msgspec.json.Decoder(list[int]).decode,
}
