"""What is measured is right, so that something fast and wrong cannot win."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from benchmarks.contenders import callbacks, changes, limit, snapshots
from benchmarks.workloads import CHUNK, WORKLOADS
from streamkit import Accumulator, FrameDecoder
from streamkit.sse import Frame

every_workload = pytest.mark.parametrize("name", WORKLOADS)


@every_workload
@pytest.mark.parametrize("contender", [changes, callbacks, snapshots])
def test_streamkit_folds_what_it_claims_to(name: str, contender: Any) -> None:
    workload = WORKLOADS[name](400)
    assert name in contender.FOLDS
    assert contender.told(contender.fold(workload.chunks)) == workload.expected


@every_workload
def test_a_workload_is_a_whole_run_without_contradictions(name: str) -> None:
    accumulator = Accumulator(strict=True)
    for chunk in WORKLOADS[name](400).chunks:
        accumulator.feed_bytes(chunk)
    assert accumulator.finish().outcome == "complete"


@every_workload
def test_a_workload_is_always_the_same(name: str) -> None:
    assert WORKLOADS[name](400) == WORKLOADS[name](400)
    assert WORKLOADS[name](400).name == name


@every_workload
def test_chunks_and_plain_chunks_say_the_same(name: str) -> None:
    workload = WORKLOADS[name](4_000)

    def frames(chunks: list[bytes]) -> list[Frame]:
        decoder = FrameDecoder()
        said = [(each.event, each.data) for chunk in chunks for each in decoder.feed(chunk)]
        assert decoder.finish() == b""
        return [Frame(*each) for each in said]

    assert frames(workload.chunks) == frames(workload.plain) == frames(workload.frames)
    assert b"\r" not in b"".join(workload.plain)
    assert {len(chunk) for chunk in workload.plain[:-1]} == {CHUNK}


def test_how_each_workload_is_cut() -> None:
    cuts = {
        name: {len(each) for each in make(8_000).chunks[:-1]} for name, make in WORKLOADS.items()
    }
    assert cuts.pop("hostile") == {1}
    frames = WORKLOADS["frames"](8_000)
    assert frames.chunks == frames.frames
    assert cuts.pop("frames") == {len(frame) for frame in frames.frames[:-1]}
    assert cuts == {name: {CHUNK} for name in cuts}


def _held(name: str, count: int) -> tuple[int, int]:
    """Return how long the texts of a folded workload are, and how many parts it has."""
    snapshot: Any = changes.fold(WORKLOADS[name](count).chunks)
    calls = [
        call for step in snapshot.steps for call in getattr(step.step_details, "tool_calls", ())
    ]

    def texts() -> Iterator[str | None]:
        for call in calls:
            if call.type == "function":
                yield from (call.function.arguments, call.function.output)
            else:
                yield call.code_interpreter.input
                yield from (getattr(each, "logs", "") for each in call.code_interpreter.outputs)
        for message in snapshot.messages:
            yield from (part.text.value for part in message.content)

    outputs = sum(len(call.code_interpreter.outputs) for call in calls if call.type != "function")
    return sum(len((text or "").encode()) for text in texts()), len(calls) + outputs


@every_workload
def test_a_workload_knows_how_large_it_is(name: str) -> None:
    workload = WORKLOADS[name](400)
    deltas = [frame for frame in workload.frames if b"delta\ndata: " in frame]
    assert workload.events == len(deltas)
    assert (workload.text, workload.parts) == _held(name, 400)


@every_workload
def test_the_limit_decodes_everything_but_done(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def watched(decode: Callable[[bytes], object]) -> Callable[[bytes], object]:
        def watch(data: bytes) -> object:
            decoded = decode(data)
            seen.append(type(decoded).__name__)
            return decoded

        return watch

    table = {head: watched(decode) for head, decode in limit._DECODERS.items()}
    monkeypatch.setattr(limit, "_DECODERS", table)
    monkeypatch.setattr(limit, "_WHOLE", watched(limit._WHOLE))
    workload = WORKLOADS[name](400)
    limit.fold(workload.plain)
    done = sum(frame.startswith(b"event: done") for frame in workload.frames)
    whole = len(workload.frames) - workload.events - done
    assert (seen.count("bytes"), seen.count("dict"), len(seen)) == (
        done,
        whole,
        len(workload.frames),
    )
    deltas = {"RunStepDeltaEvent", "MessageDeltaEvent", "ResponseDeltaEvent"}
    assert set(seen) - {"bytes", "dict"} <= deltas
