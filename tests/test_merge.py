"""Where fragments belong, and who they are: a row for each rule of the protocol."""

from __future__ import annotations

from typing import Final

import pytest

from tests.merging import Fed, check, grow, row
from tests.streams import (
    Wire,
    code,
    drawn,
    function,
    image,
    logs,
    other,
    printed,
    ran,
    step_created,
    without,
)
from tests.told import (
    argued,
    begun,
    changed,
    coded,
    drew,
    found,
    logged,
    named,
    opened,
    seen,
)


def function_of(call_id: str, arguments: str) -> Wire:
    return {"id": call_id, "type": "function", "function": {"arguments": arguments}}


FUNCTION: Final = opened(0, None, "function")

SLOTS: Final = [
    grow(
        "calls in any order, with gaps",
        [seen("a"), seen("c"), seen("h")],
        ([code(2, "c")], [opened(2), coded("c", 2)]),
        ([code(0, "a")], [opened(0), coded("a", 0)]),
        ([code(7, "h")], [opened(7), coded("h", 7)]),
    ),
    grow(
        "outputs in any order, with gaps",
        [seen(None, drawn("file_b"), printed("de"))],
        ([ran(0, logs(3, "d"))], [opened(), logged("d", 3)]),
        ([ran(0, image(1, "file_b"))], [drew("file_b", 1)]),
        ([ran(0, logs(3, "e"))], [logged("e", 3)]),
    ),
    grow(
        "several items of one index in one frame",
        [seen("ab"), seen("x")],
        (
            [code(0, "a"), code(1, "x"), code(0, "b")],
            [opened(), coded("a"), opened(1), coded("x", 1), coded("b")],
        ),
    ),
    grow(
        "several outputs of one index in one frame",
        [seen(None, printed("ac"), printed("b"))],
        (
            [ran(0, logs(0, "a"), logs(1, "b"), logs(0, "c"))],
            [opened(), logged("a"), logged("b", 1), logged("c")],
        ),
    ),
    grow(
        "an index as an integral float or as digits",
        [seen("ab", printed("cd"))],
        ([code(0.0, "a")], [opened(), coded("a")]),
        ([code("0", "b")], [coded("b")]),
        ([ran(0, logs(1.0, "c"))], [logged("c", 1)]),
        ([ran(0, logs("1", "d"))], [logged("d", 1)]),
    ),
    *(
        grow(
            f"an index that is none: {index!r}",
            [seen("ab", printed("cd"))],
            ([code(0, "a")], [opened(), coded("a")]),
            ([code(index, "b")], [found("index_invalid", said=repr(index)), coded("b")]),
            ([ran(0, logs(0, "c"))], [logged("c")]),
            (
                [ran(0, logs(index, "d"))],
                [found("index_invalid", 0, said=repr(index)), logged("d")],
            ),
        )
        for index in (-1, True, 1.5, "x", "-1", [0])
    ),
    grow(
        "no index: the call that has the id",
        [seen("ac", id="a"), seen("b", id="b")],
        ([code(0, "a", id="a")], [opened(0, "a"), coded("a", 0, "a")]),
        ([code(1, "b", id="b")], [opened(1, "b"), coded("b", 1, "b")]),
        ([code(None, "c", id="a")], [coded("c", 0, "a")]),
    ),
    grow(
        "no index: the call that has an id said late",
        [seen("acd", id="a"), seen("b")],
        ([code(0, "a"), code(1, "b")], [opened(), coded("a"), opened(1), coded("b", 1)]),
        ([code(0, "c", id="a")], [coded("c", 0, "a"), changed(seen("ac", id="a"), seen("b"))]),
        ([code(None, "d", id="a")], [coded("d", 0, "a")]),
    ),
    grow(
        "no index: the last open call or output, for the only item",
        [seen("a"), seen("bc", printed("de"))],
        ([code(None, "a")], [opened(), coded("a")]),
        ([code(1, "b")], [opened(1), coded("b", 1)]),
        ([code(None, "c")], [coded("c", 1)]),
        ([ran(None, logs(None, "d"))], [logged("d", 0, 1)]),
        ([ran(None, logs(None, "e"))], [logged("e", 0, 1)]),
    ),
    grow(
        "no index: something new, for an item of another kind",
        [seen("a", printed("b"), drawn("file_c")), named("f", "d")],
        ([code(0, "a", logs(0, "b"))], [opened(), coded("a"), logged("b")]),
        ([ran(0, image(None, "file_c"))], [drew("file_c", 1)]),
        ([function(None, "d", name="f")], [opened(1, None, "function"), argued("d", 1)]),
    ),
    grow(
        "no index: reported, for several calls",
        [seen("a"), seen("b")],
        (
            [code(None, "a"), code(None, "b")],
            [found("index_missing"), opened(), coded("a"), opened(1), coded("b", 1)],
        ),
        counts=[2],
    ),
    grow(
        "no index: reported, for several outputs",
        [seen(None, printed("a"), drawn("file_b"))],
        (
            [ran(0, logs(None, "a"), image(None, "file_b"))],
            [opened(), found("index_missing", 0), logged("a"), drew("file_b", 1)],
        ),
        counts=[2],
    ),
]

