"""A stream, and how it is written and cut."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

__all__ = ["CHUNK", "DONE", "JSON", "Workload", "frame", "in_chunks", "pieces", "whole"]

JSON = dict[str, Any]

# How much an HTTP client hands over at once, when there is much.
CHUNK: Final = 64 * 1024

DONE: Final = b"event: done\ndata: [DONE]\n\n"

# About as long as tokens are.
_WORDS: Final = (" x", " =", " 1", "\n", "print", "(", "df", ")", " for", " range", ",", '"')


class Workload(NamedTuple):
    """A stream, and what it must fold to.

    Attributes:
        name: Of the function that made it.
        frames: The stream, frame by frame, with LF only.
        chunks: What is fed.
        plain: The frames in chunks of 64 KiB, for the limit.
        events: How many deltas are in it.
        expected: The steps and the messages in the JSON of the stream's own API; items of
            the output, for a response.
        text: The bytes of text that are held once it is folded.
        parts: The calls and outputs that are held then.
    """

    name: str
    frames: list[bytes]
    chunks: list[bytes]
    plain: list[bytes]
    events: int
    expected: dict[str, list[JSON]]
    text: int
    parts: int


def whole(
    name: str, frames: list[bytes], *, events: int, steps: list[JSON], messages: list[JSON]
) -> Workload:
    """Make a workload that is fed in chunks of 64 KiB."""
    chunks = in_chunks(frames)
    expected = {"steps": steps, "messages": messages}
    calls = [call for step in steps for call in _calls(step)]
    parts = len(calls) + sum(len(_outputs(call)) for call in calls)
    text = sum(map(_text, (*calls, *messages)))
    return Workload(name, frames, chunks, chunks, events, expected, text, parts)


def frame(name: str, data: object) -> bytes:
    """Write an event."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))


def in_chunks(frames: Iterable[bytes], size: int = CHUNK) -> list[bytes]:
    """Cut a stream as a client does that has much to hand over."""
    body = b"".join(frames)
    return [body[start : start + size] for start in range(0, len(body), size)]


def pieces(rng: random.Random, count: int) -> list[str]:
    """Return short fragments of code."""
    return rng.choices(_WORDS, k=count)


def _calls(step: JSON) -> list[JSON]:
    """Return the calls of a step; an item of a response is one itself."""
    calls: list[JSON] = step.get("step_details", {"tool_calls": [step]}).get("tool_calls", [])
    return calls


def _outputs(call: JSON) -> list[JSON]:
    return call.get("code_interpreter", call).get("outputs") or []


# The fields whose text grows.
_TEXTS: Final = frozenset({"input", "code", "logs", "arguments", "value", "text", "output"})


def _text(value: object) -> int:
    """Return how many bytes the texts within some JSON take."""
    if isinstance(value, list):
        return sum(map(_text, value))
    if not isinstance(value, dict):
        return 0
    return sum(
        len(inner.encode()) if name in _TEXTS and isinstance(inner, str) else _text(inner)
        for name, inner in value.items()
    )
