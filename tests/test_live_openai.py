"""The peer's own client, against the same server: both must come to the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import anyio
import httpx2
import pytest
from openai import AssistantEventHandler, AsyncAssistantEventHandler, AsyncOpenAI, OpenAI
from openai.types.beta.threads import Run
from openai.types.beta.threads.run_submit_tool_outputs_params import ToolOutput

from streamkit import RunSnapshot, to_wire
from streamkit.live import SEARCH_CONTENT
from tests.recorded import OWN
from tests.server import Place, Script, Server, serve
from tests.shells import PEERS_WARNINGS, SHELLS, Shell
from tests.test_converse import TOOLS
from tests.test_openai_oracle import DEFECTS, calls

pytestmark = [
    PEERS_WARNINGS,
    pytest.mark.filterwarnings("ignore:The Assistants API is deprecated:DeprecationWarning"),
]

# Runs that end, by themselves or with the outputs of functions, and that the peer can read.
RUNS: Final = [
    "emoji", "expired", "failed", "file-search", "incomplete", "parallel-functions",
    "refusal", "report", "split-logs", "three-legs",
]  # fmt: skip
OUTPUTS: Final = {
    "call_bImm7xNotARealIdcE0gHn2N": '{"low":["Roscoff","2026-03-14"]}',
    "call_fSGCTsNotARealIdfXhnxnje": "Roscoff: 11 knots",
    "call_y70DxPNotARealIdDEcpSR1O": '["Ghent"]',
    "call_3rsbbgNotARealId0iMQ10Mt": "null",
}
INCLUDE: Final[list[Literal["step_details.tool_calls[*].file_search.results[*].content"]]] = [
    SEARCH_CONTENT
]
KEY: Final[dict[str, Any]] = {"api_key": "none", "max_retries": 0}
TIDY: Final[dict[str, Any]] = {"trust_env": False, "verify": False}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(require_key="none") as server:
        yield server
        server.wait_idle()


class Theirs:
    """What the peer makes of a run: its last word on the run, and on each step."""

    def __init__(self) -> None:
        self.run: Any = None
        self.streamed: dict[str, Any] = {}  # as its handlers have them in the end
        self.listed: list[Any] = []

    def take(self, run: Run | None, steps: list[Any]) -> list[ToolOutput]:
        """Take what a leg came to, and say what is to be submitted."""
        assert run is not None
        self.run = run
        self.streamed |= {step.id: step.to_dict(warnings=False) for step in steps}
        action = run.required_action
        asked = action.submit_tool_outputs.tool_calls if action else []
        return [{"tool_call_id": call.id, "output": OUTPUTS[call.id]} for call in asked]


class Handler(AssistantEventHandler):
    """Of a leg."""

    def came_to(self) -> tuple[Run | None, list[Any]]:
        try:
            return self.current_run, self.get_final_run_steps()
        except RuntimeError:  # there are none
            return self.current_run, []


class AsyncHandler(AsyncAssistantEventHandler):
    """Of a leg."""

    async def came_to(self) -> tuple[Run | None, list[Any]]:
        try:
            return self.current_run, await self.get_final_run_steps()
        except RuntimeError:  # there are none
            return self.current_run, []


def peer(url: str, place: Place) -> Theirs:
    """Let the peer follow a run."""
    theirs = Theirs()
    with httpx2.Client(**TIDY) as http:
        runs = OpenAI(base_url=url, http_client=http, **KEY).beta.threads.runs
        handler = Handler()
        stream = runs.stream(**place._asdict(), include=INCLUDE, event_handler=handler)
        while True:
            with stream:
                handler.until_done()
            outputs = theirs.take(*handler.came_to())
            where = {"thread_id": place.thread_id, "run_id": theirs.run.id}
            if not outputs:
                break
            handler = Handler()
            stream = runs.submit_tool_outputs_stream(
                tool_outputs=outputs, event_handler=handler, **where
            )
        listed = runs.steps.list(**where, order="asc", limit=1, include=INCLUDE)
        theirs.listed = [step.to_dict() for step in listed]
        theirs.run = runs.retrieve(**where)
    return theirs


async def apeer(url: str, place: Place) -> Theirs:
    """Let the peer follow a run, asynchronously."""
    theirs = Theirs()
    async with httpx2.AsyncClient(**TIDY) as http:
        runs = AsyncOpenAI(base_url=url, http_client=http, **KEY).beta.threads.runs
        handler = AsyncHandler()
        stream = runs.stream(**place._asdict(), include=INCLUDE, event_handler=handler)
        while True:
            async with stream:
                await handler.until_done()
            outputs = theirs.take(*await handler.came_to())
            where = {"thread_id": place.thread_id, "run_id": theirs.run.id}
            if not outputs:
                break
            handler = AsyncHandler()
            stream = runs.submit_tool_outputs_stream(
                tool_outputs=outputs, event_handler=handler, **where
            )
        listed = runs.steps.list(**where, order="asc", limit=1, include=INCLUDE)
        theirs.listed = [step.to_dict() async for step in listed]
        theirs.run = await runs.retrieve(**where)
    return theirs


@pytest.mark.parametrize("form", ["sync", "asyncio"])
@pytest.mark.parametrize("name", RUNS)
def test_both_come_to_the_same(server: Server, *, name: str, form: str) -> None:
    script = Script(OWN[name])
    ours_at, theirs_at = server.add(script), server.add(script)
    shell: Shell = SHELLS[form]
    ours: RunSnapshot = shell.ask(
        server.url,
        lambda runs: runs.converse(
            ours_at.thread_id,
            assistant_id=ours_at.assistant_id,
            tools=TOOLS,
            include=INCLUDE,
        ).until_done(),
        headers={"authorization": "Bearer none"},
    )
    url = server.url
    if shell.backend is None:
        theirs = peer(url, theirs_at)
    else:
        theirs = anyio.run(apeer, url, theirs_at, backend=shell.backend)
    steps = at(to_wire(ours.steps), ours_at, theirs_at)
    assert theirs.listed == steps
    assert theirs.run.to_dict() == at(to_wire(ours.run), ours_at, theirs_at)
    if name not in DEFECTS:
        by_id = {step["id"]: step for step in steps}
        assert theirs.streamed.keys() == by_id.keys()
        for id, step in theirs.streamed.items():
            assert calls(step) == calls(by_id[id])
    ours_asked, theirs_asked = map(server.requests, (ours_at, theirs_at))
    assert len(theirs_asked) == len(ours_asked) + len(steps) + 1
    for mine, peers in zip(ours_asked, theirs_asked, strict=False):
        said = mine._replace(headers=peers.headers)._asdict()
        assert at(said, ours_at, theirs_at) == peers._asdict()
        for header in ("openai-beta", "content-type"):
            assert mine.headers.get(header) == peers.headers.get(header)


def at(value: Any, here: Place, there: Place) -> Any:
    """Say of one place what was said of another."""
    match value:
        case Mapping():
            return {key: at(each, here, there) for key, each in value.items()}
        case list() | tuple():
            return type(value)(at(each, here, there) for each in value)
        case str():
            thread, assistant = there
            return value.replace(here.thread_id, thread).replace(here.assistant_id, assistant)
        case _:
            return value
