"""Bounds that keep a hostile or broken stream from taking the process down."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

__all__ = ["DEFAULT_LIMITS", "Limits"]


class Limits(Struct, frozen=True, kw_only=True):
    """What a stream may ask of this process; crossing a limit is a `LimitError`.

    Attributes:
        frame_bytes: The longest frame, in bytes. A completed step repeats all its code
            and logs in one frame, and images may come as data URLs, so 64 MiB is far
            above the largest seen (270 KB) and far below what hurts.
        index_gap: How far an index may lie past the end of what is known. Real servers
            leave gaps of a few (one numbers calls by output item); openai-node stops at
            1,024 too. Indices are keys here, so a dense list may grow without bound.
        depth: How deeply JSON may nest. Tool parameters are JSON schemas, some ten
            levels deep; the interpreter's own recursion limit is 1,000.
        open_steps: How many steps, and how many messages, may be under way at once. A
            placeholder costs about a kilobyte; real runs have a handful open.
    """

    frame_bytes: int = 64 * 2**20
    index_gap: int = 1024
    depth: int = 128
    open_steps: int = 10_000


DEFAULT_LIMITS: Final = Limits()
