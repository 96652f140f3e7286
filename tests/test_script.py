"""`script` writes down a run that an API could have sent, and refuses one that it could not."""

from __future__ import annotations

import itertools
from typing import Any, Final

import pytest
from openai.types.beta.threads import Message as OpenAIMessage
from openai.types.beta.threads import Run as OpenAIRun
from openai.types.beta.threads.runs import RunStep as OpenAIRunStep

from streamkit import (
    RunSnapshot,
    UsageError,
    accumulate,
    to_wire,
)
from streamkit.testing import building
from streamkit.testing.building import (
    citation,
    code_interpreter,
    file_path,
    file_search,
    found,
    function_call,
    image,
    logs,
    message,
    refusal,
    step,
    text,
    tool_call,
)
from streamkit.testing.exploding import explode
from tests.recorded import OWN

Wire = dict[str, Any]

# Of no declared type, so that what it gives can be looked into without narrowing unions.
script: Final[Any] = building.script

TRIP: Final = script(
    code_interpreter("print(1)", logs("1\n"), image("file-1")),
    function_call("get_tide", {"port": "Roscoff"}, output={"low": "08:12"}),
    message("Leave at half past eight."),
)


def test_a_run_is_written_down_from_its_end() -> None:
    assert (TRIP.outcome, TRIP.run.status, TRIP.problems) == ("complete", "completed", ())
    code, tide, answer = TRIP.steps
    (call,) = code.step_details.tool_calls
    assert (call.id, call.code_interpreter.input) == ("call_1", "print(1)")
    printed, drawn = call.code_interpreter.outputs
    assert (printed.logs, drawn.image.file_id) == ("1\n", "file-1")
    (asked,) = tide.step_details.tool_calls
    assert asked.function.arguments == '{"port": "Roscoff"}'
    assert asked.function.output == '{"low": "08:12"}'
    assert answer.step_details.message_creation.message_id == TRIP.messages[0].id == "msg_1"
    assert TRIP.messages[0].content[0].text.value == "Leave at half past eight."


# Every shape that a script can have

SCRIPTS: Final[dict[str, RunSnapshot]] = {
    "nothing": script(),
    "a trip": TRIP,
    "a text": script("Hello"),
    "paused": script("Let me see.", function_call("f"), model="m", metadata={"a": "b"}),
    "paused together": script(step(function_call("f"), code_interpreter("1"), function_call("g"))),
    "several calls": script(step(code_interpreter("1", "2"), code_interpreter("3"))),
    "empty": script(step(), message(), code_interpreter(""), code_interpreter("", logs(""))),
    "searched": script(
        file_search(found("a.md", "One.", "Two."), found("b.md", score=0.25), ranker="auto")
    ),
    "a message of everything": script(
        message(
            text("see [1] at /x", citation("[1]", "file-7"), file_path("/x", "file-8")),
            image(),
            "…",
            refusal("No."),
        )
    ),
    **{
        f"{status} in {name}": script("Before.", item, status=status)
        for status in ("failed", "cancelled", "expired", "incomplete")
        for name, item in {
            "code": code_interpreter("1", "2"),
            "a call": function_call("f"),
            "an answered call": function_call("f", output=1),
            "a message": message("Well"),
            "an empty step": step(),
        }.items()
    },
    "a failed step": script(step(code_interpreter("1/0"), status="failed"), "Sorry."),
    "a reason": script("So", incomplete_details="max_prompt_tokens"),
    "long": script(*["Again."] * 400),
}


@pytest.fixture(params=SCRIPTS)
def run(request: pytest.FixtureRequest) -> RunSnapshot:
    return SCRIPTS[request.param]


def test_openai_python_takes_every_object(run: RunSnapshot) -> None:
    wire = to_wire(run)
    OpenAIRun.model_validate(wire["run"], strict=True)
    for each in wire["steps"]:
        OpenAIRunStep.model_validate(each, strict=True)
    for each in wire["messages"]:
        OpenAIMessage.model_validate(each, strict=True)


