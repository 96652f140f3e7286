"""What passes to the network is asked as it was meant, and its streams are written down."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import anyio
import httpx
import httpx2
import pytest

from streamkit.pytest_plugin.network import NetworkTransport
from streamkit.recording import read
from streamkit.server import serve
from streamkit.testing import message, script

LIBRARIES: Final[list[Any]] = [httpx, httpx2]
BODY: Final = {"assistant_id": "asst_1", "stream": True}


def test_clients_of_every_kind_share_it_one_after_another(tmp_path: Path) -> None:
    transport = NetworkTransport(tmp_path)

    def ask(library: Any) -> bytes:
        with library.Client(base_url=server.url, transport=transport) as client:
            return bytes(client.post("/threads/thread_1/runs", json=BODY).content)

    async def aask(library: Any) -> bytes:
        async with library.AsyncClient(base_url=server.url, transport=transport) as client:
            return bytes((await client.post("/threads/thread_1/runs", json=BODY)).content)

    with serve(script(message("done"))) as server:
        bodies = [ask(library) for library in LIBRARIES * 2]
        for backend in ("asyncio", "trio"):
            bodies += [anyio.run(aask, library, backend=backend) for library in LIBRARIES]
        theirs = server.requests
    takes = [read(path) for path in sorted(tmp_path.iterdir())]
    assert [take.body for take in takes] == bodies
    assert all(b"thread.run.completed" in body for body in bodies)
    assert [each[:4] for each in transport.requests] == [each[:4] for each in theirs]
    assert [each.json for each in transport.requests] == [BODY] * 8
    assert not transport._open


def test_clients_of_both_libraries_may_be_open(tmp_path: Path) -> None:
    transport = NetworkTransport(tmp_path)
    with (
        serve(script(message("done"))) as server,
        LIBRARIES[0].Client(transport=transport) as one,
        LIBRARIES[1].Client(transport=transport) as other,
    ):
        for client in (one, other, one):
            client.post(f"{server.url}/threads/thread_1/runs", json=BODY)
    assert len([*tmp_path.iterdir()]) == 3


@pytest.mark.parametrize(
    ("method", "path", "content", "operation", "json"),
    [
        ("POST", "/v1/threads/thread_1/runs?include[]=a", b'{"a": 1}', "create", {"a": 1}),
        ("GET", "/v1/threads/thread_1/runs/run_1", b"", "retrieve", {}),
        ("POST", "/v1/threads/thread_1/runs/run_1/cancel", b"{", "cancel", None),
        ("POST", "/elsewhere", b"\xff", None, None),
    ],
)
def test_it_says_what_was_asked_whatever_the_answer(
    method: str, path: str, content: bytes, operation: str | None, *, json: Any, tmp_path: Path
) -> None:
    transport = NetworkTransport(tmp_path)
    with httpx.Client(transport=transport) as client, serve() as server:
        client.request(method, f"{server.origin}{path}", content=content, headers={"X-A": "1"})
        (theirs,) = server.requests
    (asked,) = transport.requests
    assert (asked.operation, asked.method, asked.json) == (operation, method, json)
    assert asked[:4] == theirs[:4]
    assert asked.headers["x-a"] == "1"
    assert [*tmp_path.iterdir()] == []
