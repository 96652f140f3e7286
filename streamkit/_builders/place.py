"""Where an item of a delta belongs, whether or not its index says so."""

from __future__ import annotations

from typing import Any, Protocol

from .owner import Owner
from .row import Row

__all__ = ["Indexed", "place"]


class Indexed(Protocol):
    """An item of a delta."""

    @property
    def index(self) -> int | None: ...

    @property
    def type(self) -> str | None: ...

    @property
    def extra(self) -> dict[str, Any] | None: ...


def place(
    item: Indexed,
    row: Row[Any],
    owner: Owner,
    *,
    alone: bool,
) -> int:
    """Return the index an item belongs to: its own, where it has one.

    Without one, the only item of a delta goes on with what was opened last, if that is
    of its type; any other opens something new, which is reported, since it is a guess.

    Raises:
        LimitError: The index lies too far past the end of what is known.
    """
    index = item.index
    if index is not None and index >= 0:
        owner.check_gap(index, row.end)
        return index
    said = index if index is not None else (item.extra or {}).get("index")
    if said is not None:
        owner.report("index_invalid", said=repr(said))
    elif not alone:
        owner.report("index_missing")
    latest = row.latest
    if alone and latest is not None and item.type in (None, latest.type):
        return int(latest.index)
    return row.end
