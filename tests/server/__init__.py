"""The server of the library, with what only our own tests want of it.

with serve() as server:
    place = server.add(Script(legs, faults=[Fault(frames=40, how="abort")]))
    url = f"{server.url}/threads/{place.thread_id}/runs"
    httpx.post(url, headers={"OpenAI-Beta": "assistants=v2"}, json=...)
    assert [each.operation for each in server.requests(place)] == ["create"]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from streamkit.recording import Chunk, Leg, Recording
from streamkit.server import Place
from streamkit.server.running import running
from streamkit.server.streams import Streams
from streamkit.testing.api import Api, Catalogue, Entry, Served, Statuses, bodies
from streamkit.testing.api import Asked as Request
from streamkit.testing.faults import Cut, Operation, Stall, Status

__all__ = [
    "Answer",
    "Answers",
    "Body",
    "Fault",
    "Operation",
    "Place",
    "Request",
    "Script",
    "Server",
    "rewritten",
    "serve",
]

Wire = dict[str, Any]
Size = Literal["frame", "whole"] | int


class Fault(NamedTuple):
    """Where the stream of a leg stops too early, and how.

    It stops after whole `frames` or after `bytes` of the body as it is sent, whichever comes
    first; without both, after the whole body.
    """

    leg: int = 0
    frames: int | None = None
    bytes: int | None = None
    # end: the body ends there, as if it were complete. abort: the connection is closed in the
    # middle of the body. stall: nothing more comes until the client leaves, or cancels the run.
    how: Literal["end", "abort", "stall"] = "abort"

    def stop(self) -> Cut | Stall:
        frames = sys.maxsize if self.frames is self.bytes is None else self.frames
        if self.how == "stall":
            return Stall(leg=self.leg, frames=frames, bytes=self.bytes)
        return Cut(leg=self.leg, frames=frames, bytes=self.bytes, how=self.how)


@dataclass(frozen=True)
class Answer:
    """A plain HTTP answer instead of what would come."""

    status: int = 500
    body: bytes | Mapping[str, Any] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    abort: bool = False  # close the connection, without an answer
    effect: bool = False  # the request does its work all the same; only its answer is lost

    def to(self, operation: Operation) -> Status:
        return Status(operation=operation, **vars(self))


Answers = Mapping[Operation, Sequence[Answer]]


@dataclass(frozen=True)
class Script:
    """A run: one recorded body a leg, and how they are delivered."""

    legs: Sequence[bytes]
    chunk: Size = "frame"  # how a body is cut to HTTP chunks
    faults: Sequence[Fault] = ()
    # When nobody listens, so many GETs of the run find it under way: the first as it was then,
    # each further one a bit later, the next one at the end of the leg.
    busy_polls: int = 0
    # What the first calls of an operation get, in turn.
    answers: Answers = field(default_factory=dict)
    gzip: bool = False  # streams are compressed, and flushed with each chunk
    content_type: str = "text/event-stream; charset=utf-8"
    linger: bool = False  # after the last frame, stay until the client leaves
    files: Mapping[str, bytes] = field(default_factory=dict)
    keepalives: bool = False  # a comment before each frame
    delay: float = 0  # seconds between chunks, for people who watch

    def served(self, older_runs: Sequence[Wire] = ()) -> Served:
        legs = map(with_keepalives, self.legs) if self.keepalives else self.legs
        chunks = [[Chunk(piece, self.delay) for piece in pieces(leg, self.chunk)] for leg in legs]
        lingering = [Stall(leg=None, frames=sys.maxsize)] if self.linger else []
        answers = [each.to(name) for name, said in self.answers.items() for each in said]
        stops = [fault.stop() for fault in self.faults]
        return Served(
            Recording(legs=[Leg(chunks=each) for each in chunks]),
            faults=[*stops, *lingering, *answers],
            files=self.files,
            speed=1 if self.delay else float("inf"),
            busy_polls=self.busy_polls,
            older_runs=older_runs,
            gzip=self.gzip,
            content_type=self.content_type,
        )


def Body(data: bytes) -> bodies.Body:  # noqa: N802 - it makes one
    """Look at a body."""
    return bodies.Body([Chunk(data)])


def rewritten(legs: Sequence[bytes], place: Place) -> list[bodies.Body]:
    """Replace the recorded ids of thread and assistant by those of a place."""
    return bodies.rewritten([Leg(chunks=[Chunk(leg)]) for leg in legs], bodies.Ids(*place))


def with_keepalives(body: bytes) -> bytes:
    """Put a comment before each frame."""
    return b"".join(b": ping\n\n" + frame for frame in Body(body).frames)


def pieces(body: bytes, size: Size) -> Sequence[bytes]:
    """Cut a body to chunks."""
    if isinstance(size, int):
        return [body[at : at + size] for at in range(0, len(body), size)]
    return [body] if size == "whole" else Body(body).frames


class Server:
    """A running server."""

    def __init__(self, api: Api, streams: Streams, origin: str) -> None:
        self._api = api
        self._streams = streams
        self._entries: dict[Place, Entry] = {}
        self.origin = origin
        self.url = f"{origin}/v1"
        self.azure_url = f"{origin}/openai"

    def add(self, script: Script, *, older_runs: Sequence[Wire] = ()) -> Place:
        """Put a script on a thread of its own, where other runs may have been before."""
        place, entry = self._api.add(script.served(older_runs))
        self._entries[place] = entry
        return place

    def requests(self, place: Place) -> list[Request]:
        """Say what was asked at a place, in order."""
        return [*self._entries[place].requests]

    def sent(self, place: Place) -> int:
        """Say how many bytes of bodies were written at a place, before compression."""
        return self._entries[place].sent

    @property
    def open_streams(self) -> int:
        """How many streams are being served."""
        return self._streams.open

    def wait_idle(self, timeout: float = 5) -> None:
        """Wait until no stream is open."""
        self._streams.wait_until(lambda: not self._streams.open, timeout)

    def wait_paused(self, timeout: float = 5) -> None:
        """Wait until a stream can write no more, because its client does not read."""
        self._streams.wait_until(lambda: bool(self._streams.paused), timeout)


@contextmanager
def serve(
    *,
    require_key: str | None = None,
    port: int = 0,
    catalogue: Mapping[str, Script] | None = None,
) -> Iterator[Server]:
    """Serve scripts until the block ends; streams that are open then are broken off.

    A catalogue has a script for each of some assistants, which any thread may run.
    """
    entries = [
        Entry(name, script.served(), Statuses(())) for name, script in (catalogue or {}).items()
    ]
    api = Api(Catalogue(entries, {}), Statuses(()), key=require_key, strict=True)
    streams = Streams()
    with running(api, streams, port) as served:
        yield Server(api, streams, served.origin)
