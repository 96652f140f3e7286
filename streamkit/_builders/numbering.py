"""The numbers that the events of a response bear."""

from __future__ import annotations

from ..events import ResponseDeltaEvent, ResponseStreamEvent
from .ledger import Ledger

__all__ = ["Numbered", "Numbering"]


Numbered = ResponseStreamEvent | ResponseDeltaEvent


class Numbering:
    """Which events of a response were taken, by their numbers.

    Some servers give all events the same number: what comes under the number of the event
    before it and says something else was not taken before, and from then on the numbers of
    this response mean nothing.

    Attributes:
        last: The last event that had a number.
        number: That number, or None where the server does not number its events.
        is_sound: Whether numbers tell which events were taken.
    """

    __slots__ = ("_ledger", "is_sound", "last", "number")

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.begin()

    def begin(self) -> None:
        """Begin with another response."""
        self.number: int | None = None
        self.last: Numbered | None = None
        self.is_sound = True

    def has(self, event: Numbered) -> bool:
        """Whether an event was taken before."""
        said, number = event.sequence_number, self.number
        if said is None or number is None or not self.is_sound or said > number:
            return False
        return said < number or event == self.last

    def take(self, event: Numbered) -> None:
        """Note an event that was not taken before; report it where others are missing."""
        said, number = event.sequence_number, self.number
        if said is None or not self.is_sound:
            return
        if number is not None and said != number + 1:
            self._ledger.problem("sequence_gap", known=str(number), said=str(said))
            self.is_sound = said > number
        self.number = said
        self.last = event
