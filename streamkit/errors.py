"""What can go wrong, and whose fault it is.

    StreamkitError
    ├── UsageError               the caller broke a rule of this library
    ├── RecordingError           a recording cannot be read, or be written
    └── PeerError                the server broke the protocol, or reported a failure
        ├── DecodeError          a frame's data cannot be given a meaning
        │   └── NestingError     ... because it nests too deeply (also a LimitError)
        ├── SequenceError        an event contradicts those before it (``strict=True``)
        ├── LimitError           a limit that protects this process was crossed
        ├── TruncatedError       the stream stopped before the run came to rest
        ├── ServerError          the server sent an ``error`` event
        ├── ResponseError        the server answered a request with something else
        └── ToolError            the model called a tool in a way that has no answer

Every `PeerError` that comes out of an `Accumulator`, or of anything built on one,
carries what was received before it: `PeerError.snapshot` and `PeerError.changes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .changes import Change
    from .snapshots import ErrorObject, Problem, RunSnapshot

__all__ = [
    "DecodeError",
    "LimitError",
    "NestingError",
    "PeerError",
    "RecordingError",
    "ResponseError",
    "SequenceError",
    "ServerError",
    "StreamkitError",
    "ToolError",
    "TruncatedError",
    "UsageError",
]


class StreamkitError(Exception):
    """Base of everything streamkit raises."""


class UsageError(StreamkitError):
    """The caller broke a rule of this library; the message says what to do instead."""


class RecordingError(StreamkitError):
    """A recording cannot be read, or be written; the message says where and why."""


class PeerError(StreamkitError):
    """The server broke the protocol, or reported a failure.

    Attributes:
        snapshot: The whole state when the error was met, or None where no
            accumulator was involved.
        changes: What the same call had changed before the error, not yet handed out.
    """

    snapshot: RunSnapshot | None = None
    changes: Sequence[Change] = ()


class DecodeError(PeerError):
    """A frame's data cannot be given a meaning.

    Attributes:
        reason: What is wrong with the data.
        event: The event's name, or None where the data belongs to no event.
        offset: Where the frame begins, in bytes from the start of the stream; None
            where frames, not bytes, were fed.
        path: Where in the JSON document, as ``$.delta.step_details``; None where the
            data is not JSON at all.
        excerpt: The beginning of the data, at most `EXCERPT_BYTES` of it.
    """

    # Long enough to recognise a frame by its ids, short enough for one log line.
    EXCERPT_BYTES = 120

    def __init__(
        self,
        reason: str,
        *,
        event: str | None = None,
        offset: int | None = None,
        path: str | None = None,
        excerpt: bytes = b"",
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.event = event
        self.offset = offset
        self.path = path
        self.excerpt: bytes = excerpt[: self.EXCERPT_BYTES]

    def __str__(self) -> str:
        where = [
            f"event {self.event!r}" if self.event is not None else "",
            f"byte {self.offset}" if self.offset is not None else "",
            self.path or "",
        ]
        parts = [", ".join(filter(None, where)), self.reason]
        if self.excerpt:
            parts.append(f"data begins {self.excerpt!r}")
        return ": ".join(filter(None, parts))


class SequenceError(PeerError):
    """An event contradicts those before it, and ``strict=True`` was asked for.

    Attributes:
        problem: The contradiction, as it would have been reported otherwise.
    """

    problem: Problem | None = None


class LimitError(PeerError):
    """A limit that protects this process was crossed; the message names it."""


class NestingError(DecodeError, LimitError):
    """A frame's data nests more deeply than `Limits.depth` allows."""


class TruncatedError(PeerError):
    """The stream stopped before the run came to rest.

    Where reading failed, the failure is the ``__cause__``.
    """


class ServerError(PeerError):
    """The server sent an ``error`` event.

    Attributes:
        error: What it said: code, message, param and type.
    """

    error: ErrorObject | None = None


class ResponseError(PeerError):
    """The server answered a request with something else than what was asked for.

    No secret of the request is in it: what was sent as a credential and comes back in
    the answer is masked.

    Attributes:
        status: The HTTP status.
        error: What the API said: code, message, param and type; None where the body
            is not an error of the API.
        request_id: By what the server's operators find the request, or None.
        retry_after: In how many seconds to ask again, where the server says so.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        error: ErrorObject | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.request_id = request_id
        self.retry_after = retry_after


class ToolError(PeerError):
    """The model called a tool that is not there, or with arguments that do not fit it.

    Attributes:
        call_id: The call's id.
        name: The tool's name, as the model gave it.
    """

    def __init__(
        self, message: str, *, call_id: str | None = None, name: str | None = None
    ) -> None:
        super().__init__(message)
        self.call_id = call_id
        self.name = name
