"""A contender in a process of its own: ``python -m benchmarks.worker MODULE``.

It is asked by lines of JSON on standard input, and answers each with one on standard
output; ``do`` says what: ``load`` a body, with the sizes of its chunks or the one size of
all of them; ``fold`` it, and say how long it took; say what was ``told`` by the last fold;
fold for the sake of its ``memory``; name its ``versions``. What fails is answered with an
``error``.
"""

from __future__ import annotations

import gc
import os
import sys
import time
import traceback
import tracemalloc
from collections.abc import Callable, Mapping
from importlib import import_module
from itertools import accumulate, pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgspec

__all__ = ["Worker", "cut"]


def cut(body: bytes, sizes: int | list[int]) -> list[bytes]:
    """Cut a body into chunks."""
    if isinstance(sizes, int):
        return [body[start : start + sizes] for start in range(0, len(body), sizes)]
    return [body[start:end] for start, end in pairwise(accumulate(sizes, initial=0))]


class Worker:
    """Does with a contender what it is asked to."""

    def __init__(self, contender: ModuleType) -> None:
        self._contender = contender
        self._chunks: list[bytes] = []
        self._folded: object = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a request; one that fails is answered, too."""
        try:
            return _WAYS[request["do"]](self, request)
        except Exception as error:  # noqa: BLE001 - whoever asked is to hear of it
            traceback.print_exc()
            return {"error": f"{type(error).__name__}: {error}"}

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        """Read what is to be folded."""
        self._folded = None
        self._chunks = cut(Path(request["path"]).read_bytes(), request["sizes"])
        return {"ok": True}

    def fold(self, _: dict[str, Any]) -> dict[str, Any]:
        """Fold once; what came out before is gone, so that it costs nothing now."""
        fold, chunks = self._contender.fold, self._chunks
        self._folded = None
        gc.collect()
        start = time.perf_counter()
        folded = fold(chunks)
        seconds = time.perf_counter() - start
        self._folded = folded
        return {"seconds": seconds}

    def told(self, _: dict[str, Any]) -> dict[str, Any]:
        """Say what came out."""
        return {"told": self._contender.told(self._folded)}

    def memory(self, _: dict[str, Any]) -> dict[str, Any]:
        """Fold, and say the most memory that was needed beyond what was there before."""
        self._folded = None
        gc.collect()
        tracemalloc.start()
        try:
            self._folded = self._contender.fold(self._chunks)
            return {"peak": tracemalloc.get_traced_memory()[1]}
        finally:
            tracemalloc.stop()

    def versions(self, _: dict[str, Any]) -> dict[str, Any]:
        """Name what the contender stands on."""
        return {"versions": dict(self._contender.VERSIONS)}


_WAYS: Final[Mapping[str, Callable[[Worker, dict[str, Any]], dict[str, Any]]]] = {
    "load": Worker.load,
    "fold": Worker.fold,
    "told": Worker.told,
    "memory": Worker.memory,
    "versions": Worker.versions,
}


def main() -> None:
    """Answer until there is no more question."""
    # What a contender prints goes with its errors, and not among the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    worker = Worker(import_module(sys.argv[1]))
    for line in sys.stdin.buffer:
        answers.write(msgspec.json.encode(worker.answer(msgspec.json.decode(line))) + b"\n")
        answers.flush()


if __name__ == "__main__":
    main()
