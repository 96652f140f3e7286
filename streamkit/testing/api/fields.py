"""What the body of a request says, where it has the form that the API wants."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from .errors import bad
from .objects import Wire

__all__ = ["message_of", "objects", "pairs", "text"]

T = TypeVar("T")

# The longest id that is taken. Real ones have some thirty characters, and each stands in
# many places of a stream.
_LONGEST: Final = 256

_NAMES: Final[dict[type, str]] = {
    str: "a string",
    dict: "an object",
    list: "an array",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    type(None): "null",
}


def text(said: Wire, name: str) -> str:
    """Give a short text, such as an id; nothing, where there is none."""
    found = _given(said, name, "", "")
    if len(found) > _LONGEST:
        raise bad(
            f"Invalid '{name}': string too long. Expected a string with maximum length "
            f"{_LONGEST}, but got a string with length {len(found)} instead.",
            param=name,
            code="string_above_max_length",
        )
    return found


def pairs(said: Wire, name: str, at: str = "") -> Wire:
    """Give an object, such as metadata; an empty one, where there is none.

    Args:
        said: What has it.
        name: Under which name.
        at: Where that lies, for the complaint.
    """
    return _given(said, name, {}, at)


def objects(said: Wire, name: str, at: str = "") -> list[Wire]:
    """Give an array of objects; an empty one, where there is none. See `pairs`."""
    found: list[Wire] = _given(said, name, [], at)
    for rank, item in enumerate(found):
        _check(item, dict, f"{at}{name}[{rank}]")
    return found


def message_of(said: Wire, at: str = "") -> Wire:
    """Give what a user's message says, as the API's JSON."""
    content = said.get("content")
    if not content:
        raise bad(f"Missing required parameter: '{at}content'.", param=f"{at}content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    parts = [
        {**part, "text": {"value": part["text"], "annotations": []}}
        if isinstance(part.get("text"), str)
        else part
        for part in objects({"content": content}, "content", at)
    ]
    return {
        "role": text(said, "role") or "user",
        "content": parts,
        "assistant_id": None,
        "run_id": None,
        "attachments": objects(said, "attachments", at),
        "metadata": pairs(said, "metadata", at),
    }


def _given(said: Wire, name: str, default: T, at: str) -> T:
    value = said.get(name)
    if value is None:
        return default
    _check(value, type(default), at + name)
    return value  # type: ignore[no-any-return] # it was checked


def _check(value: Any, kind: type, at: str) -> None:
    if type(value) is not kind:
        got = _NAMES[type(value)]
        raise bad(
            f"Invalid type for '{at}': expected {_NAMES[kind]}, but got {got} instead.",
            param=at,
            code="invalid_type",
        )
