"""What all deltas share."""

from typing import Any

from msgspec import Struct, field

__all__ = [
    "Delta",
    "Extra",
]


class Extra(dict[str, Any]):
    """Fields unknown to this library. Not a type that the decoder takes."""


# The modules of deltas keep no annotations as texts: the decoders need them evaluated
# before anything is read, and take three times as long to be built from texts.
#
# gc=False: a delta is made from JSON, so it cannot hold itself, and there is one a frame.


class Delta(Struct, frozen=True, forbid_unknown_fields=True, gc=False, repr_omit_defaults=True):
    """Base of every partial object.

    Attributes:
        extra: Fields unknown to this library, by name, and an ``index`` that is none.
    """

    # The decoder must never fill this from the wire: no type of JSON is an `Extra`.
    extra: Extra | None = field(default=None, name="")
