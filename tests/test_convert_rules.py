"""What is decided of statuses, ids, containers and images, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

import pytest

from streamkit import DecodeError, RunSnapshot, RunStep, UsageError
from streamkit.convert import (
    UNKNOWN_CONTAINER,
    Decision,
    DecisionKind,
    ResponseItems,
    to_response_items,
)
from tests.converting import (
    CODE,
    CONTAINER,
    IMAGE,
    Wire,
    code,
    converted,
    function,
    noted,
    strings,
    texts,
    wire_of,
)

LONG: Final = "x" * 65


# Statuses

ENDS: Final = ("completed", "failed", "cancelled", "expired", "in_progress", "unheard_of", None)


@pytest.mark.parametrize("said", ENDS)
@pytest.mark.parametrize("kind", ["code_interpreter", "file_search", "mcp", "function"])
def test_a_status_that_cannot_be_said_is_incomplete(kind: str, said: str | None) -> None:
    step = wire_of({"id": "ci_1", "type": kind})
    step["status"] = said
    items = converted(step)
    can_fail = kind != "function"
    keeps = said == "completed" or (said == "failed" and can_fail)
    assert items[0]["status"] == (said if keeps else "incomplete")
    why = "unfinished" if said in (None, "in_progress") else "status"
    expected = [] if keeps else [(why, said, "incomplete")]
    assert [each for each in noted(items) if each[0] in ("status", "unfinished")] == expected


@pytest.mark.parametrize(
    ("said", "chosen", "status", "by"),
    [
        ("expired", {"expired": "failed"}, "failed", "caller"),
        ("cancelled", {"expired": "failed"}, "incomplete", "default"),
        ("in_progress", {"in_progress": "completed"}, "completed", "caller"),
        (None, {"in_progress": "completed"}, "completed", "caller"),
        ("completed", {"completed": "in_progress"}, "in_progress", "caller"),
    ],
)
def test_the_caller_chooses_statuses(
    said: str | None, chosen: Mapping[str, str], status: str, by: str
) -> None:
    items = converted(code(input="1") | {"status": said}, status=chosen)
    assert items[0]["status"] == status
    (decision,) = (each for each in items.report if each.kind in ("status", "unfinished"))
    assert (decision.said, decision.given, decision.by) == (said, status, by)


def test_a_status_that_the_kind_cannot_have_is_incomplete_whoever_chose_it() -> None:
    step = function(name="f", arguments="{}") | {"status": "expired"}
    items = converted(step, status={"expired": "failed"})
    assert items[0]["status"] == "incomplete"
    assert ("status", "expired", "incomplete") in noted(items)


def test_a_status_that_no_item_has_is_refused() -> None:
    with pytest.raises(UsageError, match="no item has the status 'gone'; choose one of completed"):
        to_response_items([], status={"expired": "gone"})


def test_a_status_that_is_chosen_as_it_is_is_no_decision() -> None:
    assert noted(converted(code(input="1"), status={"completed": "completed"})) == [CONTAINER]


# Ids


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ("ci_1", "ci_1"),
        ("call_1", "ci_call_1"),
        (None, "ci_step_1_0"),
        ("", "ci_step_1_0"),
        ("cit_1", "ci_cit_1"),
        ("ci_é", None),
        ("ci_a b", None),
        (f"ci_{LONG}", None),
        (LONG, None),
    ],
)
def test_an_id_is_one_that_the_api_takes(said: str | None, given: str | None) -> None:
    items = converted(wire_of(CODE | {"id": said}))
    id = items[0]["id"]
    assert given is None or id == given
    assert id.startswith("ci_")
    assert id.isascii()
    assert len(id) <= 64
    decisions = [each for each in noted(items) if each[0] == "id"]
    assert decisions == ([] if said == id else [("id", said, id)])


@pytest.mark.parametrize("said", ["call_1", "fc_1", "é!", "x" * 64])
def test_the_id_of_a_function_call_may_be_any_short_text(said: str) -> None:
    items = converted(
        wire_of({"id": said, "type": "function", "function": {"name": "f", "output": ""}})
    )
    assert [item["call_id"] for item in items] == [said, said]
    assert noted(items) == []


@pytest.mark.parametrize("said", [LONG, None])
def test_a_call_and_its_output_share_the_id_that_is_made(said: str | None) -> None:
    items = converted(
        wire_of({"id": said, "type": "function", "function": {"name": "f", "output": ""}})
    )
    assert items[0]["call_id"] == items[1]["call_id"]
    assert len(items[0]["call_id"]) <= 64
    assert noted(items) == [("id", said, items[0]["call_id"])]


def test_ids_are_unique() -> None:
    calls: list[Wire] = [CODE, CODE, {"id": "ci_1", "type": "function", "function": {"name": "f"}}]
    items = converted(wire_of(*calls), wire_of(*calls, id="step_2"))
    ids = [item.get("id", item.get("call_id")) for item in items]
    assert len({*ids}) == len(items) == 6
    assert [each for each in ids if each == "ci_1"] == ["ci_1"]


# Containers and images


def test_the_caller_knows_the_container() -> None:
    first, second = code(input="1"), wire_of(CODE | {"id": "ci_2"}, id="step_2")

    def of_step(step: RunStep) -> str | None:
        return {"step_1": "cntr_1"}.get(step.id)

    items = converted(first, second, container_id=of_step)
    assert [item["container_id"] for item in items] == ["cntr_1", UNKNOWN_CONTAINER]
    told = [(each.given, each.by) for each in items.report if each.kind == "container"]
    assert told == [("cntr_1", "caller"), (UNKNOWN_CONTAINER, "default")]
    items = converted(first, second, container_id="cntr_2")
    assert [item["container_id"] for item in items] == ["cntr_2", "cntr_2"]


def test_the_caller_knows_the_images() -> None:
    other = {"type": "image", "image": {"file_id": "file-2"}}
    items = converted(code(outputs=[IMAGE, other]), image_url={"file-1": "https://x"}.get)
    assert items[0]["outputs"] == [{"type": "image", "url": "https://x"}]
    first, second = (each for each in items.report if each.kind == "image")
    path = "steps[0].step_details.tool_calls[0].code_interpreter.outputs"
    assert first == Decision(
        kind="image",
        path=f"{path}[0].image.file_id",
        step_id="step_1",
        said="file-1",
        given="https://x",
        by="caller",
    )
    assert (second.path, second.given, second.by) == (f"{path}[1].image.file_id", None, "caller")


# The report

SENTENCES: Final[dict[str, tuple[Callable[[], ResponseItems], str]]] = {
    "left out": (
        lambda: converted(code(outputs=[IMAGE])),
        'the image has a file id, and an item wants its URL: "file-1" was left out.',
    ),
    "made": (
        lambda: converted(code(input="1")),
        f'which container the code ran in is not known: "{UNKNOWN_CONTAINER}" was given.',
    ),
    "changed": (
        lambda: converted(code(input="1") | {"status": "expired"}),
        'an item of its kind cannot have the status: "expired" became "incomplete".',
    ),
    "chosen": (
        lambda: converted(code(input="1"), container_id="c"),
        'which container the code ran in is not known: "c" was given, as the caller chose.',
    ),
    "neither": (lambda: converted(wire_of()), "there is nothing in it to make an item of."),
    "short": (
        lambda: converted(code(input="1", more="x" * 1000)),
        f'an item has no place for it: "{"x" * 78}… was left out.',
    ),
    "fields": (
        lambda: converted(code(input="1")),
        "items do not tell when and for whom they were made: id, run_id, type were left out.",
    ),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_decision_says_what_it_is(name: str) -> None:
    build, sentence = SENTENCES[name]
    decisions = build().report
    assert sentence in [each.sentence for each in decisions]
    for each in decisions:
        assert str(each) == (f"{each.path}: {each.sentence}" if each.path else each.sentence)


def test_every_kind_of_decision_is_documented() -> None:
    table = re.findall(r"^    (\w+) {2,}\w", Decision.__doc__ or "", re.MULTILINE)
    kinds = get_args(DecisionKind)
    assert sorted(table) == sorted(["kind", *kinds])  # the heading is one, too
    for kind in kinds:
        assert Decision(kind=kind, path="", said=["x"]).sentence


def test_the_items_are_a_list_like_any_other() -> None:
    items = converted(code(input="1"))
    assert items == list(items)
    assert isinstance(items, list)
    assert ResponseItems() == []
    assert ResponseItems().report == ()


# Sources


def test_every_source_gives_the_same() -> None:
    steps = [code(input="1"), wire_of(CODE | {"id": "ci_2"}, id="step_2")]
    expected = converted(*steps)
    structs = to_response_items({"steps": steps, "messages": []})
    for source in (steps, iter(steps), tuple(steps), {"object": "list", "data": steps}):
        items = to_response_items(source)
        assert (items, items.report) == (expected, expected.report)
    assert structs == expected
    assert to_response_items(RunSnapshot()) == []
    assert to_response_items([]) == []


@pytest.mark.parametrize(
    "source", ["run.sse", b"data: ", 7, None, {"id": "step_1"}, [7], RunStep(id="a")]
)
def test_what_is_no_source_is_refused(source: Any) -> None:
    with pytest.raises(UsageError, match=r"needed, not \w+"):
        to_response_items(source)


@pytest.mark.parametrize(
    "step",
    [
        {"id": "step_1", "status": "completed", "type": "reasoning"},
        wire_of({"id": "call_1", "type": "function", "function": {"name": "f", "output": "3"}})
        | {"id": "fc_1", "run_id": None},
        wire_of({"id": "call_1", "type": "function", "function": {"name": "f", "input": "3"}})
        | {"run_id": None},
        wire_of({"id": "ct_1", "type": "custom"}, {"id": "ct_1", "type": "custom"})
        | {"id": "ct_1", "run_id": None},
        wire_of({"id": "ct_1", "type": "custom", "x": 1}) | {"id": "ct_1"},
        wire_of({"type": "custom", "x": 1}) | {"run_id": None},
        wire_of({"id": "call_1", "type": "custom", "x": 1}) | {"run_id": None, "id": "ct_1"},
        wire_of({"id": "ct_1", "type": "custom", "x": 1})
        | {"id": "ct_1", "run_id": None, "status": None},
    ],
    ids=str,
)
def test_what_only_looks_like_an_item_is_converted(step: Wire) -> None:
    items = converted(step)
    assert items.report
    assert {*texts(step)} <= {*strings([list(items), *(each.said for each in items.report)])}


def test_json_that_is_no_step_is_refused() -> None:
    with pytest.raises(DecodeError, match=r"\$\.id"):
        to_response_items([{"object": "thread.run.step"}])
