"""Legal streams of the Responses API, made of any items: they fold to those items.

The oracle is slow and obvious: the output of the last response. Items are made first; their
events come of them, in pieces, several items side by side.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from streamkit import Frame, to_wire
from tests.answering import (
    added,
    completed,
    created,
    event,
    finished,
    items_of,
    numbered,
    output_text,
)
from tests.fold_promise import Promise
from tests.folding import Folded, fold
from tests.promise import check_promise, fragments
from tests.streams import Wire, body

TEXT: Final = st.text(st.characters(codec="utf-8"), max_size=12)
NAME: Final = st.sampled_from(["a.csv", "plot.png", "file-1"])
STATUS: Final = st.sampled_from(["completed", "incomplete"])


# Items as they are in the end


def an_item(kind: str, **fields: Any) -> st.SearchStrategy[Wire]:
    """Make items of a kind, without an id."""
    return st.fixed_dictionaries({"type": st.just(kind), **fields})


LOGS: Final = st.fixed_dictionaries({"type": st.just("logs"), "logs": TEXT})
IMAGE: Final = st.fixed_dictionaries({"type": st.just("image"), "url": NAME})
CITATION: Final = st.fixed_dictionaries(
    {
        "type": st.just("file_citation"),
        "file_id": NAME,
        "filename": NAME,
        "index": st.integers(0, 9),
    }
)
LINK: Final = st.fixed_dictionaries(
    {
        "type": st.just("url_citation"),
        "url": NAME,
        "title": TEXT,
        "start_index": st.integers(0, 9),
        "end_index": st.integers(0, 9),
    }
)
TEXTS: Final = st.builds(
    lambda text, notes: output_text(text, *notes), TEXT, st.lists(CITATION | LINK, max_size=2)
)
REFUSAL: Final = st.fixed_dictionaries({"type": st.just("refusal"), "refusal": TEXT})
RESULT: Final = st.fixed_dictionaries(
    {"file_id": NAME, "filename": NAME, "text": TEXT, "score": st.floats(0, 1)},
    optional={"attributes": st.dictionaries(TEXT, TEXT, max_size=1)},
)
SUMMARY: Final = st.fixed_dictionaries({"type": st.just("summary_text"), "text": TEXT})
ITEM: Final = st.one_of(
    an_item(
        "code_interpreter_call",
        code=st.none() | TEXT,
        outputs=st.none() | st.lists(LOGS | IMAGE, max_size=3),
        container_id=NAME,
        status=STATUS,
    ),
    an_item("function_call", arguments=TEXT, call_id=NAME, name=NAME, status=STATUS),
    an_item("message", content=st.lists(TEXTS | REFUSAL, max_size=3), role=NAME, status=STATUS),
    an_item(
        "file_search_call",
        queries=st.lists(TEXT, max_size=2),
        results=st.none() | st.lists(RESULT, max_size=2),
        status=STATUS,
    ),
    an_item(
        "reasoning", summary=st.lists(SUMMARY, max_size=3), encrypted_content=st.none() | TEXT
    ),
    an_item("mcp_call", arguments=TEXT, name=NAME, output=st.none() | TEXT, server_label=NAME),
    an_item("custom_tool_call", input=TEXT, call_id=NAME, name=NAME),
    an_item("web_search_call", action=st.dictionaries(TEXT, TEXT, max_size=2), status=STATUS),
    an_item("oracle_call", vision=st.dictionaries(TEXT, TEXT, max_size=2)),
)
ITEMS: Final = st.lists(ITEM, max_size=5).map(
    lambda items: [{"id": f"item_{place}", **item} for place, item in enumerate(items)]
)


# Their events


class Speaker:
    """Says items as a server does, in pieces that a seed draws."""

    def __init__(self, seed: int) -> None:
        self.source = random.Random(seed)

    def pieces(self, text: str) -> Iterator[str]:
        """Cut a text into fragments."""
        while text:
            size = self.source.randint(1, 4)
            yield text[:size]
            text = text[size:]

    def say(self, items: list[Wire]) -> list[Frame]:
        """Say a response, its items side by side."""
        waiting = [self.whole(item, place) for place, item in enumerate(items)]
        speaking: list[Iterator[Frame]] = []
        frames = [created()]
        while waiting or speaking:
            if waiting and (not speaking or self.source.random() < 0.2):
                speaking.append(waiting.pop(0))  # they begin in order
                frames.append(next(speaking[-1]))
            each = self.source.choice(speaking)
            try:
                frames.append(next(each))
            except StopIteration:
                speaking.remove(each)
        output = items if self.source.random() < 0.8 else []
        return [*frames, completed(*output)]

    def whole(self, item: Wire, place: int) -> Iterator[Frame]:
        """Say all of an item."""
        yield added(self.begun(item), place)
        yield from self.said(item, place)
        yield finished(item, place)

    def begun(self, item: Wire) -> Wire:
        """Make an item as it begins."""
        empty: Wire = {
            "code": "",
            "outputs": [],
            "arguments": "",
            "input": "",
            "content": [],
            "queries": [],
            "results": None,
            "summary": [],
            "output": None,
            "status": "in_progress",
        }
        return {name: empty.get(name, value) for name, value in item.items()}

    def said(self, item: Wire, place: int) -> Iterator[Frame]:
        """Say what comes between an item's begin and its end."""
        where = {"item_id": item["id"], "output_index": place}

        def grow(kind: str, text: str, field: str, **index: int) -> Iterator[Frame]:
            for piece in self.pieces(text):
                if self.source.random() < 0.95:  # a fragment may be lost
                    padded = {"obfuscation": "xyz", "logprobs": []}
                    yield event(f"{kind}.delta", **where, **index, delta=piece, **padded)
                else:
                    return
            if self.source.random() < 0.7:
                yield event(f"{kind}.done", **where, **index, **{field: text})

        for name, kind in _GROWING.get(item["type"], ()):
            if item[name] is not None:
                yield from grow(kind, item[name], name)
        if item["type"] == "code_interpreter_call":
            for status in ("interpreting", "completed"):
                yield event(f"code_interpreter_call.{status}", **where)
        for index, part in enumerate(item.get("summary") or ()):
            yield from grow("reasoning_summary_text", part["text"], "text", summary_index=index)
        for index, part in enumerate(item.get("content") or ()):
            at = where | {"content_index": index}
            empty: Wire = {"text": "", "refusal": "", "annotations": []}
            begun = {name: empty.get(name, value) for name, value in part.items()}
            yield event("content_part.added", **at, part=begun)
            kind, field = _PARTS[part["type"]]
            yield from grow(kind, part[field], field, content_index=index)
            for rank, note in enumerate(part.get("annotations") or ()):
                fields = {"annotation_index": rank, "annotation": note}
                yield event("output_text.annotation.added", **at, **fields)
            if self.source.random() < 0.7:
                yield event("content_part.done", **at, part=part)


