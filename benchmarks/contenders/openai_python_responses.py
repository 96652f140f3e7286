"""The `client.responses.stream` of openai-python, whose client gets the body from memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from openai.types.responses import ParsedResponse

from .openai_python import VERSIONS, answering, plain

__all__ = ["FOLDS", "MISTAKES", "NAME", "VERSIONS", "fold", "told"]

NAME: Final = "openai-python, responses.stream"
FOLDS: Final = frozenset({"responses"})
MISTAKES: Final[Mapping[str, str]] = {}


def fold(chunks: list[bytes]) -> ParsedResponse[None]:
    """Read to the end, and return the final response."""
    with answering(chunks).responses.stream(model="gpt-4o", input="") as stream:
        return stream.get_final_response()


def told(folded: ParsedResponse[None]) -> dict[str, Any]:
    """Return the items of the output: its messages, and the rest as steps."""
    items = plain(folded.output)
    return {
        "steps": [item for item in items if item["type"] != "message"],
        "messages": [item for item in items if item["type"] == "message"],
    }
