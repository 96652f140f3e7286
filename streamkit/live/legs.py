"""A live run as a source: the bytes of its legs, and the rest of one that broke."""

from __future__ import annotations

import logging
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterator,
)
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import msgspec

from .._sources import Opened, is_transport_failure
from ..accumulator import Accumulator
from ..errors import PeerError, ResponseError, UsageError
from ..events import Event
from ..snapshots import RequiredAction
from .conversation import Conversation
from .recovery import Place, Polling, Recovery
from .requests import Request
from .wires import AsyncConnection, AsyncWire, Connection, Wire

__all__ = ["AsyncLegs", "Legs"]

_log: Final = logging.getLogger("streamkit.live")


class _Live(Opened):
    """What both forms share: where the run is, and whose fault a failure is.

    Args:
        start: The request that opens the first leg, or where to ask for a run whose
            stream is lost.
        accumulator: What holds the run.
        recovery: How to go on where the stream breaks, or None.
        conversation: What answers the run where it waits, or None.

    Raises:
        UsageError: The run could not be asked for.
    """

    __slots__ = (
        "_accumulator",
        "_answered",
        "_asking",
        "_conversation",
        "_is_polling",
        "_is_reading",
        "_place",
        "_recovery",
        "_start",
        "is_open",
        "response",
    )

    items: Iterator[Any] | AsyncIterator[Any] | None

    def __init__(
        self,
        start: Request | Place,
        accumulator: Accumulator,
        recovery: Recovery | None,
        conversation: Conversation | None,
    ) -> None:
        super().__init__(_Unopened(), is_live=True)
        self._start = start
        self._accumulator = accumulator
        self._recovery = recovery
        self._conversation = conversation
        self._is_reading = False
        self._is_polling = False
        self._answered: RequiredAction | None = None
        self._asking: Polling | None = None
        self.is_open: bool = False
        self.response: Any = None
        self._place: Place | None = None
        if isinstance(start, Place):
            self._place = start
        elif recovery is not None:
            self._place = Place.of(start)

    def is_failure(self, error: Exception) -> bool:
        """Whether an exception is the stream's failure."""
        # Between legs the caller's own functions run, and requests are refused.
        return (self._is_reading or self._is_polling) and is_transport_failure(error)

    @property
    def can_resume(self) -> bool:
        """Whether the rest of a leg that was cut may be asked for."""
        return self._place is not None and not self._is_polling

    def _let_go(self) -> object:
        """Return the items that are to be closed, and keep none."""
        items, self.items = self.items, None
        return items

    def _check_unopened(self) -> None:
        if self.is_open:
            raise UsageError("a stream is opened once; make another one")
        self.is_open = True

    def _next(self) -> Conversation | None:
        """Return what answers the run, if it waits."""
        if self._accumulator.outcome != "paused":
            return None
        self._is_reading = self._is_polling = False
        return self._conversation

    def _begin(self, client: Any, request: Request) -> Request:
        """Take note that a leg is asked for, and return the request as it is sent."""
        if self._place is not None:
            self._place = self._place.at(request)
        self._is_reading = self._is_polling = False
        self.response = None
        run = self._accumulator.run
        self._answered = run.required_action if run is not None else None
        stall = self._recovery.stall if self._recovery is not None else None
        if stall is None:
            return request
        timeouts = {**client.timeout.as_dict(), "read": stall}
        options = {**request.options, "extensions": {"timeout": timeouts}}
        return msgspec.structs.replace(request, options=options)

    def _read(self, response: Any) -> None:
        """Take note that the stream is open."""
        self.response = response
        self._is_reading = True

    def _may_ask(self, error: Exception) -> bool:
        """Whether a request that failed may have been heard, so that the run will tell."""
        if self._place is None:
            return False
        if isinstance(error, ResponseError):
            return error.status >= 500 or error.status == 429
        return is_transport_failure(error)

    def _as_cut(self, polling: Polling) -> Iterator[bytes]:
        """Return the body of a leg whose request was heard, but whose answer is lost."""
        self._is_reading = True
        self._asking = polling
        return iter(())

    def _asked(self, failure: Exception | None) -> Polling:
        """Return what asks for the rest of a leg that was cut."""
        self._is_polling = True
        polling, self._asking = self._asking, None
        return polling or self._polling(failure)

    def _polling(self, failure: Exception | None) -> Polling:
        """Return what asks about a leg that broke."""
        if self._place is None:
            raise UsageError("where to ask for the rest of the run is not known")
        run = self._accumulator.run
        _log.info(
            "the stream of run %s broke (%s); asking what became of it",
            run.id if run is not None else "(unknown)",
            "it ended early" if failure is None else type(failure).__name__,
        )
        return Polling(
            self._recovery or Recovery(),
            self._accumulator,
            self._place,
            opened=self.response,
            answered=self._answered,
        )


