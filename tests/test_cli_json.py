"""Snapshots and changes as JSON, by the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import pytest

from streamkit import (
    Accumulator,
    Change,
    accumulate,
    follow,
    to_wire,
)
from streamkit.cli import main

Capture: TypeAlias = pytest.CaptureFixture[str]
Save: TypeAlias = Callable[..., str]


RECORDINGS: Final = Path(__file__).parent / "recordings"


def recording(name: str) -> str:
    return str(RECORDINGS / name)


@pytest.mark.parametrize("name", ["report.sse", "cut.sse", "error.sse"])
def test_json_is_the_snapshot_in_the_shape_of_the_api(name: str, capsys: Capture) -> None:
    main(["replay", "--json", recording(name)])
    snapshot = accumulate(recording(name), allow_partial=True)
    assert json.loads(capsys.readouterr().out) == to_wire(snapshot)


def test_json_has_a_document_for_each_run(capsys: Capture) -> None:
    legs = [recording("parallel-functions.leg1.sse"), recording("parallel-functions.leg2.sse")]
    accumulator = Accumulator()
    for leg in legs:
        list(follow(leg, accumulator=accumulator))

    assert main(["replay", "--json", "--legs", *legs]) == 0
    assert json.loads(capsys.readouterr().out) == to_wire(accumulator.snapshot())

    assert main(["replay", "--json", *reversed(legs)]) == 0
    first, last = documents(capsys.readouterr().out)
    assert first["outcome"] == "complete"
    assert last["outcome"] == "paused"


def documents(out: str) -> list[dict[str, object]]:
    """Split JSON documents, each of which ends with its only line of just a brace."""
    return [json.loads(f"{part}}}") for part in out.split("\n}\n") if part]


@pytest.mark.parametrize("name", ["split-logs.sse", "cut.sse", "error.sse", "emoji.sse"])
def test_changes_are_lines_of_json(name: str, capsys: Capture) -> None:
    main(["replay", "--changes", recording(name)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    changes: list[Change] = []
    accumulate(recording(name), changes.append, allow_partial=True)
    assert lines == [{"change": type(change).__name__, **to_wire(change)} for change in changes]
    assert all(next(iter(line)) == "change" for line in lines)


@pytest.mark.parametrize("form", ["--json", "--changes"])
def test_json_stays_json_whatever_the_stream_holds(
    form: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "odd.sse"
    number = b"123456789012345678901234567890"
    run_data = b'{"id": "run_1", "temperature": NaN, "x": ' + number + b', "y": 1e999}'
    odd = rb'{"input": "\ud83d", "logs": "\udc00\ud800", "\ud83d": ["\ud83d"]}'
    path.write_bytes(
        b"event: thread.run.created\ndata: " + run_data + b"\n\nevent: odd\ndata: " + odd + b"\n\n"
    )
    main(["replay", form, str(path)])
    out = capsys.readouterr().out
    for line in out.splitlines() if form == "--changes" else [out]:
        msgspec.json.decode(line)  # stricter than json: no NaN
    assert number.decode() in out
