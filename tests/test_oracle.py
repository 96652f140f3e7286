"""The fold, held to a slow and obvious one, on streams that nobody thought of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from streamkit import Accumulator, Frame, PeerError, UsageError, to_wire
from tests.fold_promise import Promise
from tests.folding import fold
from tests.legal import PIECES, Oracle, legal, pruned, whole
from tests.streams import (
    body,
    frame,
)


@settings(max_examples=250)
@given(legal())
def test_the_fold_agrees_with_the_oracle(drawn: tuple[list[Frame], Oracle]) -> None:
    frames, oracle = drawn
    promise = Promise()
    told = [change for each in frames for change in promise.feed(each)]
    assert promise.end() == []
    snapshot = promise.accumulator.finish()
    assert snapshot.problems == ()
    shown = {whole_["id"]: whole_ for whole_ in to_wire([*snapshot.steps, *snapshot.messages])}
    assert pruned(shown) == pruned(whole(oracle.wholes))
    at_once = fold([body(frames)])
    assert (at_once.changes, at_once.snapshot) == (told, snapshot)


# Junk

WORDS: Final = st.sampled_from(
    [
        *["id", "index", "type", "delta", "step_details", "tool_calls", "code_interpreter"],
        *["outputs", "logs", "image", "file_id", "function", "arguments", "output", "name"],
        *["file_search", "results", "mcp", "content", "text", "value", "annotations", "refusal"],
        *["image_file", "status", "completed", "in_progress", "message_creation", "message_id"],
        *["required_action", "submit_tool_outputs", "requires_action", "object", "event", "data"],
        *["step_1", "msg_1", "run_1", "error", "usage", "failed", "new", ""],
    ]
)
SCALARS: Final = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 3), WORDS, PIECES, st.floats(), st.just(2**70)
)
JUNK: Final = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
EVENTS: Final = st.sampled_from(
    [
        *[f"thread.run.step.{name}" for name in ("created", "in_progress", "delta", "completed")],
        *[f"thread.message.{name}" for name in ("created", "in_progress", "delta", "completed")],
        *[f"thread.run.{name}" for name in ("queued", "requires_action", "completed")],
        *["thread.created", "thread.run.step.failed", "error", "done", "message", "new"],
    ]
)


def swapped(draw: st.DrawFn, value: Any) -> Any:
    """Put junk in a random place of a value, or leave out what was there."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 5)) == 0:
        return draw(JUNK)
    names: Sequence[Any] = list(value) if isinstance(value, dict) else range(len(value))
    name = draw(st.sampled_from(names))
    changed = value.copy()
    if draw(st.integers(0, 4)) == 0:
        del changed[name]
    else:
        changed[name] = swapped(draw, value[name])
    return changed


@st.composite
def spoilt(draw: st.DrawFn) -> list[Frame]:
    """Draw a legal stream, with junk in some of it, and some of it again or left out."""
    frames, _ = draw(legal())
    frames = draw(st.lists(st.sampled_from(frames), max_size=2 * len(frames))) or frames
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(frames) - 1))
        if frames[at].data.startswith(b"{"):
            payload = swapped(draw, json.loads(frames[at].data))
            frames[at] = frame(draw(st.just(frames[at].event) | EVENTS), payload)
    return frames


NOISE: Final = st.lists(st.builds(frame, EVENTS, JUNK), max_size=8)


def survived(chunks: Iterable[bytes]) -> tuple[list[object], str | None]:
    """Fold anything, and say all that was told and what was raised."""
    accumulator, told = Accumulator(), list[object]()
    raised = None
    try:
        for each in chunks:
            told += accumulator.feed_bytes(each)
        told += accumulator.end()
    except (PeerError, UsageError) as error:
        told += getattr(error, "changes", [])
        raised = repr(error)
    return [*told, *accumulator.end()], raised


@settings(max_examples=250)
@given(spoilt() | NOISE)
def test_junk_breaks_no_promise(frames: list[Frame]) -> None:
    promise = Promise()
    for each in frames:
        try:
            promise.feed(each)
        except UsageError:
            break
    promise.end()
    data = body(frames)
    assert survived([data]) == survived(data[at : at + 1] for at in range(len(data)))


@given(st.lists(st.binary(max_size=30) | st.sampled_from([b"data: ", b"\n\n", b"{", b"[DONE]"])))
def test_any_bytes_break_nothing_else(chunks: list[bytes]) -> None:
    assert survived(chunks) == survived([b"".join(chunks)])
