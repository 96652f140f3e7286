"""Whole steps: how they begin, repeat, complete, end and contradict what was streamed."""

from __future__ import annotations

from typing import Any, Final

import pytest

from streamkit import Change, Frame, RunStep, StepOpened, StreamEnded, to_wire
from tests.folding import fold_every_way
from tests.merging import Fed, check, row
from tests.streams import (
    Wire,
    code,
    code_call,
    drawn,
    function,
    function_call,
    logs,
    other,
    other_call,
    printed,
    ran,
    search,
    step,
    step_completed,
    step_created,
    step_delta,
    step_event,
    step_in_progress,
    without,
)
from tests.told import (
    argued,
    as_step,
    begun,
    changed,
    coded,
    drew,
    ending,
    found,
    logged,
    named,
    opened,
    seen,
)


def completed(*calls: Wire, **fields: Any) -> Wire:
    return step("step_1", *calls, status="completed", **fields)


BEGUN: Final[Fed] = (step_created(), [begun()])
USAGE: Final = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}

# A call "a" of code "a" with a log "c"; and all that it comes to.
STREAMED: Final[list[Fed]] = [
    BEGUN,
    (
        step_delta("step_1", code(0, "a", logs(0, "c"), id="a")),
        [opened(0, "a"), coded("a", 0, "a"), logged("c", 0, 0, "a")],
    ),
]
SHORT: Final = code_call("a", "a", printed("c"))
LONG: Final = code_call("a", "ab", printed("cd"), drawn("file_e"))
REST: Final = [coded("b", 0, "a"), logged("d", 0, 0, "a"), drew("file_e", 1, 0, "a")]
SEEN: Final = seen("a", printed("c"), id="a")
FOUND: Final = {"results": [{"file_id": "file_a", "score": 0.5}]}

COMPLETING: Final = [
    row(
        "a terminal object says the rest",
        [completed(LONG, usage=USAGE)],
        *STREAMED,
        (
            step_completed("step_1", LONG, usage=USAGE),
            [*REST, *ending(completed(LONG, usage=USAGE))],
        ),
    ),
    *(
        row(
            f"{status} is terminal",
            [step("step_1", SHORT, status=status)],
            *STREAMED,
            (
                step_event(status, step("step_1", SHORT, status=status)),
                ending(step("step_1", SHORT, status=status)),
            ),
        )
        for status in ("completed", "failed", "cancelled", "expired")
    ),
    row(
        "a whole object on the way replaces scalars",
        [step("step_1", SEEN, usage=USAGE, expires_at=9)],
        *STREAMED,
        (step_in_progress("step_1", expires_at=8), [changed(SEEN, expires_at=8)]),
        (
            step_in_progress("step_1", expires_at=9, usage=USAGE),
            [changed(SEEN, expires_at=9, usage=USAGE)],
        ),
    ),
    row(
        "a step that comes whole only is told in fragments too",
        [completed(LONG)],
        (
            step_completed("step_1", LONG),
            [
                StepOpened(as_step(completed(LONG))),
                opened(0, "a"),
                coded("ab", 0, "a"),
                logged("cd", 0, 0, "a"),
                drew("file_e", 1, 0, "a"),
                *ending(completed(LONG)),
            ],
        ),
    ),
    row(
        "a fragment for an unknown step opens a placeholder",
        [step("step_1", seen("a", id="a"))],
        (
            step_delta("step_1", code(0, "a", id="a")),
            [
                found("unknown_step"),
                StepOpened(RunStep(id="step_1")),
                opened(0, "a"),
                coded("a", 0, "a"),
            ],
        ),
        (step_created(), [changed(seen("a", id="a"))]),
    ),
    row(
        "calls are matched by id, then by rank",
        [completed(code_call("b", "b"), code_call("c", "c"), code_call("a", "a"))],
        BEGUN,
        (
            step_delta("step_1", code(7, "a", id="a"), code(2, "b", id="b"), code(5, "c")),
            [
                *[opened(7, "a"), coded("a", 7, "a")],
                *[opened(2, "b"), coded("b", 2, "b")],
                *[opened(5), coded("c", 5)],
            ],
        ),
        (
            step_completed(
                "step_1", code_call("b", "b"), code_call("c", "c"), code_call("a", "a")
            ),
            ending(
                completed(code_call("b", "b"), code_call("c", "c"), code_call("a", "a")), 2, 5, 7
            ),
        ),
    ),
    row(
        "calls and outputs that come with the end stand where it says",
        [completed(code_call("a", "", printed("c"), printed("d")), code_call("b", "b"))],
        BEGUN,
        (
            step_delta("step_1", code(2, None, logs(2, "c"), id="a")),
            [opened(2, "a"), logged("c", 2, 2, "a")],
        ),
        (
            step_completed(
                "step_1", code_call("a", "", printed("c"), printed("d")), code_call("b", "b")
            ),
            None,
        ),
    ),
    row(
        "a call that comes with the end does not take the place of one that is named",
        [completed(code_call("b", "b"), code_call("a", "a"))],
        BEGUN,
        (step_delta("step_1", code(1, "a", id="a")), [opened(1, "a"), coded("a", 1, "a")]),
        (
            step_completed("step_1", code_call("b", "b"), code_call("a", "a")),
            [
                *[opened(0, "b"), coded("b", 0, "b")],
                *ending(completed(code_call("b", "b"), code_call("a", "a"))),
            ],
        ),
    ),
    row(
        "a delta that repeats the calls a step was created with",
        [step("step_1", code_call("a", "abx", printed("c")), function_call("f", "g", "{}y"))],
        (
            step_created(
                "step_1", code_call("a", "ab", printed("c")), function_call("f", "g", "{}")
            ),
            [
                begun(code_call("a", "ab", printed("c")), function_call("f", "g", "{}")),
                *[opened(0, "a"), coded("ab", 0, "a"), logged("c", 0, 0, "a")],
                *[opened(1, "f", "function"), argued("{}", 1, "f")],
            ],
        ),
        (
            step_delta(
                "step_1",
                code(0, "ab", logs(0, "c"), id="a"),
                function(1, "{}", id="f", name="g"),
            ),
            [],
        ),
        (
            step_delta("step_1", code(0, "x"), function(1, "y")),
            [coded("x", 0, "a"), argued("y", 1, "f")],
        ),
    ),
    row(
        "a fragment after a whole object on the way is no repeat",
        [step("step_1", code_call("a", "aa", printed("cc")))],
        *STREAMED,
        (step_in_progress("step_1", SHORT), []),
        (
            step_delta("step_1", code(0, "a", logs(0, "c"))),
            [coded("a", 0, "a"), logged("c", 0, 0, "a")],
        ),
    ),
    row(
        "whole objects twice change nothing, deltas twice do",
        [completed(code_call("a", "aa", printed("cc")))],
        *[BEGUN, (BEGUN[0], [])],
        *STREAMED[1:],
        (STREAMED[1][0], [coded("a", 0, "a"), logged("c", 0, 0, "a")]),
        (
            step_completed("step_1", code_call("a", "aa", printed("cc"))),
            ending(completed(code_call("a", "aa", printed("cc")))),
        ),
        (step_completed("step_1", code_call("a", "aa", printed("cc"))), []),
    ),
    row(
        "a whole step says what a call and an output are that nobody knew",
        [step("step_1", code_call("a", "", printed("c")), function_call("f", "g", "x"))],
        BEGUN,
        (
            step_delta("step_1", ran(0, {"index": 0}), {"index": 1}),
            [opened(), opened(1, None, None)],
        ),
        (
            step_in_progress(
                "step_1", code_call("a", "", printed("c")), function_call("f", "g", "x")
            ),
            [
                *[logged("c", 0, 0, "a"), argued("x", 1, "f")],
                changed(code_call("a", "", printed("c")), function_call("f", "g", "x")),
            ],
        ),
    ),
    row(
        "results, options and a function's output may come with the end only",
        [
            completed(
                function_call("f", "g", "{}", "out"),
                other_call("s", "file_search", file_search=FOUND),
            )
        ],
        BEGUN,
        (
            step_delta(
                "step_1", function(0, "{}", id="f", name="g"), search(1, id="s", results=[])
            ),
            [opened(0, "f", "function"), argued("{}", 0, "f"), opened(1, "s", "file_search")],
        ),
        (
            step_completed(
                "step_1",
                function_call("f", "g", "{}", "out"),
                other_call("s", "file_search", file_search=FOUND),
            ),
            ending(
                completed(
                    function_call("f", "g", "{}", "out"),
                    other_call("s", "file_search", file_search=FOUND),
                )
            ),
        ),
    ),
    row(
        "the end without details ends the calls as they stand",
        [completed(SEEN)],
        *STREAMED,
        (
            step_event("completed", without(completed(), "step_details")),
            ending(completed(SEEN)),
        ),
    ),
    row(
        "any other kind is completed too",
        [completed(other_call("m", "mcp", arguments="ab", output="o", label=None))],
        BEGUN,
        (
            step_delta("step_1", other(0, "mcp", id="m", arguments="a", label=None)),
            [opened(0, "m", "mcp"), argued("a", 0, "m")],
        ),
        (
            step_completed(
                "step_1", other_call("m", "mcp", arguments="ab", output="o", label=None)
            ),
            [
                argued("b", 0, "m"),
                *ending(completed(other_call("m", "mcp", arguments="ab", output="o", label=None))),
            ],
        ),
    ),
]


