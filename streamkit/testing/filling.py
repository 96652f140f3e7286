"""What `script` fills in: names, times and tokens, so that all is there and fits together."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from ..errors import UsageError
from .fragments import Wire
from .states import LIFETIME, calls_of

__all__ = ["Part", "count_tokens", "say_when", "set_ids", "tools_of"]

# What a step says of its end, but for its expiry, which only one that expired does.
_ENDS: Final = ("cancelled", "completed", "failed")

_TOKENS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")

_PROMPT: Final = 100  # tokens, before anything was said
_TOKEN: Final = 4  # characters


class Part(Struct):
    """A step on its way to be whole, and the message that it creates, as wire JSON."""

    step: Wire
    message: Wire | None = None

    @property
    def calls(self) -> list[Wire]:
        """The calls of the step."""
        return calls_of(self.step)

    @property
    def functions(self) -> list[Wire]:
        """Those of them that are the caller's to answer."""
        return [call for call in self.calls if call.get("type") == "function"]


# Names


def set_ids(parts: Sequence[Part]) -> None:
    """Give an id to whatever has none.

    Raises:
        UsageError: Two have the same.
    """
    messages = [part.message for part in parts if part.message is not None]
    _set_id_of_each("step_", [part.step for part in parts])
    _set_id_of_each("call_", [call for part in parts for call in part.calls])
    _set_id_of_each("msg_", messages)
    _fill("file_id", "file-", [file for part in parts for file in _files(part)])
    for part in parts:
        if part.message is not None:
            made = {"message_id": part.message["id"]}
            part.step["step_details"] = {"type": "message_creation", "message_creation": made}


def _set_id_of_each(prefix: str, wholes: Sequence[Wire]) -> None:
    _fill("id", prefix, wholes)
    for its_id, times in Counter(whole["id"] for whole in wholes).items():
        if times > 1:
            raise UsageError(f"two have the id {its_id!r}; give each its own, or none")


def _fill(field: str, prefix: str, wholes: Sequence[Wire]) -> None:
    given = {whole.get(field) for whole in wholes}
    free = (made for n in itertools.count(1) if (made := f"{prefix}{n}") not in given)
    for whole in wholes:
        if not whole.get(field):
            whole[field] = next(free)


def _files(part: Part) -> Iterator[Wire]:
    """Find what has the id of a file."""
    for call in part.calls:
        for output in (call.get("code_interpreter") or {}).get("outputs") or []:
            if output.get("type") == "image" and not (output.get("image") or {}).get("url"):
                yield output.setdefault("image", {})
        yield from (call.get("file_search") or {}).get("results") or []
    for content in (part.message or {}).get("content") or []:
        if content.get("type") == "image_file":
            yield content.setdefault("image_file", {})


# Times


def say_when(run: Wire, parts: Iterable[Part]) -> None:
    """Say when everything happened, and to which run it belongs: a step takes a second."""
    status, created = run["status"], run["created_at"]
    parts = list(parts)
    deadline = created + max(LIFETIME, 4 * len(parts) + 4)
    about = {"run_id": run["id"]} | {of: run[of] for of in ("assistant_id", "thread_id")}
    now = run["started_at"] = created + 1
    for part in parts:
        step, message = part.step, part.message
        begun = now + 1
        now = deadline if step["status"] == "expired" else begun + 1
        step |= about | {"object": "thread.run.step", "created_at": begun, "expires_at": deadline}
        step |= _ends(step["status"], now)
        step.setdefault("last_error", None)
        if message is not None:
            is_whole = message["status"] == "completed"
            message |= about | {"object": "thread.message", "created_at": begun}
            message["completed_at"] = now if is_whole else None
            message["incomplete_at"] = None if is_whole else now
            message.setdefault("attachments", [])
            message.setdefault("metadata", {})
        if part.functions and step["status"] == "completed":
            now = run["started_at"] = now + 1  # the outputs came, and the run went on
    now = deadline if status == "expired" else now
    run |= {f"{end}_at": now if end == status else None for end in _ENDS}
    run["expires_at"] = deadline if status in ("expired", "requires_action") else None


def _ends(status: str, at: int) -> Wire:
    ends: Wire = {f"{end}_at": at if end == status else None for end in _ENDS}
    return ends | ({"expired_at": at} if status == "expired" else {})


# Tokens, tools


def count_tokens(run: Wire, parts: Iterable[Part]) -> None:
    """Say how many tokens each step used, and all of them, where that is not said."""
    prompt = _PROMPT
    sums = Counter(dict.fromkeys(_TOKENS, 0))
    for part in parts:
        content = part.calls or (part.message or {}).get("content")
        said = json.dumps(content, ensure_ascii=False, default=str)
        completion = 1 + len(said) // _TOKEN
        counted = dict(zip(_TOKENS, (prompt, completion, prompt + completion), strict=True))
        is_over = part.step["status"] != "in_progress"
        used: Wire = part.step.get("usage") or (counted if is_over else {})
        part.step["usage"] = used or None
        for kind in _TOKENS:
            sums[kind] += used.get(kind) or 0
        prompt += completion
    if run.get("usage") is None:
        run["usage"] = None if run["status"] == "requires_action" else dict(sums)


def tools_of(parts: Iterable[Part]) -> list[Wire]:
    """Return the tools that the run must have had."""
    had: dict[str, Wire] = {}
    for call in itertools.chain.from_iterable(part.calls for part in parts):
        kind = str(call.get("type"))
        if kind != "function":
            had[kind] = {"type": kind}
            continue
        called = (call.get("function") or {}).get("name")
        parameters = {"type": "object", "properties": {}}
        function = {"name": called, "parameters": parameters, "strict": False}
        had[f"function {called}"] = {"type": kind, "function": function}
    return list(had.values())
