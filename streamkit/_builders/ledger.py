"""Where the builders write what happened: changes, and problems."""

from __future__ import annotations

from typing import Final

import msgspec

from ..changes import Change, ProblemFound
from ..errors import LimitError, SequenceError
from ..limits import Limits
from ..snapshots import Problem, ProblemKind

__all__ = ["Ledger"]

# A contradiction at each of a thousand places says all there is to say about a server.
MAX_PROBLEMS: Final = 1000

# Enough of two texts to see how they differ.
_SHOWN: Final = 80

_Slot = tuple[ProblemKind, str | None, int | None, int | None, str | None]


class Ledger:
    """Collects the changes of the event at hand, and the problems of the whole run."""

    __slots__ = ("_problems", "_reported", "changes", "held", "limits", "strict")

    def __init__(self, *, strict: bool, limits: Limits) -> None:
        self.strict = strict
        self.limits = limits
        self.changes: list[Change] = []
        self.held = False  # whether some text holds back half a character
        self._problems: dict[_Slot, Problem] = {}
        self._reported: tuple[Problem, ...] | None = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem so far, in the order they were first met."""
        if self._reported is None:
            self._reported = tuple(self._problems.values())
        return self._reported

    def grew(self, mark: int) -> bool:
        """Whether more than problems was told since there were `mark` changes."""
        return any(type(change) is not ProblemFound for change in self.changes[mark:])

    def take(self) -> list[Change]:
        """Hand out the changes since the last call."""
        changes = self.changes
        self.changes = []
        return changes

    def problem(
        self,
        kind: ProblemKind,
        *,
        known: str | None = None,
        said: str | None = None,
        step_id: str | None = None,
        call_index: int | None = None,
        output_index: int | None = None,
        message_id: str | None = None,
    ) -> None:
        """Report a contradiction: the first at its place is told, others are counted.

        Raises:
            SequenceError: The accumulator is strict.
        """
        slot = (kind, step_id, call_index, output_index, message_id)
        before = self._problems.get(slot)
        if before is None:
            if len(self._problems) >= MAX_PROBLEMS:
                return
            known, said = _shortened(known, said)
            problem = Problem(
                kind=kind,
                step_id=step_id,
                call_index=call_index,
                output_index=output_index,
                message_id=message_id,
                known=known,
                said=said,
            )
            if self.strict:
                raise _contradiction(problem)
            self.changes.append(ProblemFound(problem))
        else:
            problem = msgspec.structs.replace(before, count=before.count + 1)
        self._problems[slot] = problem
        self._reported = None

    def check_gap(self, index: int, end: int, **where: str | int) -> None:
        """Refuse an index too far past the end of what is known.

        Raises:
            LimitError: It lies more than `Limits.index_gap` past it.
        """
        if index > end + self.limits.index_gap:
            place = ", ".join(f"{name} {value}" for name, value in where.items())
            raise LimitError(
                f"an index of {index:,} at {place} is more than "
                f"{self.limits.index_gap:,} past the {end:,} known (Limits.index_gap)"
            )


def _contradiction(problem: Problem) -> SequenceError:
    where = {
        "step": problem.step_id,
        "call": problem.call_index,
        "output": problem.output_index,
        "message": problem.message_id,
    }
    place = ", ".join(f"{name} {value}" for name, value in where.items() if value is not None)
    text = f"{problem.kind.replace('_', ' ')} at {place or 'the run'}"
    if problem.known is not None or problem.said is not None:
        text += f": known {problem.known!r}, said {problem.said!r}"
    error = SequenceError(text)
    error.problem = problem
    return error


def _shortened(known: str | None, said: str | None) -> tuple[str | None, str | None]:
    """Cut long texts to where they begin to differ."""
    if max(len(known or ""), len(said or "")) <= _SHOWN:
        return known, said
    pairs = enumerate(zip(known or "", said or "", strict=False))
    alike = min(len(known or ""), len(said or ""))
    first = next((place for place, (a, b) in pairs if a != b), alike)
    start = max(0, first - _SHOWN // 4)
    return _window(known, start), _window(said, start)


def _window(text: str | None, start: int) -> str | None:
    if text is None:
        return None
    shown = text[start : start + _SHOWN]
    before = "…" if start else ""
    after = "…" if start + _SHOWN < len(text) else ""
    return f"{before}{shown}{after}"
