"""The live benchmark measures what it says: everyone receives everything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import msgspec
import pytest

from benchmarks.live.__main__ import Report, show
from benchmarks.live.contenders import CONTENDERS
from benchmarks.live.crowd import FOLLOWERS
from benchmarks.live.rounds import IncompleteError, crowds, race, serving
from benchmarks.live.server import BODY, tokens, url_of
from benchmarks.workloads import Workload

ROOT: Final = Path(__file__).parents[1]
EVENTS: Final = 200
STREAMS: Final = 10


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture(scope="module")
def report() -> Report:
    sizes = ("--quick", "--events", str(EVENTS), "--streams", str(STREAMS), "--json")
    command = [sys.executable, "-W", "error", "-m", "benchmarks.live", *sizes]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return msgspec.json.decode(said.stdout, type=Report)


def test_each_frame_is_an_http_chunk(server: str) -> None:
    with httpx.Client(base_url=server) as client:
        for _ in range(2):  # the connection is kept
            with client.stream("POST", url_of("tokens-20"), json=BODY) as response:
                assert list(response.iter_bytes()) == tokens(20).frames


def test_whoever_follows_receives_everything(report: Report) -> None:
    # Otherwise there would be no report.
    assert list(report.alone) == list(CONTENDERS)
    assert {one.events for one in report.alone.values()} == {len(tokens(EVENTS).frames)}
    for crowd in (report.crowd, report.traced):
        floor, streamkit = (crowd[name] for name in FOLLOWERS)
        assert floor.content == 0
        assert streamkit.content * 1024 == tokens(EVENTS).text


def test_whoever_misses_something_is_found_out(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def more(count: int) -> Workload:
        return tokens(count + 1)

    monkeypatch.setattr("benchmarks.live.rounds.tokens", more)
    with pytest.raises(IncompleteError, match=r"^floor did not"):
        race(server, 20, 1)
    with pytest.raises(IncompleteError, match=r"^floor did not"):
        crowds(server, 20, 2, 1)


def test_the_tables_say_it_all(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    show(report)
    said = capsys.readouterr().out
    for name in (*CONTENDERS, *FOLLOWERS, "floor, traced", *report.ratios):
        assert f"\n{name} " in said
    assert all(number in said for number in report.versions.values())
