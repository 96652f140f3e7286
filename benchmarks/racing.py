"""Rounds in which contenders fold the same stream, one after another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .contenders import LIMIT, OURS
from .results import Plan, Size, Taken
from .workers import FailedError, Member
from .workloads import WORKLOADS, Workload

__all__ = ["Race", "foreseen", "in_turn", "sizes_of"]


class Race:
    """A workload, and what it takes those who fold it; `run` may be called again.

    Attributes:
        name: Of the workload.
        sizes: The workload as it is folded, by how many events were asked for.
    """

    def __init__(self, plan: Plan, name: str, members: Iterable[Member], folder: Path) -> None:
        self.name = name
        self._plan = plan
        self._folder = folder
        self._members = [member for member in members if member.contender.takes(name)]
        self.sizes: dict[int, Size] = {}
        self._taken: dict[str, dict[int, Taken]] = {
            member.contender.key: {} for member in self._members
        }

    def run(self) -> None:
        """Have it folded at all sizes by all who do not take too long.

        Raises:
            FailedError: One fails, or what it folds is not what it claims.
        """
        plan = self._plan
        _load(WORKLOADS[self.name](plan.sizes[0]), self._members, self._folder)
        self._members = [member for member in self._members if _is_ready(member, self.name)]
        for size in plan.sizes:
            workload = WORKLOADS[self.name](size)
            self.sizes[size] = _size(workload)
            members = [member for member in self._members if self._is_due(member, size)]
            _load(workload, members, self._folder)
            rounds = plan.rounds if size == plan.base else plan.growing
            for member, seconds in zip(
                members, in_turn(members, rounds, plan.budget), strict=True
            ):
                if size <= plan.base:
                    _check(member, workload)
                self._note(member, size, seconds)

    def result(self) -> dict[str, dict[int, Taken]]:
        """Return what it took at best, by contender and how many events were asked for."""
        return {key: dict(sorted(taken.items())) for key, taken in self._taken.items()}

    def _is_due(self, member: Member, size: int) -> bool:
        plan, taken = self._plan, self._taken[member.contender.key]
        if size < plan.base and size in taken:
            return False  # this was to foresee what longer ones take
        longest = plan.longest if size > plan.base else plan.patience
        return foreseen(taken, size) <= longest

    def _note(self, member: Member, size: int, seconds: float) -> None:
        plan, taken = self._plan, self._taken[member.contender.key]
        if size in taken:
            taken[size] = Taken(min(seconds, taken[size].seconds), taken[size].peak)
            return
        ours_at_last = member.contender.key == OURS and size == plan.sizes[-1]
        asked = (size == plan.base or ours_at_last) and seconds <= plan.traced
        taken[size] = Taken(seconds, member.memory() if asked else None)


def foreseen(taken: Mapping[int, Taken], size: int) -> float:
    """Return how many seconds a round will take, if the time goes on to grow as it did."""
    match sorted(known for known in taken if known <= size):
        case []:
            return 0.0
        case [only]:
            power = 1.0
            last = only
        case [first, *_, last]:
            grown = math.log(taken[last].seconds / taken[first].seconds)
            power = max(1.0, grown / math.log(last / first))
    return taken[last].seconds * float((size / last) ** power)


def _is_ready(member: Member, workload: str) -> bool:
    """Have a workload folded for the first time, which sets up what is set up once.

    Whoever admits to make a mistake with it may fail, and is left out.
    """
    try:
        member.fold()
    except FailedError:
        if workload not in member.contender.mistakes:
            raise
        return False
    return True


def _load(workload: Workload, members: Iterable[Member], folder: Path) -> None:
    plain, chunks = folder / "plain", folder / "chunks"
    plain.write_bytes(b"".join(workload.plain))
    chunks.write_bytes(b"".join(workload.chunks))
    for member in members:
        if member.contender.key == LIMIT:
            member.load(plain, sizes_of(workload.plain))
        else:
            member.load(chunks, sizes_of(workload.chunks))


def sizes_of(chunks: Sequence[bytes]) -> int | list[int]:
    """Return the size of all chunks but perhaps the last, or that of each."""
    sizes = [len(chunk) for chunk in chunks]
    return sizes[0] if len(set(sizes[:-1])) <= 1 and sizes[-1] <= sizes[0] else sizes


def in_turn(members: Sequence[Member], rounds: int, budget: float) -> list[float]:
    """Return the least seconds each takes.

    In a round each folds once, one after another, so that what slows the machine down slows
    all of them; whose time is used up has no further round.
    """
    taken: list[list[float]] = [[] for _ in members]
    for _ in range(rounds):
        for member, seconds in zip(members, taken, strict=True):
            if not seconds or sum(seconds) + min(seconds) <= budget:
                seconds.append(member.fold())
    return list(map(min, taken))


def _check(member: Member, workload: Workload) -> None:
    """See that what is fast is right.

    Raises:
        FailedError: It is not.
    """
    contender = member.contender
    if workload.name in contender.folds and member.told() != workload.expected:
        raise FailedError(f"{contender.name}: {workload.name} came out wrong")


def _size(workload: Workload) -> Size:
    return Size(
        events=workload.events,
        text=workload.text,
        parts=workload.parts,
        frame=max(map(len, workload.frames)),
        chunk=max(map(len, workload.chunks)),
    )
