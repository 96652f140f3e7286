"""Whole steps that contradict what was streamed, or what they were before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from streamkit import Frame
from tests.merging import Fed, check, row
from tests.streams import (
    Wire,
    code,
    code_call,
    drawn,
    function,
    function_call,
    image,
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
)
from tests.told import (
    argued,
    begun,
    changed,
    coded,
    drew,
    ending,
    found,
    logged,
    named,
    opened,
)


def completed(*calls: Wire, **fields: Any) -> Wire:
    return step("step_1", *calls, status="completed", **fields)


BEGUN: Final[Fed] = (step_created(), [begun()])

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
FOUND: Final = {"results": [{"file_id": "file_a", "score": 0.5}]}

LOST: Final[dict[str, Wire]] = {
    "left out": {"new": {}},
    "left out with all around them": {},
    "null with all around them": {"new": None},
    "an object": {"new": {"arguments": {"a": 1}}},
    "a text around them": {"new": "ab"},
}
LOSING: Final[dict[str, Callable[[Wire], Frame]]] = {
    "in a fragment": lambda said: step_delta("step_1", other(0, "new", **said)),
    "on the way": lambda said: step_in_progress("step_1", other_call("n", "new", **said)),
    "at the end": lambda said: step_completed("step_1", other_call("n", "new", **said)),
}


def contradicted(name: str, terminal: Wire, *changes: Any, kept: Wire | None = None) -> Any:
    """Build a row: the streamed call is contradicted, first on the way, then at the end."""
    final = terminal if kept is None else kept
    return row(
        name,
        [completed(final)],
        *STREAMED,
        (step_completed("step_1", terminal), [*changes, *ending(completed(final))]),
    )


def objected(name: str, said: Wire, *changes: Any) -> Any:
    """Build a row: the streamed call is contradicted on the way, which changes nothing."""
    stands = step("step_1", code_call("a", "a", printed("c")))
    return row(name, [stands], *STREAMED, (step_in_progress("step_1", said), list(changes)))


CONTRADICTING: Final = [
    contradicted(
        "other texts are the final word",
        code_call("a", "x", printed("y")),
        found("content_differs", 0, known="a", said="x"),
        found("content_differs", 0, 0, known="c", said="y"),
    ),
    contradicted(
        "shorter texts are the final word",
        code_call("a", "", printed("")),
        found("content_shrunk", 0, known="a", said=""),
        found("content_shrunk", 0, 0, known="c", said=""),
    ),
    contradicted(
        "fewer outputs are not",
        code_call("a", "a"),
        found("content_shrunk", 0, known="1 outputs", said="0 outputs"),
        kept=SHORT,
    ),
    contradicted(
        "another id is the final word",
        code_call("b", "a", printed("c")),
        found("id_changed", 0, known="a", said="b"),
    ),
    contradicted(
        "another kind of output is the final word",
        code_call("a", "a", drawn("file_c")),
        found("type_changed", 0, 0, known="logs", said="image"),
        drew("file_c", 0, 0, "a"),
    ),
    contradicted(
        "another kind of call is the final word",
        function_call("a", "f", "{}"),
        found("type_changed", 0, known="code_interpreter", said="function"),
        argued("{}", 0, "a"),
    ),
    objected(
        "other texts on the way are not",
        code_call("a", "x", printed("y")),
        found("content_differs", 0, known="a", said="x"),
        found("content_differs", 0, 0, known="c", said="y"),
    ),
    objected("shorter texts on the way contradict nothing", code_call("a", "", printed(""))),
    objected("fewer outputs on the way contradict nothing", code_call("a", "a")),
    objected(
        "another id on the way is not taken",
        code_call("b", "a", printed("c")),
        found("id_changed", 0, known="a", said="b"),
    ),
    objected(
        "another kind of output on the way is not taken",
        code_call("a", "a", drawn("file_c")),
        found("type_changed", 0, 0, known="logs", said="image"),
    ),
    objected(
        "another kind of call on the way is not taken",
        function_call("a", "f", "{}"),
        found("type_changed", 0, known="code_interpreter", said="function"),
    ),
    row(
        "another image on the way is not taken",
        [step("step_1", code_call("a", "", drawn("file_c")))],
        BEGUN,
        (
            step_delta("step_1", code(0, None, image(0, "file_c"), id="a")),
            [opened(0, "a"), drew("file_c", 0, 0, "a")],
        ),
        (
            step_in_progress("step_1", code_call("a", "", drawn("file_d"))),
            [
                found("content_differs", 0, 0, known="file_c", said="file_d"),
                changed(code_call("a", "", drawn("file_c"))),
            ],
        ),
    ),
    row(
        "another image, name or arguments at the end",
        [completed(code_call("a", "", drawn("file_d")), function_call("f", "h", "y"))],
        BEGUN,
        (
            step_delta(
                "step_1",
                ran(0, image(0, "file_c")) | {"id": "a"},
                function(1, "x", id="f", name="g"),
            ),
            [
                *[opened(0, "a"), drew("file_c", 0, 0, "a")],
                *[opened(1, "f", "function"), argued("x", 1, "f")],
            ],
        ),
        (
            step_completed(
                "step_1", code_call("a", "", drawn("file_d")), function_call("f", "h", "y")
            ),
            [
                found("content_differs", 0, 0, known="file_c", said="file_d"),
                found("name_changed", 1, known="g", said="h"),
                found("content_differs", 1, known="x", said="y"),
                *ending(
                    completed(code_call("a", "", drawn("file_d")), function_call("f", "h", "y"))
                ),
            ],
        ),
    ),
    row(
        "fewer calls and results at the end keep those streamed",
        [
            completed(
                other_call("s", "file_search", file_search=FOUND), {"id": "f"} | named("g", "x")
            )
        ],
        BEGUN,
        (
            step_delta("step_1", search(0, id="s", **FOUND), function(1, "x", id="f", name="g")),
            [opened(0, "s", "file_search"), opened(1, "f", "function"), argued("x", 1, "f")],
        ),
        (
            step_completed("step_1", other_call("s", "file_search", file_search={"results": []})),
            [
                found("content_shrunk", 0, known="1 results", said="none"),
                found("content_shrunk", known="2 calls", said="1 calls"),
                *ending(
                    completed(
                        other_call("s", "file_search", file_search=FOUND),
                        {"id": "f"} | named("g", "x"),
                    )
                ),
            ],
        ),
    ),
    row(
        "null at the end erases nothing",
        [completed(function_call("f", "g", "{}", "o"), other_call("m", "mcp", output="o"))],
        BEGUN,
        (
            step_delta(
                "step_1",
                function(0, "{}", id="f", name="g", output="o"),
                other(1, "mcp", id="m", output="o"),
            ),
            None,
        ),
        (
            step_completed(
                "step_1",
                function_call("f", "g", "{}", None),
                other_call("m", "mcp", output=None),
            ),
            ending(
                completed(function_call("f", "g", "{}", "o"), other_call("m", "mcp", output="o"))
            ),
        ),
    ),
    row(
        "arguments that are something else on the way are not taken",
        [step("step_1", other_call("n", "new", new={"arguments": "ab"}))],
        BEGUN,
        (step_delta("step_1", other(0, "new", id="n", new={"arguments": "ab"})), None),
        (step_in_progress("step_1", other_call("n", "new", new={"arguments": [1]})), None),
        (step_in_progress("step_1", other_call("n", "new", new="ab")), None),
        counts=[2],
    ),
    *(
        row(
            f"arguments that are {name} {when} are kept, or reported",
            None,
            BEGUN,
            (
                step_delta("step_1", other(0, "new", id="n", new={"arguments": "ab"})),
                [opened(0, "n", "new"), argued("ab", 0, "n")],
            ),
            (say(said), None),
        )
        for name, said in LOST.items()
        for when, say in LOSING.items()
    ),
]

AGAIN: Final = [
    row(
        "a fragment for a step that has ended is taken, and it ends again",
        [completed(code_call("a", "ab", printed("c")))],
        *STREAMED,
        (step_completed("step_1", SHORT), ending(completed(SHORT))),
        (
            step_delta("step_1", code(0, "b")),
            [found("reopened", known="completed", said="delta"), coded("b", 0, "a")],
        ),
        (
            step_completed("step_1", code_call("a", "ab", printed("c"))),
            ending(completed(code_call("a", "ab", printed("c"))))[1:],
        ),
    ),
    row(
        "a fragment for an output that has ended is taken, and it ends again",
        [completed(code_call("a", "a", printed("cd")))],
        *STREAMED,
        (step_completed("step_1", SHORT), ending(completed(SHORT))),
        (
            step_delta("step_1", ran(0, logs(0, "d"))),
            [found("reopened", known="completed", said="delta"), logged("d", 0, 0, "a")],
        ),
        (
            step_completed("step_1", code_call("a", "a", printed("cd"))),
            ending(completed(code_call("a", "a", printed("cd")))),
        ),
    ),
    *(
        row(
            f"an end that adds {name} reopens the step",
            [completed(*calls)],
            *STREAMED,
            (step_completed("step_1", SHORT), ending(completed(SHORT))),
            (step_completed("step_1", *calls), None),
        )
        for name, calls in {
            "a call": (SHORT, code_call("b", "b")),
            "an output": (code_call("a", "a", printed("c"), printed("d")),),
            "code": (code_call("a", "ab", printed("c")),),
            "to a log": (code_call("a", "a", printed("cd")),),
        }.items()
    ),
    row(
        "a step that had ended by name alone, and grows on the way",
        [completed(LONG)],
        *STREAMED,
        (step_event("completed", step("step_1", SHORT)), ending(step("step_1", SHORT))),
        (step_in_progress("step_1", LONG), None),
        (step_completed("step_1", LONG), None),
    ),
    row(
        "a step that is reopened, and ends in another way",
        [step("step_1", code_call("a", "ab", printed("c")), status="failed")],
        *STREAMED,
        (step_completed("step_1", SHORT), ending(completed(SHORT))),
        (
            step_delta("step_1", code(0, "b")),
            [found("reopened", known="completed", said="delta"), coded("b", 0, "a")],
        ),
        (
            step_event(
                "failed", step("step_1", code_call("a", "ab", printed("c")), status="failed")
            ),
            [
                found("illegal_move", known="completed", said="failed"),
                *ending(step("step_1", code_call("a", "ab", printed("c")), status="failed"))[1:],
            ],
        ),
    ),
    row(
        "an ended step that is said to go on",
        [completed(SHORT)],
        *STREAMED,
        (step_completed("step_1", SHORT), ending(completed(SHORT))),
        (
            step_in_progress("step_1", SHORT),
            [found("illegal_move", known="completed", said="in_progress"), changed(SHORT)],
        ),
        (step_completed("step_1", SHORT), ending(completed(SHORT))[-1:]),
    ),
    row(
        "an ended step that ends in another way",
        [step("step_1", SHORT, status="failed")],
        *STREAMED,
        (step_completed("step_1", SHORT), ending(completed(SHORT))),
        (
            step_event("failed", step("step_1", SHORT, status="failed")),
            [
                found("illegal_move", known="completed", said="failed"),
                changed(SHORT, status="failed"),
            ],
        ),
    ),
]


@pytest.mark.parametrize(("steps", "fed", "counts"), [*CONTRADICTING, *AGAIN])
def test_contradictions(steps: list[Wire] | None, fed: list[Fed], counts: list[int]) -> None:
    check(steps, fed, counts)
