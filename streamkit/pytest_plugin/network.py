"""A transport that asks the network, for any client, and writes down the streams it gets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from ..recording import AsyncRecordingTransport, RecordingTransport
from ..testing.api.operations import match
from ..testing.api.served import Asked

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
        request.read()
        self._requests.append(_asked(request))
        response: httpx.Response = self._for(request, _SYNC).handle_request(request)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of a client that is asynchronous."""
        await request.aread()
        self._requests.append(_asked(request))
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

    def _for(self, request: httpx.Request, form: _Form) -> Any:
        """Find, or open, what serves the library that a request belongs to."""
        library = type(request).__module__.partition(".")[0]
        if (library, form) not in self._open:
            theirs = getattr(import_module(library), form.theirs)()
            self._open[library, form] = form.ours(self._folder, theirs)
        return self._open[library, form]

    def _closed(self, form: _Form) -> list[Any]:
        return [self._open.pop(key) for key in [*self._open] if key[1] is form]


def _asked(request: httpx.Request) -> Asked:
    path = request.url.raw_path.decode("ascii").partition("?")[0]
    route, _ = match(request.method, path)
    try:
        body = json.loads(request.content or b"{}")
    except ValueError:
        body = None
    return Asked(
        operation=route.operation,
        method=request.method,
        path=request.url.path,
        query=request.url.params.multi_items(),
        headers={name.lower(): value for name, value in request.headers.items()},
        json=body,
    )
