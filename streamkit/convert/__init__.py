"""Runs of the Assistants API as input items of the Responses API.

    items = to_response_items(accumulate("run.sse"), container_id="cntr_...")
    for decision in items.report:
        print(decision)
    client.responses.create(model=..., input=[*items, question])

What the one API can say and the other cannot is decided by the caller, or by the rules
that `Decision` lists. Either way it is in the report, with what was said: nothing is lost
silently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from .._wire import to_wire
from ..dialects.items import to_item
from ..errors import UsageError
from ..snapshots import RunStep
from .calls import write_call
from .cargo import Cargo
from .messages import write_message
from .report import Decision, DecisionKind, ResponseItems
from .source import LAST, Source, Whole, places, read
from .steps import created, is_item, write_calls
from .writer import STATUSES, UNKNOWN_CONTAINER, Options, Writer

__all__ = [
    "UNKNOWN_CONTAINER",
    "Decision",
    "DecisionKind",
    "ResponseItems",
    "Source",
    "to_response_items",
]

_RESPONSE: Final = "response"


def to_response_items(
    source: Source,
    *,
    container_id: str | Callable[[RunStep], str | None] | None = None,
    image_url: Callable[[str], str | None] | None = None,
    status: Mapping[str, str] | None = None,
) -> ResponseItems:
    """Turn steps and messages into items of the Responses API, as plain builtins.

    A call of the code interpreter, of file search or of a remote MCP server becomes an
    item, one of a function two: the call and its output. A message stands where the step
    that created it stood. What was folded from a Responses stream is given back as it was
    there, and the report is empty.

    Args:
        source: A snapshot, or steps and perhaps messages, in their order; also as the
            JSON of the API, a list of it, or what `to_wire` gives of a snapshot.
        container_id: The container that code ran in, or what tells it of a step; where
            that is None, `UNKNOWN_CONTAINER`. The API takes only one that exists.
        image_url: Gives the URL of an image by its file id, or None: then it is left out.
        status: What becomes of a status: ``{"expired": "failed"}``; that of a step of which
            only fragments were seen counts as in_progress. What is not chosen, or cannot
            be had by an item of the kind, and cannot be said as it is, is incomplete.

    Raises:
        UsageError: The source is none, or a status is chosen that no item has.
        DecodeError: JSON in it is not that of a step or a message.
    """
    chosen = dict(status or {})
    for value in chosen.values():
        if value not in STATUSES:
            raise UsageError(f"no item has the status {value!r}; choose one of {_named(STATUSES)}")
    whole = read(source)
    here = Writer(Options(container_id, image_url, chosen), _awaited(whole), whole.names)
    _write(whole, here)
    return ResponseItems(here.items, report=tuple(here.decisions))


def _named(values: frozenset[str]) -> str:
    return ", ".join(sorted(values))


def _awaited(whole: Whole) -> set[str]:
    action = whole.run.required_action if whole.run is not None else None
    return {call.id for call in action.tool_calls if call.id} if action is not None else set()


def _write(whole: Whole, here: Writer) -> None:
    by_step, others = places(whole)

    def write(ranks: list[int]) -> None:
        for rank in ranks:
            message = whole.messages[rank]
            here.message_id = message.id
            write_message(Cargo(to_wire(message), f"messages[{rank}]"), here)
        here.message_id = None

    write(others.get(None, []))
    for number, step in enumerate(whole.steps):
        path = f"steps[{number}]"
        message_id = created(step)
        rank = by_step.pop(message_id, None) if message_id is not None else None
        if _is_item(step, whole) and (message_id is None or rank is not None):
            item = to_item(step, whole.messages[rank] if rank is not None else None)
            here.keep_id(item.get("id"))
            here.items.append(item)
        else:
            here.step = step
            write_calls(step, path, here)
            if rank is not None:
                write([rank])
            elif message_id is not None:
                here.note("message_missing", path, said=message_id or None)
            here.step = None
        if rank is not None:
            write(others.get(rank, []))
    write(others.get(LAST, []))
    _write_awaited(whole, here)
    here.note_dropped()


def _is_item(step: RunStep, whole: Whole) -> bool:
    kind = whole.run.object if whole.run is not None else None
    return is_item(step) and kind in (None, _RESPONSE)


def _write_awaited(whole: Whole, here: Writer) -> None:
    """Write the calls that the run waits for and that no step shows as it does."""
    action = whole.run.required_action if whole.run is not None else None
    shown = {call.get("id"): call for step in whole.steps for call in _calls(step)}
    for rank, call in enumerate(action.tool_calls if action is not None else ()):
        cargo = Cargo(to_wire(call), f"run.required_action.tool_calls[{rank}]")
        known = shown.get(call.id) if call.id else None
        if known is None:
            write_call(cargo, here, f"awaited_{rank}")
            here.note_left(cargo)
        elif not _holds(known, to_wire(call)):
            here.leave("left_out", cargo)


def _holds(known: Any, said: Any) -> bool:
    """Whether JSON says all that other JSON says."""
    if isinstance(known, dict) and isinstance(said, dict):
        return all(name in known and _holds(known[name], said[name]) for name in said)
    return bool(known == said)


def _calls(step: RunStep) -> list[dict[str, Any]]:
    wire = to_wire(step.step_details) or {}
    calls = wire.get("tool_calls")
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
