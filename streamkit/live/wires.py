"""What a client does for us, synchronously or not; all else is shared."""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import AsyncExitStack, ExitStack, suppress
from typing import Any, NamedTuple, TypeAlias, TypeVar

import anyio
from httpx_sse import aconnect_sse, connect_sse
from msgspec import Struct

from ..errors import UsageError
from ..recording.taps import Record, atee, tee
from .answers import EXCERPT, refusal, streams
from .requests import Answer, Request

__all__ = ["AsyncConnection", "AsyncWire", "Connection", "Pause", "Plan", "Sleep", "Wire"]

T = TypeVar("T")


class Pause(Struct, frozen=True):
    """Wait for so many seconds."""

    seconds: float


# A procedure without I/O: it yields what is to be done, is sent what came of it, or has
# thrown into it what went wrong, and returns its result.
Plan: TypeAlias = Generator[Request | Pause, Any, T]

Sleep: TypeAlias = Callable[[float], object]


class Connection(NamedTuple):
    """A stream that was opened."""

    response: Any
    body: Iterator[bytes]
    close: Callable[[], None]


class AsyncConnection(NamedTuple):
    """A stream that was opened asynchronously."""

    response: Any
    body: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]


def _is_plain(response: Any) -> bool:
    """Whether the bytes that came are the body's own: then nothing need stand between."""
    return "content-encoding" not in response.headers and not response.is_stream_consumed


class Wire:
    """Sends, opens and waits synchronously.

    Args:
        client: Of httpx or httpx2.
        sleep: What waits so many seconds; ``time.sleep`` if it is None.
        record: Where the streams that it opens are written down, or None.

    Raises:
        UsageError: The client is asynchronous, or none.
    """

    __slots__ = ("_record", "_sleep", "client")

    def __init__(
        self, client: Any, sleep: Sleep | None = None, record: Record | None = None
    ) -> None:
        _check_client(client, is_async=False)
        self.client: Any = client
        self._record = record
        self._sleep: Sleep = time.sleep if sleep is None else sleep

    def connect(self, request: Request) -> Connection:
        """Open a stream.

        Raises:
            ResponseError: The answer is no stream.
            FileNotFoundError: There is no folder to record to; nothing was sent.
        """
        if self._record is not None:
            self._record.check()
        with ExitStack() as stack:
            opening = connect_sse(self.client, request.method, request.url, **request.arguments())
            response = stack.enter_context(opening).response
            if streams(response):
                plain = _is_plain(response)
                body: Any = response.iter_raw() if plain else response.iter_bytes()
                if self._record is not None:
                    body = tee(body, self._record.opened(), response=response)
                    stack.callback(body.close)
                return Connection(response, body, stack.pop_all().close)
            beginning = bytearray()
            with suppress(Exception):  # the status says enough where the body cannot be read
                for chunk in response.iter_bytes():
                    beginning += chunk
                    if len(beginning) >= EXCERPT:
                        break
        raise refusal(response, bytes(beginning[:EXCERPT]))

    def drive(self, plan: Plan[T]) -> T:
        """Carry out a plan."""
        reply: Answer | Exception | None = None
        while True:
            try:
                todo = plan.throw(reply) if isinstance(reply, Exception) else plan.send(reply)
            except StopIteration as result:
                return result.value  # type: ignore[no-any-return]
            try:
                reply = self._do(todo)
            except Exception as error:  # noqa: BLE001 - the plan decides what it means
                reply = error

    def _do(self, todo: Request | Pause) -> Answer | None:
        if isinstance(todo, Pause):
            self._sleep(todo.seconds)
            return None
        response = self.client.request(todo.method, todo.url, **todo.arguments())
        return Answer(response, response.content)


class AsyncWire:
    """Sends, opens and waits asynchronously; else as `Wire`.

    Args:
        client: Of httpx or httpx2.
        sleep: What waits so many seconds, itself or by what it returns; ``anyio.sleep``
            if it is None.
        record: Where the streams that it opens are written down, or None.

    Raises:
        UsageError: The client is synchronous, or none.
    """

    __slots__ = ("_record", "_sleep", "client")

    def __init__(
        self, client: Any, sleep: Sleep | None = None, record: Record | None = None
    ) -> None:
        _check_client(client, is_async=True)
        self.client: Any = client
        self._record = record
        self._sleep: Sleep = anyio.sleep if sleep is None else sleep

    async def connect(self, request: Request) -> AsyncConnection:
        """Open a stream.

        Raises:
            ResponseError: The answer is no stream.
            FileNotFoundError: There is no folder to record to; nothing was sent.
        """
        if self._record is not None:
            self._record.check()
        async with AsyncExitStack() as stack:
            opening = aconnect_sse(self.client, request.method, request.url, **request.arguments())
            response: Any = (await stack.enter_async_context(opening)).response
            if streams(response):
                plain = _is_plain(response)
                body: Any = response.aiter_raw() if plain else response.aiter_bytes()
                if self._record is not None:
                    body = atee(body, self._record.opened(), response=response)
                    stack.push_async_callback(body.aclose)
                return AsyncConnection(response, body, stack.pop_all().aclose)
            beginning = bytearray()
            with suppress(Exception):  # the status says enough where the body cannot be read
                async for chunk in response.aiter_bytes():
                    beginning += chunk
                    if len(beginning) >= EXCERPT:
                        break
        raise refusal(response, bytes(beginning[:EXCERPT]))

    async def drive(self, plan: Plan[T]) -> T:
        """Carry out a plan."""
        reply: Answer | Exception | None = None
        while True:
            try:
                todo = plan.throw(reply) if isinstance(reply, Exception) else plan.send(reply)
            except StopIteration as result:
                return result.value  # type: ignore[no-any-return]
            try:
                reply = await self._do(todo)
            except Exception as error:  # noqa: BLE001 - the plan decides what it means
                reply = error

    async def _do(self, todo: Request | Pause) -> Answer | None:
        if isinstance(todo, Pause):
            sleeping = self._sleep(todo.seconds)
            if inspect.isawaitable(sleeping):
                await sleeping
            return None
        response = await self.client.request(todo.method, todo.url, **todo.arguments())
        return Answer(response, response.content)


def _check_client(client: Any, *, is_async: bool) -> None:
    if not hasattr(client, "stream") or not hasattr(client, "request"):
        raise UsageError(f"a client of httpx or httpx2 is needed, not {type(client).__name__}")
    if hasattr(client, "aclose") and not is_async:
        raise UsageError("this client is asynchronous: use aopen_run or AsyncRuns")
    if is_async and not hasattr(client, "aclose"):
        raise UsageError("this client is synchronous: use open_run or Runs")
