"""Calls of tools, growing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import UNSET

from ._ledger import Ledger
from ._outputs import Output, output_kind
from ._place import place
from ._raw import copied, kept, merge
from ._row import Node, Row
from ._text import Text
from .changes import ArgumentsAppended, CallDone, CodeAppended
from .deltas import (
    CodeInterpreterToolCallDelta,
    FileSearchToolCallDelta,
    FunctionToolCallDelta,
    OtherToolCallDelta,
    OutputDelta,
)
from .snapshots import (
    CodeInterpreter,
    CodeInterpreterOutput,
    CodeInterpreterToolCall,
    FileSearch,
    FileSearchToolCall,
    Function,
    FunctionToolCall,
    OtherToolCall,
    ProblemKind,
)

__all__ = ["Call", "CodeInterpreterCall", "call_kind"]


class Call(Node):
    """A call at an index of a step; the base of each kind."""

    __slots__ = ("_ledger", "id", "step_id")

    def __init__(self, ledger: Ledger, step_id: str, index: int, kind: str | None) -> None:
        super().__init__(index, kind)
        self._ledger = ledger
        self.step_id = step_id
        self.id: str | None = None

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
        self.seeded = True
        if final:
            self.extra = dict(full.extra or {})
        elif full.extra:
            merge(self.extra, full.extra)

    def flush(self) -> None:
        """Tell what was held back in the hope of more."""

    def close(self) -> None:
        """Tell that the call is done."""
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

    def tell(self, change: Any, *fields: object) -> None:
        """Tell a change of this call."""
        self._ledger.changes.append(change(self.step_id, self.index, self.id, *fields))

    def report(self, kind: ProblemKind, **facts: Any) -> None:
        """Report a contradiction in this call."""
        self._ledger.problem(kind, step_id=self.step_id, call_index=self.index, **facts)

    def hold(self) -> None:
        """Note that a text holds back half a character."""
        self._ledger.held = True

    def append(self, text: Text, piece: str, change: Any) -> None:
        """Add a fragment to a text and tell it, unless it repeats the whole."""
        if self.seeded:
            self.seeded = False
            if piece == str(text):
                return
        piece = text.append(piece)
        if text.held:
            self.hold()
        if piece:
            self._ledger.changes.append(change(self.step_id, self.index, self.id, piece))

    def settle_text(self, text: Text, full: str, change: Any, *, final: bool) -> None:
        """Hold a text to what it is said to be; tell what is new, report what is not."""
        known = str(text)
        rest, verdict = text.settle(full, final=final)
        if rest:
            self.tell(change, rest)
        if verdict:
            self.report(verdict, known=known, said=full)


class CodeInterpreterCall(Call):
    """Code, and what running it gave."""

    __slots__ = ("_inner", "input", "outputs", "sent")

    def __init__(self, ledger: Ledger, step_id: str, index: int, kind: str | None) -> None:
        super().__init__(ledger, step_id, index, kind)
        self.input = Text()
        self.outputs: Row[Output] = Row()
        self.sent = False  # whether there was a code_interpreter object
        self._inner: dict[str, Any] = {}  # what its snapshot keeps in extra

    def extend(self, delta: CodeInterpreterToolCallDelta) -> bool:
        changed = False
        if delta.id is not None or delta.extra is not None:
            changed = super().extend(delta)
        code = delta.code_interpreter
        if code is None:
            return changed
        self.sent = True
        piece = code.input
        if piece:
            text = self.input
            buffer = text.buffer
            if buffer is not None and piece.isascii() and not text.held and not self.seeded:
                # The way of nearly every frame of a long stream: `append`, spelt out.
                buffer.write(piece)
                self._ledger.changes.append(CodeAppended(self.step_id, self.index, self.id, piece))
            else:
                self.append(text, piece, CodeAppended)
        elif piece is not None:
            self._inner["input"] = ""
        if code.outputs is not None:
            self._extend_outputs(code.outputs)
        if code.extra is not None:
            changed |= merge(self._inner, code.extra)
        return changed

    def _extend_outputs(self, deltas: tuple[OutputDelta, ...]) -> None:
        if not deltas:
            self._inner["outputs"] = []
            return
        nodes = self.outputs.nodes
        for delta in deltas:
            output = nodes.get(delta.index)  # type: ignore[arg-type] # None finds none
            if output is None or delta.type != output.type or not output.stale:
                output = self._output(delta, alone=len(deltas) == 1)
                self.outputs.touch(output)
                output.done = False
            output.extend(self, delta)

    def _output(self, delta: OutputDelta, *, alone: bool) -> Output:
        index = delta.index
        if index is None or not 0 <= index <= self.outputs.end:
            where = {"step_id": self.step_id, "call_index": self.index}
            index = place(delta, self.outputs, self._ledger, alone=alone, **where)
        known = self.outputs.nodes.get(index)
        if known is not None and delta.type in (None, known.type):
            return known
        return self._open_output(index, delta.type, known)

    def _open_output(self, index: int, kind: str | None, known: Output | None) -> Output:
        if known is not None:
            self.report("type_changed", output_index=index, known=known.type, said=kind)
        output = output_kind(kind)(index, kind)
        self.outputs.put(output)
        return output

    def settle(self, full: CodeInterpreterToolCall, *, final: bool) -> None:
        super().settle(full, final=final)
        code = full.code_interpreter
        if code is None:
            return
        self.sent = True
        if code.input or said_empty(code, "input", ""):
            self.settle_text(self.input, code.input, CodeAppended, final=final)
        self._settle_outputs(code, final=final)
        if final:
            self._inner = dict(code.extra or {})
        elif code.extra:
            merge(self._inner, code.extra)

    def _settle_outputs(self, code: CodeInterpreter, *, final: bool) -> None:
        """Match outputs by rank; what the list lacks is kept, and reported if final."""
        known = self.outputs.in_order() if code.outputs else []
        for rank, full in enumerate(code.outputs):
            output = known[rank] if rank < len(known) else None
            if output is None:
                index = rank if rank not in self.outputs.nodes else self.outputs.end
                output = self._open_output(index, full.type, None)
            elif output.type != full.type:
                if not final:
                    self._report_type(output, full)
                    continue
                output = self._open_output(output.index, full.type, output)
            self.outputs.touch(output)
            output.settle(self, full, final=final)
        streamed = len(self.outputs.nodes)
        sent = code.outputs or said_empty(code, "outputs", [])
        if final and sent and streamed > len(code.outputs):
            counts = {"known": f"{streamed} outputs", "said": f"{len(code.outputs)} outputs"}
            self.report("content_shrunk", **counts)

    def _report_type(self, output: Output, full: CodeInterpreterOutput) -> None:
        self.report("type_changed", output_index=output.index, known=output.type, said=full.type)

    def flush(self) -> None:
        if piece := self.input.flush():
            self.tell(CodeAppended, piece)
        for output in self.outputs.nodes.values():
            output.flush(self)

    def close(self) -> None:
        for output in self.outputs.in_order():
            output.close(self)
        super().close()

    def _build(self) -> CodeInterpreterToolCall:
        code = None
        if self.sent:
            text, outputs = str(self.input), self.outputs.freeze()
            code = CodeInterpreter(
                input=text,
                outputs=outputs,
                extra=kept(self._inner, input=text, outputs=outputs),
            )
        extra = kept(self.extra, id=self.id, code_interpreter=code)
        return CodeInterpreterToolCall(id=self.id, code_interpreter=code, extra=extra)


class FunctionCall(Call):
    """A function's name, arguments and output."""

    __slots__ = ("_inner", "arguments", "name", "output", "sent")

    def __init__(self, ledger: Ledger, step_id: str, index: int, kind: str | None) -> None:
        super().__init__(ledger, step_id, index, kind)
        self.name: str | None = None
        self.arguments = Text()
        self.output: str | None = None
        self.sent = False
        self._inner: dict[str, Any] = {}

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
            self.append(self.arguments, piece, ArgumentsAppended)
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
        if function.arguments or said_empty(function, "arguments", ""):
            self.settle_text(self.arguments, function.arguments, ArgumentsAppended, final=final)
        if function.output is not None:
            self.output = function.output
        if final:
            self._inner = dict(function.extra or {})
        elif function.extra:
            merge(self._inner, function.extra)

    def flush(self) -> None:
        if piece := self.arguments.flush():
            self.tell(ArgumentsAppended, piece)

    def _build(self) -> FunctionToolCall:
        function = None
        if self.sent:
            arguments = str(self.arguments)
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


