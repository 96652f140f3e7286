"""The ways in which a body may arrive."""

from __future__ import annotations

import random
import re

__all__ = ["cuts"]

# A two-byte line end, a byte-order mark and a frame boundary are each hit many times
# over in a body of a few hundred bytes.
SEEDS = 24


def cuts(body: bytes) -> list[list[bytes]]:
    """Cut a body in many ways: whole, byte by byte, line by line, frame by frame, at random."""
    return [
        [body],
        [body[at : at + 1] for at in range(len(body))],
        re.findall(rb"[^\n]*\n|[^\n]+", body),
        re.split(rb"(?<=\n\n)", body),
        *(at_random(body, random.Random(seed)) for seed in range(SEEDS)),
    ]


def at_random(body: bytes, source: random.Random) -> list[bytes]:
    """Cut at random places, some of them twice: an empty chunk means nothing."""
    count = source.randint(1, 8)
    places = sorted(source.choices(range(len(body) + 1), k=count))
    return [body[start:end] for start, end in zip([0, *places], [*places, len(body)], strict=True)]
