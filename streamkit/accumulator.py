"""The one object that changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ._ledger import Ledger
from ._lifecycle import RUN_MOVES, ends, is_legal
from ._messages import MessageNode
from ._row import Row
from ._steps import Step
from .changes import (
    ActionRequired,
    Change,
    MessageOpened,
    RunChanged,
    ServerFailed,
    StepOpened,
    StreamEnded,
    UnknownReceived,
)
from .deltas import MessageDeltaEvent, RunStepDeltaEvent
from .dialects import EventReader, Read, decode
from .errors import (
    DecodeError,
    LimitError,
    NestingError,
    PeerError,
    ServerError,
    TruncatedError,
    UsageError,
)
from .events import (
    DoneEvent,
    ErrorEvent,
    MessageEvent,
    RunEvent,
    StepEvent,
    ThreadEvent,
    UnknownEvent,
)
from .limits import DEFAULT_LIMITS, Limits
from .snapshots import (
    ErrorObject,
    Message,
    Outcome,
    Problem,
    Run,
    RunSnapshot,
    RunStep,
    Thread,
)
from .sse import Frame

__all__ = ["PART", "Accumulator", "parts"]


class Accumulator:
    """Folds the events of one run into snapshots, and says what each event changed.

    Feed it events, frames or bytes, in the order the server sent them. Whatever the
    form, and however it is cut, the same stream gives equal changes and snapshots.

    A run may take several HTTP streams, its legs. A leg ends with ``done``, with an
    ``error`` event, or where `end` says that no more will come; what is fed after that
    belongs to the next leg.

    After a `PeerError` has been raised the state can no longer be trusted, so nothing
    more is taken; what was held before stays readable.

    Args:
        strict: Raise `SequenceError` where the server contradicts itself, instead of
            reporting a problem and going on.
        limits: What the stream may ask of this process.
    """

    def __init__(self, *, strict: bool = False, limits: Limits = DEFAULT_LIMITS) -> None:
        self._ledger = Ledger(strict=strict, limits=limits)
        self._limits = limits
        self._reader = EventReader(limits)
        self._thread: Thread | None = None
        self._run: Run | None = None
        self._steps: dict[str, Step] = {}
        self._step_row: Row[Step] = Row()
        self._messages: dict[str, MessageNode] = {}
        self._message_row: Row[MessageNode] = Row()
        self._outcome: Outcome = "open"
        self._rest: Outcome = "truncated"  # what the leg comes to if it ends here
        self._error: ErrorObject | None = None
        self._failure: PeerError | None = None
        self._open_steps = 0
        self._open_messages = 0

    # What it holds

    @property
    def thread(self) -> Thread | None:
        """The thread, where the run's first request created it."""
        return self._thread

    @property
    def run(self) -> Run | None:
        """The run, once an event of it was seen."""
        return self._run

    @property
    def steps(self) -> tuple[RunStep, ...]:
        """The steps so far, in the order they began."""
        return self._step_row.freeze()

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages so far, in the order they began."""
        return self._message_row.freeze()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the server contradicted itself about."""
        return self._ledger.problems

    @property
    def outcome(self) -> Outcome:
        """How the stream stands; see `RunSnapshot`."""
        return self._outcome

    def snapshot(self) -> RunSnapshot:
        """Return the whole picture. It never changes, whatever is fed afterwards.

        What did not change since the last snapshot is the same object in this one.
        """
        return RunSnapshot(self._run, self.steps, self.messages, self._outcome, self.problems)

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
        if self._outcome != "open" or self._failure is not None:
            self._check_usable()
            if not self._begins_leg(event):
                return ()
        apply = _APPLY.get(type(event))
        if apply is None:
            raise UsageError(f"an Event is needed, not {event!r}; frames go to feed_frame")
        try:
            apply(self, event)
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
            event = decode(_to_frame(frame), self._limits)
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
        try:
            for event in self._reader.read(chunk):
                if self._outcome == "open" or self._begins_leg(event):
                    _APPLY[type(event)](self, event)
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
        return changes

    def read(self, part: object) -> Sequence[Read]:
        """Return what is in a frame, or in a part of a chunk, to be fed one by one.

        This is for whoever looks at the state between two events, as `follow` does. What
        cannot be decoded stands last, as the error that feeding it raises.
        """
        if type(part) is bytes:
            return self._reader.read(part)
        try:
            return (decode(_to_frame(part), self._limits),)
        except PeerError as error:
            return (error,)

    def end(self, *, cut: bool = False) -> Sequence[Change]:
        """Take note that no more will come in this leg, and return what that changed.

        The outcome is settled. Calling it again changes nothing.

        Args:
            cut: Leave out the unfinished end of what was fed. Otherwise an event that
                lacks only the blank line after it is still taken.

        Raises:
            PeerError: As `feed_bytes` does, of that last event.
        """
        reader, self._reader = self._reader, EventReader(self._limits)
        if not cut and self._failure is None:
            try:
                for event in reader.finish():
                    if self._outcome == "open" or self._begins_leg(event):
                        _APPLY[type(event)](self, event)
            except PeerError as error:
                self._fail(error)
                raise
        if self._outcome == "open":
            self._settle(self._rest)
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
        if self._failure is not None or self._outcome not in ("error", "truncated"):
            return self._failure
        error: PeerError
        if self._outcome == "error":
            error = ServerError(_described(self._error))
            error.error = self._error
        else:
            error = TruncatedError(self._truncation())
        error.snapshot = self.snapshot()
        return error

    # How it takes it

    def _begins_leg(self, event: Read) -> bool:
        """Open the next leg, unless the event only repeats that this one has ended."""
        if type(event) is DoneEvent:
            return False  # some servers say it twice, and after an error
        if isinstance(event, PeerError):
            return True
        if self._outcome == "complete":
            raise UsageError(
                f"the run is complete, so a {type(event).__name__} cannot belong to it; "
                "another run needs an accumulator of its own"
            )
        self._outcome = "open"
        self._rest = "truncated"
        self._error = None
        return True

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

    def _settle(self, outcome: Outcome) -> None:
        if self._ledger.held:
            self._flush()
        self._outcome = outcome
        self._ledger.changes.append(StreamEnded(outcome))

    def _flush(self) -> None:
        self._ledger.held = False
        for step in self._steps.values():
            self._step_row.touch(step)
            step.flush()
        for message in self._messages.values():
            self._message_row.touch(message)
            message.flush()

    def _truncation(self) -> str:
        if self._run is None and not self._steps and not self._messages:
            return "the stream ended without an event of a run"
        where = f"run {self._run.id} was {self._run.status}" if self._run else "no run was seen"
        return f"the stream ended before the run came to rest: {where}"

    # What each event does

    def _step_delta(self, event: RunStepDeltaEvent) -> None:
        step = self._steps.get(event.id)
        if step is None:
            self._ledger.problem("unknown_step", step_id=event.id)
            step = self._open_step(RunStep(id=event.id))
        if not step.stale:
            self._step_row.touch(step)
        if event.delta is not None:
            if step.done:
                self._open_steps += 1
                step.reopen()
            step.extend(event.delta)

    def _message_delta(self, event: MessageDeltaEvent) -> None:
        message = self._messages.get(event.id)
        if message is None:
            self._ledger.problem("unknown_step", message_id=event.id)
            message = self._open_message(Message(id=event.id))
        if not message.stale:
            self._message_row.touch(message)
        if event.delta is not None:
            if message.done:
                self._open_messages += 1
            message.extend(event.delta)

    def _step(self, event: StepEvent) -> None:
        full = event.step
        known = self._steps.get(full.id)
        step = self._open_step(full) if known is None else known
        self._step_row.touch(step)
        was_done = step.done
        step.settle(full, final=ends(event.name, full.status), opened=known is None)
        self._open_steps += was_done - step.done

    def _message(self, event: MessageEvent) -> None:
        full = event.message
        message = self._messages.get(full.id)
        if message is None:
            message = self._open_message(full)
        self._message_row.touch(message)
        was_done = message.done
        message.settle(full, final=ends(event.name, full.status))
        self._open_messages += was_done - message.done

    def _open_step(self, step: RunStep) -> Step:
        self._check_open(self._open_steps, "steps")
        self._open_steps += 1
        node = self._steps[step.id] = Step(self._ledger, step, len(self._steps))
        self._step_row.put(node)
        self._ledger.changes.append(StepOpened(step))
        return node

    def _open_message(self, message: Message) -> MessageNode:
        self._check_open(self._open_messages, "messages")
        self._open_messages += 1
        node = MessageNode(self._ledger, message, len(self._messages))
        self._messages[message.id] = node
        self._message_row.put(node)
        self._ledger.changes.append(MessageOpened(message))
        return node

    def _check_open(self, count: int, what: str) -> None:
        limit = self._limits.open_steps
        if count >= limit:
            raise LimitError(f"more than {limit:,} {what} are open (Limits.open_steps)")

    def _run_changed(self, event: RunEvent) -> None:
        run, known = event.run, self._run
        if ends(event.name, run.status):
            self._rest = "complete"
        elif _WAITING in (run.status, event.name.rpartition(".")[2]):
            self._rest = "paused"
        else:
            self._rest = "truncated"
        if known is not None and known.id != run.id:
            self._ledger.problem("second_run", known=known.id, said=run.id)
        elif known is not None and not is_legal(RUN_MOVES, known.status, run.status):
            self._ledger.problem("illegal_move", known=known.status, said=run.status)
        if run == known:
            return
        self._run = run
        self._ledger.changes.append(RunChanged(run))
        action = run.required_action
        waited = known is not None and known.status == _WAITING
        if action is None or run.status != _WAITING:
            return
        if not waited or known is None or known.required_action != action:
            self._ledger.changes.append(ActionRequired(run.id, action.tool_calls))

    def _thread_created(self, event: ThreadEvent) -> None:
        self._thread = event.thread

    def _server_failed(self, event: ErrorEvent) -> None:
        self._error = event.error
        self._ledger.changes.append(ServerFailed(event.error))
        self._settle("error")

    def _undecodable(self, error: PeerError) -> None:
        raise error

    def _done(self, _: DoneEvent) -> None:
        self._settle(self._rest)

    def _unknown(self, event: UnknownEvent) -> None:
        if event.data != "":  # no data, no meaning
            self._ledger.changes.append(UnknownReceived(event.name, event.data))


