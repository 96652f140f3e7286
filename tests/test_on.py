"""Callbacks, by kind of change."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_args

import anyio
import pytest

from streamkit import Change, LogAppended, UsageError, aaccumulate, accumulate, on
from streamkit.observers import KEYWORDS
from tests.recorded import OWN

pytestmark = pytest.mark.anyio

(BODY,) = OWN["report"]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run what is asynchronous under both."""
    return str(request.param)


def some(kind: Any) -> Change:
    """Build a change of a kind; what it says does not matter."""
    change: Change = kind(*[None] * len(kind.__struct_fields__))
    return change


def test_every_kind_of_change_has_a_keyword() -> None:
    assert set(KEYWORDS.values()) == set(get_args(Change))
    assert len(KEYWORDS) == len(get_args(Change))
    parameters = inspect.signature(on).parameters
    assert [*parameters] == ["change", *KEYWORDS]
    assert all(each.kind is each.KEYWORD_ONLY for each in parameters.values())


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_a_keyword_hears_its_kind(keyword: str) -> None:
    heard: list[Change] = []
    everything = [some(kind) for kind in KEYWORDS.values()]
    callback: Any = {keyword: heard.append}
    for change in everything:
        on(**callback)(change)
    assert heard == [some(KEYWORDS[keyword])]


async def test_change_hears_all_and_first() -> None:
    heard: list[tuple[str, Change]] = []

    def note(name: str) -> Callable[[Change], None]:
        return lambda change: heard.append((name, change))

    def note_later(name: str) -> Callable[[Change], Any]:
        async def hear(change: Change) -> None:
            await anyio.lowlevel.checkpoint()
            heard.append((name, change))

        return hear

    changes: list[Change] = []
    accumulate(BODY, changes.append)
    expected = [
        (name, change)
        for change in changes
        for name in (["all", "log"] if isinstance(change, LogAppended) else ["all"])
    ]
    accumulate(BODY, on(log=note("log"), change=note("all")))
    assert heard == expected
    for first in (note, note_later):
        for second in (note, note_later):
            heard.clear()
            await aaccumulate(BODY, on(change=first("all"), log=second("log")))
            assert heard == expected


def test_what_on_refuses() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'logs'"):
        on(logs=print)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="positional"):
        on(print)  # type: ignore[call-arg]
    with pytest.raises(UsageError, match=r"on\(log=\.\.\.\) takes a function"):
        on(log="print")  # type: ignore[arg-type]


def test_nothing_to_hear() -> None:
    assert accumulate(BODY, on()) == accumulate(BODY)
