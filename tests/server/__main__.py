"""Serve the recordings, slowly enough to watch: ``python -m tests.server``."""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading

from tests.own import OWN
from tests.server import Fault, Script, serve


def main() -> None:
    """Serve until Ctrl-C. The assistants are named after the recordings; any thread will do."""
    parser = argparse.ArgumentParser(prog="python -m tests.server", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--delay", type=float, default=0.02, help="seconds between frames")
    parser.add_argument("--cut", type=int, help="drop each first leg after so many frames")
    given = parser.parse_args()
    faults = [] if given.cut is None else [Fault(frames=given.cut)]
    scripts = {
        name: Script(legs, faults=faults, delay=given.delay, busy_polls=2)
        for name, legs in OWN.items()
    }
    with serve(port=given.port, catalogue=scripts) as server:
        legs = [f"  {name}: {len(script.legs)}" for name, script in scripts.items()]
        say(f"Serving {server.url}", "Assistants, with the number of legs:", *legs)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    say("")


def say(*lines: str) -> None:
    """Print lines at once, wherever they go to."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
