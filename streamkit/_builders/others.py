"""Calls of kinds unknown to this library, growing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .._text import Text
from ..changes import ArgumentsAppended
from ..deltas import OtherToolCallDelta
from ..snapshots import OtherToolCall
from .calls import Call
from .ledger import Ledger
from .raw import copied, merge, without_index

__all__ = ["OtherCall"]


# What grows in a call of any kind; and of these kinds, what else does.
_GROWS: Final = frozenset({"arguments"})
_GROW: Final[Mapping[str | None, frozenset[str]]] = {"custom_tool_call": _GROWS | {"input"}}


class OtherCall(Call):
    """A call of a kind unknown to this library: fields, of which arguments grow."""

    __slots__ = ("_grow", "fields")

    def __init__(self, ledger: Ledger, step_id: str, index: int, kind: str | None) -> None:
        super().__init__(ledger, step_id, index, kind)
        self.fields: dict[str, Any] = {}
        self._grow = _GROW.get(kind, _GROWS)

    def extend(self, delta: OtherToolCallDelta) -> bool:
        changed = False
        if delta.id and delta.id != self.id:
            changed = self.identify(delta.id)
        if delta.extra is not None:
            changed |= self._merge(self.fields, without_index(delta.extra))
        return changed

    def _merge(self, target: dict[str, Any], update: Mapping[str, Any]) -> bool:
        """Set fields, but append ``arguments``, wherever they lie."""
        changed = False
        for name, value in update.items():
            known = target.get(name)
            if name in self._grow and isinstance(value, str):
                if not isinstance(known, Text):
                    known = target[name] = Text()
                if value:
                    self.grow(known, value, ArgumentsAppended)
            elif isinstance(value, dict) and not isinstance(known, Text):
                if not isinstance(known, dict):
                    known = target[name] = {}
                    changed = True
                changed |= self._merge(known, value)
            elif value is not None and _only_texts(known) is not None:
                self._report_other(known, value)
            else:
                changed |= merge(target, {name: value})
        return changed

    def _report_other(self, known: Any, said: object) -> None:
        self.report("content_differs", known=str(_read(_only_texts(known))), said=str(said))

    def settle(self, full: OtherToolCall, *, final: bool) -> None:
        if full.id and full.id != self.id:
            self.identify(full.id, final=final)
        self.fields = self._settled(self.fields, full.extra or {}, final=final)

    def _settled(
        self, known: Mapping[str, Any], full: Mapping[str, Any], *, final: bool
    ) -> dict[str, Any]:
        """Return the fields that a whole object leaves, telling arguments on the way."""
        fields: dict[str, Any] = {}
        for name, value in full.items():
            before = known.get(name)
            if name in self._grow and isinstance(value, str):
                text = fields[name] = before if isinstance(before, Text) else Text()
                self.settle_text(self, text, value, ArgumentsAppended, final=final)
            elif isinstance(value, dict) and not isinstance(before, Text):
                inner = before if isinstance(before, dict) else {}
                fields[name] = self._settled(inner, value, final=final)
            elif value is None and before is not None:
                fields[name] = before
            else:
                streamed = _only_texts(before)
                if streamed is not None:
                    self._report_other(before, value)
                fields[name] = copied(value) if final or streamed is None else before
        for name, before in known.items():
            kept = _only_texts(before) if final else before
            if name not in full and kept is not None:
                fields[name] = kept
        return fields

    def inherit(self, other: Call) -> None:
        if isinstance(other, OtherCall):
            self.fields = other.fields

    def flush(self) -> None:
        self._flush(self.fields)

    def _flush(self, fields: Mapping[str, Any]) -> None:
        for value in fields.values():
            if isinstance(value, Text):
                if piece := value.flush():
                    self.tell(ArgumentsAppended, piece)
            elif isinstance(value, dict):
                self._flush(value)

    def _build(self) -> OtherToolCall:
        fields = _read(self.fields)
        return OtherToolCall(id=self.id, type=self.type, extra=fields or None)


def _read(value: Any) -> Any:
    """Copy fields, with the texts in them read."""
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, dict):
        return {name: _read(item) for name, item in value.items()}
    return copied(value)


def _only_texts(value: Any) -> Any:
    """Return what is left of fields with nothing but texts; None, if nothing is."""
    if isinstance(value, dict):
        left = {name: _only_texts(item) for name, item in value.items()}
        return {name: item for name, item in left.items() if item is not None} or None
    return value if isinstance(value, Text) else None
