"""JSON as servers really send it, and as attackers do."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit import DecodeError, LimitError, NestingError
from streamkit._json import parse

BAD = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("data", "value"),
    [
        pytest.param(b' {"a": [1, null]}\n', {"a": [1, None]}, id="an object"),
        pytest.param(b'"a"', "a", id="a text"),
        pytest.param(b"null", None, id="null"),
        pytest.param(b'{"a": 1, "a": 2}', {"a": 2}, id="a name twice"),
        # Numbers
        pytest.param(b"[Infinity, -Infinity]", [math.inf, -math.inf], id="infinities"),
        pytest.param(b"[1e999, -1e999]", [math.inf, -math.inf], id="beyond all floats"),
        pytest.param(b"1" + b"0" * 400, 10**400, id="a huge integer"),
        pytest.param(b'{"a": -1' + b"0" * 30 + b"}", {"a": -(10**30)}, id="a huge negative one"),
        # Text
        pytest.param(b'"\\ud83d\\ude00 \\u00e9"', "😀 é", id="escapes"),
        pytest.param('"é😀\u2028\x85"'.encode(), "é😀\u2028\x85", id="raw UTF-8"),
        pytest.param(b'{"a": "\\ud83d"}', {"a": BAD}, id="a lone high surrogate"),
        pytest.param(b'["\\ude00 b", "\\ud83d b"]', [BAD + " b", BAD + " b"], id="lone ones"),
        pytest.param(b'{"\\ud83d": {"\\ude00": 1}}', {BAD: {BAD: 1}}, id="lone ones in names"),
        pytest.param(b'{"\xe9": "caf\xe9"}', {BAD: "caf" + BAD}, id="Latin-1"),
        pytest.param(b'"\xf0\x9f"', BAD, id="UTF-8 cut short"),
        pytest.param(b'["\\ud83d", Infinity, "\xe9"]', [BAD, math.inf, BAD], id="all at once"),
    ],
)
def test_json_is_read_as_servers_send_it(data: bytes, value: object) -> None:
    assert parse(data, depth=9) == value
    # Only fragments that go on may keep their halves, and these hold none of those.
    assert parse(data, depth=9, keep_halves=True) == value


def test_nan_is_a_number() -> None:
    value = parse(b'{"score": NaN}', depth=1)["score"]
    assert isinstance(value, float)
    assert math.isnan(value)


HALVES = (
    b'{"id": "\\ud83d", "\\ud83d": 1, "logs": "\\ud83d", "more": [{"value": "\\ude00", '
    b'"x": "\\ude00", "input": ["\\ud83d"], "arguments": "\\ud83d\\ude00\\ud83d", '
    b'"refusal": "\\ud83d"}]}'
)


@pytest.mark.parametrize(
    ("keep_halves", "value"),
    [
        pytest.param(
            True,
            {
                "id": BAD,
                BAD: 1,
                "logs": "\ud83d",
                "more": [
                    {
                        "value": "\ude00",
                        "x": BAD,
                        "input": [BAD],
                        "arguments": "😀\ud83d",
                        "refusal": "\ud83d",
                    }
                ],
            },
            id="in what deltas append",
        ),
        pytest.param(
            False,
            {
                "id": BAD,
                BAD: 1,
                "logs": BAD,
                "more": [
                    {
                        "value": BAD,
                        "x": BAD,
                        "input": [BAD],
                        "arguments": "😀" + BAD,
                        "refusal": BAD,
                    }
                ],
            },
            id="nowhere",
        ),
    ],
)
def test_halves_are_kept_only_where_the_other_half_may_follow(
    *, keep_halves: bool, value: object
) -> None:
    assert parse(HALVES, depth=9, keep_halves=keep_halves) == value


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "no data", id="nothing"),
        pytest.param(b" \r\n", "no data", id="blanks"),
        pytest.param(b"[DONE]", "not JSON: Expecting value", id="a word in brackets"),
        pytest.param(b"upstream failed", "not JSON: Expecting value", id="a sentence"),
        pytest.param(b'{"a": 1', "not JSON: Expecting ',' delimiter", id="cut short"),
        pytest.param(b'{"a": "b', "not JSON: Unterminated string", id="cut inside a text"),
        pytest.param(b'{"a": 1}}', "not JSON: Extra data", id="too much"),
        pytest.param(b"{'a': 1}", "not JSON: Expecting property name", id="single quotes"),
        pytest.param(b"[1,]", "not JSON", id="a comma too many"),
        pytest.param(b'"a\nb"', "not JSON: Invalid control character", id="a raw line break"),
        pytest.param(b"1" * 5000, "not JSON: Exceeds the limit", id="more digits than are read"),
    ],
)
def test_what_is_not_json_is_a_decode_error(data: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        parse(data, depth=9)
    error = caught.value
    assert error.reason.startswith(reason)
    assert not isinstance(error, LimitError)
    assert (error.event, error.offset, error.path, error.excerpt) == (None, None, None, data[:120])


def nested(levels: int, *, opened: bytes, closed: bytes, inside: bytes = b"") -> bytes:
    return opened * levels + inside + closed * levels


SHAPES = [
    pytest.param(b"[", b"]", b"", id="arrays"),
    pytest.param(b'{"a":', b"}", b"1", id="objects"),
    pytest.param(b'{"a":[1,', b"]}", b'"c"', id="both"),
    # What msgspec refuses goes another way, with the same limit.
    pytest.param(b"[", b"]", b"NaN", id="arrays, read tolerantly"),
    pytest.param(b'{"\\ud83d":', b"}", b'"\xe9"', id="objects, read tolerantly"),
]


@pytest.mark.parametrize(("opened", "closed", "inside"), SHAPES)
@pytest.mark.parametrize("levels", [1, 5, 64])
def test_the_limit_of_nesting_is_exact(
    opened: bytes, closed: bytes, inside: bytes, levels: int
) -> None:
    data = nested(levels, opened=opened, closed=closed, inside=inside)
    depth = levels * (2 if opened.count(b"[") and opened.count(b"{") else 1)
    parse(data, depth=depth)
    with pytest.raises(NestingError) as caught:
        parse(data, depth=depth - 1)
    assert caught.value.reason == f"nests more than {depth - 1} levels deep (Limits.depth)"
    assert caught.value.excerpt == data[:120]
    assert isinstance(caught.value, DecodeError)
    assert isinstance(caught.value, LimitError)


@pytest.mark.parametrize(("opened", "closed", "inside"), SHAPES)
@pytest.mark.parametrize("is_closed", [True, False], ids=["closed", "cut"])
def test_hostile_nesting_is_refused(
    opened: bytes, closed: bytes, inside: bytes, *, is_closed: bool
) -> None:
    data = nested(100_000, opened=opened, closed=closed if is_closed else b"", inside=inside)
    with pytest.raises(NestingError, match="nests more than 128 levels deep"):
        parse(data, depth=128)


def test_what_is_wide_is_not_deep() -> None:
    assert parse(b"[" + b"[]," * 1000 + b"{}]", depth=2) == [*([] for _ in range(1000)), {}]


def test_brackets_in_texts_do_not_nest() -> None:
    text = "[{" * 1000
    assert parse(f'["{text}", {{"{text}": "]"}}]'.encode(), depth=2) == [text, {text: "]"}]


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def height(value: object) -> int:
    """Count the levels of a value, slowly and obviously."""
    if isinstance(value, dict):
        return 1 + max(map(height, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(height, value), default=0)
    return 0


@given(value=VALUES, depth=st.integers(1, 5), number=st.sampled_from([1, math.inf]))
def test_the_two_ways_of_reading_agree(value: object, depth: int, number: float) -> None:
    # Infinity is nothing that msgspec reads.
    data = json.dumps([value, number]).encode()
    if height([value]) > depth:
        with pytest.raises(NestingError):
            parse(data, depth=depth)
    else:
        assert parse(data, depth=depth) == [value, number]
