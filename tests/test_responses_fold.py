"""Streams of the Responses API: what is told of each kind of item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest

from streamkit import (
    AnnotationAdded,
    ArgumentsAppended,
    Change,
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
    part_added,
    reasoning_item,
    text_delta,
    thought,
)
from tests.folding import Folded, fold_every_way
from tests.promise import check_promise
from tests.streams import Wire, without

LOGS: Final = {"type": "logs", "logs": "42\n"}
IMAGE: Final = {"type": "image", "url": "https://example.org/plot.png"}


def of_item(kind: str, **fields: object) -> Frame:
    """Say something of the item of most tests."""
    return event(kind, item_id=ITEM, output_index=0, **fields)


def fold(*said: Frame) -> Folded:
    """Fold a stream in every way, numbered or not, and hold it to the promise."""
    folded = fold_every_way(numbered(said))
    other = fold_every_way(said)
    assert (other.changes, other.snapshot) == (folded.changes, folded.snapshot)
    check_promise(folded.changes, folded.snapshot, legs=1)
    return folded


def told(changes: Sequence[Change]) -> list[str]:
    """Say what was told in a word or two each."""
    return [
        " ".join([type(change).__name__, *filter(None, [_piece(change)])]) for change in changes
    ]


def _piece(change: Change) -> str | None:
    return getattr(change, "text", None) or getattr(change, "url", None)


# A stream like any other


CODE: Final = code_item("print(42)", LOGS, IMAGE, status="completed")
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


# The kinds of items: events between the item's begin and its end, what they tell, the end


def row(name: str, begun: Wire, between: Sequence[Frame], expected: list[str], end: Wire) -> Any:
    """Build a row of the table."""
    return pytest.param(begun, between, expected, end, id=name)


FILE: Final = {"file_id": "file-a", "filename": "a.csv"}
CITED: Final = {"type": "container_file_citation", "container_id": "cntr_1", **FILE}
NOTES: Final[list[Wire]] = [
    CITED | {"start_index": 0, "end_index": 2},
    {"type": "url_citation", "url": "https://x", "title": "X", "start_index": 0, "end_index": 2},
    {"type": "file_citation", "index": 2, **FILE},
    {"type": "file_path", "index": 2, "file_id": "file-b"},
]
NOTED: Final = message_item(output_text("Hello", *NOTES), status="completed")
REFUSED: Final = {"type": "refusal", "refusal": "No."}
THOUGHT: Final = {"type": "reasoning_text", "text": "Think."}
SEARCH: Final[Wire] = {"id": ITEM, "type": "file_search_call", "status": "in_progress"}
FOUND: Final = {
    "file_id": "file-a",
    "filename": "a.txt",
    "score": 0.5,
    "text": "So it is.",
    "attributes": {"year": 2024},
}
MCP: Final[Wire] = {
    "id": ITEM,
    "type": "mcp_call",
    "status": "in_progress",
    "name": "roll",
    "arguments": "",
    "server_label": "dice",
    "approval_request_id": None,
    "output": None,
    "error": None,
}
CUSTOM: Final[Wire] = {"id": ITEM, "type": "custom_tool_call", "call_id": "c", "name": "grep"}
PICTURE: Final[Wire] = {
    "id": ITEM,
    "type": "image_generation_call",
    "status": "in_progress",
    "result": None,
}
WEB: Final[Wire] = {"id": ITEM, "type": "web_search_call", "status": "in_progress"}
SHELL: Final[Wire] = {
    "id": ITEM,
    "type": "shell_call",
    "call_id": "c",
    "status": "in_progress",
    "action": {"commands": []},
}

ITEMS: Final = [
    row(
        "function",
        function_item(),
        [
            of_item("function_call_arguments.delta", delta='{"a":'),
            of_item("function_call_arguments.delta", delta="1}"),
            of_item("function_call_arguments.done", arguments='{"a":1}'),
        ],
        ['ArgumentsAppended {"a":', "ArgumentsAppended 1}"],
        function_item('{"a":1}', status="completed"),
    ),
    row("code is null", code_item(None), [], [], code_item(None, status="incomplete")),
    row(
        "no outputs were asked for",
        code_item() | {"outputs": None},
        [code_delta("1")],
        ["CodeAppended 1"],
        code_item("1", status="completed") | {"outputs": None},
    ),
    row(
        "no outputs came",
        code_item() | {"outputs": []},
        [code_delta("1")],
        ["CodeAppended 1"],
        code_item("1", status="completed") | {"outputs": []},
    ),
    row(
        "file search",
        SEARCH | {"queries": [], "results": None},
        [
            of_item("file_search_call.in_progress"),
            of_item("file_search_call.searching"),
            of_item("file_search_call.completed"),
        ],
        ["StepChanged", "StepChanged"],
        SEARCH | {"status": "completed", "queries": ["why"], "results": [FOUND]},
    ),
    row(
        "web search",
        WEB,
        [of_item("web_search_call.searching"), of_item("web_search_call.completed")],
        ["StepChanged", "StepChanged"],
        WEB | {"status": "completed", "action": {"type": "search", "query": "why"}},
    ),
    row(
        "mcp",
        MCP,
        [
            of_item("mcp_call.in_progress"),
            of_item("mcp_call_arguments.delta", delta='{"n":'),
            of_item("mcp_call_arguments.delta", delta="6}"),
            of_item("mcp_call_arguments.done", arguments='{"n":6}'),
            of_item("mcp_call.completed"),
        ],
        ['ArgumentsAppended {"n":', "ArgumentsAppended 6}", "StepChanged"],
        MCP | {"status": "completed", "arguments": '{"n":6}', "output": "4"},
    ),
    row(
        "list of tools",
        {"id": ITEM, "type": "mcp_list_tools", "server_label": "dice", "tools": []},
        [of_item("mcp_list_tools.in_progress"), of_item("mcp_list_tools.failed")],
        ["StepChanged", "StepChanged"],
        {"id": ITEM, "type": "mcp_list_tools", "server_label": "dice", "tools": [], "error": "x"},
    ),
    row(
        "approval",
        {"id": ITEM, "type": "mcp_approval_request", "name": "roll", "arguments": ""},
        [],
        [],
        {"id": ITEM, "type": "mcp_approval_request", "name": "roll", "arguments": "{}"},
    ),
    row(
        "custom tool",
        CUSTOM | {"input": ""},
        [
            of_item("custom_tool_call_input.delta", delta="a*"),
            of_item("custom_tool_call_input.delta", delta="b"),
            of_item("custom_tool_call_input.done", input="a*b"),
        ],
        ["ArgumentsAppended a*", "ArgumentsAppended b"],
        CUSTOM | {"input": "a*b"},
    ),
    row(
        "image generation",
        PICTURE,
        [
            of_item("image_generation_call.generating"),
            of_item(
                "image_generation_call.partial_image",
                partial_image_b64="AAAA",
                partial_image_index=0,
                size="8x8",
            ),
            of_item("image_generation_call.completed"),
        ],
        ["StepChanged", "StepChanged", "StepChanged"],
        PICTURE | {"status": "completed", "result": "AAAABBBB"},
    ),
    row(
        "shell",
        SHELL,
        [],
        [],
        SHELL | {"status": "completed", "action": {"commands": ["ls", "pwd"]}},
    ),
    row(
        "compaction",
        {"id": ITEM, "type": "compaction", "encrypted_content": ""},
        [of_item("compaction.compacting")],
        ["StepChanged"],
        {"id": ITEM, "type": "compaction", "encrypted_content": "gAAA"},
    ),
    row(
        "message",
        message_item(),
        [
            part_added(output_text("")),
            text_delta("Hel"),
            text_delta("lo"),
            *(note(each, index) for index, each in enumerate(NOTES)),
            of_item("output_text.done", content_index=0, text="Hello", logprobs=[]),
            of_item("content_part.done", content_index=0, part=output_text("Hello", *NOTES)),
        ],
        ["TextAppended Hel", "TextAppended lo", *["AnnotationAdded"] * 4],
        NOTED,
    ),
    row(
        "refusal",
        message_item(),
        [
            part_added({"type": "refusal", "refusal": ""}),
            of_item("refusal.delta", content_index=0, delta="N"),
            of_item("refusal.delta", content_index=0, delta="o."),
            of_item("refusal.done", content_index=0, refusal="No."),
            of_item("content_part.done", content_index=0, part=REFUSED),
        ],
        ["RefusalAppended N", "RefusalAppended o."],
        message_item(REFUSED, status="completed"),
    ),
    row(
        "two parts, the second first",
        message_item(),
        [text_delta("B", part=1), text_delta("A", part=0)],
        ["TextAppended B", "TextAppended A"],
        message_item(output_text("A"), output_text("B"), status="completed"),
    ),
    row(
        "an unknown part",
        message_item(),
        [part_added({"type": "hologram", "of": "a cat"})],
        ["PartAdded"],
        message_item({"type": "hologram", "of": "a cat"}, status="completed"),
    ),
    row(
        "a summary of reasoning",
        reasoning_item(encrypted_content=None),
        [
            of_item(
                "reasoning_summary_part.added",
                summary_index=0,
                part={"type": "summary_text", "text": ""},
            ),
            thought("Th"),
            thought("ink."),
            of_item("reasoning_summary_text.done", summary_index=0, text="Think."),
            of_item(
                "reasoning_summary_part.done",
                summary_index=0,
                part={"type": "summary_text", "text": "Think."},
            ),
            thought("More.", 1),
        ],
        ["ReasoningAppended Th", "ReasoningAppended ink.", "ReasoningAppended More."],
        reasoning_item("Think.", "More.", encrypted_content="gAAA"),
    ),
    row(
        "reasoning itself",
        reasoning_item(content=[]),
        [
            part_added({"type": "reasoning_text", "text": ""}),
            of_item("reasoning_text.delta", content_index=0, delta="Thi"),
            of_item("reasoning_text.delta", content_index=0, delta="nk."),
            of_item("reasoning_text.done", content_index=0, text="Think."),
            of_item("content_part.done", content_index=0, part=THOUGHT),
        ],
        ["ReasoningAppended Thi", "ReasoningAppended nk."],
        reasoning_item(content=[THOUGHT]),
    ),
]


@pytest.mark.parametrize(("begun", "between", "expected", "end"), ITEMS)
def test_an_item_is_told_as_it_grows(
    begun: Wire, between: list[Frame], expected: list[str], end: Wire
) -> None:
    folded = fold(created(), added(begun), *between, finished(end), completed(end))
    changes = [change for frame in folded.told[2 : 2 + len(between)] for change in frame]
    assert told(changes) == expected
    assert item_of(folded.snapshot) == end
    assert folded.snapshot.problems == ()
    assert told(folded.changes)[-2:] == ["RunChanged", "StreamEnded"]
    again = folded.told[-2]
    assert told(again) == ["RunChanged", "StreamEnded"]  # the response repeats what is known


@pytest.mark.parametrize(("begun", "between", "expected", "end"), ITEMS)
def test_an_item_may_come_whole(
    begun: Wire, between: list[Frame], expected: list[str], end: Wire
) -> None:
    """Without the event that opens it, or with the last response alone."""
    pieces = {each.partition(" ")[0] for each in expected if " " in each}
    for said in ([finished(end), completed(end)], [completed(end)], [finished(end), completed()]):
        folded = fold(created(), *said)
        assert item_of(folded.snapshot) == end
        assert folded.snapshot.problems == ()
        assert pieces <= {each.partition(" ")[0] for each in told(folded.changes)}


@pytest.mark.parametrize(("begun", "between", "expected", "end"), ITEMS)
def test_a_lost_beginning_is_reported(
    begun: Wire, between: list[Frame], expected: list[str], end: Wire
) -> None:
    folded = fold(created(), *between, finished(end), completed(end))
    kinds = [(problem.kind, problem.count) for problem in folded.snapshot.problems]
    assert kinds == ([("unknown_step", 1)] if between else [])
    assert item_of(folded.snapshot) == end


@pytest.mark.parametrize(("begun", "between", "expected", "end"), ITEMS)
def test_a_cut_item_is_whatever_was_said(
    begun: Wire, between: list[Frame], expected: list[str], end: Wire
) -> None:
    folded = fold(created(), added(begun), *between)
    assert folded.snapshot.outcome == "truncated"
    assert not {"StepDone", "CallDone", "MessageDone"} & set(told(folded.changes))
    (step,) = folded.snapshot.steps
    assert step.status == "in_progress"
    assert items_of(folded.snapshot)[0]["type"] == end["type"]


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
