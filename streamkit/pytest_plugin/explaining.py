"""What a failed comparison of snapshots says: where they first differ, not all of their JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final

from ..recording import Difference, differences
from ..snapshots import Problem, RunSnapshot
from ..snapshots.base import Snapshot

__all__ = ["explain"]

# As many as fit on a screen or two; who wants to see more has two files to compare.
_MOST: Final = 50

_SNAPSHOTS: Final = (Snapshot, RunSnapshot, Problem)

# What a run has in JSON, whatever else there is; parts of it say what they are.
_OF_A_RUN: Final = frozenset({"run", "steps", "messages", "outcome"})
_PARTS: Final = "thread."


def explain(left: object, right: object, *, at_most: int = 1) -> list[str] | None:
    """Say where two snapshots that are not equal differ, in lines for an assertion.

    Snapshots are runs, steps, messages and their parts, lists and tuples of them, and
    their JSON as `to_wire` gives it.

    Args:
        left: What stands left of ``==``.
        right: What stands right of it.
        at_most: So many differences are shown, and 50 at most; of the rest, the number.

    Returns:
        The lines, or None where this is nothing to be said of here.
    """
    if not _are_ours(left, right):
        return None
    found = differences(left, right)  # type: ignore[arg-type] # they are, as was just seen
    remarks = [*_remarks(left, right)]
    shown = [*islice(found, max(1, min(at_most, _MOST)))]
    if not shown and not remarks:
        return None
    more = sum(1 for _ in found)
    lines = [f"{_named(left)} == {_named(right)}", *remarks]
    if not shown:
        lines.append("Apart from that they are equal.")
    elif len(shown) == 1:
        lines.append("The first difference:" if more else "One difference:")
    lines += chain.from_iterable(map(_told, shown))
    if more:
        hint = ", which -vv shows" if at_most <= len(shown) < _MOST else ""
        lines.append(f"and {_counted(more, 'more difference')}{hint}")
    return lines


def _told(difference: Difference) -> Iterator[str]:
    path, left, right, start = difference.shown
    yield f"{path} (from character {start:,})" if start else path
    yield f"  left:  {left}"
    yield f"  right: {right}"


def _are_ours(left: object, right: object) -> bool:
    """Whether both are, or one is and the other might be taken for such."""
    kinds = {_kind(left), _kind(right)}
    return None not in kinds and kinds != {"empty"}


def _kind(value: object) -> str | None:
    if isinstance(value, _SNAPSHOTS):
        return "snapshot"
    if isinstance(value, Mapping):
        return "wire" if _is_wire(value) else None
    if isinstance(value, list | tuple):
        kinds = {_kind(item) for item in value} or {"empty"}
        return kinds.pop() if len(kinds) == 1 else None
    return None


def _is_wire(value: Mapping[Any, Any]) -> bool:
    kind = value.get("object")
    is_part = isinstance(kind, str) and kind.startswith(_PARTS)
    return is_part or value.keys() >= _OF_A_RUN


def _remarks(left: object, right: object) -> Iterator[str]:
    """Say what makes them differ whatever they hold."""
    kinds = [_kind(each) for each in (left, right)]
    if sorted(map(str, kinds)) == ["snapshot", "wire"]:
        side = "left" if kinds[0] == "snapshot" else "right"
        yield f"A snapshot is not equal to its JSON: compare to_wire({side})."
    elif type(left) is not type(right):
        one, other = (type(each).__name__ for each in (left, right))
        yield f"A {one} is not equal to a {other}."


def _named(value: Any) -> str:
    if not isinstance(value, Sequence):
        return type(value).__name__
    kinds = {type(item).__name__ for item in value}
    of = kinds.pop() if len(kinds) == 1 else "part"
    return f"{type(value).__name__} of {_counted(len(value), of)}"


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
