"""streamkit's `follow` with a callback for each kind of fragment."""

from __future__ import annotations

from collections import deque
from typing import Final

from streamkit import Change, RunSnapshot, follow, on

from .changes import FOLDS, MISTAKES, VERSIONS, told

__all__ = ["FOLDS", "MISTAKES", "NAME", "VERSIONS", "fold", "told"]

NAME: Final = "streamkit, callbacks"


def fold(chunks: list[bytes]) -> RunSnapshot:
    """Hear every fragment, and keep the last."""
    heard: deque[Change] = deque(maxlen=1)
    hear = heard.append
    with follow(chunks, on(code=hear, log=hear, arguments=hear, text=hear)) as following:
        for _ in following:
            pass
    return following.snapshot()
