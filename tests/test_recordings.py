"""Recorded streams, in every form and cut everywhere."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

import pytest
from httpx_sse import ServerSentEvent

from streamkit import (
    Accumulator,
    CallDone,
    Change,
    Frame,
    MessageDone,
    OutputDone,
    Problem,
    RunSnapshot,
    ServerError,
    StepDone,
    StreamEnded,
    TruncatedError,
    to_wire,
)
from tests.cutting import cuts
from tests.promise import check_promise, fragments
from tests.recorded import (
    ENDS,
    ODD,
    OTHERS,
    STREAMS,
    Legs,
    Said,
    came_to,
    every,
    frames,
    objects,
    on_every_stream,
    read,
    texts,
)

Fold = tuple[list[Change], RunSnapshot]

# What the recorded servers are known to contradict themselves in.
PROBLEMS: Final = {
    "mcp-approval": (
        Problem(
            kind="reopened",
            step_id="step_I2UlyrNotARealIdryB6Kt9N",
            known="completed",
            said="delta",
        ),
    ),
}


# What this library makes of them


def fold(legs: Iterable[Iterable[object]]) -> Fold:
    """Fold the legs of a run, given as chunks or as frames."""
    accumulator = Accumulator()
    changes: list[Change] = []
    for leg in legs:
        for item in leg:
            if isinstance(item, bytes):
                changes += accumulator.feed_bytes(item)
            else:
                changes += accumulator.feed_frame(item)
        changes += accumulator.end()
    return changes, accumulator.snapshot()


@cache
def whole(name: str) -> Fold:
    """Fold a recording, each body at once."""
    return fold([body] for body in STREAMS[name])


@on_every_stream()
def test_the_snapshot_is_what_the_server_said_last(name: str) -> None:
    _, snapshot = whole(name)
    said = [each for body in STREAMS[name] for each in read(body)]
    last = {(kind, each["id"]): (way, each) for kind, way, each in objects(said) if way != "delta"}
    wire = to_wire(snapshot)
    held = {("run.step", step["id"]): step for step in wire["steps"]}
    held |= {("message", message["id"]): message for message in wire["messages"]}
    held["run", wire["run"]["id"]] = wire["run"]
    assert held.keys() == last.keys()
    for place, (transition, value) in last.items():
        # A step or message that did not end holds what was streamed since: see below.
        growing = set() if place[0] == "run" or transition in ENDS else {"step_details", "content"}
        left, right = (
            {field: item for field, item in each.items() if field not in growing}
            for each in (held[place], value)
        )
        assert left == right


@on_every_stream()
def test_the_outcome_and_the_problems(name: str) -> None:
    changes, snapshot = whole(name)
    ends = [change.outcome for change in changes if isinstance(change, StreamEnded)]
    assert ends == [came_to(read(body)) for body in STREAMS[name]]
    assert snapshot.outcome == ends[-1]
    assert snapshot.problems == PROBLEMS.get(name, ())


@on_every_stream()
def test_the_fragments_are_the_texts(name: str) -> None:
    changes, _ = whole(name)
    assert fragments(changes) == texts(each for body in STREAMS[name] for each in read(body))


@on_every_stream()
def test_the_promise_is_kept(name: str) -> None:
    changes, snapshot = whole(name)
    check_promise(changes, snapshot, legs=len(STREAMS[name]))


@on_every_stream()
def test_done_is_told_with_the_whole_object_that_ends_it(name: str) -> None:
    accumulator = Accumulator()
    for body in STREAMS[name]:
        for event in read(body):
            changes = accumulator.feed_frame(*frames([event]))
            done = [each for each in changes if isinstance(each, StepDone | CallDone | OutputDone)]
            ((kind, transition, value),) = [*objects([event])] or [("", "", {"id": ""})]
            expected: list[type] = []
            if kind == "run.step" and transition in ENDS:
                for call in value["step_details"].get("tool_calls", []):
                    outputs = call.get("code_interpreter", {}).get("outputs", [])
                    expected += [OutputDone for _ in outputs] + [CallDone]
                expected.append(StepDone)
            assert [type(change) for change in done] == expected
            ended = [each.message.id for each in changes if isinstance(each, MessageDone)]
            assert ended == [value["id"]] * (kind == "message" and transition in ENDS)
        assert all(isinstance(each, StreamEnded) for each in accumulator.end())


# In every form


def as_lines(body: bytes) -> list[bytes]:
    """Reframe as lines of JSON."""
    return [
        json.dumps({"event": name, "data": json.loads(data) if name != "done" else data}).encode()
        for name, data in read(body)
    ]


def ending_in(end: str) -> Callable[[bytes], list[object]]:
    """Reframe with lines that end so."""

    def reframed(body: bytes) -> list[object]:
        return [
            end.join(
                [f"event: {name}", *(f"data: {line}" for line in data.split("\n")), "", ""]
            ).encode("utf-8", "surrogatepass")
            for name, data in read(body)
        ]

    return reframed


FORMS: Final[dict[str, Callable[[bytes], list[Any]]]] = {
    "frames": lambda body: frames(read(body)),
    "httpx-sse": lambda body: [ServerSentEvent(name, data) for name, data in read(body)],
    "LF": ending_in("\n"),
    "CRLF": ending_in("\r\n"),
    "CR": ending_in("\r"),
    "JSON lines": lambda body: [line + b"\n" for line in as_lines(body)],
    "wrapped": lambda body: [b"data: " + line + b"\n\n" for line in as_lines(body)],
    "wrapped in frames": lambda body: [Frame("message", line) for line in as_lines(body)],
}


@on_every_stream()
@pytest.mark.parametrize("form", FORMS)
def test_equal_in_every_form(name: str, form: str) -> None:
    assert fold(FORMS[form](body) for body in STREAMS[name]) == whole(name)


@on_every_stream()
def test_equal_however_cut(name: str) -> None:
    for legs in zip(*map(cuts, STREAMS[name]), strict=True):
        assert fold(legs) == whole(name)


# Cut short


# Small enough to be cut at every byte.
SMALL: Final = {"error", "azure-agents/mcp_tool"}

# What becomes of half a character, the other half of which was cut off.
HALVED: Final = "\N{REPLACEMENT CHARACTER}"


@on_every_stream()
def test_what_stands_before_a_cut_is_there(name: str) -> None:
    final = fragments(whole(name)[0])
    for number, body in enumerate(STREAMS[name]):
        before = STREAMS[name][:number]
        places = range(1, len(body))
        for place in places if name in SMALL else random.Random(name).sample(places, 25):
            said = tuple(read(body[:place]))
            changes, snapshot = fold([*([each] for each in before), [body[:place]]])
            if before and not said:
                assert changes == [*reference(before, said)[0], StreamEnded("truncated")]
                continue
            assert (changes, snapshot) == reference(before, said)
            assert changes[-1] == StreamEnded(came_to(said))
            for where, text in fragments(changes).items():
                assert final[where].startswith(text.rstrip(HALVED))


@pytest.mark.parametrize("name", [name for name, legs in STREAMS.items() if len(legs) > 1])
def test_a_later_leg_cut_in_its_first_event_is_reported(name: str) -> None:
    first, later, *_ = STREAMS[name]
    start = later[: later.index(b"\n\n") // 2]
    changes, snapshot = fold([[first], [start]])
    assert changes[-2:] == [StreamEnded("paused"), StreamEnded("truncated")]
    assert snapshot.outcome == "truncated"


@cache
def reference(before: Legs, said: tuple[Said, ...]) -> Fold:
    """Fold whole legs, and the whole events of another."""
    return fold([*([body] for body in before), frames(said)])


@on_every_stream()
def test_a_cut_is_reported(name: str) -> None:
    accumulator = Accumulator()
    accumulator.feed_bytes(STREAMS[name][0][:-1000])
    with pytest.raises(TruncatedError, match="ended before the run came to rest") as caught:
        accumulator.finish()
    assert caught.value.snapshot == accumulator.snapshot()


# Streams of their own kind


@pytest.mark.parametrize("name", every({ODD: OTHERS[ODD]} if ODD in OTHERS else {}))
def test_without_blank_lines_nothing_is_said(name: str) -> None:
    changes, snapshot = whole(name)
    assert changes == [StreamEnded("truncated")]
    assert snapshot == RunSnapshot(outcome="truncated")


@pytest.mark.parametrize("name", ["error", *[each for each in OTHERS if "_stream_error_" in each]])
def test_the_server_says_that_it_failed(name: str) -> None:
    accumulator = Accumulator()
    (body,) = STREAMS[name]
    accumulator.feed_bytes(body)
    (said,) = [json.loads(data)["error"] for event, data in read(body) if event == "error"]
    with pytest.raises(ServerError) as caught:
        accumulator.finish()
    assert to_wire(caught.value.error) == said
    assert said["message"] in str(caught.value)
    assert caught.value.snapshot == whole(name)[1]
