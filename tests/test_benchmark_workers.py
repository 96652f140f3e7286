"""Contenders run in processes of their own, and what goes wrong in one is told."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from benchmarks import contenders, importing, measuring, racing, workers
from benchmarks.contenders import CONTENDERS, LIMIT, OURS, AbsentError, Contender, invite
from benchmarks.importing import imports
from benchmarks.measuring import measure
from benchmarks.racing import Race, foreseen, in_turn, sizes_of
from benchmarks.results import FULL, QUICK, Plan, Taken
from benchmarks.worker import cut
from benchmarks.workers import FailedError, Member
from benchmarks.workloads import WORKLOADS

PLAN: Final = Plan(
    sizes=(20, 40, 80),
    base=40,
    passes=1,
    rounds=2,
    growing=1,
    budget=60,
    patience=60,
    longest=60,
    traced=60,
    imports=1,
)

# It prints, it fails, it ends, it hangs; and what it tells is wrong.
TROUBLE: Final = """
import os, threading

NAME, FOLDS, MISTAKES, VERSIONS = "trouble", frozenset({"tokens"}), {}, {"trouble": "1"}

def fold(chunks):
    print("one moment")
    held = bytearray(1_000_000)
    body = b"".join(chunks)
    if body == b"fail":
        raise ValueError("cannot")
    if body == b"end":
        os._exit(3)
    if body == b"hang":
        threading.Event().wait()
    return [chunk.decode() for chunk in chunks]

def told(folded):
    return {"steps": folded, "messages": []}
