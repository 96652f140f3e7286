"""The forms of our own: the timed form, raw bodies, lines of events, and frames without gaps."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from streamkit import FrameDecoder, RecordingError, UsageError, accumulate
from streamkit.recording import Recording, read, replay
from tests.own import OWN
from tests.recorded import ODD, OTHERS, STREAMS, on_every_stream

EMOJI: Final = OWN["emoji"][0]
HEADER: Final = b'{"streamkit":1}\n'
STRIPPED: Final = re.sub(rb"\n\n", b"\n", EMOJI)
LINES: Final = b"".join(
    json.dumps({"event": frame.event, "data": json.loads(frame.data)}).encode() + b"\n"
    for frame in FrameDecoder().feed(EMOJI)
    if frame.event != "done"
)


# Raw bodies


@on_every_stream()
def test_raw_bodies_are_kept_to_the_byte(name: str) -> None:
    for body in STREAMS[name]:
        for data in (body, gzip.compress(body)):
            recording = read(data)
            assert (recording.form, recording.body, recording.repairs) == ("raw", body, [] or ())
            assert b"".join(replay(data)) == body


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_raw_body_cut_at_every_byte(end: bytes) -> None:
    body = b"\xef\xbb\xbf:hi\nevent: a\ndata: {}\nid: 3\n\ndata: {\ndata: }\n\nretry: 3\n\n"
    body = body.replace(b"\n", end)
    for stop in range(len(body) + 1):
        recording = read(body[:stop])
        assert recording.body == body[:stop]
        assert not recording.repairs
    assert len(read(body).legs[0].chunks) == 3
    assert {chunk.after for chunk in read(body).legs[0].chunks} == {None}


def test_an_empty_file() -> None:
    assert read(b"") == Recording(legs=[])
    assert [*replay(b"")] == []


# Sources


def test_kinds_of_sources(tmp_path: Path) -> None:
    path = tmp_path / "any.name"
    path.write_bytes(EMOJI)
    recording = read(path)
    assert read(str(path)) == read(EMOJI) == read(io.BytesIO(EMOJI)) == recording
    assert read(recording) is recording
    with path.open("rb") as file:
        assert read(file) == recording


@pytest.mark.parametrize("source", [5, None, ["a"], io.StringIO("a")])
def test_what_is_no_source(source: Any) -> None:
    with pytest.raises(UsageError, match="a recording is a path, bytes, or a file opened"):
        read(source)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x89PNG\r\n\x1a\n", "line 1 begins in none of the known forms"),
        (b"<html>\n</html>", "line 1 begins in none of the known forms"),
        (b'[{"event": "a"}]', "line 1 begins in none of the known forms"),
        (b'{\n  "log": {\n', "line 1 is no JSON"),
        (b'{"a": 1}\n', 'line 1 is no event: it has no "event"'),
        (b'{"event": "a"}\n{"event": 3}\n', "line 2 is no event"),
        (b'{"event": "a"}\n{"event": \n{"event": "c"}\n', "line 2 is no JSON"),
        (HEADER + b"\n[]\n", "line 3 is no line of a recording"),
        (HEADER + b"\n{]\n" + HEADER, "line 3 is no line of a recording"),
        (HEADER + b'\n{"after":1,"bytes":"!"}\n', "line 3: the bytes are no base64"),
        (HEADER + b'{"after":"1"}\n', "line 2 is no line of a recording"),
        (b'{"streamkit":2}\n', "this recording is of version 2, and this streamkit reads"),
        (b"\x1f\x8b\xff\xff", "the gzip data is damaged"),
        (gzip.compress(EMOJI)[:-8] + b"12345678", "the gzip data is damaged"),
    ],
)
def test_what_is_no_recording(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "odd.file"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=re.escape(f"{path}: {said}")):
        read(path)
    with pytest.raises(RecordingError, match=re.escape(f"the recording: {said}")):
        replay(data)


# The timed form


def test_what_another_program_wrote() -> None:
    data = b"\n".join(
        [
            b' { "streamkit" : 1, "tool": {"name": "x"}, "response": {"status": 200, "more": []}}',
            b'{"note": "unknown", "after": 1}',
            b"",
            b'{"after": 0.5, "data": "a\\u00fc", "colour": 3}',
            b'{"after": null, "bytes": "/w=="}',
            b'{"data": ""}',
            b'{"end": "eof"}',
            b'{"leg": 2, "after": 2}',
            b'{"after": 1, "error": "gone", "code": 5}',
        ]
    )
    recording = read(data)
    assert recording.form == "timed"
    assert recording.created is None
    first, second = recording.legs
    assert first.body == "aü".encode() + b"\xff"
    assert [chunk.after for chunk in first.chunks] == [0.5, None, None]
    assert first.response
    assert first.response.status == 200
    assert (first.end, first.error) == ("eof", None)
    assert (second.after, second.end, second.error, second.end_after) == (2, None, "gone", 1)
    assert not recording.is_cut


def test_the_format_page_says_what_is_read() -> None:
    from streamkit import recording  # noqa: PLC0415

    page = (Path(recording.__file__).parent / "FORMAT.md").read_bytes()
    (example,) = re.findall(rb"```json\n(.*?)```", page, re.DOTALL)
    read_back = read(example)
    assert [leg.end for leg in read_back.legs] == ["closed", "closed"]
    assert read_back.legs[1].after == 1.204482
    assert accumulate(replay(example), allow_partial=True).run


def test_a_leg_that_does_not_end_is_cut() -> None:
    assert read(HEADER).is_cut
    assert read(HEADER + b'{"data":"a"}\n').is_cut
    assert not read(HEADER + b'{"end":"eof"}\n').is_cut
    assert read(HEADER + b'{"end":"eof"}\n{"leg":2}\n').is_cut


def test_text_that_is_no_whole_utf_8() -> None:
    encoded = base64.b64encode(b"\xf0\x9f").decode().encode()
    assert read(HEADER + b'{"bytes":"%s"}\n' % encoded).body == b"\xf0\x9f"


# Lines of events


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_lines_of_events(bom: bytes) -> None:
    for data in (bom + LINES, gzip.compress(bom + LINES), (bom + LINES).rstrip()):
        recording = read(data)
        assert recording.form == "events"
        assert not recording.is_cut
        assert recording.body.rstrip() == LINES.rstrip()
        assert accumulate(replay(data)).run == accumulate(EMOJI).run


def test_lines_of_events_cut_at_every_byte() -> None:
    lines = LINES.splitlines(keepends=True)[:3]
    data = b"".join(lines)
    for stop in range(1, len(data)):
        recording = read(data[:stop])
        count = sum(len(b"".join(lines[: n + 1])) - 1 <= stop for n in range(3))
        assert len(recording.body.splitlines()) == count
        at_end = any(len(b"".join(lines[:n])) - stop in (0, 1) for n in range(1, 4))
        assert recording.is_cut == (not at_end)


# Frames without the blank lines between


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_frames_back_to_back(end: bytes) -> None:
    recording = read(STRIPPED.replace(b"\n", end))
    count = len(FrameDecoder().feed(EMOJI))
    assert recording.repairs == [
        f"the blank lines between {count} frames were missing, and were put back"
    ]
    assert recording.body == EMOJI
    assert len(recording.legs[0].chunks) == count
    assert accumulate(replay(gzip.compress(STRIPPED))) == accumulate(EMOJI)


def test_frames_without_names_back_to_back() -> None:
    frames = [b'data: {"event": "a", "data": {}}', b'data: {"b": 1}', b"data: [DONE]"]
    assert read(b"\n".join(frames)).body == b"".join(frame + b"\n\n" for frame in frames)


@pytest.mark.skipif(ODD not in OTHERS, reason="no recordings of other projects")
def test_a_fixture_of_another_project() -> None:
    (body,) = OTHERS[ODD]
    recording = read(body)
    assert len(recording.repairs) == 1
    assert recording.body.replace(b"\n\n", b"\n").strip() == body.strip()
    assert accumulate(replay(body)).outcome == "complete"
