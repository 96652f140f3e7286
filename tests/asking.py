"""Clients of both libraries, synchronous or not, as one function."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, NamedTuple

import anyio
import httpx
import httpx2
import pytest

from streamkit.testing.building import (
    code_interpreter,
    function_call,
    image,
    logs,
    message,
    script,
)
from streamkit.testing.streams import Stream
from streamkit.testing.transports import MockTransport

__all__ = [
    "ASKING",
    "FORMS",
    "OUTPUTS",
    "PLAIN",
    "RUN",
    "Form",
    "Heard",
    "aopened",
    "ask",
    "bodies",
    "create",
    "on_every_form",
    "opened",
    "submitted",
]

RUN: Final = script(
    code_interpreter("print(1)", logs("1\n"), image("file-1")),
    message("Leave at half past eight."),
)
ASKING: Final = script(
    function_call("get_tide", {"port": "Roscoff"}, output={"low": "08:12"}),
    message("Leave at half past eight."),
)

BASE: Final = "http://api.test/v1"


class Form(NamedTuple):
    """A kind of client."""

    library: Any
    backend: str | None  # of anyio; None: it is synchronous

    def __str__(self) -> str:
        return f"{self.library.__name__}-{self.backend or 'sync'}"


FORMS: Final = [
    Form(library, backend) for library in (httpx, httpx2) for backend in (None, "asyncio", "trio")
]
PLAIN: Final = Form(httpx, None)
on_every_form: Final = pytest.mark.parametrize("form", FORMS, ids=str)


class Heard(NamedTuple):
    """What a client heard.

    Attributes:
        status: None where there was no answer.
        headers: By their names in lower case.
        chunks: As they came.
        error: What was raised, of the client's own library.
    """

    status: int | None
    headers: Mapping[str, str]
    chunks: list[bytes]
    error: Exception | None = None

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    def json(self) -> Any:
        return json.loads(self.body)


def create(assistant: str = "asst_1", thread: str = "thread_1", **fields: Any) -> dict[str, Any]:
    """The arguments of a request that begins a run."""
    body = {"assistant_id": assistant, "stream": True, **fields}
    return {"method": "POST", "url": f"/threads/{thread}/runs", "json": body}


OUTPUTS: Final = "/threads/thread_1/runs/run_1/submit_tool_outputs"


@contextmanager
def opened(transport: MockTransport, library: Any = httpx, **request: Any) -> Iterator[Any]:
    """Open a stream."""
    timeout = request.pop("timeout", 5)
    with (
        library.Client(base_url=BASE, transport=transport, timeout=timeout) as client,
        client.stream(**request) as response,
    ):
        yield response


@asynccontextmanager
async def aopened(
    transport: MockTransport, library: Any = httpx, **request: Any
) -> AsyncIterator[Any]:
    """Open a stream."""
    timeout = request.pop("timeout", 5)
    async with (
        library.AsyncClient(base_url=BASE, transport=transport, timeout=timeout) as client,
        client.stream(**request) as response,
    ):
        yield response


def ask(
    form: Form, transport: MockTransport, method: str = "GET", url: str = "", **options: Any
) -> Heard:
    """Send a request by a client of its own, and hear all of the answer."""
    request = {"method": method, "url": url, **options}
    if form.backend is not None:
        return anyio.run(_asked, form.library, transport, request, backend=form.backend)
    chunks: list[bytes] = []
    head: Any = None
    try:
        with opened(transport, form.library, **request) as head:
            chunks.extend(head.iter_raw())  # what came before an error is kept
    except form.library.HTTPError as error:
        return _heard(head, chunks, error)
    return _heard(head, chunks)


async def _asked(library: Any, transport: MockTransport, request: dict[str, Any]) -> Heard:
    chunks: list[bytes] = []
    head: Any = None
    try:
        async with aopened(transport, library, **request) as head:
            async for chunk in head.aiter_raw():
                chunks.append(chunk)  # noqa: PERF401 - what came before an error is kept
    except library.HTTPError as error:
        return _heard(head, chunks, error)
    return _heard(head, chunks)


def _heard(head: Any, chunks: list[bytes], error: Exception | None = None) -> Heard:
    if head is None:
        return Heard(None, {}, chunks, error)
    return Heard(head.status_code, dict(head.headers), chunks, error)


def bodies(source: Any) -> list[bytes]:
    """What its legs say."""
    return [leg.body for leg in Stream(source).recording.legs]


def submitted(heard: Any, **fields: Any) -> dict[str, Any]:
    """The arguments of a request that submits what a run waits for."""
    run = heard.run
    given = [{"tool_call_id": call.id, "output": "{}"} for call in run.required_action.tool_calls]
    body = {"tool_outputs": given, "stream": True, **fields}
    path = f"/threads/{run.thread_id}/runs/{run.id}/submit_tool_outputs"
    return {"method": "POST", "url": path, "json": body}