def test_a_script_can_be_cut_and_put_together_again(run: RunSnapshot) -> None:
    assert accumulate(explode(run)) == run


# Fields that came late, and that a script's model would not send.
LATE: Final = {"reasoning_effort"}


def test_every_field_is_there_that_openai_sends() -> None:
    wire = to_wire(TRIP)
    real = to_wire(accumulate(b"".join(OWN["report"])))
    assert wire["run"].keys() == real["run"].keys() - LATE
    for kind in ("steps", "messages"):
        for each in wire[kind]:
            assert each.keys() == real[kind][-1].keys()


def test_the_times_fit_together(run: RunSnapshot) -> None:
    wire = to_wire(run)
    now = wire["run"]["created_at"]
    assert now < wire["run"]["started_at"]
    for each in wire["steps"]:
        ends = [each[name] for name in ENDS if each.get(name) is not None]
        named = [name for name in ENDS if each.get(name) is not None]
        assert named == ([] if each["status"] == "in_progress" else [f"{each['status']}_at"])
        assert now < each["created_at"] <= min(ends, default=each["expires_at"])
        assert max([each["created_at"], *ends]) <= each["expires_at"]
        now = max([each["created_at"], *ends])
    for each in wire["messages"]:
        whole = each["status"] == "completed"
        assert (each["completed_at"] is not None, each["incomplete_at"] is None) == (whole, whole)
    whole = wire["run"]
    ended = whole["status"] in ("completed", "failed", "cancelled")
    assert [name for name in ENDS if whole.get(name)] == [f"{whole['status']}_at"] * ended
    assert all(whole[name] >= now for name in ENDS if whole.get(name))


ENDS: Final = ("completed_at", "failed_at", "cancelled_at", "expired_at")


def test_the_tokens_add_up(run: RunSnapshot) -> None:
    sums = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 0)
    for each in to_wire(run)["steps"]:
        assert (each["usage"] is None) == (each["status"] == "in_progress")
        for name, count in (each["usage"] or {}).items():
            sums[name] += count
        if each["usage"]:
            assert each["usage"]["total_tokens"] == sum([*each["usage"].values()][:2])
    assert to_wire(run)["run"]["usage"] == (None if run.outcome == "paused" else sums)


def test_a_run_starts_anew_with_the_outputs_it_waited_for() -> None:
    run = script(function_call("f", output=1), code_interpreter("1"))
    first, second = run.steps
    assert first.completed_at < run.run.started_at < second.created_at
    alone = script(code_interpreter("1"))
    assert alone.run.started_at < alone.steps[0].created_at


def test_what_was_said_is_read_again_for_the_next_step() -> None:
    used = [each.usage for each in script("One.", "Two.", "Three.").steps]
    for before, after in itertools.pairwise(used):
        assert after.prompt_tokens == before.prompt_tokens + before.completion_tokens
    long = script("Three words here, or more of them.").steps[0].usage
    assert long.completion_tokens > used[0].completion_tokens


def test_everything_is_of_one_run(run: RunSnapshot) -> None:
    wire = to_wire(run)
    for each in (*wire["steps"], *wire["messages"]):
        assert (each["run_id"], each["thread_id"]) == ("run_1", "thread_1")
        assert each["assistant_id"] == wire["run"]["assistant_id"] == "asst_1"


# How it ends

ENDINGS: Final = [
    ("failed", code_interpreter("1"), "failed"),
    ("cancelled", code_interpreter("1"), "cancelled"),
    ("expired", code_interpreter("1"), "expired"),
    ("incomplete", code_interpreter("1"), "completed"),
    ("failed", function_call("f"), "failed"),
    ("expired", function_call("f"), "expired"),
    ("incomplete", function_call("f"), "cancelled"),
    ("failed", function_call("f", output=""), "completed"),
    ("expired", function_call("f", output=""), "completed"),
    ("failed", step(function_call("f"), status="cancelled"), "cancelled"),
    ("requires_action", function_call("f"), "in_progress"),
    ("completed", step(code_interpreter("1"), last_error="It broke."), "failed"),
]


