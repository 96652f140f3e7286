"""What other tools recorded is read: cassettes that VCR.py writes here, and HAR files."""

from __future__ import annotations

import base64
import builtins
import gzip
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import httpx
import httpx2
import pytest
import vcr  # type: ignore[import-untyped]

from streamkit import RecordingError, accumulate
from streamkit.recording import Recording, read, replay, write
from tests.living import BETA, create, outputs, serving
from tests.own import OWN
from tests.server import Place, Script, Server, rewritten

SECRET: Final = "sk-NotARealKey"
SENT: Final = BETA | {"Authorization": f"Bearer {SECRET}", "Cookie": SECRET}
EMOJI: Final = OWN["emoji"][0]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def recorded(
    server: Server, place: Place, path: Path, library: ModuleType, **options: Any
) -> Sequence[bytes]:
    """Let VCR.py record a run, and what is asked before it; return its bodies."""
    bodies: list[bytes] = []
    with (
        vcr.VCR().use_cassette(str(path), **options),
        library.Client(base_url=server.url, headers=SENT, trust_env=False) as client,
    ):
        client.get(f"/threads/{place.thread_id}/runs")
        bodies.append(client.request(**create(place), params={"sig": SECRET}).content)
        while (snapshot := accumulate(iter(bodies))).outcome == "paused":
            bodies.append(client.request(**outputs(snapshot)).content)
    return bodies


@pytest.mark.parametrize("library", [httpx, httpx2])
@pytest.mark.parametrize("is_gz", [False, True])
@pytest.mark.parametrize(
    "options",
    [{}, {"decode_compressed_response": True},
     {"decode_compressed_response": True, "serializer": "json"}],
)  # fmt: skip
def test_a_cassette(
    server: Server, tmp_path: Path, *, options: dict[str, Any], library: ModuleType, is_gz: bool
) -> None:
    place = server.add(Script(OWN["mcp-approval"], gzip=is_gz))
    path = tmp_path / "cassette"
    bodies = recorded(server, place, path, library, **options)
    assert bodies == [body.data for body in rewritten(OWN["mcp-approval"], place)]
    recording = read(path)
    assert recording.form == "vcr"
    assert not recording.is_cut
    assert [leg.body for leg in recording.legs] == bodies
    assert len(recording.legs[0].chunks) == bodies[0].count(b"\n\n")
    first, second = (leg.request for leg in recording.legs)
    assert first
    assert second
    assert (first.method, first.path) == ("POST", f"/v1/threads/{place.thread_id}/runs")
    assert second.path.endswith("/submit_tool_outputs")
    assert first.headers["openai-beta"] == "assistants=v2"
    assert recording.legs[0].response
    assert recording.legs[0].response.status == 200
    assert accumulate(replay(path)) == accumulate(iter(bodies))
    assert SECRET not in repr(recording)
    write(recording, tmp_path / "run.sse.jsonl")
    assert SECRET.encode() not in (tmp_path / "run.sse.jsonl").read_bytes()
    assert read(tmp_path / "run.sse.jsonl").legs == recording.legs
    assert read(gzip.compress(path.read_bytes())) == recording


@pytest.mark.parametrize("serializer", ["yaml", "json"])
def test_a_cassette_cut_anywhere(server: Server, tmp_path: Path, serializer: str) -> None:
    place = server.add(Script(OWN["refusal"]))
    path = tmp_path / "cassette"
    (body,) = recorded(server, place, path, httpx, serializer=serializer)
    data = path.read_bytes()
    end = len(data.rstrip())
    for stop in [*range(30), *range(30, end - 2, 37), *range(end - 60, end - 2)]:
        try:
            recording = read(data[:stop])
        except RecordingError as error:
            assert str(error).startswith("the recording: ")  # noqa: PT017
        else:
            assert recording.is_cut or stop == 0 or not recording.legs or stop < 13
            assert recording.body in body or stop < 13


def cassette(**answer: Any) -> bytes:
    kind = {"content-type": ["text/event-stream"]} | answer.pop("headers", {})
    answer = {"status": {"code": 200}, "headers": kind} | answer
    return json.dumps(
        {"version": 1, "interactions": [{"request": {"uri": "/a"}, "response": answer}]}
    ).encode()


