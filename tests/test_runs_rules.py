"""What callers must keep to, ids that lead nowhere else, and images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, Final

import pytest

from streamkit import (
    CodeInterpreterImage,
    CodeInterpreterImageOutput,
    ImageAdded,
    ResponseError,
    UsageError,
)
from streamkit.live import AsyncRuns, Runs
from tests.recorded import OWN
from tests.server import Answer, Script, Server, serve
from tests.shells import PEERS_WARNINGS, SHELLS, Shell, in_every_shell

pytestmark = PEERS_WARNINGS

Work = Callable[[Any], Any]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as server:
        yield server


# Ids

# Every place where an id goes into a path, and the path without it.
PATHS: Final[list[tuple[str, Callable[[Any, Any], Any]]]] = [
    ("/v1/threads/{}/runs", lambda runs, id: runs.create(id, assistant_id="a")),
    ("/v1/threads/{}/runs", lambda runs, id: runs.list(id)),
    ("/v1/threads/{}/runs", lambda runs, id: runs.stream(id, assistant_id="a").until_done()),
    (
        "/v1/threads/{}/runs",
        lambda runs, id: runs.converse(id, assistant_id="a", tools={}).until_done(),
    ),
    ("/v1/threads/{}/runs/r", lambda runs, id: runs.retrieve(id, "r")),
    ("/v1/threads/t/runs/{}", lambda runs, id: runs.retrieve("t", id)),
    ("/v1/threads/{}/runs/r", lambda runs, id: runs.modify(id, "r", metadata={})),
    ("/v1/threads/t/runs/{}", lambda runs, id: runs.modify("t", id, metadata={})),
    ("/v1/threads/{}/runs/r/cancel", lambda runs, id: runs.cancel(id, "r")),
    ("/v1/threads/t/runs/{}/cancel", lambda runs, id: runs.cancel("t", id)),
    (
        "/v1/threads/{}/runs/r/submit_tool_outputs",
        lambda runs, id: runs.submit_tool_outputs(id, "r", {}),
    ),
    (
        "/v1/threads/t/runs/{}/submit_tool_outputs",
        lambda runs, id: runs.submit_tool_outputs("t", id, {}),
    ),
    (
        "/v1/threads/{}/runs/r/submit_tool_outputs",
        lambda runs, id: runs.stream_tool_outputs(id, "r", tool_outputs={}).until_done(),
    ),
    (
        "/v1/threads/t/runs/{}/submit_tool_outputs",
        lambda runs, id: runs.stream_tool_outputs("t", id, tool_outputs={}).until_done(),
    ),
    ("/v1/threads/{}/runs/r/steps", lambda runs, id: runs.steps.list(id, "r")),
    ("/v1/threads/t/runs/{}/steps", lambda runs, id: runs.steps.list("t", id)),
    ("/v1/threads/{}/runs/r/steps/s", lambda runs, id: runs.steps.retrieve(id, "r", "s")),
    ("/v1/threads/t/runs/{}/steps/s", lambda runs, id: runs.steps.retrieve("t", id, "s")),
    ("/v1/threads/t/runs/r/steps/{}", lambda runs, id: runs.steps.retrieve("t", "r", id)),
    ("/v1/files/{}/content", lambda runs, id: runs.image_bytes(id)),
]


@in_every_shell()
@pytest.mark.parametrize(("id", "quoted"), [
    ("../x", "..%2Fx"),
    ("a/b", "a%2Fb"),
    ("a?b", "a%3Fb"),
    ("a#b", "a%23b"),
    ("a%2Fb", "a%252Fb"),
    ("a b", "a%20b"),
    ("é", "%C3%A9"),
    ("...", "..."),
    ("a\\b", "a%5Cb"),
    ("http://x", "http%3A%2F%2Fx"),
])  # fmt: skip
def test_ids_lead_nowhere_else(server: Server, *, shell: Shell, id: str, quoted: str) -> None:
    for path, work in PATHS:
        asked: list[str] = []
        with pytest.raises(ResponseError):
            shell.ask(server.url, lambda runs: work(runs, id), asked=asked)  # noqa: B023
        assert asked == [path.format(quoted)]


@in_every_shell()
@pytest.mark.parametrize("id", ["", ".", "..", None, 5, b"x", ["x"]])
def test_what_is_no_id_is_refused_before_anything_is_sent(
    server: Server, *, shell: Shell, id: object
) -> None:
    for _, work in PATHS:
        asked: list[str] = []
        with pytest.raises(UsageError):
            shell.ask(server.url, lambda runs: work(runs, id), asked=asked)  # noqa: B023
        assert asked == []


# What is refused before anything is sent


def begin(name: str, **fields: Any) -> Work:
    """Call a method that begins a run."""
    where = () if "thread_and_run" in name else ("t",)
    fields |= {"tools": {}} if name == "converse" else {}
    return lambda runs: getattr(runs, name)(*where, assistant_id="a", **fields)


BEGIN: Final = ["create", "create_thread_and_run", "stream", "stream_thread_and_run", "converse"]


@in_every_shell()
@pytest.mark.parametrize("work", [
    *(begin(name, stream=value) for name in BEGIN for value in (True, False, None)),
    *(begin(name, include="b") for name in BEGIN if "thread_and_run" not in name),
    lambda runs: runs.steps.list("t", "r", include="b"),
    lambda runs: runs.steps.retrieve("t", "r", "s", include="b"),
    lambda runs: runs.recover("t", "r", include="b"),
    begin("converse", on_tool_error="ignore"),
])  # fmt: skip
def test_fields_that_are_for_the_method_to_say(server: Server, shell: Shell, work: Work) -> None:
    asked: list[str] = []
    with pytest.raises(UsageError):
        shell.ask(server.url, work, asked=asked)
    assert asked == []


def test_each_form_takes_its_own_clients() -> None:
    for shell in SHELLS.values():
        with shell.library.Client() as client, pytest.raises(UsageError, match="open_run or Runs"):
            AsyncRuns(client)
        with pytest.raises(UsageError, match="aopen_run or AsyncRuns"):
            Runs(shell.library.AsyncClient())
    for form in (Runs, AsyncRuns):
        with pytest.raises(UsageError, match="not NoneType"):
            form(None)


# Images

PNG: Final = b"\x89PNG\r\n\x1a\n\0\xff"


@in_every_shell()
@pytest.mark.parametrize("image", [
    "file_1",
    ImageAdded("step_1", 0, "call_1", 0, "file_1", None),
    CodeInterpreterImage(file_id="file_1"),
    SimpleNamespace(file_id="file_1"),
])  # fmt: skip
def test_the_bytes_of_an_image(server: Server, shell: Shell, image: object) -> None:
    place = server.add(Script([], files={"file_1": PNG}))
    assert shell.ask(server.url, lambda runs: runs.image_bytes(image)) == PNG
    (noted,) = server.requests(place)
    assert noted[:4] == ("file", "GET", "/v1/files/file_1/content", [])


@in_every_shell()
@pytest.mark.parametrize("image", [
    ImageAdded("step_1", 0, "call_1", 0, None, "https://example.com/1.png"),
    CodeInterpreterImage(url="data:image/png;base64,AA=="),
    CodeInterpreterImageOutput(image=CodeInterpreterImage(file_id="file_1")),
    SimpleNamespace(file_id=5),
    SimpleNamespace(file_id=""),
    b"file_1",
    "",
    None,
])  # fmt: skip
def test_an_image_without_an_id_is_not_asked_for(
    server: Server, shell: Shell, image: object
) -> None:
    asked: list[str] = []
    with pytest.raises(UsageError, match="file id"):
        shell.ask(server.url, lambda runs: runs.image_bytes(image), asked=asked)
    assert asked == []


@in_every_shell()
@pytest.mark.parametrize(("answer", "words"), [
    (Answer(404, {"error": {"message": "No such File object: file_1"}}), "No such File object"),
    (Answer(302, b"", {"location": "https://example.com/"}), "redirected to https://example.com"),
    (Answer(204, b""), None),
    (Answer(200, b"[]", {"content-type": "application/json"}), None),
])  # fmt: skip
def test_images_that_are_refused_and_contents_of_any_kind(
    server: Server, *, shell: Shell, answer: Answer, words: str | None
) -> None:
    server.add(Script([], files={"file_1": b""}, answers={"file": [answer]}))
    if words is None:
        assert shell.ask(server.url, lambda runs: runs.image_bytes("file_1")) == answer.body
        return
    with pytest.raises(ResponseError, match=words) as caught:
        shell.ask(server.url, lambda runs: runs.image_bytes("file_1"))
    assert caught.value.status == answer.status


@in_every_shell()
def test_the_image_of_a_run(server: Server, shell: Shell) -> None:
    place = server.add(Script(OWN["report"]))
    fields = {"assistant_id": place.assistant_id}
    changes = shell.ask(server.url, lambda runs: runs.stream(place.thread_id, **fields))
    (image,) = [change for change in changes if isinstance(change, ImageAdded)]
    assert image.file_id is not None
    server.add(Script([], files={image.file_id: PNG}))
    assert shell.ask(server.url, lambda runs: runs.image_bytes(image)) == PNG
