"""Calls of tools, growing: what all kinds have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .._text import Text
from ..changes import CallDone
from .ledger import Ledger
from .owner import Owner
from .raw import merge, restated, without_index

__all__ = ["Call", "TextCall"]


class Call(Owner):
    """A call at an index of a step; the base of each kind."""

    __slots__ = ("id", "step_id")

    def __init__(self, ledger: Ledger, step_id: str, index: int, kind: str | None) -> None:
        super().__init__(ledger, index, kind)
        self.step_id = step_id
        self.id: str | None = None

    def where(self) -> dict[str, Any]:
        return {"step_id": self.step_id, "call_index": self.index}

    def tell(self, change: Any, *fields: object) -> None:
        self._ledger.changes.append(change(self.step_id, self.index, self.id, *fields))

    def extend(self, delta: Any) -> bool:
        """Take a fragment; return whether it changed what no change tells."""
        changed = False
        if delta.id and delta.id != self.id:
            changed = self.identify(delta.id)
        if delta.extra is not None:
            changed |= merge(self.extra, without_index(delta.extra))
        return changed

    def settle(self, full: Any, *, final: bool) -> None:
        """Take the whole call, as the server says it is."""
        if full.id and full.id != self.id:
            self.identify(full.id, final=final)
        self.extra = restated(self.extra, full.extra, final=final)

    def inherit(self, other: Call) -> None:
        """Take over what was known of this call before its kind was said."""
        merge(self.extra, other.freeze().extra or {})

    def flush(self) -> None:
        """Tell what was held back in the hope of more."""

    def close(self) -> None:
        """Tell that the call is done."""
        self.flush()
        self.done = True
        self.tell(CallDone, self.freeze())

    def identify(self, said: str, *, final: bool = False) -> bool:
        """Take an id: the first one said, unless a terminal object says another."""
        if self.id is not None:
            self.report("id_changed", known=self.id, said=said)
            if not final:
                return False
        self.id = said
        return True

    def add(self, piece: str) -> bool:
        """Add to the text that grows in a call of this kind; return whether there is one."""
        return False

    def add_all(self, pieces: Sequence[str]) -> bool:
        """Add pieces of a series to that text; return whether that was all they said."""
        return False

    def log(self, index: int, piece: str) -> bool:
        """Add a piece of a series to an output; return whether that was all it said."""
        return False

    def grow(self, text: Text, piece: str, change: Any) -> None:
        """Add a fragment to a text of this call, as `Owner.append` does, in less time."""
        buffer = text.buffer
        if buffer is None or text.held or self.seeded or not piece.isascii():
            self.append(self, text, piece, change)
        else:
            # The way of nearly every frame of a long stream.
            buffer += piece.encode()
            self._ledger.changes.append(change(self.step_id, self.index, self.id, piece))


class TextCall(Call):
    """A call in which one text grows.

    Attributes:
        appended: The change that tells a fragment of the text.
        sent: Whether there was the object that holds the text.
    """

    __slots__ = ("_inner", "sent", "text")

    appended: ClassVar[Any]

    def __init__(self, ledger: Ledger, step_id: str, index: int, kind: str | None) -> None:
        super().__init__(ledger, step_id, index, kind)
        self.text = Text()
        self.sent = False
        self._inner: dict[str, Any] = {}  # what that object's snapshot keeps in extra

    def add(self, piece: str) -> bool:
        if not piece or not self.sent:
            return False
        self.grow(self.text, piece, self.appended)
        return True

    def add_all(self, pieces: Sequence[str]) -> bool:
        text = self.text
        if not self.sent or text.held or self.seeded or "" in pieces:
            return False
        text.extend(pieces)
        change, step_id, index, id = self.appended, self.step_id, self.index, self.id
        self._ledger.changes += [change(step_id, index, id, piece) for piece in pieces]
        return True

    def flush(self) -> None:
        if piece := self.text.flush():
            self.tell(self.appended, piece)
