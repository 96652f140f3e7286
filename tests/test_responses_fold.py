"""Streams of the Responses API: what is told of each kind of item."""

from __future__ import annotations

from typing import Any, Final

import pytest

from streamkit import (
    AnnotationAdded,
    ArgumentsAppended,
    Frame,
    StepOpened,
    on,
    to_wire,
)
from tests.answering import (
    ITEM,
    added,
    code_delta,
    code_item,
    completed,
    created,
    event,
    finished,
    function_item,
    item_of,
    items_of,
    message_item,
    note,
    numbered,
    output_text,
    reasoning_item,
    text_delta,
    thought,
)
from tests.answers import (
    CODE,
    CUSTOM,
    IMAGE,
    LOGS,
    MCP,
    NOTED,
    NOTES,
    PICTURE,
    REFUSED,
    THOUGHT,
    fold,
    of_item,
    row,
    told,
)
from tests.folding import fold_every_way
from tests.promise import check_promise
from tests.streams import Wire, without

# A stream like any other


WHOLE: Final = (
    created(),
    event("in_progress", response={"id": "resp_1", "status": "in_progress"}),
    added(code_item()),
    of_item("code_interpreter_call.in_progress"),
    code_delta("print("),
    code_delta("42)"),
    of_item("code_interpreter_call_code.done", code="print(42)"),
    of_item("code_interpreter_call.interpreting"),
    of_item("code_interpreter_call.completed"),
    finished(CODE),
    completed(CODE),
)


def test_code_is_told_as_that_of_a_run_is() -> None:
    folded = fold(*WHOLE)
    assert told(folded.changes) == [
        "RunChanged",
        "RunChanged",
        "StepOpened",
        "CallOpened",
        "CodeAppended print(",
        "CodeAppended 42)",
        "StepChanged",  # interpreting
        "StepChanged",  # completed
        "LogAppended 42\n",
        "ImageAdded https://example.org/plot.png",
        "OutputDone",
        "OutputDone",
        "CallDone",
        "StepDone",
        "RunChanged",
        "StreamEnded",
    ]
    assert folded.snapshot.outcome == "complete"
    assert item_of(folded.snapshot) == CODE
    (step,) = folded.snapshot.steps
    assert (step.id, step.status) == (ITEM, "completed")
    call: Any = step.step_details.tool_calls[0]  # type: ignore[union-attr]
    assert call.code_interpreter.input == "print(42)"
    assert call.code_interpreter.outputs[0].logs == "42\n"
    assert call.code_interpreter.outputs[1].image.url == IMAGE["url"]
    assert call.extra == {"container_id": "cntr_1", "status": "completed"}


def test_callbacks_hear_the_same_as_of_a_run() -> None:
    heard: list[str] = []
    hear = on(
        code=lambda change: heard.append(change.text),
        log=lambda change: heard.append(change.text),
        image=lambda change: heard.append(str(change.url)),
    )
    for change in fold(*WHOLE).changes:
        hear(change)
    assert heard == ["print(", "42)", "42\n", IMAGE["url"]]


def test_the_run_is_the_response() -> None:
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    last = completed(usage=usage, status="incomplete", incomplete_details={"reason": "x"})
    run = fold(created(), last).snapshot.run
    assert run is not None
    assert run.usage is not None
    assert run.incomplete_details is not None
    assert (run.id, run.status, run.usage.total_tokens) == ("resp_1", "incomplete", 7)
    assert run.incomplete_details.reason == "x"
    assert b'"incomplete_details"' in last.data


def test_a_message_is_done_before_its_step() -> None:
    said = told(fold(created(), added(message_item()), finished(NOTED), completed()).changes)
    assert said[1:3] == ["StepOpened", "MessageOpened"]
    assert said[-4:] == ["MessageDone", "StepDone", "RunChanged", "StreamEnded"]


def test_annotations_are_told_as_they_end() -> None:
    body = [created(), added(message_item()), *(note(each, at) for at, each in enumerate(NOTES))]
    folded = fold(*body, finished(NOTED), completed())
    added_notes = [each for each in folded.changes if isinstance(each, AnnotationAdded)]
    text: Any = folded.snapshot.messages[0].content[0]
    assert [each.annotation for each in added_notes] == list(text.text.annotations)
    cited, path = text.text.annotations[2:]
    assert (cited.file_citation.file_id, path.file_path.file_id) == ("file-a", "file-b")
    assert to_wire(cited)["index"] == 2


# Fragments that were lost, or that contradict


