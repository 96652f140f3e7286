"""The ways of Azure: kinds of calls, details, repeats and approvals."""

from __future__ import annotations

from typing import Any, Final

import pytest

from streamkit import (
    ArgumentsAppended,
    CallOpened,
    MessageDone,
    Problem,
    StepDone,
    StepOpened,
    StreamEnded,
    TextAppended,
    to_wire,
)
from tests.folding import Folded, fold_every_way
from tests.streams import (
    Wire,
    code,
    done,
    message,
    message_created,
    message_event,
    other,
    other_call,
    present,
    run,
    step,
    step_completed,
    step_created,
    step_delta,
    step_details,
    step_event,
    step_in_progress,
    without,
    written,
)
from tests.told import (
    argued,
    as_message,
    as_step,
    coded,
    ending,
    opened,
    seen,
)


def completed(*calls: Wire, **fields: Any) -> Wire:
    return step("step_1", *calls, status="completed", **fields)


def calls_of(folded: Folded) -> Any:
    """Return the calls of the only step, in the wire's shape."""
    (wire,) = to_wire(folded.snapshot.steps)
    return wire["step_details"]["tool_calls"]


PLAIN_KINDS: Final = [
    *["azure_ai_search", "bing_grounding", "bing_custom_search"],
    *["sharepoint_grounding", "fabric_dataagent", "openapi", "quark_search"],
]
AGENT: Final = {"name": "n", "run_id": "r", "thread_id": "t", "assistant_id": "a"}
CHECK: Final = {"id": "c", "code": "malicious", "message": "m"}
SHOT: Final = {"type": "computer_screenshot", "file_id": "file_a"}

# The kind, its fields in three deltas, its fields at the end, its arguments.
KINDS: Final = [
    *(
        pytest.param(kind, [{kind: {}}, {kind: {"url": ""}}, {kind: {"url": "u"}}],
                     {kind: {"url": "u", "more": "m"}}, [], id=kind)
        for kind in PLAIN_KINDS
    ),
    pytest.param(
        "openapi",
        [
            {"function": {"name": "n", "arguments": "", "output": ""}},
            {"function": {"arguments": "{"}},
            {"function": {"arguments": "}", "output": None}},
        ],
        {"function": {"name": "n", "arguments": "{}", "output": "o"}},
        ["{", "}"],
        id="openapi under function",
    ),
    pytest.param(
        "azure_function",
        [{"azure_function": present(name=name, arguments=part)}
         for name, part in (("n", ""), (None, "{"), (None, "}"))],
        {"azure_function": {"name": "n", "arguments": "{}", "output": "o"}},
        ["{", "}"],
        id="azure_function",
    ),
    pytest.param(
        "connected_agent",
        [{"connected_agent": AGENT | {"arguments": part}} for part in ("", "a", "b")],
        {"connected_agent": AGENT | {"arguments": "ab", "output": "o"}},
        ["a", "b"],
        id="connected_agent",
    ),
    pytest.param(
        "deep_research",
        [{"deep_research": {"input": said, "output": None}} for said in ("i", "i", "j")],
        {"deep_research": {"input": "j", "output": "o"}},
        [],
        id="deep_research",
    ),
    pytest.param(
        "browser_automation",
        [],
        {"browser_automation": {"input": "i", "output": "o", "steps": [
            {"last_step_result": "l", "current_state": "c", "next_step": "n"}]}},
        [],
        id="browser_automation",
    ),
    pytest.param(
        "computer_use_preview",
        [
            {"computer_use_preview": {"action": {"type": "click", "x": 1, "y": 2}}},
            {"computer_use_preview": {"action": {"type": "click", "x": 3, "y": 4}}},
            {"computer_use_preview": {"pending_safety_checks": [CHECK]}},
        ],
        {"computer_use_preview": {"action": {"type": "click", "x": 3, "y": 4}, "output": SHOT,
                                  "acknowledged_safety_checks": [CHECK]}},
        [],
        id="computer_use_preview",
    ),
    pytest.param(
        "mcp",
        [{"arguments": None}, {"arguments": "{"}, {"arguments": "}", "name": None}],
        {"arguments": "{}", "name": "n", "output": "o", "server_label": "l"},
        ["{", "}"],
        id="mcp",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "deltas", "full", "arguments"), KINDS)
def test_every_kind_of_azure(
    kind: str, deltas: list[Wire], full: Wire, arguments: list[str]
) -> None:
    fragments = [step_delta("step_1", other(0, kind, id="call_1", **each)) for each in deltas]
    whole = other_call("call_1", kind, **full)
    folded = fold_every_way([step_created(), *fragments, step_completed("step_1", whole)])
    told = folded.changes
    assert [each for each in told if isinstance(each, CallOpened)] == [opened(0, "call_1", kind)]
    assert [each.text for each in told if isinstance(each, ArgumentsAppended)] == arguments
    assert folded.told[-2][-2:] == ending(completed(whole))
    assert calls_of(folded) == [whole]
    assert folded.snapshot.problems == ()


