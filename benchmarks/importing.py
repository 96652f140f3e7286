"""How long imports take."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

__all__ = ["imports"]

_ROOT: Final = Path(__file__).parents[1]


def imports(modules: Iterable[str], rounds: int) -> dict[str, float]:
    """Return the least seconds that importing each takes, in interpreters of their own.

    What it takes to start an interpreter, and end it, is taken off. All modules are compiled
    before, whatever the environment says of bytecode.
    """
    statements = {"": "pass"} | {module: f"import {module}" for module in modules}
    least = dict.fromkeys(statements, float("inf"))
    with TemporaryDirectory() as bytecode:
        for statement in statements.values():
            _run(statement, bytecode)
        for _ in range(rounds):
            for module, statement in statements.items():
                least[module] = min(least[module], _run(statement, bytecode))
    bare = least.pop("")
    return {module: seconds - bare for module, seconds in least.items()}


def _run(statement: str, bytecode: str) -> float:
    environment = os.environ | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], cwd=_ROOT, env=environment, check=True)
    return time.perf_counter() - start
