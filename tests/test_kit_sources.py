"""Whatever can be played becomes a recording, byte for byte, leg for leg."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from streamkit import (
    Frame,
    FrameDecoder,
    RecordingError,
    RunSnapshot,
    UsageError,
    accumulate,
    encode_frame,
    to_wire,
)
from streamkit.recording import Chunk, Leg, Recorder, Recording, read, write
from streamkit.testing.exploding import explode
from streamkit.testing.framing import pieces_of
from streamkit.testing.sources import is_live, recording_of
from tests.own import OWN
from tests.recorded import ODD, STREAMS, on_every_stream

REPORT: Final = OWN["report"][0]
THREE: Final = OWN["three-legs"]


def bodies(recording: Recording) -> tuple[bytes, ...]:
    return tuple(leg.body for leg in recording.legs)


def frames(*legs: bytes) -> list[Frame]:
    return [frame for leg in legs for frame in FrameDecoder().feed(leg)]


@on_every_stream()
def test_a_body_of_several_legs_is_cut_after_each_done(name: str) -> None:
    legs = STREAMS[name]
    said = bodies(recording_of(b"".join(legs)))
    assert b"".join(said) == b"".join(legs)
    assert said == legs or not all(leg.rstrip().endswith(b"[DONE]") for leg in legs[:-1])


@on_every_stream()
def test_a_frame_is_a_chunk(name: str) -> None:
    recording = recording_of(list(STREAMS[name]))
    assert bodies(recording) == STREAMS[name]
    for leg in recording.legs:
        each = [frames(chunk.data) for chunk in leg.chunks]
        assert max(map(len, each)) <= 1
        assert sum(map(len, each)) == len(frames(leg.body))


def files(folder: Path) -> dict[str, Any]:
    """Say the three legs in every form there is."""
    raw, timed, lines, compressed = (
        folder / name for name in ("run.sse", "run.sse.jsonl", "run.jsonl", "run.sse.gz")
    )
    raw.write_bytes(b"".join(THREE))
    compressed.write_bytes(gzip.compress(raw.read_bytes()))
    with Recorder(timed) as recorder:
        for leg in THREE:
            recorder.begin()
            for piece in pieces_of(leg):
                recorder.chunk(piece.data)
            recorder.end()
    write(read(raw), lines, form="events")
    legs = []
    for number, leg in enumerate(THREE):
        legs.append(folder / f"leg{number}.sse")
        legs[-1].write_bytes(leg)
    snapshot = folder / "snapshot.json"
    run = accumulate(b"".join(THREE))
    snapshot.write_text(json.dumps(to_wire(run), indent=1))
    return {
        "raw": raw,
        "its name": str(raw),
        "its bytes": raw.read_bytes(),
        "its view": memoryview(raw.read_bytes()),
        "its file": io.BytesIO(raw.read_bytes()),
        "compressed": compressed,
        "timed": timed,
        "lines": lines,
        "lines in bytes": lines.read_bytes(),
        "a recording": read(raw),
        "a timed recording": read(timed),
        "files": legs,
        "names": [*map(str, legs)],
        "bytes": list(THREE),
        "tuple": THREE,
        "files and bytes": [legs[0], THREE[1], io.BytesIO(THREE[2])],
        "frames": frames(*THREE),
        "a snapshot": run,
        "its json": snapshot,
        "its json in bytes": snapshot.read_bytes(),
        "its json, compressed": gzip.compress(snapshot.read_bytes()),
        "exploded": explode(run),
        "played before": recording_of(THREE),
    }


SORTS: Final = [
    "raw", "its name", "its bytes", "its view", "its file", "compressed", "timed", "lines",
    "lines in bytes", "a recording", "a timed recording", "files", "names", "bytes", "tuple",
    "files and bytes", "frames", "a snapshot", "its json", "its json in bytes",
    "its json, compressed", "exploded", "played before",
]  # fmt: skip


@pytest.mark.parametrize("sort", SORTS)
def test_every_source(sort: str, tmp_path: Path) -> None:
    source = files(tmp_path)[sort]
    assert not is_live(source)
    recording = recording_of(source, gap=0.5)
    run = accumulate(b"".join(THREE))
    assert len(recording.legs) == 3
    assert accumulate(leg.body for leg in recording.legs).steps == run.steps
    assert min(len(leg.chunks) for leg in recording.legs) > 5
    if "exploded" not in sort and "json" not in sort and "snapshot" not in sort:
        if "lines" not in sort:
            assert bodies(recording) == THREE
        assert recording.body.count(b"thread.message.delta") > 1
    afters = {chunk.after for leg in recording.legs for chunk in leg.chunks}
    if "timed" not in sort:
        assert afters == {0.5}
    assert recording_of(recording) == recording


def test_what_was_timed_keeps_its_times_and_chunks() -> None:
    chunks = [Chunk(REPORT[:1000], 1.5), Chunk(REPORT[1000:], 0.0)]
    recording = Recording(legs=[Leg(chunks=chunks, after=3.0, end="eof", end_after=1.0)])
    assert recording_of(recording, gap=9) == recording


def test_one_chunk_without_a_time_is_cut_by_frames() -> None:
    recording = Recording(legs=[Leg(chunks=[Chunk(REPORT)], end="eof")], form="timed")
    (leg,) = recording_of(recording).legs
    assert (leg.body, leg.end) == (REPORT, "eof")
    assert len(leg.chunks) == len(frames(REPORT))
    assert {chunk.after for chunk in leg.chunks} == {None}


def test_legs_that_are_known_are_kept() -> None:
    joined = Leg(chunks=[Chunk(b"".join(THREE))])
    assert bodies(recording_of(Recording(legs=[joined], form="timed"))) == (b"".join(THREE),)
    assert bodies(recording_of(Recording(legs=[joined, joined]))) == (b"".join(THREE),) * 2


@pytest.mark.parametrize(
    ("legs", "joined"),
    [
        ([b"data: [DONE]\n\n"] * 3, None),
        ([b"event: done\ndata: [DONE]\r\n\r\n", b"data: 1\r\rdata: [DONE]\r\r"], None),
        ([b": a\n\ndata: [DONE]\n\n: b\n\n\n"], None),
        ([b"data: [DONE]\n\n", b": a\n\nid: 3\n\ndata: 1\n\n: c\n\n"], None),
        ([b'data: {"event":"done","data":"[DONE]"}\n\n', b"data: 1\n\n"], None),
        ([b'{"event":"done","data":"[DONE]"}\n', b'{"event":"e","data":"x"}\n'], None),
        ([b"event: done\ndata: done\n\n", b"data: [DONE]"], None),
        ([b"data: it is done, [DONE]\n\nevent: done\n\ndata: 1\n\n"], None),
        ([b"\xef\xbb\xbfdata: [DONE]\n\n", b"data: 1\n\n"], None),
    ],
)
def test_where_a_leg_ends(legs: Sequence[bytes], joined: None) -> None:
    recording = recording_of(b"".join(legs))
    assert [*bodies(recording)] == legs


def test_a_leg_that_breaks_off_is_said_to() -> None:
    cut = gzip.compress(b"".join(THREE))[:-600]
    recording = recording_of(cut)
    assert recording.is_cut
    assert len(recording.legs) == 3
    assert recording_of([THREE[0], cut]).is_cut
    assert not recording_of([cut, THREE[0]]).is_cut


def test_frames_are_written_as_a_server_does() -> None:
    told = [Frame("e", b"{}"), Frame("message", b"[DONE]"), Frame("e", b"1\n2", id="3")]
    assert bodies(recording_of(told)) == (
        b"".join(map(encode_frame, told[:2])),
        encode_frame(told[2]),
    )


class Event:
    def __init__(self, event: str, data: str) -> None:
        self.event = event
        self.data = data


def test_frames_of_another_library() -> None:
    source: Any = [Event("e", "\ud83d"), Event("done", "[DONE]")]
    assert bodies(recording_of(source)) == (
        b"event: e\ndata: \xed\xa0\xbd\n\nevent: done\ndata: [DONE]\n\n",
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (3, "not int"),
        (None, "not NoneType"),
        ({}, "not dict"),
        ([], "the sequence is empty"),
        ([3], "not of int"),
        ([[b"data: 1\n\n"]], "not of list"),
        ([RunSnapshot(None, (), (), "open", ())], "not of RunSnapshot"),
        ([b"data: 1\n\n", Frame("e", b"")], "not of Frame"),
        ([Frame("e", b""), b"data: 1\n\n"], "not of Frame"),
        ("event: e\ndata: 1\n\n", "encode it to bytes"),
        ('{"event": "e"}', "encode it to bytes"),
        (io.StringIO("data: 1\n\n"), "opened in binary"),
        (iter([b"data: 1\n\n"]), "not list_iterator"),
        (httpx.Response(200, content=b"data: 1\n\n"), "not Response"),
        (RunSnapshot(None, (), (), "open", ()), "complete or paused"),
        (b'{"run": null, "steps": 3}', "steps"),
    ],
)
def test_what_is_no_source(source: Any, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        recording_of(source)
    assert said in str(refused.value)


@pytest.mark.parametrize("gap", [-1, float("nan"), float("inf")])
def test_a_gap_is_a_time(gap: float) -> None:
    with pytest.raises(UsageError, match="gap"):
        recording_of(REPORT, gap=gap)


@pytest.mark.parametrize("content", [b"hello", b'{"log": {"entries": []}}', b'{"id": "run_1"}'])
def test_what_is_no_recording(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "odd.bin"
    path.write_bytes(content)
    for source in (content, path):
        with pytest.raises(RecordingError):
            recording_of(source)
    several: list[bytes | Path] = [REPORT, path]
    with pytest.raises(RecordingError, match=r"odd\.bin"):
        recording_of(several)
    with pytest.raises(FileNotFoundError):
        recording_of(tmp_path / "none.sse")


def test_what_lacks_its_blank_lines_is_put_right() -> None:
    if ODD in STREAMS:
        recording = recording_of(STREAMS[ODD][0])
        assert recording.repairs
        assert accumulate(leg.body for leg in recording.legs).outcome == "complete"


@pytest.mark.parametrize("source", [iter([b""]), (each for each in "a"), httpx.Response(200)])
def test_what_is_live(source: object) -> None:
    assert is_live(source)
