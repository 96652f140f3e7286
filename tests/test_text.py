"""Text that grows at its end, cut where the server pleases."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit._text import Text, Verdict, scrub

# 😀 is U+1F600: in UTF-16 the high surrogate D83D, then the low one DE00.
HIGH, LOW, BAD = "\ud83d", "\ude00", "\N{REPLACEMENT CHARACTER}"


def grown(*pieces: str) -> Text:
    """Build a text from its pieces."""
    text = Text()
    for piece in pieces:
        text.append(piece)
    return text


@pytest.mark.parametrize(
    ("pieces", "read", "held"),
    [
        pytest.param([], [], "", id="nothing"),
        pytest.param(["a", "", "bc"], ["a", "", "bc"], "", id="pieces"),
        pytest.param(["é", "😀", "\u2028"], ["é", "😀", "\u2028"], "", id="beyond ASCII"),
        pytest.param(["a" + HIGH], ["a"], HIGH, id="a half is held back"),
        pytest.param(["a" + HIGH, LOW + "b"], ["a", "😀b"], "", id="two halves"),
        pytest.param([HIGH, LOW], ["", "😀"], "", id="nothing but halves"),
        pytest.param([HIGH, "", LOW], ["", "", "😀"], "", id="halves around an empty piece"),
        pytest.param([HIGH, "b"], ["", BAD + "b"], "", id="a half without the other"),
        pytest.param([HIGH, "é"], ["", BAD + "é"], "", id="a half before a whole character"),
        pytest.param([LOW, "a" + LOW], [BAD, "a" + BAD], "", id="low halves alone"),
        pytest.param([HIGH, HIGH, LOW], ["", BAD, "😀"], "", id="a half before two"),
        pytest.param([HIGH + HIGH], [BAD], HIGH, id="two high halves"),
        pytest.param([LOW + HIGH, LOW + HIGH], [BAD, "😀"], HIGH, id="low, then high"),
        pytest.param([HIGH + LOW], ["😀"], "", id="both halves, escaped one by one"),
        pytest.param([HIGH + "a" + LOW], [BAD + "a" + BAD], "", id="halves apart"),
    ],
)
def test_each_piece_is_read_as_soon_as_it_is_whole(
    pieces: list[str], read: list[str], held: str
) -> None:
    text = Text()
    assert [text.append(piece) for piece in pieces] == read
    assert (str(text), text.held) == ("".join(read), held)


@given(st.text(), st.lists(st.integers(0, 50)))
def test_a_text_cut_between_any_two_units_is_the_text_again(whole: str, places: list[int]) -> None:
    units = whole.encode("utf-16-le")
    bounds = [0, *sorted(2 * place for place in places), max(len(units), 100)]
    text = Text()
    read = [
        text.append(units[start:end].decode("utf-16-le", "surrogatepass"))
        for start, end in pairwise(bounds)
    ]
    assert (str(text), "".join(read), text.flush()) == (whole, whole, "")


# Surrogates are likely to meet here, in every order.
WILD = st.text(st.sampled_from(["a", "é", "😀", HIGH, LOW, "\udbff", "\udfff"]), max_size=8)


@given(st.lists(WILD))
def test_whatever_is_appended_reads_as_if_it_had_come_whole(pieces: list[str]) -> None:
    text = Text()
    read = [text.append(piece) for piece in pieces] + [text.flush()]
    assert (str(text), "".join(read)) == (scrub("".join(pieces)),) * 2


def test_a_held_half_is_given_up_once() -> None:
    text = grown("a", HIGH)
    assert [text.flush(), text.flush(), text.append(LOW)] == [BAD, "", BAD]
    assert str(text) == "a" + BAD + BAD


@pytest.mark.parametrize(
    ("pieces", "full", "final", "added", "verdict", "then"),
    [
        pytest.param(["ab"], "ab", True, "", None, "ab", id="the same"),
        pytest.param(["ab"], "abcd", True, "cd", None, "abcd", id="more"),
        pytest.param(["ab"], "abcd", False, "cd", None, "abcd", id="more, not final"),
        pytest.param([], "ab", False, "ab", None, "ab", id="all of it"),
        pytest.param([], "", True, "", None, "", id="nothing at all"),
        pytest.param(["ab"], "a", True, "", "content_shrunk", "a", id="less"),
        pytest.param(["ab"], "", True, "", "content_shrunk", "", id="nothing left"),
        pytest.param(["ab"], "a", False, "", None, "ab", id="less, not final"),
        pytest.param(["ab"], "", False, "", None, "ab", id="nothing yet"),
        pytest.param(["ab"], "acd", True, "", "content_differs", "acd", id="other"),
        pytest.param(["ab"], "acd", False, "", "content_differs", "ab", id="other, not final"),
        pytest.param(["a", HIGH], "a😀b", True, "😀b", None, "a😀b", id="a held half, completed"),
        pytest.param(["a", HIGH], "a", True, "", None, "a", id="a held half, not confirmed"),
        pytest.param(["a", HIGH], "x", True, "", "content_differs", "x", id="a held half, denied"),
    ],
)
def test_the_whole_text_is_compared_with_what_is_held(
    pieces: list[str], full: str, *, final: bool, added: str, verdict: Verdict | None, then: str
) -> None:
    text = grown(*pieces)
    assert text.settle(full, final=final) == (added, verdict)
    assert (str(text), text.flush()) == (then, "")


@pytest.mark.parametrize("full", ["ab", "a", ""])
def test_a_text_that_is_not_final_leaves_a_held_half_for_its_other_half(full: str) -> None:
    text = grown("ab", HIGH)
    assert text.settle(full, final=False) == ("", None)
    assert (text.append(LOW), str(text)) == ("😀", "ab😀")


def test_a_text_goes_on_after_it_was_settled_or_replaced() -> None:
    text = grown("ab", "c")
    text.settle("abcd", final=False)
    text.append("e")
    assert str(text) == "abcde"
    text.append(HIGH)
    text.replace("x")
    assert (text.append("y"), str(text), text.flush()) == ("y", "xy", "")


def test_a_text_is_true_when_something_is_readable() -> None:
    held, replaced = grown(HIGH), grown("a", "b")
    replaced.replace("")
    texts = [grown(), grown("", ""), held, replaced, grown("a"), grown("", "a", "b")]
    assert [bool(text) for text in texts] == [False] * 4 + [True] * 2
    held.append(LOW)
    assert held


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("a\0é😀", "a\0é😀"),
        (HIGH + LOW, "😀"),
        (HIGH, BAD),
        (LOW, BAD),
        (LOW + HIGH, BAD + BAD),
        (HIGH + HIGH + LOW, BAD + "😀"),
        (HIGH + "a" + LOW, BAD + "a" + BAD),
    ],
)
def test_scrubbing_joins_pairs_and_replaces_what_has_no_other_half(
    text: str, expected: str
) -> None:
    assert scrub(text) == expected
