"""Messages as items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from .annotations import write_annotation
from .cargo import Cargo
from .writer import Writer

__all__ = ["write_message"]

Wire = dict[str, Any]
Part = Callable[[Cargo, Writer], Wire | None]

# Whose messages are input, and so have no id.
_INPUT: Final = frozenset({"user", "system", "developer"})

_BOOKKEEPING: Final = frozenset(
    {
        "object",
        "created_at",
        "assistant_id",
        "thread_id",
        "run_id",
        "completed_at",
        "incomplete_at",
    }
)


def write_message(message: Cargo, here: Writer) -> None:
    """Write a message."""
    here.drop(message, _BOOKKEEPING)
    role = message.take("role", str)
    if role in _INPUT:
        here.drop(message, {"id"})
        _input(message, here, role)
    else:
        _output(message, here, role)
    here.note_left(message)


def _input(message: Cargo, here: Writer, role: str) -> None:
    content = _parts(message, here, _INPUT_PARTS)
    status = message.peek("status")
    item: Wire = {"type": "message", "role": role, "content": content}
    if status is not None:
        message.take("status", str)
        item["status"] = here.status("message", status, message.at("status"))
    _add(item, message, here)


def _output(message: Cargo, here: Writer, role: str | None) -> None:
    if role != "assistant":
        here.note("role", message.at("role"), said=role, given="assistant")
    id = here.id("message", message, instead="unknown")
    content = _parts(message, here, _OUTPUT_PARTS)
    status = message.take("status", str)
    # A message that Azure completes may still say in_progress: its step knows better.
    if status == "in_progress" and here.step is not None and here.step.status == "completed":
        status = "completed"
    item: Wire = {"id": id, "type": "message", "role": "assistant", "content": content}
    item["status"] = here.status("message", status, message.at("status"))
    _add(item, message, here)


def _add(item: Wire, message: Cargo, here: Writer) -> None:
    if item["content"]:
        here.items.append(item)
    else:
        here.note("empty", message.path)


def _parts(message: Cargo, here: Writer, writers: Mapping[str, Part]) -> list[Wire]:
    content = []
    for part in message.each("content"):
        write = writers.get(part.peek("type"), _left_out)
        written = write(part, here)
        if written is not None:
            content.append(written)
    return content


def _left_out(part: Cargo, here: Writer) -> Wire | None:
    here.leave("left_out", part)
    return None


def _output_text(part: Cargo, here: Writer) -> Wire | None:
    part.take("type", str)
    text = part.open("text")
    value = text.take("value", str) or ""
    annotations: list[Wire] = []
    for annotation in text.each("annotations"):
        written = write_annotation(annotation, here, value, annotations)
        if written is not None:
            annotations.append(written)
    return {"type": "output_text", "text": value, "annotations": annotations}


def _refusal(part: Cargo, _: Writer) -> Wire:
    part.take("type", str)
    return {"type": "refusal", "refusal": part.take("refusal", str) or ""}


def _input_text(part: Cargo, _: Writer) -> Wire:
    part.take("type", str)
    return {"type": "input_text", "text": part.open("text").take("value", str) or ""}


def _input_image(part: Cargo, here: Writer) -> Wire | None:
    kind = part.peek("type")
    name = "file_id" if kind == "image_file" else "url"
    if not isinstance((part.peek(kind) or {}).get(name), str):
        return _left_out(part, here)
    part.take("type", str)
    image = part.open(kind)
    item: Wire = {"type": "input_image", "detail": "auto"}
    if image.peek("detail") in ("auto", "low", "high"):
        item["detail"] = image.take("detail", str)
    item["file_id" if name == "file_id" else "image_url"] = image.take(name, str)
    return item


_OUTPUT_PARTS: Final[Mapping[str, Part]] = {"text": _output_text, "refusal": _refusal}
_INPUT_PARTS: Final[Mapping[str, Part]] = {
    "text": _input_text,
    "image_file": _input_image,
    "image_url": _input_image,
}
