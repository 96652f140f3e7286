"""A live run as a source: the bytes of its legs, and the rest of one that broke."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterator,
)
from functools import partial
from typing import Any

from ..events import Event
from .conversation import Conversation
from .recovery import Place, Polling
from .requests import Request
from .resuming import Responses, Resuming
from .source import Live, telling
from .wires import AsyncConnection, AsyncWire, Connection, Wire

__all__ = ["AsyncLegs", "Legs"]


class _Beginning(Iterator[bytes]):
    """The first item of a stream: it opens the stream, whose items take this one's place."""

    def __init__(self, open: Callable[[], None]) -> None:
        self._open = open

    def __next__(self) -> bytes:
        self._open()
        return b""


class _AsyncBeginning(AsyncIterator[bytes]):
    """The first item of a stream that is read asynchronously."""

    def __init__(self, open: Callable[[], Awaitable[None]]) -> None:
        self._open = open

    async def __anext__(self) -> bytes:
        await self._open()
        return b""


class Legs(Live):
    """The legs of a live run, read synchronously."""

    __slots__ = ("_connection", "_wire")

    items: Iterator[Any] | AsyncIterator[Any] | None

    def __init__(self, wire: Wire, *args: Any) -> None:
        super().__init__(*args)
        self._wire = wire
        self._connection: Connection | None = None

    def open(self) -> None:
        """Open the first leg.

        Raises:
            ResponseError: The answer is no stream.
        """
        self._check_unopened()
        start = self._start
        self.items = iter(()) if isinstance(start, Place) else self._connect(start)

    def _connect(self, request: Request) -> Iterator[bytes]:
        with telling(self._accumulator):
            self._connection = self._wire.connect(self._begin(self._wire.client, request))
        self._read(self._connection.response)
        return self._connection.body

    def resume(self, failure: Exception | None) -> Iterator[Any]:
        """Return what the API says of the rest of the leg."""
        if isinstance(self._place, Responses):
            return _Beginning(partial(self._again, self._resumed(self._place, failure)))
        return self._rest(self._asked(failure))

    def _again(self, resuming: Resuming) -> None:
        self._hang_up()
        try:
            request = self._wire.drive(resuming.next())
            self._connection = self._wire.connect(self._timed(self._wire.client, request))
        except Exception as error:  # noqa: BLE001 - it passes, or is raised
            self._refused(resuming, error)
            self.items = iter(())
        else:
            self.items = self._connection.body

    def _rest(self, polling: Polling) -> Generator[Event, None, None]:
        self._hang_up()
        while (events := self._wire.drive(polling.next())) is not None:
            yield from events

    def next_leg(self) -> Iterator[bytes] | None:
        """Return what opens the next leg, if the run waits and can be answered."""
        conversation = self._next()
        return None if conversation is None else _Beginning(partial(self._go_on, conversation))

    def _go_on(self, conversation: Conversation) -> None:
        self._hang_up()
        with telling(self._accumulator):
            request = conversation.answer(self._accumulator)
            self.items = self._submit(request)

    def _submit(self, request: Request) -> Iterator[bytes]:
        polling: Polling | None = None
        while True:
            try:
                return self._connect(request)
            except Exception as error:
                if not self._may_ask(error):
                    raise
                polling = polling or self._polling(error)
                if self._wire.drive(polling.was_heard(error)):
                    return self._as_cut(polling)

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Hang up."""
        items = self._let_go()
        try:
            if isinstance(items, Generator):
                items.close()
        finally:
            self._hang_up()


class AsyncLegs(Live):
    """The legs of a live run, read asynchronously."""

    __slots__ = ("_connection", "_wire")

    items: Iterator[Any] | AsyncIterator[Any] | None

    def __init__(self, wire: AsyncWire, *args: Any) -> None:
        super().__init__(*args)
        self._wire = wire
        self._connection: AsyncConnection | None = None

    async def open(self) -> None:
        """Open the first leg.

        Raises:
            ResponseError: The answer is no stream.
        """
        self._check_unopened()
        start = self._start
        self.items = iter(()) if isinstance(start, Place) else await self._connect(start)

    async def _connect(self, request: Request) -> AsyncIterator[bytes]:
        with telling(self._accumulator):
            request = self._begin(self._wire.client, request)
            self._connection = await self._wire.connect(request)
        self._read(self._connection.response)
        return self._connection.body

    def resume(self, failure: Exception | None) -> AsyncIterator[Any]:
        """Return what the API says of the rest of the leg."""
        if isinstance(self._place, Responses):
            return _AsyncBeginning(partial(self._again, self._resumed(self._place, failure)))
        return self._rest(self._asked(failure))

    async def _again(self, resuming: Resuming) -> None:
        await self._hang_up()
        try:
            request = await self._wire.drive(resuming.next())
            request = self._timed(self._wire.client, request)
            self._connection = await self._wire.connect(request)
        except Exception as error:  # noqa: BLE001 - it passes, or is raised
            self._refused(resuming, error)
            self.items = iter(())
        else:
            self.items = self._connection.body

    async def _rest(self, polling: Polling) -> AsyncGenerator[Event, None]:
        await self._hang_up()
        while (events := await self._wire.drive(polling.next())) is not None:
            for event in events:
                yield event

    def next_leg(self) -> AsyncIterator[bytes] | None:
        """Return what opens the next leg, if the run waits and can be answered."""
        conversation = self._next()
        if conversation is None:
            return None
        return _AsyncBeginning(partial(self._go_on, conversation))

    async def _go_on(self, conversation: Conversation) -> None:
        await self._hang_up()
        with telling(self._accumulator):
            request = await conversation.aanswer(self._accumulator)
            self.items = await self._submit(request)

    async def _submit(self, request: Request) -> AsyncIterator[bytes] | Iterator[bytes]:
        polling: Polling | None = None
        while True:
            try:
                return await self._connect(request)
            except Exception as error:
                if not self._may_ask(error):
                    raise
                polling = polling or self._polling(error)
                if await self._wire.drive(polling.was_heard(error)):
                    return self._as_cut(polling)

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def aclose(self) -> None:
        """Hang up."""
        items = self._let_go()
        try:
            if isinstance(items, AsyncGenerator):
                await items.aclose()
        finally:
            await self._hang_up()
