"""A recorder writes line by line, keeps no secret, and never stops a run."""

from __future__ import annotations

import json
import logging
import os
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import httpx2
import pytest

from streamkit import Frame, FrameDecoder, UsageError, accumulate
from streamkit.recording import KEPT_HEADERS, Recorder, read, replay, tee, write
from tests.own import OWN

EMOJI: Final = OWN["emoji"][0]
NAMES: Final = ["run.sse", "run.sse.gz", "run.sse.jsonl", "run.sse.jsonl.gz"]
FULL: Final = Path("/dev/full")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_the_lines_of_a_run(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "run.sse.jsonl"
    now = datetime(2026, 11, 21, tzinfo=UTC)
    recorder = Recorder(path, clock=clock, now=lambda: now)
    request = httpx.Request(
        "POST", "https://user:word@host/v1/runs?key=k", headers={"api-key": "k", "Accept": "a"}
    )
    response = httpx2.Response(200, headers={"Set-Cookie": "c", "X-Request-Id": "req_1"})
    seconds: Iterator[float] = iter((0.5, 0.25, 1.5, 2.0, 0.125, 0.0))
    steps: list[Any] = [
        lambda: recorder.begin(request=request, response=response),
        lambda: recorder.chunk("ü".encode()),
        lambda: recorder.chunk("ü".encode()[:1]),
        recorder.end,
        recorder.begin,
        lambda: recorder.fail(OSError("gone")),
    ]
    expected: list[dict[str, Any]] = [
        {
            "streamkit": 1,
            "created": "2026-11-21T00:00:00.000+00:00",
            "request": {"method": "POST", "path": "/v1/runs", "headers": {"accept": "a"}},
            "response": {"status": 200, "headers": {"x-request-id": "req_1"}},
        },
        {"after": 0.25, "data": "ü"},
        {"after": 1.5, "bytes": "ww=="},
        {"after": 2.0, "end": "eof"},
        {"after": 0.125, "leg": 2},
        {"after": 0.0, "error": "OSError: gone"},
    ]
    for count, step in enumerate(steps, 1):
        clock.now += next(seconds)
        step()
        assert lines(path) == expected[:count]  # each is on the disk at once
    recorder.close()
    recorder.close()
    assert lines(path) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_crash_loses_nothing_that_was_written(tmp_path: Path, name: str) -> None:
    recorder = Recorder(tmp_path / name)
    recorder.begin()
    for piece in (EMOJI[:100], EMOJI[100:300]):
        recorder.chunk(piece)
        left = recorder.path.read_bytes()
        if name.endswith("gz"):
            left = zlib.decompressobj(31).decompress(left)
        assert read(left).body == EMOJI[: 100 if piece == EMOJI[:100] else 300]
    recorder.close()


@pytest.mark.skipif(not FULL.exists(), reason="there is no full disk here")
@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    caplog.set_level(logging.WARNING, "streamkit")
    (tmp_path / name).symlink_to(FULL)
    with Recorder(tmp_path / name) as recorder:
        assert accumulate(tee([EMOJI[:500], EMOJI[500:]], recorder)) == accumulate(EMOJI)
        list(tee([b"another leg"], recorder))
    assert recorder.error is not None
    assert recorder.error.errno == 28
    assert [record.name for record in caplog.records] == ["streamkit.recording"]
    assert name in caplog.text
    assert "Recorder" not in caplog.text


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_is_gone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    recorder = Recorder(folder / name)
    source = tee([EMOJI[:500], EMOJI[500:]], recorder)
    (folder / name).unlink()
    folder.rmdir()
    assert accumulate(source) == accumulate(EMOJI)
    recorder.close()
    assert isinstance(recorder.error, FileNotFoundError)
    assert len(caplog.records) == 1


def test_no_place_to_write(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Recorder(tmp_path / "none" / "run.sse")
    with pytest.raises(UsageError, match=re.escape("run.txt: a recording is called .sse")):
        Recorder(tmp_path / "run.txt")
    assert [*tmp_path.iterdir()] == []


def test_what_is_written_after_it_is_closed(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.sse") as recorder:
        source = tee([b"a", b"b"], recorder)
        assert next(source) == b"a"
    assert recorder.error is None
    recorder.begin()
    recorder.chunk(b"c")
    assert recorder.error is not None


def test_misuse(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.sse.jsonl") as recorder:
        with pytest.raises(UsageError, match="begin a leg"):
            recorder.chunk(b"a")
        with pytest.raises(UsageError, match="httpx"):
            recorder.begin(request="GET /")
    with Recorder(tmp_path / "run.sse.jsonl") as recorder:
        recorder.begin()
        text: Any = "text"
        with pytest.raises(UsageError, match="not str"):
            recorder.chunk(text)
        recorder.chunk(b"")
        raw: Any = bytearray(b"a")
        recorder.chunk(raw)
        recorder.end()
        recorder.end("closed")
        recorder.fail(OSError())
    assert read(recorder.path).body == b"a"
    assert [list(line)[-1] for line in lines(recorder.path)] == ["created", "data", "end"]


def test_which_headers_are_kept(tmp_path: Path) -> None:
    secret = [
        "api-key",
        "authorization",
        "cookie",
        "location",
        "ocp-apim-subscription-key",
        "openai-organization",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
    ]
    sent = dict.fromkeys(KEPT_HEADERS, "kept") | dict.fromkeys(secret, "SECRET")
    request = httpx.Request("GET", "https://u:SECRET@host/a?key=SECRET#SECRET", headers=sent)
    recorder = Recorder(tmp_path / "run.sse.jsonl")
    list(tee([], recorder, response=httpx.Response(200, headers=sent, request=request)))
    recorder.close()
    assert b"SECRET" not in recorder.path.read_bytes()
    (leg,) = read(recorder.path).legs
    assert leg.request
    assert leg.response
    assert leg.request.headers == leg.response.headers == dict.fromkeys(KEPT_HEADERS, "kept")
    with Recorder(tmp_path / "own.sse.jsonl", headers=["X-Own"]) as recorder:
        recorder.begin(response=httpx.Response(200, headers={"x-own": "1", "date": "now"}))
    (leg,) = read(recorder.path).legs
    assert leg.response
    assert leg.response.headers == {"x-own": "1"}


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("tail", [0, 1, 2])
@pytest.mark.parametrize("name", ["run.sse", "run.sse.jsonl"])
def test_a_hook_that_changes_and_drops_frames(
    tmp_path: Path, *, name: str, tail: int, size: int
) -> None:
    def redact(frame: Frame) -> Frame | None:
        if frame.event == "thread.run.step.delta":
            return None
        return Frame(frame.event, frame.data.replace(b"thread_", b"masked_"))

    body = EMOJI[: len(EMOJI) - tail]
    path = tmp_path / name
    with Recorder(path, redact=redact) as recorder:
        source = tee([body[at : at + size] for at in range(0, len(body), size)], recorder)
        assert b"".join(source) == body
    kept = FrameDecoder().feed(read(path).body)
    assert kept == [each for frame in FrameDecoder().feed(EMOJI) if (each := redact(frame))]
    assert b"thread_" not in path.read_bytes()


def test_what_breaks_off_within_a_frame_passes_no_hook(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.sse", redact=lambda frame: frame) as recorder:
        list(tee([b'event: a\ndata: {}\n\nevent: b\ndata: {"secr'], recorder))
    assert recorder.path.read_bytes() == b"event: a\ndata: {}\n\n"


def test_a_hook_that_fails(tmp_path: Path) -> None:
    def redact(frame: Frame) -> Frame:
        raise ValueError(frame.data)

    with (
        Recorder(tmp_path / "run.sse.jsonl", redact=redact) as recorder,
        pytest.raises(ValueError, match="secret"),
    ):
        list(tee([b"data: secret\n\n"], recorder))
    assert b"secret" not in recorder.path.read_bytes()
    assert read(recorder.path).legs[0].error == "ValueError"


def test_a_recorder_of_two_legs(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.sse.jsonl") as recorder:
        for leg in OWN["mcp-approval"]:
            list(tee([leg], recorder))
    assert [leg.body for leg in read(recorder.path).legs] == [*OWN["mcp-approval"]]
    assert recorder.legs == 2
    both = accumulate(replay(recorder.path))
    assert both == accumulate(iter(OWN["mcp-approval"]))


@pytest.mark.parametrize("name", NAMES)
def test_conversion(tmp_path: Path, name: str) -> None:
    recording = read(EMOJI)
    write(recording, tmp_path / name)
    again = read(tmp_path / name)
    assert again.legs[0].chunks == recording.legs[0].chunks
    assert {chunk.after for chunk in again.legs[0].chunks} == {None}
    write(again, tmp_path / "run.events", form="events")
    events = read(tmp_path / "run.events")
    assert events.form == "events"
    write(events, tmp_path / "back.sse")
    expected = FrameDecoder().feed(EMOJI)
    back = FrameDecoder().feed((tmp_path / "back.sse").read_bytes())
    assert [frame.event for frame in back] == [frame.event for frame in expected]
    assert accumulate(tmp_path / "back.sse") == accumulate(EMOJI)


def test_conversion_of_a_last_frame_without_its_blank_line(tmp_path: Path) -> None:
    write(read(b"event: a\ndata: {}\n\nevent: b\ndata: {}"), tmp_path / "e", form="events")
    assert [line["event"] for line in lines(tmp_path / "e")] == ["a", "b"]


def test_forms_that_are_only_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only read"):
        write(read(EMOJI), tmp_path / "run.sse", form="har")
    assert os.listdir(tmp_path) == []  # noqa: PTH208