"""


@pytest.fixture
def trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contender:
    (tmp_path / "trouble.py").write_text(TROUBLE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    command = (sys.executable, "-m", "benchmarks.worker", "trouble")
    return Contender("trouble", "trouble", frozenset({"tokens"}), {}, command)


@pytest.fixture
def member(trouble: Contender) -> Iterator[Member]:
    with Member(trouble) as member:
        yield member


def load(member: Member, folder: Path, body: bytes, sizes: int | list[int] = 64) -> None:
    path = folder / "body"
    path.write_bytes(body)
    member.load(path, sizes)


def test_a_worker_does_what_it_is_asked_to(member: Member, tmp_path: Path) -> None:
    assert member.versions() == {"trouble": "1"}
    load(member, tmp_path, b"abcde", 2)
    assert member.fold() > 0
    assert member.told() == {"steps": ["ab", "cd", "e"], "messages": []}
    assert 1_000_000 <= member.memory() < 1_100_000
    load(member, tmp_path, b"abcde", [1, 4])
    assert member.fold() > 0
    assert member.told() == {"steps": ["a", "bcde"], "messages": []}


def test_a_worker_that_fails_says_why_and_goes_on(member: Member, tmp_path: Path) -> None:
    load(member, tmp_path, b"fail")
    with pytest.raises(FailedError, match=r"^trouble: ValueError: cannot\n") as failed:
        member.fold()
    # What it printed and where it failed stand below.
    assert "one moment" in str(failed.value)
    assert "Traceback" in str(failed.value)
    load(member, tmp_path, b"right")
    assert member.fold() > 0


@pytest.mark.parametrize("end", ["end", "hang"])
def test_a_worker_that_ends_or_hangs_is_found_out(
    end: str, member: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(member, tmp_path, end.encode())
    if end == "hang":
        monkeypatch.setattr(workers, "PATIENCE", 0)
    with pytest.raises(FailedError, match=r"^trouble: it ended"):
        member.fold()


def test_a_worker_that_cannot_start_says_why(trouble: Contender) -> None:
    command = (sys.executable, "-m", "benchmarks.worker", "benchmarks.contenders.nobody")
    with (
        Member(trouble._replace(command=command)) as member,
        pytest.raises(FailedError, match=r"No module named 'benchmarks\.contenders\.nobody'"),
    ):
        member.versions()


@pytest.mark.parametrize(
    ("sizes", "chunks"),
    [
        (1, [b"a", b"b", b"c", b"d", b"e"]),
        (2, [b"ab", b"cd", b"e"]),
        (9, [b"abcde"]),
        ([2, 3], [b"ab", b"cde"]),
        ([1, 3, 1], [b"a", b"bcd", b"e"]),
    ],
)
def test_bodies_are_cut(sizes: int | list[int], chunks: list[bytes]) -> None:
    assert cut(b"abcde", sizes) == chunks
    assert cut(b"abcde", sizes_of(chunks)) == chunks


def test_everything_is_measured() -> None:
    said: list[str] = []
    results = measure(PLAN, ["tokens", "frames"], said.append, [LIMIT, OURS])
    assert said == ["tokens", "frames", "imports"]
    assert results.names == {LIMIT: "the limit", OURS: "streamkit, changes"}
    assert set(results.versions["Python"]) == {"Python", "msgspec", "streamkit"}
    assert set(results.imports) == {"msgspec", "streamkit"}
    assert (results.absent, results.mistakes) == ({}, {})
    for name in ("tokens", "frames"):
        sizes = results.workloads[name]
        assert {size: each.events for size, each in sizes.items()} == {20: 21, 40: 41, 80: 81}
        # Memory is asked at the base, and of streamkit where the stream is longest.
        for contender, traced in ((LIMIT, [40]), (OURS, [40, 80])):
            taken = results.taken[name][contender]
            assert list(taken) == [20, 40, 80]
            assert all(each.seconds > 0 for each in taken.values())
            assert [size for size, each in taken.items() if each.peak] == traced


def test_all_of_it_is_done_as_often_as_is_planned() -> None:
    said: list[str] = []
    measure(replace(PLAN, passes=2), ["tokens", "frames"], said.append, [LIMIT])
    assert said == ["tokens", "frames", "tokens", "frames", "imports"]


class Runner:
    """Takes these times, one after another, and folds nothing."""

    def __init__(self, key: str, *seconds: float) -> None:
        self.contender = Contender(key, key, frozenset(), {"hostile": "nothing is folded"}, ())
        self.seconds = iter(seconds)
        self.loaded: list[tuple[str, int | list[int]]] = []
        self.folded = 0

    def load(self, path: Path, sizes: int | list[int]) -> None:
        self.loaded.append((path.name, sizes))

    def fold(self) -> float:
        self.folded += 1
        return next(self.seconds)

    def memory(self) -> int:
        return 1


def test_the_limit_reads_chunks_and_the_others_what_is_fed(tmp_path: Path) -> None:
    limit, other = Runner(LIMIT, *range(99)), Runner("other", *range(99))
    plan = replace(PLAN, sizes=(40,))
    Race(plan, "hostile", [limit, other], tmp_path).run()  # type: ignore[list-item]
    (plain,) = WORKLOADS["hostile"](40).plain
    assert limit.loaded == 2 * [("plain", len(plain))]
    assert other.loaded == 2 * [("chunks", 1)]


def test_the_best_of_all_passes_counts(tmp_path: Path) -> None:
    # Two rounds a pass, after one that sets up what is set up once.
    runner = Runner("runner", 9, 5, 4, 0, 6, 7, 0, 3, 8)
    race = Race(replace(PLAN, sizes=(40,)), "hostile", [runner], tmp_path)  # type: ignore[list-item]
    for best in (4, 4, 3):
        race.run()
        assert race.result() == {"runner": {40: Taken(best, 1)}}
    assert runner.folded == 9


def test_what_is_below_the_base_is_taken_once(tmp_path: Path) -> None:
    runner = Runner("runner", *range(1, 99))
    race = Race(replace(PLAN, patience=9999), "hostile", [runner], tmp_path)  # type: ignore[list-item]
    race.run()
    assert runner.folded == 1 + 1 + 2 + 1
    race.run()
    assert runner.folded == 5 + 1 + 2 + 1
    assert list(race.result()["runner"]) == [20, 40, 80]


def test_what_starting_takes_is_no_part_of_an_import(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {"pass": iter([9, 2, 3]), "import a": iter([9, 7, 5]), "import b": iter([0, 4, 8])}
    monkeypatch.setattr(importing, "_run", lambda statement, _: next(times[statement]))
    assert imports(["a", "b"], rounds=2) == {"a": 3, "b": 2}


def test_whoever_folds_it_wrong_is_found_out(
    trouble: Contender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "invite", lambda _: trouble)
    with pytest.raises(FailedError, match=r"^trouble: tokens came out wrong$"):
        measure(PLAN, ["tokens"], print, ["trouble"])


def test_whoever_admits_that_it_is_wrong_is_measured(
    trouble: Contender, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = trouble._replace(folds=frozenset(), mistakes={"tokens": "nothing is folded"})
    monkeypatch.setattr(measuring, "invite", lambda _: honest)
    results = measure(PLAN, ["tokens", "logs"], print, ["trouble"])
    assert results.mistakes == {"trouble": {"tokens": "nothing is folded"}}
    assert list(results.taken["tokens"]["trouble"]) == [20, 40, 80]
    assert results.taken["logs"] == {}


def test_whoever_would_take_too_long_is_left_out(
    trouble: Contender, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = trouble._replace(folds=frozenset(), mistakes={"tokens": "nothing is folded"})
    monkeypatch.setattr(measuring, "invite", lambda _: honest)
    monkeypatch.setattr(racing, "foreseen", lambda taken, size: 61 if size > 40 else 60)
    results = measure(PLAN, ["tokens"], print, ["trouble"])
    assert list(results.taken["tokens"]["trouble"]) == [20, 40]


@pytest.mark.parametrize(
    ("seconds", "size", "expected"),
    [
        pytest.param({}, 100, 0, id="nothing is known"),
        pytest.param({100: 1}, 200, 2, id="one size: as the events"),
        pytest.param({100: 1, 200: 2}, 400, 4, id="as the events"),
        pytest.param({100: 1, 200: 4}, 400, 16, id="as their square"),
        pytest.param({100: 2, 200: 1}, 400, 2, id="never less than the events"),
        pytest.param({100: 1, 200: 9, 400: 16}, 800, 64, id="from the first to the last"),
        pytest.param({100: 1, 200: 4, 400: 9}, 200, 4, id="what is known is known"),
    ],
)
def test_what_a_round_will_take(seconds: dict[int, float], size: int, expected: float) -> None:
    taken = {events: Taken(each) for events, each in seconds.items()}
    assert foreseen(taken, size) == pytest.approx(expected)


def test_rounds_are_taken_in_turn_while_there_is_time() -> None:
    order: list[str] = []

    class Noted(Runner):
        def fold(self) -> float:
            order.append(self.contender.key)
            return super().fold()

    runners = [Noted("slow", 9), Noted("fast", 1, 2, 1), Noted("middle", 4, 3)]
    assert in_turn(runners, 3, budget=8) == [9, 1, 3]  # type: ignore[arg-type]
    assert order == ["slow", "fast", "middle", "fast", "middle", "fast"]


def test_the_plans_reach_what_they_compare() -> None:
    for plan in (FULL, QUICK):
        assert plan.base in plan.sizes
        assert list(plan.sizes) == sorted(plan.sizes)
    assert FULL.sizes[-6:] == tuple(8_000 * 2**power for power in range(6))


@pytest.mark.parametrize("key", CONTENDERS)
def test_whoever_takes_part_knows_the_workloads(key: str) -> None:
    try:
        contender = invite(key)
    except AbsentError:
        pytest.skip("not here")
    assert contender.folds | contender.mistakes.keys() <= WORKLOADS.keys()
    assert contender.folds.isdisjoint(contender.mistakes)
    assert any(contender.takes(workload) for workload in WORKLOADS)


def test_where_node_is_not_there_the_others_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(AbsentError, match=r"^node is not there$"):
        invite("openai_node")
    results = measure(PLAN, ["tokens"], print, [LIMIT, "openai_node"])
    assert results.absent == {"openai_node": "node is not there"}
    assert list(results.names) == [LIMIT]
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(contenders, "_NODE", tmp_path)
    with pytest.raises(AbsentError, match="npm install"):
        invite("openai_node")


def test_where_a_library_is_not_there_the_others_are_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "httpx_sse", None)
    monkeypatch.delitem(sys.modules, "benchmarks.contenders.by_hand", raising=False)
    with pytest.raises(AbsentError, match="httpx_sse"):
        invite("by_hand")
