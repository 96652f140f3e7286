"""What the payload of an event says, as what it is to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ..errors import DecodeError

__all__ = ["Payload", "a_text", "an_index", "an_int", "an_object", "item_id", "within"]

Payload = Mapping[str, Any]
T = TypeVar("T")


def within(path: str, read: Callable[[], T]) -> T:
    """Read something; an error's path is one from `path` on."""
    try:
        return read()
    except DecodeError as error:
        error.path = path + (error.path or "$")[1:]
        raise


def an_object(value: object, path: str) -> Payload:
    """Return what lies at a path, if that is an object.

    Raises:
        DecodeError: It is not.
    """
    if isinstance(value, dict):
        return value
    raise DecodeError(f"expected an object, got {value!r:.40}", path=path)


def a_text(payload: Payload, name: str) -> str:
    """Return a field, if that is a text.

    Raises:
        DecodeError: It is not.
    """
    value = payload.get(name)
    if isinstance(value, str):
        return value
    raise DecodeError(f"expected a string, got {value!r:.40}", path=f"$.{name}")


def an_int(payload: Payload, name: str) -> int | None:
    """Return a field, or None where that is no integer."""
    value = payload.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int else None


def an_index(payload: Payload, name: str) -> int:
    """Return an index: 0 where the server says none, -1 where it says none that is one."""
    value = 0 if payload.get(name) is None else an_int(payload, name)
    return -1 if value is None else value


def item_id(payload: Payload) -> str:
    """Return the item's id; "" where only the place of the item is said."""
    is_placed = an_int(payload, "output_index") is not None
    return "" if is_placed and not payload.get("item_id") else a_text(payload, "item_id")
