"""An unchanged openai-python client works without a network, also where things go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import anyio
import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from streamkit import to_wire
from streamkit.testing.building import (
    code_interpreter,
    function_call,
    image,
    logs,
    message,
    script,
)
from streamkit.testing.faults import Cut, ErrorEvent, Stall, Status
from streamkit.testing.transports import MockTransport

pytestmark = pytest.mark.filterwarnings(
    "ignore:The Assistants API is deprecated:DeprecationWarning",
    "ignore:Async generator '(openai|httpx2):ResourceWarning",  # on trio: theirs, not ours
)

RUN: Final = script(
    code_interpreter("print(1)", logs("1\n"), image("file-1")),
    function_call("get_tide", {"port": "Roscoff"}, output={"low": "08:12"}),
    message("Leave at half past eight."),
)
PLACE: Final[Any] = {"thread_id": "thread_1", "assistant_id": "asst_1"}


@contextmanager
def client(transport: Any, **options: Any) -> Iterator[OpenAI]:
    options = {"max_retries": 0, "timeout": 5} | options
    with httpx2.Client(transport=transport) as http:
        yield OpenAI(api_key="none", http_client=http, **options)


def later(transport: Any, talk: Callable[[AsyncOpenAI], Any], backend: str) -> Any:
    async def meet() -> Any:
        async with httpx2.AsyncClient(transport=transport) as http:
            return await talk(AsyncOpenAI(api_key="none", http_client=http, max_retries=0))

    return anyio.run(meet, backend=backend)


def outputs(run: Any) -> list[Any]:
    calls = run.required_action.submit_tool_outputs.tool_calls
    return [{"tool_call_id": call.id, "output": '{"low": "08:12"}'} for call in calls]


def test_a_conversation() -> None:
    with client(MockTransport(RUN)) as openai:
        thread = openai.beta.threads.create(messages=[{"role": "user", "content": "When?"}])
        runs = openai.beta.threads.runs
        place = PLACE | {"thread_id": thread.id}
        with runs.stream(**place) as stream:
            stream.until_done()
            waiting = stream.get_final_run()
        assert waiting.status == "requires_action"
        answer: Any = {"run_id": waiting.id, "thread_id": thread.id}
        with runs.submit_tool_outputs_stream(**answer, tool_outputs=outputs(waiting)) as stream:
            assert "".join(stream.text_deltas) == "Leave at half past eight."
        run = runs.retrieve(**answer)
        steps = [*runs.steps.list(**answer, order="asc", limit=2)]  # of several pages
        messages = [*openai.beta.threads.messages.list(thread.id, order="asc")]
        content = openai.files.content("file-1").read()
    assert run.status == "completed"
    assert [step.id for step in steps] == ["step_1", "step_2", "step_3"]
    whole = to_wire(RUN)["steps"][0]
    assert steps[0].to_dict() == whole | {"thread_id": thread.id}
    assert [each.role for each in messages] == ["user", "assistant"]
    assert content.startswith(b"\x89PNG")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_conversation_later(backend: str) -> None:
    async def talk(openai: AsyncOpenAI) -> str:
        runs = openai.beta.threads.runs
        async with runs.stream(**PLACE) as stream:
            await stream.until_done()
            waiting = await stream.get_final_run()
        answer: Any = {"run_id": waiting.id, "thread_id": "thread_1"}
        given = outputs(waiting)
        async with runs.submit_tool_outputs_stream(**answer, tool_outputs=given) as stream:
            return "".join([text async for text in stream.text_deltas])

    assert later(MockTransport(RUN), talk, backend) == "Leave at half past eight."


def test_polling() -> None:
    with client(MockTransport(RUN)) as openai:
        runs = openai.beta.threads.runs
        waiting = runs.create_and_poll(**PLACE)
        answer: Any = {"run_id": waiting.id, "thread_id": "thread_1"}
        run = runs.submit_tool_outputs_and_poll(**answer, tool_outputs=outputs(waiting))
        listed = runs.list("thread_1")
        changed = runs.update(**answer, metadata={"a": "1"})
    assert (waiting.status, run.status) == ("requires_action", "completed")
    assert listed.data == [run]
    assert changed.metadata == {"a": "1"}


def test_a_run_is_cancelled() -> None:
    with client(MockTransport(RUN)) as openai:
        runs = openai.beta.threads.runs
        waiting = runs.create_and_poll(**PLACE)
        answer: Any = {"run_id": waiting.id, "thread_id": "thread_1"}
        assert runs.cancel(**answer).status == "cancelling"
        assert runs.retrieve(**answer).status == "cancelled"


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        (ErrorEvent(frames=4, message="Overloaded."), openai.APIError, "Overloaded"),
        (Cut(frames=4, how="abort"), httpx2.ReadError, "closed in the middle"),
        (Stall(frames=4), httpx2.ReadTimeout, "timed out"),
        (Status(status=500), openai.InternalServerError, "500"),
        (Status(status=429, retry_after=2), openai.RateLimitError, "429"),
        (Status(abort=True), openai.APIConnectionError, "Connection error"),
    ],
    ids=str,
)
def test_faults(fault: Any, error: type[Exception], said: str) -> None:
    transport = MockTransport(RUN, faults=[fault], sleep=lambda _: None)
    with (
        client(transport) as openai,
        pytest.raises(error, match=said),
        openai.beta.threads.runs.stream(**PLACE) as stream,
    ):
        stream.until_done()


def test_it_tries_again() -> None:
    status = Status(status=503, retry_after=0.001, times=2)
    transport = MockTransport(RUN, faults=[status])
    with (
        client(transport, max_retries=2) as openai,
        openai.beta.threads.runs.stream(**PLACE) as run,
    ):
        run.until_done()
    assert len(transport.requests) == 3


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda threads: threads.retrieve("thread_0"), openai.NotFoundError, "No thread found"),
        (lambda threads: threads.delete("thread_0"), openai.APIStatusError, "Invalid URL"),
        (
            lambda threads: threads.runs.retrieve("run_0", thread_id="thread_1"),
            openai.NotFoundError,
            "No thread found",
        ),
        (
            lambda threads: threads.runs.create("thread_1", assistant_id=""),
            openai.BadRequestError,
            "Missing required parameter: 'assistant_id'",
        ),
    ],
)
def test_refusals(ask: Callable[[Any], Any], error: type[Exception], said: str) -> None:
    with client(MockTransport(RUN)) as openai, pytest.raises(error, match=said):
        ask(openai.beta.threads)


def test_switched_off() -> None:
    with client(MockTransport(RUN, sunset=True)) as theirs:
        with pytest.raises(openai.NotFoundError) as caught:
            theirs.beta.threads.create_and_run(assistant_id="asst_1")
        assert theirs.files.content("file-1").read().startswith(b"\x89PNG")
    assert caught.value.body == {
        "message": "Invalid URL (POST /v1/threads/runs)",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
