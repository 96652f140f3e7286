"""What the server says, and where it fails: values, written down before a test begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

__all__ = ["Answer", "Answers", "Fault", "Operation", "Place", "Script"]

Operation = Literal[
    "create",
    "create_thread_and_run",
    "submit",
    "retrieve",
    "list",
    "modify",
    "cancel",
    "steps",
    "step",
    "messages",
    "file",
]


class Fault(NamedTuple):
    """Where the stream of a leg stops too early, and how.

    It stops after whole `frames` or after `bytes` of the body as it is sent, whichever comes
    first; without both, after the whole body.
    """

    leg: int = 0
    frames: int | None = None
    bytes: int | None = None
    # end: the body ends there, as if it were complete. abort: the connection is closed in the
    # middle of the body. stall: nothing more comes until the client leaves, or cancels the run
    # (which has ended unheard, if the script has no `busy_polls`).
    how: Literal["end", "abort", "stall"] = "abort"


@dataclass(frozen=True)
class Answer:
    """A plain HTTP answer instead of what would come."""

    status: int = 500
    body: bytes | Mapping[str, Any] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    abort: bool = False  # close the connection, without an answer
    effect: bool = False  # the request does its work all the same; only its answer is lost


Answers = Mapping[Operation, Sequence[Answer]]


@dataclass(frozen=True)
class Script:
    """A run: one recorded body a leg, and how they are delivered."""

    legs: Sequence[bytes]
    chunk: Literal["frame", "whole"] | int = "frame"  # how a body is cut to HTTP chunks
    faults: Sequence[Fault] = ()
    # When nobody listens, so many GETs of the run find it under way: the first as it was then,
    # each further one a bit later, the next one at the end of the leg.
    busy_polls: int = 0
    # What the first calls of an operation get, in turn.
    answers: Answers = field(default_factory=dict)
    gzip: bool = False  # streams are compressed, and flushed with each chunk
    content_type: str = "text/event-stream; charset=utf-8"
    linger: bool = False  # after the last frame, stay until the client leaves
    files: Mapping[str, bytes] = field(default_factory=dict)
    keepalives: bool = False  # a comment before each frame
    delay: float = 0  # seconds between chunks, for people who watch

    def fault(self, leg: int) -> Fault | None:
        """Find what befalls a leg."""
        return next((fault for fault in self.faults if fault.leg == leg), None)


class Place(NamedTuple):
    """Where a script is played: a run of this thread, or of this assistant, plays it."""

    thread_id: str
    assistant_id: str
