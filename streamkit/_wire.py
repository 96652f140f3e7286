"""Between the wire's JSON and the structs: `load` and `to_wire`, inverse to each other.

Both are driven by the structs' own annotations. On loading, a field that the struct does
not know, or cannot show, goes to ``extra``; on writing, it comes back from there. A value
that does not fit is an error only where content would be lost with it.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal, TypeVar, overload

import msgspec
from msgspec import NODEFAULT, Struct, UnsetType

from .deltas import WIDER
from .errors import DecodeError
from .snapshots import Snapshot

__all__ = ["load", "to_wire"]

S = TypeVar("S", bound=Struct)


@overload
def load(kind: type[S], value: object) -> S: ...


@overload
def load(kind: types.UnionType, value: object) -> Any: ...


def load(kind: type[Struct] | types.UnionType, value: object) -> Any:
    """Build a struct, or one of a union of structs, from decoded JSON.

    Raises:
        DecodeError: The value does not fit where content would be lost; its ``path``
            says where. The event, the offset and the excerpt are for the caller to add.
    """
    try:
        return _load_struct(_members(kind), value)
    except _Misfit as misfit:
        path = "".join(
            f"[{step}]" if isinstance(step, int) else f".{step}" for step in reversed(misfit.steps)
        )
        raise DecodeError(misfit.reason, path=f"${path}") from None


class _Misfit(Exception):  # noqa: N818 - never leaves this module
    """A value does not fit; `steps` lead to it, the last first."""

    def __init__(self, expected: str, value: object) -> None:
        self.reason = f"expected {expected}, got {_named(value)}"
        self.steps: list[str | int] = []


class _Rule(Struct, frozen=True):
    """How a field is loaded."""

    convert: Callable[[Any], Any]
    empty: object  # the value that is no different from absent
    is_content: bool  # a value that does not fit is an error
    null: bool  # null is a value of its own


class _Plan(Struct, frozen=True):
    """How a class is loaded."""

    kind: type[Struct]
    tag: str | None  # the ``type`` it stands for
    rules: Mapping[str, _Rule]
    required: tuple[str, ...]
    keeps_empties: bool  # note in ``extra`` which nulls and empties were sent


def _load_struct(kinds: tuple[type[Struct], ...], value: object) -> Struct:
    if not isinstance(value, dict):
        raise _Misfit("an object", value)
    plan = _choose(kinds, value)
    fields: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, item in value.items():
        rule = plan.rules.get(name)
        if rule is None:
            if name != "type" or plan.tag is None:
                extra[name] = item
        elif plan.keeps_empties and (item is None or item == rule.empty):
            extra[name] = item
        elif item is None:
            if rule.null:
                fields[name] = None
        else:
            try:
                fields[name] = rule.convert(item)
            except _Misfit as misfit:
                if rule.is_content:
                    misfit.steps.append(name)
                    raise
                extra[name] = item
    for name in plan.required:
        if name not in fields:
            missing = _Misfit("a value", value.get(name, ...))
            missing.steps.append(name)
            raise missing
    if extra:
        fields["extra"] = extra
    return plan.kind(**fields)


def _choose(kinds: tuple[type[Struct], ...], value: Mapping[str, object]) -> _Plan:
    """Choose by ``type``; without one, by the payload; else what takes any kind."""
    plans = _plans(kinds)
    if len(kinds) == 1:
        return plans[None]
    said = value.get("type")
    if said is None:
        said = next((tag for tag in plans if tag in value), None)
    return plans.get(said if isinstance(said, str) else None) or plans[None]


@cache
def _plans(kinds: tuple[type[Struct], ...]) -> Mapping[str | None, _Plan]:
    plans = {(plan := _plan(kind)).tag: plan for kind in kinds}
    return plans if len(kinds) > 1 else dict.fromkeys([None], *plans.values())


@cache
def _plan(kind: type[Struct]) -> _Plan:
    tag = kind.__struct_config__.tag
    rules: dict[str, _Rule] = {}
    required = []
    is_content = getattr(kind, "is_content", True)
    for spec in msgspec.structs.fields(kind):
        hint = spec.type
        if typing.get_origin(hint) is Literal:
            (tag,) = typing.get_args(hint)
        elif spec.name == "index":
            rules["index"] = _Rule(_to_index, None, False, False)
        elif spec.name != "extra":
            rule = _rule(hint, is_content=is_content)
            if spec.default is NODEFAULT:
                required.append(spec.name)
                null = type(None) in typing.get_args(hint)
                rule = msgspec.structs.replace(rule, empty=..., null=null)
            rules[spec.name] = rule
    return _Plan(
        kind,
        tag if isinstance(tag, str) else None,
        rules,
        tuple(required),
        issubclass(kind, Snapshot),
    )


def _rule(hint: Any, *, is_content: bool) -> _Rule:
    whole = _members(hint)
    kinds = tuple(kind for kind in whole if kind not in (type(None), UnsetType))
    first = kinds[0]
    null = UnsetType in whole
    if isinstance(first, type) and issubclass(first, Struct):
        kinds = WIDER.get(typing.Union[kinds], kinds)  # noqa: UP007 - a key made of a tuple
        content = is_content and getattr(first, "is_content", True)
        return _Rule(lambda value: _load_struct(kinds, value), None, content, null)
    if typing.get_origin(first) is tuple:
        item = typing.get_args(first)[0]
        kinds = WIDER.get(item, _members(item))
        return _Rule(lambda value: _load_items(kinds, value), [], is_content, null)
    if first is str:
        return _Rule(_to_text, "" if type(None) not in whole else None, is_content, null)
    return _Rule(_LENIENT.get(typing.get_origin(first) or first, _as_is), None, False, null)


def _members(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if _is_union(hint) else (hint,)


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _load_items(kinds: tuple[type[Struct], ...], value: object) -> tuple[Struct, ...]:
    if isinstance(value, dict):  # Alibaba Model Studio sends one item without its list
        value = [value]
    if not isinstance(value, list):
        raise _Misfit("an array", value)
    items = []
    for position, item in enumerate(value):
        try:
            items.append(_load_struct(kinds, item))
        except _Misfit as misfit:
            misfit.steps.append(position)
            raise
    return tuple(items)


def _to_text(value: object) -> str:
    if not isinstance(value, str):
        raise _Misfit("a string", value)
    return value


def _to_index(value: object) -> int:
    """Take an index as servers write it; one that is none stays in ``extra``."""
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 19:
        return int(value)
    return _to_int(value)


def _to_int(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Misfit("an integer", value)
    return value


def _to_float(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _Misfit("a number", value)
    return value


def _to(kind: type, expected: str) -> Callable[[object], object]:
    def check(value: object) -> object:
        if not isinstance(value, kind):
            raise _Misfit(expected, value)
        return value

    return check


def _as_is(value: object) -> object:
    return value


_LENIENT: Final[Mapping[Any, Callable[[Any], Any]]] = {
    int: _to_int,
    float: _to_float,
    bool: _to(bool, "a boolean"),
    dict: _to(dict, "an object"),
    list: _to(list, "an array"),
}


def _named(value: object) -> str:
    if value is ...:
        return "nothing"
    if value is None:
        return "null"
    names = {bool: "a boolean", str: "a string", list: "an array", dict: "an object"}
    return names.get(type(value), "a number")


def to_wire(value: object) -> Any:
    """Give back a snapshot, or a sequence of them, as builtins in the API's JSON shape.

    Unknown fields are included, a null that was sent is kept, what was not sent is left
    out, so that any SDK's model loads the result. A `RunSnapshot` gives
    ``{run, steps, messages, outcome, problems}``. The result shares nothing with the
    snapshot: it may be changed.
    """
    if isinstance(value, Snapshot):
        return _snapshot_to_wire(value)
    if isinstance(value, Struct):
        return {name: to_wire(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {key: to_wire(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [to_wire(item) for item in value]
    return value


def _snapshot_to_wire(snapshot: Snapshot) -> dict[str, Any]:
    extra = snapshot.extra or {}
    wire: dict[str, Any] = {}
    for name, default in _written(type(snapshot)):
        item = getattr(snapshot, name)
        if name == "type" or item != default:
            if item is not None:
                wire[name] = to_wire(item)
        elif name in extra:
            wire[name] = to_wire(extra[name])
    for name, item in extra.items():
        if name not in wire:
            wire[name] = to_wire(item)
    return wire


@cache
def _written(kind: type[Snapshot]) -> tuple[tuple[str, object], ...]:
    return tuple(
        (spec.name, spec.default) for spec in msgspec.structs.fields(kind) if spec.name != "extra"
    )
