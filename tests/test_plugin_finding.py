"""Recordings are found by their names, by a rule without surprises."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamkit import UsageError
from streamkit.testing.finding import FORMS, find, name_of, path_of


def laid(folder: Path, files: Sequence[str]) -> Path:
    """Lay empty files into a folder."""
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def seen(folder: Path, name: str) -> list[str]:
    """Say what is found, from the folder on."""
    found = find(folder, name)
    paths = found if isinstance(found, tuple) else [found] if found else []
    return [path.relative_to(folder).as_posix() for path in paths]


@pytest.mark.parametrize("form", [form + zipped for form in FORMS for zipped in ("", ".gz")])
def test_every_form_is_found(form: str, tmp_path: Path) -> None:
    others = [f"chat-2{form}", f"my.chat{form}", f"CHAT{form}", f"chat{form}.bak", f".chat{form}"]
    laid(tmp_path, [f"chat{form}", *others])
    assert seen(tmp_path, "chat") == seen(tmp_path, f"chat{form}") == [f"chat{form}"]


@pytest.mark.parametrize(
    ("files", "name", "expected"),
    [
        ([], "chat", []),
        (["chat"], "chat", []),
        (["chat.txt", "chat.leg0.sse", "chat.leg1x.sse", "chat.leg1"], "chat", []),
        (["chat.sse/inner.sse"], "chat", []),
        (["chat.sse/inner.sse"], "chat.sse", []),
        (["a/chat.sse", "chat.sse"], "a/chat", ["a/chat.sse"]),
        (["a/b/chat.sse"], "a/b/chat.sse", ["a/b/chat.sse"]),
        (["chat.leg2.sse", "chat.leg1.sse"], "chat", ["chat.leg1.sse", "chat.leg2.sse"]),
        (
            [f"chat.leg{number}.sse" for number in range(1, 12)],
            "chat",
            [f"chat.leg{number}.sse" for number in range(1, 12)],
        ),
        (
            ["chat.leg1.sse.gz", "chat.leg2.sse.jsonl"],
            "chat",
            ["chat.leg1.sse.gz", "chat.leg2.sse.jsonl"],
        ),
        (["chat.leg1.sse", "chat.leg2.sse"], "chat.leg2", ["chat.leg2.sse"]),
        (["chat.leg1.sse", "chat.leg2.sse"], "chat.leg2.sse", ["chat.leg2.sse"]),
        (["chat.sse", "chat.sse.jsonl"], "chat.sse", ["chat.sse"]),
        (["chat.v2.sse", "chat.sse"], "chat.v2", ["chat.v2.sse"]),
        (["chat.v2.sse"], "chat", []),
        (["what?*[a].sse", "whatever.sse"], "what?*[a]", ["what?*[a].sse"]),
    ],
)
def test_a_name_is_one_file_or_its_legs(
    files: list[str], name: str, expected: list[str], tmp_path: Path
) -> None:
    assert seen(laid(tmp_path, files), name) == expected


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert find(tmp_path / "nowhere", "chat") is None


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["chat.sse", "chat.har"], ["chat.har", "chat.sse", "remove"]),
        (["chat.sse", "chat.sse.gz"], ["chat.sse and chat.sse.gz"]),
        (["chat.sse", "chat.leg1.sse"], ["chat.sse and chat.leg1.sse"]),
        (["chat.leg1.sse", "chat.leg1.sse.gz"], ["chat.leg1.sse and chat.leg1.sse.gz", "remove"]),
        (["chat.leg2.sse"], ["chat.leg2.sse", "no chat.leg1"]),
        (["chat.leg1.sse", "chat.leg3.sse"], ["chat.leg3.sse", "no chat.leg2"]),
    ],
)
def test_what_may_be_meant_twice_is_refused(
    files: list[str], said: list[str], tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        find(laid(tmp_path, files), "chat")
    assert all(part in str(caught.value) for part in said)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "/", "../chat", "a/../../chat", "a/..", "/chat", "//host/share/chat"),
        *("..\\chat", "a\\..\\..\\chat", "\\chat", "C:\\chat", "C:chat", "C:/chat"),
    ],
)
def test_no_name_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    laid(tmp_path, ["chat.sse", "inner/a/chat.sse"])
    for look in (find, path_of):
        with pytest.raises(UsageError, match="for a file anywhere else"):
            look(tmp_path / "inner", name)


@pytest.mark.parametrize(
    ("files", "name", "expected"),
    [
        ([], "chat", "chat.sse.jsonl"),
        ([], "test_chat/test_it", "test_chat/test_it.sse.jsonl"),
        ([], "chat.sse.jsonl", "chat.sse.jsonl"),
        ([], "chat.sse.jsonl.gz", "chat.sse.jsonl.gz"),
        (["chat.sse.jsonl"], "chat", "chat.sse.jsonl"),
        (["chat.sse.jsonl.gz"], "chat", "chat.sse.jsonl.gz"),
    ],
)
def test_what_is_recorded_is_found(
    files: list[str], name: str, expected: str, tmp_path: Path
) -> None:
    path = path_of(laid(tmp_path, files), name)
    assert path.relative_to(tmp_path).as_posix() == expected
    laid(tmp_path, [expected])
    assert find(tmp_path, name) == path


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ([], "chat.sse"),
        ([], "chat.har"),
        (["chat.sse"], "chat"),
        (["chat.yaml"], "chat"),
        (["chat.leg1.sse.jsonl", "chat.leg2.sse.jsonl"], "chat"),
    ],
)
def test_what_would_not_be_found_is_not_recorded(
    files: list[str], name: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"is called \.sse\.jsonl.*remove it"):
        path_of(laid(tmp_path, files), name)


@pytest.mark.parametrize(
    ("classes", "test", "expected"),
    [
        ([], "test_it", "test_it"),
        ([], "test_it[asyncio]", "test_it-asyncio"),
        ([], "test_it[a-1_B]", "test_it-a-1_B"),
        (["TestChat"], "test_it", "TestChat.test_it"),
        (["TestChat", "TestMore"], "test_it[x]", "TestChat.TestMore.test_it-x"),
        ([], "test_größe", "test_größe"),
    ],
)
def test_a_test_has_a_name_of_its_own(classes: list[str], test: str, expected: str) -> None:
    assert name_of("test_chat", classes, test) == f"test_chat/{expected}"


# Texts that are much alike, and texts that are like nothing.
texts = st.text("a-./ ", max_size=3) | st.text(max_size=200)
parameters = texts.map(lambda text: f"test_it[{text}]")
LONG: Final = f"test_it[{'a' * 200}]"


@given(parameters)
@example(LONG)
def test_its_file_is_found_whatever_its_parameters_are(test: str) -> None:
    folder, _, name = name_of("test_chat", ["TestChat"], test).partition("/")
    assert folder == "test_chat"
    assert len(name) <= 130
    assert name.isascii()
    assert not set(name) & set(r'<>?%*:|"/\[] ')
    assert path_of(Path("nowhere"), f"test_chat/{name}").name == f"{name}.sse.jsonl"


@given(parameters, parameters)
@example(LONG, f"{LONG[:-1]}b]")
@example("test_it[a b]", "test_it[a_b]")
def test_no_two_tests_share_a_file(one: str, other: str) -> None:
    assert (name_of("t", [], one) == name_of("t", [], other)) == (one == other)
