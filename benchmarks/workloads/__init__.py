"""Streams to measure with, made from a seed, each with what it must fold to.

A test folds each of them, so that something fast and wrong cannot win.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from .calls import big, frames, hostile, logs, parallel, tokens
from .mixed import mixed
from .responses import responses
from .streams import CHUNK, Workload, in_chunks

__all__ = ["CHUNK", "WORKLOADS", "Workload", "in_chunks"]

WORKLOADS: Final[Mapping[str, Callable[[int], Workload]]] = {
    "tokens": tokens,
    "frames": frames,
    "logs": logs,
    "parallel": parallel,
    "big": big,
    "mixed": mixed,
    "hostile": hostile,
    "responses": responses,
}
