"""Recordings of the Assistants API, played as responses."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ...follow import accumulate
from ...recording import Chunk, Leg, Recording
from ...sse import encode_frame
from ..fragments import Cutter
from ..responding import responses_of

__all__ = ["as_responses"]

# How texts are cut, as `explode` does by itself.
_SIZE = (1, 8)


def as_responses(recording: Recording, image_url: Callable[[str], str | None]) -> Recording:
    """Tell a run as the responses that it would be, in about the same time.

    Args:
        recording: The run.
        image_url: Gives the URL of an image by its file id.
    """
    run = accumulate(recording.body, allow_partial=True)
    legs = responses_of(run, Cutter(_SIZE, 0, interleave=False), image_url=image_url)
    took = sum(chunk.after or 0.0 for leg in recording.legs for chunk in leg.chunks)
    gap = took / max(1, sum(map(len, legs))) or None
    return msgspec.structs.replace(
        recording,
        legs=[Leg(chunks=[Chunk(encode_frame(frame), gap) for frame in leg]) for leg in legs],
    )
