"""`streamkit record`: sends a request, shows the run that it starts, and writes it down."""

from __future__ import annotations

import argparse
import logging
import math
import re
import sys
from pathlib import Path
from typing import Any, Final, TextIO

from .._json import parse
from ..accumulator import Accumulator
from ..errors import DecodeError, ResponseError, StreamkitError, UsageError
from ..limits import DEFAULT_LIMITS
from ..recording import KEPT_HEADERS, Recorder
from ..recording.writing import is_timed_name
from ..snapshots import RunSnapshot
from ._process import Status, complain
from .escape import escape_line
from .plain import _table
from .recordings import UnusableError
from .showing import Attentive, add_views, chosen_view, described, feed, number
from .summary import HEAD, final_line, reasons, rows
from .views import View

__all__ = ["add_to"]

_DESCRIPTION: Final = """\
Send a request, as curl does, and show the run as it comes, while it is written to FILE:
its body where FILE ends in .sse, and with times where it ends in .sse.jsonl; .gz after that
compresses it. Headers that may hold a secret are not written.
"""

_EPILOG: Final = """\
The exit status is 0 where the stream was whole, whatever became of the run; 1 where there
was none, it was cut, held an error event or made no sense, or could not be written to its
end; 2 where nothing was sent.
"""

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")
_LEAST: Final = 8  # what is shorter is no secret, and stands in any text

Headers = list[tuple[str, str]]


