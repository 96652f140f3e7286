"""What tests record: the runs of a recording, told apart, and whether they are worth keeping."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from ..accumulator import Accumulator
from ..errors import StreamkitError, UsageError
from ..recording import Leg, Recording, read, write
from ..snapshots import Outcome

__all__ = ["keep", "runs_of", "taken"]

# The end of the path of a request whose answer goes on with a run.
_SUBMIT: Final = "/submit_tool_outputs"


class _Told(NamedTuple):
    """What a leg says of its run, or of its response, once it has ended."""

    run_id: str | None
    outcome: Outcome
    is_response: bool = False


def runs_of(recording: Recording) -> list[Recording]:
    """Tell the runs of a recording apart, which may hold several, one after another.

    A leg goes on with the run before it if that is what was asked for; where the recording
    does not say what was asked for, if it speaks of the same run, or of none, or if the run
    before it was waiting. Responses that follow one another are one conversation.
    """
    runs: list[list[Leg]] = []
    last = _Told(None, "open")
    for leg in recording.legs:
        told = _told(leg)
        if not runs or _begins(leg, told, last):
            runs.append([])
        runs[-1].append(leg)
        last = told._replace(run_id=told.run_id or last.run_id)
    return [msgspec.structs.replace(recording, legs=legs) for legs in runs]


def taken(folder: Path, *, has_failed: bool) -> Recording:
    """Put the streams together that a test recorded, each in a file of a folder.

    Streams of one run are put beside each other, where several were open at once.

    Args:
        folder: Where the files are.
        has_failed: Whether the test did: then all runs must have come to their ends.

    Raises:
        UsageError: There is none, or they are not worth keeping; the message says why.
    """
    takes = [read(path) for path in sorted(folder.iterdir())]
    legs = [leg for take in takes for leg in take.legs]
    if not legs:
        raise UsageError("no event stream came by")
    for number, leg in enumerate(legs, 1):
        if leg.end is None:
            why = f"broke: {leg.error}" if leg.error else "was neither read to its end nor closed"
            raise UsageError(f"stream {number} of {len(legs)} {why}")
    ends = {told.run_id: told.outcome for told in map(_told, legs)}
    if has_failed and set(ends.values()) != {"complete"}:
        raise UsageError("the test failed before its runs had ended")
    return Recording(legs=_side_by_side(legs), form="timed", created=takes[0].created)


def keep(recording: Recording, path: Path, *, by_way_of: Path) -> None:
    """Write a recording, in one go: what was there before is whole until it is replaced.

    Args:
        recording: What is written.
        path: Where, in a folder that need not be there.
        by_way_of: A folder to write to at first.

    Raises:
        OSError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    made = by_way_of / path.name
    write(recording, made)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(made.read_bytes())
    os.replace(beside, path)  # noqa: PTH105 - which says that it replaces


def _told(leg: Leg) -> _Told:
    accumulator = Accumulator()
    with suppress(StreamkitError):
        for chunk in leg.chunks:
            accumulator.feed_bytes(chunk.data)
        accumulator.end()
    run = accumulator.run
    if run is None:
        return _Told(None, accumulator.outcome)
    return _Told(run.id, accumulator.outcome, run.object == "response")


def _begins(leg: Leg, told: _Told, last: _Told) -> bool:
    if told.is_response and last.is_response:
        return False
    if leg.request is not None:
        return not leg.request.path.rstrip("/").endswith(_SUBMIT)
    return told.run_id not in (None, last.run_id) and last.outcome != "paused"


def _side_by_side(legs: Sequence[Leg]) -> list[Leg]:
    """Put the legs of each run after one another; the runs in the order of their beginnings."""
    runs: dict[str | None, list[Leg]] = {}
    for leg in legs:
        runs.setdefault(_told(leg).run_id, []).append(leg)
    return [leg for each in runs.values() for leg in each]
