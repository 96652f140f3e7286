"""Whatever a stream comes from, it is folded alike; what is no source is refused unread."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import anyio
import httpx
import httpx_sse
import pytest

from streamkit import (
    Accumulator,
    Change,
    Frame,
    FrameDecoder,
    RunSnapshot,
    UsageError,
    aaccumulate,
    accumulate,
    afollow,
    follow,
    on,
)
from tests.recorded import OWN

# openai-python 3 uses the second one, and brings it along.
LIBRARIES: Final[list[Any]] = [httpx]
with contextlib.suppress(ImportError):
    LIBRARIES.append(importlib.import_module("httpx2"))

pytestmark = pytest.mark.anyio

(BODY,) = OWN["refusal"]
FRAMES: Final = FrameDecoder().feed(BODY)
CHUNKS: Final = [BODY[start : start + 1000] for start in range(0, len(BODY), 1000)]
REQUEST: Final = "http://test/threads/runs"


def expected() -> tuple[list[Change], RunSnapshot]:
    """Fold the recording without `follow`."""
    accumulator = Accumulator()
    changes = [*accumulator.feed_bytes(BODY), *accumulator.end()]
    return changes, accumulator.snapshot()


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run what is asynchronous under both."""
    return str(request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Keep the recording in a file."""
    path = tmp_path / "recording.sse"
    path.write_bytes(BODY)
    return path


async def later(items: list[Any]) -> AsyncIterator[Any]:
    """Yield items asynchronously."""
    for item in items:
        await anyio.lowlevel.checkpoint()
        yield item


class Later:
    """An asynchronous iterable that is no generator."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return later(CHUNKS)


def answer(library: Any, content: Any) -> Any:
    """Open a response of a synchronous client."""
    head = {"content-type": "text/event-stream"}
    handler = library.MockTransport(lambda _: library.Response(200, headers=head, content=content))
    client = library.Client(transport=handler)
    return client.send(client.build_request("POST", REQUEST), stream=True)


async def answer_later(library: Any, content: Any) -> Any:
    """Open a response of an asynchronous client."""
    head = {"content-type": "text/event-stream"}
    handler = library.MockTransport(lambda _: library.Response(200, headers=head, content=content))
    client = library.AsyncClient(transport=handler)
    return await client.send(client.build_request("POST", REQUEST), stream=True)


def as_read(response: Any) -> Any:
    """Read a response before it is used as a source."""
    response.read()
    return response


def sse(frame: Frame) -> httpx_sse.ServerSentEvent:
    """Give a frame as httpx-sse does."""
    return httpx_sse.ServerSentEvent(frame.event, frame.data.decode())


# Sources that both kinds of call take.
SOURCES: Final[dict[str, Callable[[Path], Any]]] = {
    "a path": str,
    "a Path": lambda path: path,
    "bytes": lambda _: BODY,
    "a bytearray": lambda _: bytearray(BODY),
    "a memoryview": lambda _: memoryview(BODY),
    "a list of bytes": lambda _: CHUNKS,
    "a tuple of bytes": lambda _: tuple(CHUNKS),
    "a list of bytearrays": lambda _: [*map(bytearray, CHUNKS)],
    "a list of memoryviews": lambda _: [memoryview(chunk) for chunk in CHUNKS],
    "a generator of bytes": lambda _: (chunk for chunk in CHUNKS),
    "an open file": lambda path: path.open("rb"),
    "frames": lambda _: FRAMES,
    "a generator of frames": lambda _: (frame for frame in FRAMES),
    "httpx-sse's events": lambda _: [*map(sse, FRAMES)],
}
OF_SYNC: Final[dict[str, Callable[[Path], Any]]] = {
    "a response": lambda _: answer(httpx, BODY),
    "a response, streaming": lambda _: answer(LIBRARIES[0], iter(CHUNKS)),
    "a response of another library": lambda _: answer(LIBRARIES[-1], iter(CHUNKS)),
    "a response that was read": lambda _: as_read(answer(httpx, BODY)),
    "an event source": lambda _: httpx_sse.EventSource(answer(httpx, iter(CHUNKS))).iter_sse(),
}


async def event_source(_: Path) -> AsyncIterator[httpx_sse.ServerSentEvent]:
    """Let httpx-sse read a response."""
    return httpx_sse.EventSource(await answer_later(httpx, later(CHUNKS))).aiter_sse()


OF_ASYNC: Final[dict[str, Callable[[Path], Awaitable[Any]]]] = {
    "a response": lambda _: answer_later(httpx, BODY),
    "a response, streaming": lambda _: answer_later(LIBRARIES[0], later(CHUNKS)),
    "a response of another library": lambda _: answer_later(LIBRARIES[-1], later(CHUNKS)),
    "an event source": event_source,
    "an open file": lambda path: anyio.open_file(path, "rb"),
}


@pytest.mark.parametrize("name", [*SOURCES, *OF_SYNC])
def test_of_a_synchronous_call(name: str, path: Path) -> None:
    source = (SOURCES | OF_SYNC)[name]
    changes, snapshot = expected()
    assert accumulate(source(path)) == snapshot
    told: list[Change] = []
    with follow(source(path), told.append) as following:
        assert list(following) == told == changes
    assert following.snapshot() == snapshot


async def check_async(opened: Callable[[], Awaitable[Any]]) -> None:
    """Read a source asynchronously."""
    changes, snapshot = expected()
    assert await aaccumulate(await opened()) == snapshot
    told: list[Change] = []
    async with afollow(await opened(), told.append) as following:
        assert [change async for change in following] == told == changes
    assert following.snapshot() == snapshot


@pytest.mark.parametrize("name", SOURCES)
async def test_of_an_asynchronous_call(name: str, path: Path) -> None:
    async def opened() -> Any:
        return SOURCES[name](path)

    await check_async(opened)


# httpx leaves its own generators to the garbage collector, of which trio complains.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <async_generator object .*Stream")
@pytest.mark.filterwarnings("ignore:Exception ignored in. <async_generator object Response")
@pytest.mark.parametrize("name", OF_ASYNC)
async def test_of_an_asynchronous_call_alone(name: str, path: Path) -> None:
    await check_async(lambda: OF_ASYNC[name](path))


@pytest.mark.parametrize("items", [CHUNKS, [bytearray(BODY)], FRAMES, [*map(sse, FRAMES)]])
async def test_an_asynchronous_iterable(items: list[Any]) -> None:
    async def opened() -> Any:
        return later(items)

    await check_async(opened)


async def test_an_asynchronous_iterable_that_is_no_generator() -> None:
    assert await aaccumulate(Later()) == expected()[1]


async def test_a_response_of_the_other_kind_that_was_read() -> None:
    """Nothing is left to wait for."""
    for library in LIBRARIES:
        response = await answer_later(library, later(CHUNKS))
        await response.aread()
        assert accumulate(response) == expected()[1]
        assert await aaccumulate(as_read(answer(library, BODY))) == expected()[1]


# What is refused, before anything is read


def unread() -> Iterator[bytes]:
    """Fail a test that reads from here."""
    raise AssertionError("read")
    yield b""  # type: ignore[unreachable]


async def unread_later() -> AsyncIterator[bytes]:
    """Fail a test that reads from here."""
    raise AssertionError("read")
    yield b""  # type: ignore[unreachable]


def case(name: str, source: object, advice: str) -> Any:
    """Build a row: what is refused, and what the message says of it."""
    return pytest.param(source, advice, id=name)


NEITHER: Final = [
    case("text in a list", ["data: [DONE]\n\n"], "bytes are needed, not text: .* in binary"),
    case("text in a tuple", ("data: [DONE]\n\n",), "bytes are needed, not text: .* in binary"),
    case("text", "event: done\ndata: [DONE]\n\n", "not a path: encode it to bytes"),
    case("a line of text", "data: [DONE]", "not a path: encode it to bytes"),
    case("JSON", '{"event": "done", "data": "[DONE]"}', "not a path: encode it to bytes"),
    case("frames on disk", "run.sse.jsonl", "only streamkit.recording reads"),
    case("a compressed file", Path("run.sse.gz"), "only streamkit.recording reads"),
    case("an archive of HTTP", "run.HAR", "only streamkit.recording reads"),
    case("a cassette", "run.yaml", "only streamkit.recording reads"),
    case("an event", {"event": "done", "data": "[DONE]"}, "a source is a path, bytes, .*not dict"),
    case("nothing", None, "a source is a path, bytes, .*not NoneType"),
    case("a number", 1, "a source is a path, bytes, .*not int"),
    case("a function", unread, "a source is a path, bytes, .*not function"),
]


@pytest.mark.parametrize(("source", "advice"), NEITHER)
async def test_what_is_no_source(source: Any, advice: str) -> None:
    for call in (accumulate, follow, afollow):
        with pytest.raises(UsageError, match=advice):
            call(source)
    with pytest.raises(UsageError, match=advice):
        await aaccumulate(source)


async def test_what_belongs_to_the_other_call() -> None:
    sources: list[Any] = [unread_later(), Later(), await answer_later(httpx, unread_later())]
    for source in sources:
        for call in (accumulate, follow):
            with pytest.raises(UsageError, match="use afollow or aaccumulate"):
                call(source)
    for library in LIBRARIES:
        response = answer(library, unread())
        with pytest.raises(UsageError, match="use follow or accumulate"):
            afollow(response)
        with pytest.raises(UsageError, match="use follow or accumulate"):
            await aaccumulate(response)


async def hear(_: Change, *more: object) -> None:
    """Hear a change asynchronously."""


class Hearer:
    """Hears changes asynchronously, as an object and by a method."""

    async def __call__(self, _: Change) -> None: ...

    async def hear(self, _: Change) -> None: ...


@pytest.mark.parametrize(
    "observer",
    [
        hear,
        functools.partial(hear),
        functools.partial(functools.partial(hear), more=1),
        Hearer(),
        Hearer().hear,
        functools.partial(Hearer()),
        on(log=hear),
        on(change=hear),
        on(log=on(text=Hearer())),
        functools.partial(on(text=hear)),
    ],
)
def test_an_asynchronous_observer_of_a_synchronous_call(observer: Any) -> None:
    for call in (accumulate, follow):
        with pytest.raises(UsageError, match="async: use afollow or aaccumulate"):
            call(unread(), id, observer)


@pytest.mark.parametrize("observer", [None, "log", [id], {"log": id}])
async def test_what_is_no_observer(observer: Any) -> None:
    for call in (accumulate, follow, afollow):
        with pytest.raises(UsageError, match="an observer is a function that takes a change"):
            call(unread(), observer)
    with pytest.raises(UsageError, match="an observer is a function that takes a change"):
        await aaccumulate(unread(), observer)


# What only reading tells


def hear_later(change: Change) -> Awaitable[None]:
    """Hear a change asynchronously, which only the result tells."""
    return hear(change)


@pytest.mark.parametrize(
    "observer",
    [
        hear_later,
        on(change=hear_later),
        on(run=hear_later),
        on(change=hear_later, run=id),
        on(change=id, run=hear_later),
    ],
)
def test_an_observer_that_turns_out_to_be_asynchronous(observer: Any) -> None:
    with pytest.raises(UsageError, match="async: use afollow or aaccumulate"):
        accumulate(BODY, observer)


async def test_text_that_a_generator_yields() -> None:
    for text in ("data: [DONE]\n\n", "data"):
        with pytest.raises(UsageError, match="bytes are needed, not text"):
            accumulate(each for each in [text])  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="bytes are needed, not text"):
            await aaccumulate(later([text]))


def test_what_is_neither_bytes_nor_a_frame() -> None:
    with pytest.raises(UsageError, match="a frame has an event and data, which int lacks"):
        accumulate([1])  # type: ignore[arg-type]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        follow(tmp_path / "absent.sse")


def test_what_a_call_takes() -> None:
    """The two kinds of call differ in nothing else."""
    for call, acall in ((accumulate, aaccumulate), (follow, afollow)):
        names = inspect.signature(call).parameters.keys()
        assert names == inspect.signature(acall).parameters.keys()


@pytest.mark.parametrize("name", ["data:x.sse", "event: y.sse", "{z}.sse", "a\nb.sse"])
async def test_a_path_may_look_like_text(tmp_path: Path, name: str) -> None:
    """As a text it would be a mistake; who builds a path means one."""
    path = tmp_path / name
    path.write_bytes(BODY)
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        assert accumulate(Path(name)) == expected()[1]
        assert await aaccumulate(Path(name)) == expected()[1]
        with pytest.raises(UsageError, match="not a path"):
            accumulate(name)
    finally:
        os.chdir(before)
