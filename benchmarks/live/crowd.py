"""Many runs at once in one process, which is this one: what they take, of time and memory.

The result is one line of JSON. Memory is read from ``/proc``, so it takes a Linux.
"""

from __future__ import annotations

import asyncio
import sys
import time
import tracemalloc
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import httpx
import msgspec
from msgspec import Struct

from benchmarks.live.contenders import code_of
from benchmarks.live.server import BODY, HOST, allow_many_files, url_of
from streamkit import Accumulator
from streamkit.live import aopen_run

__all__ = ["FOLLOWERS", "CrowdTaken"]


class CrowdTaken(Struct, frozen=True):
    """What a crowd took, and what it came to.

    Attributes:
        cpu: In seconds, from when all were open to when all were at their end.
        wall: As `cpu`.
        memory: The most that was held at once beyond what one stream had left behind, in
            bytes: resident, or where they were traced, of Python's objects.
        received: Of each stream the bytes of its text; of the floor, of its body.
    """

    cpu: float
    wall: float
    memory: int
    received: list[int]


class _Crowd:
    """Notes when all are open, and keeps what is to be counted at the end."""

    def __init__(self, size: int) -> None:
        self._missing = size
        self.start = (0.0, 0.0)
        self.kept: list[Accumulator] = []
        self.sizes: list[int] = []

    def opened(self) -> None:
        self._missing -= 1
        if not self._missing:
            self.start = time.process_time(), time.perf_counter()


_Follower: TypeAlias = Callable[[httpx.AsyncClient, str, _Crowd], Coroutine[Any, Any, None]]


async def _floor(client: httpx.AsyncClient, url: str, crowd: _Crowd) -> None:
    async with client.stream("POST", url, json=BODY) as response:
        crowd.opened()
        async for _ in response.aiter_bytes():
            pass
    crowd.sizes.append(response.num_bytes_downloaded)


async def _until_done(client: httpx.AsyncClient, url: str, crowd: _Crowd) -> None:
    accumulator = Accumulator()
    crowd.kept.append(accumulator)
    async with aopen_run(client, "POST", url, json=BODY, accumulator=accumulator) as stream:
        crowd.opened()
        await stream.until_done()


FOLLOWERS: Final[Mapping[str, _Follower]] = {
    "floor": _floor,
    "streamkit, until_done": _until_done,
}


async def _step(reader: StreamReader, writer: StreamWriter) -> None:
    """Ask for the next turn whenever all that came in one was taken."""
    while await reader.read(1):
        # In the first round of the loop the sockets are read; then tasks wake, and wake
        # others. After these rounds, nobody has anything left to do.
        for _ in range(10):
            await asyncio.sleep(0)
        writer.write(b".")


async def _gather(follow: _Follower, server: str, url: str, size: int) -> _Crowd:
    crowd = _Crowd(size)
    reader, writer = await asyncio.open_connection(HOST, httpx.URL(server).port)
    writer.write(b"POST /pace HTTP/1.1\r\n\r\n")
    pace = asyncio.create_task(_step(reader, writer))
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with (
        httpx.AsyncClient(base_url=server, limits=limits, timeout=None) as client,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(size):
            group.create_task(follow(client, url, crowd))
    pace.cancel()
    writer.close()
    return crowd


def _resident(field: str) -> int:
    """Return how much of this process is in memory: now (VmRSS), or at most (VmHWM)."""
    # Not `getrusage`, whose maximum begins with that of the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


async def _measure(
    follow: _Follower, server: str, count: int, size: int, *, trace: bool
) -> CrowdTaken:
    await _gather(follow, server, url_of(f"crowd-{count}-1"), 1)
    if trace:
        tracemalloc.start()
    before = _resident("VmRSS")
    crowd = await _gather(follow, server, url_of(f"crowd-{count}-{size}"), size)
    cpu, wall = time.process_time() - crowd.start[0], time.perf_counter() - crowd.start[1]
    memory = tracemalloc.get_traced_memory()[1] if trace else _resident("VmHWM") - before
    texts = (code_of(accumulator.steps[0]) for accumulator in crowd.kept)
    sizes = crowd.sizes or [len(text.encode()) for text in texts]
    return CrowdTaken(cpu, wall, memory, sizes)


def main() -> None:
    """Be a crowd."""
    name, server, count, size, trace = sys.argv[1:]
    allow_many_files()
    taken = asyncio.run(
        _measure(FOLLOWERS[name], server, int(count), int(size), trace=trace == "trace")
    )
    print(msgspec.json.encode(taken).decode())


if __name__ == "__main__":
    main()