LOST: Final = [
    row(
        "code",
        code_item(),
        [code_delta("print("), of_item("code_interpreter_call_code.done", code="print(42)")],
        ["CodeAppended print(", "CodeAppended 42)"],
        CODE,
    ),
    row(
        "arguments",
        function_item(),
        [of_item("function_call_arguments.done", arguments="{}")],
        ["ArgumentsAppended {}"],
        function_item("{}", status="completed"),
    ),
    row(
        "arguments of mcp",
        MCP,
        [of_item("mcp_call_arguments.done", arguments="{}")],
        ["ArgumentsAppended {}"],
        MCP | {"arguments": "{}"},
    ),
    row(
        "input",
        CUSTOM | {"input": ""},
        [
            of_item("custom_tool_call_input.delta", delta="a"),
            of_item("custom_tool_call_input.done", input="ab"),
        ],
        ["ArgumentsAppended a", "ArgumentsAppended b"],
        CUSTOM | {"input": "ab"},
    ),
    row(
        "text",
        message_item(),
        [text_delta("Hel"), of_item("output_text.done", content_index=0, text="Hello")],
        ["TextAppended Hel", "TextAppended lo"],
        message_item(output_text("Hello"), status="completed"),
    ),
    row(
        "a part",
        message_item(),
        [of_item("content_part.done", content_index=0, part=output_text("Hello", *NOTES))],
        ["TextAppended Hello", *["AnnotationAdded"] * 4],
        NOTED,
    ),
    row(
        "refusal",
        message_item(),
        [of_item("refusal.done", content_index=0, refusal="No.")],
        ["RefusalAppended No."],
        message_item(REFUSED, status="completed"),
    ),
    row(
        "a summary",
        reasoning_item(),
        [thought("Th"), of_item("reasoning_summary_text.done", summary_index=0, text="Think.")],
        ["ReasoningAppended Th", "ReasoningAppended ink."],
        reasoning_item("Think."),
    ),
    row(
        "reasoning",
        reasoning_item(),
        [of_item("reasoning_text.done", content_index=0, text="Think.")],
        ["ReasoningAppended Think."],
        reasoning_item(content=[THOUGHT]),
    ),
]


@pytest.mark.parametrize(("begun", "between", "expected", "end"), LOST)
def test_what_was_lost_of_a_text_comes_with_its_end(
    begun: Wire, between: list[Frame], expected: list[str], end: Wire
) -> None:
    cut = fold(created(), added(begun), *between)
    assert [each for frame in cut.told[2:-1] for each in told(frame)] == expected
    whole = fold(created(), added(begun), *between, finished(end), completed(end))
    assert whole.changes[: len(cut.changes) - 1] == cut.changes[:-1]
    assert whole.snapshot.problems == ()
    assert item_of(whole.snapshot) == end


def test_what_a_text_contradicts_is_a_problem_and_the_item_has_the_last_word() -> None:
    said = [code_delta("print(41)"), of_item("code_interpreter_call_code.done", code="print(42)")]
    cut = fold(created(), added(code_item()), *said)
    assert [(each.kind, each.count) for each in cut.snapshot.problems] == [("content_differs", 1)]
    assert item_of(cut.snapshot)["code"] == "print(41)"
    folded = fold(created(), added(code_item()), *said, finished(CODE), completed(CODE))
    assert [(each.kind, each.count) for each in folded.snapshot.problems] == [
        ("content_differs", 2)
    ]
    assert item_of(folded.snapshot) == CODE


def test_a_text_after_the_end_of_its_item_changes_nothing() -> None:
    late = [
        of_item("code_interpreter_call_code.done", code="print(42)"),
        of_item("code_interpreter_call_code.done", code="else"),
    ]
    folded = fold(created(), added(code_item()), finished(CODE), *late, completed(CODE))
    assert folded.told[3:5] == [[], []]
    assert folded.snapshot.problems == ()


def test_a_part_after_the_end_of_its_message_changes_nothing() -> None:
    late = of_item("content_part.done", content_index=0, part=output_text("Else"))
    folded = fold(created(), added(message_item()), finished(NOTED), late, completed(NOTED))
    assert folded.told[3] == []
    assert folded.snapshot.problems == ()


LATE: Final = [
    (code_item(), code_delta("1"), CODE, "code"),
    (message_item(), text_delta("1"), NOTED, "content"),
    (reasoning_item(), thought("1"), reasoning_item("Think."), "summary"),
]


@pytest.mark.parametrize(("begun", "late", "end", "field"), LATE)
def test_a_fragment_after_the_end_of_its_item_is_taken_and_reported(
    begun: Wire, late: Frame, end: Wire, field: str
) -> None:
    folded = fold(created(), added(begun), finished(end), late)
    assert {each.kind for each in folded.snapshot.problems} == {"reopened"}
    assert item_of(folded.snapshot)[field] != end[field]
    healed = fold(created(), added(begun), finished(end), late, completed(end))
    assert item_of(healed.snapshot) == end


def test_the_response_has_the_last_word() -> None:
    last = CODE | {"code": "print(42)  # so", "container_id": "cntr_2"}
    folded = fold(created(), added(code_item()), finished(CODE), completed(last))
    assert item_of(folded.snapshot) == last
    assert "CodeAppended   # so" in told(folded.changes)