@contextmanager
def _telling(accumulator: Accumulator) -> Iterator[None]:
    """Have errors tell what was received before them."""
    try:
        yield
    except PeerError as error:
        error.snapshot = accumulator.snapshot()
        raise


class _Beginning(Iterator[bytes]):
    """The first item of a leg: it opens the leg, whose items take this one's place."""

    def __init__(self, go_on: Callable[[Conversation], None], conversation: Conversation) -> None:
        self._open = partial(go_on, conversation)

    def __next__(self) -> bytes:
        self._open()
        return b""


class _AsyncBeginning(AsyncIterator[bytes]):
    """The first item of a leg that is read asynchronously."""

    def __init__(
        self, go_on: Callable[[Conversation], Awaitable[None]], conversation: Conversation
    ) -> None:
        self._open = partial(go_on, conversation)

    async def __anext__(self) -> bytes:
        await self._open()
        return b""


class _Unopened(Iterator[bytes]):
    """Stands for the items of a stream that was not opened."""

    def __next__(self) -> bytes:
        raise UsageError("open the stream first: `with` it, or `async with` it, then iterate")


class Legs(_Live):
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
        with _telling(self._accumulator):
            self._connection = self._wire.connect(self._begin(self._wire.client, request))
        self._read(self._connection.response)
        return self._connection.body

    def resume(self, failure: Exception | None) -> Iterator[Event]:
        """Return what the API says of the rest of the leg."""
        return self._rest(self._asked(failure))

    def _rest(self, polling: Polling) -> Generator[Event, None, None]:
        self._hang_up()
        while (events := self._wire.drive(polling.next())) is not None:
            yield from events

    def next_leg(self) -> Iterator[bytes] | None:
        """Return what opens the next leg, if the run waits and can be answered."""
        conversation = self._next()
        return _Beginning(self._go_on, conversation) if conversation is not None else None

    def _go_on(self, conversation: Conversation) -> None:
        self._hang_up()
        with _telling(self._accumulator):
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


class AsyncLegs(_Live):
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
        with _telling(self._accumulator):
            request = self._begin(self._wire.client, request)
            self._connection = await self._wire.connect(request)
        self._read(self._connection.response)
        return self._connection.body

    def resume(self, failure: Exception | None) -> AsyncIterator[Event]:
        """Return what the API says of the rest of the leg."""
        return self._rest(self._asked(failure))

    async def _rest(self, polling: Polling) -> AsyncGenerator[Event, None]:
        await self._hang_up()
        while (events := await self._wire.drive(polling.next())) is not None:
            for event in events:
                yield event

    def next_leg(self) -> AsyncIterator[bytes] | None:
        """Return what opens the next leg, if the run waits and can be answered."""
        conversation = self._next()
        return _AsyncBeginning(self._go_on, conversation) if conversation is not None else None

    async def _go_on(self, conversation: Conversation) -> None:
        await self._hang_up()
        with _telling(self._accumulator):
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
