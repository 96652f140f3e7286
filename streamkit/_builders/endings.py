"""How the end of a leg is told to whoever asked for the whole run."""

from __future__ import annotations

from ..errors import PeerError, ServerError, TruncatedError
from ..snapshots import ErrorObject
from .picture import Picture

__all__ = ["error_of"]


def error_of(picture: Picture) -> PeerError | None:
    """Return what the outcome is to be raised as, or None where it is none to raise."""
    if picture.outcome == "error":
        failed = ServerError(_described(picture.error))
        failed.error = picture.error
        failed.snapshot = picture.freeze()
        return failed
    if picture.outcome == "truncated":
        cut = TruncatedError(_truncation(picture))
        cut.snapshot = picture.freeze()
        return cut
    return None


def _truncation(picture: Picture) -> str:
    if picture.run is not None:
        where = f"run {picture.run.id} was {picture.run.status}"
        return f"the stream ended before the run came to rest: {where}"
    if picture.step_row.nodes or picture.message_row.nodes:
        return "the stream ended before the run came to rest: no run was seen"
    if picture.unknown is not None:
        first = f"the first unknown one is {picture.unknown!r}"
        return f"the stream ended without an event of a run: {first}"
    return "the stream ended without an event"


def _described(error: ErrorObject | None) -> str:
    if error is None:
        return "the server sent an error event"
    code = error.code or (error.extra or {}).get("code") or error.type
    message = error.message or "the server sent an error event without a message"
    return f"{code}: {message}" if code else message
