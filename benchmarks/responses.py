"""How folding responses compares with openai-python's own accumulation.

Both read the same body, whole in memory, and keep the whole picture after each event:
streamkit with a callback for each text, openai-python through ``client.responses.stream``.
Measured in one run, interleaved; the best of several rounds counts.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx2
import msgspec
from openai import OpenAI

import streamkit
from benchmarks.__main__ import best

__all__ = ["CONTENDERS", "body"]

_WORDS: Final = (" x", " =", " 1", "\n", "print", "(", "df", ")", " for", " range", ",", '"')
_ROUNDS: Final = 3


def body(count: int) -> bytes:
    """Write a response: code in `count` fragments, what it printed, a text in as many."""
    rng = random.Random(1)
    code, text = ([rng.choice(_WORDS) for _ in range(count)] for _ in range(2))
    response = {
        "id": "resp_8Jv1",
        "object": "response",
        "created_at": 1_700_000_000,
        "model": "gpt-4o",
        "output": [],
        "parallel_tool_calls": True,
        "status": "in_progress",
        "tool_choice": "auto",
        "tools": [],
    }
    events = [{"type": "response.created", "response": response}]
    output = [*_code(events, code), *_message(events, text)]
    done = response | {"status": "completed", "output": output}
    events.append({"type": "response.completed", "response": done})
    numbered = (event | {"sequence_number": number} for number, event in enumerate(events))
    return b"".join(map(_frame, numbered))


def _frame(event: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), msgspec.json.encode(event))


def _code(events: list[dict[str, Any]], pieces: list[str]) -> Iterator[dict[str, Any]]:
    item = {"id": "ci_1", "type": "code_interpreter_call", "container_id": "cntr_1"}
    place = {"item_id": "ci_1", "output_index": 0}
    begun = item | {"status": "in_progress", "code": "", "outputs": []}
    events.append({"type": "response.output_item.added", "output_index": 0, "item": begun})
    name = "response.code_interpreter_call_code"
    events += [{"type": f"{name}.delta", "delta": piece, **place} for piece in pieces]
    events.append({"type": f"{name}.done", "code": "".join(pieces), **place})
    logs = [{"type": "logs", "logs": "1\n"}]
    done = item | {"status": "completed", "code": "".join(pieces), "outputs": logs}
    events.append({"type": "response.output_item.done", "output_index": 0, "item": done})
    yield done


def _message(events: list[dict[str, Any]], pieces: list[str]) -> Iterator[dict[str, Any]]:
    item = {"id": "msg_1", "type": "message", "role": "assistant"}
    place = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    begun = item | {"status": "in_progress", "content": []}
    events.append({"type": "response.output_item.added", "output_index": 1, "item": begun})
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    events.append({"type": "response.content_part.added", "part": part, **place})
    name = "response.output_text"
    events += [
        {"type": f"{name}.delta", "delta": each, "logprobs": [], **place} for each in pieces
    ]
    whole = part | {"text": "".join(pieces)}
    events.append({"type": f"{name}.done", "text": whole["text"], "logprobs": [], **place})
    events.append({"type": "response.content_part.done", "part": whole, **place})
    done = item | {"status": "completed", "content": [whole]}
    events.append({"type": "response.output_item.done", "output_index": 1, "item": done})
    yield done


def with_streamkit(data: bytes) -> tuple[str, str]:
    """Fold, and hear each text."""
    code: list[str] = []
    text: list[str] = []
    hear = streamkit.on(
        code=lambda change: code.append(change.text), text=lambda change: text.append(change.text)
    )
    streamkit.accumulate(data, hear)
    return "".join(code), "".join(text)


def with_openai(data: bytes) -> tuple[str, str]:
    """Stream with openai-python, whose client gets the body from memory."""
    headers = {"content-type": "text/event-stream"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, content=data))
    client = OpenAI(api_key="none", http_client=httpx2.Client(transport=transport))
    text: list[str] = []
    with client.responses.stream(model="gpt-4o", input="") as stream:
        text += [event.delta for event in stream if event.type == "response.output_text.delta"]
        code: Any = stream.get_final_response().output[0]
    return code.code, "".join(text)


CONTENDERS: Final[dict[str, Callable[[bytes], tuple[str, str]]]] = {
    "streamkit, on(code=..., text=...)": with_streamkit,
    "openai-python, responses.stream": with_openai,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.responses", description=__doc__)
    parser.add_argument("--events", type=int, default=4_000, help="fragments in a response")
    events = parser.parse_args().events
    data = body(events // 2)
    times = best(
        {name: lambda fold=fold: fold(data) for name, fold in CONTENDERS.items()},  # type: ignore[misc]
        rounds=_ROUNDS,
    )
    ours = min(times.values())
    print(f"a response of {events:,} fragments\n")
    for name, seconds in times.items():
        print(f"{name:36}{seconds / events * 1e6:>9.2f} µs an event{seconds / ours:>9.1f} times")


if __name__ == "__main__":
    main()
