"""The application: hands requests to the API, and sends what it answers."""

from __future__ import annotations

import asyncio
import math
from email.utils import formatdate
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..testing.api import ABORT, Api, Delivery, Stalled
from .streams import Streams
from .welcome import welcome

__all__ = ["app"]

Gone = asyncio.Future[Any]  # done when the client has left

# What pages may read of an answer, beside what they always may.
_READABLE: Final = ("date", "retry-after", "x-request-id")


def app(api: Api, streams: Streams) -> Starlette:
    """Build the application. Pages of any origin may use it."""

    async def home(request: Request) -> ASGIApp:
        return HTMLResponse(welcome(api, str(request.base_url)))

    # Pages send what they like, cookies of the same host among it. Where they do, a browser
    # takes no `*` for an answer.
    cross_origin = Middleware(
        CORSMiddleware,
        allow_origin_regex=".*",
        allow_methods=["*"],
        allow_headers=["*"],
        allow_credentials=True,
        expose_headers=_READABLE,
    )
    return Starlette(
        routes=[Route("/", home), Route("/{path:path}", Answering(api, streams))],
        middleware=[cross_origin],
    )


class Answering:
    """Lets the API answer, by whatever method it is asked."""

    def __init__(self, api: Api, streams: Streams) -> None:
        self.api: Api = api
        self.streams: Streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            content = await request.body()
        except ClientDisconnect:
            return  # nobody would read an answer
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = request.query_params.multi_items()
        path = scope["raw_path"].decode("latin-1")
        answer = self.api.answer(request.method, path, query, headers, content)
        dated = {"date": formatdate(usegmt=True), **answer.headers}
        respond: ASGIApp = Dropped()
        if isinstance(answer.body, Delivery):
            respond = Leg(self.streams, answer.body, dated)
        elif answer.body is not None:
            respond = Response(answer.body, answer.status, dated)
        await respond(scope, receive, send)


async def left(receive: Receive) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Dropped:
    """No answer at all: the connection is closed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["transport"].close()
        await left(receive)


class Leg:
    """A leg, as a stream."""

    def __init__(self, streams: Streams, delivery: Delivery, headers: dict[str, str]) -> None:
        self.streams: Streams = streams
        self.delivery: Delivery = delivery
        self.headers: dict[str, str] = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(left(receive))
        head = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        moments = self.delivery.moments()
        with self.streams.one():
            try:
                await send({"type": "http.response.start", "status": 200, "headers": head})
                for moment in moments:
                    if moment is ABORT:
                        scope["state"]["transport"].close()  # what was written still goes out
                        await gone
                        return
                    if isinstance(moment, bytes):
                        await send(
                            {"type": "http.response.body", "body": moment, "more_body": True}
                        )
                        await asyncio.sleep(0)  # the others have their turn, and it can leave
                    else:
                        await self._wait(moment, gone)
                    if gone.done():
                        return
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            finally:
                moments.close()
                gone.cancel()

    async def _wait(self, moment: float | Stalled, gone: Gone) -> None:
        """Wait as long as a moment takes, or until the client has left."""
        if isinstance(moment, float):
            await asyncio.wait([gone], timeout=moment)
            return
        cancelled = asyncio.Event()
        self.delivery.on_cancel(cancelled.set)
        waiting = asyncio.ensure_future(cancelled.wait())
        seconds = moment.seconds if math.isfinite(moment.seconds) else None
        await asyncio.wait([gone, waiting], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
