"""What can go wrong with a stream, as values: said before a test begins, and by seed.

Three families. A **stop** ends a leg early, or makes it wait; a **rewrite** changes the
bytes of a leg; a **status** is an HTTP answer in place of the stream. None of them does
anything by itself. Whoever delivers a stream (`Stream`, `MockTransport`, the server) asks
`stop_of` where a leg stops, and `rewriters` what becomes of the bytes up to there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from . import specs
from .base import Fault, LegFault, Seconds, Size
from .rewrites import (
    Corrupt,
    Crlf,
    Drop,
    Duplicate,
    Keepalives,
    Reorder,
    Rewrite,
    Split,
    rewriters,
)
from .stops import Cut, ErrorEvent, Stall, Stop, error_frame, stop_of

__all__ = [
    "FAULTS",
    "Corrupt",
    "Crlf",
    "Cut",
    "Drop",
    "Duplicate",
    "ErrorEvent",
    "Fault",
    "Keepalives",
    "LegFault",
    "Operation",
    "Reorder",
    "Rewrite",
    "Split",
    "Stall",
    "Status",
    "Stop",
    "error_frame",
    "format_fault",
    "parse_fault",
    "rewriters",
    "stop_of",
]

Operation: TypeAlias = Literal[
    "create",
    "create_thread_and_run",
    "create_thread",
    "retrieve_thread",
    "submit",
    "retrieve",
    "list",
    "modify",
    "cancel",
    "steps",
    "step",
    "create_message",
    "messages",
    "message",
    "create_response",
    "retrieve_response",
    "file",
]


class Status(Fault, frozen=True, kw_only=True):
    """The server answers a request with this, in place of what was asked for.

    Attributes:
        status: The HTTP status.
        operation: Which requests; None: any.
        times: How many of them, the first ones; None: all.
        body: The body, or the object that it is as JSON.
        headers: Beside those that a body needs.
        retry_after: In how many seconds to ask again, as the header says it.
        abort: The connection breaks; there is no answer at all.
        effect: What was asked for is done all the same; only its answer is lost.
    """

    word: ClassVar[str] = "status"

    status: Annotated[int, Meta(ge=200, le=599)] = 500
    operation: Operation | None = None
    times: Size | None = 1
    body: bytes | Mapping[str, Any] = b""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    retry_after: Seconds | None = None
    abort: bool = False
    effect: bool = False


_KINDS: Final[tuple[type[Fault], ...]] = (
    Cut,
    Stall,
    ErrorEvent,
    Drop,
    Duplicate,
    Reorder,
    Corrupt,
    Split,
    Crlf,
    Keepalives,
    Status,
)
FAULTS: Final[Mapping[str, type[Fault]]] = {kind.word: kind for kind in _KINDS}


def parse_fault(text: str) -> Fault:
    """Read a fault from a line of text: its name, and its fields.

        parse_fault("cut:frames=9,how=abort") == Cut(frames=9, how="abort")
        parse_fault("drop:3+5") == Drop(frames=(3, 5))

    A value without a name is that of the first field. Several numbers are joined by ``+``,
    an object is JSON, nothing is ``none``, and in texts and objects ``%2C`` is a comma and
    ``%25`` a percent sign. The names are those of `FAULTS`.

    Raises:
        UsageError: It is none; the message says what there is.
    """
    return specs.parsed(FAULTS, text)


def format_fault(fault: Fault) -> str:
    """Write a fault as `parse_fault` reads it."""
    return str(fault)
