"""What tells changes and reports problems, because it knows where it is."""

from __future__ import annotations

from typing import Any

from .._text import Text
from ..snapshots import ProblemKind
from .ledger import Ledger
from .row import Node

__all__ = ["Owner"]


class Owner(Node):
    """A step, a call or a message: something that has an address on the wire."""

    __slots__ = ("_ledger",)

    def __init__(self, ledger: Ledger, index: int, kind: str | None = None) -> None:
        super().__init__(index, kind)
        self._ledger = ledger

    def where(self) -> dict[str, Any]:
        """The address, by the names that a `Problem` gives its parts."""
        raise NotImplementedError

    def tell(self, change: Any, *fields: object) -> None:
        """Tell a change here."""
        raise NotImplementedError

    def report(self, kind: ProblemKind, **facts: Any) -> None:
        """Report a contradiction here."""
        self._ledger.problem(kind, **self.where(), **facts)

    def check_gap(self, index: int, end: int) -> None:
        """Refuse an index too far past the end of what is known here."""
        if index > end:
            self._ledger.check_gap(index, end, **self.where())

    def append(self, node: Node, text: Text, piece: str, change: Any, *place: int) -> None:
        """Add a fragment to a text of a node and tell it, unless it repeats the whole."""
        if node.seeded:
            node.seeded = False
            if piece == str(text):
                return
        piece = text.append(piece)
        if text.held:
            self._ledger.held = True
        if piece:
            self.tell(change, *place, piece)

    def settle_text(
        self,
        node: Node,
        text: Text,
        full: str,
        change: Any,
        *place: int,
        final: bool,
        **facts: int,
    ) -> None:
        """Hold a text to what it is said to be: tell what is new, report what is not."""
        known = str(text)
        node.seeded |= not known
        rest, verdict = text.settle(full, final=final)
        if rest:
            self.tell(change, *place, rest)
        if verdict:
            self.report(verdict, known=known, said=full, **facts)
