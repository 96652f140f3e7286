"""Each kind of item: what is told as it grows, comes whole, lacks its beginning, is cut."""

from __future__ import annotations

from typing import Final

import pytest

from streamkit import (
    Frame,
)
from tests.answering import (
    ITEM,
    added,
    code_delta,
    code_item,
    completed,
    created,
    finished,
    function_item,
    item_of,
    items_of,
    message_item,
    note,
    output_text,
    part_added,
    reasoning_item,
    text_delta,
    thought,
)
from tests.answers import (
    CUSTOM,
    FOUND,
    MCP,
    NOTED,
    NOTES,
    PICTURE,
    REFUSED,
    SEARCH,
    SHELL,
    THOUGHT,
    WEB,
    fold,
    of_item,
    row,
    told,
)
from tests.streams import Wire

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
