"""A run of a script, as far as it has come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Final

from tests.server.bodies import Body, Event
from tests.server.objects import Objects, Wire, fold

__all__ = ["FINAL", "Play"]

FINAL: Final = {"completed", "failed", "cancelled", "expired", "incomplete"}


class Play:
    """A run that is being played.

    While a leg is streamed, its objects are what was sent. When nobody listens the run goes on:
    `busy_polls` looks at it find it under way, a bit further each time, and the next one finds
    the end of the leg.
    """

    def __init__(self, legs: Sequence[Body], *, busy_polls: int, metadata: Wire) -> None:
        self.legs = list(legs)
        self.busy_polls = busy_polls
        self.metadata = metadata
        self.cancelled = asyncio.Event()
        self.begin(0)

    def begin(self, leg: int) -> None:
        """Begin a leg. Nobody listens yet."""
        self.leg = leg
        self.sent = 0  # bytes of its body
        self.is_heard = False
        self.looks = 0

    @property
    def body(self) -> Body:
        """What this leg says."""
        return self.legs[self.leg]

    def hear(self, leg: int, sent: int) -> None:
        """So many bytes of a leg were sent."""
        if leg == self.leg:
            self.sent, self.is_heard = sent, True

    def leave(self, leg: int) -> None:
        """Nobody listens to a leg any more: what is left of it goes on unheard."""
        if leg == self.leg:
            self.is_heard, self.looks = self.sent == self.body.ends[-1], 0

    def objects(self) -> Objects:
        """Say what the objects are now."""
        run, steps, messages = fold([*self._past(), *self.body.events(self._known())])
        if self._is_busy() and run.get("status") == "queued":
            run = run | {"status": "in_progress"}
        return Objects(self._described(run), steps, messages)

    def at_first(self) -> Wire:
        """Say what the run is at the start of the leg."""
        return self._described(fold(self._past()).run)

    def cancel(self) -> Wire:
        """Let the leg end here, and say what the run is until then."""
        run, steps, messages = self.objects()
        cancelling = run | {"status": "cancelling", "required_action": None}
        # A stream goes on where it is, perhaps within a frame.
        frames = self.body.frames[: self._known() + (self.sent not in self.body.ends)]
        known = b"".join(frames) + _frame("thread.run.cancelling", cancelling)
        if not self.is_heard or self.sent == self.body.ends[-1]:
            self.sent, self.is_heard, self.looks = len(known), False, 0
        ending = b"".join(_ended(cancelling, steps, messages))
        self.legs[self.leg :] = [Body(known + ending)]
        self.cancelled.set()
        return cancelling

    def _past(self) -> list[Event]:
        """What was said before this leg; and what this one says of its run at first."""
        past = [event for leg in self.legs[: self.leg] for event in leg.events()]
        runs = [(name, said) for name, said in self.body.events() if _is_run(name)]
        return [*past, *runs[:1]]

    def _known(self) -> int:
        """How many frames have come true."""
        sent = self.body.whole(self.sent)
        if self.is_heard:
            return sent
        if not self._is_busy():
            return len(self.body.frames)
        left = max(self.body.resting - sent, 0)
        return sent + left * max(self.looks - 1, 0) // self.busy_polls

    def _is_busy(self) -> bool:
        """Whether the run goes on unheard, and is not yet at the end of the leg."""
        return not self.is_heard and max(self.looks - 1, 0) < self.busy_polls

    def _described(self, run: Wire) -> Wire:
        """Add the metadata that clients gave."""
        both = (run.get("metadata") or {}) | self.metadata
        return run | {"metadata": both} if self.metadata else run


def _is_run(name: str) -> bool:
    return name.startswith("thread.run.") and not name.startswith("thread.run.step.")


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
    yield b"event: done\ndata: [DONE]\n\n"


def _frame(name: str, payload: Wire) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), json.dumps(payload).encode())
