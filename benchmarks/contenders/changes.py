"""streamkit's `Accumulator`, fed a chunk at a time; its changes are dropped as they come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamkit
from benchmarks.workloads import WORKLOADS
from streamkit import Accumulator, RunSnapshot, to_wire
from streamkit.convert import to_response_items

__all__ = ["FOLDS", "MISTAKES", "NAME", "VERSIONS", "fold", "told"]

NAME: Final = "streamkit, changes"
FOLDS: Final = frozenset(WORKLOADS)
MISTAKES: Final[Mapping[str, str]] = {}
VERSIONS: Final[Mapping[str, str]] = {"streamkit": streamkit.__version__}


def fold(chunks: list[bytes]) -> RunSnapshot:
    """From bytes to changes, and the final snapshot."""
    accumulator = Accumulator()
    for chunk in chunks:
        accumulator.feed_bytes(chunk)
    return accumulator.finish()


def told(folded: RunSnapshot) -> dict[str, Any]:
    """Return the steps and the messages, or the items of a response."""
    if to_wire(folded.run)["object"] != "response":
        return {"steps": to_wire(folded.steps), "messages": to_wire(folded.messages)}
    items = to_response_items(folded)
    return {
        "steps": [item for item in items if item["type"] != "message"],
        "messages": [item for item in items if item["type"] == "message"],
    }
