"""What is converted: a snapshot, or steps and messages, as structs or as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from .._wire import load
from ..errors import UsageError
from ..snapshots import FileSearchToolCall, Message, Run, RunSnapshot, RunStep, Snapshot
from ..snapshots import ToolCallsStepDetails as Calls
from .steps import created

__all__ = ["LAST", "Source", "Whole", "places", "read"]

S = TypeVar("S", bound=Snapshot)

Wire: TypeAlias = Mapping[str, Any]
Source: TypeAlias = RunSnapshot | Wire | Iterable[RunStep | Message | Wire]

# The place after all.
LAST: Final = -1


class Whole(NamedTuple):
    """A run, its steps and its messages."""

    run: Run | None
    steps: Sequence[RunStep]
    messages: Sequence[Message]

    @property
    def names(self) -> dict[str, str]:
        """The names of the files that were found."""
        return {
            found.file_id: found.file_name
            for step in self.steps
            if isinstance(step.step_details, Calls)
            for call in step.step_details.tool_calls
            if isinstance(call, FileSearchToolCall) and call.file_search is not None
            for found in call.file_search.results
            if found.file_id and found.file_name
        }


def read(source: Source) -> Whole:
    """Read a source.

    Raises:
        UsageError: It is something else.
        DecodeError: JSON in it is not that of a step or a message.
    """
    if isinstance(source, RunSnapshot):
        return Whole(source.run, source.steps, source.messages)
    if isinstance(source, Mapping) and {"steps", "messages"} & source.keys():
        run = source.get("run")
        steps = [_one(RunStep, each) for each in source.get("steps") or ()]
        messages = [_one(Message, each) for each in source.get("messages") or ()]
        return Whole(_one(Run, run) if run else None, steps, messages)
    if isinstance(source, Mapping) and isinstance(source.get("data"), list):
        source = source["data"]
    if isinstance(source, str | bytes | Mapping) or not isinstance(source, Iterable):
        raise UsageError(
            f"a snapshot or steps are needed, not {type(source).__name__}: "
            "fold a stream with accumulate first"
        )
    each = [_read(value) for value in source]
    steps = [value for value in each if isinstance(value, RunStep)]
    return Whole(None, steps, [value for value in each if isinstance(value, Message)])


def _read(value: object) -> RunStep | Message:
    if isinstance(value, RunStep | Message):
        return value
    if not isinstance(value, Mapping):
        raise UsageError(f"a step or a message is needed, not {type(value).__name__}")
    if value.get("object") == "thread.message" or "content" in value:
        return load(Message, dict(value))
    return load(RunStep, dict(value))


def _one(kind: type[S], value: object) -> S:
    return value if isinstance(value, kind) else load(kind, value)


def places(whole: Whole) -> tuple[dict[str, int], dict[int | None, list[int]]]:
    """Say where messages belong: which the steps create, and after which the others come.

    A message that no step creates comes after the one before it. If there is none, it
    comes first of all, or last of all where it is an answer.
    """
    wanted = {created(step) for step in whole.steps}
    by_step: dict[str, int] = {}
    others: dict[int | None, list[int]] = {}
    anchor: int | None = None
    for rank, message in enumerate(whole.messages):
        if message.id in wanted and message.id not in by_step:
            by_step[message.id] = anchor = rank
            continue
        if anchor is None and message.role in (None, "assistant"):
            anchor = LAST
        others.setdefault(anchor, []).append(rank)
    return by_step, others
