"""What a new run plays, by a rule that a person can predict."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from streamkit import UsageError, accumulate
from streamkit.recording import read
from streamkit.server import serve
from streamkit.testing.building import message, script
from streamkit.testing.transports import MockTransport
from tests.asking import Form, ask, create

HERE: Final = Path(__file__).parent / "recordings"
PLAIN: Final = Form(httpx, None)


def saying(text: str) -> Any:
    return script(message(text), id=f"run_{text}")


def played(transport: MockTransport, *asked: tuple[str, str | None]) -> list[str | None]:
    """Say what was played, by the ids of the runs."""
    runs = []
    for assistant, model in asked:
        heard = ask(PLAIN, transport, **create(assistant, model=model))
        run = accumulate([heard.body]).run
        assert run is not None
        runs.append(run.id)
    return [run.removeprefix("run_") if run else None for run in runs]


NAMED: Final = {"a": saying("a"), "b": saying("b"), "c": saying("c")}


@pytest.mark.parametrize(
    ("sources", "mapping", "asked", "expected"),
    [
        ([saying("a"), saying("b")], {}, [("x", None)] * 5, "ababa"),
        ([NAMED], {}, [("c", None), ("b", "a"), ("x", "b"), ("x", None), ("a", "x")], "cbbaa"),
        ([NAMED], {"x": "c"}, [("x", None), ("x", "b"), ("y", "x"), ("y", None)], "ccca"),
        ([NAMED], {"x": "c", "m": "b"}, [("x", "m"), ("y", "m"), ("a", "m")], "cbb"),
        ([NAMED], {"a": "b", "b": "a"}, [("a", None), ("b", None)], "ba"),
        ([saying("a"), saying("b")], {}, [("2", None), ("1", None), ("2", "1")], "bab"),
        ([saying("a"), {"b": saying("b")}, saying("c")], {}, [("3", None), ("b", None)], "cb"),
        ([saying("a")], {}, [("1", None), ("x", "")], "aa"),
    ],
)
def test_the_rule(sources: Any, mapping: Any, asked: Any, expected: str) -> None:
    transport = MockTransport(*sources, mapping=mapping)
    assert played(transport, *asked) == [*expected]


def test_names_do_not_take_turns_away() -> None:
    transport = MockTransport(NAMED)
    asked = [("x", None), ("c", None), ("x", None), ("b", None), ("x", None)]
    assert played(transport, *asked) == ["a", "c", "b", "b", "c"]


def test_files_are_called_as_their_names_say() -> None:
    transport = MockTransport(HERE / "failed.sse", str(HERE / "report.sse"))
    for name in ("report", "failed"):
        heard = ask(PLAIN, transport, **create(name, "thread_of_it"))
        run, whole = accumulate([heard.body]).run, accumulate(read(HERE / f"{name}.sse").body)
        assert run is not None
        assert whole.run is not None
        assert run.id == whole.run.id


@pytest.mark.parametrize(
    ("sources", "mapping", "said"),
    [
        ([NAMED, NAMED], {}, "'a' is served twice"),
        ([saying("a"), {"1": saying("b")}], {}, "'1' is served twice"),
        ([NAMED], {"x": "d"}, "'x' is mapped to 'd'; what is served is 'a', 'b', 'c'"),
        ([], {"x": "d"}, "what is served is nothing"),
        ([3], {}, "what is played is"),
        ([None], {}, "what is played is"),
        ([{"a": None}], {}, "what is played is"),
        ([[]], {}, "there is nothing to play"),
    ],
)
def test_what_cannot_be_served(sources: Any, mapping: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        MockTransport(*sources, mapping=mapping)
    with pytest.raises(UsageError, match=said), serve(*sources, mapping=mapping):
        raise AssertionError


def test_nothing_is_served() -> None:
    transport = MockTransport()
    refused = ask(PLAIN, transport, **create())
    assert refused.status == 404
    assert refused.json()["error"]["message"] == "No thread found with id 'thread_1'."
    refused = ask(PLAIN, transport, "POST", "/threads/runs", json={"assistant_id": "asst_1"})
    assert refused.json()["error"]["message"] == "No assistant found with id 'asst_1'."
