"""The server itself: an HTTP server on the loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager

from anyio.from_thread import start_blocking_portal
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from tests.server.app import app
from tests.server.objects import Wire
from tests.server.scenes import Request
from tests.server.scripts import Place, Script
from tests.server.stage import Stage

__all__ = ["Server", "serve"]

# Small buffers, so that a client that reads slowly makes the server wait soon.
_BUFFER = 64 * 1024
# Longer than any test: a connection that waits for its next request is closed by its client.
_KEEP_ALIVE = 3600


class Server:
    """A running server."""

    def __init__(self, stage: Stage, origin: str) -> None:
        self._stage = stage
        self.origin = origin
        self.url = f"{origin}/v1"
        self.azure_url = f"{origin}/openai"

    def add(self, script: Script, *, older_runs: Sequence[Wire] = ()) -> Place:
        """Put a script on a thread of its own, where other runs may have been before."""
        return self._stage.add(script, older_runs)

    def requests(self, place: Place) -> list[Request]:
        """Say what was asked at a place, in order."""
        return [*self._stage.scenes[place].requests]

    def sent(self, place: Place) -> int:
        """Say how many bytes of bodies were written at a place, before compression."""
        return self._stage.scenes[place].sent

    @property
    def open_streams(self) -> int:
        """How many streams are being served."""
        return self._stage.open_streams

    def wait_idle(self, timeout: float = 5) -> None:
        """Wait until no stream is open.

        Raises:
            TimeoutError: Some stay open.
        """
        self._stage.wait_until(lambda: not self.open_streams, timeout)

    def wait_paused(self, timeout: float = 5) -> None:
        """Wait until a stream can write no more, because its client does not read.

        Raises:
            TimeoutError: All have read, or there was too little to write.
        """
        self._stage.wait_until(lambda: bool(self._stage.paused), timeout)


@contextmanager
def serve(
    *,
    require_key: str | None = None,
    port: int = 0,
    catalogue: Mapping[str, Script] | None = None,
) -> Iterator[Server]:
    """Serve scripts until the block ends; streams that are open then are broken off.

    A catalogue has a script for each of some assistants, which any thread may run.
    """
    stage = Stage(catalogue or {})
    listener = socket.create_server(("127.0.0.1", port))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_listening(stage, require_key, listener)),
    ):
        yield Server(stage, origin)


class _Connection(H11Protocol):
    """A connection that the application may close in the middle of an answer."""

    def __init__(self, config: Config, state: ServerState, stage: Stage) -> None:
        super().__init__(config, state, app_state={})
        self.stage = stage

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio does so by itself only where the listening socket names its protocol.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.set_write_buffer_limits(_BUFFER)
        self.app_state["transport"] = transport

    def pause_writing(self) -> None:
        super().pause_writing()
        self.stage.pause(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.stage.paused.discard(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.stage.paused.discard(self)


@asynccontextmanager
async def _listening(
    stage: Stage, require_key: str | None, listener: socket.socket
) -> AsyncIterator[None]:
    # uvicorn's own loop looks only ten times a second whether it is to end, and then waits for
    # open streams. Its connections need nothing of it.
    config = Config(
        app(stage, require_key),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE,
    )
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(config, state, stage), sock=listener)
    try:
        yield
    finally:
        server.close()
        for connection in [*state.connections]:
            connection.transport.abort()
        await asyncio.gather(*state.tasks)
        await asyncio.sleep(0)  # connections without a request are lost by now
        await server.wait_closed()
