"""What becomes of each field of a fragment: a row for each rule of the protocol."""

from __future__ import annotations

from typing import Any, Final

import pytest

from streamkit import Frame, StreamEnded, to_wire
from tests.folding import fold_every_way
from tests.merging import Fed, check, grow
from tests.streams import (
    Wire,
    code,
    creation,
    drawn,
    function,
    image,
    logs,
    other,
    printed,
    ran,
    search,
    step_details,
    step_event,
)
from tests.told import (
    argued,
    changed,
    coded,
    drew,
    found,
    logged,
    named,
    opened,
    seen,
)

FUNCTION: Final = opened(0, None, "function")
SEARCH: Final = opened(0, None, "file_search")


def optioned(ranker: str | None, threshold: float) -> Wire:
    return search(0, ranking_options={"ranker": ranker, "score_threshold": threshold})


def resulted(*results: Wire) -> Wire:
    return search(0, results=list(results))


def whole(item: Wire) -> Wire:
    return {name: value for name, value in item.items() if name != "index"}


def new(at: str, text: str) -> Wire:
    """Build a fragment that says something new at every place."""
    extra = {"new": at}
    outputs = [logs(0, text) | extra, image(1, "file_b") | extra, other(2, "new", **extra)]
    return ran(0, *outputs, **extra) | extra


def newly(at: str, text: str) -> Wire:
    """Build the whole of it."""
    extra = {"new": at}
    outputs = [printed(text) | extra, drawn("file_b") | extra, {"type": "new"} | extra]
    inner = {"outputs": outputs} | extra
    return {"type": "code_interpreter", "code_interpreter": inner} | extra


ANY: Final = {"n": 1, "b": True, "url": "u", "at": {"x": 1, "s": "a"}, "some": [1]}
OTHER: Final = {"n": 2, "b": False, "url": "v", "at": {"x": 1, "s": "b"}, "some": [2]}

KINDS: Final[dict[str, Any]] = {
    "mcp": lambda text: {"arguments": text},
    "openapi": lambda text: {"function": {"name": "f", "arguments": text}},
    "connected_agent": lambda text: {"connected_agent": {"arguments": text}},
    "new": lambda text: {"new": {"inner": {"n": 1, "arguments": text}}},
}

