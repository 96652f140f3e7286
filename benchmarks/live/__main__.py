"""What following live runs costs, beside the least that reading them can cost.

A server in a process of its own sends runs over TCP, a frame an HTTP chunk; whoever
follows them is a process each. The *floor* reads the same bodies with the same HTTP library
and drops them. Everything is measured in one run, interleaved, and the best of several
rounds counts. Ratios carry over to other machines; times do not.
"""

from __future__ import annotations

import argparse
import platform
from importlib.metadata import version
from typing import Final

import msgspec
from msgspec import Struct

import streamkit
from benchmarks.live.contenders import FLOORS
from benchmarks.live.rounds import Crowd, Race, crowds, race, serving

_LIBRARIES: Final = ("httpx", "httpx2", "h11", "msgspec", "openai")

_STREAMKIT: Final = "streamkit, until_done"
_OPENAI: Final = "openai, until_done"


class Sizes(Struct, frozen=True):
    """How much is measured.

    Attributes:
        events: In the run that is followed alone.
        crowd_events: In each of the runs that are followed at once.
        streams: How many those are.
        traced: How many they are where memory is traced, which is slow.
        rounds: Of a run alone.
        crowd_rounds: Of the runs at once.
    """

    events: int = 20_000
    crowd_events: int = 1_000
    streams: int = 1_000
    traced: int = 200
    rounds: int = 7
    crowd_rounds: int = 2


class Report(Struct, frozen=True):
    """What was measured, and on what."""

    versions: dict[str, str]
    sizes: Sizes
    alone: dict[str, Race]
    crowd: dict[str, Crowd]
    traced: dict[str, Crowd]

    def times(self, name: str) -> float:
        """Return how much CPU one takes, in times its floor."""
        return self.alone[name].cpu / self.alone[FLOORS[name]].cpu

    def above(self, name: str) -> float:
        """Return how much CPU one takes above its floor, in µs an event."""
        return self.alone[name].cpu - self.alone[FLOORS[name]].cpu

    @property
    def ratios(self) -> dict[str, float]:
        """What carries over to other machines."""
        return {
            "times the floor": self.times(_STREAMKIT),
            "times the overhead: openai's of streamkit's": self.above(_OPENAI)
            / self.above(_STREAMKIT),
            "KiB a stream beyond floor and content": _beyond(self.crowd),
            "KiB a stream beyond floor and content, traced": _beyond(self.traced),
        }


def _beyond(crowds: dict[str, Crowd]) -> float:
    followed = crowds[_STREAMKIT]
    return followed.memory - crowds["floor"].memory - followed.content


# At most this, or at least.
_TARGETS: Final = {
    "times the floor": ("at most", 1.5),
    "times the overhead: openai's of streamkit's": ("at least", 50.0),
    "KiB a stream beyond floor and content": ("at most", 16.0),
}


def measure(sizes: Sizes) -> Report:
    """Measure all there is."""
    versions = {name: version(name) for name in _LIBRARIES}
    with serving() as server:
        return Report(
            {"streamkit": streamkit.__version__, **versions},
            sizes,
            race(server, sizes.events, sizes.rounds),
            crowds(server, sizes.crowd_events, sizes.streams, sizes.crowd_rounds),
            crowds(server, sizes.crowd_events, sizes.traced, 1, trace=True),
        )


def show(report: Report) -> None:
    """Print the tables."""
    print(", ".join(f"{name} {number}" for name, number in report.versions.items()), end=", ")
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    _show_alone(report)
    _show_crowds(report)
    print(f"{'in short':46}{'':>10}{'target':>18}")
    for name, ratio in report.ratios.items():
        bound = "{} {:g}".format(*_TARGETS[name]) if name in _TARGETS else ""
        print(f"{name:46}{ratio:>10.2f}{bound:>18}")


def _show_alone(report: Report) -> None:
    print(f"one run, a frame an HTTP chunk, best of {report.sizes.rounds}: CPU in µs an event")
    print(f"{'':40}{'events':>8}{'CPU':>9}{'x floor':>9}{'above':>9}{'events/s':>11}")
    for name, one in report.alone.items():
        print(f"{name:40}{one.events:>8,}{one.cpu:>9.2f}", end="")
        print(f"{report.times(name):>9.2f}{report.above(name):>9.2f}{one.rate:>11,.0f}")
    print()


def _show_crowds(report: Report) -> None:
    sizes = report.sizes
    print(f"runs at once, {sizes.crowd_events:,} events each: CPU in µs an event, KiB a stream")
    print(f"{'':40}{'runs':>8}{'CPU':>9}{'wall, s':>9}{'KiB':>9}{'content':>9}")
    for label, runs, crowd in (
        ("", sizes.streams, report.crowd),
        (", traced", sizes.traced, report.traced),
    ):
        for name, one in crowd.items():
            print(f"{name + label:40}{runs:>8,}{one.cpu:>9.2f}{one.wall:>9.2f}", end="")
            print(f"{one.memory:>9.1f}{one.content:>9.1f}")
    print()


def main() -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--events", type=int, help="events in a stream")
    parser.add_argument("--streams", type=int, help="streams at once")
    parser.add_argument("--quick", action="store_true", help="a first impression, in seconds")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    sizes = Sizes()
    if options.quick:
        sizes = Sizes(events=5_000, streams=200, traced=50, rounds=3, crowd_rounds=1)
    if options.events is not None:
        crowd_events = min(options.events, sizes.crowd_events)
        sizes = msgspec.structs.replace(sizes, events=options.events, crowd_events=crowd_events)
    if options.streams is not None:
        traced = min(options.streams, sizes.traced)
        sizes = msgspec.structs.replace(sizes, streams=options.streams, traced=traced)
    report = measure(sizes)
    if options.json:
        everything = msgspec.to_builtins(report) | {"ratios": report.ratios}
        print(msgspec.json.format(msgspec.json.encode(everything)).decode())
    else:
        show(report)


if __name__ == "__main__":
    main()
