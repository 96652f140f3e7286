"""The inverse of the fold: a whole run, cut into the frames of a stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

from .._wire import to_wire
from ..accumulator import Accumulator
from ..errors import PeerError, UsageError
from ..recording.comparing import compare
from ..snapshots import RunSnapshot
from ..sse import Frame
from .fragments import Cutter, Size, Wire, call_items, part_items
from .responding import ENDS, frame_of, responses_of
from .states import (
    begun,
    calls_of,
    created_by,
    is_ended,
    run_before,
    started_with,
    unstarted,
    waiting_for,
)

__all__ = ["explode", "legs_of"]

Dialect: TypeAlias = Literal["assistants", "responses"]
_DIALECTS: Final[Sequence[Dialect]] = ("assistants", "responses")

_STEP: Final = "thread.run.step"
_MESSAGE: Final = "thread.message"

# The statuses that an event is named after; with any other, it is called completed.
_ENDINGS: Final = {
    _STEP: {"completed", "failed", "cancelled", "expired"},
    _MESSAGE: {"completed", "incomplete"},
}
_DONE: Final = Frame("done", b"[DONE]")

# What a leg ends with.
_LAST: Final = frozenset({"done", *(f"response.{status}" for status in ENDS)})

_HINTS: Final = {
    "open": "one that breaks off is a whole run, exploded and played with the fault Cut",
    "truncated": "one that breaks off is a whole run, exploded and played with the fault Cut",
    "error": "one that fails is a whole run, exploded and played with the fault ErrorEvent",
}


def explode(
    snapshot: RunSnapshot,
    *,
    size: Size = (1, 8),
    seed: int = 0,
    interleave: bool = False,
    legs: bool = True,
    dialect: Dialect | None = None,
    image_url: Callable[[str], str | None] | None = None,
) -> list[Frame]:
    """Cut a run, complete or paused, into a stream that the fold puts together again.

    ``accumulate(explode(run))`` equals the run in its run, steps, messages and outcome,
    and has no problems; `to_wire` shows both alike. The same arguments give the same
    frames. The events come in the order of the API: what is not in the snapshot, as the
    states before the last, is derived from it.

    Args:
        snapshot: The run: from `script`, or from a fold.
        size: How many characters of a text a fragment has; a pair of bounds, between which
            each is drawn; or None, for texts that come in one fragment.
        seed: What is drawn depends on it.
        interleave: Mix the fragments of the calls of a step, of the outputs of a call, and
            of the parts of a message; each stays in its order.
        legs: Pause where functions were called, as the API does: an HTTP stream ends with
            ``requires_action``, and their step is completed in the next (see `legs_of`).
            Otherwise all is one stream, or one response.
        dialect: ``"assistants"`` or ``"responses"``; None: the one that the run is of. A run
            of the Assistants API is told as responses by way of `to_response_items`, so it
            comes to what that gives; each leg is a response.
        image_url: Gives the URL of an image by its file id, since a response wants one; an
            image without it is left out there.

    Raises:
        UsageError: The snapshot is neither complete nor paused, or no legal stream comes
            to it; the message names the first difference.
    """
    if not isinstance(snapshot, RunSnapshot):
        raise UsageError(f"explode takes a RunSnapshot, not {type(snapshot).__name__}")
    if snapshot.outcome in _HINTS:
        raise UsageError(
            f"explode takes a run that is complete or paused, and this one's outcome is "
            f"{snapshot.outcome!r}: {_HINTS[snapshot.outcome]}"
        )
    if snapshot.run is None:
        raise UsageError("explode takes a run that is complete or paused; here is no run at all")
    cutter = Cutter(size, seed, interleave=interleave)
    own: Dialect = "responses" if snapshot.run.object == "response" else "assistants"
    if dialect is not None and dialect not in _DIALECTS:
        raise UsageError(f"a dialect is one of {', '.join(_DIALECTS)}, not {dialect!r}")
    if (dialect or own) != "assistants":
        told = responses_of(snapshot, cutter, legs=legs, image_url=image_url)
        frames = [frame for leg in told for frame in leg]
        if own == "responses":
            _check(frames, snapshot)
        return frames
    if own != "assistants":
        raise UsageError("a response is told as one: leave the dialect out")
    frames = list(_told(snapshot.outcome, to_wire(snapshot), cutter, legs=legs))
    _check(frames, snapshot)
    return frames


def legs_of(frames: Iterable[Frame]) -> list[list[Frame]]:
    """Split frames into legs: each ends with its ``done``, or with its response."""
    legs: list[list[Frame]] = [[]]
    for frame in frames:
        legs[-1].append(frame)
        if frame.event in _LAST:
            legs.append([])
    return legs if legs[-1] else legs[:-1]


# The run


def _told(outcome: str, whole: Wire, cutter: Cutter, *, legs: bool) -> Iterator[Frame]:
    run, status = whole["run"], whole["run"].get("status")
    steps = [_step(step, cutter) for step in whole["steps"]]
    messages = _Messages(whole["messages"], cutter)
    *paused, last = _in_legs(steps) if legs else [steps]
    now = unstarted(run)
    yield _frame("thread.run.created", run_before(now, "queued"))
    for leg in paused:
        yield _frame("thread.run.queued", run_before(now, "queued"))
        now = started_with(run, [step.whole for step in leg])
        yield _frame("thread.run.in_progress", run_before(now, "in_progress"))
        *others, waits = leg
        for step in others:
            yield from messages.told_with(step)
            yield from step.closing
        yield from messages.told_with(waits)
        yield _frame("thread.run.requires_action", waiting_for(now, _answered(waits.whole)))
        yield _DONE
        yield from waits.closing
    yield _frame("thread.run.queued", run_before(now, "queued"))
    yield _frame("thread.run.in_progress", run_before(run, "in_progress"))
    for step in last:
        yield from messages.told_with(step)
        yield from step.closing
    yield from messages.told()
    if status == "cancelled":
        yield _frame("thread.run.cancelling", run_before(run, "cancelling"))
    name = "requires_action" if outcome == "paused" else status if is_ended(run) else "completed"
    yield _frame(f"thread.run.{name}", run)
    yield _DONE


def _in_legs(steps: Iterable[_Telling]) -> list[list[_Telling]]:
    """Part steps after each for the outputs of whose calls the run waited."""
    legs: list[list[_Telling]] = [[]]
    for step in steps:
        legs[-1].append(step)
        if step.closing and _answered(step.whole):
            legs.append([])
    return legs


def _answered(step: Wire) -> list[Wire]:
    """Return the function calls of a step that have an output."""
    functions = [call for call in calls_of(step) if call.get("type") == "function"]
    return [each for each in functions if (each.get("function") or {}).get("output") is not None]


class _Messages:
    """The messages, told in their order, each with the step that creates it if it can be."""

    def __init__(self, wholes: Sequence[Wire], cutter: Cutter) -> None:
        self._left = deque(_message(whole, cutter) for whole in wholes)
        self._untold = {whole["id"] for whole in wholes}

    def told_with(self, step: _Telling) -> Iterator[Frame]:
        """Tell a step up to its end, and the message that it creates."""
        created = created_by(step.whole)
        if created in self._untold:
            while self._left[0].whole["id"] != created:
                yield from self._next()
            yield from step.opening
            yield from self._next()
        else:
            yield from step.opening

    def told(self) -> Iterator[Frame]:
        """Tell those that no step creates."""
        while self._left:
            yield from self._next()

    def _next(self) -> list[Frame]:
        whole, opening, closing = self._left.popleft()
        self._untold.discard(whole["id"])
        return opening + closing


# Steps and messages


class _Telling(NamedTuple):
    """A step or a message, and its frames: those while it is under way, and its end."""

    whole: Wire
    opening: list[Frame]
    closing: list[Frame]


def _step(step: Wire, cutter: Cutter) -> _Telling:
    ends = is_ended(step)
    calls = [
        call_items(call, index, cutter, ends=ends) for index, call in enumerate(calls_of(step))
    ]
    items = [
        {"step_details": {"type": "tool_calls", "tool_calls": [item]}}
        for item in cutter.mixed(calls)
    ]
    return _telling(_STEP, step, items)


def _message(message: Wire, cutter: Cutter) -> _Telling:
    parts = [
        part_items(part, index, cutter) for index, part in enumerate(message.get("content") or [])
    ]
    items = [{"content": [item]} for item in cutter.mixed(parts)]
    return _telling(_MESSAGE, message, items)


def _telling(family: str, whole: Wire, items: Iterable[Wire]) -> _Telling:
    """Choose the first way of telling that comes to the whole, from the usual to the odd."""
    ways = list(_ways(family, whole, items))
    return next((way for way in ways if _comes_to(way, family)), ways[0])


def _ways(family: str, whole: Wire, items: Iterable[Wire]) -> Iterator[_Telling]:
    before = begun(whole)
    begin = [_frame(f"{family}.created", before), _frame(f"{family}.in_progress", before)]
    name = f"{family}.delta"
    deltas = [_frame(name, {"id": whole["id"], "object": name, "delta": delta}) for delta in items]
    status = whole.get("status")
    end = [_frame(f"{family}.{status if status in _ENDINGS[family] else 'completed'}", whole)]
    if is_ended(whole):
        yield _Telling(whole, begin + deltas, end)
        yield _Telling(whole, begin, end)
    else:
        again = _frame(f"{family}.in_progress", whole)
        yield _Telling(whole, begin + deltas, [])
        yield _Telling(whole, [*begin, *deltas, again], [])
        yield _Telling(whole, [*begin, again], [])


def _comes_to(way: _Telling, family: str) -> bool:
    accumulator = Accumulator()
    try:
        for frame in (*way.opening, *way.closing):
            accumulator.feed_frame(frame)
    except PeerError:
        return False
    held = accumulator.steps if family == _STEP else accumulator.messages
    said, had = {"all": to_wire(held)}, {"all": [way.whole]}
    return not accumulator.problems and compare(said, had) is None


# Frames


def _frame(name: str, payload: Wire) -> Frame:
    return frame_of(name, payload, whose=str(payload.get("id")))


def _check(frames: Iterable[Frame], snapshot: RunSnapshot) -> None:
    """Hold the frames to what they are to come to."""
    accumulator = Accumulator()
    try:
        for frame in frames:
            accumulator.feed_frame(frame)
    except PeerError as error:
        raise UsageError(f"no stream comes to this snapshot: {error}") from error
    wanted = msgspec.structs.replace(snapshot, problems=())
    found = compare(accumulator.snapshot(), wanted)
    if found is not None:
        raise UsageError(
            f"no legal stream comes to this snapshot; the nearest one differs at {found}"
        )
