"""Faults that change the bytes of a leg."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Annotated, ClassVar, Final, TypeAlias

from msgspec import Meta

from ...errors import UsageError
from .base import Count, Fault, LegFault, Size
from .rewriting import (
    Chained,
    Corrupting,
    Dropping,
    Duplicating,
    EndingLines,
    KeepingAlive,
    Reordering,
    Rewriter,
    Splitting,
)

__all__ = [
    "Corrupt",
    "Crlf",
    "Drop",
    "Duplicate",
    "Keepalives",
    "Reorder",
    "Rewrite",
    "Split",
    "rewriters",
]

Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]

# What befalls frames that nobody chose befalls this share of them.
_SHARE: Final = 0.1


class Rewrite(LegFault, frozen=True, kw_only=True):
    """Base of the faults that change the bytes of a leg."""

    def begin(self) -> Rewriter:
        """Return what does so, for one leg."""
        raise NotImplementedError


class _Chosen(Rewrite, frozen=True, kw_only=True):
    frames: tuple[Count, ...] = ()
    share: Share | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.frames and self.share is not None:
            raise UsageError(
                f"{type(self).__name__}: give the frames, or the share of them; not both"
            )

    def _chosen(self) -> Iterator[bool]:
        """Say of each frame of a leg whether it is one of them."""
        if self.frames:
            ranks, most = frozenset(self.frames), max(self.frames) + 1
            yield from (rank in ranks for rank in range(most))
            yield from repeat(False)
        draw, share = self._random().random, _SHARE if self.share is None else self.share
        while True:
            yield draw() < share


class Drop(_Chosen, frozen=True, kw_only=True):
    """Frames are missing.

    Attributes:
        frames: Which ones, from 0; comments do not count.
        share: Or the probability of each, from 0 to 1, drawn by `seed`. Without both,
            one in ten.
    """

    word: ClassVar[str] = "drop"

    def begin(self) -> Rewriter:
        """Return what leaves them out."""
        return Dropping(self._chosen())


class Duplicate(_Chosen, frozen=True, kw_only=True):
    """Frames come twice, one right after the other.

    Attributes:
        frames, share: Which ones; see `Drop`.
    """

    word: ClassVar[str] = "duplicate"

    def begin(self) -> Rewriter:
        """Return what sends them twice."""
        return Duplicating(self._chosen())


class Reorder(_Chosen, frozen=True, kw_only=True):
    """Frames change places with the next; a frame that came forward so does not move again.

    Attributes:
        frames, share: Which ones; see `Drop`.
    """

    word: ClassVar[str] = "reorder"

    def begin(self) -> Rewriter:
        """Return what sends them late."""
        return Reordering(self._chosen())


class Corrupt(_Chosen, frozen=True, kw_only=True):
    """The JSON of frames is spoiled, but they end where they did.

    How, `seed` draws: the last brace is missing, or more of the end, or a byte is
    another. Data that is no JSON object, such as ``[DONE]``, stays as it is.

    Attributes:
        frames, share: Which ones; see `Drop`.
    """

    word: ClassVar[str] = "corrupt"

    def begin(self) -> Rewriter:
        """Return what spoils them."""
        return Corrupting(self._chosen(), iter(self._random("how").random, None))


class Split(Rewrite, frozen=True, kw_only=True):
    """Chunks are cut into smaller ones.

    Attributes:
        size: The most bytes that one has.
    """

    word: ClassVar[str] = "split"

    size: Size = 1

    def begin(self) -> Rewriter:
        """Return what cuts them."""
        return Splitting(self.size)


class Crlf(Rewrite, frozen=True, kw_only=True):
    """Every line ends in CRLF."""

    word: ClassVar[str] = "crlf"

    def begin(self) -> Rewriter:
        """Return what ends them so."""
        return EndingLines()


class Keepalives(Rewrite, frozen=True, kw_only=True):
    """Comments stand between the frames.

    Attributes:
        every: Before each so many-th frame, the first included.
    """

    word: ClassVar[str] = "keepalives"

    every: Size = 1

    def begin(self) -> Rewriter:
        """Return what puts them there."""
        return KeepingAlive(self.every)


def rewriters(faults: Sequence[Fault], leg: int) -> Rewriter:
    """Return what becomes of the bytes of a leg: each rewrite, in the order given."""
    links = [each.begin() for each in faults if isinstance(each, Rewrite) and each.befalls(leg)]
    return Chained(links) if links else Rewriter()
