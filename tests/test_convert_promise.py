"""What every conversion promises, whatever the run holds."""

from __future__ import annotations

import copy
import re
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from streamkit import to_wire
from streamkit.convert import ResponseItems, to_response_items
from streamkit.convert.source import read
from tests.converting import accept, strings, texts

Wire = dict[str, Any]

# How the API wants ids to begin.
PREFIXES: Final = {
    "code_interpreter_call": "ci_",
    "file_search_call": "fs_",
    "mcp_approval_request": "mcpr_",
    "mcp_call": "mcp_",
    "mcp_list_tools": "mcpl_",
    "message": "msg_",
}

TEXT: Final = st.text(max_size=8)
IDS: Final = st.sampled_from(["call_1", "ci_1", "msg_1", "x" * 70, "é", "a b", ""]) | TEXT
ODD: Final = st.none() | st.booleans() | st.integers() | TEXT | st.lists(st.integers(), max_size=2)
STATUS: Final = st.sampled_from(
    ["completed", "failed", "expired", "cancelled", "in_progress", "?"]
)


def some(required: Wire | None = None, /, **optional: Any) -> st.SearchStrategy[Any]:
    """Draw an object, of which any field may be missing, and which may have one more."""
    known = dict(required or {})
    more = {"more": ODD, "seed": ODD}
    whole = st.fixed_dictionaries({**known, **optional})
    return whole | whole | st.fixed_dictionaries(known, optional={**optional, **more})


def of_kind(kind: str, **optional: Any) -> st.SearchStrategy[Any]:
    return some({"type": st.just(kind)}, **optional)


