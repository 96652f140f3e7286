"""The Runs resource: each operation asks what the API reference says, and gives what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import pytest

from streamkit import (
    Accumulator,
    DecodeError,
    ResponseError,
    Run,
    RunSnapshot,
    RunStep,
    to_wire,
)
from streamkit._wire import load
from streamkit.live import SEARCH_CONTENT
from tests.recorded import OWN
from tests.server import Answer, Operation, Place, Script, Server, rewritten, serve
from tests.shells import PEERS_WARNINGS, Shell, in_every_shell
from tests.streams import Wire

pytestmark = PEERS_WARNINGS

Work = Callable[[Any, str, str], Any]  # of the runs, a thread's id and an assistant's
Query = Sequence[tuple[str, str]]

BETA: Final = "assistants=v2"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as server:
        yield server
        server.wait_idle()


def snapshot(place: Place, legs: Sequence[bytes]) -> RunSnapshot:
    """What the legs come to that are streamed at a place."""
    accumulator = Accumulator()
    for leg in rewritten(legs, place):
        accumulator.feed_bytes(leg.data)
        accumulator.end()
    return accumulator.snapshot()


# Without a stream

# What no version of the API has yet, and nulls of all sorts.
RUN: Final[Wire] = {
    "id": "run_1",
    "object": "thread.run",
    "created_at": 1,
    "thread_id": "thread_1",
    "assistant_id": "asst_1",
    "status": "requires_action",
    "required_action": {
        "type": "submit_tool_outputs",
        "submit_tool_outputs": {
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}},
                {"id": "d", "type": "new", "new": {"x": None}},
            ]
        },
    },
    "last_error": None,
    "expires_at": None,
    "instructions": "",
    "tools": [],
    "metadata": {},
    "usage": None,
    "temperature": 1,
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": "auto",
    "truncation_strategy": {"type": "auto", "last_messages": None},
    "mood": {"is": ["new", None, 1.5]},
}
STEP: Final[Wire] = {
    "id": "step_1",
    "object": "thread.run.step",
    "type": "tool_calls",
    "status": "failed",
    "run_id": "run_1",
    "step_details": {
        "type": "tool_calls",
        "tool_calls": [
            {
                "id": "c",
                "type": "code_interpreter",
                "code_interpreter": {
                    "input": "1",
                    "outputs": [
                        {"type": "logs", "logs": "1", "colour": "red"},
                        {"type": "image", "image": {"file_id": "file_1"}},
                        {"type": "video", "video": {}},
                    ],
                },
            },
            {"id": "d", "type": "function", "function": {"name": "f", "output": None}},
            {"id": "e", "type": "teleport", "teleport": {"to": None}},
        ],
    },
    "last_error": {"code": "server_error", "message": "It broke."},
    "cancelled_at": None,
    "expires_at": 5,
    "usage": None,
    "mood": None,
}
EMPTY: Final[Wire] = {"first_id": None, "last_id": None, "has_more": False}
PAGE: Final[Wire] = {"object": "list", "data": [], **EMPTY}


class Asks(NamedTuple):
    """What an operation is to ask, and what is said to it."""

    operation: Operation
    work: Work
    method: str
    path: str  # after the version; with T for the thread's id
    said: Any
    kind: type[Run | RunStep] | None = Run
    query: Query = ()
    json: Wire = {}  # noqa: RUF012

    def wanted(self, place: Place) -> Any:
        """The method, the path, the query and the body."""
        path = self.path.replace("T", place.thread_id)
        json = {
            key: place.assistant_id if item == "A" else item for key, item in self.json.items()
        }
        return self.method, path, list(self.query), json


EVERY: Final[dict[str, Any]] = {"order": "asc", "limit": 7, "after": "x_1", "before": "x_2"}
LISTED: Final = [("order", "asc"), ("limit", "7"), ("after", "x_1"), ("before", "x_2")]
INCLUDED: Final = [("include[]", SEARCH_CONTENT)]
FIELDS: Final[dict[str, Any]] = {
    "model": "gpt-4o",
    "instructions": None,
    "additional_messages": [{"role": "user", "content": "é"}],
    "tools": [{"type": "code_interpreter"}],
    "temperature": 0.5,
    "metadata": {"a": "1"},
    "tool_choice": {"type": "code_interpreter"},
    "response_format": "auto",
    "a_new_field": [1],
}
OUTPUTS: Final = [{"tool_call_id": "c", "output": "é"}, {"tool_call_id": "d", "output": ""}]

ASKS: Final[dict[str, Asks]] = {
    "create": Asks(
        "create", lambda runs, thread, assistant: runs.create(thread, assistant_id=assistant),
        "POST", "/threads/T/runs", RUN, json={"assistant_id": "A"},
    ),
    "create, with fields": Asks(
        "create",
        lambda runs, thread, assistant: runs.create(
            thread, assistant_id=assistant, include=[SEARCH_CONTENT, "b&c"], **FIELDS
        ),
        "POST", "/threads/T/runs", RUN,
        query=[*INCLUDED, ("include[]", "b&c")], json={"assistant_id": "A", **FIELDS},
    ),
    "create thread and run": Asks(
        "create_thread_and_run",
        lambda runs, _, assistant: runs.create_thread_and_run(
            assistant_id=assistant, thread={"messages": [], "metadata": {}}, **FIELDS
        ),
        "POST", "/threads/runs", RUN,
        json={"assistant_id": "A", "thread": {"messages": [], "metadata": {}}, **FIELDS},
    ),
    "retrieve": Asks(
        "retrieve", lambda runs, thread, _: runs.retrieve(thread, "run_1"),
        "GET", "/threads/T/runs/run_1", RUN,
    ),
    "modify": Asks(
        "modify", lambda runs, thread, _: runs.modify(thread, "run_1", metadata={"a": ""}),
        "POST", "/threads/T/runs/run_1", RUN, json={"metadata": {"a": ""}},
    ),
    "modify, to nothing": Asks(
        "modify", lambda runs, thread, _: runs.modify(thread, "run_1", metadata=None),
        "POST", "/threads/T/runs/run_1", RUN, json={"metadata": None},
    ),
    "cancel": Asks(
        "cancel", lambda runs, thread, _: runs.cancel(thread, "run_1"),
        "POST", "/threads/T/runs/run_1/cancel", RUN,
    ),
    "submit a mapping": Asks(
        "submit",
        lambda runs, thread, _: runs.submit_tool_outputs(thread, "run_1", {"c": "é", "d": ""}),
        "POST", "/threads/T/runs/run_1/submit_tool_outputs", RUN,
        json={"tool_outputs": OUTPUTS, "stream": False},
    ),
    "submit a list": Asks(
        "submit",
        lambda runs, thread, _: runs.submit_tool_outputs(thread, "run_1", OUTPUTS),
        "POST", "/threads/T/runs/run_1/submit_tool_outputs", RUN,
        json={"tool_outputs": OUTPUTS, "stream": False},
    ),
    "submit a generator": Asks(
        "submit",
        lambda runs, thread, _: runs.submit_tool_outputs(thread, "run_1", iter(OUTPUTS)),
        "POST", "/threads/T/runs/run_1/submit_tool_outputs", RUN,
        json={"tool_outputs": OUTPUTS, "stream": False},
    ),
    "list": Asks(
        "list", lambda runs, thread, _: runs.list(thread), "GET", "/threads/T/runs",
        PAGE | {"data": [RUN, RUN]},
    ),
    "list, a part": Asks(
        "list", lambda runs, thread, _: runs.list(thread, **EVERY), "GET", "/threads/T/runs",
        PAGE, query=LISTED,
    ),
    "steps": Asks(
        "steps", lambda runs, thread, _: runs.steps.list(thread, "run_1"),
        "GET", "/threads/T/runs/run_1/steps", PAGE | {"data": [STEP, STEP]}, RunStep,
    ),
    "steps, a part": Asks(
        "steps",
        lambda runs, thread, _: runs.steps.list(
            thread, "run_1", include=[SEARCH_CONTENT], **EVERY
        ),
        "GET", "/threads/T/runs/run_1/steps", PAGE, RunStep, query=[*LISTED, *INCLUDED],
    ),
    "step": Asks(
        "step", lambda runs, thread, _: runs.steps.retrieve(thread, "run_1", "step_1"),
        "GET", "/threads/T/runs/run_1/steps/step_1", STEP, RunStep,
    ),
    "step, with content": Asks(
        "step",
        lambda runs, thread, _: runs.steps.retrieve(
            thread, "run_1", "step_1", include=(SEARCH_CONTENT,)
        ),
        "GET", "/threads/T/runs/run_1/steps/step_1", STEP, RunStep, query=INCLUDED,
    ),
}  # fmt: skip


@in_every_shell()
@pytest.mark.parametrize("asks", ASKS.values(), ids=ASKS)
def test_what_is_asked_and_what_is_given(server: Server, shell: Shell, asks: Asks) -> None:
    place = server.add(Script([], answers={asks.operation: [Answer(200, asks.said)]}))
    given = shell.ask(server.url, lambda runs: asks.work(runs, *place))
    (noted,) = server.requests(place)
    headers = noted.headers
    method, path, query, json = asks.wanted(place)
    assert noted == (asks.operation, method, f"/v1{path}", query, headers, json)
    assert headers["openai-beta"] == BETA
    assert asks.kind is not None
    if "data" in asks.said:
        assert given == [load(asks.kind, each) for each in asks.said["data"]]
        assert to_wire(given) == asks.said["data"]
    else:
        assert given == load(asks.kind, asks.said)
        assert to_wire(given) == asks.said


# Refusals

ERROR: Final = {"message": "Slow down.", "type": "t", "param": "p", "code": "c"}
SLOW: Final = Answer(429, {"error": ERROR}, {"retry-after": "7", "x-request-id": "req_mine"})
IMAGE: Final = Asks(
    "file", lambda runs, thread, _: runs.image_bytes("file_1"), "GET", "/files/file_1/content", b""
)
STREAMED: Final[dict[str, Asks]] = {
    "stream": Asks(
        "create", lambda runs, thread, assistant: runs.stream(thread, assistant_id=assistant),
        "POST", "/threads/T/runs", b"",
    ),
    "stream thread and run": Asks(
        "create_thread_and_run",
        lambda runs, _, assistant: runs.stream_thread_and_run(assistant_id=assistant),
        "POST", "/threads/runs", b"",
    ),
    "stream outputs": Asks(
        "submit",
        lambda runs, thread, _: runs.stream_tool_outputs(thread, "run_1", tool_outputs={}),
        "POST", "/threads/T/runs/run_1/submit_tool_outputs", b"",
    ),
    "converse": Asks(
        "create",
        lambda runs, thread, assistant: runs.converse(thread, assistant_id=assistant, tools={}),
        "POST", "/threads/T/runs", b"",
    ),
}  # fmt: skip


@in_every_shell()
@pytest.mark.parametrize("asks", [*ASKS.values(), IMAGE, *STREAMED.values()])
def test_refusals(server: Server, shell: Shell, asks: Asks) -> None:
    script = Script([], answers={asks.operation: [SLOW]}, files={"file_1": b""})
    place = server.add(script)
    with pytest.raises(ResponseError, match=r"answered 429 \(c\): Slow down\.") as caught:
        shell.ask(server.url, lambda runs: asks.work(runs, *place))
    error = caught.value
    assert (error.status, error.request_id, error.retry_after) == (429, "req_mine", 7.0)
    assert to_wire(error.error) == ERROR
    assert [each.operation for each in server.requests(place)] == [asks.operation]


@in_every_shell()
@pytest.mark.parametrize(("answer", "error"), [
    (Answer(200, b"<html>"), ResponseError),
    (Answer(200, b""), ResponseError),
    (Answer(200, b"[]"), ResponseError),
    (Answer(200, b"null"), ResponseError),
    (Answer(302, {}, {"location": "/v1/threads/runs"}), ResponseError),
    (Answer(200, {"id": 5}), DecodeError),
    (Answer(200, {"object": "thread.run"}), DecodeError),
])  # fmt: skip
@pytest.mark.parametrize("name", ["create", "step"])
def test_answers_that_are_no_object_of_the_kind(
    server: Server, *, shell: Shell, name: str, answer: Answer, error: type[Exception]
) -> None:
    asks = ASKS[name]
    place = server.add(Script([], answers={asks.operation: [answer]}))
    with pytest.raises(error):
        shell.ask(server.url, lambda runs: asks.work(runs, *place))


# With a stream


BEGIN: Final[list[tuple[Operation, str, Query, Any]]] = [
    (
        "create", "/v1/threads/{}/runs", INCLUDED,
        lambda runs, thread, heard, **fields: runs.stream(
            thread, heard, include=[SEARCH_CONTENT], **fields
        ),
    ),
    (
        "create_thread_and_run", "/v1/threads/runs", [],
        lambda runs, _, heard, **fields: runs.stream_thread_and_run(heard, **fields),
    ),
]  # fmt: skip


@in_every_shell()
@pytest.mark.parametrize(("operation", "path", "query", "begin"), BEGIN)
@pytest.mark.parametrize("name", ["report", "file-search", "failed", "refusal"])
def test_a_run_is_streamed(
    server: Server, *, shell: Shell, name: str, operation: str, path: str, query: Any, begin: Any
) -> None:
    legs = OWN[name]
    place = server.add(Script(legs))
    heard: list[object] = []
    fields = {"assistant_id": place.assistant_id, **FIELDS}
    ours = shell.ask(
        server.url,
        lambda runs: begin(runs, place.thread_id, heard.append, **fields).until_done(),
    )
    assert ours == snapshot(place, legs)
    assert heard
    (noted,) = server.requests(place)
    headers = noted.headers
    said = path.format(place.thread_id), query, headers, {"stream": True, **fields}
    assert noted == (operation, "POST", *said)
    assert headers["openai-beta"] == BETA


@in_every_shell()
@pytest.mark.parametrize("as_list", [False, True])
def test_legs_are_streamed_into_one_accumulator(
    server: Server, *, shell: Shell, as_list: bool
) -> None:
    legs = OWN["parallel-functions"]
    place = server.add(Script(legs))
    accumulator = Accumulator()
    paused = shell.ask(
        server.url,
        lambda runs: runs.stream(
            place.thread_id, assistant_id=place.assistant_id, accumulator=accumulator
        ).until_done(),
    )
    assert paused.outcome == "paused"
    calls = [call.id for call in paused.run.required_action.tool_calls]
    listed = [{"tool_call_id": id, "output": "é"} for id in calls]
    outputs = listed if as_list else dict.fromkeys(calls, "é")
    done = shell.ask(
        server.url,
        lambda runs: runs.stream_tool_outputs(
            place.thread_id, paused.run.id, tool_outputs=outputs, accumulator=accumulator
        ).until_done(),
    )
    assert done == accumulator.snapshot() == snapshot(place, legs)
    noted = server.requests(place)[1]
    path = f"/v1/threads/{place.thread_id}/runs/{paused.run.id}/submit_tool_outputs"
    assert noted[:4] == ("submit", "POST", path, [])
    assert noted.json == {"tool_outputs": listed, "stream": True}
    assert noted.headers["openai-beta"] == BETA
