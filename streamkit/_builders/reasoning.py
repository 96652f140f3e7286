"""The reasoning of a step, growing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .._text import Text
from ..changes import ReasoningAppended
from ..events import ReasoningDeltaEvent
from .ledger import Ledger
from .owner import Owner
from .raw import copied, merge
from .row import Node

__all__ = ["Reasoning"]

# The lists whose items have a text that grows.
PARTS: Final = ("summary", "content")


class Reasoning(Owner):
    """What a model says of its thoughts: parts of a summary, and of the thoughts themselves."""

    __slots__ = ("_fields", "_parts", "_step_id")

    def __init__(self, ledger: Ledger, step_id: str) -> None:
        super().__init__(ledger, 0)
        self._step_id = step_id
        self._fields: dict[str, Any] = {}  # but for the parts
        self._parts: dict[str, dict[int, _Part]] = {}

    def where(self) -> dict[str, Any]:
        return {"step_id": self._step_id}

    def tell(self, change: Any, *fields: object) -> None:
        self._ledger.changes.append(change(self._step_id, *fields))

    def extend(self, event: ReasoningDeltaEvent) -> None:
        """Take a fragment."""
        part = self._part(event.part, event.index)
        merge(part.extra, event.fields)
        self.append(part, part.text, event.text, ReasoningAppended, event.index)

    def settle(self, full: Mapping[str, Any], *, final: bool) -> None:
        """Take all of it, as the server says it is."""
        fields = dict(full)
        for name in PARTS:
            said = fields.get(name)
            if not isinstance(said, list) or not all(isinstance(each, dict) for each in said):
                continue
            del fields[name]
            known = self._parts.setdefault(name, {})
            if final and len(said) < len(known):
                counts = {"known": f"{len(known)} parts", "said": f"{len(said)} parts"}
                self.report("content_shrunk", **counts)
            for index, each in enumerate(said):
                part = self._part(name, index)
                rest = {key: value for key, value in each.items() if key != "text"}
                part.extra = copied(rest)
                text = each.get("text")
                if isinstance(text, str):
                    self.settle_text(part, part.text, text, ReasoningAppended, index, final=final)
        if final:
            self._fields = copied(fields)
        else:
            merge(self._fields, fields)

    def flush(self) -> None:
        """Tell what was held back in the hope of more."""
        for parts in self._parts.values():
            for index, part in parts.items():
                if piece := part.text.flush():
                    self.tell(ReasoningAppended, index, piece)

    def read(self) -> dict[str, Any]:
        """Return the fields, as on the wire."""
        lists = {
            name: [part.extra | {"text": str(part.text)} for _, part in sorted(parts.items())]
            for name, parts in self._parts.items()
        }
        return copied(self._fields) | lists

    def _part(self, name: str, index: int) -> _Part:
        parts = self._parts.setdefault(name, {})
        if index not in parts:
            self.check_gap(index, max(parts, default=-1) + 1)
            parts[index] = _Part(index)
        return parts[index]


class _Part(Node):
    __slots__ = ("text",)

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.text = Text()