@pytest.mark.parametrize(("status", "item", "ending"), ENDINGS)
def test_the_last_step_ends_as_the_run_does(status: Any, item: Any, ending: str) -> None:
    run = script("Before.", item, status=status)
    assert [each.status for each in run.steps] == ["completed", ending]
    assert run.messages[0].status == "completed"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("failed", "run_failed"),
        ("cancelled", "run_cancelled"),
        ("expired", "run_expired"),
        ("incomplete", "max_tokens"),
    ],
)
def test_the_last_message_is_incomplete_and_says_why(status: Any, reason: str) -> None:
    first, last = script("One.", "Two", status=status).messages
    assert (first.status, first.incomplete_details) == ("completed", None)
    assert (last.status, last.incomplete_details.reason) == ("incomplete", reason)
    whole = script(message("Two", status="completed"), status=status).messages[0]
    assert (whole.status, whole.incomplete_details) == ("completed", None)


@pytest.mark.parametrize(
    ("items", "more", "status"),
    [
        ((), {}, "completed"),
        ((function_call("f", output=1),), {}, "completed"),
        ((function_call("f"),), {}, "requires_action"),
        ((step(function_call("f"), status="completed"), "Go on."), {}, "completed"),
        ((code_interpreter("1"),), {"last_error": "No."}, "failed"),
        (("So",), {"incomplete_details": "max_prompt_tokens"}, "incomplete"),
        ((step(status="expired"),), {}, "expired"),
        ((step(last_error="No."),), {}, "failed"),
        ((step(last_error="No."), "Sorry."), {}, "completed"),
    ],
)
def test_a_run_came_to_what_its_items_say(items: tuple[Any, ...], more: Wire, status: Any) -> None:
    assert script(*items, **more).run.status == status


def test_an_error_is_that_of_the_step_and_of_the_run() -> None:
    run = script(code_interpreter("1"), last_error="Too much.")
    for each in (run.run, run.steps[0]):
        assert (each.last_error.code, each.last_error.message) == ("server_error", "Too much.")
    whole = {"code": "rate_limit_exceeded", "message": "Slowly."}
    run = script(step(code_interpreter("1"), last_error=whole))
    assert to_wire(run.run)["last_error"] == to_wire(run.steps[0])["last_error"] == whole
    assert script(status="failed").run.last_error.message


def test_a_run_requires_the_calls_that_wait() -> None:
    run = script(
        step(function_call("f", '{"a"', id="a"), function_call("g"), code_interpreter(""))
    )
    assert (run.outcome, run.run.status) == ("paused", "requires_action")
    assert to_wire(run.run)["required_action"] == {
        "type": "submit_tool_outputs",
        "submit_tool_outputs": {
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"a"'}},
                {"id": "call_1", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ]
        },
    }
    assert script(function_call("f", output=1)).run.required_action is None


# Names


def test_names_are_made_up_where_there_are_none_and_never_twice() -> None:
    run = script(
        step(code_interpreter("1", image(), image("file-1"), id="call_2"), id="step_3"),
        step(code_interpreter("2"), code_interpreter("3", image())),
        code_interpreter("4"),
        message("a", id="msg_1"),
        message("b", image()),
        file_search(found("a.md"), found("b.md", file_id="file-3")),
    )
    assert [each.id for each in run.steps] == [f"step_{n}" for n in (3, 1, 2, 4, 5, 6)]
    calls = [call for each in run.steps for call in getattr(each.step_details, "tool_calls", ())]
    assert [call.id for call in calls] == [f"call_{n}" for n in (2, 1, 3, 4, 5)]
    assert [each.id for each in run.messages] == ["msg_1", "msg_2"]
    wire = str(to_wire(run))
    assert [f"file-{n}" in wire for n in range(1, 8)] == [True] * 6 + [False]


