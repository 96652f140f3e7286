"""Calls of tools, run in every form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from streamkit import ToolError
from streamkit.live.tools import OnToolError, Toolbox, Tools
from streamkit.snapshots import RequiredActionFunction, RequiredActionFunctionToolCall

__all__ = ["Call", "call", "given", "in_every_form", "refused", "run"]

Call = RequiredActionFunctionToolCall

FORMS = [None, "asyncio", "trio"]  # None is the synchronous one


def in_every_form(forms: list[str | None] = FORMS) -> pytest.MarkDecorator:
    """Run a test with each `backend`."""
    return pytest.mark.parametrize("backend", forms, ids=[form or "sync" for form in forms])


def call(arguments: str | None = "{}", name: str | None = "tool", id: str | None = "c") -> Call:
    """Build a call; without arguments, one that names no function."""
    function = RequiredActionFunction(name=name, arguments=arguments or "")
    return Call(id=id, function=None if arguments is None else function)


def run(
    backend: str | None, tools: Tools, *calls: Call, on_error: OnToolError = "stop"
) -> dict[str, str]:
    """Run calls."""
    toolbox = Toolbox(tools, on_error, may_wait=backend is not None)
    if backend is None:
        return toolbox.run(calls)
    return anyio.run(toolbox.arun, calls, backend=backend)


def given(backend: str | None, function: Callable[..., Any], arguments: str) -> str:
    """Say what a function makes of arguments."""
    return run(backend, {"tool": function}, call(arguments))["c"]


def refused(backend: str | None, function: Callable[..., Any], arguments: str | None) -> ToolError:
    """Say how arguments are refused that do not fit a function."""
    with pytest.raises(ToolError) as caught:
        run(backend, {"tool": function}, call(arguments))
    return caught.value