def lists(*each: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(st.one_of(*each), min_size=1, max_size=3)


OUTPUTS: Final = lists(
    of_kind("logs", logs=TEXT),
    of_kind("image", image=some(file_id=TEXT, url=TEXT)),
    of_kind("table", output=ODD),
    of_kind("logs", logs=TEXT),
)
FOUND: Final = some(
    file_id=TEXT,
    file_name=TEXT,
    score=st.floats() | ODD,
    attributes=ODD | st.dictionaries(TEXT, ODD, max_size=2),
    content=lists(some(type=st.sampled_from(["text", "other"]), text=TEXT)),
)
FUNCTION: Final = some(name=TEXT, arguments=TEXT, output=TEXT)
CALLS: Final = lists(
    of_kind("code_interpreter", id=IDS, code_interpreter=some(input=TEXT, outputs=OUTPUTS)),
    of_kind("function", id=IDS, function=FUNCTION),
    of_kind("file_search", id=IDS, file_search=some(ranking_options=ODD, results=lists(FOUND))),
    of_kind("mcp", id=IDS, name=ODD, arguments=ODD, server_label=ODD, output=ODD),
    of_kind("openapi", id=IDS, function=FUNCTION | ODD),
    of_kind("deep_research", id=IDS, deep_research=some(input=ODD, output=ODD)),
)
ACTIVITIES: Final = lists(
    of_kind(
        "mcp_list_tools",
        id=IDS,
        server_label=ODD,
        tools=ODD | st.dictionaries(TEXT, ODD | some(description=ODD, parameters=ODD), max_size=2),
    ),
    of_kind("nap"),
)
DETAILS: Final = st.one_of(
    st.none(),
    of_kind("tool_calls", tool_calls=CALLS),
    of_kind("tool_calls", tool_calls=CALLS | st.just([])),
    of_kind("message_creation", message_creation=some(message_id=IDS)),
    of_kind("activities", activities=ACTIVITIES | ODD),
    of_kind("mcp", tool_calls=ODD | st.lists(ODD, max_size=2)),
)
STEPS: Final = some(
    {"id": IDS, "run_id": st.just("run_1")},
    status=STATUS,
    created_at=st.integers(),
    metadata=ODD,
    last_error=ODD,
    step_details=DETAILS,
)
INDEX: Final = st.integers() | ODD
ANNOTATIONS: Final = lists(
    *(
        of_kind(kind, text=ODD, start_index=INDEX, end_index=INDEX, **{kind: inner | ODD})
        for kind in ("file_citation", "file_path", "url_citation", "mood")
        for inner in [some(file_id=ODD, url=ODD, title=ODD)]
    )
)
IMAGES: Final = {
    "image_file": some(file_id=TEXT, detail=st.sampled_from(["auto", "lowest"])),
    "image_url": some(url=TEXT, detail=st.sampled_from(["low", "lowest"])),
}
MESSAGES: Final = some(
    {"id": IDS, "object": st.just("thread.message")},
    status=STATUS,
    role=st.sampled_from(["user", "assistant", "tool"]),
    attachments=ODD,
    content=lists(
        of_kind("text", text=some(value=TEXT, annotations=ANNOTATIONS)),
        of_kind("refusal", refusal=TEXT),
        *(of_kind(kind, **{kind: inner}) for kind, inner in IMAGES.items()),
        of_kind("audio", data=ODD),
    ),
)
WAITING: Final = st.fixed_dictionaries(
    {"type": st.just("submit_tool_outputs")},
    optional={"submit_tool_outputs": st.fixed_dictionaries({"tool_calls": CALLS})},
)
RUNS: Final = some({"id": IDS, "object": st.just("thread.run")}, required_action=WAITING)
WHOLE: Final = st.fixed_dictionaries(
    {
        "run": st.none() | RUNS,
        "steps": st.lists(STEPS, min_size=1, max_size=3),
        "messages": st.lists(MESSAGES, max_size=3),
    }
)
OPTIONS: Final = st.fixed_dictionaries(
    {},
    optional={
        "container_id": st.just("cntr_1"),
        "image_url": st.sampled_from([lambda id: f"https://x/{id}", lambda _: None]),
        "status": st.dictionaries(STATUS, st.sampled_from(["failed", "completed", "in_progress"])),
    },
)


def said_by(items: ResponseItems) -> set[str]:
    """Every text in the items and in the report."""
    return {*strings(list(items)), *strings([to_wire(each.said) for each in items.report])}


@settings(max_examples=250)
@given(WHOLE, OPTIONS)
def test_the_models_take_every_item(whole: Wire, options: Wire) -> None:
    for item in to_response_items(whole, **options):
        accept(item, own=True)


@settings(max_examples=250)
@given(WHOLE, OPTIONS)
def test_every_text_is_in_the_items_or_in_the_report(whole: Wire, options: Wire) -> None:
    kept = said_by(to_response_items(whole, **options))
    loaded = read(whole)  # as the snapshot has it: what was sent as null is not said
    wires = [to_wire(loaded.steps), to_wire(loaded.messages)]
    if loaded.run is not None:
        wires.append(to_wire(loaded.run.required_action))
    for text in texts(wires):
        assert text in kept


@settings(max_examples=250)
@given(WHOLE, OPTIONS)
def test_ids_are_those_that_the_api_takes(whole: Wire, options: Wire) -> None:
    ids = []
    items = to_response_items(whole, **options)
    for item, before in zip(items, [None, *items], strict=False):
        kind = item["type"]
        if kind == "function_call_output":
            assert before is not None
            assert (before["type"], before["call_id"]) == ("function_call", item["call_id"])
        elif kind == "function_call":
            ids.append(item["call_id"])
            assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", item["name"])
            assert 1 <= len(item["call_id"]) <= 64
        elif item.get("role") != "user":
            ids.append(item["id"])
            assert re.fullmatch(rf"{PREFIXES[kind]}[A-Za-z0-9_-]+", item["id"])
            assert len(item["id"]) <= 64
    assert len({*ids}) == len(ids)


@settings(max_examples=250)
@given(WHOLE, OPTIONS)
def test_what_is_converted_stays_as_it_was(whole: Wire, options: Wire) -> None:
    before = copy.deepcopy(whole)
    first = to_response_items(whole, **options)
    assert repr(whole) == repr(before)
    second = to_response_items(whole, **options)
    assert (repr(list(first)), repr(first.report)) == (repr(list(second)), repr(second.report))


@settings(max_examples=250)
@given(WHOLE)
def test_structs_and_json_are_one(whole: Wire) -> None:
    expected = to_response_items(whole | {"run": None})
    loaded = read(whole)
    items = to_response_items([*loaded.messages, *loaded.steps])
    assert repr(list(items)) == repr(list(expected))
    assert repr(items.report) == repr(expected.report)


@settings(max_examples=250)
@given(WHOLE, OPTIONS)
def test_every_decision_can_be_said(whole: Wire, options: Wire) -> None:
    for decision in to_response_items(whole, **options).report:
        assert "\n" not in re.sub(r"\[.*\]|'.*'", "", str(decision))
        assert decision.sentence.endswith(".")
