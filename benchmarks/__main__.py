"""How fast streamkit is: ``python -m benchmarks``.

The *limit* is the least that reading a stream can cost: 64 KiB chunks are split on blank
lines, the data is sliced out, each is decoded by msgspec with typed structs, and the
results are dropped. Beside it stand streamkit, code as one writes it by hand, and the SDKs,
each in a process of its own; they fold the same streams, one after another, and the best of
several rounds counts. What comes out is checked. Ratios carry over to other machines; times
do not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from .guards import crossed
from .measuring import measure
from .readme import put
from .report import report
from .results import FULL, QUICK, Results
from .workers import FailedError
from .workloads import WORKLOADS

__all__ = ["main"]

_HERE: Final = Path(__file__).parent
_README: Final = _HERE.parent / "README.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print what came of it, and return the exit code."""
    options = _options(arguments)
    try:
        results = _measure(options)
        print(report(results))
        broken = crossed(results) if options.check else {}
        if broken:
            print("measuring again, to see whether that was noise", file=sys.stderr)
            again = crossed(_measure(options))
            broken = {name: said for name, said in again.items() if name in broken}
    except FailedError as error:
        print(error, file=sys.stderr)
        return 1
    if options.json is not None:
        _save(results, options.json)
    if options.write:
        _write(results)
    for name, said in broken.items():
        print(f"crossed: {name}: {said}", file=sys.stderr)
    return 1 if broken else 0


def _measure(options: argparse.Namespace) -> Results:
    return measure(
        QUICK if options.quick else FULL,
        options.workloads or WORKLOADS,
        say=lambda what: print(what, file=sys.stderr, flush=True),
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("workloads", nargs="*", type=_workload, help="all, where none is named")
    parser.add_argument("--quick", action="store_true", help="a first impression, in seconds")
    parser.add_argument("--json", type=_file, metavar="FILE", help="write all figures there")
    parser.add_argument("--check", action="store_true", help="fail where a guard is crossed")
    parser.add_argument("--write", action="store_true", help="renew what the README shows")
    options = parser.parse_args(arguments)
    if options.write and (options.quick or options.workloads):
        parser.error("--write needs all workloads at their full length")
    if options.write and find_spec("matplotlib") is None:
        parser.error("--write draws with matplotlib, which is not there")
    return options


def _workload(name: str) -> str:
    if name not in WORKLOADS:
        raise argparse.ArgumentTypeError(
            f"no workload is {name!r}; there are {', '.join(WORKLOADS)}"
        )
    return name


def _file(name: str) -> Path:
    path = Path(name)
    if path.is_dir() or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{name!r} is no place for a file")
    return path


def _save(results: Results, path: Path) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")


def _write(results: Results) -> None:
    from .plot import plot  # noqa: PLC0415 - matplotlib is needed for nothing else

    _save(results, _HERE / "results.json")
    (_HERE / "results.svg").write_bytes(plot(results))
    _README.write_text(put(_README.read_text(encoding="utf-8"), results), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
