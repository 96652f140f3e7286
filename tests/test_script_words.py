"""The words of `script`: each makes a plain snapshot, or says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streamkit import (
    FunctionToolCall,
    UsageError,
    to_wire,
)
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

Wire = dict[str, Any]


def loosely(word: Any) -> Any:
    """Look into what a word makes without narrowing unions, or give it what it does not take."""
    return word


# Words


@pytest.mark.parametrize(
    ("call", "wire"),
    [
        (
            function_call("f", {"ä": [1]}, output={"b": None}),
            {"name": "f", "arguments": '{"ä": [1]}', "output": '{"b": null}'},
        ),
        (function_call("f"), {"name": "f", "arguments": "{}", "output": None}),
        (function_call("f", "{", ""), {"name": "f", "arguments": "{", "output": ""}),
        (function_call("f", {}, 0), {"name": "f", "arguments": "{}", "output": "0"}),
        (function_call("f", output=False), {"name": "f", "arguments": "{}", "output": "false"}),
        (function_call("f", output="null"), {"name": "f", "arguments": "{}", "output": "null"}),
    ],
)
def test_calls_of_functions(call: Any, wire: Any) -> None:
    assert to_wire(call) == {"type": "function", "function": wire}


@pytest.mark.parametrize(
    ("made", "wire"),
    [
        (logs(""), {"type": "logs", "logs": ""}),
        (image("a"), {"type": "image", "image": {"file_id": "a"}}),
        (
            code_interpreter("1", "2", id="c"),
            {
                "id": "c",
                "type": "code_interpreter",
                "code_interpreter": {"input": "1", "outputs": [{"type": "logs", "logs": "2"}]},
            },
        ),
        (code_interpreter("")
         , {"type": "code_interpreter", "code_interpreter": {"input": "", "outputs": []}}),
        (
            found("a.md", "One.", score=1.0, file_id="f"),
            {
                "file_id": "f",
                "file_name": "a.md",
                "score": 1.0,
                "content": [{"type": "text", "text": "One."}],
            },
        ),
        (tool_call("mcp", id="m", name="n", output=None)
         , {"id": "m", "type": "mcp", "name": "n", "output": None}),
        (refusal(""), {"type": "refusal", "refusal": ""}),
        (text(""), {"type": "text", "text": {"value": "", "annotations": []}}),
    ],
)  # fmt: skip
def test_words_say_everything_that_is_sent(made: Any, wire: Any) -> None:
    assert to_wire(made) == wire


def test_a_tool_call_of_a_known_kind_is_of_that_kind() -> None:
    call = tool_call("function", function={"name": "f", "arguments": "{}", "output": "1"})
    assert isinstance(call, FunctionToolCall)
    assert script(call) == script(function_call("f", output="1"))


def test_annotations_stand_where_their_texts_do() -> None:
    notes: list[Any] = [
        citation("[1]", "a"),
        citation("[1]", "b"),
        file_path("x", "c", start_index=0, end_index=1),
    ]
    (part,) = loosely(message)("x [1] [1]", annotations=notes).content
    placed = [(note.start_index, note.end_index) for note in part.text.annotations]
    assert placed == [(2, 5), (6, 9), (0, 1)]
    both = loosely(message)(
        text("a [1]", citation("[1]", "a")),
        image("i"),
        annotations=[citation("a", "b", start_index=0, end_index=1)],
    )
    assert len(both.content[0].text.annotations) == 2


# What makes no sense


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: loosely(step)(message("x")), "holds calls of tools, not a Message"),
        (lambda: loosely(step)("x"), "holds calls of tools, not a str: 'x'"),
        (lambda: loosely(code_interpreter)("1", 2), "logs and images, not a int"),
        (lambda: loosely(code_interpreter)(1), "expected a string"),
        (
            lambda: loosely(code_interpreter)("1", code_interpreter("2")),
            "not a CodeInterpreterToolCall",
        ),
        (lambda: function_call("f", {"a": {1}}), "cannot be written as JSON"),
        (lambda: function_call("f", output=object()), "cannot be written as JSON"),
        (lambda: loosely(file_search)("a.md"), "found"),
        (lambda: loosely(message)(1), "texts, images and refusals, not a int"),
        (lambda: loosely(message)(logs("x")), "not a CodeInterpreterLogOutput"),
        (lambda: message(annotations=[citation("a", "b")]), "need one text"),
        (lambda: message("a", "a", annotations=[citation("a", "b")]), "there are 2"),
        (lambda: text("abc", citation("x", "b")), "does not stand in the text"),
        (lambda: text("ab", citation("b", "1"), citation("a", "2")), "after those before it"),
    ],
)
def test_what_makes_no_sense(make: Callable[[], object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make()
