"""Messages, growing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from .._lifecycle import MESSAGE_MOVES, is_legal
from ..changes import MessageDone, TextAppended
from ..deltas import MessageContentDelta, MessageDelta, OtherContentDeltaBlock
from ..snapshots import Message, MessageContent
from .ledger import Ledger
from .owner import Owner
from .parts import Part, TextPart, WholePart, part_kind
from .place import place
from .raw import copied, kept, merge, was_sent
from .row import Row

__all__ = ["MessageNode"]


class MessageNode(Owner):
    """A message as it stands; its index is its place in the order messages began."""

    __slots__ = ("_known", "parts")

    def __init__(self, ledger: Ledger, message: Message, index: int) -> None:
        super().__init__(ledger, index)
        self._frozen = message
        self._known = Message(id=message.id)  # what full objects said, but the content
        self.parts: Row[Part] = Row()

    @property
    def id(self) -> str:
        """The message's id."""
        return self._known.id

    def extend(self, delta: MessageDelta) -> None:
        """Take a fragment."""
        if self.done:
            self.done = False
            self.report("reopened", known=self._known.status, said="delta")
        if delta.role is not None and self._known.role is None:
            self._known = msgspec.structs.replace(self._known, role=delta.role)
        if delta.content:
            self._extend_parts(delta.content)
        elif delta.content is not None:
            self.extra.setdefault("content", [])
        if delta.extra is not None:
            merge(self.extra, delta.extra)

    def _extend_parts(self, deltas: Sequence[MessageContentDelta]) -> None:
        nodes = self.parts.nodes
        for delta in deltas:
            index = delta.index
            part = nodes.get(index) if index is not None else None
            if part is None or part.type != delta.type:
                part = self._part(delta, alone=len(deltas) == 1)
            if not part.stale:
                self.parts.touch(part)
            if delta.type is None and not isinstance(part, WholePart):
                Part.extend(part, self, delta)  # nothing in it names the part's kind
            else:
                part.extend(self, delta)

    def _part(self, delta: MessageContentDelta, *, alone: bool) -> Part:
        index = place(delta, self.parts, self, alone=alone)
        known = self.parts.nodes.get(index)
        if known is not None and delta.type in (None, known.type):
            return known
        return self._open_part(index, delta.type, known)

    def _open_part(self, index: int, kind: str | None, known: Part | None) -> Part:
        part = part_kind(kind)(index, kind)
        if known is not None and known.type is not None:
            self.report("type_changed", known=known.type, said=kind)
        elif isinstance(known, WholePart):
            part.inherit(known)
        self.parts.put(part)
        return part

    def add(self, index: int, piece: str) -> bool:
        """Add to the text of a part, if that grows already; return whether it does."""
        part = self._growing(index)
        if part is None or not piece:
            return False
        self.append(part, part.value, piece, TextAppended, index)
        return True

    def add_all(self, index: int, pieces: Sequence[str]) -> bool:
        """Add pieces of a series to a part; return whether that was all they said."""
        part = self._growing(index)
        if part is None or part.seeded or part.value.held or "" in pieces:
            return False
        part.value.extend(pieces)
        id = self.id
        self._ledger.changes += [TextAppended(id, index, piece) for piece in pieces]
        return True

    def _growing(self, index: int) -> TextPart | None:
        """Return a part whose text grows already, and note that it does."""
        part = self.parts.nodes.get(index)
        if type(part) is not TextPart or not part.sent:
            return None
        if not part.stale:
            self.parts.touch(part)
        return part

    def settle_part(self, index: int, full: MessageContent) -> None:
        """Take a part, whole: what was lost of it is told."""
        if not self.done:  # the message itself was the last word
            named = OtherContentDeltaBlock(index=index, type=full.type)
            part = self._part(named, alone=True)
            self.parts.touch(part)
            part.settle(self, full, final=False)

    def settle(self, full: Message, *, final: bool) -> None:
        """Take the whole message, as the server says it is."""
        if not is_legal(MESSAGE_MOVES, self._known.status, full.status):
            self.report("illegal_move", known=self._known.status, said=full.status)
            self.done = self.done and final
        self._known = msgspec.structs.replace(full, content=(), extra=None)
        self.extra = copied(full.extra or {})
        is_said = bool(full.content) or was_sent(full, "content", [])
        grew = is_said and self._settle_parts(full.content, final=final)
        if self.done and grew:
            self.report("reopened", known="completed", said="content")
            self.done = False
        if final and not self.done:
            self.flush()
            self.done = True
            self._ledger.changes.append(MessageDone(self.freeze()))

    def _settle_parts(self, said: Sequence[MessageContent], *, final: bool) -> bool:
        """Match parts by rank; what the list lacks is kept, and reported if final."""
        told = len(self._ledger.changes)
        known = self.parts.in_order() if said else []
        last = -1
        for rank, full in enumerate(said):
            part = known[rank] if rank < len(known) else None
            if part is None:
                part = self._open_part(self.parts.place_after(last, rank), full.type, None)
            elif part.type != full.type:
                if not final and part.type is not None:
                    self.report("type_changed", known=part.type, said=full.type)
                    continue
                part = self._open_part(part.index, full.type, part)
            last = part.index
            self.parts.touch(part)
            part.settle(self, full, final=final)
        streamed = len(self.parts.nodes)
        if final and not self.done and streamed > len(said):
            self.report("content_shrunk", known=f"{streamed} parts", said=f"{len(said)} parts")
        return self._ledger.grew(told)

    def flush(self) -> None:
        """Tell what was held back in the hope of more."""
        for part in self.parts.nodes.values():
            self.parts.touch(part)
            part.flush(self)

    def where(self) -> dict[str, Any]:
        return {"message_id": self.id}

    def tell(self, change: Any, *fields: object) -> None:
        self._ledger.changes.append(change(self.id, *fields))

    def _build(self) -> Message:
        content = self.parts.freeze()
        return msgspec.structs.replace(
            self._known, content=content, extra=kept(self.extra, content=content)
        )
