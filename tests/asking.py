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

from streamkit.testing.transports import MockTransport

__all__ = [
    "FORMS",
    "OUTPUTS",
    "Form",
    "Heard",
    "aopened",
    "ask",
    "create",
    "on_every_form",
    "opened",
]

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
