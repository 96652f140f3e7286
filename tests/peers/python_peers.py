"""openai-python, unchanged, follows a run: whichever version is installed, in both its forms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from openai import AssistantEventHandler, AsyncAssistantEventHandler, AsyncOpenAI, OpenAI

from tests.peers.meeting import Piece, Theirs, pieces

__all__ = ["CONTENT", "afollow", "follow"]

CONTENT: Final[Any] = ["step_details.tool_calls[*].file_search.results[*].content"]


class Handler(AssistantEventHandler):
    """Notes what its callbacks are told in a leg."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []
        self.pieces: list[Piece] = []

    def on_event(self, event: Any) -> None:
        self.events.append((event.event, plain(event.data)))

    def on_run_step_delta(self, delta: Any, snapshot: Any) -> None:
        self.pieces += pieces(snapshot.id, plain(delta))

    def steps(self) -> list[Any]:
        try:
            return [plain(step) for step in self.get_final_run_steps()]
        except RuntimeError:  # there are none
            return []


class AsyncHandler(AsyncAssistantEventHandler):
    """Notes what its callbacks are told in a leg."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []
        self.pieces: list[Piece] = []

    async def on_event(self, event: Any) -> None:
        self.events.append((event.event, plain(event.data)))

    async def on_run_step_delta(self, delta: Any, snapshot: Any) -> None:
        self.pieces += pieces(snapshot.id, plain(delta))

    async def steps(self) -> list[Any]:
        try:
            return [plain(step) for step in await self.get_final_run_steps()]
        except RuntimeError:  # there are none
            return []


def plain(model: Any) -> Any:
    """Give a model as the JSON that it was made of."""
    return model.to_dict(warnings=False)


def outputs(run: Any) -> list[Any]:
    """Say what is to be submitted."""
    action = run.required_action
    asked = action.submit_tool_outputs.tool_calls if action else []
    return [{"tool_call_id": call.id, "output": "{}"} for call in asked]


def images(told: Iterable[Piece]) -> set[str]:
    """Say which files are to be asked for."""
    return {said for *_, kind, said in told if kind == "image"}


def follow(client: OpenAI, thread_id: str, assistant_id: str) -> Theirs:
    """Follow a run through its legs, then ask for all there is of it."""
    threads = client.beta.threads
    legs = [handler := Handler()]
    stream = threads.runs.stream(
        thread_id=thread_id, assistant_id=assistant_id, include=CONTENT, event_handler=handler
    )
    where: dict[str, Any]
    while True:
        with stream as reading:
            reading.until_done()
        run = handler.current_run
        assert run
        where = {"thread_id": run.thread_id, "run_id": run.id}
        if not (answers := outputs(run)):
            break
        legs.append(handler := Handler())
        stream = threads.runs.submit_tool_outputs_stream(
            tool_outputs=answers, event_handler=handler, **where
        )
    told = [piece for leg in legs for piece in leg.pieces]
    steps = threads.runs.steps.list(**where, order="asc", limit=1, include=CONTENT)
    return Theirs(
        events=[event for leg in legs for event in leg.events],
        pieces=told,
        streamed=[step for leg in legs for step in leg.steps()],
        run=plain(threads.runs.retrieve(**where)),
        steps=[plain(step) for step in steps],
        messages=[plain(each) for each in threads.messages.list(**where, order="asc", limit=1)],
        files={id: client.files.content(id).read() for id in images(told)},
    )


async def afollow(client: AsyncOpenAI, thread_id: str, assistant_id: str) -> Theirs:
    """Follow a run through its legs, then ask for all there is of it."""
    threads = client.beta.threads
    legs = [handler := AsyncHandler()]
    stream = threads.runs.stream(
        thread_id=thread_id, assistant_id=assistant_id, include=CONTENT, event_handler=handler
    )
    where: dict[str, Any]
    while True:
        async with stream as reading:
            await reading.until_done()
        run = handler.current_run
        assert run
        where = {"thread_id": run.thread_id, "run_id": run.id}
        if not (answers := outputs(run)):
            break
        legs.append(handler := AsyncHandler())
        stream = threads.runs.submit_tool_outputs_stream(
            tool_outputs=answers, event_handler=handler, **where
        )
    told = [piece for leg in legs for piece in leg.pieces]
    steps = threads.runs.steps.list(**where, order="asc", limit=1, include=CONTENT)
    messages = threads.messages.list(**where, order="asc", limit=1)
    return Theirs(
        events=[event for leg in legs for event in leg.events],
        pieces=told,
        streamed=[step for leg in legs for step in await leg.steps()],
        run=plain(await threads.runs.retrieve(**where)),
        steps=[plain(step) async for step in steps],
        messages=[plain(each) async for each in messages],
        files={id: (await client.files.content(id)).read() for id in images(told)},
    )
