"""What a bad proxy does to a stream on its way: bytes in, other bytes out.

Rewriters work on the frames of one leg, whatever its line ends, and however it is cut:
the same bytes in give the same bytes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from ..framing import Framing

__all__ = [
    "Chained",
    "Corrupting",
    "Dropping",
    "Duplicating",
    "EndingLines",
    "KeepingAlive",
    "Reordering",
    "Rewriter",
    "Splitting",
    "spoiled",
]

KEEPALIVE: Final = b": keepalive\n\n"

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_OBJECT: Final = re.compile(rb"(?:\A|[\r\n])(?:data: ?)?[ \t]*(\{)")


class Rewriter:
    """Passes the bytes of one leg on; this one, as they are."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take a chunk, and return the chunks that are to be sent now."""
        return [chunk] if chunk else []

    def finish(self) -> list[bytes]:
        """Return what was held back, at the end of the leg."""
        return []


class Chained(Rewriter):
    """Passes what one rewriter gives on to the next."""

    def __init__(self, links: Iterable[Rewriter]) -> None:
        self._links = list(links)

    def feed(self, chunk: bytes) -> list[bytes]:
        """Pass a chunk through all of them."""
        return self._passed([chunk] if chunk else [], self._links)

    def finish(self) -> list[bytes]:
        """Pass on what each held back."""
        chunks: list[bytes] = []
        for rank, link in enumerate(self._links, 1):
            chunks += self._passed(link.finish(), self._links[rank:])
        return chunks

    @staticmethod
    def _passed(chunks: list[bytes], links: Iterable[Rewriter]) -> list[bytes]:
        for link in links:
            chunks = [each for chunk in chunks for each in link.feed(chunk)]
        return chunks


class _Framewise(Rewriter):
    """Changes whole frames; what stands between them, and an unfinished one, it passes on."""

    def __init__(self) -> None:
        self._framing = Framing()

    def feed(self, chunk: bytes) -> list[bytes]:
        sent: list[bytes] = []
        for data, is_frame in self._framing.feed(chunk):
            sent += self._changed(data) if is_frame else [data]
        return sent

    def finish(self) -> list[bytes]:
        return [*self._rest(), *(piece.data for piece in self._framing.finish())]

    def _changed(self, frame: bytes) -> list[bytes]:
        raise NotImplementedError

    def _rest(self) -> list[bytes]:
        """Return the frames that were held back."""
        return []


class Dropping(_Framewise):
    """Leaves frames out; `chosen` says of each frame whether it is one of them."""

    def __init__(self, chosen: Iterator[bool]) -> None:
        super().__init__()
        self._chosen = chosen

    def _changed(self, frame: bytes) -> list[bytes]:
        return [] if next(self._chosen) else [frame]


class Duplicating(_Framewise):
    """Sends frames twice, one right after the other."""

    def __init__(self, chosen: Iterator[bool]) -> None:
        super().__init__()
        self._chosen = chosen

    def _changed(self, frame: bytes) -> list[bytes]:
        return [frame] * (1 + next(self._chosen))


class Reordering(_Framewise):
    """Sends frames after the next one; a frame that came forward so does not move again."""

    def __init__(self, chosen: Iterator[bool]) -> None:
        super().__init__()
        self._chosen = chosen
        self._late: list[bytes] = []

    def _changed(self, frame: bytes) -> list[bytes]:
        is_chosen = next(self._chosen)
        if self._late:
            return [frame, *self._rest()]
        if is_chosen:
            self._late = [frame]
            return []
        return [frame]

    def _rest(self) -> list[bytes]:
        late, self._late = self._late, []
        return late


class Corrupting(_Framewise):
    """Spoils the JSON of frames: `draws` are numbers from 0 to 1 that say how."""

    def __init__(self, chosen: Iterator[bool], draws: Iterator[float]) -> None:
        super().__init__()
        self._chosen = chosen
        self._draws = draws

    def _changed(self, frame: bytes) -> list[bytes]:
        draw = next(self._draws)
        return [spoiled(frame, draw) if next(self._chosen) else frame]


def spoiled(frame: bytes, draw: float) -> bytes:
    """Return a frame whose data is JSON no more, though it ends where it did.

    By `draw`, from 0 to 1: its last brace is missing, or its end from some byte on, or
    its first quote is another byte. Data that is no JSON object stays as it is.
    """
    found, last = _OBJECT.search(frame), frame.rfind(b"}")
    if found is None or last < found.start(1):
        return frame
    way, place = divmod(draw * 3, 1)
    if way == 0:
        return frame[:last] + frame[last + 1 :]
    if way == 1:
        # Of the last line only, so that every line of data stays one.
        line = max(frame.rfind(b"\n", 0, last), frame.rfind(b"\r", 0, last)) + 1
        least = found.end(1) if line <= found.start(1) else frame.find(b":", line) + 1
        cut = least + int(place * (last - least))
        return frame[:cut] + frame[last + 1 :]
    quote = frame.find(b'"', found.end(1))
    spot = last if quote < 0 else quote
    return frame[:spot] + b"\0" + frame[spot + 1 :]


class Splitting(Rewriter):
    """Cuts each chunk into chunks of at most so many bytes."""

    def __init__(self, size: int) -> None:
        self._size = size

    def feed(self, chunk: bytes) -> list[bytes]:
        """Cut a chunk."""
        return [chunk[at : at + self._size] for at in range(0, len(chunk), self._size)]


class EndingLines(Rewriter):
    """Ends every line in CRLF."""

    def __init__(self) -> None:
        self._after_cr = False  # an LF that comes now belongs to the CR before it

    def feed(self, chunk: bytes) -> list[bytes]:
        """Put other line ends into a chunk."""
        if not chunk:
            return []
        text = chunk[1:] if self._after_cr and chunk.startswith(b"\n") else chunk
        self._after_cr = chunk.endswith(b"\r")
        sent = _LINE_END.sub(b"\r\n", text)
        return [sent] if sent else []


class KeepingAlive(_Framewise):
    """Puts a comment before each so many-th frame, the first included."""

    def __init__(self, every: int) -> None:
        super().__init__()
        self._every = every
        self._rank = 0

    def _changed(self, frame: bytes) -> list[bytes]:
        due = self._rank % self._every == 0
        self._rank += 1
        # Lines of JSON know no comments; an empty line is as little to them.
        comment = b"\n" if self._framing.has_json else KEEPALIVE
        return [comment, frame] if due else [frame]
