"""A transport that asks the network, for any client, and writes down the streams it gets."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from ..recording import AsyncRecordingTransport, RecordingTransport
from ..recording.libraries import said_by
from ..testing.api import Asked
from ..testing.api.asking import read

__all__ = ["NetworkTransport"]


class _Form(NamedTuple):
    """A form of clients, for which httpx and httpx2 have a class each."""

    ours: type[RecordingTransport | AsyncRecordingTransport]
    theirs: str


_SYNC = _Form(RecordingTransport, "HTTPTransport")
_ASYNC = _Form(AsyncRecordingTransport, "AsyncHTTPTransport")


class NetworkTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Sends the requests of any client of httpx or httpx2, and records each event stream.

    Clients may share it, and be closed: a further one opens connections of its own.

    Args:
        folder: Where each stream gets a file, in the order in which they came.
    """

    def __init__(self, folder: Path) -> None:
        self._requests: list[Asked] = []
        self._folder = folder
        self._open: dict[tuple[str, _Form], Any] = {}

    @property
    def requests(self) -> Sequence[Asked]:
        """What was asked so far, in order."""
        return tuple(self._requests)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of a client that is synchronous."""
        self._take(request, request.read())
        response: httpx.Response = self._for(request, _SYNC).handle_request(request)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of a client that is asynchronous."""
        self._take(request, await request.aread())
        transport = self._for(request, _ASYNC)
        response: httpx.Response = await transport.handle_async_request(request)
        return response

    def close(self) -> None:
        """Close what a synchronous client opened."""
        for transport in self._closed(_SYNC):
            transport.close()

    async def aclose(self) -> None:
        """Close what an asynchronous client opened."""
        for transport in self._closed(_ASYNC):
            await transport.aclose()

    def _take(self, request: httpx.Request, content: bytes) -> None:
        _, _, asked = read(*said_by(request), content)
        self._requests.append(asked)

    def _for(self, request: httpx.Request, form: _Form) -> Any:
        """Find, or open, what serves the library that a request belongs to."""
        library = type(request).__module__.partition(".")[0]
        if (library, form) not in self._open:
            theirs = getattr(import_module(library), form.theirs)()
            self._open[library, form] = form.ours(self._folder, theirs)
        return self._open[library, form]

    def _closed(self, form: _Form) -> list[Any]:
        return [self._open.pop(key) for key in [*self._open] if key[1] is form]