_WAITING: Final = "requires_action"
PART: Final = 64 * 1024

# A table keyed by type, because this is asked once a fragment.
_APPLY: Final[Mapping[type, Callable[[Accumulator, Any], None]]] = {
    RunStepDeltaEvent: Accumulator._step_delta,
    MessageDeltaEvent: Accumulator._message_delta,
    StepEvent: Accumulator._step,
    MessageEvent: Accumulator._message,
    RunEvent: Accumulator._run_changed,
    ThreadEvent: Accumulator._thread_created,
    ErrorEvent: Accumulator._server_failed,
    DoneEvent: Accumulator._done,
    UnknownEvent: Accumulator._unknown,
    DecodeError: Accumulator._undecodable,
    NestingError: Accumulator._undecodable,
    LimitError: Accumulator._undecodable,
}


def _described(error: ErrorObject | None) -> str:
    if error is None:
        return "the server sent an error event"
    code = error.code or (error.extra or {}).get("code") or error.type
    message = error.message or "the server sent an error event without a message"
    return f"{code}: {message}" if code else message


def _to_frame(frame: Any) -> Frame:
    if isinstance(frame, Frame):
        return frame
    name, data = getattr(frame, "event", None), getattr(frame, "data", None)
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if not isinstance(name, str) or not isinstance(data, bytes):
        raise UsageError(f"a frame has an event and data, which {type(frame).__name__} lacks")
    return Frame(name or "message", data)


def parts(chunk: object) -> Sequence[bytes]:
    """Cut a chunk into parts; the events of one part are held in memory together."""
    data = _to_bytes(chunk)
    return [data[start : start + PART] for start in range(0, len(data), PART)]


def _to_bytes(chunk: object) -> bytes:
    if isinstance(chunk, bytes | bytearray | memoryview):
        return bytes(chunk)
    if isinstance(chunk, str):
        raise UsageError("bytes are needed, not text: decoding it twice would spoil it")
    raise UsageError(f"bytes are needed, not {type(chunk).__name__}")
