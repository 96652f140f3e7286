"""Live runs in every form: with each client, synchronously, under asyncio and under trio.

A test is written once, in the asynchronous form; the synchronous one is made to look so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final, NamedTuple, Self

import anyio.to_thread
import httpx
import httpx2

from streamkit import (
    Accumulator,
    Change,
    Observer,
    RequiredActionFunctionToolCall,
    RunSnapshot,
    StreamEnded,
)
from streamkit.live import aopen_run, open_run
from tests.server import Place, Server, rewritten, serve

__all__ = [
    "BETA",
    "FORMS",
    "HTTPX2",
    "STALL",
    "UNFINISHED",
    "Form",
    "accumulated",
    "create",
    "ended",
    "idle",
    "outputs",
    "serving",
    "states",
    "still_works",
]

BETA: Final = {"OpenAI-Beta": "assistants=v2"}

# httpx leaves its own generators to the garbage collector, of which trio complains.
UNFINISHED: Final = (
    "ignore:Exception ignored in. <async_generator object "
    "(Response|BoundAsyncStream|AsyncResponseStream|PoolByteStream|HTTP11ConnectionByteStream"
    "|AsyncHTTP11Connection|ByteStream)"
)

# Long enough for a server that is there; a connection that was not given back is missed then.
_PATIENCE: Final = 5

# For streams that stall: as long as it takes to be sure that the server says no more.
STALL: Final = httpx.Timeout(_PATIENCE, read=0.5)


class Awaited:
    """Something synchronous, to be awaited."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __aenter__(self) -> Self:
        self.inner.__enter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        self.inner.__exit__(*error)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        for each in self.inner:
            return each
        raise StopAsyncIteration

    async def until_done(self) -> RunSnapshot:
        return self.inner.until_done()  # type: ignore[no-any-return]

    async def close(self) -> None:
        self.inner.close()

    async def aclose(self) -> None:
        self.inner.close()

    async def get(self, url: str) -> Any:
        return self.inner.get(url)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Form(NamedTuple):
    """A way to follow a run."""

    backend: str
    is_async: bool = True
    library: ModuleType = httpx

    def client(self, server: Server, **options: Any) -> Any:
        """Build a client that has one connection: who does not give it back is stuck."""
        given: dict[str, Any] = {
            "base_url": server.url,
            "headers": BETA,
            "timeout": _PATIENCE,
            "limits": self.library.Limits(max_connections=1),
            "trust_env": False,
            "verify": False,  # nothing is encrypted, and to prepare for it takes time
        }
        given |= options
        if self.is_async:
            return self.library.AsyncClient(**given)
        return Awaited(self.library.Client(**given))

    def open(self, client: Any, request: dict[str, Any], *observers: Observer, **more: Any) -> Any:
        """Open a run, by a request as `create` and `outputs` give it."""
        given = request | more
        target = given.pop("method"), given.pop("url")
        if self.is_async:
            return aopen_run(client, *target, *observers, **given)
        return Awaited(open_run(client.inner, *target, *observers, **given))


FORMS: Final = {
    "sync": Form("asyncio", is_async=False),
    "asyncio": Form("asyncio"),
    "trio": Form("trio"),
}
HTTPX2: Final = {f"{name}, httpx2": form._replace(library=httpx2) for name, form in FORMS.items()}


@contextmanager
def serving() -> Iterator[Server]:
    """Serve, and see that all streams are left at the end."""
    with serve() as server:
        yield server
        server.wait_idle()


async def idle(server: Server) -> None:
    """Wait until no stream is open, while the loop goes on closing its sockets."""
    await anyio.to_thread.run_sync(server.wait_idle)


async def still_works(client: Any, place: Place) -> None:
    """A client is open, and has its connection back."""
    assert (await client.get(f"/threads/{place.thread_id}/runs")).status_code == 200


# What is asked


def create(place: Place) -> dict[str, Any]:
    """The request that begins a run."""
    body = {"assistant_id": place.assistant_id, "stream": True}
    return {"method": "POST", "url": f"/threads/{place.thread_id}/runs", "json": body}


def outputs(snapshot: RunSnapshot) -> dict[str, Any]:
    """The request that goes on with a run that waits."""
    run = snapshot.run
    assert run
    assert run.required_action
    calls = run.required_action.tool_calls
    are_functions = isinstance(calls[0], RequiredActionFunctionToolCall)
    field = "tool_outputs" if are_functions else "tool_approvals"
    said: dict[str, object] = {"output": "{}"} if are_functions else {"approve": True}
    given = [{"tool_call_id": call.id, **said} for call in calls]
    url = f"/threads/{run.thread_id}/runs/{run.id}/submit_tool_outputs"
    return {"method": "POST", "url": url, "json": {field: given, "stream": True}}


# What is expected


def accumulated(legs: Sequence[bytes], place: Place) -> tuple[list[Change], RunSnapshot]:
    """Say what a run tells at a place, and what it comes to."""
    accumulator = Accumulator()
    changes: list[Change] = []
    for body in rewritten(legs, place):
        accumulator.begin()
        changes += accumulator.feed_bytes(body.data)
        changes += accumulator.end()
    return changes, accumulator.snapshot()


def states(leg: bytes, place: Place) -> dict[int, RunSnapshot]:
    """Say what is known of a run that is left, by how many changes were told before."""
    (body,) = rewritten([leg], place)
    known = {0: _left(())}
    told = 0
    for count in range(1, len(body.frames) + 1):
        before, told = told, len(_fed(body.frames[:count])[0])
        snapshot = _left(body.frames[:count])
        # An observer that raises at the first change of an event finds all of them made.
        known |= dict.fromkeys(range(before + 1, told + 1), snapshot)
    return known


def _fed(frames: Iterable[bytes]) -> tuple[list[Change], Accumulator]:
    accumulator = Accumulator()
    return [change for frame in frames for change in accumulator.feed_bytes(frame)], accumulator


def _left(frames: Iterable[bytes]) -> RunSnapshot:
    _, accumulator = _fed(frames)
    accumulator.end(cut=True)
    return accumulator.snapshot()


def ended(changes: Iterable[Change]) -> list[Change]:
    """Say which ends were heard."""
    return [change for change in changes if isinstance(change, StreamEnded)]
