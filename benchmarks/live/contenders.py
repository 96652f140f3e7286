"""Who follows one run: from the answer's headers to the end, with the CPU time it takes.

As a process, this is one contender: for each thread that it reads from its input it
follows a run, and prints what came of it. A contender imports what it needs when it
begins, so that no other's modules are in its process.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from benchmarks.live.server import ASSISTANT, BODY, url_of

__all__ = ["CONTENDERS", "FLOORS", "Taken", "code_of"]


class Taken(Struct, frozen=True):
    """What following a run took, and what it came to.

    Attributes:
        cpu: In seconds, of this process.
        wall: In seconds.
        received: The code of the run's one call; of a floor, which looks at nothing, the
            number of bytes.
        heard: How many fragments of code were told, where someone listened.
    """

    cpu: float
    wall: float
    received: str | int
    heard: int | None = None


Contender: TypeAlias = Callable[[str, str], Awaitable[Taken]]


class _Watch:
    def __init__(self) -> None:
        gc.collect()
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def stop(self) -> tuple[float, float]:
        return time.process_time() - self._cpu, time.perf_counter() - self._wall


def code_of(step: Any) -> str:
    """Return the code of a step's one call, whoever made the step."""
    code: str = step.step_details.tool_calls[0].code_interpreter.input
    return code


async def _floor(library: Any, server: str, thread: str) -> Taken:
    async with (
        library.AsyncClient(base_url=server) as client,
        client.stream("POST", url_of(thread), json=BODY) as response,
    ):
        watch = _Watch()
        async for _ in response.aiter_bytes():
            pass
        return Taken(*watch.stop(), response.num_bytes_downloaded)


async def httpx_floor(server: str, thread: str) -> Taken:
    """Read the body with httpx, and drop it."""
    import httpx  # noqa: PLC0415

    return await _floor(httpx, server, thread)


async def httpx2_floor(server: str, thread: str) -> Taken:
    """Read the body with httpx2, which openai-python uses, and drop it."""
    import httpx2  # noqa: PLC0415

    return await _floor(httpx2, server, thread)


async def until_done(server: str, thread: str) -> Taken:
    """Follow with streamkit, without an observer."""
    import httpx  # noqa: PLC0415

    from streamkit.live import aopen_run  # noqa: PLC0415

    async with (
        httpx.AsyncClient(base_url=server) as client,
        aopen_run(client, "POST", url_of(thread), json=BODY) as stream,
    ):
        watch = _Watch()
        snapshot = await stream.until_done()
        return Taken(*watch.stop(), code_of(snapshot.steps[0]))


async def observed(server: str, thread: str) -> Taken:
    """Follow with streamkit, change by change, with a callback for code."""
    import httpx  # noqa: PLC0415

    from streamkit import CodeAppended, on  # noqa: PLC0415
    from streamkit.live import aopen_run  # noqa: PLC0415

    heard: list[CodeAppended] = []
    hear = on(code=heard.append)
    async with (
        httpx.AsyncClient(base_url=server) as client,
        aopen_run(client, "POST", url_of(thread), hear, json=BODY) as stream,
    ):
        watch = _Watch()
        async for _ in stream:
            pass
        spent = watch.stop()
    return Taken(*spent, "".join(change.text for change in heard), len(heard))


async def openai(server: str, thread: str) -> Taken:
    """Follow with openai-python's event handler, as it is."""
    from openai import AsyncAssistantEventHandler, AsyncOpenAI  # noqa: PLC0415

    handler = AsyncAssistantEventHandler()
    async with AsyncOpenAI(base_url=server, api_key="none", max_retries=0) as client:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            opening = client.beta.threads.runs.stream(
                thread_id=thread, assistant_id=ASSISTANT, event_handler=handler
            )
        async with opening as stream:
            watch = _Watch()
            await stream.until_done()
            spent = watch.stop()
            return Taken(*spent, code_of((await stream.get_final_run_steps())[0]))


CONTENDERS: Final[Mapping[str, Contender]] = {
    "floor": httpx_floor,
    "floor with httpx2": httpx2_floor,
    "streamkit, until_done": until_done,
    "streamkit, on(code=...) and async for": observed,
    "openai, until_done": openai,
}

# What each is compared with, by the HTTP library that it uses.
FLOORS: Final[Mapping[str, str]] = {
    name: "floor with httpx2" if name in ("floor with httpx2", "openai, until_done") else "floor"
    for name in CONTENDERS
}


def main() -> None:
    """Be one contender, of one server, until the input ends."""
    name, server = sys.argv[1:]
    contender = CONTENDERS[name]

    async def follow(thread: str) -> Taken:
        return await contender(server, thread)

    for line in sys.stdin:
        taken = asyncio.run(follow(line.strip()))
        print(msgspec.json.encode(taken).decode(), flush=True)


if __name__ == "__main__":
    main()
