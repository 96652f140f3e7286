"""How streamkit compares with the least that reading a stream can cost.

The *limit* is this much and no more: 64 KiB chunks are split on blank lines, the data is
sliced out, each is decoded by msgspec with typed structs, and the results are dropped.
Everything is measured in one run, interleaved, and the best of several rounds counts.
Ratios carry over to other machines; times do not.
"""

from __future__ import annotations

import argparse
import gc
import platform
import time
from collections.abc import Callable

import msgspec

import streamkit
from benchmarks.workloads import WORKLOADS, in_chunks
from streamkit import Accumulator, RunStepDeltaEvent

ROUNDS = 7


def limit(chunks: list[bytes]) -> None:
    """Split, slice, decode, drop."""
    decode = msgspec.json.Decoder(RunStepDeltaEvent).decode
    carry = b""
    for chunk in chunks:
        blocks = (carry + chunk).split(b"\n\n")
        carry = blocks.pop()
        for block in blocks:
            name, _, data = block.partition(b"\ndata: ")
            if name == b"event: thread.run.step.delta":
                decode(data)


def fold(chunks: list[bytes]) -> None:
    """From bytes to changes, and the final snapshot."""
    accumulator = Accumulator()
    for chunk in chunks:
        accumulator.feed_bytes(chunk)
    accumulator.finish()


def accumulate(chunks: list[bytes]) -> None:
    """The same by the function that most people call."""
    streamkit.accumulate(chunks)


def follow(chunks: list[bytes]) -> None:
    """Change by change, with a callback for the most frequent kind."""
    heard: list[object] = []
    hear = streamkit.on(code=heard.append, log=heard.append, arguments=heard.append)
    for _ in streamkit.follow(chunks, hear):
        pass


def best(functions: dict[str, Callable[[], None]], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the least seconds each takes; rounds of all of them, one after another."""
    least = dict.fromkeys(functions, float("inf"))
    for _ in range(rounds):
        for name, function in functions.items():
            gc.collect()
            start = time.perf_counter()
            function()
            least[name] = min(least[name], time.perf_counter() - start)
    return least


def compare(name: str, count: int) -> dict[str, float]:
    """Return what each way of folding costs, in times the limit."""
    frames = WORKLOADS[name](count).frames
    chunks = in_chunks(frames)
    times = best(
        {
            "limit": lambda: limit(chunks),
            "fold": lambda: fold(chunks),
            "fold, a frame a chunk": lambda: fold(frames),
            "accumulate": lambda: accumulate(chunks),
            "follow with on(...)": lambda: follow(chunks),
        }
    )
    return {way: seconds / times["limit"] for way, seconds in times.items()} | {
        "limit, in µs": times["limit"] / count * 1e6
    }


def growth(name: str, count: int) -> float:
    """Return how much an event costs in a stream 16 times as long, in times the short."""
    short, long = (in_chunks(WORKLOADS[name](size).frames) for size in (count, 16 * count))
    times = best({"short": lambda: fold(short), "long": lambda: fold(long)})
    return times["long"] / times["short"] / 16


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--events", type=int, default=32_000, help="events in a stream")
    events = parser.parse_args().events
    print(f"streamkit {streamkit.__version__}, msgspec {msgspec.__version__}, ", end="")
    print(f"Python {platform.python_version()}, {platform.machine()}, {events:,} events\n")
    rows = {name: compare(name, events) for name in WORKLOADS}
    ways = [way for way in next(iter(rows.values())) if way not in ("limit", "limit, in µs")]
    print(f"{'times the limit':24}" + "".join(f"{name:>10}" for name in rows))
    for way in ways:
        print(f"{way:24}" + "".join(f"{row[way]:>10.2f}" for row in rows.values()))
    print(f"{'cost at 16 times the length':24}", end="")
    print("".join(f"{growth(name, events // 16):>10.2f}" for name in rows))
    print(f"{'the limit, µs an event':24}", end="")
    print("".join(f"{row['limit, in µs']:>10.2f}" for row in rows.values()))


if __name__ == "__main__":
    main()
