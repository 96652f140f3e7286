"""The transport plays runs to clients of both libraries, synchronous or not."""

from __future__ import annotations

import struct
import threading
import zlib
from pathlib import Path
from typing import Any, Final

import anyio
import httpx2
import pytest

from streamkit import accumulate, to_wire
from streamkit.recording import Chunk, Leg, Recording, read
from streamkit.testing.building import (
    code_interpreter,
    image,
    message,
    script,
)
from streamkit.testing.exploding import explode
from streamkit.testing.transports import MockTransport
from tests.asking import (
    ASKING,
    FORMS,
    OUTPUTS,
    PLAIN,
    RUN,
    Form,
    aopened,
    ask,
    bodies,
    create,
    on_every_form,
    opened,
    submitted,
)
from tests.recorded import OWN

HERE: Final = Path(__file__).parent


# A run from its beginning to its end


@on_every_form
def test_a_script_is_played_leg_by_leg(form: Form) -> None:
    transport = MockTransport(ASKING)
    first = ask(form, transport, **create())
    paused = accumulate([first.body], allow_partial=True)
    assert (first.status, paused.outcome) == (200, "paused")
    assert first.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "x-request-id" in first.headers
    last = ask(form, transport, **submitted(paused))
    assert [first.body, last.body] == bodies(ASKING)

    url = "/threads/thread_1/runs"
    asked = {
        name: ask(form, transport, url=f"{url}{path}", params={"order": "asc"}).json()
        for name, path in {"run": "/run_1", "runs": "", "steps": "/run_1/steps"}.items()
    }
    whole = to_wire(ASKING)
    assert asked["run"] == whole["run"]
    assert asked["runs"]["data"] == [whole["run"]]
    assert asked["steps"]["data"] == whole["steps"]
    step = ask(form, transport, url=f"{url}/run_1/steps/step_1")
    assert step.json() == whole["steps"][0]
    messages = ask(form, transport, url="/threads/thread_1/messages")
    assert messages.json()["data"] == whole["messages"]
    one = ask(form, transport, url=f"/threads/thread_1/messages/{whole['messages'][0]['id']}")
    assert one.json() == whole["messages"][0]
    assert [each.operation for each in transport.requests] == [
        "create", "submit", "retrieve", "list", "steps", "step", "messages", "message",
    ]  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_a_recording_is_played_as_it_is(name: str) -> None:
    legs = OWN[name]
    recording = Recording(legs=[Leg(chunks=[Chunk(b) for b in (x[:99], x[99:])]) for x in legs])
    ids = {}
    for key, plain in {"thread": "thread_1", "assistant": "asst_1"}.items():
        run = accumulate([legs[0]], allow_partial=True).run
        ids[key] = getattr(run, f"{key}_id", None) or plain
    transport = MockTransport(recording)
    first = ask(PLAIN, transport, **create(**ids))
    assert first.chunks == [chunk.data for chunk in recording.legs[0].chunks]


SOURCES: Final[dict[str, Any]] = {
    "script": RUN,
    "frames": explode(RUN, size=1, seed=3),
    "bytes": OWN["report"][0],
    "path": HERE / "recordings" / "report.sse",
    "str": str(HERE / "recordings" / "report.sse"),
    "recording": read(HERE / "recordings" / "report.sse"),
    "legs": [HERE / "recordings" / f"three-legs.leg{leg}.sse" for leg in (1, 2, 3)],
}


@pytest.mark.parametrize("name", SOURCES)
def test_whatever_can_be_played(name: str) -> None:
    heard = ask(PLAIN, MockTransport(SOURCES[name]), **create("x", "y"))
    run = accumulate([heard.body], allow_partial=True)
    assert run.run is not None
    assert (run.run.assistant_id, run.run.thread_id) == ("x", "y")
    assert run.outcome == ("paused" if name == "legs" else "complete")


@on_every_form
def test_a_run_without_a_stream_is_asked_for_until_it_ends(form: Form) -> None:
    transport = MockTransport(ASKING)
    created = ask(form, transport, **create(stream=False, metadata={"a": "1"})).json()
    assert (created["status"], created["metadata"]) == ("queued", {"a": "1"})
    url = "/threads/thread_1/runs/run_1"
    waiting = ask(form, transport, url=url).json()
    assert waiting["status"] == "requires_action"
    calls = waiting["required_action"]["submit_tool_outputs"]["tool_calls"]
    body = {"tool_outputs": [{"tool_call_id": call["id"], "output": ""} for call in calls]}
    assert ask(form, transport, "POST", OUTPUTS, json=body).json()["status"] == "queued"
    assert ask(form, transport, url=url).json() == to_wire(ASKING)["run"] | {
        "metadata": {"a": "1"}
    }


