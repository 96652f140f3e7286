"""openai-python streams runs from the server and from a transport, and comes to the same.

It is one file for both of its versions: 2 speaks through httpx, 3 through httpx2.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

import anyio
import pytest
from openai import VERSION, APIConnectionError, APIError, AsyncOpenAI, InternalServerError, OpenAI

from streamkit.server import Server, serve
from streamkit.testing import Cut, ErrorEvent, Fault, MockTransport, Status
from tests.peers.meeting import Theirs, agree
from tests.peers.offline import offline
from tests.peers.python_peers import afollow, follow
from tests.peers.runs import RUNS, on_every_run

pytestmark = pytest.mark.filterwarnings(
    "ignore:The Assistants API is deprecated:DeprecationWarning"
)

LIBRARY: Final = import_module("httpx" if VERSION.startswith("2.") else "httpx2")

# What it cannot read, and what it merges wrongly.
UNREAD: Final = {"crlf"}  # ids and comments in between
MISTAKEN: Final = {"split-logs"}  # output 1 before output 0

NOWHERE: Final = "http://nowhere.test/v1"
PLACE: Final = ("thread_1", "asst_1")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as server:
        yield server
        server.wait_idle()


FORMS: Final = pytest.mark.parametrize("form", ["sync", "async"])


def met(
    form: str, url: str, place: tuple[str, str], *, retries: int = 0, **options: Any
) -> Theirs:
    """Let the peer follow a run, with a client of its own."""
    given: dict[str, Any] = {"base_url": url, "api_key": "none", "max_retries": retries}
    options = {"trust_env": False, "verify": False} | options
    if form == "sync":
        with LIBRARY.Client(**options) as http:
            return follow(OpenAI(**given, http_client=http), *place)

    async def meet() -> Theirs:
        async with LIBRARY.AsyncClient(**options) as http:
            return await afollow(AsyncOpenAI(**given, http_client=http), *place)

    return anyio.run(meet)


@FORMS
@on_every_run(but=UNREAD)
def test_from_the_server(server: Server, name: str, form: str) -> None:
    theirs = met(form, server.url, server.add(RUNS[name]))
    agree(theirs, RUNS[name], streamed=name not in MISTAKEN)


@FORMS
@on_every_run(but=UNREAD)
def test_from_a_transport_without_a_network(name: str, form: str) -> None:
    transport = MockTransport(RUNS[name])
    with offline():
        theirs = met(form, NOWHERE, PLACE, transport=transport)
    agree(theirs, RUNS[name], streamed=name not in MISTAKEN)
    assert transport.requests[0].path == "/v1/threads/thread_1/runs"


def test_there_is_no_network_in_between(server: Server) -> None:
    address = server.origin.removeprefix("http://").split(":")
    with offline(), pytest.raises(ConnectionRefusedError):
        socket.create_connection((address[0], int(address[1])))
    for form in ("sync", "async"):
        with offline(), pytest.raises(APIConnectionError):
            met(form, server.url, server.add(RUNS["report"]))


@FORMS
def test_files_are_those_that_were_given(form: str) -> None:
    (chart,) = met(form, NOWHERE, PLACE, transport=MockTransport(RUNS["report"])).files
    transport = MockTransport(RUNS["report"], files={chart: b"\x89PNG, perhaps"})
    assert met(form, NOWHERE, PLACE, transport=transport).files == {chart: b"\x89PNG, perhaps"}


# With faults


def broken(form: str, *faults: Fault) -> Theirs:
    """Let the peer follow a report, with faults."""
    transport = MockTransport(RUNS["report"], faults=faults)
    return met(form, NOWHERE, PLACE, transport=transport)


@FORMS
def test_a_cut(form: str) -> None:
    """It is not told of, but asking for the steps gives them whole."""
    whole = broken(form)
    cut = broken(form, Cut(frames=20))
    assert cut.events == whole.events[:20]
    assert (cut.steps, cut.run) == (whole.steps, whole.run)


@FORMS
@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        (ErrorEvent(frames=20, message="Overloaded."), APIError, "Overloaded."),
        (Status(status=500, operation="create"), InternalServerError, "500"),
        (Cut(frames=20, how="abort"), LIBRARY.TransportError, None),
    ],
    ids=str,
)
def test_what_is_raised(form: str, fault: Fault, error: type[Exception], said: str | None) -> None:
    with pytest.raises(error, match=said):
        broken(form, fault)


@FORMS
def test_it_asks_again(form: str) -> None:
    busy = Status(status=503, operation="create", headers={"retry-after-ms": "1"})
    transport = MockTransport(RUNS["report"], faults=[busy])
    agree(met(form, NOWHERE, PLACE, retries=1, transport=transport), RUNS["report"])
    assert [each.operation for each in transport.requests].count("create") == 2
