"""How long to wait for a run whose stream has broken, and what to bear meanwhile."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from .._sources import is_transport_failure
from ..errors import PeerError, ResponseError, TruncatedError
from .wires import Pause, Sleep

__all__ = ["Recovery", "Waiting", "policy"]

# The answers of a server that may answer otherwise a moment later.
_PASSING: Final = frozenset({408, 409, 425, 429})


class Recovery(Struct, frozen=True, kw_only=True):
    """How to ask for the rest of a run whose stream has broken.

    Between two looks at the run it waits: at first half of `first` seconds to `first`,
    twice as long each time that nothing was new, up to `most`; longer where the server
    asks for it.

    Attributes:
        within: For how many seconds after the break to go on asking; then the stream
            ends with a `TruncatedError`.
        first: In seconds.
        most: In seconds.
        stall: After how many seconds without a byte a stream counts as broken; None
            leaves that to the client's read timeout.
        clock: Gives the time in seconds, from any start.
        sleep: Waits so many seconds; under async, what it returns is awaited. None is
            ``time.sleep`` or ``anyio.sleep``.
        jitter: Gives a number from 0 to 1, by which the waits are spread.
    """

    within: float = 600.0
    first: float = 0.5
    most: float = 8.0
    stall: float | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Sleep | None = None
    jitter: Callable[[], float] = random.random


def policy(*choices: bool | Recovery | None) -> Recovery | None:
    """Return how to recover, if at all: the first choice that was made."""
    chosen = next((choice for choice in choices if choice is not None), False)
    if isinstance(chosen, Recovery):
        return chosen
    return Recovery() if chosen else None


class Waiting:
    """The waits between two questions, after a break: longer each time that nothing is new."""

    def __init__(self, recovery: Recovery) -> None:
        self._recovery = recovery
        self._until = recovery.clock() + recovery.within
        self._doubled = 0
        self._failure: Exception | None = None
        self.wanted: float = 0.0  # seconds that the server asked to wait

    def pause(self) -> Pause:
        """Return the next wait.

        Raises:
            TruncatedError: The time for waiting is over.
        """
        recovery = self._recovery
        left = self._until - recovery.clock()
        if left <= 0:
            raise TruncatedError(
                f"the run did not come to rest within {recovery.within:g} s after its stream broke"
            ) from self._failure
        longest = min(recovery.most, recovery.first * 2**self._doubled)
        self._doubled = min(self._doubled + 1, 30)
        seconds = max(longest * (1 + recovery.jitter()) / 2, self.wanted)
        return Pause(min(seconds, left))

    def restart(self) -> None:
        """Begin with the first wait again, since something was new."""
        self._doubled = 0

    def bear(self, error: Exception) -> None:
        """Let a failure pass, or raise it."""
        passes = is_transport_failure(error) and not isinstance(error, PeerError)
        if isinstance(error, ResponseError):
            passes = error.status in _PASSING or error.status >= 500
            self.wanted = error.retry_after or 0.0
        if not passes:
            raise error
        self._failure = error
