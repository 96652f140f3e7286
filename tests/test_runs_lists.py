"""Lists: page after page, no sooner than wanted, and never without an end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pytest

from streamkit import DecodeError, ResponseError
from streamkit.live import SEARCH_CONTENT
from tests.recorded import OWN
from tests.server import Answer, Script, Server, serve
from tests.shells import Shell, in_every_shell
from tests.streams import Wire

OLDER: Final = [{"id": f"run_{n}", "status": "completed", "created_at": n} for n in range(5)]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as server:
        yield server


@in_every_shell()
@pytest.mark.parametrize(("query", "ids", "asked"), [
    ({}, "43210", [""]),
    ({"limit": 2}, "43210", ["limit=2", "limit=2&after=3", "limit=2&after=1"]),
    ({"limit": 5, "order": "asc"}, "01234", ["order=asc&limit=5"]),
    (
        {"limit": 2, "order": "asc", "after": "run_0"},
        "1234",
        ["order=asc&limit=2&after=0", "order=asc&limit=2&after=2"],
    ),
    ({"limit": 2, "before": "run_1", "after": "run_4"}, "32", ["limit=2&after=4&before=1"]),
    ({"limit": 1, "before": "run_1", "after": "run_4"}, "32", [
        "limit=1&after=4&before=1", "limit=1&before=1&after=3",
    ]),
    ({"after": "run_0"}, "", ["after=0"]),
])  # fmt: skip
def test_all_pages(
    server: Server, *, shell: Shell, query: dict[str, Any], ids: str, asked: list[str]
) -> None:
    place = server.add(Script([]), older_runs=OLDER)
    runs = shell.ask(server.url, lambda runs: runs.list(place.thread_id, **query))
    assert "".join(run.id[-1] for run in runs) == ids
    assert all(run.thread_id == place.thread_id for run in runs)
    queries = [
        "&".join(f"{name}={value.removeprefix('run_')}" for name, value in noted.query)
        for noted in server.requests(place)
    ]
    assert queries == asked


@in_every_shell()
@pytest.mark.parametrize(("most", "pages"), [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
def test_a_page_is_asked_for_when_it_is_needed(
    server: Server, *, shell: Shell, most: int, pages: int
) -> None:
    place = server.add(Script([]), older_runs=OLDER)
    taken = shell.ask(server.url, lambda runs: runs.list(place.thread_id, limit=2), most=most)
    assert len(taken) == most
    assert [each.operation for each in server.requests(place)] == ["list"] * pages


@in_every_shell()
def test_steps_with_and_without_what_a_search_found(server: Server, shell: Shell) -> None:
    place = server.add(Script(OWN["file-search"]))
    created = shell.ask(
        server.url, lambda runs: runs.create(place.thread_id, assistant_id=place.assistant_id)
    )
    where = place.thread_id, created.id
    for include in ([], [SEARCH_CONTENT]):
        one_by_one = shell.ask(
            server.url,
            lambda runs: runs.steps.list(*where, order="asc", limit=1, include=include),  # noqa: B023
        )
        assert len(one_by_one) == 2
        found = one_by_one[0].step_details.tool_calls[0].file_search.results
        assert [bool(each.content) for each in found] == [bool(include)] * len(found)
        for step in one_by_one:
            read = shell.ask(
                server.url,
                lambda runs: runs.steps.retrieve(*where, step.id, include=include),  # noqa: B023
            )
            assert read == step
    pages = [noted for noted in server.requests(place) if noted.operation == "steps"]
    included = [each.query.count(("include[]", SEARCH_CONTENT)) for each in pages]
    assert included == [0, 0, 1, 1]


# Servers that count badly


def page(*ids: str, has_more: object = True, **fields: object) -> Wire:
    """Build a page of runs."""
    return {"object": "list", "data": [{"id": id} for id in ids], "has_more": has_more, **fields}


AGAIN: Final = page("a", last_id="a")


@in_every_shell()
@pytest.mark.parametrize(("pages", "ids", "afters"), [
    pytest.param([AGAIN, AGAIN], "aa", ["", "a"], id="the same page for ever"),
    pytest.param(
        [page("a", last_id="a"), page("b", last_id="b"), AGAIN], "aba", ["", "a", "b"],
        id="a circle",
    ),
    pytest.param(
        [page("a"), page("b"), page("c", has_more=False)], "abc", ["", "a", "b"], id="no last id"
    ),
    pytest.param([page("a", last_id=None), page("a")], "aa", ["", "a"], id="a last id of null"),
    pytest.param([page("a", last_id=""), page("a")], "aa", ["", "a"], id="an empty last id"),
    pytest.param([page()], "", [""], id="nothing, and more of it"),
    pytest.param([page(last_id=None)], "", [""], id="nothing, last id null"),
    pytest.param(
        [page(last_id="a"), page("b", has_more=False)], "b", ["", "a"],
        id="an empty page, then one that is not",
    ),
    pytest.param([page("a", last_id="a"), page()], "a", ["", "a"], id="ends in an empty page"),
    pytest.param(
        [page("a", last_id="a"), page(last_id="a")], "a", ["", "a"], id="empty, the same last id"
    ),
    pytest.param(
        [{"data": [{"id": "a"}]}], "a", [""], id="does not say whether there is more"
    ),
    pytest.param([page("a", has_more=None, last_id="a")], "a", [""], id="more: null"),
    pytest.param([{"has_more": True}], "", [""], id="no data"),
    pytest.param([{"has_more": True, "data": 5}], "", [""], id="data: a number"),
    pytest.param([{"has_more": True, "data": None}], "", [""], id="data: null"),
    pytest.param([{"has_more": True, "data": {"id": "a"}}], "", [""], id="data: an object"),
    pytest.param(
        [{"data": [None, "x", {"id": "a"}, []], "has_more": False}], "a", [""],
        id="items that are no objects",
    ),
    pytest.param(
        [page("a", last_id="a&b"), page("b", last_id="é/?#"), page("c", has_more=False)], "abc",
        ["", "a&b", "é/?#"], id="ids that have to be quoted",
    ),
])  # fmt: skip
def test_servers_that_count_badly(
    server: Server, *, shell: Shell, pages: Sequence[Wire], ids: str, afters: Sequence[str]
) -> None:
    # Whoever asks once too often is refused: the script has no such run.
    answers = [*(Answer(200, each) for each in pages), Answer(500)]
    place = server.add(Script([], answers={"list": answers}))
    runs = shell.ask(server.url, lambda runs: runs.list(place.thread_id))
    assert "".join(run.id for run in runs) == ids
    noted = [dict(each.query).get("after", "") for each in server.requests(place)]
    assert noted == [*afters]


@in_every_shell()
@pytest.mark.parametrize("last_id", [["a"], {"a": 1}])
def test_a_last_id_that_is_no_text_is_passed_over(
    server: Server, *, shell: Shell, last_id: object
) -> None:
    answers = [Answer(200, page("a", last_id=last_id)), Answer(200, page("b", has_more=False))]
    place = server.add(Script([], answers={"list": answers}))
    runs = shell.ask(server.url, lambda runs: runs.list(place.thread_id))
    assert [run.id for run in runs] == ["a", "b"]
    assert [dict(each.query).get("after") for each in server.requests(place)] == [None, "a"]


@in_every_shell()
@pytest.mark.parametrize(("second", "error"), [
    (Answer(500, b"no"), ResponseError),
    (Answer(200, b"[]"), ResponseError),
    (Answer(200, {"data": [{"id": None}]}), DecodeError),
    (Answer(200, {"data": [{"id": ["a"]}], "has_more": True}), DecodeError),
])  # fmt: skip
def test_the_second_page_fails(
    server: Server, *, shell: Shell, second: Answer, error: type[Exception]
) -> None:
    for list_of, operation in LISTS.items():
        answers = [Answer(200, page("a", last_id="a")), second]
        place = server.add(Script([], answers={operation: answers}))
        where = (place.thread_id, "run_1")[: 1 if list_of == "runs" else 2]
        first = shell.ask(server.url, lambda runs: listed(runs, list_of)(*where), most=1)  # noqa: B023
        assert [each.id for each in first] == ["a"]
        with pytest.raises(error):
            shell.ask(server.url, lambda runs: listed(runs, list_of)(*where))  # noqa: B023


LISTS: Final[Mapping[str, Any]] = {"runs": "list", "steps": "steps"}


def listed(runs: Any, list_of: str) -> Any:
    return (runs if list_of == "runs" else runs.steps).list
