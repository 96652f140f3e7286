"""Functions that a model may call: their arguments, checked; their results, as text."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypeAlias, Union

import anyio
import anyio.to_thread
import msgspec
from msgspec import UNSET, UnsetType

from .._json import parse
from .._text import scrub
from ..errors import DecodeError, ToolError, UsageError
from ..limits import DEFAULT_LIMITS
from ..observers import is_async
from ..snapshots import RequiredActionFunctionToolCall

__all__ = ["OnToolError", "Toolbox", "Tools"]

# By the names that the model calls them by.
Tools: TypeAlias = Mapping[str, Callable[..., Any]]

OnToolError: TypeAlias = Literal["report", "stop"]

_Calls: TypeAlias = Sequence[RequiredActionFunctionToolCall]


class Toolbox:
    """Runs what the model calls.

    Args:
        tools: By name.
        on_error: Whether a call that fails is reported to the model, or stops the run
            from being followed.
        may_wait: Whether functions may be asynchronous.

    Raises:
        UsageError: A function cannot be called by the names of its arguments, or has an
            annotation that cannot be checked.
    """

    def __init__(self, tools: Tools, on_error: OnToolError, *, may_wait: bool) -> None:
        if on_error not in ("report", "stop"):
            raise UsageError(f"on_tool_error is 'report' or 'stop', not {on_error!r}")
        self._reports = on_error == "report"
        self._tools = {name: _Tool(name, function) for name, function in tools.items()}
        for name, function in tools.items():
            if not may_wait and is_async(function):
                raise UsageError(f"the tool {name!r} is async: use AsyncRuns")

    def run(self, calls: _Calls) -> dict[str, str]:
        """Run calls one after another, and return their outputs by their ids.

        Raises:
            ToolError: There is no such tool, or the arguments do not fit it, and that is
                not to be reported.
            Exception: What a function raised, where that is not to be reported.
        """
        outputs: dict[str, str] = {}
        for call in calls:
            try:
                outputs[_id(call)] = _written(_at_hand(call, self._bind(call)()))
            except Exception as error:  # noqa: BLE001 - reported, or raised
                outputs[_id(call)] = self._report(error)
        return outputs

    async def arun(self, calls: _Calls) -> dict[str, str]:
        """Run calls at the same time: what is not asynchronous, each in a thread.

        Raises:
            ToolError, Exception: As `run` does; the other calls are cancelled.
        """
        outputs: dict[str, str] = {}
        failures: list[Exception] = []

        async def run(call: RequiredActionFunctionToolCall) -> None:
            try:
                bound = self._bind(call)
                result = bound() if is_async(bound) else await _in_thread(bound)
                outputs[_id(call)] = _written(
                    await result if inspect.isawaitable(result) else result
                )
            except Exception as error:  # noqa: BLE001 - reported, or raised
                try:
                    outputs[_id(call)] = self._report(error)
                except Exception as failure:  # noqa: BLE001 - raised once all have stopped
                    failures.append(failure)
                    group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            for call in calls:
                group.start_soon(run, call)
        if failures:
            raise failures[0]
        return {_id(call): outputs[_id(call)] for call in calls}

    def _bind(self, call: RequiredActionFunctionToolCall) -> Callable[[], Any]:
        """Return what calls the function.

        Raises:
            ToolError: There is no such tool, or the arguments do not fit it.
        """
        tool = self._tools.get(_name(call))
        if tool is None:
            there = ", ".join(sorted(self._tools)) or "none"
            reason = f"there is no tool {_name(call)!r}; there are: {there}"
            raise ToolError(reason, call_id=call.id, name=_name(call))
        try:
            arguments = tool.arguments(call.function.arguments if call.function else "")
        except (DecodeError, msgspec.ValidationError) as error:
            reason = f"the arguments of {_name(call)!r} do not fit: {error}"
            raise ToolError(reason, call_id=call.id, name=_name(call)) from error
        return partial(tool.function, **arguments)

    def _report(self, error: Exception) -> str:
        """Return what the model is told of a failure, or raise it."""
        if isinstance(error, UsageError) or not self._reports:
            raise error
        told = str(error) if isinstance(error, ToolError) else f"{type(error).__name__}: {error}"
        return _written({"error": told})


class _Tool:
    """A function, and what its annotations say of its arguments."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise UsageError(f"the tool {name!r} is a function, not {function!r}")
        self.function = function
        try:
            parameters = inspect.signature(function, eval_str=True).parameters.values()
            self._takes_more = any(item.kind is item.VAR_KEYWORD for item in parameters)
            self._model = msgspec.defstruct(
                "Arguments",
                [_field(item) for item in parameters if item.kind not in _VARIADIC],
                kw_only=True,
                forbid_unknown_fields=not self._takes_more,
            )
            msgspec.json.Decoder(self._model)  # refuses what it could not check
        except (TypeError, ValueError, NameError) as error:
            raise UsageError(f"the arguments of {name!r} cannot be checked: {error}") from error

    def arguments(self, text: str) -> dict[str, Any]:
        """Decode arguments, and check them.

        Raises:
            DecodeError: They are no JSON.
            msgspec.ValidationError: They do not fit the function.
        """
        data = scrub(text).encode().strip() or b"{}"
        value = parse(data, depth=DEFAULT_LIMITS.depth)
        fields = msgspec.structs.asdict(msgspec.convert(value, self._model))
        given = {name: item for name, item in fields.items() if item is not UNSET}
        return {**value, **given} if self._takes_more else given


_VARIADIC = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


def _field(parameter: inspect.Parameter) -> tuple[str, Any] | tuple[str, Any, Any]:
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise TypeError(f"{parameter.name} is taken only by its position")
    hint = Any if parameter.annotation is parameter.empty else parameter.annotation
    if parameter.default is parameter.empty:
        return parameter.name, hint
    return parameter.name, Union[hint, UnsetType], UNSET  # noqa: UP007 - hints may be texts


async def _in_thread(function: Callable[[], object]) -> object:
    """Call a function in a thread of its own; what it returns may still be awaited."""
    (result,) = await anyio.to_thread.run_sync(lambda: (function(),))
    return result


def _written(result: object) -> str:
    """Write a result as the text that the model reads."""
    if isinstance(result, str):
        return scrub(result)
    try:
        return msgspec.json.encode(result).decode()
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(result))


def _at_hand(call: RequiredActionFunctionToolCall, result: object) -> object:
    """Return a result that need not be awaited."""
    if not inspect.isawaitable(result):
        return result
    if inspect.iscoroutine(result):
        result.close()
    raise UsageError(f"the tool {_name(call)!r} is async: use AsyncRuns")


def _name(call: RequiredActionFunctionToolCall) -> str:
    return (call.function.name if call.function else None) or ""


def _id(call: RequiredActionFunctionToolCall) -> str:
    return call.id or ""
