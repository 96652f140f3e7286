"""What is restored, folded: nothing is lost, nothing told twice, and nothing believed too soon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest

from streamkit import (
    Accumulator,
    Change,
    Frame,
    StreamEnded,
)
from streamkit._json import parse
from streamkit.live.restored import restored
from tests.streams import (
    Wire,
    body,
    code,
    code_call,
    creation,
    done,
    drawn,
    function,
    function_call,
    image,
    logs,
    message,
    message_completed,
    message_created,
    message_delta,
    printed,
    required,
    run,
    run_object,
    step,
    step_completed,
    step_created,
    step_delta,
    step_event,
    text,
    written,
)

STARTED: Final[Wire] = {"started_at": 7}
ACTION: Final = {
    "type": "submit_tool_outputs",
    "submit_tool_outputs": {
        "tool_calls": [required("call_1", arguments='{"a":1}'), required("call_2", "g")]
    },
}
TABLE: Final[dict[str, list[Frame]]] = {
    "a call, and a message": [
        run("queued"),
        run("in_progress", **STARTED),
        step_created(),
        step_delta("step_1", code(0, "pri", id="call_1")),
        step_delta("step_1", code(0, "nt(1)")),
        step_delta("step_1", code(0, None, logs(0, "a"), image(1, "file_1"))),
        step_delta("step_1", code(0, None, logs(2, "b"))),
        step_completed(
            "step_1", code_call("call_1", "print(1)", printed("a"), drawn("file_1"), printed("b"))
        ),
        step_event("created", creation("step_2", "msg_1")),
        message_created("msg_1", run_id="run_1"),
        message_delta("msg_1", text(0, "He")),
        message_delta("msg_1", text(0, "llo.")),
        message_completed("msg_1", written("Hello."), run_id="run_1"),
        step_event("completed", creation("step_2", "msg_1", status="completed")),
        run("completed", **STARTED),
        done(),
    ],
    "two calls that wait": [
        run("queued"),
        run("in_progress", **STARTED),
        step_created(),
        step_delta("step_1", function(0, "", id="call_1", name="f", output=None)),
        step_delta("step_1", function(0, '{"a":1}')),
        step_delta("step_1", function(1, "", id="call_2", name="g", output=None)),
        step_delta("step_1", function(1, "{}")),
        run("requires_action", required_action=ACTION, **STARTED),
        done(),
    ],
    "a run that failed": [
        run("queued"),
        run("in_progress", **STARTED),
        step_created(),
        step_event("failed", step("step_1", status="failed")),
        run("failed", **STARTED),
        done(),
    ],
}
# What the API says of each afterwards.
AFTERWARDS: Final[dict[str, tuple[Wire, list[Wire], list[Wire]]]] = {
    "a call, and a message": (
        run_object("completed", **STARTED),
        [
            step(
                "step_1",
                code_call("call_1", "print(1)", printed("a"), drawn("file_1"), printed("b")),
                status="completed",
            ),
            creation("step_2", "msg_1", status="completed"),
        ],
        [message("msg_1", written("Hello."), run_id="run_1", status="completed")],
    ),
    "two calls that wait": (
        run_object(
            "requires_action",
            required_action=ACTION,
            **STARTED,
        ),
        [
            step(
                "step_1",
                function_call("call_1", "f", '{"a":1}'),
                function_call("call_2", "g", "{}"),
            )
        ],
        [],
    ),
    "a run that failed": (
        run_object("failed", **STARTED),
        [step("step_1", status="failed")],
        [],
    ),
}


def told(changes: Sequence[Change]) -> list[Any]:
    """Tell changes again, with texts in one piece; of runs, only how they are."""
    lines: dict[Any, Any] = {}
    for rank, change in enumerate(changes):
        text = getattr(change, "text", None)
        if text is not None:
            place = str(change).replace(repr(text), "")
            lines[place] = lines.get(place, "") + text
        else:
            status = getattr(getattr(change, "run", None), "status", None)
            lines[rank] = status or change
    return sorted(map(str, lines.values()))


@pytest.mark.parametrize("name", TABLE)
def test_nothing_is_lost_and_nothing_is_told_twice(name: str) -> None:
    frames = TABLE[name]
    unbroken = Accumulator()
    expected = [*unbroken.feed_bytes(body(frames)), *unbroken.end()]
    for cut in range(len(frames) - 1):
        accumulator = Accumulator()
        changes = [*accumulator.feed_bytes(body(frames[:cut])), *accumulator.cut()]
        for _ in range(2):  # what is known by now is not told again
            for event in list(restored(accumulator, *AFTERWARDS[name])):
                changes += accumulator.feed(event)
        changes += accumulator.end()
        assert accumulator.snapshot() == unbroken.snapshot(), cut
        assert told(changes) == told(expected), cut
        assert changes[-1] == expected[-1]
        assert sum(isinstance(change, StreamEnded) for change in changes) == 1


def test_half_a_character_is_not_final_while_its_text_grows() -> None:
    accumulator = Accumulator()
    for each in (run("in_progress"), message_created(), message_delta("msg_1", text(0, "a"))):
        accumulator.feed_frame(each)
    half = parse(rb'"a\ud83d"', depth=9)
    under_way = message("msg_1", written(half), run_id="run_1")
    whole = message("msg_1", written("a\U0001f600"), run_id="run_1", status="completed")
    changes: list[Change] = []
    for now, status in ((under_way, "in_progress"), (whole, "completed")):
        for event in list(restored(accumulator, run_object(status, **STARTED), [], [now])):
            changes += accumulator.feed(event)
    assert accumulator.problems == ()
    texts = [change.text for change in changes if hasattr(change, "text")]
    assert "".join(texts) == "\U0001f600"
