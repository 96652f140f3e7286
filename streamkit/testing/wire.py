"""The inverse of `to_wire` for a whole run."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from .._lifecycle import ENDED
from .._wire import load
from ..errors import DecodeError, UsageError
from ..snapshots import Message, Outcome, Problem, Run, RunSnapshot, RunStep, Snapshot

__all__ = ["snapshot_from_wire"]

S = TypeVar("S", bound=Snapshot)

_OUTCOMES: Final[tuple[Outcome, ...]] = typing.get_args(Outcome)


def snapshot_from_wire(value: object) -> RunSnapshot:
    """Build a snapshot from ``{run, steps, messages, outcome, problems}``.

    That is what `to_wire` gives for one, and what ``streamkit replay --json`` prints.
    What is left out is empty; without an outcome, the status of the run says it. Other
    keys are for others.

    Raises:
        UsageError: The value is no such object; the message says where.
    """
    if not isinstance(value, Mapping) or not value.keys() & set(RunSnapshot.__struct_fields__):
        raise UsageError(
            'this is no run: an object {"run": …, "steps": […], "messages": […]} is needed, '
            "as to_wire gives for a RunSnapshot"
        )
    said = value.get("run")
    run = None if said is None else _loaded(Run, said, "$.run")
    outcome = value.get("outcome")
    if outcome is None:
        outcome = _outcome(run)
    if outcome not in _OUTCOMES:
        known = ", ".join(_OUTCOMES)
        raise UsageError(f"$.outcome: {outcome!r} is no outcome; it is one of {known}")
    try:
        problems = msgspec.convert(value.get("problems") or [], tuple[Problem, ...])
    except msgspec.ValidationError as error:
        raise UsageError(f"$.problems: {error}") from None
    return RunSnapshot(
        run,
        _all_loaded(RunStep, value, "steps"),
        _all_loaded(Message, value, "messages"),
        outcome,
        problems,
    )


def _all_loaded(kind: type[S], value: Mapping[str, Any], name: str) -> tuple[S, ...]:
    said = value.get(name)
    if said is None:
        return ()
    if not isinstance(said, list | tuple):
        raise UsageError(f"$.{name}: expected an array")
    return tuple(_loaded(kind, each, f"$.{name}[{rank}]") for rank, each in enumerate(said))


def _loaded(kind: type[S], value: object, path: str) -> S:
    try:
        return load(kind, value)
    except DecodeError as error:
        inner = (error.path or "$").removeprefix("$")
        raise UsageError(f"{path}{inner}: {error.reason}") from None


def _outcome(run: Run | None) -> Outcome:
    """What a run has come to, by its status alone."""
    if run is None:
        return "open"
    if run.status == "requires_action":
        return "paused"
    return "complete" if run.status in ENDED else "open"
