"""Azure OpenAI: its key and its version go with every request, as the client is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from streamkit import Change, ResponseError
from streamkit.live import Recovery
from tests.recorded import OWN
from tests.server import Fault, Place, Script, Server, serve
from tests.shells import PEERS_WARNINGS, Shell, in_every_shell
from tests.test_converse import TOOLS, folded

pytestmark = PEERS_WARNINGS

KEY: Final = "not-a-real-key"
VERSION: Final = "2024-05-01-preview"
AZURE: Final[dict[str, Any]] = {"headers": {"api-key": KEY}, "params": {"api-version": VERSION}}
LEGS: Final = OWN["parallel-functions"]
# Asks at once, however often.
AT_ONCE: Final = Recovery(sleep=lambda _: None)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(require_key=KEY) as server:
        yield server
        server.wait_idle()


class Asking:
    """Asks of the runs at a place, and remembers the latest run."""

    def __init__(self, server: Server, shell: Shell, place: Place) -> None:
        self.server = server
        self.shell = shell
        self.place = place
        self.where = (place.thread_id, "run_0")

    def __call__(self, work: Callable[[Any], Any]) -> Any:
        return self.shell.ask(self.server.azure_url, work, **AZURE)

    def begin(self) -> None:
        run = self(
            lambda runs: runs.create(self.place.thread_id, assistant_id=self.place.assistant_id)
        )
        self.where = (self.place.thread_id, run.id)


@in_every_shell()
def test_every_request_says_whose_it_is(server: Server, shell: Shell) -> None:
    script = Script(LEGS, files={"file_1": b"1"})
    place = server.add(script)
    ask = Asking(server, shell, place)
    begin = {"assistant_id": place.assistant_id}
    ask.begin()
    thread, run = ask.where
    ask(lambda runs: runs.list(thread, limit=1, order="asc"))
    waiting = ask(lambda runs: runs.retrieve(thread, run))
    outputs = {call.id: "" for call in waiting.required_action.tool_calls}
    assert ask(lambda runs: runs.modify(thread, run, metadata={"a": "1"})).metadata["a"] == "1"
    (step,) = ask(lambda runs: runs.steps.list(thread, run, limit=1))
    assert ask(lambda runs: runs.steps.retrieve(thread, run, step.id)).id == step.id
    ask(lambda runs: runs.submit_tool_outputs(thread, run, outputs))
    assert ask(lambda runs: runs.retrieve(thread, run)).status == "completed"
    assert ask(lambda runs: runs.image_bytes("file_1")) == b"1"
    paused = ask(lambda runs: runs.stream(thread, **begin, include=["a"]).until_done())
    assert paused.outcome == "paused"
    done = ask(lambda runs: runs.stream_tool_outputs(thread, run, tool_outputs=outputs))
    assert done
    ask(lambda runs: runs.create_thread_and_run(**begin))
    assert ask(lambda runs: runs.cancel(thread, run)).status == "cancelling"
    assert ask(lambda runs: runs.stream_thread_and_run(**begin).until_done()).run.id == run
    noted = server.requests(place)
    assert {each.operation for each in noted} == {
        "create", "create_thread_and_run", "submit", "retrieve", "list", "modify", "cancel",
        "steps", "step", "file",
    }  # fmt: skip
    assert_told(server, place)


@in_every_shell()
def test_a_conversation_and_its_recovery_say_so_too(server: Server, shell: Shell) -> None:
    faults = [Fault(0, frames=3), Fault(1, frames=3)]
    place = server.add(Script(LEGS, faults=faults, busy_polls=1))
    heard: list[Change] = []
    ours = shell.ask(
        server.azure_url,
        lambda runs: runs.converse(
            place.thread_id,
            heard.append,
            assistant_id=place.assistant_id,
            tools=TOOLS,
            recover=AT_ONCE,
        ).until_done(),
        **AZURE,
    )
    assert ours == folded(place, LEGS)[1]
    operations = [each.operation for each in server.requests(place)]
    assert set(operations) == {"create", "submit", "retrieve", "steps", "messages"}
    assert_told(server, place)


def assert_told(server: Server, place: Place) -> None:
    for noted in server.requests(place):
        assert noted.path.startswith("/openai/")
        assert noted.query.count(("api-version", VERSION)) == 1
        assert noted.headers["api-key"] == KEY
        assert noted.headers["openai-beta"] == "assistants=v2"


@in_every_shell()
@pytest.mark.parametrize(("options", "status", "words"), [
    ({"headers": AZURE["headers"]}, 404, "Resource not found"),
    ({"params": AZURE["params"]}, 401, "Access denied due to invalid subscription key"),
    (AZURE | {"headers": {"api-key": "not-the-key"}}, 401, "Access denied"),
])  # fmt: skip
def test_what_is_missing_is_refused(
    server: Server, *, shell: Shell, options: dict[str, Any], status: int, words: str
) -> None:
    place = server.add(Script(LEGS))
    begin = {"assistant_id": place.assistant_id}
    for work in (
        lambda runs: runs.create(place.thread_id, **begin),
        lambda runs: runs.list(place.thread_id),
        lambda runs: runs.stream(place.thread_id, **begin).until_done(),
        lambda runs: runs.converse(place.thread_id, tools=TOOLS, **begin).until_done(),
    ):
        with pytest.raises(ResponseError, match=words) as caught:
            shell.ask(server.azure_url, work, **options)
        assert caught.value.status == status
        assert "not-the-key" not in str(caught.value)
