"""Streams to measure with, made from a seed, each with the steps it must fold to.

A test folds each of them, so that something fast and wrong cannot win.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

__all__ = ["WORKLOADS", "Workload", "in_chunks"]

# How much an HTTP client hands over at once, when there is much.
CHUNK: Final = 64 * 1024

_WORDS: Final = (" x", " =", " 1", "\n", "print", "(", "df", ")", " for", " range", ",", '"')


class Workload(NamedTuple):
    """A stream, frame by frame, and the calls of its one step."""

    frames: list[bytes]
    calls: list[dict[str, Any]]


def _frame(name: str, data: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))


def _stream(fragments: Iterator[dict[str, Any]], calls: list[dict[str, Any]]) -> Workload:
    """Put a run and a step around fragments of calls."""
    run = {"id": "run_8Jv1", "object": "thread.run", "status": "in_progress"}
    step = {
        "id": "step_hK3aP0qTzY",
        "object": "thread.run.step",
        "type": "tool_calls",
        "status": "in_progress",
        "step_details": {"type": "tool_calls", "tool_calls": []},
    }
    frames = [
        _frame("thread.run.in_progress", run),
        _frame("thread.run.step.created", step),
    ]
    for fragment in fragments:
        details = {"type": "tool_calls", "tool_calls": [fragment]}
        delta = {"step_details": details}
        data = {"id": step["id"], "object": "thread.run.step.delta", "delta": delta}
        frames.append(_frame("thread.run.step.delta", data))
    frames += [
        _frame("thread.run.completed", run | {"status": "completed"}),
        b"event: done\ndata: [DONE]\n\n",
    ]
    return Workload(frames, calls)


def _code(index: int, **fields: object) -> dict[str, Any]:
    return {"index": index, "type": "code_interpreter", "code_interpreter": fields}


def tokens(count: int) -> Workload:
    """One call whose code comes in `count` short fragments."""
    rng = random.Random(1)
    pieces = [rng.choice(_WORDS) for _ in range(count)]
    opening = {"id": "call_0"} | _code(0, input="", outputs=[])
    code = {"input": "".join(pieces), "outputs": []}
    call = {"id": "call_0", "type": "code_interpreter", "code_interpreter": code}
    return _stream(iter([opening, *(_code(0, input=piece) for piece in pieces)]), [call])


def logs(count: int) -> Workload:
    """One call with `count` outputs."""
    lines = [f"{number} of {count}\n" for number in range(count)]
    opening = {"id": "call_0"} | _code(0, input="run()")
    fragments = (
        _code(0, outputs=[{"index": index, "type": "logs", "logs": line}])
        for index, line in enumerate(lines)
    )
    outputs = [{"type": "logs", "logs": line} for line in lines]
    code = {"input": "run()", "outputs": outputs}
    call = {"id": "call_0", "type": "code_interpreter", "code_interpreter": code}
    return _stream(iter([opening, *fragments]), [call])


def parallel(count: int) -> Workload:
    """Eight calls of functions, whose `count` fragments interleave."""
    rng = random.Random(2)
    width = 8
    texts: dict[int, list[str]] = {index: [] for index in range(width)}

    def function(index: int, **fields: object) -> dict[str, Any]:
        return {"index": index, "type": "function", "function": fields}

    def fragments() -> Iterator[dict[str, Any]]:
        for index in range(width):
            opening = function(index, name=f"f{index}", arguments="", output=None)
            yield {"id": f"call_{index}"} | opening
        for _ in range(count):
            index, piece = rng.randrange(width), rng.choice(_WORDS)
            texts[index].append(piece)
            yield function(index, arguments=piece)

    made = list(fragments())
    calls = [
        {
            "id": f"call_{index}",
            "type": "function",
            "function": {"name": f"f{index}", "arguments": "".join(pieces), "output": None},
        }
        for index, pieces in texts.items()
    ]
    return _stream(iter(made), calls)


WORKLOADS: Final[Mapping[str, Callable[[int], Workload]]] = {
    "tokens": tokens,
    "logs": logs,
    "parallel": parallel,
}


def in_chunks(frames: list[bytes]) -> list[bytes]:
    """Cut a stream as a client does that has much to hand over."""
    body = b"".join(frames)
    return [body[start : start + CHUNK] for start in range(0, len(body), CHUNK)]
