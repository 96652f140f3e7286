"""A recorder: writes a run down as it runs."""

from __future__ import annotations

import gzip
import logging
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Self, TypeAlias

from msgspec import UNSET

from .._sources import is_transport_failure
from ..dialects import is_whole
from ..errors import UsageError
from ..sse import Frame, FrameDecoder, encode_frame, parse_block
from .forms import RequestInfo, ResponseInfo
from .timed import VERSION, Line, chunk_line, written

__all__ = ["KEPT_HEADERS", "Recorder", "Redact", "is_timed_name", "opened"]

_log: Final = logging.getLogger("streamkit.recording")

# What tells how a run was served, and holds no secret. All others are left out.
KEPT_HEADERS: Final = frozenset(
    {
        "accept",
        "apim-request-id",
        "content-type",
        "date",
        "openai-beta",
        "openai-processing-ms",
        "openai-version",
        "server",
        "user-agent",
        "x-request-id",
    }
)

# Given a frame, returns the one to be kept in its place, or None to leave it out.
Redact: TypeAlias = Callable[[Frame], Frame | None]


class Recorder:
    """Writes down what comes of a run, as it comes.

    The form is told by the name: ``.sse`` is the raw body, ``.sse.jsonl`` the timed form,
    and either may end in ``.gz``. Every line is on the disk before the next one begins,
    so that a crash loses one line at most.

    Where writing fails, because the disk is full for instance, the run goes on: the
    failure is logged and kept in `error`, and nothing more is written.

    Args:
        path: Where to write; a file that is there is written over.
        headers: The names of the headers to keep, of requests and answers.
        redact: Changes or drops frames before they are written; frames, not chunks, are
            then the lines.
        clock: Gives the time in seconds, from any start.
        now: Gives the date.

    Attributes:
        path: Where it writes.
        error: Why nothing more is written, if that is so.
        legs: How many were begun.

    Raises:
        UsageError: The name tells no form.
        OSError: The file cannot be opened.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        headers: Iterable[str] = KEPT_HEADERS,
        redact: Redact | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.path: Path = Path(path)
        self.error: OSError | None = None
        self._is_timed = is_timed_name(self.path)
        self._file = opened(self.path)
        self._headers = frozenset(name.lower() for name in headers)
        self._redact = redact
        self._clock = clock
        self._now = now
        self._last = clock()
        self._is_open = False
        self._frames: FrameDecoder | None = None
        self.legs: int = 0

    def begin(self, *, request: Any = None, response: Any = None) -> None:
        """Begin a leg; one that is open is left.

        Args:
            request: What opened it, of httpx or httpx2, if that is known.
            response: How it was answered, likewise.
        """
        self.end("closed")
        self.legs += 1
        self._is_open = True
        self._frames = FrameDecoder() if self._redact is not None else None
        about: dict[str, Any] = {}
        try:
            if request is not None:
                kept = self._kept(request.headers)
                about["request"] = RequestInfo(
                    method=request.method, path=request.url.path, headers=kept
                )
            if response is not None:
                about["response"] = ResponseInfo(
                    status=response.status_code, headers=self._kept(response.headers)
                )
        except AttributeError as error:
            raise UsageError("a request or a response is one of httpx or httpx2") from error
        after = self._elapsed()
        if self.legs == 1:
            created = self._now().isoformat(timespec="milliseconds")
            self._write_line(Line(streamkit=VERSION, created=created, **about))
        else:
            self._write_line(Line(leg=self.legs, after=after, **about))

    def chunk(self, data: bytes) -> None:
        """Write bytes of a leg's body, decompressed.

        Raises:
            UsageError: They are no bytes, or no leg was begun.
        """
        if not isinstance(data, bytes | bytearray | memoryview):
            raise UsageError(f"bytes are recorded, not {type(data).__name__}")
        if not self._is_open:
            raise UsageError("begin a leg first")
        if self._frames is None:
            if data:
                self._write_chunk(bytes(data))
            return
        for frame in self._frames.feed(bytes(data)):
            self._write_frame(frame)

    def end(self, how: str = "eof") -> None:
        """End a leg: ``"eof"`` if the server ended the body, ``"closed"`` if the client did.

        A leg that has ended stays as it is.
        """
        if self._is_open:
            self._end(Line(end=how))

    def fail(self, error: BaseException) -> None:
        """End a leg whose reading failed."""
        if self._is_open:
            self._end(Line(error=_said(error)))

    def close(self) -> None:
        """End the leg that is open, as the client does, and close the file."""
        self.end("closed")
        try:
            self._file.close()
        except (OSError, ValueError) as error:
            self._give_up(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end(self, line: Line) -> None:
        self._is_open = False
        frames, self._frames = self._frames, None
        if frames is not None and line.error is UNSET:
            frame, _ = parse_block(frames.finish())
            if frame is not None and is_whole(frame.data):
                self._write_frame(frame)
        line.after = self._elapsed()
        self._write_line(line)
        if self.error is None and not self.path.exists():
            self._give_up(FileNotFoundError("the file is gone"))

    def _elapsed(self) -> float:
        now = self._clock()
        elapsed, self._last = now - self._last, now
        return round(elapsed, 6)

    def _kept(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {
            name.lower(): value for name, value in headers.items() if name.lower() in self._headers
        }

    def _write_line(self, line: Line) -> None:
        if self._is_timed:
            self._write(written(line))

    def _write_frame(self, frame: Frame) -> None:
        kept = self._redact(frame) if self._redact is not None else frame
        if kept is not None:
            self._write_chunk(encode_frame(kept))

    def _write_chunk(self, data: bytes) -> None:
        if self._is_timed:
            self._write(written(chunk_line(data, self._elapsed())))
        else:
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self.error is not None:
            return
        try:
            self._file.write(data)
            self._file.flush()
        except (OSError, ValueError) as error:  # the latter where the file is closed
            self._give_up(error)

    def _give_up(self, error: OSError | ValueError) -> None:
        if self.error is None:
            self.error = error if isinstance(error, OSError) else OSError(str(error))
            _log.warning("%s is no longer written: %s", self.path, error)


def _said(error: BaseException) -> str:
    """Say what went wrong; in the words of a connection only, and without its URLs."""
    words = str(error) if isinstance(error, Exception) and is_transport_failure(error) else ""
    words = re.sub(r"\b[a-z][a-z0-9+.-]*://\S*", "(a URL)", words, flags=re.IGNORECASE)
    return ": ".join(filter(None, (type(error).__name__, words)))


def is_timed_name(path: Path) -> bool:
    """Whether a name asks for the timed form, not the raw body.

    Raises:
        UsageError: It asks for neither.
    """
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".sse.jsonl"):
        return True
    if name.endswith(".sse"):
        return False
    raise UsageError(
        f"{path.name}: a recording is called .sse (the raw body) or .sse.jsonl (with times), "
        "and perhaps .gz after that"
    )


def opened(path: Path) -> BinaryIO:
    """Open a file for writing; what is flushed is on the disk, compressed or not."""
    if path.suffix.lower() != ".gz":
        return path.open("wb")
    return gzip.GzipFile(path, "wb")  # type: ignore[return-value] # it can be written to
