"""The strategies draw what they say, and all of what they say."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final, cast

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import Frame, RunSnapshot, UsageError, accumulate, to_wire
from streamkit.testing import faults as kinds
from streamkit.testing.building import code_interpreter, function_call, script, step
from streamkit.testing.exploding import explode, legs_of
from streamkit.testing.strategies import cuttings, faults, snapshots, streams
from streamkit.testing.wire import snapshot_from_wire

SEARCH: Final = settings(
    database=None,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def drawn(strategy: SearchStrategy[Any], count: int) -> list[Any]:
    """Draw so many values, the same ones every time."""
    values: list[Any] = []

    @settings(SEARCH, max_examples=count)
    @given(strategy)
    def draw(value: Any) -> None:
        values.append(value)

    draw()
    return values


# Runs and streams

SHOWN: Final = [
    *(
        f'"type": "{kind}"'
        for kind in (
            *("code_interpreter", "logs", "image", "html", "function", "file_search", "mcp"),
            *("openapi", "activities", "message_creation", "text", "refusal", "image_file"),
            *("image_url", "audio", "file_citation", "file_path", "url_citation"),
        )
    ),
    *(f'"{name}": null' for name in ("output", "usage", "outputs", "content")),
    *(f'"status": "{name}"' for name in ("completed", "failed", "cancelled", "expired", "new")),
    '"outcome": "complete"',
    '"outcome": "paused"',
    '"new": ',
    "😀",
]


def test_runs_hold_everything_that_there_is() -> None:
    unseen = set(SHOWN)

    def is_enough(run: RunSnapshot) -> bool:
        wire = json.dumps(to_wire(run), ensure_ascii=False)
        unseen.difference_update([shown for shown in unseen if shown in wire])
        return not unseen

    # What is rare may take a few hundred runs; how many, depends on the version of hypothesis.
    find(snapshots(), is_enough, settings=settings(SEARCH, max_examples=4000))


@given(snapshots())
def test_runs_are_legal_and_at_rest(run: RunSnapshot) -> None:
    assert run.outcome in ("complete", "paused")
    assert run.problems == ()
    assert snapshot_from_wire(to_wire(run)) == run
    assert accumulate(explode(run)) == run


@given(snapshots(max_steps=1))
def test_runs_are_no_longer_than_was_asked_for(run: RunSnapshot) -> None:
    assert max(len(run.steps), len(run.messages)) <= 1


def test_streams_have_legs_and_mixed_calls() -> None:
    lengths = Counter(len(legs_of(frames)) for frames in drawn(streams(), 120))
    assert lengths[1] > lengths[2] > 1
    run = script(step(code_interpreter("a" * 20), code_interpreter("b" * 20)), "c" * 20)
    frames = {tuple(each) for each in drawn(streams(st.just(run)), 60)}
    assert len(frames) > 30
    assert {accumulate(list(each)) == run for each in frames} == {True}


@given(streams(st.just(script(function_call("f", output=1), "Done."))))
def test_streams_of_one_run(frames: list[Frame]) -> None:
    run: Any = accumulate(frames)
    assert run.messages[0].content[0].text.value == "Done."


# Bytes


@given(st.binary(max_size=40).flatmap(lambda body: st.tuples(st.just(body), cuttings(body))))
def test_cut_bytes_are_the_bytes(drawn_ones: tuple[bytes, list[bytes]]) -> None:
    body, chunks = drawn_ones
    assert b"".join(chunks) == body


def test_bytes_come_whole_one_by_one_and_in_chunks_some_of_them_empty() -> None:
    ways = [tuple(map(len, chunks)) for chunks in drawn(cuttings(b"0123456789"), 200)]
    assert (10,) in ways
    assert (1,) * 10 in ways
    assert any(0 in way for way in ways)
    assert any(3 in way for way in ways)


# Faults

STREAM_FAULTS: Final = [kind for kind in kinds.FAULTS.values() if kind is not kinds.Status]


def test_faults_are_of_every_kind_that_befalls_a_stream() -> None:
    found = Counter(type(fault) for fault in drawn(faults(), 400))
    assert set(found) == set(STREAM_FAULTS)


@pytest.mark.parametrize("kind", kinds.FAULTS.values())
def test_faults_of_one_kind(kind: Any) -> None:
    found = drawn(faults(kind), 60)
    assert {type(fault) for fault in found} == {kind}
    assert len(set(map(str, found))) > 5
    for field in set(kind.__struct_fields__) - {"operation", "body", "headers", "type"}:
        assert len({repr(getattr(fault, field)) for fault in found}) > 1, field


@given(faults(*kinds.FAULTS.values()))
def test_faults_can_be_written_down(fault: Any) -> None:
    assert kinds.parse_fault(str(fault)) == fault


def test_a_stall_is_short() -> None:
    assert all(fault.seconds <= 0.01 for fault in drawn(faults(kinds.Stall), 60))


def test_what_is_no_fault() -> None:
    with pytest.raises(UsageError, match="there are Cut, Stall"):
        faults(cast("Any", int))
