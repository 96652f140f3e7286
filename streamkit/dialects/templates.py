"""Frames that are alike but for a few values, read by these alone.

Neighbouring deltas are the same, byte for byte, but for a text and perhaps a number or two:
``{... "outputs":[{"index":`` 17 ``,"type":"logs","logs":"`` text ``"}]}}]}}}``. A `Template`
is what stays the same, and where the values stand in it, its holes. A frame that fits it
means what the frame means that it was learnt from, with other values; so that only these
need decoding, those of many frames at once.

Why the holes are where they seem to be. A hole is learnt from two frames, each decoded with
care, whose JSON tokens differ there. It is the value of a member of an object, a string or
an integer, and the frame with marks in all holes is decoded: it must say what the others
say, with each mark either at one place of a `Series`, or nowhere. What a decoder makes of
the bytes before and after a token does not depend on the token's value, so this holds for
all values of the same kind: a mark where the value counts (a key, a tag, an id) would have
been refused, or found elsewhere.

Why other bytes cannot pass for a frame that fits. A block (it holds no blank line) must begin
with the template's beginning and end with its end, without overlap; what stands between is
split at the constants between the holes, each of which must stand there once. What is left
must be one token in each hole. To find that out, the pieces of all blocks in the same hole
are decoded together, as an array in which they are joined by a comma and a line feed. No
piece holds a line feed, as is counted. The decoder takes none inside a string, so that each
joint stands outside of strings, between two elements: each piece holds one or more. There
must be as many elements as pieces: each holds one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import islice, pairwise, zip_longest
from typing import Any, Final

import msgspec

from .._series import Series, series_of
from ..events import Event

__all__ = ["Template", "Templates"]

_LONGEST: Final = 4096  # bytes of a frame that is learnt from

# A lesson costs as much as decoding this many frames saves.
_WORTH: Final = 16
_PATIENCE: Final = 1024

_MARK: Final = 7_070_700  # and the number of the hole: what frames hardly have in other places

Decode = Callable[[bytes], Event]


class Template:
    """What frames have in common, and where they differ.

    Args:
        constants: What stands before, between and after the holes.
        kinds: What the holes hold: `str` or `int`.
        slots: Which value of a series each is: that of its numbers, its text, or none.
        like: What one of the frames says.

    Attributes:
        start: How they all begin.
        end: How they all end.
        served: How many frames have fitted.
    """

    __slots__ = (
        "_between",
        "_close",
        "_decoders",
        "_like",
        "_pair",
        "_size",
        "_slots",
        "end",
        "served",
        "start",
    )

    def __init__(
        self,
        constants: Sequence[bytes],
        kinds: Sequence[type],
        slots: Sequence[int | None],
        like: Series,
    ) -> None:
        self.start, *self._between, self.end = constants
        self._size = len(self.start)
        self._close = self.end + b"\n\n"
        self._decoders = [_DECODERS[kind] for kind in kinds]
        self._slots = tuple(slots)
        self._like = like
        self.served = 0
        self._pair: tuple[bytes, tuple[Any, ...], tuple[Any, ...], bool] | None = None
        if set(kinds) == {int, str} and None not in slots:
            slot = min(slot for slot in slots if slot is not None)  # the text's is the last
            before, after = like.numbers[:slot], like.numbers[slot + 1 :]
            self._pair = self._between[0], before, after, kinds[1] is int

    def read(self, blocks: Sequence[bytes], position: int) -> tuple[Series | None, int]:
        """Read the blocks that may fit, from `position` to the first that cannot.

        Where they fit, they count as served.

        Returns:
            What they say, None where they do not fit after all; and how many they are.
        """
        start, size = self.start, self._size
        end, back = self.end, -len(self.end)
        found = []
        for block in islice(blocks, position, None):
            if not block.startswith(start) or not block.endswith(end, size):
                break
            found.append(block[size:back])
        return (self._read(found) if found else None), len(found)

    def read_all(self, data: bytes) -> tuple[Series | None, bytes]:
        """Read blocks, and the blank lines after them, if all fit; return what is left, too."""
        *pieces, tail = data.split(self._close)
        size = self._size
        found = [piece[size:] for piece in pieces]
        fitting = (self._close + self.start).join(found)
        is_whole = b"\n\n" not in tail and tail[:1] != b"\n"
        if not found or not is_whole or self.start + fitting + self._close + tail != data:
            return None, b""
        return self._read(found), tail

    def read_one(self, chunk: bytes) -> Series | None:
        """Read a chunk that begins as all do, if it is one frame which fits, and a blank line.

        Where a number varies beside the text, this is hardly faster than decoding all; where
        more does, it would be slower.
        """
        size, close = self._size, self._close
        if not chunk.endswith(close, size):
            return None
        token = chunk[size : -len(close)]
        if _LF in token or _CR in token:
            return None
        like = self._like
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
        like, values = self._like, []
        try:
            for constant, decode in zip(self._between, self._decoders, strict=False):
                tokens, rest = zip(*[each.split(constant) for each in rest], strict=True)
                values.append(_column(tokens, decode))
            values.append(_column(rest, self._decoders[-1]))
        except (ValueError, RecursionError):
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


class Templates:
    """The template that the next frame may fit, learnt from those before it.

    A lesson that does not pay makes the next one wait, twice as long each time.

    Args:
        most: How many holes a template may have.

    Attributes:
        template: The last that was learnt.
    """

    __slots__ = ("_before", "_decode", "_due", "_most", "_pause", "_shape", "_waiting", "template")

    def __init__(self, most: int = 3) -> None:
        self.template: Template | None = None
        self._most = most
        self._before = b""  # the last frame that fitted nothing
        self._decode: Decode | None = None
        self._shape: tuple[list[bytes], set[int]] = [], set()  # of the template
        self._due = 0  # how many frames the template must have served for the lesson to pay
        self._pause = 0
        self._waiting = 1  # for the next lesson; 0, while it is not known whether the last pays

    def see(self, block: bytes, start: int, decode: Decode) -> None:
        """Learn from a frame that fitted nothing; its data is from `start`, for `decode`."""
        if self._waiting > 1:
            self._waiting -= 1
            return
        before, self._before = self._before, block
        same, self._decode = decode is self._decode, decode
        if not self._waiting and (self.template is None or self.template.served < self._due):
            self._waiting = self._pause = min(2 * self._pause + 1, _PATIENCE)
        elif same and max(len(before), len(block)) <= _LONGEST:
            self._pause = self._pause if self._waiting else 0
            self._waiting = 0
            if before[:start] == block[:start]:
                self._learn(before[start:], block[start:], block[:start], decode)
            self._due = _WORTH + (self.template.served if self.template is not None else 0)

    def _learn(self, before: bytes, data: bytes, head: bytes, decode: Decode) -> None:
        """Learn from two frames of which one is data, after the head that both have."""
        constants, tokens = _parts(data)
        constants_before, tokens_before = _parts(before)
        said = series_of(decode(data)) if constants == constants_before else None
        if said is None:
            return
        pairs = enumerate(zip(tokens, tokens_before, strict=True))
        holes = {place for place, (token, other) in pairs if token != other}
        holes |= _places_of(said.texts[0], tokens)
        if self._shape[0] == constants and len(holes | self._shape[1]) <= self._most:
            holes |= self._shape[1]
        if len(holes) > self._most:
            return
        proven = _proven(constants, tokens, sorted(holes), said, decode)
        if proven is not None:
            (start, *rest), kinds, slots = proven
            self.template = Template([head + start, *rest], kinds, slots, said)
            self._shape = constants, holes


@cache
def _token() -> re.Pattern[bytes]:
    """Return what finds strings and integers in JSON that is known to be some."""
    return re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9]+')


def _parts(data: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the tokens that may vary, and what stands before, between and after them."""
    return _token().split(data), _token().findall(data)


