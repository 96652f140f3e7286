"""The numbers that the events of a response bear."""

from __future__ import annotations

from ..events import ResponseStreamEvent
from .ledger import Ledger

__all__ = ["Numbering"]


class Numbering:
    """Which events of a response were taken, by their numbers.

    Some servers give all events the same number: what comes under the number of the event
    before it and says something else was not taken before, and from then on the numbers of
    this response mean nothing.

    Attributes:
        number: The last event's, or None where the server does not number them.
    """

    __slots__ = ("_is_sound", "_last", "_ledger", "number")

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.begin()

    def begin(self) -> None:
        """Begin with another response."""
        self.number: int | None = None
        self._last: ResponseStreamEvent | None = None
        self._is_sound = True

    def has(self, event: ResponseStreamEvent) -> bool:
        """Whether an event was taken before."""
        said, number = event.sequence_number, self.number
        if said is None or number is None or not self._is_sound or said > number:
            return False
        return said < number or event == self._last

    def take(self, event: ResponseStreamEvent) -> None:
        """Note an event that was not taken before; report it where others are missing."""
        said, number = event.sequence_number, self.number
        if said is None or not self._is_sound:
            return
        if number is not None and said != number + 1:
            self._ledger.problem("sequence_gap", known=str(number), said=str(said))
            self._is_sound = said > number
        self.number = said
        self._last = event