def add_to(commands: Any) -> None:
    """Add the subcommand to the command's parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "record",
        help="send a request, and write down the run",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("url", metavar="URL", help="where a run is streamed")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="where to write it")
    parser.add_argument(
        "-X", "--request", metavar="METHOD", help="POST if there is a body, GET if there is none"
    )
    parser.add_argument(
        "-H",
        "--header",
        action="append",
        default=[],
        type=_header,
        metavar="'NAME: VALUE'",
        help="a header; may be given again",
    )
    bodies = parser.add_mutually_exclusive_group()
    bodies.add_argument("-d", "--data", metavar="BODY", help="the body; @FILE is what FILE holds")
    bodies.add_argument("--json", dest="document", metavar="BODY", help="the body, sent as JSON")
    parser.add_argument(
        "--timeout",
        type=number(0, math.inf, above=True),
        default=600.0,
        metavar="S",
        help="the longest that nothing may come, in seconds (default: 600)",
    )
    add_views(parser, quiet="show only what the run came to", has_json=False)
    parser.set_defaults(run=_run, parser=parser)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip()
    # What stands there may be a secret, so it is not repeated.
    if not colon or not _NAME.fullmatch(name):
        raise argparse.ArgumentTypeError("a header is given as 'NAME: VALUE'")
    if not value or not _VALUE.fullmatch(value):
        said = "has characters that cannot be sent" if value else "is missing"
        raise argparse.ArgumentTypeError(f"the value of {name} {said}")
    return name, value


def _run(options: argparse.Namespace) -> Status:
    # What cannot be written is said at the end; without a handler, it would be said twice.
    logging.getLogger("streamkit").addHandler(logging.NullHandler())
    try:
        where = _shown(options)
        content = _content(options)
        is_new = _made(options.output)
    except UnusableError as error:
        complain(str(error))
        return Status.WRONG
    headers: Headers = list(options.header)
    secrets = [value for name, value in headers if name.lower() not in KEPT_HEADERS]
    names = {name.lower() for name, _ in headers}
    if content is not None and "content-type" not in names:
        form = "x-www-form-urlencoded" if options.document is None else "json"
        headers.append(("Content-Type", f"application/{form}"))
    view = Attentive(chosen_view(options, _SummaryView))
    try:
        with _client(headers, options.timeout) as client:
            failure, recorder = _recorded(client, content, options, view)
    except UnusableError as error:
        complain(str(error))
        return Status.WRONG
    finally:
        view.close()
        if is_new:
            _drop_empty(Path(options.output))
    if failure is not None:
        complain(f"{where}: {_masked(_described(failure), secrets)}")
    if recorder is not None and recorder.error is not None:
        complain(f"{options.output}: the recording is not whole: {described(recorder.error)}")
        return Status.FAILED
    return Status.OK if failure is None else Status.FAILED


def _recorded(
    client: Any, content: bytes | None, options: argparse.Namespace, view: View
) -> tuple[Exception | None, Recorder | None]:
    """Show the run; return what went wrong with it, and what wrote it down.

    Raises:
        UnusableError: The file can no longer be opened.
    """
    import httpx  # noqa: PLC0415 - it takes its time

    from ..live import open_run  # noqa: PLC0415 - as above

    accumulator = Accumulator()
    method = options.request or ("GET" if content is None else "POST")
    run = open_run(
        client,
        method,
        options.url,
        accumulator=accumulator,
        record=options.output,
        content=content,
    )
    is_open = False
    failure: StreamkitError | None = None
    try:
        with run as stream:
            is_open = True
            view.begin(accumulator)
            view.open(None, None)
            failure = feed(stream, view)
            view.settle(accumulator.snapshot())
    except (ResponseError, httpx.HTTPError) as error:
        if not is_open:
            return error, None
        raise
    except OSError as error:
        if not is_open:
            raise UnusableError(options.output, error) from error
        raise
    return failure, run.recorder


def _client(headers: Headers, timeout: float) -> Any:
    """Return a client.

    Raises:
        UnusableError: What the environment says of proxies or certificates is wrong.
    """
    import httpx  # noqa: PLC0415 - as above

    try:
        return httpx.Client(headers=headers, timeout=httpx.Timeout(timeout))
    except (OSError, ValueError, httpx.InvalidURL) as error:
        raise UnusableError("the environment", error) from error


def _shown(options: argparse.Namespace) -> str:
    """Return the URL as it may be shown, if a request can be sent there.

    Raises:
        UnusableError: It cannot.
    """
    import httpx  # noqa: PLC0415 - as above

    from ..live.requests import shown  # noqa: PLC0415 - as above

    try:
        url = httpx.URL(options.url)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        # What stands there may be a secret, so it is not repeated.
        raise UnusableError("the URL", "one of http or https is needed")
    if options.request is not None and not _NAME.fullmatch(options.request):
        raise UnusableError(options.request, "this is no method")
    return shown(options.url)


def _content(options: argparse.Namespace) -> bytes | None:
    """Return the body, as it was given or from a file.

    Raises:
        UnusableError: It cannot be read, or is no JSON where it has to be.
    """
    given: str | None = options.data if options.document is None else options.document
    if given is None:
        return None
    content, name = given.encode("utf-8", "surrogateescape"), "the body"
    if given.startswith("@"):
        name = given[1:]
        try:
            content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except (OSError, AttributeError) as error:
            raise UnusableError(name, error) from error
    if options.document is not None:
        try:
            parse(content, depth=DEFAULT_LIMITS.depth)
        except DecodeError as error:
            raise UnusableError(name, f"this is no JSON: {error.reason}") from error
    return content


def _made(name: str) -> bool:
    """Make sure that a file can be written, and leave what is in it; tell if it is new.

    Raises:
        UnusableError: It cannot be written, or its name tells no form.
    """
    path = Path(name)
    try:
        is_timed_name(path)
        is_new = not path.exists()
        if is_new or path.is_file():
            path.open("ab").close()
    except (OSError, UsageError) as error:
        raise UnusableError(name, error) from error
    if path.is_dir():
        raise UnusableError(name, "this is a directory")
    return is_new


def _drop_empty(path: Path) -> None:
    """Remove the file that was made, if nothing came to be written."""
    if path.is_file() and not path.stat().st_size:
        path.unlink()


def _described(failure: Exception) -> str:
    if isinstance(failure, StreamkitError):
        return described(failure)
    return f"cannot connect: {str(failure) or type(failure).__name__}"


def _masked(text: str, secrets: list[str]) -> str:
    parts = {part for value in secrets for part in (value, *value.split())}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _LEAST:
            text = text.replace(part, "***")
    return text


class _SummaryView(View):
    """Writes what a run came to, and nothing while it comes."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def settle(self, snapshot: RunSnapshot) -> None:
        """Write the table and the final line."""
        lines = _table([HEAD, *rows(snapshot)] if snapshot.steps else [])
        lines += [final_line(snapshot), *map(escape_line, reasons(snapshot))]
        self._out.write("".join(f"{line}\n" for line in lines))
        self._out.flush()
