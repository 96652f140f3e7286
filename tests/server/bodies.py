"""Recorded bodies: where their frames end, and whose ids they carry."""

from __future__ import annotations

import json
import re
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import accumulate
from typing import Any, Final

from tests.own import read
from tests.server.scripts import Fault, Place

__all__ = ["Body", "Event", "cut", "piece", "rewritten", "with_keepalives"]

Event = tuple[str, Any]  # a name and a payload

# Up to the empty line after the next data: comments before an event travel with it. What no
# data follow is a frame, too, so that nothing is lost.
_FRAME: Final = re.compile(
    rb"(?:data|.*?[\r\n]data).*?(?:\r\n\r\n|\n\n|\r\r|\Z)|.+",
    re.DOTALL,
)
# The end of a run, or of a leg. Its name stands in the frame, however that is wrapped.
_REST: Final = re.compile(
    rb"thread\.run\.(requires_action|completed|failed|cancelled|expired|incomplete)\b"
)


class Body:
    """What a leg says: bytes, frames and events."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @cached_property
    def frames(self) -> list[bytes]:
        """The data, cut where frames end."""
        return _FRAME.findall(self.data)

    @cached_property
    def ends(self) -> list[int]:
        """After how many bytes the frames end, from none of them to all."""
        return [0, *accumulate(map(len, self.frames))]

    @cached_property
    def said(self) -> list[list[Event]]:
        """The events of each frame whose data are a JSON object; of any other frame none."""
        return [[*_events(frame)] for frame in self.frames]

    @cached_property
    def resting(self) -> int:
        """How many frames come before the one in which the run ends or begins to wait."""
        rests = [rank for rank, frame in enumerate(self.frames) if _REST.search(frame)]
        return rests[-1] if rests else len(self.frames)

    def whole(self, size: int) -> int:
        """Say how many frames are whole in so many bytes."""
        return bisect(self.ends, size) - 1

    def events(self, frames: int | None = None) -> list[Event]:
        """Give the events of so many frames, or of all."""
        return [event for said in self.said[:frames] for event in said]


def _events(frame: bytes) -> Iterable[Event]:
    with suppress(ValueError, KeyError, RecursionError):
        for name, data in read(frame):
            if isinstance(payload := json.loads(data), dict):
                yield name, payload


def piece(body: bytes, at: int, stop: int, size: str | int) -> bytes:
    """Cut the next chunk from a body, of a frame, of so many bytes or of all there is."""
    if size == "frame":
        found = _FRAME.match(body, at, stop)
        return found[0] if found else b""
    return body[at : min(stop, at + size) if isinstance(size, int) else stop]


def cut(fault: Fault, body: Body) -> int:
    """Say after how many bytes of a body the fault lies."""
    whole = body.ends[-1] if fault.frames is None else body.ends[: fault.frames + 1][-1]
    return whole if fault.bytes is None else min(whole, fault.bytes)


def with_keepalives(body: bytes) -> bytes:
    """Put a comment before each frame."""
    return b"".join(b": ping\n\n" + frame for frame in Body(body).frames)


def rewritten(legs: Sequence[bytes], place: Place) -> list[Body]:
    """Replace the recorded ids of thread and assistant by those of a place.

    Only these strings change: every other byte stays as it was recorded.
    """
    said = [payload for leg in legs for _, payload in Body(leg).events()]
    threads = [each.get("id" if each.get("object") == "thread" else "thread_id") for each in said]
    assistants = [each.get("assistant_id") for each in said]
    new = {id: place.thread_id for id in threads if _is_id(id)}
    new |= {id: place.assistant_id for id in assistants if _is_id(id)}
    return [Body(_replaced(leg, new)) for leg in legs]


def _is_id(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _replaced(body: bytes, new: Mapping[Any, str]) -> bytes:
    for old, text in new.items():
        body = body.replace(b'"%s"' % old.encode(), b'"%s"' % text.encode())
    return body
