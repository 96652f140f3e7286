"""Callbacks, by kind of change."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Mapping
from functools import partial
from typing import Any, Final

from .changes import (
    ActionRequired,
    AnnotationAdded,
    ArgumentsAppended,
    CallDone,
    CallOpened,
    Change,
    CodeAppended,
    ImageAdded,
    LogAppended,
    MessageDone,
    MessageOpened,
    OutputDone,
    PartAdded,
    ProblemFound,
    ReasoningAppended,
    RefusalAppended,
    RunChanged,
    ServerFailed,
    StepChanged,
    StepDone,
    StepOpened,
    StreamEnded,
    TextAppended,
    UnknownReceived,
)
from .errors import UsageError

__all__ = ["KEYWORDS", "Observer", "is_async", "on"]

# Anything that takes a change. Under `afollow` it may be ``async def``.
Observer = Callable[[Change], object]

KEYWORDS: Final[Mapping[str, type[Change]]] = {
    "run": RunChanged,
    "action": ActionRequired,
    "step": StepOpened,
    "step_changed": StepChanged,
    "step_done": StepDone,
    "call": CallOpened,
    "call_done": CallDone,
    "code": CodeAppended,
    "arguments": ArgumentsAppended,
    "log": LogAppended,
    "image": ImageAdded,
    "output": OutputDone,
    "message": MessageOpened,
    "message_done": MessageDone,
    "text": TextAppended,
    "refusal": RefusalAppended,
    "part": PartAdded,
    "annotation": AnnotationAdded,
    "reasoning": ReasoningAppended,
    "failed": ServerFailed,
    "unknown": UnknownReceived,
    "problem": ProblemFound,
    "end": StreamEnded,
}


def on(
    *,
    change: Callable[[Change], object] | None = None,
    run: Callable[[RunChanged], object] | None = None,
    action: Callable[[ActionRequired], object] | None = None,
    step: Callable[[StepOpened], object] | None = None,
    step_changed: Callable[[StepChanged], object] | None = None,
    step_done: Callable[[StepDone], object] | None = None,
    call: Callable[[CallOpened], object] | None = None,
    call_done: Callable[[CallDone], object] | None = None,
    code: Callable[[CodeAppended], object] | None = None,
    arguments: Callable[[ArgumentsAppended], object] | None = None,
    log: Callable[[LogAppended], object] | None = None,
    image: Callable[[ImageAdded], object] | None = None,
    output: Callable[[OutputDone], object] | None = None,
    message: Callable[[MessageOpened], object] | None = None,
    message_done: Callable[[MessageDone], object] | None = None,
    text: Callable[[TextAppended], object] | None = None,
    refusal: Callable[[RefusalAppended], object] | None = None,
    part: Callable[[PartAdded], object] | None = None,
    annotation: Callable[[AnnotationAdded], object] | None = None,
    reasoning: Callable[[ReasoningAppended], object] | None = None,
    failed: Callable[[ServerFailed], object] | None = None,
    unknown: Callable[[UnknownReceived], object] | None = None,
    problem: Callable[[ProblemFound], object] | None = None,
    end: Callable[[StreamEnded], object] | None = None,
) -> Observer:
    """Build an observer that calls each callback for its kind of change.

    `change` hears every change, before the callback of its kind does. A callback may be
    ``async def`` where the observer is used with `afollow` or `aaccumulate`.

    Raises:
        UsageError: A callback cannot be called.
    """
    given = {name: value for name, value in locals().items() if value is not None}
    for name, callback in given.items():
        if not callable(callback):
            raise UsageError(f"on({name}=...) takes a function, not {callback!r}")
    every = given.pop("change", None)
    return _On(every, {KEYWORDS[name]: callback for name, callback in given.items()})


class _On:
    def __init__(
        self, every: Callable[..., Any] | None, callbacks: dict[type[Change], Callable[..., Any]]
    ) -> None:
        self._every = every
        self._callbacks = callbacks
        callables = [*callbacks.values(), *([every] if every is not None else [])]
        self.is_async = any(map(is_async, callables))

    def __call__(self, change: Change) -> object:
        callback = self._callbacks.get(type(change))
        if self._every is None:
            return callback(change) if callback is not None else None
        if callback is None:
            return self._every(change)
        first = self._every(change)
        if first is not None and inspect.isawaitable(first):
            return _InTurn(first, callback, change)
        return callback(change)


class _InTurn:
    """Awaits one callback, then calls the other and awaits it too, if that is needed."""

    def __init__(
        self, first: Awaitable[object], callback: Callable[[Change], Any], change: Change
    ) -> None:
        self._first = first
        self._callback = callback
        self._change = change

    def __await__(self) -> Generator[Any, Any, None]:
        yield from self._first.__await__()
        second = self._callback(self._change)
        if inspect.isawaitable(second):
            yield from second.__await__()

    def close(self) -> None:
        """Take note that nobody will wait."""
        if inspect.iscoroutine(self._first):
            self._first.close()


def is_async(observer: Callable[..., Any]) -> bool:
    """Whether what an observer returns is to be awaited, as far as can be told."""
    while isinstance(observer, partial):
        observer = observer.func
    if isinstance(observer, _On):
        return observer.is_async
    call = getattr(observer, "__call__", None)  # noqa: B004 - a method to look at, not to call
    return inspect.iscoroutinefunction(observer) or inspect.iscoroutinefunction(call)
