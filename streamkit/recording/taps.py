"""Recording what passes by between a source and its fold."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from .._sources import AsyncSource, Source, open_source, step_of
from ..errors import UsageError
from ..sse import Frame, encode_frame
from .writing import Recorder, is_timed_name

__all__ = ["AsyncTee", "Record", "Tee", "atee", "tee"]

_log: Final = logging.getLogger("streamkit.recording")


class Record:
    """Where a live run is written down: a recorder, or one that writes to a path.

    Raises:
        UsageError: It is neither, or the path's name tells no form.
    """

    __slots__ = ("_path", "recorder")

    def __init__(self, record: str | os.PathLike[str] | Recorder) -> None:
        self.recorder: Recorder | None = record if isinstance(record, Recorder) else None
        self._path: Path | None = None if self.recorder is not None else _path(record)
        if self._path is not None:
            is_timed_name(self._path)

    def check(self) -> None:
        """See that there is a place to write to, before anything is asked for.

        Raises:
            FileNotFoundError: The folder is not there.
        """
        if self.recorder is None and self._path is not None and not self._path.parent.is_dir():
            raise FileNotFoundError(
                errno.ENOENT, "there is no such folder", str(self._path.parent)
            )

    def opened(self) -> Recorder:
        """Return the recorder, which opens its file the first time."""
        if self.recorder is None:
            self.recorder = Recorder(self._path or "")
        return self.recorder

    def close(self) -> None:
        """Close what was opened here."""
        if self._path is not None and self.recorder is not None:
            self.recorder.close()


def _path(record: object) -> Path:
    if not isinstance(record, str | os.PathLike):
        raise UsageError(
            f"a recording is written to a path, or by a Recorder; not {type(record).__name__}"
        )
    return Path(record)


class _Leg:
    """A leg that is being written down, by itself or as one of several."""

    def __init__(self, record: Record, request: Any, response: Any) -> None:
        if request is None:
            with suppress(AttributeError, RuntimeError):  # httpx raises where it has none
                request = response.request
        self._record = record
        self._recorder = record.opened()
        try:
            self._recorder.begin(request=request, response=response)
        except BaseException:
            record.close()
            raise
        self._number = self._recorder.legs

    def take(self, item: Any) -> None:
        if not self._is_left("has more"):
            self._recorder.chunk(_as_bytes(item))

    def end(self, how: str) -> None:
        if not self._is_left():
            self._recorder.end(how)
        self._record.close()

    def fail(self, error: BaseException) -> None:
        """End it after an error; what is no error is the client's leaving."""
        if not isinstance(error, Exception):
            self.end("closed")
            return
        if not self._is_left():
            self._recorder.fail(error)
        self._record.close()

    def _is_left(self, still: str = "") -> bool:
        is_left = self._number != self._recorder.legs
        if is_left and still:
            _log.warning(
                "leg %d of %s %s to say after leg %d was begun, which is not recorded",
                *(self._number, self._recorder.path, still, self._recorder.legs),
            )
        return is_left


def _as_bytes(item: Any) -> bytes:
    """Return what is written of an item of a source: bytes, or a frame."""
    if hasattr(item, "event") and hasattr(item, "data"):
        data = item.data if isinstance(item.data, bytes) else str(item.data).encode()
        return encode_frame(Frame(item.event, data, item.id if hasattr(item, "id") else ""))
    return item  # type: ignore[no-any-return] # the recorder looks at it


class Tee(Iterator[Any]):
    """A source that is written down as it is read; the leg begins at once."""

    def __init__(self, source: Any, record: Record, request: Any, response: Any) -> None:
        self._source = open_source(source, is_async=False)
        self._leg = _Leg(record, request, response)

    def __next__(self) -> Any:
        try:
            item = next(self._source.items)  # type: ignore[arg-type] # it is synchronous
            self._leg.take(item)
        except StopIteration:
            self._leg.end("eof")
            self._source.close()
            raise
        except BaseException as error:
            self._leg.fail(error)
            self._source.close()
            raise
        return item

    def close(self) -> None:
        """End the leg, and close the source."""
        self._leg.end("closed")
        self._source.close()

    def __del__(self) -> None:
        if hasattr(self, "_leg"):
            self._leg.end("closed")


class AsyncTee(AsyncIterator[Any]):
    """A source that is written down as it is read asynchronously."""

    def __init__(self, source: Any, record: Record, request: Any, response: Any) -> None:
        self._source = open_source(source, is_async=True)
        self._next = step_of(self._source.items or iter(()))
        self._leg = _Leg(record, request, response)

    async def __anext__(self) -> Any:
        try:
            item = await self._next()
            self._leg.take(item)
        except StopAsyncIteration:
            self._leg.end("eof")
            await self._source.aclose()
            raise
        except BaseException as error:
            self._leg.fail(error)
            await self._source.aclose()
            raise
        return item

    async def aclose(self) -> None:
        """End the leg, and close the source."""
        self._leg.end("closed")
        await self._source.aclose()

    def __del__(self) -> None:
        if hasattr(self, "_leg"):
            self._leg.end("closed")


def tee(
    source: Source,
    record: str | os.PathLike[str] | Recorder,
    *,
    request: Any = None,
    response: Any = None,
) -> Iterator[Any]:
    """Return the items of a source, which are written down as a leg of a run.

        with client.stream(...) as response:
            accumulate(tee(response.iter_bytes(), "run.sse.jsonl", response=response))

    Args:
        source: As `accumulate` takes it; its items are bytes, or frames. It is closed at
            its end, and by the ``close`` of what is returned.
        record: Where to write: a path, or a recorder that may hold earlier legs.
        request: What opened the leg, of httpx or httpx2, for the recording's header.
        response: How it was answered, likewise.

    Raises:
        UsageError: One of them is of the wrong kind.
        OSError: The file cannot be opened.
    """
    return Tee(source, Record(record), request, _answer(source, response))


def atee(
    source: AsyncSource,
    record: str | os.PathLike[str] | Recorder,
    *,
    request: Any = None,
    response: Any = None,
) -> AsyncIterator[Any]:
    """Do what `tee` does, with a source that may be asynchronous."""
    return AsyncTee(source, Record(record), request, _answer(source, response))


def _answer(source: Any, response: Any) -> Any:
    return source if response is None and hasattr(source, "status_code") else response
