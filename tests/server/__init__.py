"""A real HTTP server that speaks the protocol of runs, from scripts, and fails as told.

with serve() as server:
    place = server.add(Script(legs, faults=[Fault(frames=40, how="abort")]))
    url = f"{server.url}/threads/{place.thread_id}/runs"
    httpx.post(url, headers={"OpenAI-Beta": "assistants=v2"}, json=...)
    assert [each.operation for each in server.requests(place)] == ["create"]
"""

from __future__ import annotations

from tests.server.running import Server, serve
from tests.server.scenes import Request
from tests.server.scripts import Answer, Answers, Fault, Operation, Place, Script

__all__ = [
    "Answer",
    "Answers",
    "Fault",
    "Operation",
    "Place",
    "Request",
    "Script",
    "Server",
    "serve",
]
