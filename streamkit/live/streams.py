"""Live streams: opened with a client, followed to the end, closed on every exit."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

from .._afollowing import AsyncFollowing
from .._folding import check
from .._following import Following
from ..accumulator import Accumulator
from ..observers import Observer
from ..recording.taps import Record
from ..recording.writing import Recorder
from ..snapshots import RunSnapshot
from .answers import request_id
from .conversation import Conversation
from .legs import AsyncLegs, Legs
from .recovery import Place
from .requests import Request
from .waiting import Recovery, policy
from .wires import AsyncWire, Wire

__all__ = ["AsyncRunStream", "RunStream", "aopen_run", "open_run"]


class _Stream:
    """What can be asked of a live stream, awaited or not."""

    _legs: Legs | AsyncLegs
    _record: Record | None

    @property
    def request_id(self) -> str | None:
        """By what the server's operators find the request of the leg at hand."""
        return request_id(self._legs.response)

    @property
    def recorder(self) -> Recorder | None:
        """What writes the run down, once the stream is open, if it is to be recorded."""
        return None if self._record is None else self._record.recorder


class RunStream(_Stream, Following):
    """A run that is followed over the network: a context manager, an iterator of changes.

    Entering the ``with`` block opens the connection; leaving it closes the connection,
    and observers that heard no end hear it then. The stream ends at ``done``, whether or
    not the server closes the connection.
    """

    def __init__(
        self,
        client: Any,
        start: Request | Place,
        observers: Sequence[Observer],
        *,
        accumulator: Accumulator | None = None,
        recovery: Recovery | None = None,
        conversation: Conversation | None = None,
        record: str | os.PathLike[str] | Recorder | None = None,
    ) -> None:
        check(observers, accumulator, may_wait=False)
        accumulator = Accumulator() if accumulator is None else accumulator
        self._record = None if record is None else Record(record)
        wire = Wire(client, recovery.sleep if recovery is not None else None, self._record)
        self._legs: Legs = Legs(wire, start, accumulator, recovery, conversation)
        super().__init__(self._legs, observers, accumulator)

    def until_done(self) -> RunSnapshot:
        """Follow the run to the end of its stream, and return the whole picture.

        The stream is opened first if it is not open.

        Raises:
            TruncatedError: The stream stopped before the run came to rest.
            ServerError: The server sent an ``error`` event.
            PeerError: As `Accumulator.feed_bytes` and, when it opens, `open_run` do.
        """
        if not self._legs.is_open:
            with self:
                return self.until_done()
        self._drain()
        return self.snapshot()

    def close(self) -> None:
        """Close the connection; observers that heard no end of the leg hear it now."""
        try:
            super().close()
        finally:
            if self._record is not None:
                self._record.close()

    def __enter__(self) -> Self:
        self._legs.open()
        return self


class AsyncRunStream(_Stream, AsyncFollowing):
    """A run that is followed over the network: as `RunStream`, in ``async with``."""

    def __init__(
        self,
        client: Any,
        start: Request | Place,
        observers: Sequence[Observer],
        *,
        accumulator: Accumulator | None = None,
        recovery: Recovery | None = None,
        conversation: Conversation | None = None,
        record: str | os.PathLike[str] | Recorder | None = None,
    ) -> None:
        check(observers, accumulator, may_wait=True)
        accumulator = Accumulator() if accumulator is None else accumulator
        self._record = None if record is None else Record(record)
        wire = AsyncWire(client, recovery.sleep if recovery is not None else None, self._record)
        self._legs: AsyncLegs = AsyncLegs(wire, start, accumulator, recovery, conversation)
        super().__init__(self._legs, observers, accumulator)

    async def until_done(self) -> RunSnapshot:
        """Do what `RunStream.until_done` does."""
        if not self._legs.is_open:
            async with self:
                return await self.until_done()
        await self._drain()
        return self.snapshot()

    async def close(self) -> None:
        """Close the connection; observers that heard no end of the leg hear it now."""
        await self.aclose()

    async def aclose(self) -> None:
        """Do what `close` does."""
        try:
            await super().aclose()
        finally:
            if self._record is not None:
                self._record.close()

    async def __aenter__(self) -> Self:
        await self._legs.open()
        return self


def open_run(
    client: Any,
    method: str,
    url: str,
    *observers: Observer,
    json: Any = None,
    accumulator: Accumulator | None = None,
    recover: bool | Recovery = False,
    record: str | os.PathLike[str] | Recorder | None = None,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
    **options: Any,
) -> RunStream:
    """Open a stream of a run, for a ``with`` block.

        with open_run(client, "POST", f"/threads/{thread_id}/runs", json=body) as stream:
            for change in stream:
                ...

    Args:
        client: An ``httpx.Client`` or ``httpx2.Client``; its base URL, headers,
            timeouts and proxies hold, and it stays open.
        method: Of the request.
        url: Of the request, joined to the client's base URL.
        observers: Told of each change before it is yielded.
        json: The body of the request, with ``"stream": True`` in it.
        accumulator: One that holds the earlier legs of the run.
        recover: Whether to ask for the rest of the run where its stream breaks, stalls
            or ends early, and how; the URL must be one of the API's.
        record: Where to write the run down: a path (``run.sse.jsonl``, ``run.sse``), or a
            `Recorder`.
        headers: Of the request, beside the client's; also of what `recover` asks.
        params: As `headers`.
        options: What else ``client.stream`` takes. A redirect is not followed unless
            ``follow_redirects=True`` is among them.

    Raises:
        UsageError: The client, or an observer, is asynchronous; or there is no way to
            recover. From the call itself, before anything is sent.
        ResponseError: The answer is no stream. From entering the block, as what the
            client raises where it cannot connect.
        PeerError, TruncatedError, ServerError: From iterating; see `follow`.
    """
    request = _request(method, url, json=json, headers=headers, params=params, options=options)
    recovery = policy(recover)
    return RunStream(
        client, request, observers, accumulator=accumulator, recovery=recovery, record=record
    )


def aopen_run(
    client: Any,
    method: str,
    url: str,
    *observers: Observer,
    json: Any = None,
    accumulator: Accumulator | None = None,
    recover: bool | Recovery = False,
    record: str | os.PathLike[str] | Recorder | None = None,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
    **options: Any,
) -> AsyncRunStream:
    """Do what `open_run` does with an ``AsyncClient``, for an ``async with`` block.

    Observers may be asynchronous; the result of one is awaited before the next event is
    looked at, so that a slow observer slows the server down, and nothing piles up here.
    """
    request = _request(method, url, json=json, headers=headers, params=params, options=options)
    recovery = policy(recover)
    return AsyncRunStream(
        client, request, observers, accumulator=accumulator, recovery=recovery, record=record
    )


def _request(
    method: str,
    url: str,
    *,
    json: Any,
    headers: Mapping[str, str] | None,
    params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None,
    options: Mapping[str, Any],
) -> Request:
    pairs = params.items() if isinstance(params, Mapping) else params or ()
    return Request(
        method=method.upper(),
        url=str(url),
        json=json,
        params=[
            (name, item)
            for name, value in pairs
            for item in (value if isinstance(value, list | tuple) else (value,))
        ],
        headers=dict(headers or {}),
        options=options,
    )
