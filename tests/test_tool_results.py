"""What tools give, and how they fail: what the model is told, and what is raised."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final

import anyio
import anyio.to_thread
import msgspec
import pytest
from msgspec import Struct

from streamkit import ToolError, UsageError
from streamkit.live.tools import OnToolError, Toolbox
from tests.calling import call, in_every_form, run


@dataclass
class Point:
    x: int
    y: int = 2


class Box(Struct):
    tags: tuple[str, ...] = ()


class Opaque:
    pass


# Results


@in_every_form()
@pytest.mark.parametrize(("result", "output"), [
    ("as it is", "as it is"),
    ("", ""),
    ('{"a": 1}', '{"a": 1}'),
    ("é \U0001f600", "é \U0001f600"),
    (None, "null"),
    (True, "true"),
    (5, "5"),
    (1.5, "1.5"),
    (float("nan"), "null"),
    ({"a": [1, None], "é": "é"}, '{"a":[1,null],"é":"é"}'),
    ([], "[]"),
    ((1, "a"), '[1,"a"]'),
    ({1}, "[1]"),
    (Point(1), '{"x":1,"y":2}'),
    ([Box(("a",))], '[{"tags":["a"]}]'),
    (date(2026, 3, 14), '"2026-03-14"'),
    (datetime(2026, 3, 14, tzinfo=UTC), '"2026-03-14T00:00:00Z"'),
    (b"\0\xff", '"AP8="'),
    (msgspec.Raw(b"[1]"), "[1]"),
])  # fmt: skip
def test_results_are_texts_or_become_json(backend: Any, result: object, output: str) -> None:
    assert run(backend, {"tool": lambda: result}, call()) == {"c": output}
    if backend is not None:

        async def tool() -> object:
            await anyio.lowlevel.checkpoint()
            return result

        assert run(backend, {"tool": tool}, call()) == {"c": output}


@in_every_form()
@pytest.mark.parametrize("result", [Opaque(), {"a": Opaque()}, [print], {Opaque(): 1}])
def test_results_that_cannot_be_written(backend: Any, result: object) -> None:
    tools = {"tool": lambda: result}
    with pytest.raises((TypeError, msgspec.MsgspecError)):
        run(backend, tools, call())
    told = json.loads(run(backend, tools, call(), on_error="report")["c"])
    assert told.keys() == {"error"}


@in_every_form()
@pytest.mark.parametrize("result", ["\ud800", "a\udc80b"])
def test_halves_of_characters_are_replaced(backend: Any, result: str) -> None:
    """As file names have them that are no UTF-8: no request could be written with them."""
    (output,) = run(backend, {"tool": lambda: result}, call()).values()
    assert output == result.replace(result.strip("ab"), "\ufffd")


# Failures


class Trouble(Exception):  # noqa: N818 - it is one that nobody knows
    pass


def raising(error: BaseException) -> Callable[[], Any]:
    """Build a function that raises."""

    def tool() -> None:
        raise error

    return tool


def raising_later(error: BaseException) -> Callable[[], Any]:
    """Build an asynchronous function that raises."""

    async def tool() -> None:
        await anyio.lowlevel.checkpoint()
        raise error

    return tool


FAILURES: Final = [
    (Trouble("no tide"), "Trouble: no tide"),
    (Trouble(), "Trouble: "),
    (ValueError("é \U0001f600"), "ValueError: é \U0001f600"),
    (KeyError("port"), "KeyError: 'port'"),
    (TimeoutError(), "TimeoutError: "),
    (AssertionError(), "AssertionError: "),
    (RecursionError("deep"), "RecursionError: deep"),
    (ExceptionGroup("both", [Trouble("a")]), "ExceptionGroup: both (1 sub-exception)"),
    (ToolError("as the function says it"), "as the function says it"),
]


@in_every_form()
@pytest.mark.parametrize(("error", "told"), FAILURES)
def test_a_function_that_raises(backend: Any, error: Exception, told: str) -> None:
    for build in (raising, raising_later)[: 1 if backend is None else 2]:
        tools = {"tool": build(error)}
        (output,) = run(backend, tools, call(), on_error="report").values()
        assert json.loads(output) == {"error": told}
        with pytest.raises(type(error)) as caught:
            run(backend, tools, call())
        assert caught.value is error


@in_every_form()
def test_a_failure_told_in_halves_of_characters(backend: Any) -> None:
    tools = {"tool": raising(Trouble("\ud800"))}
    (output,) = run(backend, tools, call(), on_error="report").values()
    output.encode()  # as a request does
    assert json.loads(output)["error"].startswith("Trouble: ")


@in_every_form()
@pytest.mark.parametrize("error", [StopIteration(5), StopAsyncIteration()])
def test_a_tool_that_raises_what_ends_an_iteration(backend: Any, error: Exception) -> None:
    """No thread and no coroutine may raise these: they may be wrapped, but not lost."""
    tools = {"tool": raising(error)}
    (output,) = run(backend, tools, call(), on_error="report").values()
    assert type(error).__name__ in json.loads(output)["error"]
    with pytest.raises((type(error), RuntimeError)):
        run(backend, tools, call())


@in_every_form()
@pytest.mark.parametrize("policy", ["report", "stop"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_what_is_to_end_the_process_passes(
    backend: Any, *, policy: OnToolError, error: BaseException
) -> None:
    with pytest.raises((type(error), BaseExceptionGroup)) as caught:
        run(backend, {"tool": raising(error)}, call(), on_error=policy)
    assert error in (caught.value, *getattr(caught.value, "exceptions", ()))


@in_every_form()
@pytest.mark.parametrize(("name", "arguments", "words"), [
    ("tool_2", "{}", "there is no tool 'tool_2'; there are: another, tool"),
    ("", "{}", "there is no tool ''; there are: another, tool"),
    (None, "{}", "there is no tool ''; there are: another, tool"),
    ("Tool", "{}", "there is no tool 'Tool'; there are: another, tool"),
    ("tool", '{"a": 1}', "the arguments of 'tool' do not fit: "),
    ("tool", "{", "the arguments of 'tool' do not fit: "),
])  # fmt: skip
def test_calls_that_fit_no_tool(
    backend: Any, *, name: str | None, arguments: str, words: str
) -> None:
    ran: list[str] = []
    tools = {"tool": lambda: ran.append("tool"), "another": lambda: ran.append("another")}
    asked = call(arguments, name, "call_1")
    with pytest.raises(ToolError) as caught:
        run(backend, tools, asked)
    assert (caught.value.call_id, caught.value.name) == ("call_1", name or "")
    assert str(caught.value).startswith(words)
    outputs = run(backend, tools, asked, on_error="report")
    assert outputs.keys() == {"call_1"}
    assert json.loads(outputs["call_1"])["error"].startswith(words)
    assert ran == []


@in_every_form()
def test_there_are_no_tools(backend: Any) -> None:
    with pytest.raises(ToolError, match="there are: none"):
        run(backend, {}, call())
    assert run(backend, {}) == {}


@in_every_form()
def test_one_fails_and_the_others_are_told_all_the_same(backend: Any) -> None:
    tools = {"good": lambda: "g", "bad": raising(Trouble("b"))}
    calls = [call(name=name, id=name) for name in ("good", "bad", "gone")]
    outputs = run(backend, tools, *calls, call(name="good", id="again"), on_error="report")
    assert outputs.pop("gone").startswith('{"error":"there is no tool')
    assert outputs == {"good": "g", "bad": '{"error":"Trouble: b"}', "again": "g"}


# Synchronously


async def waits() -> str:
    return "waited"


class Waits:
    async def __call__(self) -> str:
        return "waited"

    async def method(self) -> str:
        return "waited"


@pytest.mark.parametrize("tool", [waits, Waits(), Waits().method, partial(waits)])
def test_what_is_async_needs_the_asynchronous_form(tool: Any) -> None:
    for policy in ("report", "stop"):
        with pytest.raises(UsageError, match="'tool' is async: use AsyncRuns"):
            Toolbox({"tool": tool}, policy, may_wait=False)
        for backend in ("asyncio", "trio"):
            assert run(backend, {"tool": tool}, call(), on_error=policy) == {"c": "waited"}


@pytest.mark.parametrize("policy", ["report", "stop"])
def test_what_turns_out_to_be_async(policy: OnToolError) -> None:
    """It cannot be seen before it is called; no coroutine is left behind."""
    with pytest.raises(UsageError, match="'tool' is async: use AsyncRuns"):
        run(None, {"tool": lambda: waits()}, call(), on_error=policy)  # noqa: PLW0108
    for backend in ("asyncio", "trio"):
        outputs = run(backend, {"tool": lambda: waits()}, call(), on_error=policy)  # noqa: PLW0108
        assert outputs == {"c": "waited"}


def test_synchronously_one_runs_after_another_where_we_are() -> None:
    ran: list[object] = []

    def tool(n: int) -> None:
        ran.append((n, threading.current_thread()))

    run(None, {"tool": tool}, *(call(f'{{"n": {n}}}', id=str(n)) for n in range(3)))
    assert ran == [(n, threading.current_thread()) for n in range(3)]


# Asynchronously

asynchronously: Final = in_every_form(["asyncio", "trio"])


@asynchronously
def test_calls_run_at_the_same_time(backend: str) -> None:
    """They wait for each other, so that one after another they would never end."""
    met = threading.Barrier(2)
    here: list[str] = []

    async def greet(name: str) -> str:
        here.append(name)
        while len(here) < 2:
            await anyio.lowlevel.checkpoint()
        return name

    def meet(name: str) -> str:
        met.wait(5)
        return name

    calls = [
        call(json.dumps({"name": id}), "greet" if id in "ac" else "meet", id) for id in "abcd"
    ]
    outputs = run(backend, {"greet": greet, "meet": meet}, *calls)
    assert outputs == {id: id for id in "abcd"}


@asynchronously
def test_what_is_not_async_does_not_block_the_others(backend: str) -> None:
    let_go = threading.Event()
    threads: list[threading.Thread] = []

    def slow() -> str:
        threads.append(threading.current_thread())
        return "let go" if let_go.wait(5) else "blocked"

    async def quick() -> None:
        threads.append(threading.current_thread())
        let_go.set()

    outputs = run(
        backend, {"slow": slow, "quick": quick}, call(name="slow"), call(name="quick", id="d")
    )
    assert outputs == {"c": "let go", "d": "null"}
    assert len(set(threads)) == 2


@asynchronously
def test_where_one_stops_the_run_the_others_are_cancelled(backend: str) -> None:
    cancelled: list[BaseException] = []
    trouble = Trouble("first")

    async def waiting() -> None:
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class() as error:
            cancelled.append(error)
            raise

    tools = {"tool": raising_later(trouble), "waiting": waiting}
    calls = [call(name="waiting", id="a"), call(), call(name="waiting", id="b")]
    with pytest.raises(Trouble) as caught:
        run(backend, tools, *calls)
    assert caught.value is trouble
    assert len(cancelled) == 2


@asynchronously
def test_an_unknown_tool_cancels_the_others_too(backend: str) -> None:
    with pytest.raises(ToolError, match="there is no tool 'gone'"):
        run(backend, {"tool": anyio.sleep_forever}, call(), call(name="gone", id="d"))


WHERE: Final = ContextVar("WHERE", default="nowhere")


@in_every_form()
def test_tools_see_the_context(backend: Any) -> None:
    def tool() -> str:
        return WHERE.get()

    async def awaited() -> str:
        return WHERE.get()

    async def ask() -> dict[str, str]:
        WHERE.set("here")
        toolbox = Toolbox({"tool": tool, "awaited": awaited}, "stop", may_wait=True)
        return await toolbox.arun([call(), call(name="awaited", id="d")])

    if backend is not None:
        assert anyio.run(ask, backend=backend) == {"c": "here", "d": "here"}
        return
    token = WHERE.set("here")
    assert run(None, {"tool": tool}, call()) == {"c": "here"}
    WHERE.reset(token)
