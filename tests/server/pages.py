"""Lists, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tests.server.errors import bad
from tests.server.objects import Wire

__all__ = ["page"]

_MOST: Final = 100


def page(items: Sequence[Wire], query: Mapping[str, str]) -> Wire:
    """Give the page that a query asks for, of items that are known in the order they began."""
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise bad(f"Invalid 'order': expected 'asc' or 'desc', got '{order}'.", param="order")
    ordered = sorted(items, key=lambda item: item.get("created_at") or 0)
    found = ordered if order == "asc" else ordered[::-1]
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
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise bad(
            f"Invalid 'limit': expected an integer from 1 to {_MOST}, got '{text}'.", param="limit"
        )
    return int(text)


def _rank(items: Sequence[Wire], id: str, name: str) -> int:
    for rank, item in enumerate(items):
        if item["id"] == id:
            return rank
    raise bad(f"Invalid '{name}': no object with id '{id}' in this list.", param=name)
