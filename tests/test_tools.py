"""Functions that a model calls: what they are given, and what it is told of what they give."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from functools import partial
from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict
from uuid import UUID

import msgspec
import pytest
from msgspec import Struct

from streamkit import ToolError, UsageError
from streamkit.live.tools import Toolbox
from tests.calling import given, in_every_form, refused

# Arguments


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


@dataclass
class Point:
    x: int
    y: int = 2


class Box(Struct, forbid_unknown_fields=True):
    point: Point
    tags: tuple[str, ...] = ()


class Options(TypedDict):
    unit: str
    days: NotRequired[int]


def show(kind: Any) -> Callable[..., str]:
    """Build a function of one argument of a kind."""

    def tool(x):  # type: ignore[no-untyped-def]
        return repr(x)

    tool.__annotations__ = {"x": kind}
    return tool


@in_every_form()
@pytest.mark.parametrize(("kind", "arguments", "seen"), [
    (int, "5", 5),
    (int, "-0", 0),
    (float, "5", 5.0),
    (float, "1e3", 1000.0),
    (str, '"\\u00e9"', "é"),
    (bool, "true", True),
    (None, "null", None),
    (Any, '{"a": [1, null]}', {"a": [1, None]}),
    (object, '[1, "2"]', [1, "2"]),
    (list, "[1, null]", [1, None]),
    (list[int], "[1, 2]", [1, 2]),
    (tuple[int, str], '[1, "a"]', (1, "a")),
    (set[int], "[1]", {1}),
    (dict, '{"a": 1}', {"a": 1}),
    (dict[str, float], '{"a": 1}', {"a": 1.0}),
    (int | None, "null", None),
    (int | str, '"a"', "a"),
    (Literal["a", 1], "1", 1),
    (Colour, '"red"', Colour.RED),
    (Level, "1", Level.LOW),
    (date, '"2026-03-14"', date(2026, 3, 14)),
    (datetime, '"2026-03-14T01:02:03Z"', datetime(2026, 3, 14, 1, 2, 3, tzinfo=UTC)),
    (UUID, f'"{UUID(int=5)}"', UUID(int=5)),
    (Decimal, '"1.50"', Decimal("1.50")),
    (bytes, '"AP8="', b"\0\xff"),
    (Point, '{"x": 1}', Point(1)),
    (Box, '{"point": {"x": 1, "y": 1}, "tags": ["a"]}', Box(Point(1, 1), ("a",))),
    (list[Box], '[{"point": {"x": 1}}]', [Box(Point(1))]),
    (Options, '{"unit": "knots"}', {"unit": "knots"}),
    (Annotated[int, msgspec.Meta(ge=1)], "1", 1),
    ("int | None", "5", 5),
    ("list[Point]", '[{"x": 1}]', [Point(1)]),
])  # fmt: skip
def test_arguments_are_converted_to_their_annotations(
    backend: Any, *, kind: Any, arguments: str, seen: object
) -> None:
    assert given(backend, show(kind), f'{{"x": {arguments}}}') == repr(seen)


@in_every_form()
@pytest.mark.parametrize(("kind", "arguments", "words"), [
    (int, '"5"', r"Expected `int`, got `str` - at `\$\.x`"),
    (int, "5.5", r"Expected `int`, got `float`"),
    (int, "null", r"Expected `int`, got `null`"),
    (int, "true", r"Expected `int`, got `bool`"),
    (str, "5", r"Expected `str`, got `int`"),
    (bool, "1", r"Expected `bool`, got `int`"),
    (list[int], '[1, "2"]', r"\$\.x\[1\]"),
    (dict[str, int], '{"a": "b"}', r"\$\.x\[\.\.\.\]"),
    (Literal["a", 1], '"b"', r"Invalid enum value 'b'"),
    (Colour, '"blue"', r"Invalid enum value 'blue'"),
    (date, '"14 March"', r"Invalid RFC3339"),
    (Point, '{"y": 1}', r"missing required field `x` - at `\$\.x`"),
    (Box, '{"point": {"x": 1}, "lid": 1}', r"unknown field `lid`"),
    (Options, '{"days": 1}', r"missing required field `unit`"),
    (Annotated[int, msgspec.Meta(ge=1)], "0", r"Expected `int` >= 1"),
    (int, "NaN", r"Expected `int`, got `float`"),
])  # fmt: skip
def test_arguments_that_do_not_fit_are_refused(
    backend: Any, *, kind: Any, arguments: str, words: str
) -> None:
    error = refused(backend, show(kind), f'{{"x": {arguments}}}')
    assert (error.call_id, error.name) == ("c", "tool")
    with pytest.raises(ToolError, match=rf"^the arguments of 'tool' do not fit: .*{words}"):
        raise error


def two(a: int, b: str = "B") -> Any:
    return [a, b]


@in_every_form()
@pytest.mark.parametrize("arguments", [
    None,  # a call without a function
    "",
    " \n",
    "{}",
    '{"b": "x"}',
    '{"a": 1, "c": 2}',
    '{"a": 1, "A": 2}',
    '{"self": 1, "a": 1}',
    "[]",
    "[1]",
    "1",
    '"a"',
    "null",
    "true",
    "{",
    '{"a": 1',
    "{'a': 1}",
    '{"a": 1}{"a": 1}',
    '{"a": 1} // one',
    '{"a": %s}' % ("[" * 200 + "]" * 200),
    "[" * 100_000,
    '{"a": ' * 5000 + "1" + "}" * 5000,
    '{"a": NaN}',
    '{"a": Infinity}',
    '{"a": 1%s}' % ("0" * 5000),
    '{"a": "\ud800"}',  # no number
    "\0",
])  # fmt: skip
def test_arguments_that_are_not_those_of_the_function_are_refused(
    backend: Any, arguments: str | None
) -> None:
    name = "tool" if arguments is not None else ""
    error = refused(backend, two, arguments)
    assert (error.call_id, error.name) == ("c", name)
    assert len(str(error)) < 1000


@in_every_form()
@pytest.mark.parametrize(("function", "arguments", "seen"), [
    (two, '{"a": 1}', [1, "B"]),
    (two, '\n{"b": "", "a": 1} ', [1, ""]),
    (two, '{"a": 0, "a": 1}', [1, "B"]),
    (lambda: "none", "", "none"),
    (lambda: "none", "{}", "none"),
    (lambda: "none", "  ", "none"),
    (lambda a, b=5: [a, b], '{"a": null}', [None, 5]),
    (lambda a: a, '{"a": "\ud800"}', "\ufffd"),  # its other half never came
    (lambda a: a, '{"a": "\\ud800"}', "\ufffd"),
    (lambda a: a, '{"a": 1e400}', None),
    (lambda *a, b: [a, b], '{"b": 1}', [[], 1]),
    (lambda *, a: a, '{"a": 1}', 1),
    (lambda *, a=5, b: [a, b], '{"b": 1}', [5, 1]),
    (lambda **more: more, '{"a": 1, "type": [2]}', {"a": 1, "type": [2]}),
    (lambda **more: more, "", {}),
    (lambda a, **more: [a, more], '{"a": 1, "b": 2}', [1, {"b": 2}]),
])  # fmt: skip
def test_arguments_by_name(
    backend: Any, *, function: Callable[..., Any], arguments: str, seen: object
) -> None:
    said = given(backend, function, arguments)
    assert said == (seen if isinstance(seen, str) else json.dumps(seen, separators=(",", ":")))


@in_every_form()
def test_arguments_may_not_nest_without_end(backend: Any) -> None:
    nested = "[" * 200 + "]" * 200
    assert "nests" in str(refused(backend, lambda a: a, f'{{"a": {nested}}}'))


@in_every_form()
def test_what_is_annotated_is_converted_beside_what_is_not(backend: Any) -> None:
    def tool(when: date, *, unit: Colour = Colour.RED, **more: Any) -> str:
        return repr((when, unit, more))

    said = given(backend, tool, '{"when": "2026-03-14", "when_not": "2026-03-15"}')
    assert said == repr((date(2026, 3, 14), Colour.RED, {"when_not": "2026-03-15"}))
    assert "does not fit" not in str(refused(backend, tool, '{"when": "never"}'))


DEFAULT: Final[list[int]] = []


@in_every_form()
def test_defaults_are_the_functions_own(backend: Any) -> None:
    """Also where they do not fit the annotation: nobody has sent them."""
    seen: list[Any] = []

    def tool(a: int = None, b: list[int] = DEFAULT) -> None:  # type: ignore[assignment] # noqa: RUF013
        seen.append((a, b))

    assert given(backend, tool, "{}") == "null"
    assert seen == [(None, DEFAULT)]
    assert seen[0][1] is DEFAULT
    assert "Expected `int`" in str(refused(backend, tool, '{"a": null}'))


def named(self: int, class_: int, *, type: int, args: int, kwargs: int, Arguments: int) -> int:  # noqa: N803
    return self + class_ + type + args + kwargs + Arguments


NAMES: Final = ["self", "class_", "type", "args", "kwargs", "Arguments"]


@in_every_form()
def test_names_that_mean_something_elsewhere(backend: Any) -> None:
    assert given(backend, named, json.dumps(dict.fromkeys(NAMES, 1))) == "6"


def other_names(*, func: int, name: int, call: int, function: int, bound: int) -> int:
    return func + name + call + function + bound


@in_every_form()
def test_names_that_we_use_ourselves(backend: Any) -> None:
    names = ["func", "name", "call", "function", "bound"]
    assert given(backend, other_names, json.dumps(dict.fromkeys(names, 1))) == "5"


class Harbour:
    def __init__(self, name: str) -> None:
        self.name = name

    def tide(self, day: date) -> str:
        return f"{self.name} {day!r}"

    @classmethod
    def build(cls, name: str) -> Any:
        return {"built": name}

    @staticmethod
    def wind(unit: str) -> str:
        return unit

    def __call__(self, hour: int) -> str:
        return f"{self.name} {hour}"


BREST: Final = Harbour("Brest")


@in_every_form()
@pytest.mark.parametrize(("function", "arguments", "seen"), [
    (BREST.tide, {"day": "2026-03-14"}, f"Brest {date(2026, 3, 14)!r}"),
    (Harbour.build, {"name": "x"}, '{"built":"x"}'),
    (Harbour.wind, {"unit": "knots"}, "knots"),
    (BREST, {"hour": 5}, "Brest 5"),
    (partial(two, 5), {"b": "x"}, '[5,"x"]'),
    (partial(two, b="x"), {"a": 5}, '[5,"x"]'),
    (partial(two, b="x"), {"a": 5, "b": "y"}, '[5,"y"]'),
    (partial(BREST.tide), {"day": "2026-03-14"}, f"Brest {date(2026, 3, 14)!r}"),
    (Point, {"x": 1}, '{"x":1,"y":2}'),
    (Box, {"point": {"x": 1, "y": 1}}, '{"point":{"x":1,"y":1},"tags":[]}'),
])  # fmt: skip
def test_whatever_can_be_called(
    backend: Any, *, function: Callable[..., Any], arguments: dict[str, Any], seen: str
) -> None:
    assert given(backend, function, json.dumps(arguments)) == seen
    assert "nothing" in str(refused(backend, function, '{"nothing": 1}'))


# What is refused before any call


def positional(a: int, /) -> None: ...


def nowhere(a: Nowhere) -> None: ...  # type: ignore[name-defined] # noqa: F821


def ambiguous(a: Point | Box) -> None: ...


@pytest.mark.parametrize("function", [positional, nowhere, ambiguous, "two", None, 5, two(1)])
def test_functions_that_cannot_be_called_by_name_are_refused(function: Any) -> None:
    for may_wait in (False, True):
        with pytest.raises(UsageError, match="'tool'"):
            Toolbox({"tool": function}, "report", may_wait=may_wait)


@pytest.mark.parametrize("policy", ["", "raise", None, True])
def test_there_are_two_policies(policy: Any) -> None:
    with pytest.raises(UsageError, match="'report' or 'stop'"):
        Toolbox({}, policy, may_wait=False)
