"""What a stream is expected to tell, in few words.

Unless something else is said, a change is that of the first output of the first call of
``step_1``. Structs that hold whole objects are read from the wire's JSON.
"""

from __future__ import annotations

from typing import Any, Final

from streamkit import (
    ArgumentsAppended,
    CallDone,
    CallOpened,
    Change,
    CodeAppended,
    ImageAdded,
    LogAppended,
    Message,
    MessageEvent,
    OutputDone,
    Problem,
    ProblemFound,
    ProblemKind,
    Run,
    RunEvent,
    RunStep,
    StepChanged,
    StepDone,
    StepEvent,
    StepOpened,
    ToolCallsStepDetails,
    decode,
)
from tests.streams import Wire, message_event, present, run, step, step_event

STEP: Final = "step_1"


def as_run(status: str, run_id: str = "run_1", **fields: object) -> Run:
    """Read a run."""
    event = decode(run(status, run_id, **fields))
    assert isinstance(event, RunEvent)
    return event.run


def as_step(payload: Wire) -> RunStep:
    """Read a step."""
    event = decode(step_event("created", payload))
    assert isinstance(event, StepEvent)
    return event.step


def as_message(payload: Wire) -> Message:
    """Read a message."""
    event = decode(message_event("created", payload))
    assert isinstance(event, MessageEvent)
    return event.message


def begun(*calls: Wire, **fields: Any) -> Change:
    """Expect the step to open, as it is said here."""
    return StepOpened(as_step(step(STEP, *calls, **fields)))


def changed(*calls: Wire, **fields: Any) -> Change:
    """Expect the step to change into this."""
    return StepChanged(as_step(step(STEP, *calls, **fields)))


def opened(index: int = 0, id: str | None = None, kind: str | None = "code_interpreter") -> Change:
    """Expect a call to open."""
    return CallOpened(STEP, index, id, kind)


def coded(text: str, index: int = 0, id: str | None = None) -> Change:
    """Expect code."""
    return CodeAppended(STEP, index, id, text)


def argued(text: str, index: int = 0, id: str | None = None) -> Change:
    """Expect arguments."""
    return ArgumentsAppended(STEP, index, id, text)


def logged(text: str, output: int = 0, index: int = 0, id: str | None = None) -> Change:
    """Expect a log."""
    return LogAppended(STEP, index, id, output, text)


def drew(file_id: str, output: int = 0, index: int = 0, id: str | None = None) -> Change:
    """Expect an image."""
    return ImageAdded(STEP, index, id, output, file_id, None)


def found(
    kind: ProblemKind,
    call: int | None = None,
    output: int | None = None,
    *,
    known: str | None = None,
    said: str | None = None,
    message: str | None = None,
) -> Change:
    """Expect a problem."""
    return ProblemFound(problem(kind, call, output, known=known, said=said, message=message))


def problem(
    kind: ProblemKind,
    call: int | None = None,
    output: int | None = None,
    *,
    known: str | None = None,
    said: str | None = None,
    message: str | None = None,
    count: int = 1,
) -> Problem:
    """Build a problem in the step, or in a message."""
    return Problem(
        kind=kind,
        step_id=STEP if message is None else None,
        call_index=call,
        output_index=output,
        message_id=message,
        known=known,
        said=said,
        count=count,
    )


def ending(payload: Wire, *indices: int) -> list[Change]:
    """Expect the end of a step whose calls have these indices, or else their ranks."""
    whole = as_step(payload)
    changes: list[Change] = []
    if isinstance(whole.step_details, ToolCallsStepDetails):
        calls = whole.step_details.tool_calls
        for index, call in zip(indices or range(len(calls)), calls, strict=True):
            inner = getattr(call, "code_interpreter", None)
            for rank, output in enumerate(inner.outputs if inner else ()):
                changes.append(OutputDone(whole.id, index, call.id, rank, output))
            changes.append(CallDone(whole.id, index, call.id, call))
    return [*changes, StepDone(whole)]


def seen(input: str | None = None, *outputs: Wire, id: str | None = None) -> Wire:
    """Build a call of the code interpreter of which only this was said."""
    inner = present(input=input, outputs=list(outputs) or None)
    return present(id=id) | {"type": "code_interpreter", "code_interpreter": inner}


def named(name: str, arguments: str | None = None, **fields: object) -> Wire:
    """Build a call of a function of which only this was said."""
    inner = {"name": name} | present(arguments=arguments) | fields
    return {"type": "function", "function": inner}
