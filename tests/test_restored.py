"""From what the API says after a drop come the events that the stream would have brought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pytest

from streamkit import (
    Accumulator,
    Frame,
    MessageEvent,
    RunEvent,
    StepEvent,
)
from streamkit.live.restored import restored
from tests.streams import (
    Wire,
    code_call,
    creation,
    frame,
    function_call,
    message,
    message_created,
    message_delta,
    printed,
    required,
    run,
    run_object,
    step,
    step_completed,
    step_created,
    step_event,
    text,
    waiting,
    written,
)


def holding(*frames: Frame) -> Accumulator:
    """Build what a stream of these frames leaves behind where it breaks."""
    accumulator = Accumulator()
    for each in frames:
        accumulator.feed_frame(each)
    return accumulator


def names(
    accumulator: Accumulator,
    run: Wire,
    steps: Sequence[Wire] = (),
    messages: Sequence[Wire] = (),
) -> list[str]:
    """Say what is restored, in few words: what, of which step or message, and how it is then."""
    said = []
    for event in restored(accumulator, run, steps, messages):
        match event:
            case RunEvent():
                said.append(f"{event.name.removeprefix('thread.')}: {event.run.status}")
            case StepEvent():
                name = event.name.removeprefix("thread.run.step.")
                said.append(f"{event.step.id} {name}: {event.step.status}")
            case MessageEvent():
                name = event.name.removeprefix("thread.message.")
                said.append(f"{event.message.id} {name}: {event.message.status}")
            case _:
                raise AssertionError(event)
    return said


# The course of a run

STARTED: Final[Wire] = {"started_at": 7}
QUEUED: Final = "run.queued: queued"
BEGUN: Final = "run.in_progress: in_progress"


@pytest.mark.parametrize(
    ("known", "said", "passed"),
    [
        (None, "queued", []),
        (None, "in_progress", [QUEUED]),
        (None, "requires_action", [QUEUED, BEGUN]),
        (None, "completed", [QUEUED, BEGUN]),
        (None, "failed", [QUEUED, BEGUN]),
        (None, "incomplete", [QUEUED, BEGUN]),
        ("queued", "queued", []),
        ("queued", "in_progress", []),
        ("queued", "completed", [BEGUN]),
        ("queued", "requires_action", [BEGUN]),
        ("in_progress", "in_progress", []),
        ("in_progress", "completed", []),
        ("in_progress", "expired", []),
        ("in_progress", "requires_action", []),
        ("requires_action", "queued", []),
        ("requires_action", "in_progress", [QUEUED]),
        ("requires_action", "completed", [QUEUED, BEGUN]),
        ("requires_action", "cancelled", []),
        ("requires_action", "expired", []),
        ("cancelling", "cancelled", []),
        ("in_progress", "cancelling", []),
        ("queued", "paused by the weather", []),
        ("paused by the weather", "completed", []),
    ],
)
def test_the_run_passes_through_what_it_must_have_passed(
    known: str | None, said: str, passed: list[str]
) -> None:
    before = frame("thread.run.in_progress", run_object(str(known)))
    accumulator = holding(*([before] if known else []))
    told = names(accumulator, run_object(said, **STARTED))
    assert told == [*passed, f"run.{said}: {said}"]


@pytest.mark.parametrize(("known", "passed"), [(None, [QUEUED]), ("queued", [])])
def test_a_run_that_never_started_was_not_in_progress(
    known: str | None, passed: list[str]
) -> None:
    accumulator = holding(*([run(known)] if known else []))
    told = names(accumulator, run_object("failed", started_at=None))
    assert told == [*passed, "run.failed: failed"]


def test_a_run_that_waits_was_in_progress_whatever_else_it_says() -> None:
    accumulator = Accumulator()
    assert names(accumulator, run_object("requires_action")) == [
        QUEUED,
        BEGUN,
        "run.requires_action: requires_action",
    ]


def test_what_comes_with_the_end_was_not_there_before() -> None:
    ended: Wire = {
        "created_at": 1,
        "started_at": 7,
        "completed_at": 9,
        "failed_at": 9,
        "cancelled_at": 9,
        "last_error": {"code": "server_error", "message": "It broke."},
        "incomplete_details": {"reason": "max_completion_tokens"},
        "required_action": None,
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        "model": "m",
    }
    queued, begun, last = restored(Accumulator(), run_object("completed", **ended), [], [])
    assert isinstance(queued, RunEvent)
    assert isinstance(begun, RunEvent)
    assert isinstance(last, RunEvent)
    for event, started_at in ((queued, None), (begun, 7)):
        found = event.run
        assert (found.created_at, found.model, found.started_at) == (1, "m", started_at)
        ends = found.completed_at, found.failed_at, found.cancelled_at, found.usage
        assert ends == (None, None, None, None)
        assert (found.last_error, found.incomplete_details) == (None, None)
    assert (last.run.completed_at, last.run.started_at) == (9, 7)


# Steps and messages

CALLED: Final = step("step_1", code_call("call_1", "1", printed("a")), status="completed")
WROTE: Final = creation("step_2", "msg_1", status="completed")
TEXT: Final = message("msg_1", written("Hello."), status="completed", run_id="run_1")
ENDED: Final = run_object("completed", **STARTED)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        pytest.param(
            [],
            [
                "step_1 created: in_progress",
                "step_1 completed: completed",
                "step_2 created: in_progress",
                "msg_1 created: in_progress",
                "msg_1 completed: completed",
                "step_2 completed: completed",
            ],
            id="nothing",
        ),
        pytest.param(
            [step_created()],
            [
                "step_1 completed: completed",
                "step_2 created: in_progress",
                "msg_1 created: in_progress",
                "msg_1 completed: completed",
                "step_2 completed: completed",
            ],
            id="the first step",
        ),
        pytest.param(
            [step_completed("step_1"), step_event("created", creation("step_2", "msg_1"))],
            [
                "step_1 completed: completed",
                "msg_1 created: in_progress",
                "msg_1 completed: completed",
                "step_2 completed: completed",
            ],
            id="both steps",
        ),
        pytest.param(
            [
                step_completed("step_1"),
                step_event("created", creation("step_2", "msg_1")),
                message_created("msg_1"),
                message_delta("msg_1", text(0, "Hel")),
            ],
            [
                "step_1 completed: completed",
                "msg_1 completed: completed",
                "step_2 completed: completed",
            ],
            id="all three",
        ),
    ],
)
def test_only_what_is_new_begins(known: list[Frame], told: list[str]) -> None:
    accumulator = holding(run("in_progress"), *known)
    found = names(accumulator, ENDED, [CALLED, WROTE], [TEXT])
    assert found == [*told, "run.completed: completed"]


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([message("msg_9", run_id="run_9", status="completed")], []),
        ([message("msg_9", run_id=None, status="completed", role="user")], []),
        (
            [message("msg_9", run_id="run_1", status="completed")],
            ["msg_9 created: in_progress", "msg_9 completed: completed"],
        ),
        (
            [message("msg_9", run_id="run_1", status="in_progress")],
            ["msg_9 created: in_progress", "msg_9 in_progress: in_progress"],
        ),
    ],
    ids=["another run's", "nobody's", "the run's", "the run's, begun"],
)
def test_messages_of_no_step_are_taken_if_they_are_the_runs(
    messages: list[Wire], told: list[str]
) -> None:
    accumulator = holding(run("in_progress"))
    assert names(accumulator, ENDED, [], messages) == [*told, "run.completed: completed"]


def test_a_message_that_names_no_run_belongs_to_its_step() -> None:
    accumulator = holding(run("in_progress"))
    nameless = message("msg_1", written("Hello."), status="completed", run_id=None)
    found = names(accumulator, ENDED, [WROTE], [nameless])
    assert "msg_1 completed: completed" in found


def test_what_a_run_waited_for_ends_before_it_goes_on() -> None:
    known = step_created("step_1", function_call("call_1", "f", "{}"))
    accumulator = holding(run("in_progress"), known, waiting(required("call_1")))
    ended = step("step_1", function_call("call_1", "f", "{}", "42"), status="completed")
    assert names(accumulator, ENDED, [ended, WROTE], [TEXT])[:5] == [
        "step_1 completed: completed",
        QUEUED,
        BEGUN,
        "step_1 completed: completed",
        "step_2 created: in_progress",
    ]


def test_a_run_that_still_waits_has_passed_through_nothing() -> None:
    call = function_call("call_1", "f", "{}")
    waits = run_object(
        "requires_action",
        required_action={
            "type": "submit_tool_outputs",
            "submit_tool_outputs": {"tool_calls": [required("call_1")]},
        },
        **STARTED,
    )
    accumulator = holding(
        run("in_progress", **STARTED),
        step_created("step_1", call),
        frame("thread.run.requires_action", waits),
    )
    found = names(accumulator, waits, [step("step_1", call)])
    assert [each for each in found if each.startswith("run.")] == [
        "run.requires_action: requires_action"
    ]
