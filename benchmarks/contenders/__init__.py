"""Who takes part: a module each, which runs in a process of its own.

A contender has a `NAME`, says which workloads it `FOLDS` to the end and where it makes
`MISTAKES`, and has `fold`, which is timed, `told`, which says what came out, and the
`VERSIONS` of what it stands on. The limit folds nothing. openai-node is a program of its
own, whose module here only speaks for it.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["CONTENDERS", "LIMIT", "OURS", "AbsentError", "Contender", "invite"]

LIMIT: Final = "limit"
OURS: Final = "changes"

# In the order in which they are shown.
CONTENDERS: Final[Sequence[str]] = (
    LIMIT,
    OURS,
    "callbacks",
    "snapshots",
    "by_hand",
    "openai_python",
    "openai_python_responses",
    "openai_node",
)

_NODE: Final = Path(__file__).parent / "node"


class AbsentError(Exception):
    """What a contender needs is not there."""


class Contender(NamedTuple):
    """One who takes part.

    Attributes:
        key: Of its module.
        name: As it is shown.
        folds: The workloads that it folds rightly.
        mistakes: The others that it takes, and what comes out wrong.
        command: What starts its worker.
    """

    key: str
    name: str
    folds: frozenset[str]
    mistakes: Mapping[str, str]
    command: Sequence[str]

    def takes(self, workload: str) -> bool:
        """Whether it is measured with a workload."""
        return self.key == LIMIT or workload in self.folds or workload in self.mistakes


def invite(key: str) -> Contender:
    """Return a contender that can start.

    Raises:
        AbsentError: It cannot, for want of what the message names.
    """
    name = f"{__name__}.{key}"
    try:
        module = import_module(name)
    except ImportError as error:
        raise AbsentError(str(error)) from None
    command = (
        _node() if key == "openai_node" else (sys.executable, "-m", "benchmarks.worker", name)
    )
    return Contender(key, module.NAME, module.FOLDS, module.MISTAKES, command)


def _node() -> Sequence[str]:
    node = shutil.which("node")
    if node is None:
        raise AbsentError("node is not there")
    if not (_NODE / "node_modules").is_dir():
        raise AbsentError(
            "its package is not there: run npm install in benchmarks/contenders/node"
        )
    return (node, str(_NODE / "worker.mjs"))