@pytest.mark.parametrize(("steps", "fed", "counts"), COMPLETING)
def test_whole_steps_complete_what_was_streamed(
    steps: list[Wire] | None, fed: list[Fed], counts: list[int]
) -> None:
    check(steps, fed, counts)


HALF: Final = "a\ud83d"
HELD: Final = [
    pytest.param(code(0, HALF), seen("a\ufffd"), coded("\ufffd"), id="code"),
    pytest.param(
        ran(0, logs(0, HALF)), seen(None, printed("a\ufffd")), logged("\ufffd"), id="log"
    ),
    pytest.param(
        function(0, HALF, name="f"), named("f", "a\ufffd"), argued("\ufffd"), id="function"
    ),
    pytest.param(
        other(0, "mcp", arguments=HALF),
        other_call(None, "mcp", arguments="a\ufffd"),
        argued("\ufffd"),
        id="mcp",
    ),
]


@pytest.mark.parametrize(("item", "call", "change"), HELD)
def test_half_a_character_is_given_up_where_the_leg_ends(
    item: Wire, call: Wire, change: Change
) -> None:
    folded = fold_every_way([step_created(), step_delta("step_1", item)])
    assert folded.told[-1] == [change, StreamEnded("truncated")]
    assert to_wire(folded.snapshot.steps) == [step("step_1", call)]


@pytest.mark.parametrize(("item", "call", "change"), HELD)
def test_half_a_character_is_given_up_before_its_call_is_done(
    item: Wire, call: Wire, change: Change
) -> None:
    frames: list[Frame] = [step_created(), step_delta("step_1", item), step_completed()]
    folded = fold_every_way(frames)
    shrunk = found("content_shrunk", known="1 calls", said="0 calls")
    assert [each for each in folded.told[2] if each != shrunk] == [
        change,
        *ending(completed(call)),
    ]
    assert to_wire(folded.snapshot.steps) == [completed(call)]
