"""Where bytes or frames come from, and how to close it."""

from __future__ import annotations

import inspect
import os
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
)
from typing import Any, BinaryIO, Final, Protocol, TypeAlias

from .errors import UsageError

__all__ = [
    "AsyncResponse",
    "AsyncSource",
    "FrameLike",
    "Opened",
    "Response",
    "Source",
    "is_transport_failure",
    "open_source",
    "step_of",
]


class FrameLike(Protocol):
    """A frame: ours, or httpx-sse's ``ServerSentEvent``."""

    @property
    def event(self) -> str: ...

    @property
    def data(self) -> Any: ...


class Response(Protocol):
    """An open response of httpx or httpx2, from a client's ``stream`` method."""

    def iter_bytes(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class AsyncResponse(Protocol):
    """An open response of an async client of httpx or httpx2."""

    def aiter_bytes(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


Body: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview
Source: TypeAlias = Body | Iterable[bytes] | Iterable[FrameLike] | Response
AsyncSource: TypeAlias = Source | AsyncIterable[bytes] | AsyncIterable[FrameLike] | AsyncResponse

# Large enough that reading costs little, small enough that a file is shown as it is read.
CHUNK: Final = 64 * 1024

# Forms that hold more than a body, or hold it in another way.
_OTHER_FORMS: Final = (".sse.jsonl", ".gz", ".har", ".yaml", ".yml")


class Opened:
    """A source that is being read.

    Attributes:
        items: Its bytes, frames or events, synchronously or not.
        is_live: Whether reading on after the end of a leg might wait for ever.
        is_whole: Whether it is all there, so that more than one run in it is an error.
    """

    __slots__ = ("_closers", "is_live", "is_whole", "items")

    def __init__(
        self,
        items: Iterator[Any] | AsyncIterator[Any],
        *owners: object,
        is_live: bool = False,
        is_whole: bool = False,
    ) -> None:
        self.items: Iterator[Any] | AsyncIterator[Any] | None = items
        self.is_live: bool = is_live
        self.is_whole: bool = is_whole
        self._closers: list[object] = [items]
        self._closers += [owner for owner in owners if owner is not items]

    def is_failure(self, error: Exception) -> bool:
        """Whether an exception that came out of the items is the source's failure."""
        return is_transport_failure(error)

    @property
    def can_resume(self) -> bool:
        """Whether a leg that was cut can go on from elsewhere."""
        return False

    def resume(self, failure: Exception | None) -> Iterator[Any] | AsyncIterator[Any]:
        """Return the items of a leg that go on where it was cut."""
        raise NotImplementedError

    def next_leg(self) -> Iterator[Any] | AsyncIterator[Any] | None:
        """Return the items of the next leg, once one has ended; None if there is none."""
        return None

    def close(self) -> None:
        """Close what was opened, and what was given to be read."""
        while self._closers:
            close = getattr(self._closers.pop(0), "close", None)
            if close is not None:
                close()

    async def aclose(self) -> None:
        """Close it where closing takes waiting."""
        while self._closers:
            owner = self._closers.pop(0)
            close = getattr(owner, "aclose", None) or getattr(owner, "close", None)
            if close is not None:
                closing = close()
                if inspect.isawaitable(closing):
                    await closing


def step_of(items: Iterator[Any] | AsyncIterator[Any]) -> Callable[[], Awaitable[Any]]:
    """Return what gives the next item: found once, since it is asked once a fragment."""
    if isinstance(items, AsyncIterator):
        return items.__anext__

    async def step() -> Any:
        try:
            return next(items)
        except StopIteration:
            raise StopAsyncIteration from None

    return step


def open_source(source: object, *, is_async: bool) -> Opened:
    """Open a source, without reading from it.

    Raises:
        UsageError: It is none, or it can only be read in the other way.
        OSError: It is a path, and the file cannot be opened.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return Opened(iter((bytes(source),)), is_whole=True)
    if isinstance(source, str | os.PathLike):
        return _open_file(source, is_async=is_async)
    if hasattr(source, "iter_bytes") or hasattr(source, "aiter_bytes"):
        return _open_response(source, is_async=is_async)
    is_whole = isinstance(source, list | tuple) or getattr(source, "is_whole", False) is True
    if is_async and isinstance(source, AsyncIterable):
        return Opened(aiter(source), source, is_whole=is_whole)
    if isinstance(source, AsyncIterable) and not isinstance(source, Iterable):
        raise UsageError("this source is asynchronous: use afollow or aaccumulate")
    if isinstance(source, dict) or not isinstance(source, Iterable):
        raise UsageError(
            "a source is a path, bytes, an iterable of bytes or of frames, or an open "
            f"response; not {type(source).__name__}"
        )
    if isinstance(source, list | tuple) and any(isinstance(item, str) for item in source):
        raise UsageError("bytes are needed, not text: read the source in binary")
    return Opened(iter(source), source, is_whole=is_whole)


def _open_file(source: str | os.PathLike[str], *, is_async: bool) -> Opened:
    name = os.fspath(source)
    looks_like_text = "\n" in name or name.startswith(("event:", "data:", "{"))
    if isinstance(source, str) and looks_like_text:
        raise UsageError("this is the text of a stream, not a path: encode it to bytes")
    if name.lower().endswith(_OTHER_FORMS):
        raise UsageError(f"{name} is in a form that only streamkit.recording reads")
    # Not a Path: importing pathlib takes longer than all the rest of following.
    file = open(name, "rb")  # noqa: PTH123, SIM115 - closed with the source
    chunks = _aread(file) if is_async else _read(file)
    return Opened(chunks, file, is_whole=True)


def _read(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


async def _aread(file: BinaryIO) -> AsyncIterator[bytes]:
    import anyio  # noqa: PLC0415 - only an asynchronous reader of files needs it

    async with anyio.wrap_file(file) as waiting:
        while chunk := await waiting.read(CHUNK):
            yield chunk


def _open_response(source: Any, *, is_async: bool) -> Opened:
    # A response of httpx has both methods; its stream tells which of them works, unless
    # the whole body was read before, which leaves the response closed.
    stream = getattr(source, "stream", None)
    method, suited = ("aiter_bytes", "__aiter__") if is_async else ("iter_bytes", "__iter__")
    is_read = getattr(source, "is_closed", False)
    if not hasattr(source, method) or not (
        is_read or stream is None or callable(stream) or hasattr(stream, suited)
    ):
        raise UsageError(
            "this response belongs to a synchronous client: use follow or accumulate"
            if is_async
            else "this response belongs to an async client: use afollow or aaccumulate"
        )
    read: Callable[[], Any] = getattr(source, method)
    # One that was read is closed, which one of the other kind refuses to be told again.
    return Opened(read(), *(() if is_read else (source,)), is_live=True)


def is_transport_failure(error: Exception) -> bool:
    """Whether an exception that came out of a source is the source's failure.

    Those of the operating system are, and those that libraries define (httpx, aiohttp,
    zlib, ...). Python's own others, and the kinds of them that libraries raise at misuse,
    are bugs of the caller and pass unchanged.
    """
    if isinstance(error, OSError | EOFError):
        return True
    return type(error).__module__ != "builtins" and not isinstance(
        error, UsageError | RuntimeError | TypeError | AssertionError
    )
