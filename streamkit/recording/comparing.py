"""Comparing two runs, or parts of them: where they differ, from the first place on."""

from __future__ import annotations

import enum
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from msgspec import Struct

from .._wire import to_wire

__all__ = ["ABSENT", "Comparable", "Difference", "Shown", "compare", "differences"]


class _Absent(enum.Enum):
    ABSENT = "nothing"

    def __repr__(self) -> str:
        return self.name


# Stands for a value that is not there; null is one that is.
ABSENT: Final = _Absent.ABSENT

# A snapshot of anything, or its JSON as `to_wire` gives it, or a sequence of them.
Comparable: TypeAlias = Struct | Mapping[str, Any] | Sequence[Any]

Key: TypeAlias = str | int

# A run is told from the whole to its parts.
_ORDER: Final = ("run", "steps", "messages")

_BEFORE: Final = 16  # how many characters of a long text are shown before the difference,
_SHOWN: Final = 56  # and how many in all


class Shown(NamedTuple):
    """A difference for a person to read: each part is short, and one line.

    Attributes:
        path: Where it is.
        left: The value there in the first run, from `start` on where it is text.
        right: The value in the second, likewise.
        start: How many characters are left out, because both begin with them.
    """

    path: str
    left: str
    right: str
    start: int


class Difference(Struct, frozen=True):
    """A place where two runs differ.

    Attributes:
        path: Where, as ``$.steps[1].step_details.tool_calls[0].id``.
        left: The value there in the first run, or `ABSENT`.
        right: The value in the second.
    """

    path: str
    left: Any | Literal[_Absent.ABSENT]
    right: Any | Literal[_Absent.ABSENT]

    @property
    def shown(self) -> Shown:
        """What a person reads of it: values are shortened around where they first differ."""
        if isinstance(self.left, str) and isinstance(self.right, str):
            left, right, show = self.left, self.right, _quoted
        else:
            left, right, show = _json(self.left), _json(self.right), _as_is
        start = max(0, _first_difference(left, right) - _BEFORE)
        if max(len(left), len(right)) <= _SHOWN:
            start = 0
        one, other = (_printable(_excerpt(each, start, show)) for each in (left, right))
        return Shown(_printable(self.path), one, other, start)

    def __str__(self) -> str:
        path, left, right, start = self.shown
        where = f" (from character {start:,})" if start else ""
        return f"{path}: {left} != {right}{where}"


def compare(left: Comparable, right: Comparable) -> Difference | None:
    """Return the first difference between two runs, or None where they are equal.

    Args:
        left: A snapshot (of a run, a step, a message, ...), a sequence of them, or their
            JSON as `to_wire` gives it.
        right: The other, any of these ways.
    """
    return next(differences(left, right), None)


def differences(left: Comparable, right: Comparable) -> Iterator[Difference]:
    """Yield what differs between two runs: in the run, each step, each message, the rest.

    Items are compared by their places. The order of keys does not matter, and 1 equals 1.0.
    What is compared is what `compare` takes.
    """
    return _differences(to_wire(left), to_wire(right), ())


def _differences(left: Any, right: Any, path: tuple[Key, ...]) -> Iterator[Difference]:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        first = _ORDER if not path else ()
        for key in dict.fromkeys((*first, *left, *right)):
            yield from _differences(left.get(key, ABSENT), right.get(key, ABSENT), (*path, key))
    elif isinstance(left, list) and isinstance(right, list):
        pairs = itertools.zip_longest(left, right, fillvalue=ABSENT)
        for position, (one, other) in enumerate(pairs):
            yield from _differences(one, other, (*path, position))
    elif not _is_same(left, right):
        yield Difference(_written(path), left, right)


def _is_same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right) or (left != left and right != right)  # noqa: PLR0124 - NaN


def _written(path: Iterable[Key]) -> str:
    return "$" + "".join(map(_step, path))


def _step(key: Key) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if re.fullmatch(r"[A-Za-z_][\w-]*", key) else f"[{_json(key)}]"


def _first_difference(left: str, right: str) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    ends = min(len(left), len(right))
    return next((position for position, (one, other) in pairs if one != other), ends)


def _excerpt(text: str, start: int, show: Callable[[str], str]) -> str:
    end = start + _SHOWN
    before, after = "…" * (start > 0), "…" * (end < len(text))
    return f"{before}{show(text[start:end])}{after}"


def _as_is(text: str) -> str:
    return text


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _json(value: Any) -> str:
    return value.value if value is ABSENT else json.dumps(value, ensure_ascii=False, default=repr)


def _printable(text: str) -> str:
    """Keep it one line, and harmless to a terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
