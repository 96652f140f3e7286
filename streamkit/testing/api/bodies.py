"""Recorded bodies: where their frames and chunks end, and whose ids they carry."""

from __future__ import annotations

import json
import re
from bisect import bisect
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Final, NamedTuple, TypeAlias

from ...dialects import EventReader, Read
from ...events import (
    MessageEvent,
    ResponseEndEvent,
    ResponseStreamEvent,
    RunEvent,
    StepEvent,
    ThreadEvent,
)
from ...limits import DEFAULT_LIMITS
from ...recording import Chunk, Leg
from ..framing import frame_ends

__all__ = ["Body", "Carried", "Ids", "Read", "carried", "rewritten"]

_RESTS: Final = frozenset(
    {"requires_action", "completed", "failed", "cancelled", "expired", "incomplete"}
)

# Where ids stand: in a thread's own object, and in what belongs to it.
_THREAD: Final = ("id", "thread_id")
_ASSISTANT: Final = ("assistant_id",)

# Under which name of an object which ids of threads and assistants stand, in their order.
Carried: TypeAlias = Mapping[str, Sequence[str]]


class Body:
    """What a leg says: bytes, frames and events, and the chunks in which they came."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self.chunks: Sequence[Chunk] = chunks
        self.data: bytes = b"".join(chunk.data for chunk in chunks)

    def __len__(self) -> int:
        return len(self.data)

    @cached_property
    def ends(self) -> list[int]:
        """After how many bytes the frames end, from none of them to all."""
        return frame_ends(self.data)

    @cached_property
    def frames(self) -> list[bytes]:
        """The data, cut where frames end."""
        return [self.data[start:end] for start, end in pairwise(self.ends)]

    @cached_property
    def said(self) -> list[Sequence[Read]]:
        """The events of each frame; an error where it cannot be read, and none after it."""
        return [*self._read()]

    @cached_property
    def first_run(self) -> RunEvent | None:
        """What it says of its run at first. Nothing after that is looked at."""
        events = (event for said in self._read() for event in said)
        runs = (run for event in events for run in _parts(event) if isinstance(run, RunEvent))
        return next(runs, None)

    @cached_property
    def resting(self) -> int:
        """How many frames come before the one in which the run ends or begins to wait."""
        rests = [rank for rank, said in enumerate(self.said) if any(map(_is_rest, said))]
        return rests[-1] if rests else len(self.frames)

    @cached_property
    def chunk_ends(self) -> list[int]:
        """After how many bytes the chunks end."""
        return [*accumulate(len(chunk.data) for chunk in self.chunks)]

    def piece(self, at: int, stop: int) -> Chunk | None:
        """Give what is left at a point of its chunk, up to a stop; None where that is nothing."""
        rank = bisect(self.chunk_ends, at)
        if at >= stop or rank == len(self.chunks):
            return None
        end = self.chunk_ends[rank]
        chunk = self.chunks[rank]
        is_whole = end - at == len(chunk.data)
        return Chunk(self.data[at : min(end, stop)], chunk.after if is_whole else None)

    def whole(self, size: int) -> int:
        """Say how many frames are whole in so many bytes."""
        return bisect(self.ends, size) - 1

    def events(self, frames: int | None = None) -> list[Read]:
        """Give the events of so many frames, or of all."""
        return [event for said in self.said[:frames] for event in said]

    def _read(self) -> Iterator[Sequence[Read]]:
        reader = EventReader(DEFAULT_LIMITS)
        for end, frame in zip(self.ends[1:], self.frames, strict=True):
            said = reader.read(frame)
            yield [*said, *reader.finish()] if end == len(self) else said


def _parts(event: Read) -> Sequence[object]:
    """What an event says: of the Responses API, one may say several things."""
    return event.events if isinstance(event, ResponseStreamEvent) else (event,)


def _is_rest(event: Read) -> bool:
    if isinstance(event, ResponseStreamEvent):
        return isinstance(event, ResponseEndEvent)
    return isinstance(event, RunEvent) and event.name.rpartition(".")[2] in _RESTS


class Ids(NamedTuple):
    """The thread and the assistant that a run speaks of."""

    thread_id: str | None
    assistant_id: str | None


def carried(bodies: Iterable[Body]) -> Carried:
    """Find the ids in every whole object."""
    found: dict[str, dict[str, None]] = {name: {} for name in (*_THREAD, *_ASSISTANT)}
    for event in (event for body in bodies for event in body.events()):
        match event:
            case ThreadEvent(thread=thread):
                found["id"][thread.id] = None
            case RunEvent(run=said) | StepEvent(step=said) | MessageEvent(message=said):
                for name in ("thread_id", "assistant_id"):
                    if id := getattr(said, name):
                        found[name][id] = None
    return {name: [*ids] for name, ids in found.items()}


def rewritten(legs: Sequence[Leg], ids: Ids, known: Carried | None = None) -> list[Body]:
    """Replace the recorded ids of threads and assistants by those of one.

    Only these strings change, where they are ids: every other byte stays as it was
    recorded, and in its chunk.

    Args:
        legs: What was recorded.
        ids: The new ones; None: as recorded.
        known: What `carried` finds there; None: it is asked.
    """
    bodies = [Body(leg.chunks) for leg in legs]
    known = carried(bodies) if known is None else known
    new: dict[tuple[bytes, bytes], bytes] = {}
    for id, names in zip(ids, (_THREAD, _ASSISTANT), strict=True):
        for name in names if id else ():
            olds = [old for old in known[name] if old != id]
            new |= {(name.encode(), said): _said(id)[0] for old in olds for said in _said(old)}
    return [Body(_replaced(body, new)) for body in bodies] if new else bodies


def _said(id: str | None) -> list[bytes]:
    """Give the ways in which an id may stand in JSON, the most careful one first."""
    plain = json.dumps(id, ensure_ascii=False).encode(errors="surrogatepass")
    return [json.dumps(id).encode(), plain]


def _replaced(body: Body, new: Mapping[tuple[bytes, bytes], bytes]) -> Sequence[Chunk]:
    """Replace strings in a body, and cut it where it was cut."""
    names, olds = (b"|".join({re.escape(each[part]) for each in new}) for part in (0, 1))
    pieces: list[bytes] = []
    ends = deque(accumulate(len(chunk.data) for chunk in body.chunks))
    moved: list[int] = []
    at = size = 0  # up to where the old data was read, and how long the new are so far
    for match in re.finditer(rb'"(%s)"\s*:\s*(%s)' % (names, olds), body.data):
        text = new.get((match[1], match[2]), match[2])
        start, end = match.span(2)
        while ends and ends[0] <= start:
            moved.append(size + ends.popleft() - at)
        size += start - at
        while ends and ends[0] < end:  # a cut within the string stays within the other
            moved.append(size + min(ends.popleft() - start, len(text)))
        pieces += [body.data[at:start], text]
        at, size = end, size + len(text)
    moved += [size + each - at for each in ends]
    data = b"".join([*pieces, body.data[at:]])
    return [
        Chunk(data[start:end], chunk.after)
        for start, end, chunk in zip([0, *moved], moved, body.chunks, strict=False)
    ]
