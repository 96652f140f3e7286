"""A run with one step, and calls in it."""

from __future__ import annotations

import random
from collections.abc import Sequence

from .fragments import code, function, step_delta
from .streams import DONE, JSON, Workload, frame, in_chunks, pieces, whole

__all__ = ["big", "frames", "hostile", "logs", "parallel", "tokens"]

_STEP_ID = "step_hK3aP0qTzY"


def _stream(name: str, fragments: Sequence[JSON], calls: list[JSON]) -> Workload:
    """Put a run and a step around fragments of calls.

    The step is never said whole, so that it has to be folded.
    """
    run = {"id": "run_8Jv1", "object": "thread.run", "status": "in_progress"}
    frames = [
        frame("thread.run.in_progress", run),
        frame("thread.run.step.created", _step([])),
        *(step_delta(_STEP_ID, fragment) for fragment in fragments),
        frame("thread.run.completed", run | {"status": "completed"}),
        DONE,
    ]
    return whole(name, frames, events=len(fragments), steps=[_step(calls)], messages=[])


def _step(calls: list[JSON]) -> JSON:
    return {
        "id": _STEP_ID,
        "object": "thread.run.step",
        "type": "tool_calls",
        "status": "in_progress",
        "step_details": {"type": "tool_calls", "tool_calls": calls},
    }


def _written(name: str, texts: list[str]) -> Workload:
    """Return one call whose code comes in these fragments."""
    fragments = [
        code({"index": 0, "id": "call_0"}, input="", outputs=[]),
        *(code({"index": 0}, input=text) for text in texts),
    ]
    return _stream(name, fragments, [code({"id": "call_0"}, input="".join(texts), outputs=[])])


def tokens(count: int) -> Workload:
    """One call whose code comes in `count` short fragments."""
    return _written("tokens", pieces(random.Random(1), count))


def frames(count: int) -> Workload:
    """The same, each frame a chunk of its own, as from a live stream."""
    made = tokens(count)
    return made._replace(name="frames", chunks=made.frames)


def big(count: int) -> Workload:
    """One call whose code comes in fragments of 32 KiB, 200 bytes for each of `count`."""
    rng = random.Random(3)
    size = 32 * 1024
    fragments = max(1, 200 * count // size)
    return _written("big", ["".join(pieces(rng, size))[:size] for _ in range(fragments)])


def logs(count: int) -> Workload:
    """One call with `count` outputs."""
    outputs: list[JSON] = [
        {"type": "logs", "logs": f"{number} of {count}\n"} for number in range(count)
    ]
    fragments = [
        code({"index": 0, "id": "call_0"}, input="run()"),
        *(
            code({"index": 0}, outputs=[{"index": index} | output])
            for index, output in enumerate(outputs)
        ),
    ]
    return _stream("logs", fragments, [code({"id": "call_0"}, input="run()", outputs=outputs)])


def parallel(count: int) -> Workload:
    """Eight calls of functions, whose `count` fragments interleave."""
    rng = random.Random(2)
    width = 8
    texts: list[list[str]] = [[] for _ in range(width)]
    fragments = [
        function(
            {"index": index, "id": f"call_{index}"}, name=f"f{index}", arguments="", output=None
        )
        for index in range(width)
    ]
    for piece in pieces(rng, count):
        index = rng.randrange(width)
        texts[index].append(piece)
        fragments.append(function({"index": index}, arguments=piece))
    calls = [
        function({"id": f"call_{index}"}, name=f"f{index}", arguments="".join(text), output=None)
        for index, text in enumerate(texts)
    ]
    return _stream("parallel", fragments, calls)


def hostile(count: int) -> Workload:
    """Code in `count` // 8 fragments, with all that the grammar allows, byte by byte."""
    made = tokens(count // 8)
    strange = b"".join(
        b": ping\r\n\r\nid: %d\r\n%s" % (number, each.replace(b"\n", b"\r\n"))
        for number, each in enumerate(made.frames)
    )
    return made._replace(name="hostile", chunks=in_chunks([strange], 1))