def test_odd_cassettes() -> None:
    old = cassette(content=EMOJI.decode(), status_code=200)
    left = cassette(body={"string": EMOJI.decode()}, headers={"content-encoding": ["br"]})
    assert read(old).body == read(left).body == EMOJI


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (cassette(headers={"content-type": ["text/html"]}), "no event stream among its 1 answers"),
        (cassette(body={"string": "?"}, headers={"content-encoding": ["br"]}), "encoded with br"),
        (cassette(body={"string": "?" * 9}, headers={"content-encoding": ["gzip"]}), "and is not"),
        (b"version: 1\n", "it has no list of interactions"),
        (b"interactions: [\n", "this is no YAML"),
        (b"interactions: []\n", "no event stream among its 0 answers"),
    ],
)
def test_cassettes_that_hold_no_run(data: bytes, said: str) -> None:
    with pytest.raises(RecordingError, match=re.escape(said)):
        read(data)


def test_without_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = builtins.__import__

    def without(name: str, *args: Any) -> ModuleType:
        if name == "yaml":
            raise ModuleNotFoundError(name)
        return whole(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(RecordingError, match=re.escape("install 'streamkit[vcr]'")):
        read(b"interactions: []\n")


# HAR


def entry(body: bytes, kind: str = "text/event-stream", *, is_base64: bool = False) -> Any:
    """Write what Chromium's network panel does."""
    content: dict[str, Any] = {"size": len(body), "mimeType": kind, "text": body.decode()}
    if is_base64:
        content |= {"text": base64.b64encode(body).decode(), "encoding": "base64"}
    return {
        "_connectionId": "1", "_initiator": {"type": "script"}, "_resourceType": "fetch",
        "cache": {}, "pageref": "page_1", "startedDateTime": "2026-11-21T14:00:00.000Z",
        "request": {
            "method": "POST", "url": f"https://u:{SECRET}@host/v1/runs?key={SECRET}",
            "httpVersion": "http/2.0",
            "headers": [{"name": "Authorization", "value": SECRET},
                        {"name": "OpenAI-Beta", "value": "assistants=v2"}],
            "cookies": [{"name": "a", "value": SECRET}],
        },
        "response": {
            "status": 200, "statusText": "",
            "headers": [{"name": "content-type", "value": kind},
                        {"name": "content-encoding", "value": "br"},
                        {"name": "set-cookie", "value": SECRET}],
            "content": content, "redirectURL": "", "_transferSize": 1,
        },
        "time": 1.0, "timings": {"blocked": 1, "wait": 2, "receive": 3},
    }  # fmt: skip


def har(*entries: Any, bom: bytes = b"", indent: int | None = 2) -> bytes:
    log = {"version": "1.2", "creator": {"name": "WebInspector"}, "pages": [], "entries": entries}
    return bom + json.dumps({"log": log}, indent=indent).encode()


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("is_base64", [False, True])
def test_har(bom: bytes, *, is_base64: bool) -> None:
    page = entry(b"<p>", "text/html")
    legs = [entry(leg, is_base64=is_base64) for leg in OWN["mcp-approval"]]
    legs[1]["response"]["content"]["mimeType"] = "Text/Event-Stream; charset=utf-8"
    recording = read(har(page, *legs, bom=bom))
    assert recording.form == "har"
    assert [leg.body for leg in recording.legs] == [*OWN["mcp-approval"]]
    assert len(recording.legs[0].chunks) > 1
    assert {leg.request.path for leg in recording.legs if leg.request} == {"/v1/runs"}
    assert SECRET not in repr(recording)
    assert accumulate(replay(recording)) == accumulate(iter(OWN["mcp-approval"]))


@pytest.mark.parametrize("indent", [None, 2])
def test_har_cut_at_every_byte(indent: int | None) -> None:
    data = har(entry(EMOJI[:200]), indent=indent)
    for stop in range(1, len(data)):
        try:
            recording = read(data[:stop])
        except RecordingError:
            continue
        assert recording == Recording(legs=recording.legs, form=recording.form, is_cut=True)
        assert recording.body == b""


def test_har_without_a_run() -> None:
    with pytest.raises(RecordingError, match="no event stream among its 1 answers"):
        read(har(entry(b"<p>", "text/html")))
    broken = entry(EMOJI, is_base64=True)
    broken["response"]["content"]["text"] = "!"
    with pytest.raises(RecordingError, match="no base64"):
        read(har(broken))
    with pytest.raises(RecordingError, match="no event stream"):
        read(har(None, 5, {}, {"request": 5, "response": {"headers": 5, "content": []}}))