_GROWING: Final = {
    "code_interpreter_call": [("code", "code_interpreter_call_code")],
    "function_call": [("arguments", "function_call_arguments")],
    "mcp_call": [("arguments", "mcp_call_arguments")],
    "custom_tool_call": [("input", "custom_tool_call_input")],
}
_PARTS: Final = {"output_text": ("output_text", "text"), "refusal": ("refusal", "refusal")}


# What they come to


def texts(items: list[Wire]) -> dict[tuple[Any, ...], str]:
    """Say which texts are in items, by their places."""
    found: dict[tuple[Any, ...], str] = {}
    for item in items:
        id = item["id"]
        found[id, 0, "code"] = item.get("code") or ""
        found[id, 0, "arguments"] = item.get("arguments") or item.get("input") or ""
        for index, output in enumerate(item.get("outputs") or ()):
            kind = "logs" if output["type"] == "logs" else "image"
            found[id, 0, index, kind] = output.get("logs") or output.get("url") or ""
        for index, part in enumerate(item.get("summary") or ()):
            found[id, index, "reasoning"] = part["text"]
        for index, part in enumerate(item.get("content") or ()):
            kind = _PARTS[part["type"]][1]
            found[id, index, kind] = part[kind]
    return {place: text for place, text in found.items() if text}


def look(folded: Folded, items: list[Wire]) -> None:
    """See that a stream came to its items, and told every text of theirs once."""
    assert items_of(folded.snapshot) == items
    assert folded.snapshot.problems == ()
    assert folded.snapshot.outcome == "complete"
    told = {place: text for place, text in fragments(folded.changes).items() if text}
    assert told == texts(items)
    check_promise(folded.changes, folded.snapshot, legs=1)


@given(ITEMS, st.integers(0, 2**32), st.booleans())
@settings(max_examples=150, deadline=None)
def test_items_come_out_as_they_went_in(items: list[Wire], seed: int, is_numbered: bool) -> None:  # noqa: FBT001
    speaker = Speaker(seed)
    frames = speaker.say(items)
    if is_numbered:
        frames = numbered(frames)
    promise = Promise()
    told = [promise.feed(each) for each in frames]
    folded = Folded([*told, promise.end()], promise.accumulator.snapshot())
    look(folded, items)
    data = body(frames)
    cuts = sorted(speaker.source.choices(range(len(data) + 1), k=speaker.source.randint(0, 40)))
    chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    other = fold(chunks)
    assert (other.changes, other.snapshot) == (folded.changes, folded.snapshot)
    lines = b"\n".join(each.data for each in frames)
    assert fold([lines]).changes == folded.changes
    run = folded.snapshot.run
    assert to_wire(run) == json.loads(frames[-1].data)["response"]


@given(ITEMS, st.integers(0, 2**32), st.data())
@settings(max_examples=100, deadline=None)
def test_a_stream_that_is_resumed_comes_to_the_same(
    items: list[Wire], seed: int, data: st.DataObject
) -> None:
    """Cut anywhere, and gone on with from anywhere before: every event counts once."""
    frames = numbered(Speaker(seed).say(items))
    whole = fold([body(frames)])
    at = data.draw(st.integers(1, len(frames)))
    back = data.draw(st.integers(0, at))
    resumed = fold([body(frames[:at]), body(frames[back:])])
    assert (resumed.changes, resumed.snapshot) == (whole.changes, whole.snapshot)


@given(ITEMS, st.integers(0, 2**32), st.data())
@settings(max_examples=100, deadline=None)
def test_what_a_stream_that_was_cut_has_told_is_true(
    items: list[Wire], seed: int, data: st.DataObject
) -> None:
    frames = Speaker(seed).say(items)
    at = data.draw(st.integers(0, len(frames) - 1))
    folded = fold([body(frames[:at])])
    assert folded.snapshot.outcome == "truncated"
    check_promise(folded.changes, folded.snapshot, legs=1)
    whole = fold([body(frames)])
    assert whole.changes[: len(folded.changes) - 1] == folded.changes[:-1]
