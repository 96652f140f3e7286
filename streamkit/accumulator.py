"""The one object that changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from ._builders.applying import APPLY
from ._builders.endings import error_of
from ._builders.ledger import Ledger
from ._builders.numbering import Numbered
from ._builders.picture import is_empty
from ._builders.responses import ResponsePicture
from ._inputs import PART, parts, to_frame
from ._series import Series, one_by_one
from .changes import Change
from .dialects import EventReader, Read, decode
from .errors import PeerError, UsageError
from .events import DoneEvent
from .limits import DEFAULT_LIMITS, Limits
from .snapshots import (
    Message,
    Outcome,
    Problem,
    Run,
    RunSnapshot,
    RunStep,
    Thread,
)

__all__ = ["Accumulator"]


class Accumulator:
    """Folds the events of one run into snapshots, and says what each event changed.

    Feed it events, frames or bytes, in the order the server sent them. Whatever the
    form, and however it is cut, the same stream gives equal changes and snapshots.

    A run may take several HTTP streams, its legs. A leg ends with ``done``, with an
    ``error`` event, or where `end` says that no more will come; what is fed after that
    belongs to the next leg. Of the Responses API, a response is a run, and its last event
    ends the leg; the next response is the next leg.

    After a `PeerError` has been raised the state can no longer be trusted, so nothing
    more is taken; what was held before stays readable.

    Args:
        strict: Raise `SequenceError` where the server contradicts itself, instead of
            reporting a problem and going on.
        limits: What the stream may ask of this process.
        templates: Read frames together that differ in a few values only. What comes of
            it is the same without, in more time.
    """

    def __init__(
        self,
        *,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        templates: bool = True,
    ) -> None:
        self._ledger = Ledger(strict=strict, limits=limits)
        self._limits = limits
        self._templates = templates
        self._reader = EventReader(limits, templates=templates)
        self._picture = ResponsePicture(self._ledger)
        self._failure: PeerError | None = None

    # What it holds

    @property
    def thread(self) -> Thread | None:
        """The thread, where the run's first request created it."""
        return self._picture.thread

    @property
    def run(self) -> Run | None:
        """The run, once an event of it was seen."""
        return self._picture.run

    @property
    def steps(self) -> tuple[RunStep, ...]:
        """The steps so far, in the order they began."""
        return self._picture.step_row.freeze()

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages so far, in the order they began."""
        return self._picture.message_row.freeze()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the server contradicted itself about."""
        return self._ledger.problems

    @property
    def outcome(self) -> Outcome:
        """How the stream stands; see `RunSnapshot`."""
        return self._picture.outcome

    @property
    def sequence_number(self) -> int | None:
        """The number of a response's last event, where numbers tell which were taken."""
        return self._picture.sequence

    def snapshot(self) -> RunSnapshot:
        """Return the whole picture. It never changes, whatever is fed afterwards.

        What did not change since the last snapshot is the same object in this one.
        """
        return self._picture.freeze()

    # What it takes

    def feed(self, event: Read) -> Sequence[Change]:
        """Take one event and return what it changed.

        Args:
            event: An event, or whatever else `read` returns.

        Raises:
            SequenceError: The event contradicts an earlier one, and `strict` is set.
            LimitError: The event crosses a limit.
            UsageError: The run is complete, or an earlier call raised a `PeerError`.
        """
        if self._failure is not None:
            self._check_usable()
        apply = APPLY.get(type(event))
        if apply is None:
            raise UsageError(f"an Event is needed, not {event!r}; frames go to feed_frame")
        try:
            if self._picture.outcome == "open" or self._begins_leg(event):
                apply(self._picture, event)
            elif not self._ledger.changes:
                return ()
        except PeerError as error:
            self._fail(error)
            raise
        ledger = self._ledger
        changes = ledger.changes
        ledger.changes = []
        return changes

    def feed_frame(self, frame: Any) -> Sequence[Change]:
        """Take one frame and return what it changed.

        Args:
            frame: A `Frame`, or anything with an ``event`` and a ``data``, as httpx-sse's
                ``ServerSentEvent``.

        Raises:
            DecodeError: The frame's data cannot be decoded.
            PeerError, UsageError: As `feed` does.
        """
        self._check_usable()
        try:
            event = decode(to_frame(frame), self._limits)
        except PeerError as error:
            self._fail(error)
            raise
        return self.feed(event)

    def feed_bytes(self, chunk: bytes) -> Sequence[Change]:
        """Take the next bytes of a body and return what the events in them changed.

        The body is an event stream, or lines of JSON, which its first byte tells.

        Raises:
            DecodeError: Data cannot be decoded. The events before it were taken: what
                they changed is in the error's ``changes``.
            PeerError, UsageError: As `feed` does.
        """
        if self._failure is not None:
            self._check_usable()
        if type(chunk) is not bytes or len(chunk) > PART:
            return self._feed_parts(chunk)
        picture = self._picture
        try:
            for event in self._reader.read(chunk):
                if picture.outcome == "open" or self._begins_leg(event):
                    APPLY[type(event)](picture, event)
        except PeerError as error:
            self._fail(error)
            raise
        ledger = self._ledger
        changes = ledger.changes
        ledger.changes = []
        return changes

    def _feed_parts(self, chunk: object) -> Sequence[Change]:
        changes: list[Change] = []
        for part in parts(chunk):
            try:
                changes += self.feed_bytes(part)
            except PeerError as error:
                error.changes = [*changes, *error.changes]
                raise
            except UsageError:  # more came than the run had to say: the next call tells it
                self._ledger.changes[:0] = changes
                raise
        return changes

    def read(self, part: object) -> Sequence[Read]:
        """Return what is in a frame, or in a part of a chunk, to be fed one by one.

        This is for whoever looks at the state between two events, as `follow` does. What
        cannot be decoded stands last, as the error that feeding it raises. An event is
        returned as it is.
        """
        if type(part) is bytes:
            return list(one_by_one(self._reader.read(part)))
        if type(part) in APPLY:
            return (cast("Read", part),)
        try:
            return (decode(to_frame(part), self._limits),)
        except PeerError as error:
            return (error,)

    @property
    def _may_begin(self) -> bool:
        """Whether another leg may begin: a run ends once, but responses follow each other."""
        run = self._picture.run
        is_response = run is not None and run.object == "response"
        return is_response or self._picture.outcome != "complete"

    def begin(self) -> None:
        """Take note that a leg begins, even if nothing comes in it.

        Otherwise a leg begins with the first event after the end of the one before.

        Raises:
            UsageError: The run is complete.
        """
        if self._picture.outcome != "open":
            if not self._may_begin:
                self._check_incomplete("another leg")
            self._picture.begin_leg()

    def end(self, *, cut: bool = False) -> Sequence[Change]:
        """Take note that no more will come in this leg, and return what that changed.

        The outcome is settled. Calling it again changes nothing.

        Args:
            cut: Leave out the unfinished end of what was fed. Otherwise an event that
                lacks only the blank line after it is still taken.

        Raises:
            PeerError: As `feed_bytes` does, of that last event.
        """
        is_cut = self._end_body(drop=cut)
        picture = self._picture
        if is_cut and picture.outcome not in ("open", "complete"):
            picture.begin_leg()  # of which nothing was whole
        if picture.outcome == "open":
            picture.end_leg(picture.rest)
        return self._ledger.take()

    def cut(self) -> Sequence[Change]:
        """Take note that the body broke off, and return what its unfinished end changed.

        The leg stays open: it goes on with what is fed next, in whatever form.

        Raises:
            PeerError: As `end` does.
        """
        self._end_body()
        return self._ledger.take()

    def finish(self) -> RunSnapshot:
        """End the leg, then return the snapshot.

        Raises:
            ServerError: The server sent an ``error`` event.
            TruncatedError: The stream stopped before the run came to rest.
            PeerError: An earlier call raised it.
        """
        changes = self.end()
        error = self.error()
        if error is None:
            return self.snapshot()
        error.changes = error.changes or changes
        raise error

    def error(self) -> PeerError | None:
        """Return what `finish` raises as things stand, or None while there is nothing."""
        if self._failure is not None:
            return self._failure
        return error_of(self._picture)

    # How it takes it

    def _end_body(self, *, drop: bool = False) -> bool:
        """Take the unfinished end as far as it is whole; return whether something was lost."""
        reader, self._reader = self._reader, EventReader(self._limits, templates=self._templates)
        picture = self._picture
        if not drop and self._failure is None:
            try:
                for event in reader.finish():
                    if picture.outcome == "open" or self._begins_leg(event):
                        APPLY[type(event)](picture, event)
            except PeerError as error:
                self._fail(error)
                raise
        return reader.is_cut

    def _begins_leg(self, event: Read) -> bool:
        """Open the next leg, unless the event only repeats that this one has ended.

        A series is taken here, event by event, as some of it may be known.
        """
        if type(event) is Series:
            for row in event.rows():
                said = event.event(*row)
                if self._picture.outcome == "open" or self._begins_leg(said):
                    APPLY[type(said)](self._picture, said)
            return False
        if type(event) is DoneEvent or is_empty(event):
            return False  # some servers say it twice, and after an error
        if isinstance(event, PeerError):
            return True
        if isinstance(event, Numbered) and self._picture.is_known(event):
            return False
        if self._picture.begins_response(event):  # the next of a conversation
            self._picture.begin_leg()
            return True
        self._check_incomplete(f"a {type(event).__name__}")
        self._picture.begin_leg()
        return True

    def _check_incomplete(self, what: str) -> None:
        if self._picture.outcome == "complete":
            raise UsageError(
                f"the run is complete, so {what} cannot belong to it; another run needs an "
                "accumulator of its own"
            )

    def _check_usable(self) -> None:
        if self._failure is not None:
            raise UsageError(
                "this accumulator met an error and takes no more; start a new one"
            ) from self._failure

    def _fail(self, error: PeerError) -> None:
        if self._failure is None:
            self._failure = error
            error.changes = self._ledger.take()
            error.snapshot = self.snapshot()
