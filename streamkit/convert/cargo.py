"""A JSON object that is being carried over: what nobody takes out of it is not lost."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeVar

__all__ = ["Cargo"]

T = TypeVar("T")


class Cargo:
    """A JSON object, field by field, each taken once and only as what it is expected to be.

    Args:
        value: The object.
        path: Where it lies.

    Attributes:
        path: Where it lies.
    """

    def __init__(self, value: Mapping[str, Any], path: str) -> None:
        self.path: str = path
        self._left = dict(value)
        self._opened: list[Cargo] = []
        self._odd: list[tuple[str, Any]] = []

    def take(self, name: str, kind: type[T]) -> T | None:
        """Take a field; None where it is missing, or is of another kind and stays."""
        value = self._left.get(name)
        if kind is float and isinstance(value, int):
            value = _float(value)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            return None
        if isinstance(value, float) and not math.isfinite(value):
            return None
        del self._left[name]
        return value

    def peek(self, name: str) -> Any:
        """Look at a field without taking it; None where it is missing."""
        return self._left.get(name)

    def open(self, name: str) -> Cargo:
        """Take an object, to be taken from in turn; an empty one where there is none."""
        inner = Cargo(self.take(name, dict) or {}, self.at(name))
        self._opened.append(inner)
        return inner

    def each(self, name: str) -> list[Cargo]:
        """Take the objects in a list; what else is in it stays."""
        inner = []
        for rank, value in enumerate(self.take(name, list) or ()):
            path = f"{self.at(name)}[{rank}]"
            if isinstance(value, dict):
                inner.append(Cargo(value, path))
            else:
                self._odd.append((path, value))
        self._opened += inner
        return inner

    def objects(self) -> list[str]:
        """Say which fields are objects."""
        return [name for name, value in self._left.items() if isinstance(value, dict)]

    def all(self) -> dict[str, Any]:
        """Take all that is left."""
        whole, self._left = self._left, {}
        return whole

    def drop(self, names: Collection[str]) -> Iterator[str]:
        """Take these fields, and say which of them said something."""
        for name in names:
            if _says(self._left.pop(name, None)):
                yield name

    def left(self) -> Iterator[tuple[str, Any]]:
        """Say what nobody took, and where it lies."""
        yield from ((self.at(name), value) for name, value in self._left.items() if _says(value))
        yield from self._odd
        for inner in self._opened:
            yield from inner.left()

    def at(self, name: str) -> str:
        """Say where a field lies."""
        return f"{self.path}.{name}"


def _says(value: Any) -> bool:
    """Whether a value tells anything."""
    return value is not None and value not in ("", [], {})


def _float(value: float) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None
