"""Calls of the code interpreter, growing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..changes import CodeAppended, LogAppended
from ..deltas import CodeInterpreterLogs, CodeInterpreterToolCallDelta, OutputDelta
from ..snapshots import CodeInterpreter, CodeInterpreterOutput, CodeInterpreterToolCall
from .calls import TextCall
from .ledger import Ledger
from .outputs import ImageOutput, LogOutput, OtherOutputNode, Output, Outputs
from .place import place
from .raw import kept, merge, restated, was_sent

__all__ = ["CodeInterpreterCall"]

_OUTPUTS: Final[Mapping[str | None, type[Output]]] = {"logs": LogOutput, "image": ImageOutput}


class CodeInterpreterCall(TextCall):
    """Code, and what running it gave."""

    __slots__ = ("outputs",)

    appended = CodeAppended

    def __init__(self, ledger: Ledger, step_id: str, index: int, kind: str | None) -> None:
        super().__init__(ledger, step_id, index, kind)
        self.outputs = Outputs()

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
            self.grow(self.text, piece, CodeAppended)
        elif piece is not None:
            self._inner["input"] = ""
        if code.outputs is not None:
            changed |= self._extend_outputs(code.outputs)
        if code.extra is not None:
            changed |= merge(self._inner, code.extra)
        return changed

    def log(self, index: int, piece: str) -> bool:
        if not piece or not self.sent:
            return False
        output = self.outputs.nodes.get(index)
        if output is None:
            if not self.outputs.add(index, piece):
                return False
        elif type(output) is LogOutput and not (output.done or output.seeded or output.logs.held):
            self.outputs.touch(output)
            output.logs.extend((piece,))
        else:
            return False
        self._ledger.changes.append(LogAppended(self.step_id, self.index, self.id, index, piece))
        return True

    def _extend_outputs(self, deltas: tuple[OutputDelta, ...]) -> bool:
        if not deltas:
            self._inner["outputs"] = []
        changed = False
        nodes = self.outputs.nodes
        for delta in deltas:
            output = nodes.get(delta.index)  # type: ignore[arg-type] # None finds none
            if output is None and self._log_whole(delta):
                continue
            if output is None or delta.type != output.type or not output.stale:
                changed |= self._extend_output(delta, alone=len(deltas) == 1)
            elif output.extend(self, delta):
                changed = True
        return changed

    def _log_whole(self, delta: OutputDelta) -> bool:
        """Take an output that is new and a log, in one piece; return whether it is one."""
        if type(delta) is not CodeInterpreterLogs or delta.index is None:
            return False
        logs = delta.logs
        return (
            logs is not None
            and logs.isascii()
            and delta.extra is None
            and self.log(delta.index, logs)
        )

    def _extend_output(self, delta: OutputDelta, *, alone: bool) -> bool:
        """Take a fragment of an output that is new, or that was seen or ended."""
        known = len(self.outputs)
        output = self._output(delta, alone=alone)
        self.outputs.touch(output)
        output.done = False
        if delta.type is None and output.type is not None:
            changed = Output.extend(output, self, delta)  # nothing in it names its kind
        else:
            changed = output.extend(self, delta)
        return changed and len(self.outputs) == known

    def _output(self, delta: OutputDelta, *, alone: bool) -> Output:
        index = delta.index
        if index is None or not 0 <= index <= self.outputs.end:
            index = place(delta, self.outputs, self, alone=alone)
        known = self.outputs.find(index)
        if known is not None and delta.type in (None, known.type):
            return known
        return self._open_output(index, delta.type, known)

    def _open_output(self, index: int, kind: str | None, known: Output | None) -> Output:
        output = _OUTPUTS.get(kind, OtherOutputNode)(index, kind)
        if known is not None and known.type is None:
            output.extra = known.extra
        elif known is not None:
            self.report("type_changed", output_index=index, known=known.type, said=kind)
        self.outputs.put(output)
        return output

    def settle(self, full: CodeInterpreterToolCall, *, final: bool) -> None:
        super().settle(full, final=final)
        code = full.code_interpreter
        if code is None:
            return
        self.sent = True
        if code.input or was_sent(code, "input", ""):
            self.settle_text(self, self.text, code.input, CodeAppended, final=final)
        self._settle_outputs(code, final=final)
        self._inner = restated(self._inner, code.extra, final=final)

    def _settle_outputs(self, code: CodeInterpreter, *, final: bool) -> None:
        """Match outputs by rank; what the list lacks is kept, and reported if final."""
        known = self.outputs.in_order() if code.outputs else []
        last = -1
        for rank, full in enumerate(code.outputs):
            output = known[rank] if rank < len(known) else None
            if output is None:
                index = self.outputs.place_after(last, rank)
                output = self._open_output(index, full.type, None)
            elif output.type != full.type:
                if not final and output.type is not None:
                    self._report_type(output, full)
                    continue
                output = self._open_output(output.index, full.type, output)
            last = output.index
            told = output.freeze() if output.done else None
            self.outputs.touch(output)
            output.settle(self, full, final=final)
            if output.done and output.freeze() is not told:
                output.done = False
        streamed = len(self.outputs)
        sent = code.outputs or was_sent(code, "outputs", [])
        if final and sent and streamed > len(code.outputs):
            counts = {"known": f"{streamed} outputs", "said": f"{len(code.outputs)} outputs"}
            self.report("content_shrunk", **counts)

    def _report_type(self, output: Output, full: CodeInterpreterOutput) -> None:
        self.report("type_changed", output_index=output.index, known=output.type, said=full.type)

    def flush(self) -> None:
        super().flush()
        for output in self.outputs.in_order():
            self.outputs.touch(output)
            output.flush(self)

    def close(self) -> None:
        self.flush()
        for output in self.outputs.in_order():
            output.close(self)
        super().close()

    def _is_new(self, built: CodeInterpreterToolCall) -> bool:
        known, code = self._frozen.code_interpreter, built.code_interpreter
        if known is not None and code is not None and known.outputs is not code.outputs:
            return True
        return super()._is_new(built)

    def _build(self) -> CodeInterpreterToolCall:
        code = None
        if self.sent:
            text, outputs = str(self.text), self.outputs.freeze()
            code = CodeInterpreter(
                input=text,
                outputs=outputs,
                extra=kept(self._inner, input=text, outputs=outputs),
            )
        extra = kept(self.extra, id=self.id, code_interpreter=code)
        return CodeInterpreterToolCall(id=self.id, code_interpreter=code, extra=extra)
