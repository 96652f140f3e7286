"""`streamkit convert`: writes a recording in another form."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from ._process import Status
from .items import write_items
from .recordings import rewrite

if TYPE_CHECKING:
    from ..recording import Form

__all__ = ["add_to"]

_DESCRIPTION: Final = """\
Write the recording IN in another form: the raw body (.sse), lines with the times between
them (.sse.jsonl), or lines of JSON, one an event (.jsonl); .gz after that compresses it.
IN may also be a HAR file or a cassette of VCR.py.

With --to responses, write what IN comes to as input items of the Responses API: a list of
JSON. Then IN may also be what `streamkit replay --json` printed, or a list of run steps and
messages as the API gives it. What the items cannot say is told on standard error, a line each.
"""

_EPILOG: Final = """\
The exit status is 0 where OUT was written, whatever the items cannot say; 1 where the stream
held an error event or was cut, and OUT holds what there is; 2 where IN cannot be used.
"""


def add_to(commands: Any) -> None:
    """Add the subcommand to the command's parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "convert",
        help="write a recording in another form",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("source", metavar="IN", help="a recording of any form")
    parser.add_argument("target", metavar="OUT", help="where to write it")
    parser.add_argument(
        "--to",
        choices=("raw", "timed", "events", "responses"),
        help="the form, whatever OUT's name says",
    )
    parser.add_argument(
        "--container-id",
        metavar="ID",
        help="with --to responses: the container that code is said to have run in",
    )
    parser.add_argument(
        "--image-url",
        metavar="URL",
        type=_template,
        help="with --to responses: where an image is, as https://example.com/{file_id}",
    )
    parser.set_defaults(run=_run, parser=parser)


def _template(text: str) -> str:
    if "{file_id}" not in text:
        raise argparse.ArgumentTypeError("{file_id} is needed in it")
    return text


def _run(options: argparse.Namespace) -> Status:
    target: str = options.target
    if options.to == "responses":
        return write_items(options.source, target, options.container_id, options.image_url)
    for name in ("container_id", "image_url"):
        if getattr(options, name) is not None:
            options.parser.error(f"--{name.replace('_', '-')} needs --to responses")
    form = options.to or _form(target)
    return rewrite(options.source, target, lambda recording: recording, form=form)


def _form(name: str) -> Form | None:
    """Return the form of lines of JSON, which only this command writes, or None."""
    name = name.lower().removesuffix(".gz")
    return "events" if name.endswith(".jsonl") and not name.endswith(".sse.jsonl") else None
