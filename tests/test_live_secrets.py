"""What was sent as a credential is shown nowhere, even where the server repeats it."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from msgspec import structs

from streamkit import PeerError, ResponseError, UsageError
from streamkit.live import Recovery, Runs, open_run
from streamkit.live.recovery import Place as Where
from streamkit.live.requests import Request
from streamkit.live.wires import Wire
from tests.living import BETA, FORMS, UNFINISHED, Form, create, serving, still_works
from tests.recorded import OWN
from tests.server import Answer, Fault, Script, Server

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings(UNFINISHED)]

KEY: Final = "sk-proj-NotARealKey_0123456789"
PLAIN: Final = "4f1b9e7c2a5d4e83b6a0c7d9e2f41b3a"
WORD: Final = "correct-horse-battery"
BASIC: Final = base64.b64encode(f"user:{WORD}".encode()).decode()

# How a credential is sent, and what of it is to be seen nowhere.
CREDENTIALS: Final[dict[str, tuple[dict[str, Any], list[str]]]] = {
    "a bearer's key": ({"headers": {"Authorization": f"Bearer {KEY}"}}, [KEY]),
    "a bearer's token": ({"headers": {"Authorization": f"Bearer {PLAIN}"}}, [PLAIN]),
    "api-key": ({"headers": {"api-key": PLAIN}}, [PLAIN]),
    "x-api-key": ({"headers": {"X-Api-Key": PLAIN}}, [PLAIN]),
    "a gateway's key": ({"headers": {"Ocp-Apim-Subscription-Key": PLAIN}}, [PLAIN]),
    "a proxy's password": ({"headers": {"Proxy-Authorization": f"Basic {BASIC}"}}, [BASIC]),
    "a password": ({"auth": ("user", WORD)}, [BASIC, WORD]),
    "a cookie": ({"headers": {"Cookie": f"session={PLAIN}"}}, [PLAIN]),
    "a cookie among others": ({"headers": {"Cookie": f"a=1; session={PLAIN}; b=2"}}, [PLAIN]),
}


def answers(secret: str) -> dict[str, Answer]:
    """Build answers that repeat a secret."""
    html = {"content-type": "text/html"}
    parts = {"type": "t", "param": None, "code": None}
    return {
        "message": Answer(401, {"error": {"message": f"Incorrect key: {secret}.", **parts}}),
        "code": Answer(401, {"error": {"message": "No.", **parts, "code": secret}}),
        "param": Answer(401, {"error": {"message": "No.", **parts, "param": secret}}),
        "type": Answer(401, {"error": {"message": "No.", **parts, "type": secret}}),
        "detail": Answer(401, {"detail": f"Incorrect key: {secret}"}),
        "innererror": Answer(
            401, {"error": {"message": "No.", "innererror": {"said": [f"<{secret}>"]}}}
        ),
        "HTML": Answer(500, f"<p>{secret}</p>".encode(), html),
        "HTML, where it is cut": Answer(500, b"x" * 192 + secret.encode(), html),
        "redirect": Answer(302, b"", {"location": f"https://else.where/{secret}/a?key={secret}"}),
        "redirect to a user": Answer(302, b"", {"location": f"https://u:{secret}@else.where/a"}),
    }


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


def shown(error: BaseException | None) -> Iterator[str]:
    """All that a report of an error may show."""
    if error is not None:
        yield from (str(error), repr(error), repr(vars(error)))
        yield "".join(traceback.format_exception(error))
        yield from getattr(error, "__notes__", ())
        yield from shown(error.__cause__)
        yield from shown(error.__context__)


def parts(secret: str) -> list[str]:
    """The secret, and its beginning."""
    return [secret, secret[:8]]


@pytest.mark.parametrize("where", answers(""))
@pytest.mark.parametrize("how", CREDENTIALS)
async def test_an_answer_that_repeats_a_secret(
    form: Form, server: Server, caplog: pytest.LogCaptureFixture, *, how: str, where: str
) -> None:
    options, secrets = CREDENTIALS[how]
    caplog.set_level(logging.DEBUG, "streamkit")
    caplog.set_level(logging.INFO, "httpx")
    for secret in secrets:
        answer = answers(secret)[where]
        place = server.add(Script(OWN["refusal"], answers={"create": [answer, answer]}))
        for of_client in (True, False):
            given = {**options, "headers": BETA | options.get("headers", {})}
            async with form.client(server, **(given if of_client else {})) as client:
                stream = form.open(client, create(place), **({} if of_client else given))
                with pytest.raises(ResponseError) as caught:
                    await stream.until_done()
                await still_works(client, place)
            report = [*shown(caught.value), repr(stream), repr(vars(stream)), caplog.text]
            assert caught.value.status == answer.status
            found = [part for part in parts(secret) for each in report if part in each]
            assert not found
        sent = [*server.requests(place)[0].headers.values()]
        assert any(secrets[0] in value for value in sent)


REQUEST: Final = Request(
    method="POST",
    url="http://test/v1/threads/thread_1/runs?key=hidden",
    headers={"Authorization": "Bearer hidden", "Cookie": "a=hidden"},
    params=[("key", "hidden")],
    options={"auth": ("user", "hidden"), "cookies": {"a": "hidden"}},
)
HELD: Final[dict[str, object]] = {
    "a request": REQUEST,
    "a request with a password": structs.replace(REQUEST, url="http://u:hidden@test/threads/runs"),
    "a place": Where.of(REQUEST),
    "endpoints": Where.of(REQUEST).endpoints,
    "a wire": Wire(httpx.Client(auth=("user", "hidden"), verify=False)),
    "runs": Runs(httpx.Client(headers={"api-key": "hidden"}, verify=False)),
    "recovery": Recovery(),
}


@pytest.mark.parametrize("name", HELD)
@pytest.mark.parametrize("form", [FORMS["sync"]], ids=["sync"])
async def test_what_holds_a_secret_does_not_show_it(name: str) -> None:
    assert "hidden" not in repr(HELD[name])
    assert "hidden" not in str(HELD[name])


@pytest.mark.parametrize("form", [FORMS["sync"]], ids=["sync"])
async def test_a_mistake_shows_no_secret() -> None:
    with httpx.Client(verify=False) as client, pytest.raises(UsageError) as caught:
        open_run(client, "POST", "http://u:hidden@test/nothing?key=hidden", recover=True)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("how", CREDENTIALS)
async def test_what_is_logged_shows_no_secret(
    form: Form, server: Server, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    options, secrets = CREDENTIALS[how]
    caplog.set_level(logging.DEBUG, "streamkit")
    caplog.set_level(logging.INFO, "httpx")
    place = server.add(Script(OWN["refusal"], faults=[Fault(frames=5)]))
    async with form.client(server) as client:
        given = {**options, "headers": BETA | options.get("headers", {})}
        recovery = Recovery(first=0, most=0)
        stream = form.open(client, create(place), recover=recovery, **given)
        await stream.until_done()
    assert "the stream of run" in caplog.text
    assert "HTTP Request: POST" in caplog.text
    assert len(server.requests(place)) > 2
    for request in server.requests(place):  # those that ask for the rest are credited, too
        assert any(secrets[0] in value for value in request.headers.values())
    assert not [
        secret for secret in secrets for each in (caplog.text, repr(stream)) if secret in each
    ]


@pytest.mark.parametrize("key", ["sk-abcd****************wxyz", "sk-proj-abc...wxyz"])
async def test_a_key_that_the_server_masked_is_masked_whole(
    form: Form, server: Server, key: str
) -> None:
    answer = Answer(
        401, {"error": {"message": f"Incorrect API key provided: {key}. Find", "code": "c"}}
    )
    place = server.add(Script(OWN["refusal"], answers={"create": [answer]}))
    async with form.client(server) as client:
        with pytest.raises(ResponseError) as caught:
            await form.open(client, create(place)).until_done()
    assert caught.value.error
    assert "wxyz" not in str(caught.value)
    assert caught.value.error.message == "Incorrect API key provided: *** Find"


async def test_a_failure_within_the_stream_shows_no_secret(form: Form, server: Server) -> None:
    place = server.add(Script(OWN["refusal"], faults=[Fault(frames=5)]))
    headers = BETA | {"Authorization": f"Bearer {KEY}"}
    async with form.client(server, headers=headers) as client:
        with pytest.raises(PeerError) as caught:
            await form.open(client, create(place)).until_done()
    assert not [each for each in shown(caught.value) if KEY in each]
