"""A run that is played, as far as it has come."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from ...recording import Chunk
from ...sse import Frame, encode_frame
from .bodies import Body, Read
from .objects import Objects, Wire, fold

__all__ = ["Play"]


class Play:
    """A run that is being played.

    While a leg is streamed, its objects are what was sent. When nobody listens the run goes on:
    `busy_polls` looks at it find it under way, a bit further each time, and the next one finds
    the end of the leg.
    """

    def __init__(self, legs: Sequence[Body], *, busy_polls: int = 0, metadata: Wire) -> None:
        self.legs: list[Body] = list(legs)
        self.busy_polls: int = busy_polls
        self.metadata: Wire = metadata
        self.is_cancelled: bool = False
        self.on_cancel: list[Callable[[], object]] = []  # told when it is
        self.begin(0)

    def begin(self, leg: int) -> None:
        """Begin a leg. Nobody listens yet."""
        self.leg: int = leg
        self.sent: int = 0  # bytes of its body
        self.is_heard: bool = False
        self.looks: int = 0

    @property
    def body(self) -> Body:
        """What this leg says."""
        return self.legs[self.leg]

    def hear(self, leg: int, sent: int) -> None:
        """So many bytes of a leg were sent."""
        if leg == self.leg:
            self.sent, self.is_heard = sent, True

    def hear_again(self, leg: int, sent: int) -> None:
        """So many bytes were sent by now, some again: what has come true stays so."""
        if leg == self.leg:
            known = self.body.ends[self._known()]
            self.sent, self.is_heard = max(self.sent, known, sent), True

    def leave(self, leg: int) -> None:
        """Nobody listens to a leg any more: what is left of it goes on unheard."""
        if leg == self.leg:
            self.is_heard, self.looks = self.sent == len(self.body), 0

    def said(self) -> list[Read]:
        """Give the events of this leg that have come true."""
        return self.body.events(self._known())

    def objects(self) -> Objects:
        """Say what the objects are now."""
        objects = self._folded(self.said())
        run = objects.run
        if self._is_busy() and run.get("status") == "queued":
            run = run | {"status": "in_progress"}
        return objects._replace(run=self._described(run))

    def at_first(self) -> Wire:
        """Say what the run is at the start of the leg."""
        return self._described(self._folded([]).run)

    def cancel(self) -> Wire:
        """Let the leg end here, and say what the run is until then."""
        run, steps, messages, _ = self.objects()
        cancelling = run | {"status": "cancelling", "required_action": None}
        # A stream goes on where it is, perhaps within a frame.
        frames = self.body.frames[: self._known() + (self.sent not in self.body.ends)]
        known = b"".join(frames) + _frame("thread.run.cancelling", cancelling)
        if not self.is_heard or self.sent == len(self.body):
            self.sent, self.is_heard, self.looks = len(known), False, 0
        ending = _ended(cancelling, steps, messages)
        self.legs[self.leg :] = [Body([Chunk(known), *map(Chunk, ending)])]
        self.is_cancelled = True
        for tell in self.on_cancel:
            tell()
        return cancelling

    def _folded(self, events: Sequence[Read]) -> Objects:
        """Fold the legs before, what this one says of its run at first, and these events."""
        first = self.body.first_run
        past = [leg.events() for leg in self.legs[: self.leg]]
        return fold([*past, [*([] if first is None else [first]), *events]])

    def _known(self) -> int:
        """How many frames have come true."""
        sent = self.body.whole(self.sent)
        if self.is_heard:
            return sent
        if not self._is_busy():
            return len(self.body.frames)
        left = max(self.body.resting - sent, 0)
        return sent + left * max(self.looks - 1, 0) // max(self.busy_polls, 1)

    def _is_busy(self) -> bool:
        """Whether the run goes on unheard, and is not yet at the end of the leg."""
        return not self.is_heard and max(self.looks - 1, 0) < self.busy_polls

    def _described(self, run: Wire) -> Wire:
        """Add the metadata that clients gave."""
        if not run or not self.metadata:
            return run
        known = run.get("metadata")
        both = (known if isinstance(known, dict) else {}) | self.metadata
        return run | {"metadata": both}


def _ended(run: Wire, steps: Sequence[Wire], messages: Sequence[Wire]) -> Iterator[bytes]:
    """Say that a run is cancelled, and all that is open in it."""
    now = run.get("started_at") or run.get("created_at")
    for message in messages:
        if message.get("status") == "in_progress":
            why = {"incomplete_at": now, "incomplete_details": {"reason": "run_cancelled"}}
            yield _frame("thread.message.incomplete", message | {"status": "incomplete"} | why)
    cancelled = {"status": "cancelled", "cancelled_at": now}
    for step in steps:
        if step.get("status") == "in_progress":
            yield _frame("thread.run.step.cancelled", step | cancelled)
    yield _frame("thread.run.cancelled", run | cancelled)
    yield encode_frame(Frame("done", b"[DONE]"))


def _frame(name: str, payload: Wire) -> bytes:
    return encode_frame(Frame(name, json.dumps(payload).encode()))
