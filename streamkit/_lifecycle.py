"""Legal moves of runs, steps and messages.

A status may always repeat, and one that is not listed here is new to this library, so
nothing is known against it. Runs and steps do not constrain one another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["ENDED", "MESSAGE_MOVES", "RUN_MOVES", "STEP_MOVES", "ends", "is_legal"]

Moves = Mapping[str, frozenset[str]]

ENDED: Final = frozenset({"cancelled", "completed", "expired", "failed", "incomplete"})

_END: Final[dict[str, frozenset[str]]] = dict.fromkeys(ENDED, frozenset())

RUN_MOVES: Final[Moves] = _END | {
    "queued": ENDED | {"in_progress", "cancelling"},
    "in_progress": ENDED | {"requires_action", "cancelling"},
    "requires_action": ENDED | {"queued", "cancelling"},
    "cancelling": ENDED,
}
STEP_MOVES: Final[Moves] = _END | {"in_progress": ENDED}
MESSAGE_MOVES: Final[Moves] = _END | {"in_progress": ENDED}


def is_legal(moves: Moves, known: str | None, said: str | None) -> bool:
    """Whether one status may follow another."""
    if known == said or known is None or said is None:
        return True
    return known not in moves or said not in moves or said in moves[known]


def ends(name: str, status: str | None) -> bool:
    """Whether a full object is terminal: by its event's name, or by its status.

    The two need not agree: Azure has sent ``thread.message.completed`` with a message
    still in_progress, and some servers create a step that is already completed.
    """
    return status in ENDED or name.rpartition(".")[2] in ENDED