def test_without_items_in_the_response_those_that_were_done_stand() -> None:
    assert item_of(fold(created(), finished(CODE), completed()).snapshot) == CODE


# Items side by side


def test_calls_of_functions_may_grow_side_by_side() -> None:
    names = ["item_c", "item_a", "item_b"]
    opened = [added(function_item(id=name), place) for place, name in enumerate(names)]
    texts = {name: f'{{"x": "{name}"}}' for name in names}
    grown = [
        event("function_call_arguments.delta", item_id=name, output_index=place, delta=piece)
        for column in zip(*texts.values(), strict=True)
        for place, (name, piece) in enumerate(zip(names, column, strict=True))
    ]
    ends = [function_item(texts[name], id=name, status="completed") for name in names]
    closed = [finished(end, place) for place, end in reversed(list(enumerate(ends)))]
    folded = fold_every_way(numbered([created(), *opened, *grown, *closed, completed(*ends)]))
    check_promise(folded.changes, folded.snapshot, legs=1)
    assert items_of(folded.snapshot) == ends
    assert folded.snapshot.problems == ()
    count = sum(isinstance(change, ArgumentsAppended) for change in folded.changes)
    assert count == len(grown)


def test_the_same_item_may_be_opened_twice() -> None:
    folded = fold(created(), added(code_item()), added(code_item()), finished(CODE), completed())
    assert item_of(folded.snapshot) == CODE
    assert folded.snapshot.problems == ()
    assert sum(isinstance(each, StepOpened) for each in folded.changes) == 1


def test_an_item_that_is_opened_as_completed_is_not_done() -> None:
    begun = code_item("print(42)", LOGS, status="completed")
    folded = fold(created(), added(begun), finished(CODE), completed())
    assert "StepDone" not in told(folded.told[1])
    assert folded.snapshot.problems == ()


# Items without an id, and fragments without one


@pytest.mark.parametrize("end", [CODE, NOTED, function_item("{}"), reasoning_item("Think.")])
def test_an_item_without_an_id_is_named_by_its_place(end: Wire) -> None:
    nameless = without(end, "id")
    folded = fold(created(), added(nameless, 2), finished(nameless, 2), completed())
    assert [step.id for step in folded.snapshot.steps] == ["output[2]"]
    assert item_of(folded.snapshot) == nameless


@pytest.mark.parametrize("name", [None, "", "another"])
def test_a_fragment_finds_its_item_by_its_place(name: str | None) -> None:
    """Some servers give every event of an item another id."""
    begun = [added(function_item(id="item_b"), 0), added(code_item(), 3)]
    grown = [code_delta("print(", name, 3), code_delta("42)", name, 3)]
    folded = fold(created(), *begun, *grown)
    assert folded.snapshot.problems == ()
    assert items_of(folded.snapshot)[1]["code"] == "print(42)"
    said = [added(message_item(), 1), text_delta("Hello", name, 1)]
    folded = fold(created(), *said)
    assert item_of(folded.snapshot)["content"][0]["text"] == "Hello"


def test_a_fragment_whose_place_is_not_known_either_opens_a_partial_step() -> None:
    folded = fold(created(), code_delta("print(", None, 3))
    (step,) = folded.snapshot.steps
    assert (step.id, step.partial) == ("output[3]", True)
    assert [each.kind for each in folded.snapshot.problems] == ["unknown_step"]


def test_code_may_begin_with_how_it_stands() -> None:
    """As where the beginning was lost."""
    said = [of_item("code_interpreter_call.in_progress"), code_delta("1"), code_delta("2")]
    shown = item_of(fold(created(), *said).snapshot)
    assert shown == {"id": ITEM, "type": "code_interpreter_call", "status": "in_progress"} | {
        "code": "12"
    }


# What does not pile up


def test_what_only_pads_a_fragment_is_not_kept() -> None:
    said = [added(message_item()), text_delta("Hello"), added(code_item(id="item_b"), 1)]
    said += [code_delta("print(", "item_b", 1)]
    assert "xyz" not in str(to_wire(fold(created(), *said).snapshot))


def test_a_partial_image_is_kept_until_the_image_is_there() -> None:
    pieces = [
        of_item(
            "image_generation_call.partial_image",
            partial_image_b64=text,
            partial_image_index=index,
        )
        for index, text in enumerate(["AAAA", "BBBB"])
    ]
    folded = fold(created(), added(PICTURE), *pieces)
    shown = item_of(folded.snapshot)
    assert (shown["partial_image_b64"], shown["partial_image_index"]) == ("BBBB", 1)
    end = PICTURE | {"status": "completed", "result": "CCCC"}
    assert item_of(fold(created(), added(PICTURE), *pieces, finished(end)).snapshot) == end
