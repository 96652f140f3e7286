"""The application: finds the scene of a request, and does there what is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import partial
from itertools import count
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.server import scenes
from tests.server.access import check_access
from tests.server.delivery import Dropped
from tests.server.errors import ApiError, bad, refused
from tests.server.operations import OPERATIONS, Call
from tests.server.scenes import Scene
from tests.server.scripts import Answer, Operation
from tests.server.stage import Stage

__all__ = ["app"]


def app(stage: Stage, require_key: str | None) -> Starlette:
    """Build the application: the API of OpenAI under /v1, of Azure under /openai."""
    routes = [
        Route(path, partial(respond, stage, require_key, operation, work), methods=[method])
        for operation, method, path, work in OPERATIONS
    ]
    return Starlette(
        routes=[Mount("/v1", routes=routes), Mount("/openai", routes=routes)],
        middleware=[Middleware(Signed)],
        exception_handlers={ApiError: refused, HTTPException: unknown},
    )


async def respond(
    stage: Stage,
    require_key: str | None,
    operation: Operation,
    work: Callable[[Call], ASGIApp],
    request: Request,
) -> ASGIApp:
    """Answer a request, as the script wants or as the API does."""
    try:
        text = await request.body()
    except ClientDisconnect:
        return Response()  # which nobody will read
    body = parsed(text)
    scene = scene_of(stage, request, body)
    scene.requests.append(noted(operation, request, body))
    answer = scene.answer(operation)
    if answer and not answer.effect:
        return given(answer)
    check_access(request, require_key)
    if not isinstance(body, dict):
        raise bad("We could not parse the JSON body of your request.")
    response = work(Call(stage, scene, request, body))
    return given(answer) if answer else response


def parsed(text: bytes) -> Any:
    """Read a body; None where it is no JSON."""
    try:
        return json.loads(text or b"{}")
    except ValueError:
        return None


def scene_of(stage: Stage, request: Request, body: Any) -> Scene:
    """Find the scene that a request belongs to."""
    match request.path_params, request.method:
        case {"file": id}, _:
            return stage.scene_with(id)
        case {"run": _, "thread": id}, _:
            return stage.scene(id)
        case {"thread": id}, "GET":
            return stage.scene(id)
        case path, _:
            assistant = body.get("assistant_id") if isinstance(body, dict) else None
            return stage.scene_to_begin(path.get("thread"), str(assistant))


def noted(operation: Operation, request: Request, body: Any) -> scenes.Request:
    """Write down what was asked."""
    query = request.query_params.multi_items()
    headers = dict(request.headers.items())
    return scenes.Request(operation, request.method, request.url.path, query, headers, body)


def given(answer: Answer) -> ASGIApp:
    """Give an answer of the script."""
    if answer.abort:
        return Dropped()
    if isinstance(answer.body, Mapping):
        said, kind = json.dumps(answer.body).encode(), "application/json"
    else:
        said, kind = answer.body, "text/plain"
    return Response(said, answer.status, answer.headers, kind)


def unknown(request: Request, error: Exception) -> Response:
    """Say that there is no such endpoint."""
    assert isinstance(error, HTTPException)
    message = f"Invalid URL ({request.method} {request.url.path})"
    return refused(request, ApiError(error.status_code, message))


class Signed:
    """Gives every answer a date and an id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                headers.setdefault("x-request-id", f"req_{next(self.numbers):06}")
                headers.setdefault("date", formatdate(usegmt=True))
            await send(message)

        await self.app(scope, receive, signed)
