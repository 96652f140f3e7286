"""The limits, each to the last unit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

import pytest

from streamkit import (
    Accumulator,
    Frame,
    LimitError,
    Limits,
    NestingError,
    PeerError,
    RunSnapshot,
    UsageError,
)
from tests.streams import (
    body,
    code,
    frame,
    logs,
    message_completed,
    message_created,
    message_delta,
    ran,
    step_completed,
    step_created,
    step_delta,
    text,
)

CREATED: Final = step_created()


def nested(levels: int) -> Frame:
    return Frame("ping", b'{"a":' * levels + b"1" + b"}" * levels)


def long(size: int) -> Frame:
    """Build a frame of so many bytes, but for the blank line that ends it."""
    bare = len(body([frame("ping", "")])) - 2
    return frame("ping", "a" * (size - bare))


def at(build: Callable[[int], Frame]) -> Callable[[int], list[Frame]]:
    return lambda size: [CREATED, message_created(), build(size)]


LIMITS: Final = [
    pytest.param(Limits(frame_bytes=500), lambda size: [CREATED, long(size)], 500, id="frame"),
    pytest.param(Limits(depth=20), lambda size: [nested(size)], 20, id="depth"),
    pytest.param(
        Limits(open_steps=7),
        lambda size: [step_created(f"step_{number}") for number in range(size)],
        7,
        id="steps",
    ),
    pytest.param(
        Limits(open_steps=7),
        lambda size: [step_delta(f"step_{number}", code(0, "a")) for number in range(size)],
        7,
        id="steps unknown",
    ),
    pytest.param(
        Limits(open_steps=7),
        lambda size: [message_created(f"msg_{number}") for number in range(size)],
        7,
        id="messages",
    ),
    *(
        pytest.param(Limits(index_gap=9), at(build), 9, id=f"index of {name}")
        for name, build in {
            "a call": lambda size: step_delta("step_1", code(size, "a")),
            "an output": lambda size: step_delta("step_1", ran(0, logs(size, "a"))),
            "a part": lambda size: message_delta("msg_1", text(size, "a")),
            "an annotation": lambda size: message_delta(
                "msg_1", text(0, "a", {"index": size, "type": "file_path", "text": "b"})
            ),
        }.items()
    ),
]


@pytest.mark.parametrize(("limits", "build", "size"), LIMITS)
def test_a_limit_holds_to_the_last_unit(
    limits: Limits, build: Callable[[int], list[Frame]], size: int
) -> None:
    accumulator = Accumulator(limits=limits)
    accumulator.feed_bytes(body(build(size)))
    before = accumulator.snapshot()
    accumulator = Accumulator(limits=limits)
    with pytest.raises(LimitError, match="Limits") as caught:
        accumulator.feed_bytes(body(build(size + 1)))
    assert isinstance(caught.value, PeerError)
    assert caught.value.snapshot == accumulator.snapshot()
    assert len(accumulator.steps) == len(before.steps)
    with pytest.raises(UsageError):
        accumulator.feed_frame(CREATED)


@pytest.mark.parametrize(("limits", "build", "size"), LIMITS)
def test_a_limit_holds_however_the_bytes_are_cut(
    limits: Limits, build: Callable[[int], list[Frame]], size: int
) -> None:
    for excess in (0, 1):
        accumulator = Accumulator(limits=limits)
        data = body(build(size + excess))
        met = False
        for place in range(len(data)):
            try:
                accumulator.feed_bytes(data[place : place + 1])
            except LimitError:
                met = True
                break
        assert met == bool(excess)


@pytest.mark.parametrize("end", [b"", b"\n\n"], ids=["unfinished", "finished"])
def test_a_frame_after_the_end_of_a_leg_may_be_too_long(end: bytes) -> None:
    leg = body([CREATED, frame("done", "[DONE]")])
    chunk = leg + b"data: " + b"a" * 600 + end
    accumulator = Accumulator(limits=Limits(frame_bytes=500))
    with pytest.raises(LimitError, match=f"at byte {len(leg)} "):
        accumulator.feed_bytes(chunk)
    assert accumulator.steps


def test_steps_that_ended_are_not_open() -> None:
    accumulator = Accumulator(limits=Limits(open_steps=2))
    for number in range(20):
        accumulator.feed_frame(step_created(f"step_{number}"))
        accumulator.feed_frame(message_created(f"msg_{number}"))
        accumulator.feed_frame(step_completed(f"step_{number}"))
        accumulator.feed_frame(message_completed(f"msg_{number}"))
    assert (len(accumulator.steps), len(accumulator.messages)) == (20, 20)


def test_steps_and_messages_that_are_reopened_are_open() -> None:
    for again in (
        [step_completed(), step_delta("step_1", code(0, "a")), *map(step_created, "ab")],
        [message_completed(), message_delta("msg_1", text(0, "a")), *map(message_created, "ab")],
    ):
        accumulator = Accumulator(limits=Limits(open_steps=2))
        for each in again[:-1]:
            accumulator.feed_frame(each)
        with pytest.raises(LimitError):
            accumulator.feed_frame(again[-1])


def test_an_index_may_go_on_from_the_last_one() -> None:
    accumulator = Accumulator(limits=Limits(index_gap=3))
    accumulator.feed_frame(CREATED)
    for index in range(3, 2000, 4):
        accumulator.feed_frame(step_delta("step_1", code(index, "a")))
    with pytest.raises(LimitError):
        accumulator.feed_frame(step_delta("step_1", code(2003 + 1, "a")))


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"id":"s","delta":{"step_details":'])
@pytest.mark.parametrize("name", ["thread.run.step.delta", "thread.run.step.created", "ping"])
def test_endless_nesting_is_a_limit(name: str, opening: bytes) -> None:
    accumulator = Accumulator()
    with pytest.raises(NestingError):
        accumulator.feed_frame(Frame(name, opening * 50_000 + b"]" * 50_000))
    assert accumulator.snapshot() == RunSnapshot()


@pytest.mark.parametrize("index", [10**18, 10**30, 1e300, str(10**17)])
def test_an_endless_index_is_a_limit(index: object) -> None:
    payload = {"tool_calls": [json.loads(json.dumps(code(index, "a")))]}
    delta = {"id": "step_1", "delta": {"step_details": payload}}
    with pytest.raises(LimitError):
        Accumulator().feed_frame(frame("thread.run.step.delta", delta))
