"""What the fragments of `explode` look like, how long they are, and how they are mixed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pytest

from streamkit import RunSnapshot, accumulate
from streamkit.testing.building import (
    citation,
    code_interpreter,
    file_path,
    file_search,
    found,
    function_call,
    image,
    logs,
    message,
    refusal,
    script,
    step,
    text,
    tool_call,
)
from streamkit.testing.exploding import explode
from tests.exploded import Wire, items, payload

# First fragments


def firsts(run: RunSnapshot, **ways: Any) -> list[Wire]:
    seen: dict[tuple[str, int], Wire] = {}
    for item in items(explode(run, **ways)):
        seen.setdefault((item["type"], item["index"]), item)
    return list(seen.values())


@pytest.mark.parametrize(
    ("item", "first"),
    [
        (
            code_interpreter("print(1)", logs("1"), id="c"),
            {"type": "code_interpreter", "code_interpreter": {"input": "", "outputs": []}},
        ),
        (
            function_call("f", {"a": 1}, output=2, id="c"),
            {"type": "function", "function": {"name": "f", "arguments": "", "output": None}},
        ),
        (
            file_search(found("a.md"), id="c", ranker="auto", score_threshold=0.5),
            {
                "type": "file_search",
                "file_search": {
                    "ranking_options": {"ranker": "auto", "score_threshold": 0.5},
                    "results": [],
                },
            },
        ),
        (
            tool_call("mcp", id="c", arguments='{"q": 1}', name="look", output="It is."),
            {"type": "mcp", "arguments": "", "name": "look", "output": None},
        ),
        (
            tool_call("openapi", id="c", function={"name": "f", "arguments": "{}", "output": ""}),
            {"type": "openapi", "function": {"name": "f", "arguments": "", "output": None}},
        ),
        (tool_call("bing", id="c", bing={"q": "x"}), {"type": "bing", "bing": {"q": "x"}}),
    ],
    ids=lambda value: getattr(value, "type", None),
)
def test_the_first_fragment_of_a_call_says_what_it_is(item: Any, first: Wire) -> None:
    assert firsts(script(item)) == [{"index": 0, "id": "c"} | first]


def test_the_first_fragment_of_a_text_has_annotations() -> None:
    run = script(message("Hello", refusal("No"), image("file-1")))
    assert firsts(run, size=2) == [
        {"index": 0, "type": "text", "text": {"value": "He", "annotations": []}},
        {"index": 1, "type": "refusal", "refusal": "No"},
        {"index": 2, "type": "image_file", "image_file": {"file_id": "file-1"}},
    ]


def test_further_fragments_say_no_more_than_they_add() -> None:
    run = script(code_interpreter("abcd", logs("ef"), image("file-1")), message("ghij"))
    code = {"index": 0, "type": "code_interpreter"}
    assert [item for item in items(explode(run, size=2)) if "id" not in item] == [
        code | {"code_interpreter": {"input": "ab"}},
        code | {"code_interpreter": {"input": "cd"}},
        code | {"code_interpreter": {"outputs": [{"index": 0, "type": "logs", "logs": "ef"}]}},
        code
        | {
            "code_interpreter": {
                "outputs": [{"index": 1, "type": "image", "image": {"file_id": "file-1"}}]
            }
        },
        {"index": 0, "type": "text", "text": {"value": "gh", "annotations": []}},
        {"index": 0, "type": "text", "text": {"value": "ij"}},
    ]


def test_an_annotation_comes_where_its_text_ends() -> None:
    quotes: list[Any] = [citation("[1]", "file-1"), file_path("/x", "file-2")]
    run = script(message(text("ab [1] cd /x e", *quotes)))
    told = [
        (item["text"]["value"], [note["text"] for note in item["text"].get("annotations", [])])
        for item in items(explode(run, size=3))
    ]
    assert told == [("ab ", []), ("[1]", ["[1]"]), (" cd", []), (" /x", ["/x"]), (" e", [])]


# Sizes, seeds, interleaving

LONG: Final = script(
    step(
        code_interpreter("x" * 60, logs("y" * 50), logs("z" * 50)),
        code_interpreter("v" * 60),
        tool_call("mcp", arguments="u" * 40),
    ),
    message("t" * 50, refusal("s" * 50)),
)
PLACES: Final = ("input", "logs", "arguments", "value", "refusal")


def pieces(value: Any, address: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """The fragments of texts in an item, with their addresses."""
    if isinstance(value, list):
        for item in value:
            yield from pieces(item, address)
    elif isinstance(value, Mapping):
        here = (*address, value["index"]) if "index" in value else address
        for name, inner in value.items():
            if name in PLACES:
                yield (*here, name), inner
            else:
                yield from pieces(inner, here)


def cut(run: RunSnapshot, **ways: Any) -> list[tuple[tuple[Any, ...], str]]:
    return [
        ((rank, *address), piece)
        for rank, each in enumerate(explode(run, **ways))
        if each.event.endswith("delta")
        for address, piece in pieces(payload(each)["delta"], (payload(each)["id"],))
        if piece
        for rank in [0]
    ]


def test_a_number_is_the_size_of_each_fragment() -> None:
    sizes = {len(piece) for _, piece in cut(LONG, size=7)}
    assert sizes == {7, 60 % 7, 50 % 7, 40 % 7}


def test_a_pair_bounds_the_sizes() -> None:
    drawn = [len(piece) for _, piece in cut(LONG, size=(3, 5))]
    assert set(drawn) <= {1, 2, 3, 4, 5}
    assert {3, 4, 5} <= set(drawn)


def test_without_a_size_a_text_comes_whole() -> None:
    fragments = cut(LONG, size=None)
    assert len(fragments) == len({address for address, _ in fragments}) == 7


def test_sizes_count_characters_not_bytes() -> None:
    run = script(message("é😀\N{COMBINING ACUTE ACCENT}x"))
    assert [piece for _, piece in cut(run, size=1)] == [
        "é",
        "😀",
        "\N{COMBINING ACUTE ACCENT}",
        "x",
    ]


def test_the_same_seed_gives_the_same_frames() -> None:
    assert explode(LONG, seed=7, interleave=True) == explode(LONG, seed=7, interleave=True)
    drawn = {tuple(cut(LONG, seed=seed)) for seed in range(5)}
    assert len(drawn) == 5


def test_what_a_seed_draws_stays_the_same() -> None:
    run = script(message("Nothing was beautiful, and nothing hurt."))
    assert [piece for _, piece in cut(run, seed=1)] == [
        *["No", "thing w", "as beau", "tif", "ul, ", "and ", "nothin", "g hurt."],
    ]


def runs_of_addresses(fragments: Sequence[tuple[Any, str]]) -> int:
    return len([address for address, _ in itertools.groupby(each for each, _ in fragments)])


def test_calls_outputs_and_parts_are_interleaved() -> None:
    apart, mixed = (cut(LONG, size=2, interleave=way) for way in (False, True))
    assert runs_of_addresses(apart) == len({address for address, _ in apart}) == 7
    assert runs_of_addresses(mixed) > 60
    for address in {address for address, _ in apart}:
        kept = [[piece for where, piece in way if where == address] for way in (apart, mixed)]
        assert kept[0] == kept[1], "the order of each is kept"
    order = [[*dict.fromkeys(address for address, _ in way)] for way in (apart, mixed)]
    by_owner = [sorted(each, key=lambda address: address[:3]) for each in order]
    assert by_owner[0] == by_owner[1]


def test_calls_begin_in_their_order_though_they_are_many() -> None:
    many = [code_interpreter("ab", *[logs("cd")] * 1500) for _ in range(3)]
    run = script(step(*many))
    assert accumulate(explode(run, size=1, interleave=True)) == run
