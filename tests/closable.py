"""Sources that note when they are closed, and raise what stands among their items."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Final

import anyio
import httpx

__all__ = ["LATER", "SOURCES", "Chunks", "ChunksLater", "Closed", "Open"]

Closed = list[str]  # what was closed, in order

# Opens a source that yields these items, or raises them, and notes its closing.
Open = Callable[[Sequence[object], Closed], Any]


def given(item: Any) -> Any:
    """Give an item, or raise it."""
    if isinstance(item, BaseException):
        raise item
    return item


class Chunks:
    """An iterator that can be closed."""

    def __init__(self, items: Sequence[object], closed: Closed) -> None:
        self.items = iter(items)
        self.closed = closed

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return given(next(self.items))

    def close(self) -> None:
        self.closed.append("closed")


class ChunksLater:
    """An asynchronous iterator that can be closed."""

    def __init__(self, items: Sequence[object], closed: Closed) -> None:
        self.items = iter(items)
        self.closed = closed

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        await anyio.lowlevel.checkpoint()
        for item in self.items:
            return given(item)
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed.append("closed")


class Body(Chunks, httpx.SyncByteStream):
    """The body of a response."""


class BodyLater(ChunksLater, httpx.AsyncByteStream):
    """The body of an asynchronous response."""


def generator(items: Sequence[object], closed: Closed) -> Iterator[Any]:
    """Yield items."""
    try:
        yield from map(given, items)
    finally:
        closed.append("closed")


async def generator_later(items: Sequence[object], closed: Closed) -> AsyncIterator[Any]:
    """Yield items asynchronously."""
    try:
        for item in items:
            await anyio.lowlevel.checkpoint()
            yield given(item)
    finally:
        closed.append("closed")


def response(items: Sequence[object], closed: Closed) -> httpx.Response:
    """Build an open response."""
    return httpx.Response(200, stream=Body(items, closed))


def response_later(items: Sequence[object], closed: Closed) -> httpx.Response:
    """Build an open response of an asynchronous client."""
    return httpx.Response(200, stream=BodyLater(items, closed))


SOURCES: Final[list[Open]] = [generator, Chunks, response]
LATER: Final[list[Open]] = [generator_later, ChunksLater, response_later]
