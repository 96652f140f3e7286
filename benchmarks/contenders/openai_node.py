"""The `AssistantStream` and `ResponseStream` of openai-node, which `node/worker.mjs` runs.

A call has at most 65,536 outputs there: it raises at the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["FOLDS", "MISTAKES", "NAME"]

NAME: Final = "openai-node"
FOLDS: Final = frozenset(
    {"tokens", "frames", "logs", "parallel", "big", "mixed", "hostile", "responses"}
)
MISTAKES: Final[Mapping[str, str]] = {}