class FileSearchCall(Call):
    """How files were searched, and what was found."""

    __slots__ = ("search",)

    def __init__(self, ledger: Ledger, step_id: str, index: int, kind: str | None) -> None:
        super().__init__(ledger, step_id, index, kind)
        self.search: FileSearch | None = None

    def extend(self, delta: FileSearchToolCallDelta) -> bool:
        changed = super().extend(delta)
        if delta.file_search is not None:
            changed |= self._replace(delta.file_search)
        return changed

    def _replace(self, said: FileSearch) -> bool:
        """Replace what is said; nothing here is ever added up or joined."""
        known = self.search or FileSearch()
        options = said.ranking_options or known.ranking_options
        results = said.results or known.results
        extra = dict(known.extra or {}) | (said.extra or {})
        search = FileSearch(
            ranking_options=options,
            results=results,
            extra=kept(extra, ranking_options=options, results=results),
        )
        changed = search != self.search
        self.search = search
        return changed

    def settle(self, full: FileSearchToolCall, *, final: bool) -> None:
        super().settle(full, final=final)
        said = full.file_search
        if said is None:
            return
        known = self.search
        if final and known is not None and known.results and not said.results:
            self.report("content_shrunk", known=f"{len(known.results)} results", said="none")
        if not final or (known is not None and known.results and not said.results):
            self._replace(said)
        else:
            self.search = said

    def _build(self) -> FileSearchToolCall:
        extra = kept(self.extra, id=self.id, file_search=self.search)
        return FileSearchToolCall(id=self.id, file_search=self.search, extra=extra)


