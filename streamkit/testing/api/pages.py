"""Lists, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from .errors import bad
from .objects import Wire

__all__ = ["page"]

_MOST: Final = 100
_LIMITS: Final = {str(limit): limit for limit in range(1, _MOST + 1)}


def page(items: Sequence[Wire], query: Mapping[str, str]) -> Wire:
    """Give the page that a query asks for.

    Args:
        items: All there are, in the order in which they began.
        query: By its names.
    """
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise bad(f"Invalid 'order': expected 'asc' or 'desc', got '{order}'.", param="order")
    found = items if order == "asc" else items[::-1]
    limit = _limit(query.get("limit", "20"))
    if "after" in query:
        found = found[_rank(found, query["after"], "after") + 1 :]
    if "before" in query:
        found = found[: _rank(found, query["before"], "before")]
    # The page before an item is the one that ends with its neighbour.
    shown = found[-limit:] if "before" in query and "after" not in query else found[:limit]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": len(shown) < len(found),
    }


def _limit(text: str) -> int:
    if text not in _LIMITS:
        raise bad(
            f"Invalid 'limit': expected an integer from 1 to {_MOST}, got '{text}'.", param="limit"
        )
    return _LIMITS[text]


def _rank(items: Sequence[Wire], id: str, name: str) -> int:
    for rank, item in enumerate(items):
        if item["id"] == id:
            return rank
    raise bad(f"Invalid '{name}': no object with id '{id}' in this list.", param=name)
