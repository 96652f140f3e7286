"""What is served, and what was asked: values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...recording import Recording
from ..faults import Fault, Operation
from .objects import Wire

__all__ = ["Asked", "Place", "Served"]


class Place(NamedTuple):
    """Where a source is played: a run of this thread, or of this assistant, plays it."""

    thread_id: str
    assistant_id: str


class Asked(NamedTuple):
    """A request that was answered.

    Attributes:
        operation: Which of the API's; None where there is none such.
        method: In capitals.
        path: Without the query.
        query: Names and values, in order.
        headers: By their names in lower case.
        json: The body; None where it is no JSON.
    """

    operation: Operation | None
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    json: Any


@dataclass(frozen=True)
class Served:
    """A recording that is served, and how.

    Attributes:
        recording: What is played.
        faults: What befalls it.
        files: The content of files, by their ids.
        speed: How many times faster than it was recorded; infinity is without waiting.
        max_gap: The longest wait to keep, in seconds of the recording.
        busy_polls: When nobody listens, so many looks at the run find it under way: the
            first as it was then, each further one a bit later; the next one finds the end.
        older_runs: Runs that were on its thread before, as the API's JSON.
        gzip: Whether streams are compressed, and flushed with each chunk.
        content_type: That of streams.
    """

    recording: Recording
    faults: Sequence[Fault] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    speed: float = float("inf")
    max_gap: float | None = None
    busy_polls: int = 0
    older_runs: Sequence[Wire] = ()
    gzip: bool = False
    content_type: str = "text/event-stream; charset=utf-8"
