"""The commands that read recordings of every form: replay, convert, diff and scrub."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import pytest
import yaml

from streamkit import Frame, encode_frame
from streamkit.cli import main
from streamkit.recording import Chunk, Leg, Recording, read, write
from tests.living import serving
from tests.recorded import OWN
from tests.server import Script
from tests.streams import body, code, done, failure, frame, run, step_delta, waiting
from tests.test_cli_hostile import EVIL, FOUND, HOSTILE

Capture: TypeAlias = pytest.CaptureFixture[str]
Build: TypeAlias = Callable[..., bytes]

ROOT: Final = Path(__file__).parents[1]
DEADLINE: Final = 60.0
REPORT: Final = OWN["report"][0]
LEGS: Final = OWN["parallel-functions"]
STREAM: Final = "text/event-stream"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let every test work in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def har(*bodies: bytes) -> bytes:
    """Build a HAR file: of texts, and of base64 where a body is none."""
    contents = [
        {"mimeType": STREAM, "text": base64.b64encode(each).decode(), "encoding": "base64"}
        for each in bodies
    ]
    request = {"method": "POST", "url": "https://api.openai.com/v1/threads/t/runs", "headers": []}
    entries: list[Any] = [{"request": request, "response": {"content": {"mimeType": "text/html"}}}]
    entries += [
        {"request": request, "response": {"status": 200, "headers": [], "content": content}}
        for content in contents
    ]
    return json.dumps({"log": {"version": "1.2", "entries": entries}}).encode()


def cassette(*bodies: bytes) -> bytes:
    """Build a cassette of VCR.py."""
    interactions = [
        {
            "request": {"method": "POST", "uri": "https://api.openai.com/v1", "headers": {}},
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"content-type": [STREAM]},
                "body": {"string": each},
            },
        }
        for each in bodies
    ]
    return yaml.safe_dump({"interactions": interactions, "version": 1}).encode()


def timed(*bodies: bytes) -> bytes:
    """Build a recording in the timed form."""
    legs = [Leg(chunks=[Chunk(each, 0.5)], end="eof", end_after=0.25) for each in bodies]
    write(Recording(legs=legs), "built.sse.jsonl")
    return Path("built.sse.jsonl").read_bytes()


def lines(*bodies: bytes) -> bytes:
    """Build lines of JSON."""
    write(Recording(legs=[Leg(chunks=[Chunk(each)]) for each in bodies]), "built", form="events")
    return Path("built").read_bytes()


def squeezed(*bodies: bytes) -> bytes:
    """Compress."""
    return gzip.compress(b"".join(bodies))


def stripped(*bodies: bytes) -> bytes:
    """Leave the blank lines out."""
    return re.sub(rb"\n+", b"\n", b"".join(bodies))


# A name, what builds it of bodies, and what is said of it.
FORMS: Final[dict[str, tuple[str, Build, str]]] = {
    "timed": ("run.sse.jsonl", timed, ""),
    "gzip": ("run.sse.gz", squeezed, ""),
    "timed and gzip": ("run.sse.jsonl.gz", lambda *legs: gzip.compress(timed(*legs)), ""),
    "HAR": ("run.har", har, "a HAR file, 2 event streams"),
    "cassette": ("run.yaml", cassette, "a cassette of VCR.py, 2 event streams"),
    "lines": ("run.jsonl", lines, "lines of JSON, \\d+ events"),
    "stripped": (
        "run.txt",
        stripped,
        "the blank lines between \\d+ frames were missing, and were put back",
    ),
    "stripped, as raw": (
        "run.sse",
        stripped,
        "the blank lines between \\d+ frames were missing, and were put back",
    ),
}


def status_of(*arguments: str) -> int:
    """Run the command; return its exit status, however it comes."""
    try:
        return main(arguments)
    except SystemExit as exit_:
        return cast(int, exit_.code)


# replay


@pytest.mark.parametrize("form", [[], ["--json"], ["--changes"]], ids=str)
@pytest.mark.parametrize("kind", FORMS)
def test_every_form_replays_as_the_legs_do(kind: str, form: list[str], capsys: Capture) -> None:
    name, build, said = FORMS[kind]
    for number, leg in enumerate(LEGS):
        Path(f"leg{number}.sse").write_bytes(leg)
    Path(name).write_bytes(build(*LEGS))
    assert main(["replay", *form, "--legs", "leg0.sse", "leg1.sse"]) == 0
    expected, err = capsys.readouterr()
    assert err == ""
    assert main(["replay", *form, name]) == 0
    out, err = capsys.readouterr()
    assert out == re.sub(r"\n?==> .* <==\n", "", expected)
    assert re.fullmatch(f"streamkit: {name}: {said}\n" if said else "", err)


def test_quiet_says_nothing_of_what_was_recognised(capsys: Capture) -> None:
    Path("run.har").write_bytes(har(REPORT))
    assert main(["replay", "--quiet", "run.har"]) == 0
    assert capsys.readouterr() == ("", "")


def test_streams_of_several_runs_are_shown_one_after_the_other(capsys: Capture) -> None:
    Path("run.har").write_bytes(har(REPORT, OWN["refusal"][0]))
    assert main(["replay", "--json", "run.har"]) == 0
    both = capsys.readouterr().out
    for name, data in (("1.sse", REPORT), ("2.sse", OWN["refusal"][0])):
        Path(name).write_bytes(data)
    assert main(["replay", "--json", "1.sse", "2.sse"]) == 0
    assert capsys.readouterr().out == both


def test_a_leg_that_failed_goes_on_in_the_next(capsys: Capture) -> None:
    first = Leg(chunks=[Chunk(body([run("in_progress")]))], error="ReadError: gone")
    last = Leg(chunks=[Chunk(body([run("completed"), done()]))], end="eof")
    write(Recording(legs=[first, last]), "run.sse.jsonl")
    assert main(["replay", "run.sse.jsonl"]) == 0
    out, err = capsys.readouterr()
    assert "! the stream was cut; what follows was fetched later\n" in out
    assert err == ""


@pytest.mark.parametrize("name", ["run.sse.jsonl", "run.sse.gz"])
def test_a_recording_that_is_cut_is_shown_up_to_there(name: str, capsys: Capture) -> None:
    whole = timed(*re.findall(rb".*?\n\n", REPORT, re.DOTALL))
    whole = gzip.compress(REPORT) if name.endswith("gz") else whole
    Path(name).write_bytes(whole[: len(whole) // 2])
    assert main(["replay", name]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].endswith("stream truncated")
    assert err.startswith(f"streamkit: {name}: the stream ended before the run came to rest")
    assert "the recording breaks off here" in err
    assert err.count("\n") == 1


def test_the_waits_are_those_of_the_recording(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    frames = [run("in_progress"), run("completed"), done()]
    chunks = [Chunk(encode_frame(each), 3.0) for each in frames]
    write(Recording(legs=[Leg(chunks=chunks, end="eof", end_after=0.0)]), "run.sse.jsonl")
    waited: list[float] = []
    monkeypatch.setattr("streamkit.cli.legs.time.sleep", waited.append)
    for options, expected in (
        ([], 0.0),
        (["--speed", "1"], 9.0),
        (["--speed", "1.5"], 6.0),
        (["--speed", "1", "--max-gap", "2"], 6.0),
        (["--speed", "2", "--max-gap", "1"], 1.5),
    ):
        waited.clear()
        assert main(["replay", "--quiet", *options, "run.sse.jsonl"]) == 0
        # No time passes in these waits, so that each is as long as all before and itself.
        assert max(waited, default=0.0) <= expected
        assert bool(waited) == bool(expected)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["run.sse", "run.har"])
def test_a_pace_where_no_times_are_known_is_said(name: str, capsys: Capture) -> None:
    Path(name).write_bytes(REPORT if name == "run.sse" else har(REPORT))
    assert main(["replay", "--speed", "1", name]) == 0
    err = capsys.readouterr().err
    assert err.endswith(f"streamkit: {name}: no times are known; shown without waiting\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--speed", "0"],
        ["--speed", "-1"],
        ["--speed", "nan"],
        ["--speed", "fast"],
        ["--speed", "1", "--max-gap", "-1"],
        ["--speed", "1", "--max-gap", "x"],
        ["--max-gap", "1"],
    ],
    ids=" ".join,
)
def test_a_pace_that_is_none(arguments: list[str], capsys: Capture) -> None:
    Path("run.sse").write_bytes(REPORT)
    assert status_of("replay", *arguments, "run.sse") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("streamkit: ")
    assert err.count("\n") == 1


# What no command can read

UNREADABLE: Final = {
    "prose": b"It was a dark and stormy night.\n",
    "other JSON": b'{"a": 1}',
    "no streams": har(),
    "other YAML": b"version: 1\n",
    "broken YAML": b"interactions: [\n",
    "broken gzip": b"\x1f\x8b\x08nonsense",
    "broken base64": har(REPORT).replace(b'"text": "', b'"text": "!'),
    "other version": b'{"streamkit":99}\n',
    "broken line": b'{"streamkit":1}\n{"data":5}\n',
    "empty": b"",
    "deep": b"[" * 100_000,
    "deeper": b'{"a":' * 100_000,
    "deep YAML": b"interactions: " + b"[" * 5_000,
    "bytes": bytes(range(256)),
}


@pytest.mark.parametrize("kind", UNREADABLE)
@pytest.mark.parametrize("command", ["replay", "diff", "convert", "scrub"])
def test_bad_input_is_one_line(command: str, kind: str, capsys: Capture) -> None:
    Path("bad.txt").write_bytes(UNREADABLE[kind])
    Path("good.sse").write_bytes(REPORT)
    rest = {"diff": ["good.sse"], "convert": ["out.sse"], "scrub": ["out.sse"]}.get(command, [])
    status = status_of(command, "bad.txt", *rest)
    out, err = capsys.readouterr()
    if status == 0:  # there is nothing wrong with copying what says nothing
        assert command in ("convert", "scrub")
        return
    assert status in ((2,) if command == "diff" else (1, 2))
    assert err.startswith("streamkit: bad.txt: ")
    assert FOUND.findall(out + err) == []
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["convert"],
        ["convert", "run.sse"],
        ["convert", "run.sse", "run.sse"],
        ["convert", "run.sse", "./run.sse"],
        ["convert", "run.sse", "link.sse"],
        ["convert", "run.sse", "out.txt"],
        ["convert", "run.sse", "no/out.sse"],
        ["convert", "run.sse", "folder.sse"],
        ["convert", "run.sse", "out.sse", "--to", "har"],
        ["convert", "missing.sse", "out.sse"],
        ["convert", "folder.sse", "out.sse"],
        ["scrub", "run.sse"],
        ["scrub", "run.sse", "run.sse"],
        ["scrub", "run.sse", "link.sse"],
        ["scrub", "run.sse", "out.txt"],
        ["scrub", "run.sse", "out.sse", "--texts", "drop"],
        ["scrub", "missing.sse", "out.sse"],
        ["diff", "run.sse"],
        ["diff", "run.sse", "run.sse", "run.sse"],
        ["diff", "run.sse", "missing.sse"],
        ["diff", "folder.sse", "run.sse"],
        ["diff", "run.sse", EVIL.replace("\0", "")],
        ["convert", EVIL.replace("\0", ""), "out.sse"],
    ],
    ids=repr,
)
def test_misuse_is_one_line_and_writes_nothing(arguments: list[str], capsys: Capture) -> None:
    Path("run.sse").write_bytes(REPORT)
    Path("link.sse").symlink_to("run.sse")
    Path("folder.sse").mkdir()
    before = sorted(Path().iterdir())
    assert status_of(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("streamkit: ")
    assert err.count("\n") == 1
    assert FOUND.findall(err) == []
    assert sorted(Path().iterdir()) == before
    assert Path("run.sse").read_bytes() == REPORT


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
@pytest.mark.parametrize("command", ["convert", "scrub"])
def test_a_full_disk(command: str, capsys: Capture) -> None:
    Path("run.sse").write_bytes(REPORT)
    Path("out.sse").symlink_to("/dev/full")
    assert main([command, "run.sse", "out.sse"]) == 2
    assert capsys.readouterr() == ("", "streamkit: out.sse: No space left on device\n")


# convert


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize(
    ("arguments", "form"),
    [
        (["out.sse"], "raw"),
        (["out.sse.gz"], "raw"),
        (["out.sse.jsonl"], "timed"),
        (["out.sse.jsonl.gz"], "timed"),
        (["out.jsonl"], "events"),
        (["out.txt", "--to", "events"], "events"),
        (["out.sse", "--to", "timed"], "timed"),
    ],
    ids=str,
)
def test_every_form_converts_to_every_other(
    kind: str, arguments: list[str], form: str, capsys: Capture
) -> None:
    name, build, _ = FORMS[kind]
    Path(name).write_bytes(build(*LEGS))
    Path("whole.sse").write_bytes(b"".join(LEGS))
    assert main(["convert", name, *arguments]) == 0
    out = capsys.readouterr().out
    assert re.fullmatch(rf"{re.escape(arguments[0])}: [12] legs?, \d+ frames\n", out)
    assert read(arguments[0]).form == form
    assert main(["diff", arguments[0], "whole.sse"]) == 0
    assert capsys.readouterr().out == "equal\n"


def test_what_breaks_off_is_converted_up_to_there(capsys: Capture) -> None:
    Path("run.sse.jsonl").write_bytes(timed(REPORT)[:-10])
    assert main(["convert", "run.sse.jsonl", "out.sse"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("out.sse: 1 leg, ")
    assert (
        err == "streamkit: run.sse.jsonl: the recording breaks off; out.sse holds what there is\n"
    )
    assert Path("out.sse").read_bytes() == REPORT


# diff


def test_snapshots_are_compared_with_recordings(capsys: Capture) -> None:
    Path("1.sse").write_bytes(REPORT)
    Path("2.sse").write_bytes(OWN["refusal"][0])
    for name, files in (("1.json", ["1.sse"]), ("both.json", ["1.sse", "2.sse"])):
        main(["replay", "--json", *files])
        Path(name).write_text(capsys.readouterr().out)
    Path("both.har").write_bytes(har(REPORT, OWN["refusal"][0]))
    for left, right in (("1.json", "1.sse"), ("1.json", "1.json"), ("both.har", "both.json")):
        assert main(["diff", left, right]) == 0
        assert capsys.readouterr().out == "equal\n"
    assert main(["diff", "both.json", "1.sse"]) == 1
    assert capsys.readouterr().out == "$: 2 runs != 1 run\n"


def test_the_first_difference_comes_first_and_few_of_the_rest(capsys: Capture) -> None:
    def steps(count: int, text: str) -> bytes:
        deltas = [step_delta(f"step_{number}", code(0, text)) for number in range(count)]
        return body([run("in_progress"), *deltas, run("completed"), done()])

    Path("1.sse").write_bytes(steps(30, "a"))
    Path("2.sse").write_bytes(steps(30, "b"))
    assert main(["diff", "1.sse", "2.sse"]) == 1
    first = capsys.readouterr().out.splitlines()
    assert main(["diff", "--all", "1.sse", "2.sse"]) == 1
    everything = capsys.readouterr().out.splitlines()
    assert first == [*everything[:20], f"and {len(everything) - 20:,} more (--all shows them)"]
    assert len(everything) >= 30
    assert all(line.startswith("$.steps[") for line in everything[:30])


def test_no_difference_carries_a_control(capsys: Capture) -> None:
    Path("1.sse").write_bytes(body(HOSTILE))
    Path("2.sse").write_bytes(body([waiting(), frame(f"a{EVIL[:5]}", {EVIL: 1}), failure(EVIL)]))
    assert main(["diff", "--all", "1.sse", "2.sse"]) == 1
    out, err = capsys.readouterr()
    assert FOUND.findall(out + err) == []
    assert out.count("\n") > 3


def test_what_makes_no_sense_cannot_be_compared(capsys: Capture) -> None:
    Path("1.sse").write_bytes(REPORT)
    Path("2.sse").write_bytes(encode_frame(Frame("thread.run.created", b"{]")))
    assert main(["diff", "1.sse", "2.sse"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("streamkit: 2.sse: ")


# scrub


@pytest.mark.parametrize("texts", ["keep", "mask"])
def test_a_scrubbed_copy_has_no_ids(texts: str, capsys: Capture) -> None:
    Path("run.sse.jsonl").write_bytes(timed(REPORT))
    assert main(["scrub", "--texts", texts, "run.sse.jsonl", "out.sse.jsonl"]) == 0
    said = {"keep": "kept", "mask": "masked"}[texts]
    out = capsys.readouterr().out
    assert out.startswith("out.sse.jsonl: 1 leg, ")
    assert out.endswith(f" frames; ids replaced, secrets masked, texts {said}\n")
    found = set(re.findall(rb'\\"id\\":\\"(\w{12,})\\"', Path("run.sse.jsonl").read_bytes()))
    kept = Path("out.sse.jsonl").read_bytes()
    assert found
    assert [id for id in found if id in kept] == []
    assert (b"pandas" in kept) == (texts == "keep")
    assert main(["replay", "--quiet", "out.sse.jsonl"]) == 0


# All together, as processes


def command(*arguments: str) -> tuple[int, str, str]:
    """Run the command as a process; return its status and what it wrote."""
    ran = subprocess.run(
        [sys.executable, "-m", "streamkit", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    return ran.returncode, ran.stdout.decode(), ran.stderr.decode()


def test_from_the_server_to_a_copy_to_be_shared() -> None:
    with serving() as server:
        place = server.add(Script(OWN["report"]))
        asked = json.dumps({"assistant_id": place.assistant_id, "stream": True})
        url = f"{server.url}/threads/{place.thread_id}/runs"
        beta = ("-H", "OpenAI-Beta: assistants=v2")
        status, shown, err = command("record", *beta, "--json", asked, "-o", "1.sse.jsonl", url)
        assert (status, err) == (0, "")
    assert command("replay", "1.sse.jsonl") == (0, shown, "")
    assert command("replay", "--speed", "1000", "1.sse.jsonl") == (0, shown, "")
    status, out, err = command("convert", "1.sse.jsonl", "2.sse")
    assert (status, err) == (0, "")
    assert out.startswith("2.sse: 1 leg, ")
    assert command("diff", "1.sse.jsonl", "2.sse") == (0, "equal\n", "")
    assert command("scrub", "--texts", "mask", "2.sse", "3.sse.gz")[0] == 0
    status, out, err = command("diff", "2.sse", "3.sse.gz")
    assert (status, err) == (1, "")
    assert out.startswith("$.run.")
    assert command("diff", "2.sse", "none.sse")[::2] == (
        2,
        "streamkit: none.sse: No such file or directory\n",
    )


@pytest.mark.parametrize("name", ["", "record", "replay", "convert", "diff", "scrub"])
def test_help_is_short(name: str) -> None:
    status, out, err = command(*filter(None, [name]), "--help")
    assert (status, err) == (0, "")
    assert out.startswith("usage: streamkit")
    assert len(out.splitlines()) < 50
