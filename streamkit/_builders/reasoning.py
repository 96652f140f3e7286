"""The reasoning of a step, growing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .._text import Text
from ..changes import ReasoningAppended
from ..events import ReasoningEvent
from .ledger import Ledger
from .owner import Owner
from .raw import copied, merge, restated
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

    def take(self, event: ReasoningEvent) -> None:
        """Take a fragment, or a part as it stands."""
        part = self._part(event.part, self._place(event))
        merge(part.extra, event.fields)
        if event.text is None:
            return
        part.sent = True
        if event.whole:
            self._settle(part, event.text, final=False)
        elif event.text:
            self.append(part, part.text, event.text, ReasoningAppended, part.index)

    def settle(self, full: Mapping[str, Any], *, final: bool) -> None:
        """Take all of it, as the server says it is."""
        fields = dict(full)
        for name in PARTS:
            said = fields.get(name)
            if isinstance(said, list) and all(isinstance(each, dict) for each in said):
                self._settle_list(name, fields.pop(name), final=final)
        if final:
            self._fields = copied(fields)
        else:
            merge(self._fields, fields)

    def _settle_list(self, name: str, said: list[dict[str, Any]], *, final: bool) -> None:
        known = self._parts.setdefault(name, {})
        if final and len(said) < len(known):
            counts = {"known": f"{len(known)} parts", "said": f"{len(said)} parts"}
            self.report("content_shrunk", **counts)
        for index, each in enumerate(said):
            part = self._part(name, index)
            rest = {key: value for key, value in each.items() if key != "text"}
            part.extra = restated(part.extra, rest, final=final)
            text = each.get("text")
            if isinstance(text, str):
                part.sent = True
                self._settle(part, text, final=final)
            elif "text" in each:
                part.extra["text"] = copied(text)

    def _settle(self, part: _Part, text: str, *, final: bool) -> None:
        self.settle_text(part, part.text, text, ReasoningAppended, part.index, final=final)

    def flush(self) -> None:
        """Tell what was held back in the hope of more."""
        for parts in self._parts.values():
            for part in parts.values():
                if piece := part.text.flush():
                    self.tell(ReasoningAppended, part.index, piece)

    def read(self) -> dict[str, Any]:
        """Return the fields, as on the wire."""
        lists = {
            name: [parts[index].read() for index in sorted(parts)]
            for name, parts in self._parts.items()
        }
        fields = {name: value for name, value in self._fields.items() if not lists.get(name)}
        return {**lists, **copied(fields)}

    def _place(self, event: ReasoningEvent) -> int:
        """Return the part's index: where it is none, that of the last part."""
        if event.index >= 0:
            return event.index
        self.report("index_invalid", said=str(event.index))
        return max(self._parts.get(event.part, ()), default=0)

    def _part(self, name: str, index: int) -> _Part:
        parts = self._parts.setdefault(name, {})
        if index not in parts:
            self.check_gap(index, max(parts, default=-1) + 1)
            parts[index] = _Part(index)
        return parts[index]


class _Part(Node):
    __slots__ = ("sent", "text")

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.text = Text()
        self.sent = False  # whether there was a text, perhaps an empty one

    def read(self) -> dict[str, Any]:
        """Return it as on the wire."""
        return {**copied(self.extra), **({"text": str(self.text)} if self.sent else {})}
