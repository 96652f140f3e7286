"""Starts the server and whoever is measured, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from benchmarks.live.contenders import CONTENDERS, Taken
from benchmarks.live.crowd import FOLLOWERS, CrowdTaken
from benchmarks.live.server import HOST, tokens
from benchmarks.workloads import Workload

__all__ = ["OPENAI_EVENTS", "Crowd", "IncompleteError", "Race", "crowds", "race", "serving"]

_ROOT: Final = Path(__file__).parents[2]

# openai-python is slow, and its cost an event is the same in a shorter stream.
OPENAI_EVENTS: Final = 2_000


class IncompleteError(Exception):
    """A contender did not receive everything, so its time means nothing."""


class Race(Struct, frozen=True):
    """What following one run took: the best of all rounds.

    Attributes:
        events: In the stream.
        cpu: In µs an event.
        rate: In events a second, by the clock.
    """

    events: int
    cpu: float
    rate: float


class Crowd(Struct, frozen=True):
    """What following many runs at once took.

    Attributes:
        cpu: In µs an event.
        wall: In seconds, until all were at their end.
        memory: In KiB a stream.
        content: Of it, the bytes of the text that is in the picture, in KiB a stream.
    """

    cpu: float
    wall: float
    memory: float
    content: float


@contextmanager
def _process(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", f"benchmarks.live.{module}", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=_ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline() if process.stdout is not None else ""
    if not line:
        raise RuntimeError(f"a process ended early: {process.args!r}")
    return line


@contextmanager
def serving() -> Iterator[str]:
    """Run the server, and give its base URL."""
    with _process("server") as server:
        yield f"http://{HOST}:{int(_line(server))}"


def race(server: str, events: int, rounds: int) -> dict[str, Race]:
    """Let all contenders follow a run, one after another, several times."""
    counts = {
        name: min(events, OPENAI_EVENTS) if name.startswith("openai") else events
        for name in CONTENDERS
    }
    results: dict[str, list[Taken]] = {name: [] for name in CONTENDERS}
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(_process("contenders", name, server)) for name in CONTENDERS
        }
        for _ in range(1 + rounds):  # the first warms up
            for name, process in processes.items():
                results[name].append(_follow(process, name, counts[name]))
    return {name: _best(results[name][1:], counts[name]) for name in CONTENDERS}


def _follow(process: subprocess.Popen[str], name: str, count: int) -> Taken:
    print(f"tokens-{count}", file=process.stdin, flush=True)
    taken = msgspec.json.decode(_line(process), type=Taken)
    workload = tokens(count)
    whole = _size(workload) if name.startswith("floor") else _code(workload)
    if taken.received != whole or taken.heard not in (None, count):
        raise IncompleteError(f"{name} did not receive everything")
    return taken


def _best(results: list[Taken], count: int) -> Race:
    events = len(tokens(count).frames)
    cpu = min(taken.cpu for taken in results)
    wall = min(taken.wall for taken in results)
    return Race(events, cpu / events * 1e6, events / wall)


def crowds(
    server: str, events: int, streams: int, rounds: int, *, trace: bool = False
) -> dict[str, Crowd]:
    """Let each follower follow many runs at once, in a fresh process each time.

    Args:
        server: Its base URL.
        events: Fragments of code in each run.
        streams: How many runs there are.
        rounds: How often.
        trace: Whether to take the memory of Python's objects, instead of what is resident.
    """
    how = "trace" if trace else "resident"
    results: dict[str, list[CrowdTaken]] = {name: [] for name in FOLLOWERS}
    for _ in range(rounds):
        for name, taken in results.items():
            with _process("crowd", name, server, str(events), str(streams), how) as process:
                taken.append(msgspec.json.decode(_line(process), type=CrowdTaken))
    return {name: _least(name, taken, events, streams) for name, taken in results.items()}


def _least(name: str, results: list[CrowdTaken], count: int, streams: int) -> Crowd:
    workload = tokens(count)
    text = 0 if name == "floor" else len(_code(workload).encode())
    whole = text or _size(workload)
    if any(taken.received != [whole] * streams for taken in results):
        raise IncompleteError(f"{name} did not receive everything")
    cpu = min(taken.cpu for taken in results)
    return Crowd(
        cpu=cpu / streams / len(workload.frames) * 1e6,
        wall=min(taken.wall for taken in results),
        memory=min(taken.memory for taken in results) / streams / 1024,
        content=text / 1024,
    )


def _size(workload: Workload) -> int:
    return sum(map(len, workload.frames))


def _code(workload: Workload) -> str:
    (call,) = workload.expected["steps"][0]["step_details"]["tool_calls"]
    code: str = call["code_interpreter"]["input"]
    return code
