"""The server, as people use it: on the loopback, for clients in any language."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import httpx
import httpx2
import pytest

from streamkit import UsageError, accumulate, to_wire
from streamkit.server import Place, Server, serve
from streamkit.testing.building import (
    function_call,
    message,
    script,
)
from streamkit.testing.faults import Cut, Stall, Status
from streamkit.testing.streams import Stream
from tests.asking import RUN, create

ASKING: Final = script(function_call("f", {}, output="x"), message("Leave."))
HERE: Final = Path(__file__).parent / "recordings"


@contextmanager
def connected(server: Server, library: Any = httpx, **options: Any) -> Iterator[Any]:
    options = {"base_url": server.url, "trust_env": False} | options
    with library.Client(**options) as client:
        yield client


def body_of(source: Any, leg: int = 0) -> bytes:
    return Stream(source).recording.legs[leg].body


# What it speaks


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_run(library: Any) -> None:
    with serve(ASKING, speed=float("inf")) as server, connected(server, library) as client:
        assert client.request(**create()).content == body_of(ASKING)
        url = "/threads/thread_1/runs/run_1"
        given = {"tool_outputs": [{"tool_call_id": "call_1", "output": "x"}], "stream": True}
        assert client.post(f"{url}/submit_tool_outputs", json=given).content == body_of(ASKING, 1)
        assert client.get(url).json() == to_wire(ASKING)["run"]
        assert [each.operation for each in server.requests] == ["create", "submit", "retrieve"]


def test_an_event_comes_as_soon_as_its_time_has_come() -> None:
    with serve(RUN, faults=[Stall(frames=3)]) as server, connected(server) as client:
        with client.stream(**create()) as response:
            seen, chunks = b"", response.iter_raw()
            while seen.count(b"\n\n") < 3:
                seen += next(chunks)
            run = client.get("/threads/thread_1/runs/run_1").json()
            assert run["status"] == "in_progress"
            assert server.open_streams == 1
        server.wait_idle()
        assert client.get("/threads/thread_1/runs/run_1").json()["status"] == "completed"


def test_a_stalled_run_is_cancelled() -> None:
    with (
        serve(RUN, faults=[Stall(frames=9)]) as server,
        connected(server) as client,
        client.stream(**create()) as response,
    ):
        seen, chunks = b"", response.iter_raw()
        while seen.count(b"\n\n") < 9:
            seen += next(chunks)
        assert client.post("/threads/thread_1/runs/run_1/cancel").status_code == 200
        seen += b"".join(chunks)
    run = accumulate([seen]).run
    assert run is not None
    assert run.status == "cancelled"


def test_statuses_and_breaks() -> None:
    faults = [
        Status(status=204, body=b"none"),
        Status(status=503, retry_after=1),
        Status(abort=True),
        Cut(frames=2, how="abort"),
    ]
    with serve(RUN, faults=faults) as server, connected(server) as client:
        assert client.request(**create()).status_code == 204
        assert client.request(**create()).headers["retry-after"] == "1"
        for _ in range(2):
            with pytest.raises(httpx.RemoteProtocolError):
                client.request(**create())


@pytest.mark.parametrize("method", ["DELETE", "HEAD", "OPTIONS", "PURGE", "PUT"])
def test_what_it_does_not_speak_is_refused_as_by_the_api(method: str) -> None:
    with serve(RUN) as server, connected(server) as client:
        response = client.request(method, "/threads/runs")
        assert response.status_code == 405
        assert response.headers["content-type"] == "application/json"
        if method != "HEAD":
            assert (
                response.json()["error"]["message"] == f"Invalid URL ({method} /v1/threads/runs)"
            )
        assert (
            client.post(f"{server.origin}/").json()["error"]["message"] == "Invalid URL (POST /)"
        )


@pytest.mark.parametrize(
    "path",
    ["/v1/files/..%2F..%2Fetc%2Fpasswd/content", "/v1/files/../../etc/passwd", "/etc/passwd"],
)
def test_no_path_is_opened_on_request(path: str) -> None:
    with (
        serve(HERE / "report.sse") as server,
        socket.create_connection(("127.0.0.1", port_of(server))) as connection,
    ):
        # As it stands, which clients would not send.
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b'"error"' in answer


def port_of(server: Server) -> int:
    return int(server.origin.rpartition(":")[2])


# Pages of any origin


@pytest.mark.parametrize("origin", ["http://localhost:5173", "https://app.test", "null"])
def test_pages_of_any_origin_may_ask(origin: str) -> None:
    asking = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,openai-beta,x-stainless-os",
    }
    faults = [Status(status=429, operation="list"), Status(status=500, operation="steps")]
    with serve(RUN, faults=faults) as server, connected(server) as client:
        allowed = client.options("/threads/thread_1/runs", headers=asking)
        answers = [
            client.request(**create(), headers={"Origin": origin, "Cookie": "a=1"}),
            client.get("/threads/thread_1/runs", headers={"Origin": origin}),
            client.get("/nothing", headers={"Origin": origin}),
            client.get(server.origin, headers={"Origin": origin}),
        ]
    assert allowed.status_code == 200
    assert "POST" in allowed.headers["access-control-allow-methods"]
    listed = allowed.headers["access-control-allow-headers"].lower()
    assert {each.strip() for each in listed.split(",")} >= {
        "authorization", "content-type", "openai-beta", "x-stainless-os",
    }  # fmt: skip
    assert [answer.status_code for answer in answers] == [200, 429, 404, 200]
    for answer in [allowed, *answers]:
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in answer.headers["vary"]
    exposed = answers[0].headers["access-control-expose-headers"]
    assert {"x-request-id", "retry-after"} <= {each.strip() for each in exposed.split(",")}


# The start page


def page(server: Server, **headers: str) -> tuple[str, ET.Element]:
    with connected(server) as client:
        response = client.get(server.origin, headers=headers)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return response.text, ET.fromstring(response.text)


def test_the_start_page_says_what_is_served() -> None:
    odd = "<b>&\"'\x01\ud800 é"
    sources: Any = {"report": HERE / "report.sse", odd: ASKING}
    faults = [Cut(frames=9), Status(status=503, operation="submit")]
    with serve(sources, mapping={"<i>": odd}, faults=faults, speed=2) as server:
        _, html = page(server)
    shown = "<b>&\"'\ufffd\ufffd é"
    cells = [[cell.text for cell in row] for row in html.iter("tr")]
    assert cells == [
        ["Name", "Legs", "Frames", "Ends", "Speed"],
        ["report", "1", "317", "complete", "2"],
        [shown, "2", cells[2][2], "complete", "2"],
    ]
    codes = [code.text for code in html.iter("code")]
    assert codes == ["cut:frames=9", "status:status=503,operation=submit", "<i>", shown]
    curl, python = [pre.text or "" for pre in html.iter("pre")]
    assert f"{server.url}/threads/thread_1/runs" in curl
    assert f'base_url="{server.url}"' in python
    assert not list(html.iter("b"))


def test_the_requests_on_the_start_page_work(tmp_path: Path) -> None:
    with serve({"it's $HOME": RUN}, speed=float("inf")) as server:
        _, html = page(server)
        curl = next(html.iter("pre")).text or ""
        fake = tmp_path / "curl"
        fake.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv))\n")
        fake.chmod(0o755)
        done = subprocess.run(
            ["/bin/sh", "-c", curl], env={"PATH": str(tmp_path)}, capture_output=True, check=True
        )
        with connected(server) as client:
            for line in done.stdout.splitlines():
                _, _, url, *_, body = json.loads(line)
                assert accumulate([client.post(url, content=body).content]).outcome == "complete"
        run, response = (asked.json for asked in server.requests)
        assert run["assistant_id"] == response["model"] == "it's $HOME"


@pytest.mark.parametrize("host", ["[", "<script>", "a:b:c", "localhost:1"])
def test_the_start_page_under_any_name(host: str) -> None:
    with serve() as server:
        _, html = page(server, Host=host)
    assert not list(html.iter("script"))
    assert [cell.text for cell in html.iter("td")] == ["Nothing."]


def test_switched_off() -> None:
    with serve(RUN, sunset=True) as server, connected(server) as client:
        for method, path in (("POST", "/threads/runs"), ("GET", "/threads/thread_1")):
            refused = client.request(method, path)
            assert refused.status_code == 404
            assert refused.json()["error"] == {
                "message": f"Invalid URL ({method} /v1{path})",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        assert client.get("/files/file-1/content").status_code == 200
        assert "switched off" in page(server)[0]


# Folders


def fill(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        path = folder / name
        leg = 1 if ".leg2" in name else 0
        if name.endswith(".json"):
            path.write_text(json.dumps(to_wire(RUN)))
        elif name.endswith(".sse"):
            path.write_bytes(Stream(ASKING).recording.legs[leg].body)
        else:
            path.write_bytes(name.encode())


def test_a_folder(tmp_path: Path) -> None:
    inner, outer = tmp_path / "in", tmp_path / "out"
    fill(outer, "secret.sse", "secret.png")
    fill(
        inner, "b.leg1.sse", "b.leg2.sse", "a.json", "chart.png", "photo.JPG", "notes.txt", "c.sse"
    )
    fill(inner / "deeper", "d.sse", "deep.png")
    for name in ("secret.sse", "secret.png"):
        (inner / name).symlink_to(outer / name)
    (inner / "same.sse").symlink_to(inner / "c.sse")
    (inner / "loop.sse").symlink_to(inner / "loop.sse")
    with serve(inner, speed=float("inf")) as server, connected(server) as client:
        assert server.names == ("a", "b", "c", "same")
        complete, paused = (
            accumulate([client.request(**create(name)).content], allow_partial=True).outcome
            for name in ("a", "b")
        )
        assert (complete, paused) == ("complete", "paused")
        found = {
            id: client.get(f"/files/{id}/content").content
            for id in ("chart", "photo", "secret", "deep", "notes", "chart.png")
        }
    assert (found.pop("chart"), found.pop("photo")) == (b"chart.png", b"photo.JPG")
    assert all(b'"error"' in content for content in found.values())


def test_legs_are_put_together(tmp_path: Path) -> None:
    fill(tmp_path, "a.legend.sse")
    fill(tmp_path / "x", "a.leg1.sse", "a.leg2.sse")
    paths = [
        tmp_path / "x" / "a.leg2.sse",
        tmp_path / "a.legend.sse",
        tmp_path / "x" / "a.leg1.sse",
    ]
    with serve(*paths, speed=float("inf")) as server, connected(server) as client:
        assert server.names == ("a", "a.legend")
        body = client.request(**create("a")).content
        assert body.replace(b'"a"', b'"asst_1"') == body_of(ASKING)
    fill(tmp_path / "y", "a.leg1.sse")
    with pytest.raises(UsageError, match="'a' is served twice"), serve(*paths, tmp_path / "y"):
        raise AssertionError


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "there is no recording in"),
        (["a.txt", "a.png"], "there is no recording in"),
        (["a.leg2.sse"], "no a.leg1 before it"),
        (["a.sse", "a.leg1.sse"], "may be any of"),
    ],
)
def test_what_a_folder_may_not_hold(tmp_path: Path, names: list[str], said: str) -> None:
    fill(tmp_path / "in", *names)
    with pytest.raises(UsageError, match=said), serve(tmp_path / "in"):
        raise AssertionError


# Places


def test_what_is_added_has_a_place_of_its_own() -> None:
    with serve(RUN) as server, connected(server) as client:
        first = server.add(ASKING, faults=[Status(status=503)])
        second = server.add(ASKING, files={"file-1": b"mine"})
        assert len({*first, *second}) == 4
        assert client.request(**create(*first[::-1])).status_code == 503
        for place in (first, second):
            body = client.request(**create(*place[::-1])).content
            ids = Place("thread_1", "asst_1")
            for old, new in zip(ids, place, strict=True):
                body = body.replace(f'"{new}"'.encode(), f'"{old}"'.encode())
            assert body == body_of(ASKING)
        assert client.get("/files/file-1/content").content == b"mine"
        assert [each.operation for each in server.requests_at(first)] == ["create", "create"]
        assert [each.operation for each in server.requests_at(second)] == ["create", "file"]
        assert len(server.requests) == 4
        assert server.names == ("1",)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer right"}, 400),
        ({"Authorization": "Bearer right", "OpenAI-Beta": "assistants=v2"}, 200),
    ],
)
def test_a_key_and_the_headers_may_be_wanted(headers: dict[str, str], status: int) -> None:
    with serve(RUN, key="right", strict=True) as server, connected(server) as client:
        assert client.request(**create(), headers=headers).status_code == status


# Many at once


def test_many_clients_at_once() -> None:
    run = script(*(function_call("f", {"n": n}, output="x") for n in range(3)), message("Leave."))
    legs = [leg.body for leg in Stream(run).recording.legs]
    failed: list[object] = []

    def talk(server: Server, rank: int) -> None:
        thread = f"thread_of_{rank}"
        with connected(server, (httpx, httpx2)[rank % 2]) as client:
            heard = [client.request(**create(thread=thread)).content]
            for n in range(3):
                given = [{"tool_call_id": f"call_{n + 1}", "output": "x"}]
                url = f"/threads/{thread}/runs/run_1/submit_tool_outputs"
                body = {"tool_outputs": given, "stream": True}
                heard.append(client.post(url, json=body).content)
        if heard != [leg.replace(b'"thread_1"', f'"{thread}"'.encode()) for leg in legs]:
            failed.append(heard)

    with serve(run, speed=1, gap=0.0005) as server:
        threads = [threading.Thread(target=talk, args=(server, rank)) for rank in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.requests) == 200
    assert not failed


# The block


def test_it_listens_on_the_loopback_only() -> None:
    with serve() as server:
        assert server.origin.startswith("http://127.0.0.1:")
        assert (server.url, server.azure_url) == (f"{server.origin}/v1", f"{server.origin}/openai")
        other = socket.socket()
        other.settimeout(5)
        with other, pytest.raises(OSError):
            other.connect(("127.0.0.2", port_of(server)))


@pytest.mark.parametrize("error", [None, ValueError("mine"), KeyboardInterrupt()])
def test_the_block_ends_whatever_is_open(error: BaseException | None) -> None:
    before = threading.active_count()
    caught = nullcontext() if error is None else pytest.raises(type(error))
    with httpx.Client(trust_env=False) as client:
        with caught, serve(RUN, faults=[Stall(frames=3)]) as server:
            request = create() | {"url": f"{server.url}/threads/thread_1/runs"}
            response = client.send(client.build_request(**request), stream=True)
            chunks = response.iter_raw()
            next(chunks)
            assert server.open_streams == 1
            if error is not None:
                raise error
        with pytest.raises(httpx.TransportError):
            list(chunks)
        with pytest.raises(httpx.ConnectError):
            client.get(server.origin)
    assert threading.active_count() == before


def test_a_port_of_ones_own_again_and_again() -> None:
    with serve() as server:
        port = port_of(server)
        with pytest.raises(OSError), serve(port=port):
            raise AssertionError
    for _ in range(2):
        with serve(RUN, port=port) as server, connected(server) as client:
            assert port_of(server) == port
            client.get("/threads/thread_1")


@pytest.mark.parametrize("port", [-1, 65536])
def test_what_is_no_port(port: int) -> None:
    with pytest.raises(UsageError, match="from 0 to 65535"), serve(port=port):
        raise AssertionError


def test_several_servers_at_once() -> None:
    with serve(RUN) as one, serve(ASKING) as other, connected(one) as client:
        assert client.get(f"{other.url}/threads/x").status_code == 404
        assert (len(one.requests), len(other.requests)) == (0, 1)


def test_waiting_has_an_end() -> None:
    with serve(RUN, faults=[Stall(frames=3)]) as server, connected(server) as client:
        with client.stream(**create()) as response:
            chunks = response.iter_raw()
            next(chunks)
            with pytest.raises(TimeoutError, match="1 streams are open"):
                server.wait_idle(timeout=0)
        server.wait_idle()


@pytest.mark.parametrize("absent", ["starlette", "uvicorn"])
def test_without_its_extra(absent: str) -> None:
    code = f"import sys; sys.modules[{absent!r}] = None; import streamkit.server"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: the server needs starlette and uvicorn (")
    assert last.endswith("): pip install 'streamkit[server]'")
