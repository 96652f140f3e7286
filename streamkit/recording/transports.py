"""Recording what passes by inside of any client of httpx or httpx2."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from ..errors import UsageError
from .libraries import library_of, stream_kind
from .taps import AsyncTee, Record, Tee
from .writing import Recorder, is_timed_name

__all__ = ["AsyncRecordingTransport", "RecordingTransport"]

_log: Final = logging.getLogger("streamkit.recording")

_STREAM: Final = "text/event-stream"


class _Files:
    """Where the streams of a client go: one after another into one recording, or each apart."""

    def __init__(self, record: str | os.PathLike[str] | Recorder, suffix: str) -> None:
        self._folder: Path | None = None
        if isinstance(record, str | os.PathLike) and Path(record).is_dir():
            self._folder = Path(record)
        self._one = Record(record) if self._folder is None else None
        self._recorders = [] if self._one is None else [self._one.opened()]
        is_timed_name(Path(f"0001{suffix}"))
        self._suffix = suffix
        self._numbers = itertools.count(1)
        self._error: OSError | None = None

    @property
    def error(self) -> OSError | None:
        """Why something was not written, if that is so."""
        errors = [self._error, *(recorder.error for recorder in self._recorders)]
        return next(filter(None, errors), None)

    def take(self) -> Record | None:
        """Return where the next stream goes; None if there it cannot be written."""
        if self._folder is None:
            return Record(self._recorders[0])
        while (path := self._folder / f"{next(self._numbers):04}{self._suffix}").exists():
            pass
        record = Record(path)
        self._error = self.error
        try:
            self._recorders = [record.opened()]
        except OSError as error:
            self._error = self._error or error
            _log.warning("%s is not written: %s", path, error)
            return None
        return record

    def close(self) -> None:
        if self._one is not None:
            self._one.close()


class _Body:
    """The body that is handed on, whose class is also one of the library's streams."""

    def __init__(self, tee: Any, response: Any) -> None:
        self._tee = tee
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._tee  # type: ignore[no-any-return]

    def close(self) -> None:
        try:
            self._tee.close()
        finally:
            self._response.close()


class _AsyncBody:
    """Does what `_Body` does, asynchronously."""

    def __init__(self, tee: Any, response: Any) -> None:
        self._tee = tee
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._tee  # type: ignore[no-any-return]

    async def aclose(self) -> None:
        try:
            await self._tee.aclose()
        finally:
            await self._response.aclose()


class RecordingTransport(httpx.BaseTransport):
    """A transport of httpx that records every event stream that passes through it.

        client = httpx.Client(transport=RecordingTransport("recordings/"))

    An SDK that takes a client is recorded so without changing its code; a client of httpx2
    is given ``RecordingTransport("recordings/", httpx2.HTTPTransport())``.

    Args:
        record: A folder that exists, for a file a stream; or a path or a recorder, for
            streams that come one after another and are the legs of one run.
        transport: What sends the requests; ``httpx.HTTPTransport()`` if it is None.
        suffix: The form of the files in a folder.

    Raises:
        UsageError: The name tells no form.
        OSError: The file cannot be opened.
    """

    def __init__(
        self,
        record: str | os.PathLike[str] | Recorder,
        transport: Any = None,
        *,
        suffix: str = ".sse.jsonl",
    ) -> None:
        self._files = _Files(record, suffix)
        self._transport = httpx.HTTPTransport() if transport is None else transport

    @property
    def error(self) -> OSError | None:
        """Why something was not written, if that is so."""
        return self._files.error

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and record the answer if it is an event stream."""
        _check(request, self._transport)
        response: httpx.Response = self._transport.handle_request(request)
        record = self._files.take() if _streams(response) else None
        if record is None:
            return response
        tee = Tee(_decoded(request, response).iter_bytes(), record, request, response)
        passed_on: httpx.Response = _passed_on(request, response, _Body(tee, response))
        return passed_on

    def close(self) -> None:
        """Close the transport, and the recording if it was opened here."""
        self._files.close()
        self._transport.close()


class AsyncRecordingTransport(httpx.AsyncBaseTransport):
    """Does what `RecordingTransport` does, for an ``AsyncClient``."""

    def __init__(
        self,
        record: str | os.PathLike[str] | Recorder,
        transport: Any = None,
        *,
        suffix: str = ".sse.jsonl",
    ) -> None:
        self._files = _Files(record, suffix)
        self._transport = httpx.AsyncHTTPTransport() if transport is None else transport

    @property
    def error(self) -> OSError | None:
        """Why something was not written, if that is so."""
        return self._files.error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and record the answer if it is an event stream."""
        _check(request, self._transport)
        response: httpx.Response = await self._transport.handle_async_request(request)
        record = self._files.take() if _streams(response) else None
        if record is None:
            return response
        tee = AsyncTee(_decoded(request, response).aiter_bytes(), record, request, response)
        passed_on: httpx.Response = _passed_on(request, response, _AsyncBody(tee, response))
        return passed_on

    async def aclose(self) -> None:
        """Close the transport, and the recording if it was opened here."""
        self._files.close()
        await self._transport.aclose()


def _check(request: Any, transport: Any) -> None:
    theirs, ours = (type(each).__module__.partition(".")[0] for each in (request, transport))
    if theirs != ours and {theirs, ours} <= {"httpx", "httpx2"}:
        raise UsageError(
            f"this client is of {theirs}, and its transport is of {ours}: "
            f"give it a transport=... of {theirs}"
        )


def _streams(response: Any) -> bool:
    kind: str = response.headers.get("content-type", "")
    return kind.strip().lower().startswith(_STREAM)


def _decoded(request: Any, response: Any) -> Any:
    """Return the response as the client would read it."""
    return library_of(response).Response(
        response.status_code, headers=response.headers, stream=response.stream, request=request
    )


def _passed_on(request: Any, response: Any, body: _Body | _AsyncBody) -> Any:
    """Return the response with a body that is no longer encoded."""
    library = library_of(response)
    stream = library.SyncByteStream if isinstance(body, _Body) else library.AsyncByteStream
    kind: Any = type(body)
    encoded = {"content-encoding", "content-length"}
    headers = [pair for pair in response.headers.multi_items() if pair[0].lower() not in encoded]
    return library.Response(
        response.status_code,
        headers=headers,
        stream=stream_kind(kind, stream)(body._tee, body._response),
        extensions=response.extensions,
        request=request,
    )
