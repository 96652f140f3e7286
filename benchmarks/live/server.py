"""A server that is never what is measured: it sends what it made before.

It is a process of its own; the first line that it prints is its port. The thread of a
request says what it answers to ``POST /threads/{thread}/runs``:

* ``tokens-20000``: the workload *tokens* with so many fragments, a frame an HTTP chunk,
  as fast as the connection takes it;
* ``crowd-1000-200``: the same with 1,000 fragments, to 200 streams in step. Each gets its
  first frame at once. When all are there, each gets a few more in turn, and so on; none
  gets its end before all have the rest.

The streams of a crowd keep step with their reader, as those of a live server do, which
sends no faster than a model writes: the reader sends ``POST /pace`` first; every turn ends
with a byte on that connection, and the next begins once it has answered with another.
"""

from __future__ import annotations

import asyncio
import resource
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from functools import cache
from typing import Final

from benchmarks.workloads import CHUNK, WORKLOADS, Workload

__all__ = ["ASSISTANT", "BODY", "HOST", "allow_many_files", "tokens", "url_of"]

HOST: Final = "127.0.0.1"
ASSISTANT: Final = "asst_abc123"

# What asks for a run; the server looks only at the thread.
BODY: Final = {"assistant_id": ASSISTANT, "stream": True}

# How many frames each stream of a crowd gets in a turn.
TURN: Final = 10

_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\n"
    b"content-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n"
)
_END: Final = b"0\r\n\r\n"


@cache
def tokens(count: int) -> Workload:
    """Return the workload that is sent."""
    return WORKLOADS["tokens"](count)


def url_of(thread: str) -> str:
    """Return where a run of a thread is asked for."""
    return f"/threads/{thread}/runs"


def allow_many_files() -> None:
    """Raise the number of connections that this process may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _chunk(frame: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(frame), frame)


@cache
def _whole(count: int) -> bytes:
    return _HEAD + b"\r\n" + b"".join(map(_chunk, tokens(count).frames)) + _END


@cache
def _turns(count: int) -> list[bytes]:
    first, *frames = map(_chunk, tokens(count).frames)
    rest, last = frames[:-2], frames[-2:]
    starts = range(0, len(rest), TURN)
    turns = [b"".join(rest[start : start + TURN]) for start in starts]
    # Where connections are kept, httpcore looks at all of them whenever one becomes free,
    # which costs more, with a thousand, than reading the streams.
    head = _HEAD + b"connection: close\r\n\r\n"
    return [head + first, *turns, b"".join(last) + _END]


class Server:
    """Answers requests until its connections are closed."""

    def __init__(self) -> None:
        self._crowd: list[StreamWriter] = []
        self._pace: tuple[StreamReader, StreamWriter] | None = None

    async def answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer the requests of one connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode().lower().split("\r\n")
                sizes = [
                    line.split(":")[1] for line in lines if line.startswith("content-length:")
                ]
                await reader.readexactly(int(sizes[0]) if sizes else 0)
                path = lines[0].split()[1]
                if path == "/pace":
                    self._pace = (reader, writer)
                    return
                kind, *numbers = path.split("/")[-2].split("-")
                if kind == "crowd":
                    await self._join(writer, *map(int, numbers))
                    return
                await self._send(writer, _whole(int(numbers[0])))

    async def _send(self, writer: StreamWriter, body: bytes) -> None:
        for start in range(0, len(body), CHUNK):
            writer.write(body[start : start + CHUNK])
            await writer.drain()

    async def _join(self, writer: StreamWriter, count: int, size: int) -> None:
        first, *turns = _turns(count)
        writer.write(first)
        self._crowd.append(writer)
        if len(self._crowd) < size:
            return
        crowd, self._crowd = self._crowd, []
        if self._pace is None:
            raise RuntimeError("a crowd needs a pace")
        reader, pace = self._pace
        for turn in turns:
            pace.write(b".")
            await reader.readexactly(1)
            for member in crowd:
                member.write(turn)


async def main() -> None:
    """Serve, until the process is ended."""
    allow_many_files()
    server = await asyncio.start_server(Server().answer, HOST, 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
