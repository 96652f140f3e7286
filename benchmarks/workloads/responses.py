"""A response of the Responses API: code and a message, as OpenAI sends them."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from typing import Final

from .streams import JSON, Workload, frame, pieces, whole

__all__ = ["responses"]

_ITEM: Final = "05781e0359e1a80300695e9d6372e08190b17bc14572da561b"
_CODE_ID: Final = f"ci_{_ITEM}"
_MESSAGE_ID: Final = f"msg_{_ITEM}"

_RESPONSE: Final[JSON] = {
    "id": f"resp_{_ITEM}",
    "object": "response",
    "created_at": 1_767_808_351,
    "status": "in_progress",
    "background": False,
    "completed_at": None,
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "model": "gpt-4o-mini-2024-07-18",
    "output": [],
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "service_tier": "auto",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [{"type": "code_interpreter", "container": {"type": "auto"}}],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "usage": None,
    "user": None,
    "metadata": {},
}
_USAGE: Final[JSON] = {
    "input_tokens": 255,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 160,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 415,
}


def responses(count: int) -> Workload:
    """Half of the fragments are code, half are a message's text."""
    rng = random.Random(5)
    code, text = pieces(rng, count // 2), pieces(rng, count - count // 2)
    call = _call("completed", "".join(code), [{"type": "logs", "logs": "1\n"}])
    message = _message("completed", [_part("".join(text))])
    usage = {"status": "completed", "completed_at": 1_767_808_370, "usage": _USAGE}
    end = _RESPONSE | usage | {"output": [call, message]}
    said = [
        {"type": "response.created", "response": _RESPONSE},
        {"type": "response.in_progress", "response": _RESPONSE},
        *_code(rng, code, call),
        *_text(rng, text, message),
        {"type": "response.completed", "response": end},
    ]
    frames = [
        frame(event["type"], {"type": event["type"], "sequence_number": number} | event)
        for number, event in enumerate(said)
    ]
    return whole("responses", frames, events=count, steps=[call], messages=[message])


def _code(rng: random.Random, texts: list[str], done: JSON) -> Iterator[JSON]:
    place = {"output_index": 0}
    where = place | {"item_id": _CODE_ID}
    name = "response.code_interpreter_call"
    opening = _call("in_progress", "", [])
    yield {"type": "response.output_item.added", **place, "item": opening}
    yield {"type": f"{name}.in_progress", **where}
    for text in texts:
        yield {"type": f"{name}_code.delta", **where, "delta": text, **_padding(rng, text)}
    yield {"type": f"{name}_code.done", **where, "code": done["code"]}
    yield {"type": f"{name}.interpreting", **where}
    yield {"type": f"{name}.completed", **where}
    yield {"type": "response.output_item.done", **place, "item": done}


def _text(rng: random.Random, texts: list[str], done: JSON) -> Iterator[JSON]:
    place = {"output_index": 1}
    where = {"item_id": _MESSAGE_ID, **place, "content_index": 0}
    (part,) = done["content"]
    opening = _message("in_progress", [])
    yield {"type": "response.output_item.added", **place, "item": opening}
    yield {"type": "response.content_part.added", **where, "part": _part("")}
    for text in texts:
        said = {"delta": text, "logprobs": [], **_padding(rng, text)}
        yield {"type": "response.output_text.delta", **where, **said}
    said = {"text": part["text"], "logprobs": []}
    yield {"type": "response.output_text.done", **where, **said}
    yield {"type": "response.content_part.done", **where, "part": part}
    yield {"type": "response.output_item.done", **place, "item": done}


def _padding(rng: random.Random, text: str) -> JSON:
    """Return what OpenAI adds, so that lengths on the wire say nothing of the text."""
    return {"obfuscation": "".join(rng.choices(string.ascii_letters, k=16 - len(text)))}


def _call(status: str, code: str, outputs: list[JSON]) -> JSON:
    return {
        "id": _CODE_ID,
        "type": "code_interpreter_call",
        "status": status,
        "code": code,
        "container_id": "cntr_695e9d631184819383b8c78f6fc92f7d048cc4932d3cb6a8",
        "outputs": outputs,
    }


def _message(status: str, content: list[JSON]) -> JSON:
    item = {"id": _MESSAGE_ID, "type": "message", "status": status}
    return item | {"content": content, "role": "assistant"}


def _part(text: str) -> JSON:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