@on_every_form
def test_a_thread_its_messages_and_a_run(form: Form) -> None:
    transport = MockTransport(RUN)
    said = {"role": "user", "content": "First?"}
    thread = ask(form, transport, "POST", "/threads", json={"messages": [said]}).json()
    assert thread.keys() >= {"id", "object", "created_at", "metadata", "tool_resources"}
    url = f"/threads/{thread['id']}"
    assert ask(form, transport, url=url).json() == thread
    picture = {"type": "image_file", "image_file": {"file_id": "file-9"}}
    parts = [{"type": "text", "text": "And this?"}, picture]
    second = ask(form, transport, "POST", f"{url}/messages", json=said | {"content": parts}).json()
    ask(form, transport, **create(thread=thread["id"], additional_messages=[said]))
    ask(form, transport, "POST", f"{url}/messages", json=said)
    listed = ask(form, transport, url=f"{url}/messages", params={"order": "asc"}).json()["data"]
    assert [each["role"] for each in listed] == ["user", "user", "user", "assistant", "user"]
    assert listed[1] == second
    assert second["content"] == [
        {"type": "text", "text": {"value": "And this?", "annotations": []}},
        picture,
    ]
    assert {each["thread_id"] for each in listed} == {thread["id"]}
    assert len({each["id"] for each in listed}) == 5
    only = ask(form, transport, url=f"{url}/messages", params={"run_id": "run_1"}).json()["data"]
    assert [each["role"] for each in only] == ["assistant"]


def test_a_thread_is_made_for_a_run() -> None:
    transport = MockTransport(RUN)
    made = {"messages": [{"role": "user", "content": "Hm?"}], "metadata": {"a": "1"}}
    body = {"assistant_id": "asst_1", "stream": True, "thread": made}
    asked = [ask(PLAIN, transport, "POST", "/threads/runs", json=body).body for _ in range(2)]
    assert asked[0] == bodies(RUN)[0]
    other = accumulate([asked[1]]).run
    assert other is not None
    assert other.thread_id not in (None, "thread_1")
    for thread in ("thread_1", other.thread_id):
        assert ask(PLAIN, transport, url=f"/threads/{thread}").json()["metadata"] == {"a": "1"}
        listed = ask(PLAIN, transport, url=f"/threads/{thread}/messages").json()["data"]
        assert [each["role"] for each in listed] == ["assistant", "user"]
    assert transport.requests[0].operation == "create_thread_and_run"


def test_several_runs_on_a_thread() -> None:
    second = script(message("Again", id="msg_2"), id="run_2")
    transport = MockTransport(RUN, second)
    for _ in range(3):
        ask(PLAIN, transport, **create())
    url = "/threads/thread_1"
    runs = ask(PLAIN, transport, url=f"{url}/runs").json()["data"]
    assert [run["id"] for run in runs] == ["run_1", "run_2"]  # what is played again comes anew
    messages = ask(PLAIN, transport, url=f"{url}/messages").json()["data"]
    assert [each["id"] for each in messages] == ["msg_1", "msg_2"]
    (step,) = ask(PLAIN, transport, url=f"{url}/runs/run_2/steps").json()["data"]
    assert step["run_id"] == "run_2"


def test_a_run_under_way_is_where_its_stream_is() -> None:
    transport = MockTransport(RUN)
    seen = []
    with opened(transport, **create()) as response:
        for _ in response.iter_raw():
            run = ask(PLAIN, transport, url="/threads/thread_1/runs/run_1").json()
            steps = ask(PLAIN, transport, url="/threads/thread_1/runs/run_1/steps").json()
            seen.append((run["status"], len(steps["data"])))
    assert seen[0] == ("queued", 0)
    assert seen[-1] == ("completed", 2)
    assert seen == sorted(seen, key=lambda each: each[1])
    assert ("in_progress", 1) in seen


def test_outputs_may_be_submitted_before_the_stream_has_ended() -> None:
    transport = MockTransport(ASKING)
    seen = b""
    with opened(transport, **create()) as response:
        chunks = response.iter_raw()
        while b"requires_action" not in seen:
            seen += next(chunks)
        paused = accumulate([seen], allow_partial=True)
        last = ask(PLAIN, transport, **submitted(paused))
        seen += b"".join(chunks)
    assert [seen, last.body] == bodies(ASKING)


@pytest.mark.filterwarnings("ignore:Async generator '(httpx|httpx2)[.]:ResourceWarning")
@on_every_form
def test_leaving_early_closes_and_the_run_goes_on_unheard(form: Form) -> None:
    transport = MockTransport(RUN)

    async def leave() -> None:
        async with aopened(transport, form.library, **create()) as response:
            async for _ in response.aiter_raw():
                break

    if form.backend is None:
        with opened(transport, form.library, **create()) as response:
            next(response.iter_raw())
    else:
        anyio.run(leave, backend=form.backend or "")
    run = ask(form, transport, url="/threads/thread_1/runs/run_1").json()
    assert run == to_wire(RUN)["run"]


def test_a_stream_that_nobody_read_is_a_run_all_the_same() -> None:
    transport = MockTransport(RUN)
    with opened(transport, **create()):
        pass
    assert (
        ask(PLAIN, transport, url="/threads/thread_1/runs/run_1").json()["status"] == "completed"
    )


