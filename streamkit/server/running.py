"""The server itself: an HTTP server on the loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from anyio.from_thread import start_blocking_portal

from ..errors import UsageError
from ..testing.api import Api, Asked, Entry, Place
from ..testing.api.opening import Files, Sources, opened, read_files, served
from ..testing.faults import Fault
from ..testing.sources import PlayedSource
from .folders import expanded
from .streams import Streams

try:
    from uvicorn import Config
    from uvicorn.protocols.http.h11_impl import H11Protocol
    from uvicorn.server import ServerState

    from .app import app
except ImportError as _error:  # pragma: no cover - the tests have both
    raise ImportError(
        f"the server needs starlette and uvicorn ({_error}): pip install 'streamkit[server]'"
    ) from _error

__all__ = ["Server", "serve"]

# Small buffers, so that a client that reads slowly makes the server wait soon.
_BUFFER: Final = 64 * 1024
_LAST_PORT: Final = (1 << 16) - 1
# Longer than any test: a connection that waits for its next request is closed by its client.
_KEEP_ALIVE: Final = 3600


class Server:
    """A running server.

    Attributes:
        origin: Where it is: ``http://127.0.0.1:PORT``.
        url: The base URL for clients of OpenAI: the origin, and ``/v1``.
        azure_url: The base URL for clients of Azure OpenAI: the origin, and ``/openai``.
    """

    def __init__(self, api: Api, streams: Streams, origin: str) -> None:
        self._api = api
        self._streams = streams
        self._placed: dict[Place, Entry] = {}
        self.origin: str = origin
        self.url: str = f"{origin}/v1"
        self.azure_url: str = f"{origin}/openai"

    @property
    def names(self) -> Sequence[str]:
        """What is served to whoever asks, in order."""
        return tuple(entry.name for entry in self._api.catalogue.entries)

    @property
    def requests(self) -> Sequence[Asked]:
        """What was asked so far, in order."""
        return tuple(self._api.requests)

    def add(
        self,
        source: PlayedSource,
        *,
        faults: Sequence[Fault] = (),
        speed: float = math.inf,
        max_gap: float | None = None,
        gap: float = 0.0,
        files: Files | None = None,
    ) -> Place:
        """Put a source on a thread, and for an assistant, of its own.

        So tests that share a server need not know of each other: what befalls a source that
        was put so befalls no other.

        Args:
            source: See `MockTransport`; so for the others.
            faults: What befalls it.
            speed: How many times faster than recorded; infinity is without waiting.
            max_gap: The longest wait to keep, in seconds of the recording.
            gap: The seconds before each frame of what has no times of its own.
            files: The content of files, by their ids.

        Raises:
            UsageError, RecordingError, OSError: As `serve` does.
        """
        contents = read_files(files or {})
        played = served(
            source, faults=faults, speed=speed, max_gap=max_gap, gap=gap, files=contents
        )
        place, entry = self._api.add(played)
        self._placed[place] = entry
        return place

    def requests_at(self, place: Place) -> Sequence[Asked]:
        """Say what was asked at a place, in order."""
        return tuple(self._placed[place].requests)

    @property
    def open_streams(self) -> int:
        """How many streams are being served."""
        return self._streams.open

    def wait_idle(self, timeout: float = 5) -> None:
        """Wait until no stream is open.

        Raises:
            TimeoutError: Some stay open for so many seconds.
        """
        self._streams.wait_until(lambda: not self._streams.open, timeout)


@contextmanager
def serve(
    *sources: Sources,
    port: int = 0,
    faults: Sequence[Fault] = (),
    speed: float = 1.0,
    max_gap: float | None = None,
    gap: float = 0.0,
    files: Files | None = None,
    mapping: Mapping[str, str] | None = None,
    sunset: bool = False,
    key: str | None = None,
    strict: bool = False,
) -> Iterator[Server]:
    """Serve runs until the block ends; streams that are open then are broken off.

        with serve(script(message("Hello")), gap=0.02) as server:
            client = openai.OpenAI(base_url=server.url, api_key="none")

    It listens on the loopback only, and speaks what `MockTransport` does, to pages of any
    origin, too. Nothing but what was given is served: no path is opened on request.

    Args:
        sources: See `MockTransport`. A folder stands for all recordings in it, and for
            images, as the content of files that are called as they are.
        port: Where to listen; 0: a free one.
        faults: What befalls them; see `Fault`.
        speed: How many times faster than recorded; infinity is without waiting.
        max_gap: The longest wait to keep, in seconds of the recording.
        gap: The seconds before each frame of what has no times of its own.
        files: The content of files, by their ids.
        mapping: Names of sources, by assistants or models.
        sunset: Answer as OpenAI does since it switched these endpoints off.
        key: The key that clients must send; None takes any.
        strict: Refuse requests that lack the headers which the API wants.

    Raises:
        UsageError: A source is none, or an option makes no sense.
        RecordingError: A recording cannot be read.
        OSError: A file cannot be read, or the port is taken.
    """
    found, pictures = expanded(sources)
    api = opened(
        found,
        faults=faults,
        speed=speed,
        max_gap=max_gap,
        gap=gap,
        files={**pictures, **(files or {})},
        mapping=mapping or {},
        sunset=sunset,
        key=key,
        strict=strict,
    )
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"a port is a number from 0 to {_LAST_PORT}, not {port!r}")
    with running(api, Streams(), port) as server:
        yield server


@contextmanager
def running(api: Api, streams: Streams, port: int) -> Iterator[Server]:
    """Let clients ask an API over HTTP until the block ends."""
    with (
        socket.create_server(("127.0.0.1", port)) as listener,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_listening(api, streams, listener)),
    ):
        yield Server(api, streams, f"http://127.0.0.1:{listener.getsockname()[1]}")


class _Connection(H11Protocol):
    """A connection that the application may close in the middle of an answer."""

    def __init__(self, config: Config, state: ServerState, streams: Streams) -> None:
        super().__init__(config, state, app_state={})
        self.streams: Streams = streams

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio does so by itself only where the listening socket names its protocol.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.set_write_buffer_limits(_BUFFER)
        self.app_state["transport"] = transport

    def pause_writing(self) -> None:
        super().pause_writing()
        self.streams.pause(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.streams.paused.discard(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.streams.paused.discard(self)


@asynccontextmanager
async def _listening(api: Api, streams: Streams, listener: socket.socket) -> AsyncIterator[None]:
    # uvicorn's own loop looks only ten times a second whether it is to end, and then waits for
    # open streams. Its connections need nothing of it.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
    config = Config(
        app(api, streams),
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
    server = await loop.create_server(lambda: _Connection(config, state, streams), sock=listener)
    try:
        yield
    finally:
        server.close()
        for connection in [*state.connections]:
            connection.transport.abort()
        await asyncio.gather(*state.tasks)
        await asyncio.sleep(0)  # connections without a request are lost by now
        await server.wait_closed()
