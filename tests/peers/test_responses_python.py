"""openai-python streams responses from the server and from a transport, and comes to the same.

It is one file for both of its versions: 2 speaks through httpx, 3 through httpx2.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

import anyio
import pytest
from openai import VERSION, AsyncOpenAI, OpenAI

from streamkit import accumulate
from streamkit.convert import to_response_items
from streamkit.server import Server, serve
from streamkit.testing import MockTransport
from streamkit.testing.api.pictures import picture
from tests.peers.conversations import CONVERSATIONS, SCRIPTS, plain, wanted
from tests.peers.offline import offline

LIBRARY: Final = import_module("httpx" if VERSION.startswith("2.") else "httpx2")
NOWHERE: Final = "http://nowhere.test/v1"
URL: Final = f"data:image/png;base64,{base64.b64encode(picture('file-1')).decode()}"

FORMS: Final = pytest.mark.parametrize("form", ["sync", "async"])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(CONVERSATIONS, speed=float("inf")) as server:
        yield server
        server.wait_idle()


def outputs(response: Any) -> list[Any]:
    """Say what is to be sent."""
    return [
        {"type": "function_call_output", "call_id": each.call_id, "output": "x"}
        for each in response.output
        if each.type == "function_call"
    ]


class Theirs:
    """What the peer makes of a conversation."""

    def __init__(self) -> None:
        self.output: list[Any] = []
        self.retrieved: list[Any] = []
        self.numbers: list[int] = []
        self.rest: list[int] = []

    def take(self, events: list[Any], response: Any, retrieved: Any, rest: list[Any]) -> Any:
        """Take a response, and say what is to be asked next."""
        self.output += plain(response.to_dict(warnings=False)["output"])
        self.retrieved += plain(retrieved.to_dict(warnings=False)["output"])
        numbers = [event.sequence_number for event in events]
        self.numbers += [number for number in numbers if number > 4]
        self.rest += [event.sequence_number for event in rest]
        return {"previous_response_id": response.id, "input": outputs(response)}


def follow(client: OpenAI, model: str) -> Theirs:
    """Follow a conversation to its end."""
    theirs = Theirs()
    more: Any = {"input": "hi"}
    while more["input"]:
        with client.responses.stream(model=model, background=True, **more) as stream:
            events, response = [*stream], stream.get_final_response()
        rest = client.responses.retrieve(response.id, stream=True, starting_after=4)
        more = theirs.take(events, response, client.responses.retrieve(response.id), [*rest])
    return theirs


async def afollow(client: AsyncOpenAI, model: str) -> Theirs:
    """Follow a conversation to its end."""
    theirs = Theirs()
    more: Any = {"input": "hi"}
    while more["input"]:
        async with client.responses.stream(model=model, background=True, **more) as stream:
            events = [event async for event in stream]
            response = await stream.get_final_response()
        rest = await client.responses.retrieve(response.id, stream=True, starting_after=4)
        retrieved = await client.responses.retrieve(response.id)
        more = theirs.take(events, response, retrieved, [event async for event in rest])
    return theirs


def met(form: str, url: str, model: str, **options: Any) -> Theirs:
    """Let the peer follow a conversation, with a client of its own."""
    given: dict[str, Any] = {"base_url": url, "api_key": "none", "max_retries": 0}
    options = {"trust_env": False, "verify": False} | options
    if form == "sync":
        with LIBRARY.Client(**options) as http:
            return follow(OpenAI(**given, http_client=http), model)

    async def meet() -> Theirs:
        async with LIBRARY.AsyncClient(**options) as http:
            return await afollow(AsyncOpenAI(**given, http_client=http), model)

    return anyio.run(meet)


def agree(theirs: Theirs, name: str) -> None:
    """Hold what the peer makes of a conversation to what it is."""
    if name in SCRIPTS:
        items = wanted(SCRIPTS[name], URL)
    else:
        items = plain([*to_response_items(accumulate(CONVERSATIONS[name]))])
    assert theirs.output == theirs.retrieved == items
    assert theirs.rest == theirs.numbers


@FORMS
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_from_the_server(server: Server, name: str, form: str) -> None:
    agree(met(form, server.url, name), name)


@FORMS
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_from_a_transport_without_a_network(name: str, form: str) -> None:
    transport = MockTransport(CONVERSATIONS)
    with offline():
        theirs = met(form, NOWHERE, name, transport=transport)
    agree(theirs, name)
    assert transport.requests[0].path == "/v1/responses"
