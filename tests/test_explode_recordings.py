"""`explode` is the inverse of the fold for recorded runs, and tells them as they were told."""

from __future__ import annotations

import itertools
import json
from typing import Any, Final

import pytest

from streamkit import Accumulator, RunSnapshot, accumulate
from streamkit.testing.exploding import explode, legs_of
from tests.fold_promise import Promise
from tests.recorded import OTHERS, OWN, STREAMS, came_to, every, read

WAYS: Final[list[dict[str, Any]]] = [
    {},
    {"size": None, "interleave": True},
    {"size": 1, "seed": 7, "interleave": True},
    {"size": (2, 30), "legs": False},
]


def at_rest(name: str) -> bool:
    """Whether a run is complete or paused, by a reader that knows nothing of this library."""
    return name in STREAMS and came_to(read(STREAMS[name][-1])) in ("complete", "paused")


NAMES: Final = [*filter(at_rest, OWN), *(each for each in every(OTHERS) if at_rest(str(each)))]


def folded(name: str) -> RunSnapshot:
    accumulator = Accumulator()
    for leg in STREAMS[name]:
        accumulator.feed_bytes(leg)
    return accumulator.finish()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ways", WAYS, ids=str)
def test_the_fold_puts_together_what_was_cut(name: str, ways: dict[str, Any]) -> None:
    run = folded(name)
    promise = Promise()
    for frame in explode(run, **ways):
        promise.feed(frame)
    again = promise.accumulator.finish()
    assert (again.run, again.steps, again.messages) == (run.run, run.steps, run.messages)
    assert (again.outcome, again.problems) == (run.outcome, ())


@pytest.mark.parametrize("name", NAMES)
def test_all_of_it_equals_where_the_server_did_not_contradict_itself(name: str) -> None:
    run = folded(name)
    assert (accumulate(explode(run)) == run) == (not run.problems)


# What differs, and cannot be known from the end of a run.
UNTOLD: Final = {
    "litellm": "it sends no nulls, and its name of the end is another",
    "mcp-approval": "what waits for an approval looks in the end like any other call",
    "azure-agents/mcp_tool": "it sends a step.created twice",
    "ruby-openai/runs_streamed_create": "it names the end of a run against its status",
    "simple-openai/threads_runs_submittool_stream_2": "it is the second leg of a run",
}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in UNTOLD])
def test_events_come_in_the_order_in_which_they_came(name: str) -> None:
    bodies = STREAMS[name]
    legs = legs_of(explode(folded(name)))
    assert len(legs) == len(bodies)
    for leg, body in zip(legs, bodies, strict=True):
        told = [event for event, _ in read(body) if event != "thread.created"]
        assert once([frame.event for frame in leg]) == once(told)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in UNTOLD])
def test_whole_objects_are_those_that_came(name: str) -> None:
    told = [
        json.loads(data)
        for leg in STREAMS[name]
        for event, data in read(leg)
        if is_whole(event) and event != "thread.created"
    ]
    derived = [json.loads(frame.data) for frame in explode(folded(name)) if is_whole(frame.event)]
    for value in told + derived:
        value.pop("started_at", None)  # only the last leg's is known in the end
    assert derived == told


def once(names: list[str]) -> list[str]:
    return [name for name, _ in itertools.groupby(names)]


def is_whole(event: str) -> bool:
    return event != "done" and not event.endswith(".delta")
