"""A leg on its way to the client, with all that may go wrong."""

from __future__ import annotations

import asyncio
import zlib
from typing import Any

from starlette.types import Receive, Scope, Send

from tests.server.bodies import cut, piece
from tests.server.plays import Play
from tests.server.scenes import Scene
from tests.server.stage import Stage

__all__ = ["Dropped", "Leg"]

Gone = asyncio.Future[Any]  # done when the client has left

_GZIP = 31  # zlib's window for a gzip container


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
    """The leg that a run is at, as a stream."""

    def __init__(self, stage: Stage, scene: Scene, play: Play) -> None:
        self.stage = stage
        self.scene = scene
        self.script = scene.script
        self.play = play
        self.leg = play.leg  # the run may be at the next one before this stream has ended
        self.at = 0  # where the body goes on
        fault = self.script.fault(play.leg)
        self.stop = cut(fault, play.body) if fault else play.body.ends[-1]
        self.how = fault.how if fault else "linger" if self.script.linger else "end"
        self.packed = zlib.compressobj(wbits=_GZIP) if self.script.gzip else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(left(receive))
        self.play.hear(self.leg, self.at)
        with self.stage.streaming():
            try:
                await send({"type": "http.response.start", "status": 200, "headers": self._head()})
                is_there = await self._write(send, gone)
                self.play.leave(self.leg)
                if is_there:
                    await self._finish(scope, send, gone)
            finally:
                gone.cancel()

    def _head(self) -> list[tuple[bytes, bytes]]:
        encoding = [(b"content-encoding", b"gzip")] if self.packed else []
        return [(b"content-type", self.script.content_type.encode()), *encoding]

    async def _write(self, send: Send, gone: Gone) -> bool:
        """Write up to the stop; say whether the client is still there."""
        while chunk := self._next():
            packed = self.packed
            sent = packed.compress(chunk) + packed.flush(zlib.Z_SYNC_FLUSH) if packed else chunk
            await send({"type": "http.response.body", "body": sent, "more_body": True})
            self.at += len(chunk)
            self.play.hear(self.leg, self.at)
            self.scene.sent += len(chunk)
            # Even without a delay the others have their turn, and the client can leave.
            if (await asyncio.wait({gone}, timeout=self.script.delay))[0]:
                return False
        return True

    def _next(self) -> bytes:
        body = self.play.legs[self.leg].data
        stop = len(body) if self.play.cancelled.is_set() else self.stop
        return piece(body, self.at, stop, self.script.chunk)

    async def _finish(self, scope: Scope, send: Send, gone: Gone) -> None:
        """End the stream, or fail to."""
        cancelled: Gone = asyncio.ensure_future(self.play.cancelled.wait())
        match "end" if self.play.cancelled.is_set() else self.how:
            case "abort":
                scope["state"]["transport"].close()  # what was written still goes out
                await gone
            case "linger":
                await gone
            case "stall":
                await asyncio.wait({gone, cancelled}, return_when=asyncio.FIRST_COMPLETED)
                await self._write(send, gone)
        cancelled.cancel()
        rest = self.packed.flush() if self.packed else b""
        await send({"type": "http.response.body", "body": rest, "more_body": False})
