"""The least that reading a stream can cost.

Chunks are split on blank lines, the data is sliced out, each is decoded by msgspec with
typed structs, and the results are dropped. Nothing is folded, and nothing is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

import msgspec
from msgspec.json import Decoder

from streamkit import MessageDeltaEvent, RunStepDeltaEvent
from streamkit.events import ResponseDeltaEvent, TextName

__all__ = ["FOLDS", "MISTAKES", "NAME", "VERSIONS", "fold", "told"]

NAME: Final = "the limit"
FOLDS: Final[frozenset[str]] = frozenset()
MISTAKES: Final[Mapping[str, str]] = {}
VERSIONS: Final[Mapping[str, str]] = {"msgspec": msgspec.__version__}

_KINDS: Final[Mapping[str, type[msgspec.Struct]]] = {
    "thread.run.step.delta": RunStepDeltaEvent,
    "thread.message.delta": MessageDeltaEvent,
    **dict.fromkeys(get_args(TextName), ResponseDeltaEvent),
}
# Whole objects are decoded to builtins: msgspec has no decoder for their structs.
_WHOLE: Final = Decoder().decode
_DECODERS: Final[Mapping[bytes, Callable[[bytes], object]]] = {
    b"event: done": bytes,
    **{b"event: " + name.encode(): Decoder(kind).decode for name, kind in _KINDS.items()},
}


def fold(chunks: list[bytes]) -> None:
    """Split, slice, decode, drop."""
    decode: Callable[[bytes], object] = _WHOLE
    head, size, carry = b"?", 1, b""
    for chunk in chunks:
        blocks = (carry + chunk).split(b"\n\n")
        carry = blocks.pop()
        for block in blocks:
            # Most events are of the kind of the one before, and need not be looked up.
            if block[:size] != head:
                name, between, _ = block.partition(b"\ndata: ")
                head, decode = name + between, _DECODERS.get(name, _WHOLE)
                size = len(head)
            decode(block[size:])


def told(_: object) -> dict[str, Any]:
    """Return nothing: nothing was kept."""
    return {}
