"""Faults as text, for a command line: ``cut:frames=9,how=abort``, and back."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeVar, Union
from urllib.parse import quote, quote_from_bytes, unquote, unquote_to_bytes

from msgspec import Struct

from ...errors import UsageError

__all__ = ["formatted", "parsed"]

S = TypeVar("S", bound=Struct)

_NONE: Final = "none"
_SHARED: Final = ("leg", "seed")

# A text stands as it is, but for what would end it.
_SAFE: Final = " !\"#$&'()*/:;<=>?@[\\]^`{|}~+"


def parsed(kinds: Mapping[str, type[S]], text: str) -> S:
    """Read a name and the fields that follow it: ``name:field=value,field=value``.

    A value without its field is that of the first field. Several numbers are joined by
    ``+``, an object is JSON, nothing is ``none``, and in texts and objects ``%2C`` is a
    comma and ``%25`` a percent sign.

    Raises:
        UsageError: A name, a field or a value is not known; it says which are.
    """
    name, _, rest = text.partition(":")
    kind = kinds.get(name.strip())
    if kind is None:
        raise UsageError(f"there is no {name.strip()!r}; there are {', '.join(kinds)}")
    fields = _fields(kind)
    given: dict[str, Any] = {}
    for item in rest.split(",") if rest.strip() else ():
        field, equals, value = item.partition("=")
        field = field.strip()
        if not equals and fields and not given:
            field, value = next(iter(fields)), item
        if field not in fields:
            known = f"it has {', '.join(fields)}" if fields else "it has none"
            raise UsageError(f"{name} has no field {field!r}; {known}")
        if field in given:
            raise UsageError(f"{name}: {field} is given twice")
        try:
            given[field] = _read(fields[field], value)
        except ValueError as error:
            raise UsageError(f"{name}: {field}={value}: {error}") from None
    return kind(**given)


def formatted(name: str, value: Struct) -> str:
    """Write what `parsed` reads: the fields that are not what they would be anyway."""
    plain = type(value)()
    items = [
        f"{field}={_written(getattr(value, field))}"
        for field in _fields(type(value))
        if getattr(value, field) != getattr(plain, field)
    ]
    return ":".join(filter(None, (name, ",".join(items))))


def _fields(kind: type[Struct]) -> dict[str, Any]:
    """Return the fields and what they may hold; those that all kinds share are the last."""
    hints = typing.get_type_hints(kind)
    names = sorted(kind.__struct_fields__, key=lambda name: name in _SHARED)
    return {name: hints[name] for name in names}


def _read(hint: Any, text: str) -> Any:
    """Read a value; of what a field may hold, the first that a text can be.

    Raises:
        ValueError: It is none of them.
    """
    is_union = typing.get_origin(hint) in (types.UnionType, Union)
    kinds = [typing.get_origin(kind) or kind for kind in typing.get_args(hint)]
    held = kinds if is_union else [typing.get_origin(hint) or hint]
    if type(None) in held and text.strip() == _NONE:
        return None
    return next(read for kind, read in _READERS.items() if kind in held)(text)


def _object(text: str) -> Any:
    return json.loads(unquote(text))


def _content(text: str) -> Any:
    return _object(text) if text.startswith("{") else unquote_to_bytes(text)


def _truth(text: str) -> bool:
    if text.strip() not in ("true", "false"):
        raise ValueError("true or false is needed")
    return text.strip() == "true"


# In this order, since a body may be bytes or an object.
_READERS: Final[Mapping[Any, Callable[[str], Any]]] = {
    bytes: _content,
    Mapping: _object,
    str: lambda text: unquote(text, errors="surrogatepass"),
    Literal: str.strip,
    bool: _truth,
    int: int,
    float: float,
    tuple: lambda text: tuple(map(int, text.split("+"))),
}


def _written(value: Any) -> str:
    match value:
        case None:
            return _NONE
        case bool():
            return str(value).lower()
        case str():
            text = quote(value, safe=_SAFE, errors="surrogatepass")
            return text if text.strip() != _NONE else text.replace("n", "%6E", 1)
        case bytes():
            return quote_from_bytes(value, safe=_SAFE.replace("{", ""))
        case Mapping():
            return quote(json.dumps(value), safe=_SAFE)
        case tuple():
            return "+".join(map(str, value))
        case _:
            return str(value)