FIELDS: Final = [
    grow(
        "code, logs and arguments append",
        [seen("ac", printed("bd")), named("f", "eg")],
        ([code(0, "a", logs(0, "b"))], [opened(), coded("a"), logged("b")]),
        ([code(0, "c", logs(0, "d"))], [coded("c"), logged("d")]),
        ([function(1, "e", name="f")], [opened(1, None, "function"), argued("e", 1)]),
        ([function(1, "g")], [argued("g", 1)]),
    ),
    grow(
        "an empty fragment is no change",
        [seen("", printed("")), named("", ""), {"type": "mcp", "arguments": ""}],
        ([code(0, "", logs(0, ""))], [opened()]),
        ([function(1, "", name="")], [opened(1, None, "function")]),
        ([other(2, "mcp", arguments="")], [opened(2, None, "mcp")]),
        ([code(0, ""), function(1, ""), other(2, "mcp", arguments="")], []),
    ),
    *(
        grow(
            f"arguments of any other kind append: {kind}",
            [{"type": kind, **fields("ab")}],
            ([other(0, kind, **fields("a"))], [opened(0, None, kind), argued("a")]),
            ([other(0, kind, **fields("b"))], [argued("b")]),
        )
        for kind, fields in KINDS.items()
    ),
    grow(
        "a function's output is replaced",
        [named("f", output="b")],
        ([function(0, name="f", output=None)], [FUNCTION]),
        ([function(0, output="a")], [changed(named("f", output="a"))]),
        ([function(0, output="b")], [changed(named("f", output="b"))]),
        ([function(0, output=None)], []),
    ),
    grow(
        "an image is set",
        [seen(None, drawn("file_b"))],
        ([ran(0, image(0, None))], [opened()]),
        ([ran(0, image(0, "file_a"))], [drew("file_a")]),
        ([ran(0, image(0, "file_a"))], []),
        (
            [ran(0, image(0, "file_b"))],
            [found("content_differs", 0, 0, known="file_a", said="file_b")],
        ),
    ),
    grow(
        "an image gets another address",
        [seen(None, {"type": "image", "image": {"file_id": "file_a", "url": "u"}})],
        ([ran(0, image(0, "file_a"))], [opened(), drew("file_a")]),
        (
            [ran(0, {"index": 0, "type": "image", "image": {"url": "u"}})],
            [changed(seen(None, {"type": "image", "image": {"file_id": "file_a", "url": "u"}}))],
        ),
    ),
    grow(
        "ranking options are replaced, never added up or joined",
        [whole(optioned("other", 0.75))],
        ([optioned("auto", 0.5)], [SEARCH]),
        ([optioned("auto", 0.5)], []),
        ([optioned("other", 0.75)], [changed(whole(optioned("other", 0.75)))]),
    ),
    grow(
        "a null among ranking options erases nothing",
        [whole(optioned("auto", 0.75))],
        ([optioned("auto", 0.5)], [SEARCH]),
        ([optioned(None, 0.75)], [changed(whole(optioned("auto", 0.75)))]),
    ),
    grow(
        "results are replaced, their scores not added up",
        [whole(resulted({"file_id": "a", "score": 0.5}))],
        ([resulted({"file_id": "a", "score": 0.25}, {"file_id": "b", "score": 1})], [SEARCH]),
        (
            [resulted({"file_id": "a", "score": 0.5})],
            [changed(whole(resulted({"file_id": "a", "score": 0.5})))],
        ),
        ([resulted()], []),
    ),
    grow(
        "everything else is replaced",
        [other(None, "new", **OTHER)],
        ([other(0, "new", **ANY)], [opened(0, None, "new")]),
        ([other(0, "new", **OTHER)], [changed(other(None, "new", **OTHER))]),
        ([other(0, "new", **dict.fromkeys(OTHER))], []),
    ),
    grow(
        "unknown fields are kept anywhere, and replaced",
        [newly("y", "ab")],
        ([new("x", "a")], [opened(), logged("a"), drew("file_b", 1)]),
        ([new("y", "b")], [logged("b"), changed(newly("y", "ab"))]),
    ),
    grow(
        "null is no change",
        [seen("a", printed("b"), drawn("file_c"), id="a")],
        (
            [code(0, "a", logs(0, "b"), image(1, "file_c"), id="a")],
            [
                opened(0, "a"),
                coded("a", 0, "a"),
                logged("b", 0, 0, "a"),
                drew("file_c", 1, 0, "a"),
            ],
        ),
        ([ran(0) | {"id": None}, ran(0) | {"code_interpreter": None}], []),
        ([ran(0, input=None, outputs=None)], []),
        ([ran(0, logs(0, None) | {"logs": None}, image(1, None) | {"image": None})], []),
        ([ran(0, {"index": 1, "type": "image", "image": {"file_id": None}})], []),
    ),
    grow(
        "null is no change in a function or any other kind",
        [named("f", "a", output="b"), {"type": "mcp", "arguments": "c", "label": "l"}],
        ([function(0, "a", name="f", output="b")], [FUNCTION, argued("a")]),
        ([other(1, "mcp", arguments="c", label="l")], [opened(1, None, "mcp"), argued("c", 1)]),
        ([function(0, name=None, output=None)], []),
        ([function(0) | {"function": {"arguments": None}}, function(0) | {"function": None}], []),
        ([other(1, "mcp", arguments=None, label=None)], []),
    ),
    grow(
        "null is no change in place of calls, details or the delta",
        [seen("a")],
        ([code(0, "a")], [opened(), coded("a")]),
        (step_details("step_1", {"type": "tool_calls", "tool_calls": None}), []),
        (step_details("step_1", {"tool_calls": None}), []),
        (step_details("step_1", {}), []),
        (step_details("step_1", None), []),
        (Frame("thread.run.step.delta", b'{"id": "step_1", "delta": {}}'), []),
        (Frame("thread.run.step.delta", b'{"id": "step_1", "delta": null}'), []),
    ),
    grow(
        "[] for outputs is no change",
        [seen(None, printed("a"))],
        ([ran(0, logs(0, "a"))], [opened(), logged("a")]),
        ([ran(0, outputs=[])], []),
    ),
]


@pytest.mark.parametrize(("steps", "fed", "counts"), FIELDS)
def test_fields_merge(steps: list[Wire], fed: list[Fed], counts: list[int]) -> None:
    check(steps, fed, counts)


def test_the_message_of_a_step_is_set() -> None:
    details: Wire = {"type": "message_creation", "message_creation": {}}
    named: Wire = details | {"message_creation": {"message_id": "msg_2"}}
    frames = [step_event("created", creation("step_1", "msg_1"))]
    frames += [step_details("step_1", said) for said in (details, named, named)]
    folded = fold_every_way(frames)
    after = creation("step_1", "msg_2")
    assert folded.told[1:] == [[], [changed(**after)], [], [StreamEnded("truncated")]]
    assert to_wire(folded.snapshot.steps) == [after]