def test_metadata_are_modified() -> None:
    transport = MockTransport(script(message("Hm."), metadata={"a": "0", "c": "0"}))
    ask(PLAIN, transport, **create(metadata={"a": "1", "b": "2"}))
    url = "/threads/thread_1/runs/run_1"
    changed = ask(PLAIN, transport, "POST", url, json={"metadata": {"b": "3"}}).json()
    assert changed["metadata"] == {"a": "1", "b": "3", "c": "0"}
    assert ask(PLAIN, transport, url=url).json() == changed


@on_every_form
def test_a_waiting_run_is_cancelled(form: Form) -> None:
    transport = MockTransport(ASKING)
    ask(form, transport, **create())
    url = "/threads/thread_1/runs/run_1"
    assert ask(form, transport, "POST", f"{url}/cancel").json()["status"] == "cancelling"
    assert ask(form, transport, url=url).json()["status"] == "cancelled"
    again = ask(form, transport, "POST", f"{url}/cancel")
    assert again.status == 400
    assert again.json()["error"]["message"] == "Cannot cancel run with status 'cancelled'."


# Files


PICTURE: Final = b"\x89PNG\r\n\x1a\nmine"


@on_every_form
def test_the_content_of_files(form: Form, tmp_path: Path) -> None:
    path = tmp_path / "chart.png"
    path.write_bytes(PICTURE)
    given: dict[str, Any] = {"file-a": PICTURE, "file-b": path, "file-c": str(path)}
    transport = MockTransport(RUN, files=given)
    for id in given:
        assert ask(form, transport, url=f"/files/{id}/content").body == PICTURE
    drawn = ask(form, transport, url="/files/file-1/content")
    assert drawn.headers["content-type"] == "application/octet-stream"
    assert pixels(drawn.body) == {0, 1}
    missing = ask(form, transport, url="/files/file-2/content")
    assert missing.status == 404
    assert missing.json()["error"]["message"] == "No such File object: file-2"


def pixels(png: bytes) -> set[int]:
    """Read a picture of 64 x 64 colours of a palette, and give which there are."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, data = 8, b""
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        content = png[at + 8 : at + 8 + size]
        assert zlib.crc32(kind + content) == struct.unpack(">I", png[at + 8 + size :][:4])[0]
        if kind == b"IHDR":
            assert struct.unpack(">IIBBBBB", content) == (64, 64, 8, 3, 0, 0, 0)
        data += content if kind == b"IDAT" else b""
        at += size + 12
    rows = zlib.decompress(data)
    assert len(rows) == 64 * 65
    return {rows[y * 65 + 1 + x] for y in range(64) for x in range(64)}


def test_pictures_differ_by_name_and_stay_the_same() -> None:
    run = script(code_interpreter("", *[image(f"file-{n}") for n in range(9)]))
    drawn = [
        {ask(PLAIN, MockTransport(run), url=f"/files/file-{n}/content").body for _ in range(2)}
        for n in range(9)
    ]
    assert [len(each) for each in drawn] == [1] * 9
    assert len(set.union(*drawn)) == 9


def test_a_file_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        MockTransport(RUN, files={"file-1": tmp_path / "none.png"})


# Several clients


def test_many_threads_at_once() -> None:
    transport = MockTransport(*(script(message(f"{n}" * 50), id=f"run_{n}") for n in range(10)))
    said: list[str] = []

    def talk(rank: int) -> None:
        heard = ask(FORMS[rank % 2 * 3], transport, **create(thread=f"thread_of_{rank}"))
        run = accumulate([heard.body])
        assert run.run is not None
        assert run.run.thread_id == f"thread_of_{rank}"
        said.append(run.messages[0].content[0].text.value)  # type: ignore[union-attr]

    threads = [threading.Thread(target=talk, args=(rank,)) for rank in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == sorted(f"{n}" * 50 for n in range(10) for _ in range(5))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_many_tasks_of_one_client(backend: str) -> None:
    transport: Any = MockTransport(RUN, speed=1, gap=0.0001)
    heard: dict[int, bytes] = {}

    async def talk(client: Any, rank: int) -> None:
        async with client.stream(**create(thread=f"thread_{rank}")) as response:
            heard[rank] = await response.aread()

    async def meet() -> None:
        async with (
            httpx2.AsyncClient(transport=transport, base_url="http://a/v1") as client,
            anyio.create_task_group() as group,
        ):
            for rank in range(20):
                group.start_soon(talk, client, rank)

    anyio.run(meet, backend=backend)
    (whole,) = bodies(RUN)
    assert heard == {
        rank: whole.replace(b'"thread_1"', b'"thread_%d"' % rank) for rank in range(20)
    }


def test_clients_of_both_libraries_may_share_it_and_be_closed() -> None:
    transport = MockTransport(RUN)
    heard = [ask(form, transport, **create()).body for form in FORMS for _ in range(2)]
    assert set(heard) == {bodies(RUN)[0]}
    assert len(transport.requests) == 12
    assert isinstance(transport.requests, tuple)
    request = transport.requests[0]
    assert (request.method, request.path, request.query) == (
        "POST",
        "/v1/threads/thread_1/runs",
        [],
    )
    assert request.json == {"assistant_id": "asst_1", "stream": True}
    assert request.headers["content-type"] == "application/json"
