"""The test server is honest: what it sends and shows is what was recorded, cut where we said."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import httpx
import pytest

from tests.recorded import OWN, came_to, objects, read
from tests.server import Answer, Answers, Fault, Place, Request, Script, Server, serve

BETA = {"OpenAI-Beta": "assistants=v2"}
AZURE = {"api-key": "k"}
REPORT = OWN["report"]
CONTENT = "step_details.tool_calls[*].file_search.results[*].content"
FAILURE = {"error": {"message": "Slow down.", "type": "t", "param": None, "code": "c"}}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as server:
        yield server
        server.wait_idle()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with connected(server.url) as client:
        yield client


def connected(url: str, headers: dict[str, str] = BETA, **options: Any) -> httpx.Client:
    return httpx.Client(base_url=url, headers=headers, trust_env=False, **options)


# Asking


def create(place: Place, *, stream: bool = True, **fields: object) -> dict[str, Any]:
    """The arguments of a request that begins a run."""
    body = {"assistant_id": place.assistant_id, "stream": stream, **fields}
    return {"method": "POST", "url": f"/threads/{place.thread_id}/runs", "json": body}


def run_of(client: httpx.Client, place: Place) -> Any:
    """The latest run of a thread."""
    return client.get(f"/threads/{place.thread_id}/runs").json()["data"][0]


def url_of(client: httpx.Client, place: Place) -> str:
    return f"/threads/{place.thread_id}/runs/{run_of(client, place)['id']}"


def outputs(run: Any) -> dict[str, Any]:
    """What a run waits for."""
    kind = run["required_action"]["type"]
    given = {"output": "{}"} if kind == "submit_tool_outputs" else {"approve": True}
    calls = run["required_action"][kind]["tool_calls"]
    field = "tool_outputs" if kind == "submit_tool_outputs" else "tool_approvals"
    return {field: [{"tool_call_id": call["id"], **given} for call in calls]}


def submit(client: httpx.Client, place: Place, *, stream: bool = True) -> httpx.Response:
    body = outputs(run_of(client, place)) | {"stream": stream}
    return client.post(f"{url_of(client, place)}/submit_tool_outputs", json=body)


def restored(body: bytes, place: Place, recorded: bytes) -> bytes:
    """Give back to a body the ids that were recorded."""
    for name in ("thread_id", "assistant_id"):
        if old := re.search(rf'"{name}":"(\w+)"'.encode(), recorded):
            body = body.replace(getattr(place, name).encode(), old[1])
    return body


def shown(client: httpx.Client, place: Place) -> list[Any]:
    """The run, its steps and its messages, as they are now."""
    url = url_of(client, place)
    steps = client.get(f"{url}/steps", params={"order": "asc", "include[]": CONTENT})
    messages = client.get(f"/threads/{place.thread_id}/messages", params={"order": "asc"})
    return [client.get(url).json(), *steps.json()["data"], *messages.json()["data"]]


def recorded(legs: tuple[bytes, ...]) -> list[Any]:
    """The last word of a recording on each object."""
    ended: dict[str, dict[str, Any]] = {"run": {}, "run.step": {}, "message": {}}
    for leg in legs:
        for kind, transition, value in objects(read(leg)):
            if transition != "delta":
                ended[kind][value["id"]] = value
    return [value for each in ended.values() for value in each.values()]


# Streams


@pytest.mark.parametrize("name", OWN)
def test_a_run_is_streamed_and_shown_as_recorded(
    server: Server, client: httpx.Client, name: str
) -> None:
    legs = OWN[name]
    place = server.add(Script(legs))
    bodies = [client.request(**create(place)).content]
    bodies += [submit(client, place).content for _ in legs[1:]]
    assert [restored(body, place, leg) for body, leg in zip(bodies, legs, strict=True)] == [*legs]
    assert server.sent(place) == sum(map(len, legs))
    if came_to(read(legs[-1])) == "complete":
        now = json.dumps(shown(client, place)).encode()
        assert json.loads(restored(now, place, legs[0])) == recorded(legs)


@pytest.mark.parametrize("script", [
    Script(REPORT, chunk="whole"),
    Script(REPORT, chunk=7),
    Script(REPORT, gzip=True),
    Script(REPORT, gzip=True, chunk=1000, content_type="text/event-stream"),
])  # fmt: skip
def test_chunks_and_compression_change_nothing(
    server: Server, client: httpx.Client, script: Script
) -> None:
    place = server.add(script)
    response = client.request(**create(place))
    assert restored(response.content, place, REPORT[0]) == REPORT[0]
    assert response.headers["content-type"] == script.content_type
    assert response.headers.get("content-encoding") == ("gzip" if script.gzip else None)
    assert {"date", "x-request-id"} <= response.headers.keys()


def test_comments_come_before_each_frame(server: Server, client: httpx.Client) -> None:
    place = server.add(Script(REPORT, keepalives=True))
    body = client.request(**create(place)).content
    assert body.startswith(b": ping\n\nevent: ")
    assert body.count(b": ping\n\n") == REPORT[0].count(b"event: ")
    assert restored(body, place, REPORT[0]).replace(b": ping\n\n", b"") == REPORT[0]


def test_a_run_by_assistant_and_a_second_one(server: Server, client: httpx.Client) -> None:
    place = server.add(Script(OWN["three-legs"]))
    body = {"assistant_id": place.assistant_id, "stream": True}
    streams = [client.post("/threads/runs", json=body).content for _ in range(2)]
    assert streams[0] == streams[1] == client.request(**create(place)).content


def test_a_slow_reader_makes_the_server_wait(server: Server, client: httpx.Client) -> None:
    body = b"event: unknown\ndata: %s\n\n" % (b"x" * 10_000) * 300
    place = server.add(Script([body]))
    with client.stream(**create(place)) as response:
        server.wait_paused()
        assert server.sent(place) < len(body)
        assert len(response.read()) == len(body)
    assert server.sent(place) == len(body)


# Faults


FRAMES = re.findall(rb".*?\n\n", REPORT[0], re.DOTALL)

# How each fault is seen. Only a stall is to reach the end of the client's patience.
SEEN: dict[str, tuple[float, type[Exception] | None]] = {
    "end": (5, None),
    "abort": (5, httpx.RemoteProtocolError),
    "stall": (0.2, httpx.ReadTimeout),
}


@pytest.mark.parametrize("how", SEEN)
@pytest.mark.parametrize(("fault", "left", "gzip"), [
    (Fault(frames=50), b"".join(FRAMES[:50]), False),
    (Fault(frames=50), b"".join(FRAMES[:50]), True),
    (Fault(bytes=4321), REPORT[0][:4321], False),
    (Fault(frames=0), b"", False),
    (Fault(), REPORT[0], False),
])  # fmt: skip
def test_faults_are_seen_as_such(
    server: Server, *, how: Any, fault: Fault, left: bytes, gzip: bool
) -> None:
    place = server.add(Script(REPORT, faults=[fault._replace(how=how)], gzip=gzip))
    seen = b""
    patience, error = SEEN[how]
    timeout = httpx.Timeout(5, read=patience)
    with (
        connected(server.url, timeout=timeout) as client,
        pytest.raises(error) if error else nullcontext(),
        client.stream(**create(place)) as response,
    ):
        for chunk in response.iter_bytes():
            seen += chunk
    assert restored(seen, place, REPORT[0]) == left
    assert server.sent(place) == len(left)
    server.wait_idle()


def test_a_later_leg_fails(server: Server, client: httpx.Client) -> None:
    legs = OWN["three-legs"]
    place = server.add(Script(legs, faults=[Fault(1, frames=0)]))
    client.request(**create(place))
    with pytest.raises(httpx.RemoteProtocolError):
        submit(client, place)
    assert run_of(client, place)["status"] == "requires_action"
    assert restored(submit(client, place).content, place, legs[0]) == legs[2]


def test_after_a_cut_the_run_goes_on(server: Server, client: httpx.Client) -> None:
    place = server.add(Script(REPORT, faults=[Fault(frames=50, how="end")], busy_polls=3))
    client.request(**create(place))
    (end, *_) = recorded(REPORT)
    looks = [shown(client, place) for _ in range(4)]
    assert [run["status"] for run, *_ in looks] == ["in_progress"] * 3 + [end["status"]]
    cut = json.loads(json.dumps(looks[0][1]))
    code = [step["step_details"]["tool_calls"][0]["code_interpreter"] for _, step, *_ in looks]
    assert cut["step_details"]["tool_calls"][0].keys() == {"id", "type", "code_interpreter"}
    assert all(code[3]["input"].startswith(each["input"]) for each in code)
    assert sorted(len(each["input"]) for each in code) == [len(each["input"]) for each in code]
    assert 0 < len(code[0]["input"]) < len(code[2]["input"])
    assert code[0]["outputs"] == []


def test_a_lingering_stream_ends_when_the_client_leaves(
    server: Server, client: httpx.Client
) -> None:
    place = server.add(Script(REPORT, linger=True))
    seen = b""
    with client.stream(**create(place)) as response:
        chunks = response.iter_bytes()
        while not seen.endswith(b"[DONE]\n\n"):
            seen += next(chunks)
        assert server.open_streams == 1
    server.wait_idle()
    assert run_of(client, place)["status"] == "completed"


# Runs without a stream, and what else can be done with them


def test_runs_without_a_stream(server: Server, client: httpx.Client) -> None:
    legs = OWN["parallel-functions"]
    place = server.add(Script(legs, busy_polls=1))
    created = client.request(**create(place, stream=False, metadata={"a": "1"})).json()
    url = url_of(client, place)
    seen = [created, client.get(url).json(), client.get(url).json()]
    seen.append(submit(client, place, stream=False).json())
    seen += [client.get(url).json(), client.get(url).json()]
    assert [run["status"] for run in seen] == [
        "queued", "in_progress", "requires_action", "queued", "in_progress", "completed",
    ]  # fmt: skip
    assert all(run["metadata"] == {"a": "1"} for run in seen)
    assert all(run["thread_id"] == place.thread_id for run in seen)


def test_metadata_are_merged(server: Server, client: httpx.Client) -> None:
    place = server.add(Script(REPORT), older_runs=[{"id": "run_0", "status": "failed"}])
    client.request(**create(place, metadata={"a": "1", "b": "2"}))
    for url in (url_of(client, place), f"/threads/{place.thread_id}/runs/run_0"):
        client.post(url, json={"metadata": {"b": "2"}})
        assert client.post(url, json={"metadata": {"b": "3"}}).json()["metadata"]["b"] == "3"
        assert client.get(url).json()["metadata"]["b"] == "3"
    assert run_of(client, place)["metadata"] == {"a": "1", "b": "3"}


def test_a_waiting_run_is_cancelled(server: Server, client: httpx.Client) -> None:
    place = server.add(Script(OWN["three-legs"]))
    client.request(**create(place))
    url = url_of(client, place)
    assert client.post(f"{url}/cancel").json()["status"] == "cancelling"
    assert [each["status"] for each in shown(client, place)] == ["cancelled", "cancelled"]
    refusal = client.post(f"{url}/cancel")
    assert refusal.status_code == 400
    assert refusal.json()["error"]["message"] == "Cannot cancel run with status 'cancelled'."


def test_a_stream_ends_when_its_run_is_cancelled(server: Server, client: httpx.Client) -> None:
    place = server.add(Script(REPORT, faults=[Fault(frames=300, how="stall")], busy_polls=1))
    seen = b""
    with client.stream(**create(place)) as response:
        for chunk in response.iter_bytes():
            seen += chunk
            if seen.endswith(b"\n\n") and seen.count(b"event: ") == 300:
                client.post(f"{url_of(client, place)}/cancel")
    names = [name for name, _ in read(seen)][300:]
    assert names == [
        "thread.run.cancelling",
        "thread.message.incomplete",
        "thread.run.step.cancelled",
        "thread.run.cancelled",
        "done",
    ]
    assert shown(client, place)[0]["status"] == "cancelled"


def test_the_passages_of_a_search_come_on_demand(server: Server, client: httpx.Client) -> None:
    place = server.add(Script(OWN["file-search"]))
    client.request(**create(place))
    url = f"{url_of(client, place)}/steps"
    _, step = client.get(url).json()["data"]
    for query, has_content in (({}, False), ({"include[]": CONTENT}, True)):
        whole = client.get(f"{url}/{step['id']}", params=query).json()
        (call,) = whole["step_details"]["tool_calls"]
        assert all(("content" in each) is has_content for each in call["file_search"]["results"])


def test_files(server: Server, client: httpx.Client) -> None:
    place = server.add(Script(REPORT, files={"file-1": b"\x89PNG"}))
    assert client.get("/files/file-1/content").content == b"\x89PNG"
    assert client.get("/files/file-0/content").status_code == 404
    assert [each.operation for each in server.requests(place)] == ["file"]


OLDER = [{"id": f"run_{n}", "status": "completed", "created_at": n} for n in range(5)]


@pytest.mark.parametrize(("query", "ids", "has_more"), [
    ("", "43210", False),
    ("limit=2", "43", True),
    ("limit=2&after=run_3", "21", True),
    ("limit=2&after=run_1", "0", False),
    ("order=asc&limit=5", "01234", False),
    ("order=asc&before=run_3&limit=2", "12", True),
    ("before=run_2", "43", False),
    ("after=run_0", "", False),
])  # fmt: skip
def test_pages(
    server: Server, client: httpx.Client, *, query: str, ids: str, has_more: bool
) -> None:
    place = server.add(Script(REPORT), older_runs=OLDER)
    page = client.get(f"/threads/{place.thread_id}/runs?{query}").json()
    assert "".join(run["id"][-1] for run in page.pop("data")) == ids
    first, last = (f"run_{ids[0]}", f"run_{ids[-1]}") if ids else (None, None)
    assert page == {"object": "list", "first_id": first, "last_id": last, "has_more": has_more}


# Requests and refusals


def test_requests_are_noted(server: Server, client: httpx.Client) -> None:
    place = server.add(Script(REPORT))
    client.request(**create(place), params=[("include[]", "a"), ("include[]", "b")])
    (noted,) = server.requests(place)
    assert noted == Request(
        "create",
        "POST",
        f"/v1/threads/{place.thread_id}/runs",
        [("include[]", "a"), ("include[]", "b")],
        noted.headers,
        {"assistant_id": place.assistant_id, "stream": True},
    )
    assert noted.headers["openai-beta"] == "assistants=v2"


def test_answers_come_first(server: Server, client: httpx.Client) -> None:
    slow = Answer(429, FAILURE, {"retry-after": "0", "x-request-id": "mine"})
    answers = [slow, Answer(abort=True), Answer(502, b"<html>", {"content-type": "text/html"})]
    place = server.add(Script(REPORT, answers={"create": answers}))
    response = client.request(**create(place))
    assert (response.status_code, response.json()) == (429, FAILURE)
    assert (response.headers["retry-after"], response.headers["x-request-id"]) == ("0", "mine")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        client.request(**create(place))
    response = client.request(**create(place))
    assert (response.content, response.headers["content-type"]) == (b"<html>", "text/html")
    assert client.get(f"/threads/{place.thread_id}/runs").json()["data"] == []
    assert client.request(**create(place)).content.endswith(b"[DONE]\n\n")
    assert [each.operation for each in server.requests(place)] == [
        "create", "create", "create", "list", "create",
    ]  # fmt: skip


def test_the_answer_alone_may_be_lost(server: Server, client: httpx.Client) -> None:
    legs = OWN["parallel-functions"]
    lost: Answers = {"submit": [Answer(abort=True, effect=True)]}
    place = server.add(Script(legs, answers=lost, busy_polls=1))
    client.request(**create(place))
    waiting = run_of(client, place)
    with pytest.raises(httpx.RemoteProtocolError):
        submit(client, place)
    url = f"{url_of(client, place)}/submit_tool_outputs"
    again = client.post(url, json=outputs(waiting))
    assert again.status_code == 400
    assert again.json()["error"]["message"] == (
        'Runs in status "in_progress" do not accept tool outputs.'
    )
    assert [shown(client, place)[0]["status"] for _ in range(2)] == ["in_progress", "completed"]


@pytest.mark.parametrize("given", ["", "call_y70DxPNotARealIdDEcpSR1O call_0"])
def test_outputs_must_be_those_that_are_waited_for(
    server: Server, client: httpx.Client, given: str
) -> None:
    place = server.add(Script(OWN["three-legs"]))
    client.request(**create(place))
    body = {"tool_outputs": [{"tool_call_id": id, "output": ""} for id in given.split()]}
    refusal = client.post(f"{url_of(client, place)}/submit_tool_outputs", json=body)
    assert refusal.status_code == 400
    assert refusal.json()["error"]["message"] == (
        f"Expected tool outputs for call_ids ['call_y70DxPNotARealIdDEcpSR1O'], "
        f"got {given.split()}"
    )


@pytest.mark.parametrize(("method", "path", "headers", "status", "message"), [
    ("GET", "/v1/threads/thread_0/runs", BETA, 404, "No thread found with id 'thread_0'."),
    ("POST", "/v1/threads/runs", BETA, 400, "Missing required parameter: 'assistant_id'."),
    ("GET", "/v1/threads/{}/runs/run_0", BETA, 404, "No run found with id 'run_0'."),
    ("GET", "/v1/threads/{}/runs?limit=0", BETA, 400, "Invalid 'limit'"),
    ("GET", "/v1/threads/{}/runs?order=up", BETA, 400, "Invalid 'order'"),
    ("GET", "/v1/threads/{}/runs?after=run_0", BETA, 400, "Invalid 'after'"),
    ("POST", "/v1/threads/{}/runs", BETA, 400, "Missing required parameter: 'assistant_id'."),
    ("GET", "/v1/threads/{}/runs", {}, 400, "You must provide the 'OpenAI-Beta' header"),
    ("GET", "/v1/nothing", BETA, 404, "Invalid URL (GET /v1/nothing)"),
    ("PUT", "/v1/threads/runs", BETA, 405, "Invalid URL (PUT /v1/threads/runs)"),
    ("GET", "/openai/threads/{}/runs", AZURE, 404, "Resource not found"),
    ("GET", "/openai/threads/{}/runs?api-version=1", {}, 401, "Access denied"),
    ("GET", "/openai/threads/{}/runs?api-version=1", AZURE, 200, ""),
])  # fmt: skip
def test_refusals(
    server: Server, *, method: str, path: str, headers: dict[str, str], status: int, message: str
) -> None:
    thread = server.add(Script(REPORT)).thread_id
    with connected(server.origin, headers) as client:
        response = client.request(method, path.format(thread))
    error = response.json().get("error", {"message": ""})
    assert (response.status_code, error["message"].startswith(message)) == (status, True)
    assert status == 200 or error.keys() == {"message", "type", "param", "code"}


@pytest.mark.parametrize(("url", "headers", "status"), [
    ("/v1", {}, 401),
    ("/v1", {"authorization": "Bearer wrong"}, 401),
    ("/v1", {"authorization": "Bearer right"}, 200),
    ("/openai", {"api-key": "wrong"}, 401),
    ("/openai", {"api-key": "right"}, 200),
])  # fmt: skip
def test_a_key_may_be_wanted(url: str, headers: dict[str, str], status: int) -> None:
    with serve(require_key="right") as server, connected(server.origin, headers | BETA) as client:
        thread = server.add(Script(REPORT)).thread_id
        path = f"{url}/threads/{thread}/runs?api-version=1"
        assert client.get(path).status_code == status


# The server as a whole


def test_the_server_ends_at_once_and_leaves_nothing(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    before = threading.active_count()
    caplog.set_level(logging.DEBUG)
    with connected("http://server") as client:
        with serve() as server:
            client.base_url = httpx.URL(server.url)
            with pytest.raises(httpx.RemoteProtocolError):
                client.request(**create(server.add(Script(REPORT, faults=[Fault(frames=1)]))))
            server.wait_idle()
            place = server.add(Script(REPORT, faults=[Fault(frames=3, how="stall")]))
            response = client.send(client.build_request(**create(place)), stream=True)
            assert server.open_streams == 1
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            response.read()
        with pytest.raises(httpx.ConnectError):
            client.get("/threads/thread_0/runs")
    assert threading.active_count() == before
    assert not [each for each in caplog.records if each.name.startswith("uvicorn")]
    assert capfd.readouterr() == ("", "")
