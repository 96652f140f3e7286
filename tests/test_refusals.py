"""An answer that is no stream is an error that says what the server said."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Any, Final, NamedTuple

import httpx
import pytest

from streamkit import Accumulator, Change, ErrorObject, ResponseError
from tests.living import (
    FORMS,
    HTTPX2,
    STALL,
    UNFINISHED,
    Form,
    accumulated,
    create,
    idle,
    outputs,
    serving,
    still_works,
)
from tests.recorded import OWN
from tests.server import Answer, Fault, Script, Server

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings(UNFINISHED)]

LEGS: Final = OWN["parallel-functions"]
RUN: Final = {"id": "run_1", "object": "thread.run", "status": "queued"}
HTML: Final = {"content-type": "text/html; charset=utf-8"}
ID: Final = {"x-request-id": "req_mine"}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    return FORMS[request.param]


@pytest.fixture
def anyio_backend(form: Form) -> str:
    return form.backend


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


class Case(NamedTuple):
    """An answer, and what is said of it after the request was named."""

    answer: Answer
    says: str
    error: ErrorObject | None = None
    retry_after: float | None = None


def api(
    message: str | None,
    code: Any = None,
    param: str | None = None,
    type: str | None = "invalid_request_error",
) -> dict[str, Any]:
    """Build the body of an error as OpenAI writes it."""
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


def said(
    message: str | None,
    code: str | None = None,
    param: str | None = None,
    type: str | None = "invalid_request_error",
) -> ErrorObject:
    """Expect an error of `api`."""
    fields = {"message": message, "type": type, "param": param, "code": code}
    extra = {name: None for name, value in fields.items() if value is None}
    return ErrorObject(**fields, extra=extra or None)


BUSY: Final = api("Slow down.", "rate_limit_exceeded", type="tokens")
BUSY_SAID: Final = said("Slow down.", "rate_limit_exceeded", type="tokens")
SLOW: Final = "answered 429 (rate_limit_exceeded): Slow down."
DATE: Final = {"date": "Sat, 21 Nov 2026 12:00:00 GMT"}
SWITCHED_OFF: Final = (
    "OpenAI switched its Assistants endpoints off on 26 August 2026; what it streams now is "
    "the Responses API (POST /responses)"
)
GONE: Final = "Invalid URL (POST /v1/threads/thread_1/runs)"
NO_THREAD: Final = "No thread found with id 'thread_0'."
NOT_STREAMED: Final = "which a run has that was not asked for `stream: true`"


def waiting(headers: Mapping[str, str], seconds: float | None, shown: str = "") -> Case:
    """Expect to be told to wait so long."""
    says = f"{SLOW}; ask again in {shown} s" if shown else SLOW
    return Case(Answer(429, BUSY, headers), says, BUSY_SAID, seconds)


CASES: Final = {
    # What the API says
    "400": Case(
        Answer(400, api("No such assistant.", "bad", "assistant_id")),
        "answered 400 (bad): No such assistant.",
        said("No such assistant.", "bad", "assistant_id"),
    ),
    "401": Case(
        Answer(401, api("No key.", None)), "answered 401: No key.", said("No key.")
    ),
    "403": Case(
        Answer(403, api("Not you.", "forbidden")),
        "answered 403 (forbidden): Not you.",
        said("Not you.", "forbidden"),
    ),
    "409": Case(
        Answer(409, api("Active run.", "conflict")),
        "answered 409 (conflict): Active run.",
        said("Active run.", "conflict"),
    ),
    "500": Case(
        Answer(500, api("Oops.", type="server_error")),
        "answered 500: Oops.",
        said("Oops.", type="server_error"),
    ),
    # The endpoints that are gone, and things that are not there
    "404, switched off": Case(
        Answer(404, api(GONE, "unknown_url")),
        f"answered 404 (unknown_url): {GONE}; {SWITCHED_OFF}",
        said(GONE, "unknown_url"),
    ),
    "404, shut down": Case(
        Answer(404, api("The Assistants API was shut down.")),
        f"answered 404: The Assistants API was shut down.; {SWITCHED_OFF}",
        said("The Assistants API was shut down."),
    ),
    "410": Case(
        Answer(410, api("This API is no longer available.")),
        f"answered 410: This API is no longer available.; {SWITCHED_OFF}",
        said("This API is no longer available."),
    ),
    "404, no thread": Case(
        Answer(404, api(NO_THREAD)), f"answered 404: {NO_THREAD}", said(NO_THREAD)
    ),
    "400 of a wrong URL": Case(Answer(400, api(GONE)), f"answered 400: {GONE}", said(GONE)),
    # How long to wait
    "in seconds": waiting({"retry-after": "20"}, 20, "20"),
    "in parts of seconds": waiting({"retry-after": "0.25"}, 0.25, "0.25"),
    "at once": waiting({"retry-after": "0"}, 0, "0"),
    "in ms": waiting({"retry-after-ms": "1500", "retry-after": "2"}, 1.5, "1.5"),
    "in ms, not legible": waiting({"retry-after-ms": "soon", "retry-after": "2"}, 2, "2"),
    "at a date": waiting(DATE | {"retry-after": "Sat, 21 Nov 2026 12:01:30 GMT"}, 90, "90"),
    "at a date with an offset": waiting(
        DATE | {"retry-after": "Sat, 21 Nov 2026 13:00:05 +0100"}, 5, "5"
    ),
    "at a date gone by": waiting(DATE | {"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0, "0"),
    "at a date without a zone": waiting(
        DATE | {"retry-after": "Sat, 21 Nov 2026 12:00:07"}, 7, "7"
    ),
    "at a date of no zone": waiting(
        DATE | {"retry-after": "Sat, 21 Nov 2026 12:00:07 -0000"}, 7, "7"
    ),
    "soon": waiting({"retry-after": "soon"}, None),
    "never": waiting({"retry-after": "inf"}, None),
    "before now": waiting({"retry-after": "-1"}, None),
    "no number": waiting({"retry-after": "nan"}, None),
    "503, in seconds": Case(
        Answer(503, b"", {"retry-after": "3"}), "answered 503; ask again in 3 s", None, 3
    ),
    # Bodies of others
    "502, HTML": Case(
        Answer(502, b"<html>\n<h1>Bad Gateway</h1>", HTML),
        "answered 502; the body begins '<html>\\n<h1>Bad Gateway</h1>'",
    ),
    "503, long": Case(Answer(503, b"x" * 500), f"answered 503; the body begins '{'x' * 200}'"),
    "500, empty": Case(Answer(500), "answered 500"),
    "500, blank": Case(Answer(500, b" \n "), "answered 500"),
    "500, no text": Case(Answer(500, b"\xff\x00"), "answered 500; the body begins '\ufffd\\x00'"),
    "500, a list": Case(Answer(500, b"[1]"), "answered 500; the body begins '[1]'"),
    "500, another object": Case(
        Answer(500, {"a": 1}), "answered 500; the body begins '{\"a\": 1}'"
    ),
    "500, too deep": Case(
        Answer(500, b"[" * 5000), f"answered 500; the body begins '{'[' * 200}'"
    ),
    "Azure": Case(
        Answer(401, {"error": {"code": "401", "message": "Access denied."}}),
        "answered 401 (401): Access denied.",
        ErrorObject(message="Access denied.", code="401"),
    ),
    "Azure's gateway": Case(
        Answer(404, {"statusCode": 404, "message": "Resource not found"}),
        "answered 404: Resource not found",
        ErrorObject(message="Resource not found", extra={"statusCode": 404}),
    ),
    "a number for a code": Case(
        Answer(429, api("Too many.", 429)),
        "answered 429 (429): Too many.",
        said("Too many.", "429"),
    ),
    "a text for an error": Case(
        Answer(500, {"error": "It broke."}),
        "answered 500: It broke.",
        ErrorObject(message="It broke."),
    ),
    "no message": Case(
        Answer(500, api(None, "c")),
        "answered 500 (c): an error without a message",
        said(None, "c"),
    ),
    "FastAPI": Case(
        Answer(404, {"detail": "Not Found"}),
        "answered 404: Not Found",
        ErrorObject(message="Not Found"),
    ),
    "FastAPI, of the body": Case(
        Answer(422, {"detail": [{"loc": ["body"]}]}),
        "answered 422; the body begins '{\"detail\": [{\"loc\": [\"body\"]}]}'",
    ),
    # What succeeds, but is no stream
    "200, a run": Case(
        Answer(200, RUN),
        f"answered 200, but with application/json instead of a stream, {NOT_STREAMED}; "
        f"the body begins {json.dumps(RUN)!r}",
    ),
    "200, HTML": Case(
        Answer(200, b"<p>", HTML),
        "answered 200, but with text/html instead of a stream; the body begins '<p>'",
    ),
    "200, nearly": Case(
        Answer(200, b"", {"content-type": "text/event-streams"}),
        "answered 200, but with text/event-streams instead of a stream",
    ),
    "500, a stream": Case(
        Answer(500, b"data: 1\n\n", {"content-type": "text/event-stream"}),
        "answered 500; the body begins 'data: 1'",
    ),
    # Elsewhere
    "301": Case(
        Answer(301, b"", {"location": "https://user:word@else.where/a/b?key=c#d"}),
        "answered 301: redirected to https://else.where/a/b, which is not followed",
    ),
    "302 with a body": Case(
        Answer(302, b"<a>", HTML | {"location": "https://else.where/"}),
        "answered 302: redirected to https://else.where/, which is not followed",
    ),
    "307, to another port": Case(
        Answer(307, b"", {"location": "http://else.where:8080/a"}),
        "answered 307: redirected to http://else.where:8080/a, which is not followed",
    ),
    "308": Case(
        Answer(308, b"", {"location": "//else.where/v2", "retry-after": "1"}),
        "answered 308: redirected to http://else.where/v2, which is not followed",
        None,
        1,
    ),
}  # fmt: skip


async def check(form: Form, server: Server, case: Case, **options: Any) -> None:
    """A first leg and a second one are refused; nothing is told, nothing stays open."""
    answer = Answer(case.answer.status, case.answer.body, ID | dict(case.answer.headers))
    script = Script(LEGS, answers={"create": [answer], "submit": [answer]})
    place = server.add(script)
    told: list[Change] = []
    accumulator = Accumulator()
    async with form.client(server, **options) as client:
        for refused in (True, False, True):
            request = outputs(accumulator.snapshot()) if accumulator.run else create(place)
            before = accumulator.snapshot()
            stream = form.open(client, request, told.append, accumulator=accumulator)
            if not refused:
                await stream.until_done()
                continue
            count = len(told)
            with pytest.raises(ResponseError) as caught:
                await stream.__aenter__()
            error = caught.value
            path = httpx.URL(f"{server.url}{request['url']}").path
            assert str(error) == f"POST {path} {case.says}; request id req_mine"
            assert error.status == case.answer.status
            assert error.error == case.error
            assert (error.request_id, error.retry_after) == ("req_mine", case.retry_after)
            assert error.snapshot == before == accumulator.snapshot() == stream.snapshot()
            assert len(told) == count
            await still_works(client, place)
    await idle(server)
    assert told == accumulated(LEGS[:1], place)[0]


@pytest.mark.parametrize("name", CASES)
async def test_refused(form: Form, server: Server, name: str) -> None:
    await check(form, server, CASES[name])


@pytest.mark.parametrize("form", HTTPX2.values(), ids=HTTPX2)
@pytest.mark.parametrize("name", ["400", "at a date", "502, HTML", "200, a run", "301"])
async def test_refused_with_httpx2(form: Form, server: Server, name: str) -> None:
    await check(form, server, CASES[name])


# Bodies that do not end as they should


PAGE: Final = b"oops" + Random(0).randbytes(40_000).replace(b"\n", b"") + b"\n\n"


@pytest.mark.parametrize(("script", "patience"), [
    (Script([PAGE], faults=[Fault(bytes=10)]), 5),
    (Script([PAGE], faults=[Fault(bytes=10, how="stall")]), STALL),
    (Script([PAGE * 250], chunk=50_000), 5),
    (Script([PAGE * 250], chunk=50_000, gzip=True), 5),
], ids=["breaks off", "stalls", "has no end", "has no end, compressed"])  # fmt: skip
async def test_a_body_without_an_end(
    form: Form, server: Server, *, script: Script, patience: Any
) -> None:
    place = server.add(replace(script, content_type="text/html"))
    async with form.client(server, timeout=patience) as client:
        with pytest.raises(
            ResponseError, match="but with text/html instead of a stream"
        ) as caught:
            await form.open(client, create(place)).until_done()
        assert r"the body begins 'oops" in str(caught.value)
        assert caught.value.__context__ is None
        await still_works(client, place)
    await idle(server)
    assert server.sent(place) < 2_000_000


async def test_an_answer_that_lacks_its_end(form: Form, server: Server) -> None:
    broken = Answer(500, b'{"error', {"content-length": "1000"})
    place = server.add(Script(LEGS, answers={"create": [broken]}))
    async with form.client(server) as client:
        with pytest.raises(ResponseError, match="answered 500") as caught:
            await form.open(client, create(place)).until_done()
        await still_works(client, place)
    assert caught.value.status == 500


async def test_a_client_that_cannot_connect_says_so(form: Form, server: Server) -> None:
    place = server.add(Script(LEGS, answers={"create": [Answer(abort=True)]}))
    told: list[Change] = []
    async with form.client(server) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await form.open(client, create(place), told.append).until_done()
        await still_works(client, place)
    assert told == []


# Elsewhere


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed_only_where_the_call_says_so(
    form: Form, server: Server, status: int
) -> None:
    place = server.add(Script(LEGS))
    request = create(place)
    answer = Answer(status, b"", {"location": f"/v1{request['url']}"})
    wrong = server.add(Script(LEGS, answers={"create": [answer, answer]}))
    redirected = request | {"url": f"/threads/{wrong.thread_id}/runs"}
    async with form.client(server, follow_redirects=True) as client:
        with pytest.raises(ResponseError, match="is not followed"):
            await form.open(client, redirected).until_done()
        assert server.requests(place) == []
        if status in (307, 308):  # the others make it a GET
            stream = form.open(client, redirected, follow_redirects=True)
            assert await stream.until_done() == accumulated(LEGS[:1], place)[1]
            assert server.requests(place)[0].json == request["json"]


async def test_openai_itself_is_known(
    form: Form, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: find("127.0.0.1", *rest, **more)
    )
    place = server.add(Script(LEGS, answers={"create": [Answer(404, b"")]}))
    url = server.url.replace("127.0.0.1", "api.openai.com")
    async with form.client(server, base_url=url) as client:
        with pytest.raises(ResponseError, match=r"answered 404; OpenAI switched .* off") as caught:
            await form.open(client, create(place)).until_done()
    assert "(POST /responses)" in str(caught.value)
