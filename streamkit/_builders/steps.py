"""Steps, growing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from .._lifecycle import STEP_MOVES, is_legal
from ..changes import CallOpened, StepChanged, StepDone
from ..deltas import (
    RunStepDelta,
    RunStepDeltaMessageDelta,
    StepDetailsDelta,
    ToolCallDelta,
    ToolCallDeltaObject,
)
from ..events import ReasoningEvent
from ..snapshots import (
    MessageCreation,
    MessageCreationStepDetails,
    OtherStepDetails,
    RunStep,
    StepDetails,
    ToolCall,
    ToolCallsStepDetails,
)
from .calls import Call
from .code import CodeInterpreterCall
from .functions import FunctionCall
from .ledger import Ledger
from .others import OtherCall
from .owner import Owner
from .place import place
from .raw import copied, kept, merge, was_sent
from .reasoning import Reasoning
from .row import Row
from .searches import FileSearchCall

__all__ = ["Step"]

_CALLS: Final[Mapping[str | None, type[Call]]] = {
    "code_interpreter": CodeInterpreterCall,
    "function": FunctionCall,
    "file_search": FileSearchCall,
}


class Step(Owner):
    """A step as it stands; its index is its place in the order steps began."""

    __slots__ = (
        "_by_id",
        "_details",
        "_details_extra",
        "_known",
        "_open",
        "_reasoning",
        "_told_calls",
        "calls",
    )

    def __init__(self, ledger: Ledger, step: RunStep, index: int) -> None:
        super().__init__(ledger, index)
        self._frozen = step
        self._known = RunStep(id=step.id)  # what full objects said, but for the details
        self._details: StepDetails | None = None  # what they are, but for the calls
        self._details_extra: dict[str, Any] = {}
        self.calls: Row[Call] = Row()
        self._told_calls: tuple[ToolCall, ...] | None = None  # those of what was built last
        self._by_id: dict[str, Call] = {}
        self._open: dict[int, Call] = {}  # the calls whose end was not told
        self._reasoning: Reasoning | None = None

    @property
    def id(self) -> str:
        """The step's id."""
        return self._known.id

    # Fragments

    def extend(self, delta: RunStepDelta) -> None:
        """Take a fragment."""
        changed = False
        details = delta.step_details
        if type(details) is ToolCallDeltaObject:
            deltas = details.tool_calls
            if deltas:
                nodes = self.calls.nodes
                for call_delta in deltas:
                    call = nodes.get(call_delta.index)  # type: ignore[arg-type] # None finds none
                    if (
                        call is None
                        or call.type != call_delta.type
                        or not call.stale
                        or call_delta.id is not None
                    ):
                        changed |= self._extend_call(call_delta, alone=len(deltas) == 1)
                    elif call.extend(call_delta):
                        changed = True
            elif deltas is not None:
                self._become_tool_calls()
            if details.extra is not None:
                changed |= merge(self._details_extra, details.extra)
        elif details is not None:
            changed = self._extend_details(details)
        if delta.extra is not None:
            changed |= merge(self.extra, delta.extra)
        if changed:
            self._ledger.changes.append(StepChanged(self.freeze()))

    def reason(self, event: ReasoningEvent) -> None:
        """Take some of the reasoning."""
        if self.done and event.whole:
            return
        self._set_details(OtherStepDetails(type="reasoning"))
        self._reasoner().take(event)

    def settle_call(self, full: ToolCall) -> None:
        """Take a text of a call, whole: what was lost of it is told."""
        if not self.done:  # the step itself was the last word
            self._settle_calls((full,), final=False, again=False)

    def _reasoner(self) -> Reasoning:
        if self._reasoning is None:
            self._reasoning = Reasoning(self._ledger, self.id)
        return self._reasoning

    def reopen(self) -> None:
        """Take note that the server goes on with a step that had ended."""
        self.done = False
        self.report("reopened", known=self._known.status, said="delta")

    def _extend_call(self, delta: ToolCallDelta, *, alone: bool) -> bool:
        """Take a fragment that names its call, or whose call is new, or was seen or ended."""
        call, changed = self._call(delta, alone=alone)
        self.calls.touch(call)
        if call.done:
            call.done = False
            self._open[call.index] = call
        if delta.id is not None:
            self._by_id.setdefault(delta.id, call)
        if delta.type is None and not isinstance(call, OtherCall):
            extended = Call.extend(call, delta)  # nothing in it names the call's kind
        else:
            extended = call.extend(delta)
        return extended if changed is None else changed

    def _call(self, delta: ToolCallDelta, *, alone: bool) -> tuple[Call, bool | None]:
        """Find or open the call of a fragment.

        Say whether that is a change which nothing tells; None, if the fragment decides.
        """
        named = self._by_id.get(delta.id) if delta.id else None
        if named is not None and (delta.index is None or delta.index < 0):
            index = named.index
        else:
            alone = alone and not (delta.id and delta.index is None)
            index = place(delta, self.calls, self, alone=alone)
        known = self.calls.nodes.get(index)
        if known is not None and delta.type in (None, known.type):
            return known, None
        is_late = known is not None and known.type is None
        return self._open_call(index, delta.id, delta.type, known), is_late

    def _open_call(
        self, index: int, call_id: str | None, kind: str | None, known: Call | None
    ) -> Call:
        if type(self._details) is not ToolCallsStepDetails:
            self._become_tool_calls()
        call = _CALLS.get(kind, OtherCall)(self._ledger, self.id, index, kind)
        call.id = call_id or None
        if known is not None:  # it changed its kind: replaced, but opened only once
            call.id = known.id or call.id
            if known.type is not None:
                known.report("type_changed", known=known.type, said=kind)
            else:
                call.inherit(known)
        else:
            call.tell(CallOpened, kind)
        self.calls.put(call)
        self._open[index] = call
        return call

    def _extend_details(self, details: StepDetailsDelta) -> bool:
        """Take a fragment of details that are no calls; return whether they changed."""
        before = self._build_details()
        if type(details) is RunStepDeltaMessageDelta:
            creation = details.message_creation
            if isinstance(self._details, MessageCreationStepDetails):
                known = self._details.message_creation
            else:
                known = None
            said = creation.message_id if creation is not None else None
            message_id = said or (known.message_id if known is not None else None)
            self._set_details(
                MessageCreationStepDetails(message_creation=MessageCreation(message_id=message_id))
            )
        elif isinstance(self._details, OtherStepDetails | None) and details.type is not None:
            self._set_details(OtherStepDetails(type=details.type))
        if details.extra is not None:
            merge(self._details_extra, details.extra)
        return self._build_details() != before

    def _become_tool_calls(self) -> None:
        if self._details is not None and self._details.type != "tool_calls":
            self.report("type_changed", known=self._details.type, said="tool_calls")
        self._set_details(ToolCallsStepDetails())

    def _set_details(self, details: StepDetails) -> None:
        if self.calls.nodes and not isinstance(details, ToolCallsStepDetails):
            self.report("type_changed", known="tool_calls", said=details.type)
            return  # the calls that were streamed say more
        self._details = details

    # Full objects

    def settle(self, full: RunStep, *, final: bool, opened: bool = False) -> None:
        """Take the whole step, as the server says it is; `opened` if it just began."""
        was_done = self.done
        told = len(self._ledger.changes)
        before = full if opened or (final and not was_done) else self.freeze()
        known = {call.index: call.freeze() for call in self.calls.in_order()}
        if not is_legal(STEP_MOVES, self._known.status, full.status):
            self.report("illegal_move", known=self._known.status, said=full.status)
            self.done = self.done and final
        self._known = msgspec.structs.replace(full, step_details=None, extra=None)
        self.extra = copied(full.extra or {})
        details = full.step_details
        if isinstance(details, ToolCallsStepDetails) and (
            details.tool_calls or was_sent(details, "tool_calls", [])
        ):
            self._settle_calls(details.tool_calls, final=final, again=was_done)
        if details is not None:
            self._set_details(details)
            if type(details) is type(self._details):
                self._settle_details(details, final=final)
        more = bool(self._open)
        if was_done and more:
            self.report("reopened", known="completed", said="calls")
            self.done = False
        if final:
            if self._reasoning is not None:
                self._reasoning.flush()
            for index in sorted(self._open):
                self.calls.touch(self._open[index])
                self._open[index].close()
            self._open.clear()
        if final and not self.done:
            self.done = True
            self._ledger.changes.append(StepDone(self.freeze()))
        elif self.freeze() is not before and (opened or self._is_untold(before, known, told)):
            self._ledger.changes.append(StepChanged(self.freeze()))

    def _settle_details(self, details: StepDetails, *, final: bool) -> None:
        """Take what details say beside calls."""
        if isinstance(details, OtherStepDetails) and details.type == "reasoning":
            self._reasoner().settle(details.extra or {}, final=final)
        else:
            self._details_extra = copied(details.extra or {})

    def _is_untold(self, before: RunStep, known: Mapping[int, ToolCall], told: int) -> bool:
        """Whether a whole step changed in what no change since `told` tells.

        `known` are the calls it had before, by their indices.
        """
        after = self.freeze()
        if _bare(before) != _bare(after):
            return True
        changes = self._ledger.changes[told:]
        changed = {getattr(change, "call_index", None) for change in changes}
        calls = [(index, was, self.calls.nodes[index].freeze()) for index, was in known.items()]
        return any(
            _identity(was) != _identity(call) if index in changed else was != call
            for index, was, call in calls
        )

    def _settle_calls(self, said: tuple[ToolCall, ...], *, final: bool, again: bool) -> None:
        """Match calls by id, then by rank; what the list lacks is kept, and reported."""
        known = self.calls.in_order() if said else []
        by_id = {call.id: call for call in known if call.id is not None}
        claimed = {by_id[full.id].index for full in said if full.id in by_id}
        last = -1
        for rank, full in enumerate(said):
            call = by_id.get(full.id) if full.id is not None else None
            if call is None and rank < len(known) and known[rank].index not in claimed:
                call = known[rank]
            last = self._settle_call(call, last, rank, full, final=final)
        lost = len(self.calls.nodes) - len(said)
        if final and lost > 0 and not again:
            self.report(
                "content_shrunk",
                known=f"{len(self.calls.nodes)} calls",
                said=f"{len(said)} calls",
            )

    def _settle_call(
        self, call: Call | None, last: int, rank: int, full: ToolCall, *, final: bool
    ) -> int:
        """Take a whole call; return its index. `last` is that of the one before it."""
        if call is None:
            index = self.calls.place_after(last, rank)
            call = self._open_call(index, full.id, full.type, None)
        elif call.type != full.type:
            if not final and call.type is not None:
                call.report("type_changed", known=call.type, said=full.type)
                return call.index
            call = self._open_call(call.index, full.id, full.type, call)
        if full.id is not None:
            self._by_id.setdefault(full.id, call)
        told = call.freeze() if call.done else None
        self.calls.touch(call)
        call.settle(full, final=final)
        if call.done and call.freeze() is not told:
            call.done = False
            self._open[call.index] = call
        return call.index

    # Snapshots

    def flush(self) -> None:
        """Tell what was held back in the hope of more."""
        for call in self.calls.nodes.values():
            self.calls.touch(call)
            call.flush()
        if self._reasoning is not None:
            self._reasoning.flush()

    def _is_new(self, built: RunStep) -> bool:
        known, self._told_calls = self._told_calls, self.calls.freeze()
        if known is not None and known is not self._told_calls:
            return True
        return super()._is_new(built)

    def _build(self) -> RunStep:
        step_details = self._build_details()
        return msgspec.structs.replace(
            self._known,
            step_details=step_details,
            extra=kept(self.extra, step_details=step_details),
        )

    def _build_details(self) -> StepDetails | None:
        if self._details is None:
            return None
        if isinstance(self._details, ToolCallsStepDetails):
            calls = self.calls.freeze()
            extra = kept(self._details_extra, tool_calls=calls)
            return ToolCallsStepDetails(tool_calls=calls, extra=extra)
        if self._reasoning is not None and isinstance(self._details, OtherStepDetails):
            extra = self._reasoning.read()
            return OtherStepDetails(type=self._details.type, extra=extra or None)
        return msgspec.structs.replace(self._details, extra=kept(self._details_extra))

    def where(self) -> dict[str, Any]:
        return {"step_id": self.id}


def _bare(step: RunStep) -> RunStep:
    """Return a step without its calls."""
    details = step.step_details
    if not isinstance(details, ToolCallsStepDetails):
        return step
    extra = {name: item for name, item in (details.extra or {}).items() if name != "tool_calls"}
    return msgspec.structs.replace(step, step_details=ToolCallsStepDetails(extra=extra or None))


def _identity(call: ToolCall) -> object:
    """Return what is known of a call beside its content."""
    return call.id, call.type, getattr(getattr(call, "function", None), "name", None)
