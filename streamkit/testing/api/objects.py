"""What the objects of a run are at a point of its stream, as the API's JSON."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from ..._wire import to_wire
from ...accumulator import Accumulator
from ...errors import PeerError, UsageError
from ...snapshots import Outcome
from .bodies import Read

__all__ = ["Objects", "Wire", "fold"]

Wire: TypeAlias = dict[str, Any]

# What a whole object says even where no fragment did.
_PRESENT: Final[Mapping[str, Wire]] = {
    "function": {"name": "", "arguments": "", "output": None},
    "code_interpreter": {"input": "", "outputs": []},
    "text": {"value": "", "annotations": []},
}


class Objects(NamedTuple):
    """A run, its steps and messages in the order in which they began, and the outcome."""

    run: Wire
    steps: list[Wire]
    messages: list[Wire]
    outcome: Outcome


def fold(legs: Iterable[Iterable[Read]]) -> Objects:
    """Say what the objects are after these events of each leg."""
    accumulator = Accumulator()
    try:
        for leg in legs:
            for event in leg:
                accumulator.feed(event)
            accumulator.end(cut=True)
            if accumulator.outcome == "complete":
                break
    except (PeerError, UsageError):
        pass  # what came before it stands
    snapshot = accumulator.snapshot()
    run = {} if snapshot.run is None else to_wire(snapshot.run)
    steps, messages = (_whole(to_wire(each)) for each in (snapshot.steps, snapshot.messages))
    return Objects(run, steps, messages, snapshot.outcome)


def _whole(value: Any) -> Any:
    """Add what whole objects say, to what was told in fragments only."""
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _whole(copy.deepcopy(_PRESENT[name]) | item)
        if name in _PRESENT and isinstance(item, dict)
        else _whole(item)
        for name, item in value.items()
    }
