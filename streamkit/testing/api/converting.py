"""What is served, as responses: each leg is one."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from ...accumulator import Accumulator
from ...errors import PeerError
from ...recording import Chunk, Leg, Recording
from ...recording.replaying import followed
from ...snapshots import ErrorObject
from ...sse import Frame, encode_frame
from ..fragments import Cutter
from ..responding import responses_of
from .bodies import Body

__all__ = ["as_responses", "data_url", "is_response"]

# How texts are cut, as `explode` does by itself.
_SIZE: Final = (1, 8)

# How the content of images begins.
_IMAGES: Final = ((b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"), (b"RIFF", "webp"), (b"", "png"))


def data_url(content: bytes) -> str:
    """Give the content of an image as a URL."""
    kind = next(kind for start, kind in _IMAGES if content.startswith(start))
    return f"data:image/{kind};base64,{b64encode(content).decode()}"


def is_response(body: Body) -> bool:
    """Whether a body is of the Responses API."""
    return body.first_run is not None and body.first_run.run.object == "response"


def as_responses(recording: Recording, image_url: Callable[[str], str | None]) -> Recording:
    """Tell what was recorded as responses.

    Those that are there stay as they are, but for one whose stream broke and went on in
    another: that is one response. A run is told as the responses that it would be, in
    about the same time; one that broke off or failed does so as a response, too.

    Args:
        recording: Of either API.
        image_url: Gives the URL of an image by its file id.
    """
    if any(is_response(Body(leg.chunks)) for leg in recording.legs):
        return msgspec.structs.replace(recording, legs=_joined(recording.legs))
    accumulator = Accumulator()
    try:
        for leg in recording.legs:
            accumulator.begin()
            for chunk in followed(leg):
                accumulator.feed_bytes(chunk.data)
            accumulator.end(cut=True)
    except PeerError:
        pass  # what came before it stands
    run = accumulator.snapshot()
    if run.run is None:
        return recording
    legs = responses_of(run, Cutter(_SIZE, 0, interleave=False), image_url=image_url)
    if run.outcome not in ("complete", "paused"):
        *_, last = legs
        error = accumulator._picture.error
        last[-1:] = [] if error is None else [_failure(error, len(last) - 1)]
    took = sum(chunk.after or 0.0 for leg in recording.legs for chunk in leg.chunks)
    gap = took / max(1, sum(map(len, legs))) or None
    return msgspec.structs.replace(
        recording,
        legs=[Leg(chunks=[Chunk(encode_frame(frame), gap) for frame in leg]) for leg in legs],
        is_cut=run.outcome == "truncated" or recording.is_cut,
    )


def _failure(error: ErrorObject, number: int) -> Frame:
    payload = {
        "type": "error",
        "sequence_number": number,
        "code": error.code,
        "message": error.message,
        "param": error.param,
    }
    return Frame("error", json.dumps(payload).encode())


def _joined(legs: Sequence[Leg]) -> list[Leg]:
    """Put together the legs that are of one response."""
    joined: list[Leg] = []
    known = None
    for leg, id in zip(legs, _ids(legs), strict=True):
        if joined and (id == known or None in (id, known)):
            *before, last = joined
            chunks = [chunk for chunk in followed(last) if chunk.data]
            joined = [*before, msgspec.structs.replace(leg, chunks=[*chunks, *leg.chunks])]
        else:
            joined.append(leg)
        known = id or known
    return joined


def _ids(legs: Sequence[Leg]) -> Iterator[str | None]:
    for leg in legs:
        first = Body(leg.chunks).first_run
        yield None if first is None else first.run.id
