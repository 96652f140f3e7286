"""streamkit's `follow`, and a whole snapshot after every event."""

from __future__ import annotations

from typing import Final

from streamkit import RunSnapshot, follow

from .changes import FOLDS, MISTAKES, VERSIONS, told

__all__ = ["FOLDS", "MISTAKES", "NAME", "VERSIONS", "fold", "told"]

NAME: Final = "streamkit, snapshots"


def fold(chunks: list[bytes]) -> RunSnapshot:
    """Take a snapshot each time something changed, as a UI would."""
    with follow(chunks) as following:
        for _ in following.batches():
            following.snapshot()
    return following.snapshot()
