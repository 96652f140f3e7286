"""Templates, learnt from the frames that come by.

Where the holes of a frame may be is guessed: where those of another step were, at its text,
or where it differs from the frame before it. Why a guess that is taken is right: each hole
is the value of a member of an object, a string or an integer, and the frame with marks in
all its holes was decoded. It said what the frame itself says, which is no mark, but with
each mark either at one place of a `Series`, or nowhere. What the decoder makes of the bytes
around a value does not depend on it, so that this holds for all values of the same kind: a
mark where the value counts (a name, a tag, an id) would have been refused, or found elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Final

import msgspec

from .._series import Series, series_of
from ..events import Event
from .templates import Cut, Template

__all__ = ["Templates"]

_MOST: Final = 3  # holes
_LONGEST: Final = 4096  # bytes of a frame that is learnt from

# What is learnt is paid from what was saved: a frame that fitted earns so much, one that did
# not 1, and each way to find the holes costs as much as it takes, in such frames.
_SAVED: Final = 64
_BEGINNING: Final = 64 * _SAVED

# What frames hardly say themselves; from one that does, nothing is learnt.
_MARKS: Final[Mapping[type, Sequence[Any]]] = {
    str: ["7070700", "7070701", "7070702"],
    int: [7070700, 7070701, 7070702],
}

Decode = Callable[[bytes], Event]


class Templates:
    """The template that the next frame may fit, learnt from those before it.

    Learning takes no longer than what was learnt has saved, and a little.

    Args:
        most: How many holes a template may have.

    Attributes:
        template: The last that served, or was learnt.
    """

    __slots__ = ("_before", "_credit", "_kinds", "_most", "template")

    def __init__(self, most: int = _MOST) -> None:
        self.template: Template | None = None
        self._kinds: dict[str, Template] = {}  # the last of each kind of text
        self._most = most
        self._before = b""  # the last frame that fitted nothing
        self._credit = _BEGINNING

    def see(self, block: bytes, start: int, event: Event, decode: Decode) -> None:
        """Learn from a frame that fitted nothing: its data is from `start`, and means `event`."""
        if len(block) > _LONGEST:
            return
        before, self._before = self._before, block
        template = self.template
        if template is not None:
            self._credit += _SAVED * template.served
            template.served = 0
        self._credit += 1
        if self._credit <= 0:
            return
        self._credit -= _SAVED
        said = series_of(event)
        if said is None:
            return
        known = self._kinds.get(said.kind)
        if known is not None and known.fits(block):
            self.template = known
            return
        for cost, cut in _cuts(known, before, block, start, said):
            self._credit -= cost * _SAVED
            if cut is not None and len(cut.kinds) <= self._most:
                template = _proven(cut, start, said, decode)
                if template is not None:
                    self.template = self._kinds[said.kind] = template
                    return


def _cuts(
    known: Template | None, before: bytes, block: bytes, start: int, said: Series
) -> Iterator[tuple[int, Cut | None]]:
    """Yield where the holes may be, from the least trouble to the most, and how much it is."""
    if known is not None and known.like.id != said.id:
        yield 6, _renamed(known, block, said)
    if known is None or known.like.id != said.id:
        yield 8, _around_text(block, start, said)
    yield 30, _between_two(before, block, start, said, known.cut if known is not None else None)


def _renamed(known: Template, block: bytes, said: Series) -> Cut | None:
    """Cut as in a template, which is the same for another step, message or item."""
    before, after = msgspec.json.encode(known.like.id), msgspec.json.encode(said.id)
    constants = [each.replace(before, after) for each in known.cut.constants]
    if not block.startswith(constants[0]) or not block.endswith(constants[-1]):
        return None
    return msgspec.structs.replace(known.cut, constants=constants)


def _around_text(block: bytes, start: int, said: Series) -> Cut | None:
    """Cut at the text, which is the last of the values."""
    token = msgspec.json.encode(said.texts[0])
    place = block.rfind(token)
    after = place + len(token)
    if place <= start or not _is_value(block[start:place], block[after:]):
        return None
    return Cut([block[:place], block[after:]], [str])


def _between_two(
    before: bytes, block: bytes, start: int, said: Series, known: Cut | None
) -> Cut | None:
    """Cut where two frames differ, and where they were known to, and at the text."""
    parts, tokens = _parts(block[start:])
    parts_before, tokens_before = _parts(before[start:])
    if parts != parts_before or before[:start] != block[:start]:
        return None
    pairs = enumerate(zip(tokens, tokens_before, strict=True))
    places = {place for place, (token, other) in pairs if token != other}
    try:
        places |= _places_of(said.texts[0], tokens)
    except ValueError:  # what means nothing here need not be UTF-8
        return None
    if known is not None and known.parts == parts and len(places | known.places) <= _MOST:
        places |= known.places
    if len(places) > _MOST or not all(_is_value(*parts[place : place + 2]) for place in places):
        return None
    edges = pairwise([-1, *sorted(places), len(tokens)])
    constants = [_woven(parts[i + 1 : j + 1], tokens[i + 1 : j]) for i, j in edges]
    constants[0] = block[:start] + constants[0]
    kinds: list[type] = [
        str if tokens[place].startswith(b'"') else int for place in sorted(places)
    ]
    return Cut(constants, kinds, parts, frozenset(places))


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


def _is_value(before: bytes, after: bytes) -> bool:
    """Whether what stands between is the value of a member of an object, and not its name."""
    return before.rstrip().endswith(b":") and after[:1] in (b",", b"}")


def _woven(constants: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
    """Put tokens between constants, of which there is one more."""
    parts = [constants[0]]
    for token, constant in zip(tokens, constants[1:], strict=True):
        parts += (token, constant)
    return b"".join(parts)


def _proven(cut: Cut, start: int, said: Series, decode: Decode) -> Template | None:
    """Make a template, if what the frame says with marks in its holes proves that it is one."""
    marks = [_MARKS[kind][place] for place, kind in enumerate(cut.kinds)]
    marked = _woven(cut.constants, [msgspec.json.encode(mark) for mark in marks])
    try:
        told = series_of(decode(marked[start:]))
    except (ValueError, RecursionError):
        return None
    if told is None or (told.kind, told.id) != (said.kind, said.id):
        return None
    values: list[Any] = [*told.numbers, *told.texts]
    slots = [values.index(mark) if mark in values else None for mark in marks]
    known = [*said.numbers, *said.texts]
    is_same = all(slot in slots or value == known[slot] for slot, value in enumerate(values))
    if not is_same or len(said.numbers) not in slots or any(mark in known for mark in marks):
        return None
    return Template(cut, slots, said)
