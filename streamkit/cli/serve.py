"""``streamkit serve``: a server that plays recordings, for a UI to be tried on."""

from __future__ import annotations

import argparse
import math
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ..errors import StreamkitError, UsageError
from ._process import Status, complain
from .escape import escape_line
from .showing import number

if TYPE_CHECKING:
    from ..server import Server

__all__ = ["add_to"]

_DESCRIPTION: Final = """\
Serve recordings as the API of runs does, on the loopback, until interrupted. A FILE is a
recording in any form, or the JSON of a run as "streamkit replay --json" prints it; files
NAME.leg1.sse, NAME.leg2.sse are the legs of one. A FOLDER stands for those in it, and for the
pictures in it: chart.png is the content of the file "chart".
"""

_EPILOG: Final = """\
A run plays what the mapping says of its assistant, or else of its model; or what is called as
its assistant is, or else as its model is; or the next in order. A FAULT is one of cut, stall,
error, drop, duplicate, reorder, corrupt, split, crlf, keepalives and status, with its fields:
cut:frames=9,how=abort or status:503,operation=submit. The exit status is 0 where it served, and
2 where it could not.
"""

# A day, in seconds: who waits longer for a frame means something else.
_LONGEST: Final = 86_400
_LAST_PORT: Final = (1 << 16) - 1


def add_to(commands: Any) -> None:
    """Add the subcommand to the command's parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "serve",
        help="serve recordings as the API of runs does",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("paths", metavar="FILE_OR_FOLDER", nargs="+", help="what is played")
    parser.add_argument(
        "--port",
        type=_port,
        default=8765,
        metavar="N",
        help="the port; 0: a free one (default: 8765)",
    )
    parser.add_argument(
        "--speed",
        type=number(0, math.inf, above=True),
        default=1.0,
        metavar="N",
        help="N times as fast as it was recorded; inf: without waiting (default: 1)",
    )
    parser.add_argument(
        "--max-gap",
        type=number(0, math.inf),
        metavar="S",
        help="wait as if nothing had taken more than S seconds",
    )
    parser.add_argument(
        "--gap",
        type=number(0, _LONGEST),
        default=0.02,
        metavar="S",
        help="seconds before each frame where nobody noted them (default: 0.02)",
    )
    parser.add_argument(
        "--fault",
        dest="faults",
        action="append",
        default=[],
        metavar="FAULT",
        help="what goes wrong; may be given again",
    )
    parser.add_argument(
        "--map",
        metavar="FILE",
        help='a JSON object: what an assistant or a model plays, {"asst_1": "NAME"}',
    )
    parser.add_argument(
        "--sunset",
        action="store_true",
        help="answer as OpenAI does since it switched these endpoints off",
    )
    parser.set_defaults(run=_run, parser=parser)


def _run(options: argparse.Namespace) -> Status:
    try:
        from ..server import serve  # noqa: PLC0415 - it needs its extra
        from ..testing.faults import parse_fault  # noqa: PLC0415 - as above
    except ImportError as error:
        complain(str(error))
        return Status.WRONG
    with ExitStack() as stack:
        try:
            server = stack.enter_context(
                serve(
                    *map(Path, options.paths),
                    port=options.port,
                    faults=[parse_fault(text) for text in options.faults],
                    speed=options.speed,
                    max_gap=options.max_gap,
                    gap=options.gap,
                    mapping=_mapping(options.map),
                    sunset=options.sunset,
                )
            )
        except (StreamkitError, OSError) as error:
            complain(_said(error, options.port))
            return Status.WRONG
        stack.enter_context(_until_told_to_end())
        _tell(server)
        threading.Event().wait()
    return Status.OK


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text[:6]) > _LAST_PORT:
        message = f"a number from 0 to {_LAST_PORT} is needed, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


@contextmanager
def _until_told_to_end() -> Iterator[None]:
    """Let Ctrl-C, and whoever ends the process, end the block; that is how it is to end."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell(server: Server) -> None:
    """Say where it is, and what is played."""
    print(f"Serving {server.url}")
    print(f"The start page {server.origin} says how to ask.")
    names = ", ".join(server.names)
    print(f"It plays {escape_line(names)}.", flush=True)


def _mapping(name: str | None) -> Mapping[str, str]:
    """Read what an assistant or a model plays, if there is a file that says it.

    Raises:
        UsageError: The file holds something else.
        OSError: It cannot be read.
    """
    if name is None:
        return {}
    try:
        return msgspec.json.decode(Path(name).read_bytes(), type=dict[str, str])
    except msgspec.MsgspecError as error:
        raise UsageError(
            f'{name}: {error}; what is needed is {{"asst_1": "NAME", ...}}'
        ) from error


def _said(error: Exception, port: int) -> str:
    """Say what went wrong, and with what."""
    if not isinstance(error, OSError):
        return str(error)
    where = f"port {port}" if error.filename is None else error.filename
    # The words of a socket's error say the address, too.
    return f"{where}: {error if error.errno is None else os.strerror(error.errno)}"
