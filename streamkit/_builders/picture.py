"""The whole picture of a run, growing."""

from __future__ import annotations

from typing import Final

from .._lifecycle import RUN_MOVES, ends, is_legal
from ..changes import (
    ActionRequired,
    MessageOpened,
    RunChanged,
    ServerFailed,
    StepOpened,
    StreamEnded,
    UnknownReceived,
)
from ..deltas import MessageDeltaEvent, RunStepDeltaEvent
from ..errors import LimitError
from ..events import (
    CallEvent,
    ContentEvent,
    DoneEvent,
    ErrorEvent,
    MessageEvent,
    ReasoningEvent,
    RunEvent,
    StepEvent,
    ThreadEvent,
    UnknownEvent,
)
from ..snapshots import ErrorObject, Message, Outcome, Run, RunSnapshot, RunStep, Thread
from .calls import Call
from .ledger import Ledger
from .messages import MessageNode
from .row import Row
from .steps import Step

__all__ = ["Picture", "is_empty"]

_WAITING: Final = "requires_action"


def is_empty(event: object) -> bool:
    """Whether an event came without data, and so means nothing."""
    return type(event) is UnknownEvent and event.data == ""


class Picture:
    """A run with all that belongs to it, as it stands: what each event does to it.

    Attributes:
        outcome: How the leg stands.
        rest: What the leg comes to if it ends here.
        error: What the server said of its failure, if it did fail in this leg.
        unknown: The name of the first event that was unknown.
    """

    __slots__ = (
        "_items",
        "_ledger",
        "_messages",
        "_open_messages",
        "_open_steps",
        "_place",
        "_steps",
        "error",
        "message_row",
        "outcome",
        "rest",
        "run",
        "step_row",
        "thread",
        "unknown",
    )

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._steps: dict[str, Step] = {}
        self._messages: dict[str, MessageNode] = {}
        self._open_steps = 0
        self._open_messages = 0
        self.thread: Thread | None = None
        self.run: Run | None = None
        self.step_row: Row[Step] = Row()
        self.message_row: Row[MessageNode] = Row()
        self.outcome: Outcome = "open"
        self.rest: Outcome = "truncated"
        self.error: ErrorObject | None = None
        self.unknown: str | None = None
        self._items: dict[int, str] = {}  # what they are called, by their places
        self._place: int | None = None  # of the item that is spoken of

    def freeze(self) -> RunSnapshot:
        """Return what it is now."""
        steps, messages = self.step_row.freeze(), self.message_row.freeze()
        return RunSnapshot(self.run, steps, messages, self.outcome, self._ledger.problems)

    # Legs

    def begin_leg(self) -> None:
        """Go on with the next leg."""
        self.outcome = "open"
        self.rest = "truncated"
        self.error = None

    def end_leg(self, outcome: Outcome) -> None:
        """Settle the leg, and tell what was held back in the hope of more."""
        if self._ledger.held:
            self._flush()
        self.outcome = outcome
        self._ledger.changes.append(StreamEnded(outcome))

    def _flush(self) -> None:
        self._ledger.held = False
        for step in self._steps.values():
            self.step_row.touch(step)
            step.flush()
        for message in self._messages.values():
            self.message_row.touch(message)
            message.flush()

    # Events

    def growing_call(self, id: str, index: int, kind: str) -> Call | None:
        """Return the call of a step that may grow as they are, and note that they do."""
        step = self._steps.get(id)
        if step is None or step.done:
            return None
        call = step.calls.nodes.get(index)
        if call is None or call.type != kind or call.done:
            return None
        if not (step.stale and call.stale):
            self.step_row.touch(step)
            step.calls.touch(call)
        return call

    def growing_message(self, id: str) -> MessageNode | None:
        """Return a message that may grow as it is, and note that it does."""
        message = self._messages.get(id)
        if message is None or message.done:
            return None
        if not message.stale:
            self.message_row.touch(message)
        return message

    def step_delta(self, event: RunStepDeltaEvent) -> None:
        """Take a fragment of a step."""
        step = self._steps.get(event.id)
        if step is None or not step.stale:
            step = self._step_of(event.id)
        if event.delta is not None:
            if step.done:
                self._open_steps += 1
                step.reopen()
            step.extend(event.delta)

    def message_delta(self, event: MessageDeltaEvent) -> None:
        """Take a fragment of a message."""
        message = self._messages.get(event.id)
        if message is None or not message.stale:
            message = self._message_of(event.id)
        if event.delta is not None:
            if message.done:
                self._open_messages += 1
            message.extend(event.delta)

    def step(self, event: StepEvent) -> None:
        """Take a whole step."""
        full = event.step
        known = self._steps.get(full.id)
        step = self._open_step(full) if known is None else known
        self.step_row.touch(step)
        was_done = step.done
        step.settle(full, final=ends(event.name, full.status), opened=known is None)
        self._open_steps += was_done - step.done

    def message(self, event: MessageEvent) -> None:
        """Take a whole message."""
        full = event.message
        message = self._messages.get(full.id)
        if message is None:
            message = self._open_message(full)
        self.message_row.touch(message)
        was_done = message.done
        message.settle(full, final=ends(event.name, full.status))
        self._open_messages += was_done - message.done

    @property
    def _item(self) -> str:
        """The id of the item that is spoken of, where its place tells."""
        return "" if self._place is None else self._items.get(self._place, "")

    def _step_of(self, id: str) -> Step:
        """Return the step that is to change: by its id, or by its place in the output."""
        step = self._steps.get(id) or self._steps.get(self._item)
        if step is None:
            id = id or f"output[{self._place}]"
            self._ledger.problem("unknown_step", step_id=id)
            step = self._open_step(RunStep(id=id))
        self.step_row.touch(step)
        return step

    def _message_of(self, id: str) -> MessageNode:
        """Return the message that is to change, as `_step_of` does."""
        message = self._messages.get(id) or self._messages.get(self._item)
        if message is None:
            id = id or f"output[{self._place}]"
            self._ledger.problem("unknown_step", message_id=id)
            message = self._open_message(Message(id=id))
        self.message_row.touch(message)
        return message

    def _open_step(self, step: RunStep) -> Step:
        self._check_open(self._open_steps, "steps")
        self._open_steps += 1
        node = self._steps[step.id] = Step(self._ledger, step, len(self._steps))
        self.step_row.put(node)
        self._ledger.changes.append(StepOpened(step))
        return node

    def _open_message(self, message: Message) -> MessageNode:
        self._check_open(self._open_messages, "messages")
        self._open_messages += 1
        node = MessageNode(self._ledger, message, len(self._messages))
        self._messages[message.id] = node
        self.message_row.put(node)
        self._ledger.changes.append(MessageOpened(message))
        return node

    def _check_open(self, count: int, what: str) -> None:
        limit = self._ledger.limits.open_steps
        if count >= limit:
            raise LimitError(f"more than {limit:,} {what} are open (Limits.open_steps)")

    def run_changed(self, event: RunEvent) -> None:
        """Take the whole run."""
        run, known = event.run, self.run
        if ends(event.name, run.status):
            self.rest = "complete"
        elif _WAITING in (run.status, event.name.rpartition(".")[2]):
            self.rest = "paused"
        else:
            self.rest = "truncated"
        if known is not None and known.id != run.id:
            self._ledger.problem("second_run", known=known.id, said=run.id)
        elif known is not None and not is_legal(RUN_MOVES, known.status, run.status):
            self._ledger.problem("illegal_move", known=known.status, said=run.status)
        if run == known:
            return
        self.run = run
        self._ledger.changes.append(RunChanged(run))
        action = run.required_action
        waited = known is not None and known.status == _WAITING
        if action is None or run.status != _WAITING:
            return
        if not waited or known is None or known.required_action != action:
            self._ledger.changes.append(ActionRequired(run.id, action.tool_calls))

    def reasoning(self, event: ReasoningEvent) -> None:
        """Take some of the reasoning of a step."""
        step = self._step_of(event.id)
        if step.done and not event.whole:
            self._open_steps += 1
            step.reopen()
        step.reason(event)

    def call(self, event: CallEvent) -> None:
        """Take a text of a call, whole."""
        self._step_of(event.id).settle_call(event.call)

    def content(self, event: ContentEvent) -> None:
        """Take a part of a message, whole."""
        self._message_of(event.id).settle_part(event.index, event.part)

    def thread_created(self, event: ThreadEvent) -> None:
        """Take the thread."""
        self.thread = event.thread

    def failed(self, event: ErrorEvent) -> None:
        """Take the failure that ends the leg."""
        self.error = event.error
        self._ledger.changes.append(ServerFailed(event.error))
        self.end_leg("error")

    def done(self, _: DoneEvent) -> None:
        """Take the end of the leg."""
        self.end_leg(self.rest)

    def unknown_event(self, event: UnknownEvent) -> None:
        """Take what has no meaning here."""
        if not is_empty(event):
            self.unknown = self.unknown or event.name
            self._ledger.changes.append(UnknownReceived(event.name, event.data))