@pytest.mark.parametrize("kind", ["mcp", "openapi"])
def test_azure_puts_calls_under_details_of_their_own_type(kind: str) -> None:
    pieces = ["", "{", "}"]
    items = [other(0, kind, id="call_1", arguments=piece) for piece in pieces]
    fragments = [step_details("step_1", {"type": kind, "tool_calls": [item]}) for item in items]
    whole = other_call("call_1", kind, arguments="{}", output="o")
    folded = fold_every_way([step_created(), *fragments, step_completed("step_1", whole)])
    opening = opened(0, "call_1", kind)
    assert folded.told[1:4] == [[opening], [argued("{", 0, "call_1")], [argued("}", 0, "call_1")]]
    assert folded.told[4] == ending(completed(whole))
    assert folded.snapshot.problems == ()


def test_azure_leaves_out_the_type_of_details() -> None:
    fragment = step_details("step_1", {"tool_calls": [code(0, "a", id="call_1")]})
    folded = fold_every_way([step_created(), fragment])
    assert folded.told[1] == [opened(0, "call_1"), coded("a", 0, "call_1")]
    assert calls_of(folded) == [seen("a", id="call_1")]
    assert folded.snapshot.problems == ()


def test_azure_leaves_out_details_at_the_start_of_a_file_search() -> None:
    bare = without(step("step_1"), "step_details")
    whole = other_call("call_1", "file_search", file_search={"results": []})
    folded = fold_every_way(
        [
            *[step_event("created", bare), step_event("in_progress", bare)],
            *[step_created(), step_completed("step_1", whole)],
        ]
    )
    assert folded.told[0] == [StepOpened(as_step(bare))]
    assert folded.told[1] == []
    assert folded.told[3] == [opened(0, "call_1", "file_search"), *ending(completed(whole))]
    assert folded.snapshot.problems == ()


def test_azure_has_steps_that_are_activities() -> None:
    tool = {"description": "d", "parameters": {"type": "object"}}
    listed = {"type": "mcp_list_tools", "id": "l", "server_label": "s", "tools": {"t": tool}}
    details = {"type": "activities", "activities": [listed]}
    began = step("step_1", type="activities", step_details=details)
    ended = began | {"status": "completed"}
    folded = fold_every_way([step_event("created", began), step_event("completed", ended)])
    assert folded.told == [
        [StepOpened(as_step(began))],
        [StepDone(as_step(ended))],
        [StreamEnded("truncated")],
    ]
    assert to_wire(folded.snapshot.steps) == [ended]
    assert folded.snapshot.problems == ()


def test_azure_says_again_that_steps_were_created() -> None:
    folded = fold_every_way(
        [
            *[step_created(), step_in_progress(), step_created()],
            *[step_delta("step_1", code(0, "a", id="call_1")), step_created(), step_in_progress()],
        ]
    )
    assert folded.told[1:3] == [[], []]
    assert folded.told[4:-1] == [[], []]
    assert calls_of(folded) == [seen("a", id="call_1")]
    assert folded.snapshot.problems == ()


def test_azure_goes_on_with_a_completed_step_after_an_approval() -> None:
    def mcp(**fields: object) -> Wire:
        return other_call("call_1", "mcp", arguments="{}", **fields)

    folded = fold_every_way(
        [
            *[step_created("step_1", mcp()), run("requires_action"), done()],
            step_completed("step_1", mcp(output=None)),
            *[run("queued"), run("created", created_at=1), run("queued"), run("in_progress")],
            step_delta("step_1", other(0, "mcp", id="call_1", output="o")),
            *[step_completed("step_1", mcp(output="o")), run("completed"), done()],
        ]
    )
    assert [each for each in folded.changes if isinstance(each, StepDone)] == [
        StepDone(as_step(completed(mcp(output=None)))),
        StepDone(as_step(completed(mcp(output="o")))),
    ]
    problem = Problem(kind="reopened", step_id="step_1", known="completed", said="delta")
    assert [each for each in folded.snapshot.problems if each.step_id] == [problem]
    assert folded.snapshot.outcome == "complete"


def test_azure_ends_messages_that_say_they_go_on() -> None:
    whole = message("msg_1", written("a"))
    folded = fold_every_way([message_created(), message_event("completed", whole)])
    assert folded.told[1] == [TextAppended("msg_1", 0, "a"), MessageDone(as_message(whole))]
    assert folded.snapshot.problems == ()


def test_a_deadline_is_not_a_time_that_passed() -> None:
    (shown,) = fold_every_way([step_created("step_1", expires_at=9)]).snapshot.steps
    assert (shown.expires_at, shown.expired_at) == (9, None)
    (shown,) = fold_every_way([step_created("step_1", expired_at=9)]).snapshot.steps
    assert (shown.expires_at, shown.expired_at) == (None, 9)
