"""Calls of functions, growing."""

from __future__ import annotations

from msgspec import UNSET

from ..changes import ArgumentsAppended
from ..deltas import FunctionToolCallDelta
from ..snapshots import Function, FunctionToolCall
from .calls import Call, TextCall
from .ledger import Ledger
from .raw import kept, merge, restated, was_sent

__all__ = ["FunctionCall"]


class FunctionCall(TextCall):
    """A function's name, arguments and output."""

    __slots__ = ("name", "output")

    appended = ArgumentsAppended

    def __init__(self, ledger: Ledger, step_id: str, index: int, kind: str | None) -> None:
        super().__init__(ledger, step_id, index, kind)
        self.name: str | None = None
        self.output: str | None = None

    def extend(self, delta: FunctionToolCallDelta) -> bool:
        changed = False
        if delta.id is not None or delta.extra is not None:
            changed = super().extend(delta)
        function = delta.function
        if function is None:
            return changed
        self.sent = True
        piece = function.arguments
        if function.name is not None:
            changed |= self._rename(function.name)
        if piece:
            self.grow(self.text, piece, ArgumentsAppended)
        elif piece is not None:
            self._inner["arguments"] = ""
        if function.output is not UNSET:
            changed |= self._report_output(function.output)
        if function.extra is not None:
            changed |= merge(self._inner, function.extra)
        return changed

    def _report_output(self, said: str | None) -> bool:
        if said is None:
            self._inner.setdefault("output", None)
        elif said != self.output:
            self.output = said
            return True
        return False

    def _rename(self, said: str) -> bool:
        if said == self.name or (not said and self.name):
            return False
        if self.name:
            self.report("name_changed", known=self.name, said=said)
        self.name = said
        return True

    def settle(self, full: FunctionToolCall, *, final: bool) -> None:
        super().settle(full, final=final)
        function = full.function
        if function is None:
            return
        self.sent = True
        if function.name is not None:
            self._rename(function.name)
        if function.arguments or was_sent(function, "arguments", ""):
            self.settle_text(self, self.text, function.arguments, ArgumentsAppended, final=final)
        if function.output is not None:
            self.output = function.output
        self._inner = restated(self._inner, function.extra, final=final)

    def inherit(self, other: Call) -> None:
        super().inherit(other)
        arguments = self.extra.pop("arguments", "")
        if isinstance(arguments, str):
            self.text.append(arguments)

    def _build(self) -> FunctionToolCall:
        function = None
        if self.sent:
            arguments = str(self.text)
            function = Function(
                name=self.name,
                arguments=arguments,
                output=self.output,
                extra=kept(
                    self._inner,
                    name=self.name is not None,
                    arguments=arguments,
                    output=self.output is not None,
                ),
            )
        extra = kept(self.extra, id=self.id, function=function)
        return FunctionToolCall(id=self.id, function=function, extra=extra)
