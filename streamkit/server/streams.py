"""How many streams are open, and which of them wait for their clients."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Streams"]


class Streams:
    """The streams that are being served; may be looked at from any thread."""

    def __init__(self) -> None:
        self.open: int = 0
        self.paused: set[object] = set()  # connections that wait for their clients to read
        self._changed = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count a stream while it is open."""
        with self._changed:
            self.open += 1
        try:
            yield
        finally:
            with self._changed:
                self.open -= 1
                self._changed.notify_all()

    def pause(self, connection: object) -> None:
        """Note that a client reads too slowly."""
        with self._changed:
            self.paused.add(connection)
            self._changed.notify_all()

    def wait_until(self, is_so: Callable[[], bool], timeout: float) -> None:
        """Wait until something is so of the streams.

        Raises:
            TimeoutError: It does not come to be so.
        """
        with self._changed:
            if not self._changed.wait_for(is_so, timeout):
                raise TimeoutError(f"{self.open} streams are open")