NAMES: Final = [
    grow(
        "the first id that is one wins, others are reported",
        [seen("12345", id="a")],
        ([code(0, "1", id="")], [opened(), coded("1")]),
        ([code(0, "2", id="a")], [coded("2", 0, "a"), changed(seen("12", id="a"))]),
        ([code(0, "3", id="a")], [coded("3", 0, "a")]),
        (
            [code(0, "4", id="b")],
            [found("id_changed", 0, known="a", said="b"), coded("4", 0, "a")],
        ),
        ([code(0, "5", id="c")], [coded("5", 0, "a")]),
        counts=[2],
    ),
    grow(
        "a log becomes an image",
        [seen(None, drawn("file_c"), printed("b"))],
        ([ran(0, logs(0, "a"), logs(1, "b"))], [opened(), logged("a"), logged("b", 1)]),
        (
            [ran(0, image(0, "file_c"))],
            [found("type_changed", 0, 0, known="logs", said="image"), drew("file_c")],
        ),
    ),
    grow(
        "code becomes a function",
        [function_of("a", "{}"), seen("b")],
        (
            [code(0, "a", id="a"), code(1, "b")],
            [opened(0, "a"), coded("a", 0, "a"), opened(1), coded("b", 1)],
        ),
        (
            [function(0, "{}", id="a")],
            [
                found("type_changed", 0, known="code_interpreter", said="function"),
                argued("{}", 0, "a"),
            ],
        ),
    ),
    grow(
        "a type left out is no change",
        [seen("ac", printed("b"))],
        ([code(0, "a", logs(0, "b"))], [opened(), coded("a"), logged("b")]),
        ([without(code(0, "c"), "type")], [coded("c")]),
        ([{"index": 0, "type": None}], []),
    ),
    grow(
        "a type left out of an output is no change",
        [seen(None, printed("ab"))],
        ([ran(0, logs(0, "a"))], [opened(), logged("a")]),
        ([ran(0, {"index": 0, "logs": "b"})], [logged("b")]),
        ([ran(0, {"index": 0})], []),
    ),
    grow(
        "a type left out of any other kind is no change",
        [{"type": "mcp", "arguments": "ab"}],
        ([other(0, "mcp", arguments="a")], [opened(0, None, "mcp"), argued("a")]),
        ([{"index": 0, "arguments": "b"}], [argued("b")]),
    ),
    grow(
        "a type said late loses nothing",
        [{"type": "mcp", "arguments": "ab"}],
        ([{"index": 0, "arguments": "a"}], [opened(0, None, None), argued("a")]),
        (
            [other(0, "mcp", arguments="b")],
            [argued("b"), changed({"type": "mcp", "arguments": "ab"})],
        ),
    ),
    row(
        "a function whose type is said late, after arguments",
        None,
        (step_created(), [begun()]),
        ([{"index": 0, "arguments": "a"}], [opened(0, None, None), argued("a")]),
        ([function(0, "b", name="f")], None),
    ),
    grow(
        "a type of an output said late is no contradiction",
        [seen(None, printed("a") | {"new": 1})],
        ([ran(0, {"index": 0, "new": 1})], [opened()]),
        ([ran(0, logs(0, "a"))], [logged("a")]),
    ),
    grow(
        "a name is set, not joined, and replaced by another",
        [named("g", "{}")],
        ([function(0, "", name="f")], [FUNCTION]),
        ([function(0, "{", name="f")], [argued("{")]),
        (
            [function(0, "}", name="g")],
            [
                found("name_changed", 0, known="f", said="g"),
                argued("}"),
                changed(named("g", "{}")),
            ],
        ),
        ([function(0, name="")], []),
    ),
]


@pytest.mark.parametrize(("steps", "fed", "counts"), [*SLOTS, *NAMES])
def test_fragments_find_their_place(
    steps: list[Wire] | None, fed: list[Fed], counts: list[int]
) -> None:
    check(steps, fed, counts)