def test_the_same_script_is_the_same_run() -> None:
    call = function_call("f", output=1)
    once, twice = (script(call, call, "done", id="run_9", created_at=1) for _ in "ab")
    assert once == twice
    assert [each.id for each in once.steps] == ["step_1", "step_2", "step_3"]
    assert call == function_call("f", output=1), "what is given does not change"


def test_what_is_given_stands() -> None:
    run = script(
        step(code_interpreter("1"), usage={"prompt_tokens": 7, "completion_tokens": 1}),
        message("Hello", metadata={"a": "b"}),
        id="run_7",
        thread_id="thread_7",
        assistant_id="asst_7",
        model="m",
        instructions="Be short.",
        metadata={"c": "d"},
        usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        created_at=1_000,
    )
    said = run.run
    assert (said.id, said.thread_id, said.assistant_id) == ("run_7", "thread_7", "asst_7")
    assert (said.model, said.instructions, said.metadata) == ("m", "Be short.", {"c": "d"})
    assert (said.created_at, said.usage.total_tokens) == (1_000, 3)
    assert run.steps[0].usage.prompt_tokens == 7
    assert run.messages[0].metadata == {"a": "b"}


def test_what_a_fold_gave_can_be_said_again() -> None:
    real: Any = accumulate(b"".join(OWN["report"]))
    run = script(real.steps[0], *real.messages)
    assert run.steps[0].step_details == real.steps[0].step_details
    assert run.messages[0].content == real.messages[0].content
    assert {each.run_id for each in (*run.steps, *run.messages)} == {"run_1"}


def test_the_tools_are_those_that_were_called() -> None:
    run = script(
        *[code_interpreter("1"), file_search(), function_call("f", output=1)] * 2,
        tool_call("mcp", arguments="{}"),
        function_call("g"),
    )
    kinds = [(tool["type"], tool.get("function", {}).get("name")) for tool in run.run.tools]
    assert kinds == [
        ("code_interpreter", None), ("file_search", None), ("function", "f"), ("mcp", None),
        ("function", "g"),
    ]  # fmt: skip


# What contradicts itself


@pytest.mark.parametrize(
    ("items", "more", "words"),
    [
        (
            (function_call("f"), "More."),
            {},
            "waits for the output of call_1, and more comes after",
        ),
        ((function_call("f", id="a"), function_call("g")), {}, "output of a, .* end the script"),
        ((step(function_call("f"), function_call("g", output=1)),), {}, "submitted together"),
        (
            (code_interpreter("1", id="a"), code_interpreter("2", id="a")),
            {},
            "two have the id 'a'",
        ),
        ((message("1", id="a"), message("2", id="a")), {}, "two have the id 'a'"),
        ((step(id="a"), step(id="a")), {}, "two have the id 'a'"),
        ((function_call("f"),), {"status": "completed"}, "waits for the output of call_1"),
        (("x",), {"status": "requires_action"}, "requires nothing"),
        ((), {"status": "requires_action"}, "requires nothing"),
        ((), {"status": "in_progress"}, "Cut"),
        ((), {"status": "done"}, "ends with one of completed, requires_action"),
        ((), {"status": "completed", "last_error": "x"}, "why a run failed"),
        ((), {"status": "failed", "incomplete_details": "x"}, "incomplete run; this is failed"),
        ((step(status="in_progress"), "x"), {}, "step step_1 cannot be 'in_progress'"),
        ((step(status="in_progress"),), {}, "say completed, failed, cancelled, expired"),
        ((step(status="new"),), {}, "cannot be 'new'"),
        ((message("x", status="in_progress"),), {}, "message msg_1 cannot be 'in_progress'"),
        ((1,), {}, "made of calls, steps and messages, not of a int: 1"),
        ((logs("x"),), {}, "not of a CodeInterpreterLogOutput"),
        ((TRIP.steps[2],), {}, "give the message"),
        ((), {"id": None}, "id"),
    ],
)
def test_what_contradicts_itself(items: tuple[Any, ...], more: Wire, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        script(*items, **more)
