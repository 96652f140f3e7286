"""`streamkit scrub`: writes a recording anew, so that it can be shared."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any, Final

from ..recording import scrub
from ._process import Status
from .recordings import rewrite

__all__ = ["add_to"]

_DESCRIPTION: Final = """\
Write a copy of the recording IN that can be shared: ids are replaced, the same one by the
same one everywhere, and what looks like a secret is masked. It folds to the same shape.
The form is told by OUT's name: .sse or .sse.jsonl, and perhaps .gz after that.
"""


def add_to(commands: Any) -> None:
    """Add the subcommand to the command's parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "scrub",
        help="copy a recording without ids and secrets",
        description=_DESCRIPTION,
        allow_abbrev=False,
    )
    parser.add_argument("source", metavar="IN", help="a recording of any form")
    parser.add_argument("target", metavar="OUT", help="where to write the copy")
    parser.add_argument(
        "--texts",
        choices=("keep", "mask"),
        default="keep",
        help="what becomes of what people and models wrote (default: keep)",
    )
    parser.set_defaults(run=_run, parser=parser)


def _run(options: argparse.Namespace) -> Status:
    texts = "masked" if options.texts == "mask" else "kept"
    return rewrite(
        options.source,
        options.target,
        partial(scrub, texts=options.texts),
        remark=f"; ids replaced, secrets masked, texts {texts}",
    )
