"""What a recording holds, whatever form it is kept in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

__all__ = ["Chunk", "Form", "Leg", "Recording", "RequestInfo", "ResponseInfo"]

Form: TypeAlias = Literal["raw", "timed", "events", "vcr", "har"]


class RequestInfo(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The request that opened a leg.

    Attributes:
        method: In capitals.
        path: Without the host and the query.
        headers: Those that the recorder was allowed to keep, by their names in lower case.
    """

    method: str
    path: str
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)


class ResponseInfo(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer that a leg is.

    Attributes:
        status: The HTTP status.
        headers: As those of the request.
    """

    status: int
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)


class Chunk(Struct, frozen=True):
    """Bytes that came together.

    Attributes:
        data: The bytes, after decompression.
        after: How many seconds after what came before; None where nobody noted it.
    """

    data: bytes
    after: float | None = None


class Leg(Struct, frozen=True, kw_only=True):
    """One HTTP stream of a run.

    Attributes:
        chunks: What came.
        after: How many seconds after the end of the leg before it was opened.
        request: What opened it, where that is known.
        response: How it was answered, where that is known.
        end: ``"eof"`` where the server ended the body, ``"closed"`` where the client did;
            None where the recording does not say: it was cut, or its form cannot say it.
        error: What went wrong, where reading failed.
        end_after: How many seconds after the last chunk it ended, or failed.
    """

    chunks: Sequence[Chunk] = ()
    after: float | None = None
    request: RequestInfo | None = None
    response: ResponseInfo | None = None
    end: str | None = None
    error: str | None = None
    end_after: float | None = None

    @property
    def body(self) -> bytes:
        """All its bytes."""
        return b"".join(chunk.data for chunk in self.chunks)


class Recording(Struct, frozen=True, kw_only=True):
    """A run as it was recorded.

    Attributes:
        legs: Its HTTP streams, in order.
        form: What form it was read from.
        created: When it was made, as ISO 8601 text, where that is known.
        repairs: What had to be put right to read it, in words.
        is_cut: Whether it breaks off: the file ends before the recording does.
    """

    legs: Sequence[Leg] = ()
    form: Form = "raw"
    created: str | None = None
    repairs: Sequence[str] = ()
    is_cut: bool = False

    @property
    def body(self) -> bytes:
        """The bytes of all legs, one after another."""
        return b"".join(leg.body for leg in self.legs)
