"""The processes that contenders run in, as those see them who ask them."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from threading import Timer
from typing import Any, Final, Self

import msgspec

from .contenders import Contender

__all__ = ["FailedError", "Member"]

_ROOT: Final = Path(__file__).parents[1]

# A process that says nothing for so long hangs: no round that is planned takes a tenth of it.
PATIENCE: Final = 120.0


class FailedError(Exception):
    """A contender failed, or folded something wrong."""


class Member:
    """A contender whose process is started with this object, and ended with its block."""

    def __init__(self, contender: Contender) -> None:
        self.contender = contender
        with ExitStack() as stack:
            self._errors = stack.enter_context(tempfile.TemporaryFile())
            self._process = subprocess.Popen(
                contender.command,
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
            )
            stack.callback(self._end)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def load(self, path: Path, sizes: int | list[int]) -> None:
        """Have a body read from a file, and cut."""
        self._ask({"do": "load", "path": str(path), "sizes": sizes})

    def fold(self) -> float:
        """Have it folded, and return how many seconds that took."""
        return float(self._ask({"do": "fold"})["seconds"])

    def told(self) -> dict[str, Any]:
        """Return what came out of the last fold."""
        told: dict[str, Any] = self._ask({"do": "told"})["told"]
        return told

    def memory(self) -> int:
        """Have it folded, and return how many bytes that needed at most."""
        return int(self._ask({"do": "memory"})["peak"])

    def versions(self) -> dict[str, str]:
        """Return what the contender stands on."""
        versions: dict[str, str] = self._ask({"do": "versions"})["versions"]
        return versions

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask for something.

        Raises:
            FailedError: The process is not there any more, hangs, or answers an error.
        """
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both are pipes")
        watch = Timer(PATIENCE, process.kill)
        watch.start()
        try:
            process.stdin.write(msgspec.json.encode(request) + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = b""
        finally:
            watch.cancel()
        said: dict[str, Any] = msgspec.json.decode(answer or b'{"error": "it ended"}')
        if "error" in said:
            self._errors.seek(0)
            whole = self._errors.read().decode(errors="replace")
            raise FailedError(f"{self.contender.name}: {said['error']}\n{whole}".rstrip())
        return said

    def _end(self) -> None:
        # It ends when nobody can ask any more.
        self._process.communicate()
