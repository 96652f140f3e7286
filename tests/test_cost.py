"""What folding costs: the same for every event, and little more memory than the text.

Work is counted in calls of functions, Python's and C's, which come out the same on every
machine and at every run.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Final

import msgspec
import pytest

from benchmarks.workloads import WORKLOADS, in_chunks
from streamkit import Accumulator, encode_frame, follow
from streamkit.sse import Frame

RUN: Final = {"id": "run_1", "object": "thread.run", "status": "in_progress"}


def calls(work: Callable[[], object]) -> int:
    """Count the calls of functions that some work makes."""
    count = 0

    def profile(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def fold(chunks: list[bytes], *, snapshots: bool = False, templates: bool = True) -> Accumulator:
    accumulator = Accumulator(templates=templates)
    for chunk in chunks:
        accumulator.feed_bytes(chunk)
        if snapshots:
            accumulator.snapshot()
    return accumulator


def steps(count: int) -> list[bytes]:
    """Many steps, each created, extended and completed, all open at once."""

    def frame(name: str, number: int, status: str, **fields: object) -> bytes:
        step = {"id": f"step_{number}", "object": "thread.run.step", "status": status}
        data = msgspec.json.encode(step | fields)
        return encode_frame(Frame(f"thread.run.step.{name}", data))

    call = {"index": 0, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    full = {"type": "tool_calls", "tool_calls": [{k: v for k, v in call.items() if k != "index"}]}
    delta = {"step_details": {"type": "tool_calls", "tool_calls": [call]}}
    numbers = range(count // 3)
    return [
        *(frame("created", number, "in_progress") for number in numbers),
        *(frame("delta", number, "in_progress", delta=delta) for number in numbers),
        *(frame("completed", number, "completed", step_details=full) for number in numbers),
    ]


STREAMS: Final[dict[str, Callable[[int], list[bytes]]]] = {
    **{
        name: lambda count, make=WORKLOADS[name]: make(count).frames  # type: ignore[misc]
        for name in ("tokens", "logs", "parallel", "mixed")
    },
    "steps": steps,
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("whole", [True, False], ids=["chunks", "a frame a chunk"])
def test_an_event_costs_the_same_however_long_the_stream(name: str, *, whole: bool) -> None:
    def cost(count: int) -> int:
        frames = STREAMS[name](count)
        chunks = in_chunks(frames) if whole else frames
        return calls(lambda: fold(chunks, templates=not whole))

    cost(10)  # what is set up once
    first, second, third = cost(600), cost(1200), cost(1800)
    assert abs((third - second) - (second - first)) <= 0.01 * (second - first)


@pytest.mark.parametrize("name", STREAMS)
def test_what_is_read_together_costs_no_more_in_a_longer_stream(name: str) -> None:
    def cost(count: int) -> int:
        chunks = in_chunks(STREAMS[name](count))
        return calls(lambda: fold(chunks))

    cost(10)
    # Some calls are made once a chunk, and not all chunks hold as many events.
    first, second, third = cost(4000), cost(8000), cost(12000)
    assert third - second <= 1.05 * (second - first)


@pytest.mark.parametrize("name", STREAMS)
def test_reading_a_snapshot_after_every_event_costs_what_changed(name: str) -> None:
    def cost(count: int) -> int:
        frames = STREAMS[name](count)
        return calls(lambda: fold(frames, snapshots=True))

    cost(10)
    first, second, third = cost(600), cost(1200), cost(1800)
    # A place in a row is found by bisection, whose cost C does not count.
    assert abs((third - second) - (second - first)) <= 0.01 * (second - first)


def test_following_costs_the_same_however_long_the_stream() -> None:
    def cost(count: int) -> int:
        chunks = in_chunks(WORKLOADS["tokens"](count).frames)
        return calls(lambda: sum(1 for _ in follow(chunks)))

    cost(10)
    first, second, third = cost(600), cost(1200), cost(1800)
    assert abs((third - second) - (second - first)) <= 0.01 * (second - first)


@pytest.mark.parametrize("name", ["tokens", "parallel", "logs"])
def test_memory_is_bounded_by_what_is_held(name: str) -> None:
    workload = WORKLOADS[name](4000 if name == "logs" else 40_000)
    chunks = in_chunks(workload.frames, 4096)
    fold(chunks[:2])
    gc.collect()
    tracemalloc.start()
    try:
        accumulator = fold(chunks)
        snapshot = accumulator.snapshot()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert snapshot.outcome == "complete"
    # The changes and events of one chunk are alive together, at some 25 to a chunk.
    assert peak <= 3 * workload.text + 1024 * workload.parts + 64 * 1024
