"""Strategies for hypothesis: runs, streams of them, ways to cut bytes, and faults.

    from hypothesis import given
    from streamkit.testing.strategies import streams

    @given(streams())
    def test_the_chat_shows_every_run(frames):
        chat = Chat()
        for frame in frames:
            chat.take(frame)
        assert chat.is_at_rest

This module needs hypothesis, and nothing else of the library does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..errors import UsageError
from ..snapshots import RunSnapshot
from ..sse import Frame
from . import drawing
from .exploding import explode
from .faults import (
    Corrupt,
    Crlf,
    Cut,
    Drop,
    Duplicate,
    ErrorEvent,
    Fault,
    Keepalives,
    Reorder,
    Split,
    Stall,
    Status,
)
from .fragments import Size
from .wire import snapshot_from_wire

__all__ = ["cuttings", "faults", "snapshots", "streams"]


@st.composite
def snapshots(draw: st.DrawFn, *, max_steps: int = 4) -> RunSnapshot:
    """Draw runs that a legal stream can come to, complete or paused.

    They hold every kind of step, call, output and part of a message, known and unknown;
    fields that are there, null or absent; and new ones. Calls of functions have outputs, or
    wait for them.

        @given(snapshots())
        def test_a_run_can_be_stored(run):
            assert load(store(run)) == run

    Args:
        draw: Given by hypothesis.
        max_steps: How many steps, and how many messages, a run has at most.
    """
    waits = draw(st.booleans())
    step_count, message_count = draw(st.tuples(*[st.integers(0, max_steps)] * 2))
    steps = [
        draw(drawing.steps(f"step_{rank}", waits=waits and rank == step_count))
        for rank in range(1, step_count + 1)
    ]
    messages = [draw(drawing.messages(f"msg_{rank}")) for rank in range(1, message_count + 1)]
    whole = {"run": draw(drawing.runs(waits=waits)), "steps": steps, "messages": messages}
    return snapshot_from_wire(whole | {"outcome": "paused" if waits else "complete"})


def streams(runs: SearchStrategy[RunSnapshot] | None = None) -> SearchStrategy[list[Frame]]:
    """Draw legal streams: runs, cut into fragments of any size, interleaved, with their legs.

        @given(streams(st.just(script("Hello!"))))
        def test_a_greeting_is_shown_however_it_comes(frames):
            assert shown(frames) == "Hello!"

    Args:
        runs: The runs to cut; without them, any of `snapshots`.
    """
    pairs = st.tuples(st.integers(1, 4), st.integers(4, 12))
    size: SearchStrategy[Size] = st.none() | st.integers(1, 9) | pairs
    return st.builds(
        explode,
        snapshots() if runs is None else runs,
        size=size,
        seed=st.integers(0, 2**16),
        interleave=st.booleans(),
        legs=st.booleans(),
    )


def cuttings(body: bytes) -> SearchStrategy[list[bytes]]:
    """Draw ways in which bytes may arrive: whole, one by one, in chunks, some of them empty.

        @given(st.data())
        def test_the_chunks_do_not_matter(data):
            assert read(data.draw(cuttings(BODY))) == read([BODY])

    Args:
        body: The bytes; joined, the chunks are these again.
    """
    places = st.lists(st.integers(0, len(body)), max_size=12)
    return st.one_of(
        st.just([body]),
        st.just([body[at : at + 1] for at in range(len(body))]),
        places.map(lambda drawn: _cut(body, sorted(drawn))),
    )


def _cut(body: bytes, places: Sequence[int]) -> list[bytes]:
    pairs = zip([0, *places], [*places, len(body)], strict=True)
    return [body[start:end] for start, end in pairs]


def faults(*kinds: type[Fault]) -> SearchStrategy[Fault]:
    """Draw faults of these kinds; without them, of any kind that befalls a stream.

    A `Stall` is short. A `Status` is drawn only where it is asked for.

        @given(faults(Cut, ErrorEvent))
        def test_the_chat_offers_to_try_again(fault):
            assert "Try again" in shown(Stream(RUN, faults=[fault]))

    Args:
        kinds: `Cut`, `Drop`, … of `streamkit.testing`.

    Raises:
        UsageError: One of them is no kind of fault.
    """
    known = _faults()
    for kind in kinds:
        if kind not in known:
            names = ", ".join(each.__name__ for each in known)
            raise UsageError(f"{kind!r} is no kind of fault that can be drawn; there are {names}")
    chosen = kinds or [kind for kind in known if kind.word != "status"]
    return st.one_of([known[kind] for kind in chosen])


@cache
def _faults() -> Mapping[type[Fault], SearchStrategy[Fault]]:
    counts = st.integers(0, 40)
    leg: dict[str, Any] = {"leg": st.sampled_from([0, 0, 1, None]), "seed": st.integers(0, 2**16)}
    at = {"frames": st.none() | counts, "bytes": st.none() | st.integers(0, 4000)}
    inside = {"frames": counts, "inside": st.booleans()}
    some = st.sampled_from([0.0, 0.1, 0.5, 1.0])
    which = (st.lists(counts, max_size=3).map(tuple), st.none()), (st.just(()), some)

    def chosen(kind: Callable[..., Fault]) -> SearchStrategy[Fault]:
        return st.one_of([st.builds(kind, frames=f, share=s, **leg) for f, s in which])

    ends = st.sampled_from(["end", "abort"])
    blinks = st.floats(0, 0.01)
    said = {"message": drawing.TEXTS, "code": st.none() | drawing.WORDS}

    def stop(kind: Callable[..., Fault], **fields: SearchStrategy[Any]) -> SearchStrategy[Fault]:
        return st.one_of([st.builds(kind, **place, **fields, **leg) for place in (at, inside)])

    return {
        Cut: stop(Cut, how=ends),
        Stall: stop(Stall, seconds=blinks),
        ErrorEvent: st.builds(ErrorEvent, **said, **at, **leg),
        **{kind: chosen(kind) for kind in (Drop, Duplicate, Reorder, Corrupt)},
        Split: st.builds(Split, size=st.integers(1, 40), **leg),
        Crlf: st.builds(Crlf, **leg),
        Keepalives: st.builds(Keepalives, every=st.integers(1, 5), **leg),
        Status: st.builds(
            Status,
            status=st.sampled_from([400, 401, 404, 409, 429, 500, 502, 503]),
            times=st.none() | st.integers(1, 3),
            retry_after=st.none() | st.just(0.0),
            abort=st.booleans(),
            effect=st.booleans(),
        ),
    }
