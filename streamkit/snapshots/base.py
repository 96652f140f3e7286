"""What all snapshots share, and the remarks that runs, steps and messages have in common."""

from typing import Any, ClassVar

from msgspec import Struct

__all__ = [
    "IncompleteDetails",
    "LastError",
    "Remark",
    "Snapshot",
    "Usage",
]


# The modules of snapshots keep no annotations as texts: loading looks at them all, which
# takes four times as long where there are texts to evaluate.
#
# gc=False: a snapshot is made from JSON and frozen, so it cannot come to hold itself, and
# there may be very many for the collector to look at in vain.


class Snapshot(Struct, frozen=True, kw_only=True, repr_omit_defaults=True, gc=False):
    """Base of every object the server describes.

    Attributes:
        extra: What the other attributes cannot show, by its name on the wire: fields
            unknown to this library, values of an unexpected type, and nulls and empty
            values that were sent rather than left out. Not to be modified.
    """

    # A value that does not fit a content class is a `DecodeError`, since content would
    # be lost; a remark beside the content (a usage, an error) is kept raw instead.
    is_content: ClassVar[bool] = True

    extra: dict[str, Any] | None = None


class Remark(Snapshot, frozen=True, kw_only=True):
    """Base of the objects that stand beside the content."""

    is_content: ClassVar[bool] = False


class IncompleteDetails(Remark, frozen=True, kw_only=True):
    """Why a run or a message is incomplete."""

    reason: str | None = None


class LastError(Remark, frozen=True, kw_only=True):
    """Why a run or a step failed."""

    code: str | None = None
    message: str | None = None


class Usage(Remark, frozen=True, kw_only=True):
    """Tokens used, once the server has counted them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
