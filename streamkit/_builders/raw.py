"""Merging the fields of objects that this library does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

__all__ = ["copied", "kept", "merge", "restated", "was_sent", "without_index"]


def merge(target: dict[str, Any], update: Mapping[str, Any]) -> bool:
    """Set fields: never add or concatenate. Return whether that changed anything.

    A null is no change, though it is noted where nothing was known.
    """
    changed = False
    for name, value in update.items():
        known = target.get(name)
        if value is None:
            target.setdefault(name, None)
        elif isinstance(value, dict) and isinstance(known, dict):
            changed |= merge(known, value)
        elif known != value:
            target[name] = copied(value)
            changed = True
    return changed


def copied(value: Any) -> Any:
    """Copy containers all the way down, so that neither side sees the other change."""
    if isinstance(value, dict):
        return {name: copied(item) for name, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value


def kept(extra: Mapping[str, Any], **shown: object) -> dict[str, Any] | None:
    """Return what `extra` still has to say beside the attributes that are shown."""
    if not extra:
        return None
    return {name: copied(value) for name, value in extra.items() if not shown.get(name)} or None


def restated(
    extra: dict[str, Any], said: Mapping[str, Any] | None, *, final: bool
) -> dict[str, Any]:
    """Return the fields after a full object: what a terminal one says, or both."""
    if final:
        return cast("dict[str, Any]", copied(said or {}))
    if said:
        merge(extra, said)
    return extra


def without_index(extra: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out an ``index`` that is none: it is an address, not a part of the object."""
    return {name: value for name, value in extra.items() if name != "index"}


def was_sent(snapshot: Any, name: str, empty: object) -> bool:
    """Whether the server sent this empty field, rather than leave it out."""
    return snapshot.extra is not None and snapshot.extra.get(name, ...) == empty
