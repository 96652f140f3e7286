"""Whatever is asked gets an answer, or a refusal in the shape and the words of the API."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import quote, unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit import Frame
from streamkit.testing.building import code_interpreter, function_call, image, message, script
from streamkit.testing.exploding import explode
from streamkit.testing.transports import MockTransport
from tests.asking import FORMS, OUTPUTS, Form, ask, create, on_every_form
from tests.recorded import OWN

PLAIN: Final = Form(httpx, None)
RUN: Final = script(
    message("Hm."), code_interpreter("", image("file-1")), function_call("f", {}, id="call_2")
)
RUNS: Final = "/threads/thread_1/runs"


def refused(heard: Any) -> tuple[int, str, str | None, str | None]:
    assert heard.headers["content-type"] == "application/json"
    body = heard.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"message", "type", "param", "code"}
    kind = "server_error" if heard.status == 500 else "invalid_request_error"
    assert body["error"]["type"] == kind
    return heard.status, body["error"]["message"], body["error"]["param"], body["error"]["code"]


MISSING: Final = "missing_required_parameter"
NOT_JSON: Final = "We could not parse the JSON body of your request."


@pytest.mark.parametrize(
    ("method", "url", "body", "status", "message", "param", "code"),
    [
        ("GET", "/nothing", None, 404, "Invalid URL (GET /v1/nothing)", None, None),
        ("POST", "/nothing", {}, 404, "Invalid URL (POST /v1/nothing)", None, None),
        ("POST", "/assistants", {}, 404, "Invalid URL (POST /v1/assistants)", None, None),
        ("DELETE", RUNS, None, 405, f"Invalid URL (DELETE /v1{RUNS})", None, None),
        ("PURGE", RUNS, None, 405, f"Invalid URL (PURGE /v1{RUNS})", None, None),
        ("POST", RUNS, b"{", 400, NOT_JSON, None, None),
        ("POST", RUNS, b"[" * 100_000, 400, NOT_JSON, None, None),
        ("POST", RUNS, b'{"a":' * 500 + b"1" + b"}" * 500, 400, NOT_JSON, None, None),
        ("POST", RUNS, [], 400, NOT_JSON, None, None),
        ("POST", RUNS, "text", 400, NOT_JSON, None, None),
        ("POST", RUNS, None, 400, "Missing required parameter: 'assistant_id'.", "assistant_id",
         MISSING),
        ("POST", RUNS, {"assistant_id": ""}, 400, "Missing required parameter: 'assistant_id'.",
         "assistant_id", MISSING),
        ("POST", RUNS, {"assistant_id": ["a"]}, 400, ("Invalid type for 'assistant_id': "
         "expected a string, but got an array instead."), "assistant_id", "invalid_type"),
        ("POST", RUNS, {"assistant_id": "a", "model": {}}, 400, ("Invalid type for 'model': "
         "expected a string, but got an object instead."), "model", "invalid_type"),
        ("POST", RUNS, {"assistant_id": "a", "metadata": 1.5}, 400, ("Invalid type for 'metadata':"
         " expected an object, but got a decimal instead."), "metadata", "invalid_type"),
        ("POST", RUNS, {"assistant_id": "a" * 257}, 400,
         ("Invalid 'assistant_id': string too long."
         " Expected a string with maximum length 256, but got a string with length 257 instead."),
         "assistant_id", "string_above_max_length"),
        ("POST", f"/threads/{'t' * 9999}/runs", {"assistant_id": "a"}, 400,
         ("Invalid 'thread_id': "
         "string too long. Expected a string with maximum length 256, but got a string with length"
         " 9999 instead."), "thread_id", "string_above_max_length"),
        ("POST", "/threads/runs", {"assistant_id": "a", "thread": {"messages": [None]}}, 400,
         "Invalid type for 'thread.messages[0]': expected an object, but got null instead.",
         "thread.messages[0]", "invalid_type"),
        ("POST", RUNS, {"assistant_id": "a", "additional_messages": True}, 400,
         ("Invalid type for "
         "'additional_messages': expected an array, but got a boolean instead."),
         "additional_messages", "invalid_type"),
        ("POST", "/threads", {"messages": [{"role": "user"}]}, 400,
         "Missing required parameter: 'messages[0].content'.", "messages[0].content", None),
        ("POST", "/threads", {"messages": [{"content": [3]}]}, 400, ("Invalid type for "
         "'messages[0].content[0]': expected an object, but got an integer instead."),
         "messages[0].content[0]", "invalid_type"),
        ("POST", "/threads/thread_1/messages", {"content": 7}, 400, ("Invalid type for 'content': "
         "expected an array, but got an integer instead."), "content", "invalid_type"),
        ("POST", "/threads/thread_1/messages", {}, 400, "Missing required parameter: 'content'.",
         "content", None),
        ("POST", "/threads/thread_9/messages", {"content": "a"}, 404,
         "No thread found with id 'thread_9'.", None, None),
        ("GET", "/threads/thread_9", None, 404, "No thread found with id 'thread_9'.", None, None),
        ("GET", f"{RUNS}/run_9", None, 404, "No run found with id 'run_9'.", None, None),
        ("GET", f"{RUNS}/run_1/steps/step_9", None, 404, "No run step found with id 'step_9'.",
         None, None),
        ("GET", "/threads/thread_1/messages/msg_9", None, 404,
         "No message found with id 'msg_9'.", None, None),
        ("POST", OUTPUTS, {"tool_outputs": {}}, 400,
         ("Invalid type for 'tool_outputs': expected an"
         " array, but got an object instead."), "tool_outputs", "invalid_type"),
        ("POST", OUTPUTS, {"tool_outputs": ["a"]}, 400, ("Invalid type for 'tool_outputs[0]': "
         "expected an object, but got a string instead."), "tool_outputs[0]", "invalid_type"),
        ("POST", OUTPUTS, {"tool_outputs": []}, 400,
         "Expected tool outputs for call_ids ['call_2'], got []", None, None),
        ("POST", OUTPUTS, {"tool_outputs": [{"tool_call_id": {"a": 1}}]}, 400,
         "Expected tool outputs for call_ids ['call_2'], got [{'a': 1}]", None, None),
        ("POST", OUTPUTS, {"tool_outputs": [{"tool_call_id": "call_2"}]}, 500,
         "What is served has no further leg: record or write down what comes next.", None, None),
        ("GET", f"{RUNS}?limit=0", None, 400,
         "Invalid 'limit': expected an integer from 1 to 100, got '0'.", "limit", None),
        ("GET", f"{RUNS}?limit=%D9%A1", None, 400,
         "Invalid 'limit': expected an integer from 1 to 100, got '\u0661'.", "limit", None),
        ("GET", f"{RUNS}?limit={'9' * 5000}", None, 400,
         f"Invalid 'limit': expected an integer from 1 to 100, got '{'9' * 5000}'.",
         "limit", None),
        ("GET", f"{RUNS}?order=up", None, 400,
         "Invalid 'order': expected 'asc' or 'desc', got 'up'.", "order", None),
        ("GET", f"{RUNS}?after=run_9", None, 400,
         "Invalid 'after': no object with id 'run_9' in this list.", "after", None),
        ("GET", "/files/file-9/content", None, 404, "No such File object: file-9", "id", None),
    ],
)  # fmt: skip
def test_refusals(
    *, method: str, url: str, body: Any, status: int, message: str, param: Any, code: Any
) -> None:
    transport = MockTransport(RUN)
    ask(PLAIN, transport, **create())
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    for form in FORMS[::3]:
        heard = ask(form, transport, method, url, content=content)
        assert refused(heard) == (status, message, param, code)


def test_a_refused_request_has_no_effect() -> None:
    transport = MockTransport(RUN)
    spoiled = {"additional_messages": [{"content": "Hm?"}, {}], "assistant_id": "asst_1"}
    assert ask(PLAIN, transport, "POST", RUNS, json=spoiled).status == 400
    assert ask(PLAIN, transport, url="/threads/thread_1").status == 404


@on_every_form
def test_what_has_no_run_in_it(form: Form) -> None:
    stream = b'event: response.created\ndata: {"type":"response.created"}\n\n'
    transport = MockTransport(stream)
    assert ask(form, transport, **create()).body == stream
    heard = ask(form, transport, **create(stream=False))
    assert refused(heard)[:2] == (
        500,
        "What is served has no run in it, so it can be streamed only.",
    )
    assert ask(form, transport, url=RUNS).json()["data"] == []
    assert refused(ask(form, transport, url=f"{RUNS}/None"))[0] == 404


@pytest.mark.parametrize("name", ["error", "cut", "litellm", "crlf"])
def test_what_is_odd_can_be_asked_for(name: str) -> None:
    transport = MockTransport(OWN[name])
    ask(PLAIN, transport, **create())
    runs = ask(PLAIN, transport, url=RUNS).json()["data"]
    for run in runs:
        url = f"{RUNS}/{run['id']}"
        assert ask(PLAIN, transport, url=url).json() == run
        assert ask(PLAIN, transport, url=f"{url}/steps").status == 200
        assert ask(PLAIN, transport, "POST", f"{url}/cancel").status in (200, 400)


# Every page of a list


def test_pages_of_steps() -> None:
    run = script(*(code_interpreter(f"{n}") for n in range(25)))
    transport = MockTransport(run)
    ask(PLAIN, transport, **create())
    for order, ids in (("asc", range(1, 26)), ("desc", range(25, 0, -1))):
        found: list[str] = []
        page: dict[str, Any] = {"has_more": True}
        while page["has_more"]:
            params = {"order": order, "limit": 10, **({"after": found[-1]} if found else {})}
            page = ask(PLAIN, transport, url=f"{RUNS}/run_1/steps", params=params).json()
            assert page["object"] == "list"
            got = [each["id"] for each in page["data"]]
            assert (page["first_id"], page["last_id"]) == (got[0], got[-1])
            found += got
        assert found == [f"step_{n}" for n in ids]


# Paths


@pytest.mark.parametrize(
    "id",
    [
        "..%2F..%2Fetc%2Fpasswd",
        "%2Fetc%2Fpasswd",
        "..%5C..%5Ctests",
        "%00",
        "~",
        "..%2Fsecret.png",
    ],
)
def test_no_path_is_opened_on_request(id: str, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    given = tmp_path / "given" / "chart.png"
    given.parent.mkdir()
    given.write_bytes(b"given")
    transport = MockTransport(RUN, files={"chart": given})
    assert refused(ask(PLAIN, transport, url=f"/files/{id}/content"))[0] == 404
    assert ask(PLAIN, transport, url="/files/chart/content").body == b"given"


@pytest.mark.parametrize(
    "id", ["a%2Fb", "runs", "threads", "%22%5C%0A", "%F0%9D%84%9E", "%ED%A0%80"]
)
def test_odd_ids_in_paths(id: str) -> None:
    transport = MockTransport(RUN)
    first = ask(PLAIN, transport, **create(thread=id))
    assert first.status == 200
    assert ask(PLAIN, transport, url=f"/threads/{id}").json()["id"] == unquote(id)
    (run,) = ask(PLAIN, transport, url=f"/threads/{id}/runs").json()["data"]
    assert ask(PLAIN, transport, url=f"/threads/{id}/runs/run_1").json() == run
    frames = first.body.split(b"\n\n")
    assert json.loads(frames[0].split(b"data: ")[1])["thread_id"] == run["thread_id"]


# Anything at all


SCALARS: Final = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES: Final = st.recursive(
    SCALARS | st.sampled_from(["asst_1", "call_2", "run_1", "msg_1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS: Final = st.sampled_from([
    "assistant_id", "model", "metadata", "stream", "thread", "messages", "additional_messages",
    "content", "role", "text", "tool_outputs", "tool_approvals", "attachments",
])  # fmt: skip
BODIES: Final = st.dictionaries(
    FIELDS,
    VALUES
    | st.dictionaries(FIELDS, VALUES, max_size=3)
    | st.lists(st.dictionaries(FIELDS | st.just("tool_call_id"), VALUES, max_size=3), max_size=2),
    max_size=5,
)
WORDS: Final = st.text(max_size=3) | st.sampled_from([
    "threads", "thread_1", "runs", "run_1", "steps", "step_1", "messages", "msg_1", "cancel",
    "submit_tool_outputs", "files", "file-1", "content", "%2F", "%ff", "..",
])  # fmt: skip
OPERATIONS: Final = st.sampled_from([
    "threads", "threads/runs", "threads/thread_1", "threads/thread_1/runs",
    "threads/thread_1/runs/run_1", "threads/thread_1/runs/run_1/submit_tool_outputs",
    "threads/thread_1/runs/run_1/cancel", "threads/thread_1/runs/run_1/steps",
    "threads/thread_1/messages", "files/file-1/content",
])  # fmt: skip
PATHS: Final = OPERATIONS | st.lists(WORDS, max_size=6).map("/".join)
QUERIES: Final = st.dictionaries(
    st.sampled_from(["limit", "order", "after", "before", "run_id", "include[]", "x"]),
    st.text(max_size=3)
    | st.sampled_from(["1", "100", "-1", "", "asc", "run_1", "step_1", "\u0661"]),
    max_size=3,
)


@given(
    st.lists(
        st.tuples(st.sampled_from(["GET", "POST", "PUT"]), PATHS, QUERIES, BODIES | st.binary()),
        max_size=4,
    )
)
def test_whatever_is_asked_is_answered(asked: list[tuple[str, str, dict[str, str], Any]]) -> None:
    transport = MockTransport(RUN)
    ask(PLAIN, transport, **create())
    for method, path, query, body in asked:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"http://api.test/v1/{quote(path, safe='/%', errors='surrogatepass')}"
        heard = ask(PLAIN, transport, method, url, params=query, content=content)
        if heard.status != 200:
            assert refused(heard)[0] in (400, 404, 405, 500)
        elif heard.headers["content-type"] == "application/json":
            heard.json()


# Anything that was recorded


def spoiled(value: Any, values: list[Any], random: Random) -> Any:
    """Give a value with some parts of it replaced by others."""
    if random.random() < 0.1:
        return random.choice(values)
    if isinstance(value, dict):
        return {name: spoiled(each, values, random) for name, each in value.items()}
    return [spoiled(each, values, random) for each in value] if isinstance(value, list) else value


@given(st.lists(VALUES, min_size=1, max_size=5), st.integers())
def test_whatever_was_recorded_can_be_asked_for(values: list[Any], seed: int) -> None:
    random = Random(seed)
    frames = [
        Frame(frame.event, json.dumps(spoiled(json.loads(frame.data), values, random)).encode())
        for frame in explode(RUN)
        if frame.data.startswith(b"{")
    ]
    transport = MockTransport(frames)
    assert ask(PLAIN, transport, **create()).status == 200
    for run in ask(PLAIN, transport, url=RUNS).json()["data"]:
        url = f"{RUNS}/{quote(run['id'], safe='')}"
        steps = ask(PLAIN, transport, url=f"{url}/steps").json()
        for step in steps.get("data", []):
            assert ask(PLAIN, transport, url=f"{url}/steps/{quote(step['id'], safe='')}").chunks
        outputs = {"tool_outputs": [{"tool_call_id": "call_2"}]}
        for ending, body in (("submit_tool_outputs", outputs), ("cancel", {}), ("", {})):
            heard = ask(PLAIN, transport, "POST", f"{url}/{ending}", json=body)
            assert heard.status == 200 or refused(heard)[0] in (400, 404, 405, 500)
    assert ask(PLAIN, transport, url="/threads/thread_1/messages").status == 200
    assert ask(PLAIN, transport, url="/files/file-1/content").status in (200, 404)