class OtherCall(Call):
    """A call of a kind unknown to this library: fields, of which arguments grow."""

    __slots__ = ("_fields",)

    def __init__(self, ledger: Ledger, step_id: str, index: int, kind: str | None) -> None:
        super().__init__(ledger, step_id, index, kind)
        self._fields: dict[str, Any] = {}

    def extend(self, delta: OtherToolCallDelta) -> bool:
        changed = False
        if delta.id and delta.id != self.id:
            changed = self.identify(delta.id)
        if delta.extra is not None:
            changed |= self._merge(self._fields, without_index(delta.extra))
        return changed

    def _merge(self, target: dict[str, Any], update: Mapping[str, Any]) -> bool:
        """Set fields, but append ``arguments``, wherever they lie."""
        changed = False
        for name, value in update.items():
            known = target.get(name)
            if name == "arguments" and isinstance(value, str):
                if not isinstance(known, Text):
                    known = target[name] = Text()
                if value:
                    self.append(known, value, ArgumentsAppended)
            elif isinstance(value, dict):
                if not isinstance(known, dict):
                    known = target[name] = {}
                    changed = True
                changed |= self._merge(known, value)
            else:
                changed |= merge(target, {name: value})
        return changed

    def settle(self, full: OtherToolCall, *, final: bool) -> None:
        if full.id and full.id != self.id:
            self.identify(full.id, final=final)
        self._fields = self._settled(self._fields, full.extra or {}, final=final)
        self.seeded = True

    def _settled(
        self, known: Mapping[str, Any], full: Mapping[str, Any], *, final: bool
    ) -> dict[str, Any]:
        """Return the fields that a whole object leaves, telling arguments on the way."""
        fields: dict[str, Any] = {}
        for name, value in full.items():
            before = known.get(name)
            if name == "arguments" and isinstance(value, str):
                text = fields[name] = before if isinstance(before, Text) else Text()
                self.settle_text(text, value, ArgumentsAppended, final=final)
            elif isinstance(value, dict):
                inner = before if isinstance(before, dict) else {}
                fields[name] = self._settled(inner, value, final=final)
            elif value is None and before is not None:
                fields[name] = before
            else:
                fields[name] = copied(value)
        for name, before in known.items():
            if name not in full and (not final or isinstance(before, Text)):
                fields[name] = before
        return fields

    def flush(self) -> None:
        self._flush(self._fields)

    def _flush(self, fields: Mapping[str, Any]) -> None:
        for value in fields.values():
            if isinstance(value, Text):
                if piece := value.flush():
                    self.tell(ArgumentsAppended, piece)
            elif isinstance(value, dict):
                self._flush(value)

    def _build(self) -> OtherToolCall:
        fields = _read(self._fields)
        return OtherToolCall(id=self.id, type=self.type, extra=fields or None)


def _read(value: Any) -> Any:
    """Copy fields, with the texts in them read."""
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, dict):
        return {name: _read(item) for name, item in value.items()}
    return copied(value)


def without_index(extra: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out an ``index`` that is none: it is an address, not a part of the object."""
    return {name: value for name, value in extra.items() if name != "index"}


def said_empty(snapshot: Any, name: str, empty: object) -> bool:
    """Whether the server sent this field, and sent it empty, rather than leave it out."""
    return snapshot.extra is not None and snapshot.extra.get(name, ...) == empty


_KINDS: Final[Mapping[str | None, type[Call]]] = {
    "code_interpreter": CodeInterpreterCall,
    "function": FunctionCall,
    "file_search": FileSearchCall,
}


def call_kind(kind: str | None) -> type[Call]:
    """Choose how a call of this type grows."""
    return _KINDS.get(kind, OtherCall)
