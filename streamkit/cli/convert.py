"""`streamkit convert`: writes a recording in another form."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from ._process import Status
from .recordings import rewrite

if TYPE_CHECKING:
    from ..recording import Form

__all__ = ["add_to"]

_DESCRIPTION: Final = """\
Write the recording IN in another form: the raw body (.sse), lines with the times between
them (.sse.jsonl), or lines of JSON, one an event (.jsonl); .gz after that compresses it.
IN may also be a HAR file or a cassette of VCR.py.
"""


def add_to(commands: Any) -> None:
    """Add the subcommand to the command's parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "convert",
        help="write a recording in another form",
        description=_DESCRIPTION,
        allow_abbrev=False,
    )
    parser.add_argument("source", metavar="IN", help="a recording of any form")
    parser.add_argument("target", metavar="OUT", help="where to write it")
    parser.add_argument(
        "--to", choices=("raw", "timed", "events"), help="the form, whatever OUT's name says"
    )
    parser.set_defaults(run=_run, parser=parser)


def _run(options: argparse.Namespace) -> Status:
    target: str = options.target
    form = options.to or _form(target)
    return rewrite(options.source, target, lambda recording: recording, form=form)


def _form(name: str) -> Form | None:
    """Return the form of lines of JSON, which only this command writes, or None."""
    name = name.lower().removesuffix(".gz")
    return "events" if name.endswith(".jsonl") and not name.endswith(".sse.jsonl") else None
