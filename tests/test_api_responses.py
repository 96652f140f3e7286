"""Responses are created, gone on with and asked for again, as the API has it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import anyio
import httpx
import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

from streamkit import (
    ArgumentsAppended,
    CodeAppended,
    FrameDecoder,
    ImageAdded,
    LogAppended,
    RunSnapshot,
    TextAppended,
    UsageError,
    aaccumulate,
    accumulate,
)
from streamkit.convert import to_response_items
from streamkit.recording import Chunk, Leg, Recording, areplay, replay, scrub
from streamkit.recording.transports import RecordingTransport
from streamkit.server import serve
from streamkit.testing.api.pictures import picture
from streamkit.testing.building import (
    code_interpreter,
    function_call,
    image,
    logs,
    message,
    script,
    step,
)
from streamkit.testing.exploding import explode, legs_of
from streamkit.testing.faults import (
    Corrupt,
    Crlf,
    Cut,
    Drop,
    Duplicate,
    ErrorEvent,
    Fault,
    Keepalives,
    Reorder,
    Split,
    Status,
)
from streamkit.testing.streams import Stream
from streamkit.testing.transports import MockTransport
from tests.asking import Form, Heard, ask, on_every_form
from tests.own import OWN
from tests.recorded import RESPONSES, every

RUN: Final = script(
    code_interpreter("print(1)", logs("1\n"), image("file-1")),
    function_call("f", {"a": 1}, output="x"),
    message("done"),
)
# How many events its first response has.
SIZE: Final = len(legs_of(explode(RUN, dialect="responses"))[0])
PLAIN: Final = Form(httpx, None)
NO_NETWORK: Final = "http://api.test/v1"


def url(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def create(**fields: Any) -> dict[str, Any]:
    """The arguments of a request that creates a response."""
    body = {"model": "gpt-4o", "input": "hi", "stream": True, **fields}
    return {"method": "POST", "url": "/responses", "json": body}


def answer(previous: str = "", *outputs: str, **fields: Any) -> dict[str, Any]:
    """The arguments of a request that goes on with one."""
    given = [{"type": "function_call_output", "call_id": id, "output": "x"} for id in outputs]
    return create(input=given or "and?", previous_response_id=previous or None, **fields)


def again(id: str, after: int | str | None = None) -> dict[str, Any]:
    """The arguments of a request for the rest of a stream."""
    query = {"stream": "true"} | ({} if after is None else {"starting_after": str(after)})
    return {"url": f"/responses/{id}", "params": query}


def said(heard: Heard) -> list[Any]:
    return [json.loads(frame.data) for frame in FrameDecoder().feed(heard.body)]


def refusal(heard: Heard) -> tuple[Any, ...]:
    error = heard.json()["error"]
    assert [*error] == ["message", "type", "param", "code"]
    return heard.status, error["message"], error["param"], error["code"]


# From the first response to the last


@on_every_form
def test_a_script_is_played_response_by_response(form: Form) -> None:
    transport = MockTransport(RUN)
    first = ask(form, transport, **create())
    assert first.status == 200
    assert first.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "x-request-id" in first.headers
    last = ask(form, transport, **answer("resp_1_1", "call_2"))
    wanted = [*to_response_items(RUN, image_url=lambda _: url(picture("file-1")))]
    items = [*to_response_items(accumulate([first.body, last.body]))]
    assert [each["type"] for each in items] == [
        "code_interpreter_call",
        "function_call",
        "message",
    ]
    assert items[0] == wanted[0]
    assert items[2] == wanted[3]
    for id, heard in (("resp_1_1", first), ("resp_1", last)):
        whole = ask(form, transport, url=f"/responses/{id}").json()
        assert whole == said(heard)[-1]["response"]
    assert [each.operation for each in transport.requests] == [
        "create_response", "create_response", "retrieve_response", "retrieve_response",
    ]  # fmt: skip


@pytest.mark.parametrize("name", every(RESPONSES))
def test_a_recording_is_played_as_it_is(name: str) -> None:
    transport = MockTransport(RESPONSES[name][0])
    heard = ask(PLAIN, transport, **create())
    assert heard.body == RESPONSES[name][0]
    run = accumulate(heard.body)
    assert run.run
    whole = ask(PLAIN, transport, url=f"/responses/{run.run.id}").json()
    assert whole["output"] == [*to_response_items(run)]
    assert whole["status"] == run.run.status


def test_without_a_stream() -> None:
    transport = MockTransport(RUN)
    first = ask(PLAIN, transport, **create(stream=False)).json()
    assert (first["status"], len(first["output"])) == ("completed", 2)
    last = ask(PLAIN, transport, **answer("resp_1_1", "call_2", stream=False)).json()
    assert (last["status"], last["previous_response_id"]) == ("completed", "resp_1_1")
    assert last == ask(PLAIN, transport, url="/responses/resp_1").json()


def test_in_the_background() -> None:
    transport = MockTransport(RUN)
    now = ask(PLAIN, transport, **create(stream=False, background=True)).json()
    assert (now["status"], now["output"], now["background"]) == ("in_progress", [], True)
    now = ask(PLAIN, transport, url="/responses/resp_1_1").json()
    assert (now["status"], len(now["output"]), now["background"]) == ("completed", 2, True)


def test_what_was_streamed_is_what_a_response_is() -> None:
    transport = MockTransport(RUN)
    events: list[Any] = []
    with (
        httpx.Client(base_url=NO_NETWORK, transport=transport) as client,
        client.stream(**create(background=True)) as response,
    ):
        for chunk in response.iter_bytes():
            events.append(json.loads(FrameDecoder().feed(chunk)[0].data))
            now = client.get("/responses/resp_1_1").json()
            assert now["status"] == events[-1].get("response", {"status": "in_progress"})["status"]
            places = [each["output_index"] for each in events if "output_index" in each]
            assert len(now["output"]) == len({*places})
            code = "".join(each["delta"] for each in events if each["type"].endswith("code.delta"))
            assert not now["output"] or now["output"][0]["code"] == code
    assert now["status"] == "completed"


def test_metadata_is_what_was_given() -> None:
    transport = MockTransport(RUN)
    ask(PLAIN, transport, **create(metadata={"a": "b"}))
    assert ask(PLAIN, transport, url="/responses/resp_1_1").json()["metadata"] == {"a": "b"}


def test_it_goes_on_by_the_calls_that_are_answered() -> None:
    """Whoever stores nothing sends all there was."""
    transport = MockTransport(RUN, script("another"))
    ask(PLAIN, transport, **create())
    calls = [{"type": "function_call", "call_id": "call_2", "name": "f", "arguments": "{}"}]
    outputs = [{"type": "function_call_output", "call_id": "call_2", "output": "x"}]
    heard = ask(PLAIN, transport, **create(input=[{"role": "user"}, *calls, *outputs]))
    assert said(heard)[-1]["response"]["id"] == "resp_1"


def test_all_calls_of_a_step_are_answered_at_once() -> None:
    run = script(step(function_call("f", output="1"), function_call("g", output="2")), "so")
    transport = MockTransport(run)
    ask(PLAIN, transport, **create())
    assert refusal(ask(PLAIN, transport, **answer("resp_1_1", "call_1")))[:2] == (
        400, "No tool output found for function call call_2.",
    )  # fmt: skip
    heard = ask(PLAIN, transport, **answer("resp_1_1", "call_1", "call_2"))
    assert said(heard)[-1]["response"]["id"] == "resp_1"


# Asked for again


def test_the_rest_of_a_stream() -> None:
    transport = MockTransport(RUN)
    whole = said(ask(PLAIN, transport, **create(background=True)))
    for number in range(-1, len(whole)):
        rest = said(ask(PLAIN, transport, **again("resp_1_1", number)))
        assert rest == whole[number + 1 :]
    assert said(ask(PLAIN, transport, **again("resp_1_1"))) == whole
    ask(PLAIN, transport, **answer("resp_1_1", "call_2", background=True))
    assert said(ask(PLAIN, transport, **again("resp_1_1", 3))) == whole[4:]  # still


def test_the_rest_of_a_stream_that_was_left() -> None:
    transport = MockTransport(RUN)
    with (
        httpx.Client(base_url=NO_NETWORK, transport=transport) as client,
        client.stream(**create(background=True)) as response,
    ):
        chunks = response.iter_bytes()
        events = [json.loads(FrameDecoder().feed(next(chunks))[0].data) for _ in range(5)]
    rest = said(ask(PLAIN, transport, **again("resp_1_1", 4)))
    assert [each["sequence_number"] for each in (*events, *rest)] == [*range(SIZE)]


def test_each_client_has_its_own_place() -> None:
    transport = MockTransport(RUN)
    with httpx.Client(base_url=NO_NETWORK, transport=transport) as client:
        with client.stream(**create(background=True)) as one:
            first = one.iter_bytes()
            begun = [next(first) for _ in range(4)]
            with client.stream(**create(background=True)) as other:
                whole = other.read()
            assert b"".join([*begun, *first]) == whole
            heard = ask(PLAIN, transport, **again("resp_1_1", 9))
            assert whole.endswith(heard.body)
            assert len(said(heard)) == SIZE - 10
        last = client.request(**answer("resp_1_1", "call_2"))
        assert last.content == client.request(**answer("resp_1_1", "call_2")).content


def test_a_recording_of_a_stream_that_was_resumed_is_one_response() -> None:
    (leg,) = legs_of(explode(script("done and over"), dialect="responses"))
    whole = b"".join(chunk.data for chunk in Stream(leg).recording.legs[0].chunks)
    for cut in range(0, len(whole), 97):
        start = whole.rfind(b"\n\n", 0, cut) + 2 if b"\n\n" in whole[:cut] else 0
        legs = [Leg(chunks=[Chunk(whole[:cut])], error="gone"), Leg(chunks=[Chunk(whole[start:])])]
        heard = ask(PLAIN, MockTransport(Recording(legs=legs)), **create())
        assert (heard.body, heard.error) == (whole, None)


# What is refused


REFUSED: Final[dict[str, tuple[dict[str, Any], tuple[Any, ...]]]] = {
    "unknown": (
        {"url": "/responses/resp_9"},
        (404, "Response with id 'resp_9' not found.", None, None),
    ),
    "unknown, streamed": (
        again("resp_9", 1),
        (404, "Response with id 'resp_9' not found.", None, None),
    ),
    "no number": (
        again("resp_1_1", "soon"),
        (400, "Invalid type for 'starting_after': expected an integer, but got 'soon'.",
         "starting_after", "invalid_type"),
    ),
    "not in the background": (
        again("resp_1_1", 1),
        (400, "This response cannot be streamed because it was not created with background=true.",
         "stream", None),
    ),
    "unknown before": (
        answer("resp_9", "call_2"),
        (400, "Previous response with id 'resp_9' not found.", "previous_response_id",
         "previous_response_not_found"),
    ),
    "no output": (
        answer("resp_1_1"),
        (400, "No tool output found for function call call_2.", "input", None),
    ),
    "another output": (
        answer("resp_1_1", "call_2", "call_9"),
        (400, "No tool call found for function call output with call_id call_9.", "input", None),
    ),
    "an output of nothing": (
        answer("", "call_9"),
        (400, "No tool call found for function call output with call_id call_9.", "input", None),
    ),
    "a model that is none": (
        create(model=["a"]),
        (400, "Invalid type for 'model': expected a string, but got an array instead.", "model",
         "invalid_type"),
    ),
    "metadata that is none": (
        create(metadata="a"),
        (400, "Invalid type for 'metadata': expected an object, but got a string instead.",
         "metadata", "invalid_type"),
    ),
    "another method": (
        {"method": "POST", "url": "/responses/resp_1_1", "json": {}},
        (405, "Invalid URL (POST /v1/responses/resp_1_1)", None, None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    transport = MockTransport(RUN)
    ask(PLAIN, transport, **create())
    request, expected = REFUSED[name]
    assert refusal(ask(PLAIN, transport, **request)) == expected


def test_one_that_was_not_streamed_cannot_be() -> None:
    transport = MockTransport(RUN)
    ask(PLAIN, transport, **create(stream=False, background=True))
    assert refusal(ask(PLAIN, transport, **again("resp_1_1")))[:2] == (
        400, "This response cannot be streamed because it was not created with stream=true.",
    )  # fmt: skip


def test_nothing_is_served() -> None:
    assert refusal(ask(PLAIN, MockTransport(), **create())) == (
        400, "The requested model 'gpt-4o' does not exist.", "model", "model_not_found",
    )  # fmt: skip


def test_nothing_more_was_said() -> None:
    transport = MockTransport(script(function_call("f")))
    ask(PLAIN, transport, **create())
    status, words, *_ = refusal(ask(PLAIN, transport, **answer("resp_1", "call_1")))
    assert (status, words[:42]) == (500, "What is served has no further response: sa")


@pytest.mark.parametrize("name", every(RESPONSES)[:1])
def test_responses_are_no_runs(name: str) -> None:
    body = {"assistant_id": "asst_1", "stream": True}
    request: dict[str, Any] = {"method": "POST", "url": "/threads/thread_1/runs", "json": body}
    status, words, *_ = refusal(ask(PLAIN, MockTransport(RESPONSES[name][0]), **request))
    assert (status, "POST /responses" in words) == (500, True)


def test_they_outlive_the_assistants() -> None:
    transport = MockTransport(RUN, sunset=True)
    assert ask(PLAIN, transport, **create()).status == 200
    assert ask(PLAIN, transport, url="/responses/resp_1_1").status == 200
    assert ask(PLAIN, transport, url="/threads/thread_1/runs").status == 404


# What is played


def played(transport: MockTransport, **fields: Any) -> str:
    whole = ask(PLAIN, transport, **create(stream=False, **fields)).json()
    text: str = whole["output"][0]["content"][0]["text"]
    return text


def test_what_a_model_plays() -> None:
    named = {name: script(name) for name in ("a", "b", "c")}
    transport = MockTransport(named, mapping={"gpt-5": "b"})
    models = ("gpt-5", "c", "other", "other", "gpt-5", "other", "other")
    assert [played(transport, model=model) for model in models] == [*"bcabbca"]


def test_what_comes_next_is_the_next_turn() -> None:
    transport = MockTransport(script("one", id="run_a"), script("two", id="run_b"))
    assert played(transport) == "one"
    assert played(transport, previous_response_id="resp_a") == "two"


def test_files_are_urls() -> None:
    contents = {"file-1": b"\xff\xd8\xff, perhaps"}
    heard = ask(PLAIN, MockTransport(RUN, files=contents), **create())
    given = [each.url for each in images(heard.body)]
    assert given == [f"data:image/jpeg;base64,{base64.b64encode(contents['file-1']).decode()}"]
    assert [each.url for each in images(ask(PLAIN, MockTransport(RUN), **create()).body)] == [
        url(picture("file-1")),
    ]


def images(body: bytes) -> list[ImageAdded]:
    changes: list[Any] = []
    accumulate(body, changes.append, allow_partial=True)
    return [each for each in changes if isinstance(each, ImageAdded)]


TOLD: Final[dict[Any, str]] = {
    CodeAppended: "code",
    ArgumentsAppended: "arguments",
    LogAppended: "log",
    TextAppended: "text",
}


def told(bodies: Sequence[bytes]) -> dict[str, str]:
    """What is said of a run, kind by kind."""
    changes: list[Any] = []
    snapshot = accumulate([*bodies], changes.append, allow_partial=True)
    assert snapshot.problems == ()
    return {
        name: "".join(each.text for each in changes if isinstance(each, kind))
        for kind, name in TOLD.items()
    }


def conversation(transport: MockTransport) -> list[bytes]:
    """Answer a conversation as long as it wants to be."""
    bodies = [ask(PLAIN, transport, **create()).body]
    while True:
        events = [json.loads(frame.data) for frame in FrameDecoder().feed(bodies[-1])]
        response = events[-1].get("response", {})
        calls = [each["call_id"] for each in response.get("output", []) if "call_id" in each]
        if not calls or len(bodies) > 3:
            return bodies
        heard = ask(PLAIN, transport, **answer(response["id"], *calls))
        if heard.status != 200:
            return bodies
        bodies.append(heard.body)


# One is of a kind of call that has its arguments elsewhere.
@pytest.mark.parametrize("name", [name for name in OWN if name != "mcp-approval"])
def test_runs_of_assistants_as_responses(name: str) -> None:
    transport = MockTransport([*OWN[name]])
    here: Any
    there: Any
    here, there = told(OWN[name]), told(conversation(transport))
    if name == "split-logs":  # whose outputs came in turns
        here, there = ({name: sorted(each[name]) for name in each} for each in (here, there))
    assert there == here


@pytest.mark.parametrize(("name", "outcome"), [("cut", "truncated"), ("error", "error")])
def test_runs_that_come_to_no_end(name: str, outcome: str) -> None:
    heard = ask(PLAIN, MockTransport([*OWN[name]]), **create())
    assert accumulate(heard.body, allow_partial=True).outcome == outcome
    assert (heard.error is not None) == (name == "cut")
    whole = accumulate([*OWN[name]], allow_partial=True)
    items = to_response_items(accumulate(heard.body, allow_partial=True))
    assert [each["type"] for each in items] == [
        each["type"] for each in to_response_items(whole) if each["type"] != "function_call_output"
    ]


# With faults


@pytest.mark.parametrize(
    "fault",
    [
        Cut(frames=9),
        Cut(frames=9, inside=True, how="abort"),
        ErrorEvent(frames=9),
        Drop(frames=(3, 8)),
        Duplicate(frames=(3, 8)),
        Reorder(frames=(4,)),
        Corrupt(frames=(4,)),
        Split(size=3),
        Crlf(),
        Keepalives(),
    ],
    ids=str,
)
@on_every_form
def test_streams_with_faults(form: Form, fault: Fault) -> None:
    heard = ask(form, MockTransport([RUN][0], faults=[fault]), **create())
    plain = ask(form, MockTransport(RUN), **create())
    wanted: list[bytes] = []
    try:
        wanted.extend(Stream([plain.body], faults=[fault]))
    except OSError:
        assert heard.error is not None
    assert heard.body == b"".join(wanted) != plain.body or isinstance(fault, Split)


def test_duplicates_are_dropped_by_their_numbers() -> None:
    transport = MockTransport(RUN, faults=[Duplicate(share=1.0)])
    heard = ask(PLAIN, transport, **create())
    plain = ask(PLAIN, MockTransport(RUN), **create())
    assert accumulate(heard.body) == accumulate(plain.body)


def test_a_fault_is_of_one_response() -> None:
    transport = MockTransport(RUN, faults=[Cut(leg=1, frames=3)])
    assert len(said(ask(PLAIN, transport, **create()))) == SIZE
    assert len(said(ask(PLAIN, transport, **answer("resp_1_1", "call_2")))) == 3


def test_the_rest_of_a_stream_has_no_faults() -> None:
    transport = MockTransport(RUN, faults=[Cut(frames=5, how="abort")])
    assert len(said(ask(PLAIN, transport, **create(background=True)))) == 5
    assert len(said(ask(PLAIN, transport, **again("resp_1_1", 4)))) == SIZE - 5


@pytest.mark.parametrize(
    ("operation", "statuses"),
    [("create_response", [429, 200, 200]), ("retrieve_response", [200, 429, 200])],
)
def test_statuses(operation: Any, statuses: list[int]) -> None:
    fault = Status(status=429, operation=operation, retry_after=2.0)
    transport = MockTransport(RUN, faults=[fault])
    requests = [create(), {"url": "/responses/resp_1_1"}, {"url": "/responses/resp_1_1"}]
    if operation == "create_response":
        requests = [create(), create(), {"url": "/responses/resp_1_1"}]
    heard = [ask(PLAIN, transport, **request) for request in requests]
    assert [each.status for each in heard] == statuses
    refused = heard[statuses.index(429)]
    assert refused.headers["retry-after"] == "2"


# Over TCP, and with the API's own client


class Peer(NamedTuple):
    """Where openai-python is to go."""

    base_url: str
    transport: Any = None

    def client(self) -> OpenAI:
        http = httpx2.Client(transport=self.transport, trust_env=False, verify=False)
        return OpenAI(api_key="none", base_url=self.base_url, http_client=http, max_retries=0)

    def aclient(self) -> AsyncOpenAI:
        http = httpx2.AsyncClient(transport=self.transport, trust_env=False, verify=False)
        return AsyncOpenAI(api_key="none", base_url=self.base_url, http_client=http, max_retries=0)


@pytest.fixture(params=["server", "transport"])
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    if request.param == "transport":
        yield Peer(NO_NETWORK, MockTransport(RUN))
        return
    with serve(RUN) as server:
        yield Peer(server.url)


def outputs(response: Any) -> list[Any]:
    return [
        {"type": "function_call_output", "call_id": each.call_id, "output": "x"}
        for each in response.output
        if each.type == "function_call"
    ]


def check_conversation(responses: Sequence[Any], events: Sequence[Any]) -> None:
    first, last = responses
    code, call = first.output
    assert code.code == "print(1)"
    assert [each.type for each in code.outputs] == ["logs", "image"]
    assert (code.outputs[0].logs, code.outputs[1].url) == ("1\n", url(picture("file-1")))
    assert (call.name, json.loads(call.arguments)) == ("f", {"a": 1})
    assert last.output_text == "done"
    assert last.usage.total_tokens > 0
    pieces = [each for each in events if each.type == "response.code_interpreter_call_code.delta"]
    assert "".join(each.delta for each in pieces) == "print(1)"


def test_openai_python_runs_the_functions(peer: Peer) -> None:
    responses: list[Any] = []
    events: list[Any] = []
    with peer.client() as client:
        request: dict[str, Any] = {"model": "gpt-4o", "input": "hi"}
        while request["input"]:
            with client.responses.stream(**request) as stream:
                events += stream
                responses.append(stream.get_final_response())
            before = responses[-1]
            request |= {"previous_response_id": before.id, "input": outputs(before)}
        check_conversation(responses, events)
        whole = client.responses.retrieve(responses[0].id)
        assert whole.output[0].to_dict() == responses[0].output[0].to_dict()
        again = client.responses.create(model="gpt-4o", input="hi")
        assert again.to_dict() == whole.to_dict()


@pytest.mark.anyio
async def test_openai_python_runs_the_functions_asynchronously(peer: Peer) -> None:
    responses: list[Any] = []
    events: list[Any] = []
    async with peer.aclient() as client:
        request: dict[str, Any] = {"model": "gpt-4o", "input": "hi"}
        while request["input"]:
            async with client.responses.stream(**request) as stream:
                events += [event async for event in stream]
                responses.append(await stream.get_final_response())
            before = responses[-1]
            request |= {"previous_response_id": before.id, "input": outputs(before)}
        check_conversation(responses, events)
        whole = await client.responses.retrieve(responses[0].id)
        assert whole.output[0].to_dict() == responses[0].output[0].to_dict()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_openai_python_goes_on_with_a_stream(peer: Peer) -> None:
    with peer.client() as client:
        numbers = []
        with client.responses.create(
            model="gpt-4o", input="hi", stream=True, background=True
        ) as stream:
            for event in stream:
                numbers.append(event.sequence_number)
                if event.sequence_number == 6:
                    break
        with client.responses.retrieve("resp_1_1", stream=True, starting_after=6) as rest:
            numbers += [event.sequence_number for event in rest]
        assert numbers == [*range(SIZE)]


def test_openai_python_is_told_of_failures() -> None:
    failed = script("hi", last_error="oops")
    with Peer(NO_NETWORK, MockTransport(failed)).client() as client:
        response = client.responses.create(model="gpt-4o", input="hi")
        assert response.status == "failed"
        assert response.error
        assert response.error.message == "oops"


# Written down, and played again


def test_what_is_recorded_is_played_again(tmp_path: Any) -> None:
    bodies = conversation(MockTransport(RUN))
    path = tmp_path / "chat.sse.jsonl"
    record = RecordingTransport(path, MockTransport(RUN))
    with httpx.Client(base_url=NO_NETWORK, transport=record) as client:
        heard = [client.request(**create()).content]
        heard.append(client.request(**answer("resp_1_1", "call_2")).content)
    assert heard == bodies
    assert conversation(MockTransport(path)) == bodies
    snapshot: RunSnapshot = accumulate(Stream(path))
    assert snapshot == accumulate(bodies)
    assert len(snapshot.steps) == 3
    assert accumulate(replay(path)) == snapshot  # read to its end, not to that of a response
    assert anyio.run(aaccumulate, areplay(path)) == snapshot
    assert anyio.run(aaccumulate, Stream(path)) == snapshot
    scrubbed = accumulate([leg.body for leg in scrub(path).legs])
    assert [each.type for each in scrubbed.steps] == [each.type for each in snapshot.steps]
    assert scrubbed.problems == ()


def test_a_list_is_all_there() -> None:
    runs = [*explode(script("a", id="run_a")), *explode(script("b", id="run_b"))]
    with pytest.raises(UsageError, match="the run is complete"):
        accumulate(runs)
    assert accumulate(iter(runs)).run == accumulate(runs[: len(runs) // 2]).run  # it may be live


def test_frames_are_played_response_by_response() -> None:
    frames = explode(RUN, dialect="responses")
    bodies = conversation(MockTransport(frames))
    assert [FrameDecoder().feed(body) for body in bodies] == legs_of(frames)
    closed = b"".join(bodies[:1]) + b"data: [DONE]\n\n" + bodies[1] + b"data: [DONE]\n\n"
    assert len(Stream(closed).recording.legs) == 2


def test_what_has_come_true_stays_so_where_a_stream_is_read_again() -> None:
    transport = MockTransport(RUN)
    with httpx.Client(base_url=NO_NETWORK, transport=transport) as client:
        client.request(**create(background=True))
        with client.stream("GET", **again("resp_1_1", 4)) as response:
            for _ in response.iter_bytes():
                assert client.get("/responses/resp_1_1").json()["status"] == "completed"