def _places_of(text: str, tokens: Sequence[bytes]) -> set[int]:
    """Return the last place at which a text stands."""
    for place in reversed(range(len(tokens))):
        if tokens[place].startswith(b'"') and msgspec.json.decode(tokens[place]) == text:
            return {place}
    return set()


def _proven(
    constants: Sequence[bytes],
    tokens: Sequence[bytes],
    holes: Sequence[int],
    said: Series,
    decode: Decode,
) -> tuple[list[bytes], list[type], list[int | None]] | None:
    """Return what makes a template, if what the marked data says proves that it may be one."""
    if not all(_is_value(constants, place) for place in holes):
        return None
    kinds: list[type] = [str if tokens[place].startswith(b'"') else int for place in holes]
    marks = [
        f"{_MARK}{place}" if kind is str else _MARK + place
        for place, kind in zip(holes, kinds, strict=True)
    ]
    marked = list(tokens)
    for place, mark in zip(holes, marks, strict=True):
        marked[place] = msgspec.json.encode(mark)
    try:
        told = series_of(decode(_woven(constants, marked)))
    except (ValueError, RecursionError):
        return None
    if told is None or (told.kind, told.id) != (said.kind, said.id):
        return None
    values: list[Any] = [*told.numbers, *told.texts]
    slots = [values.index(mark) if mark in values else None for mark in marks]
    known = [*said.numbers, *said.texts]
    is_same = all(slot in slots or value == known[slot] for slot, value in enumerate(values))
    if not is_same or len(said.numbers) not in slots:
        return None
    edges = pairwise([-1, *holes, len(tokens)])
    around = [_woven(constants[i + 1 : j + 1], tokens[i + 1 : j]) for i, j in edges]
    return around, kinds, slots


def _is_value(constants: Sequence[bytes], place: int) -> bool:
    """Whether a token is the value of a member of an object, and not its name."""
    before, after = constants[place], constants[place + 1]
    return before.rstrip().endswith(b":") and after[:1] in (b",", b"}")


def _woven(constants: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
    """Put tokens between constants, of which there is one more."""
    return b"".join(
        part for pair in zip_longest(constants, tokens, fillvalue=b"") for part in pair
    )
