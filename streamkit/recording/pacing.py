"""How long to wait before each chunk."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from ..errors import UsageError

__all__ = ["Pace"]


class Pace:
    """Says how long to wait, so that lateness does not add up.

    Args:
        speed: How many times faster than it was; infinity is without waiting.
        max_gap: The longest wait to keep, in seconds as they were.
        clock: Gives the time in seconds, from any start.

    Raises:
        UsageError: The speed is not above zero, or the gap below it.
    """

    def __init__(
        self,
        speed: float,
        max_gap: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not speed > 0:
            raise UsageError(f"the speed is a number above zero, not {speed!r}")
        if max_gap is not None and not max_gap >= 0:
            raise UsageError(f"the longest gap is a number of seconds, or None, not {max_gap!r}")
        self._speed = speed
        self._max_gap = math.inf if max_gap is None else max_gap
        self._clock = clock
        self._due: float | None = None  # by the clock

    def wait(self, after: float | None) -> float:
        """Return how many seconds there are to wait."""
        if math.isinf(self._speed):
            return 0.0
        now = self._clock()
        self._due = (now if self._due is None else self._due) + (
            min(max(after or 0.0, 0.0), self._max_gap) / self._speed
        )
        return max(0.0, self._due - now)
