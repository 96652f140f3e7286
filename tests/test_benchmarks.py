"""What is measured folds to what it should, so that something fast and wrong cannot win."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import accumulate, fold, follow, limit
from benchmarks.responses import CONTENDERS, body
from benchmarks.workloads import WORKLOADS, in_chunks
from streamkit import Accumulator, to_wire


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_folds_to_its_calls(name: str) -> None:
    workload = WORKLOADS[name](500)
    accumulator = Accumulator()
    for chunk in in_chunks(workload.frames):
        accumulator.feed_bytes(chunk)
    snapshot = accumulator.finish()
    (step,) = to_wire(snapshot.steps)
    assert step["step_details"]["tool_calls"] == workload.calls
    assert (snapshot.outcome, snapshot.problems) == ("complete", ())


@pytest.mark.parametrize("name", WORKLOADS)
@pytest.mark.parametrize("way", [limit, fold, accumulate, follow])
def test_each_way_takes_each_workload(name: str, way: object) -> None:
    assert callable(way)
    way(in_chunks(WORKLOADS[name](50).frames))


def test_each_contender_hears_the_whole_response() -> None:
    data = body(50)
    snapshot = Accumulator()
    snapshot.feed_bytes(data)
    step, _ = snapshot.finish().steps
    (code,) = to_wire(step)["step_details"]["tool_calls"]
    (message,) = to_wire(snapshot.messages)
    heard = (code["code_interpreter"]["input"], message["content"][0]["text"]["value"])
    assert all(heard)
    assert {name: hear(data) for name, hear in CONTENDERS.items()} == dict.fromkeys(
        CONTENDERS, heard
    )
