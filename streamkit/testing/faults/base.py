"""What all faults share: their fields are checked, and what is left open is drawn by seed."""

from __future__ import annotations

import random
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    TypeAlias,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from msgspec import Meta, Struct

from ...errors import UsageError
from .specs import formatted

__all__ = ["Count", "Fault", "LegFault", "Seconds", "Size"]

Count: TypeAlias = Annotated[int, Meta(ge=0)]
Size: TypeAlias = Annotated[int, Meta(ge=1)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0)]


class Fault(Struct, frozen=True, kw_only=True):
    """Base of all faults; every field is checked when one is made.

    Attributes:
        word: Its name on a command line.
    """

    word: ClassVar[str]

    def __post_init__(self) -> None:
        for name, hint in _hints(type(self)).items():
            try:
                value = msgspec.convert(getattr(self, name), hint, builtin_types=(bytes,))
            except msgspec.ValidationError as error:
                choices = _choices(hint)
                reason = f"one of {', '.join(choices)} is needed" if choices else str(error)
                raise UsageError(f"{type(self).__name__}: {name}: {reason}") from None
            msgspec.structs.force_setattr(self, name, value)

    def __str__(self) -> str:
        return formatted(self.word, self)


class LegFault(Fault, frozen=True, kw_only=True):
    """Base of the faults of a stream.

    Attributes:
        leg: Which leg of a run, from 0; None: every one.
        seed: Draws what the other fields leave open, the same on every machine.
    """

    leg: Count | None = 0
    seed: int = 0

    def befalls(self, leg: int) -> bool:
        """Whether it is a fault of this leg."""
        return self.leg is None or self.leg == leg

    def _random(self, what: str = "") -> random.Random:
        # What has the same seed is drawn apart by its name. Only `random()` is used of it,
        # which Python promises never to change.
        return random.Random(f"{type(self).__name__} {what}:{self.seed}")  # noqa: S311


def _hints(kind: type[Fault]) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: hints[name] for name in kind.__struct_fields__}


def _choices(hint: Any) -> list[str]:
    """Return the words that a field may be, if it is for some only."""
    hints = (hint, *get_args(hint))
    return [word for each in hints if get_origin(each) is Literal for word in get_args(each)]
