"""Rows of tables about merging, and what it takes to hold a fold to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from streamkit import Change, Frame, ProblemFound, RunSnapshot, StreamEnded, to_wire
from tests.folding import fold_every_way
from tests.streams import Wire, step, step_created, step_delta
from tests.told import begun

__all__ = ["Fed", "check", "checked", "grow", "row"]

# Items of a delta for step_1, or any other frame; and what is told of it. None is for what
# the promise alone must hold.
Fed = tuple[list[Wire] | Frame, Sequence[Change] | None]


def row(name: str, steps: Sequence[Wire] | None, *fed: Fed, counts: Sequence[int] = ()) -> Any:
    """Build a row: the steps that frames come to, and what each of them changes.

    The problems are those that are told; `counts` says how often each was met, where that
    is not once.
    """
    return pytest.param(steps, fed, counts, id=name)


def grow(name: str, calls: Sequence[Wire], *fed: Fed, counts: Sequence[int] = ()) -> Any:
    """Build a row about the calls of a step that begins without any."""
    return row(name, [step("step_1", *calls)], (step_created(), [begun()]), *fed, counts=counts)


def check(steps: Sequence[Wire] | None, fed: Sequence[Fed], counts: Sequence[int] = ()) -> None:
    """Hold the fold to a row about steps, however the stream is cut."""
    snapshot = checked(fed, counts)
    assert steps is None or to_wire(snapshot.steps) == list(steps)


def checked(fed: Sequence[Fed], counts: Sequence[int]) -> RunSnapshot:
    """Hold the fold to all of a row but what it comes to, and return that."""
    frames = [each if isinstance(each, Frame) else step_delta("step_1", *each) for each, _ in fed]
    folded = fold_every_way(frames)
    for changes, (_, expected) in zip(folded.told, fed, strict=False):
        assert expected is None or changes == list(expected)
    assert folded.told[-1] == [StreamEnded("truncated")]
    found = [change.problem for change in folded.changes if isinstance(change, ProblemFound)]
    counted = zip(found, counts or [1] * len(found), strict=True)
    assert folded.snapshot.problems == tuple(replace(each, count=count) for each, count in counted)
    return folded.snapshot
