"""A client's transport that plays runs, in place of a network."""

from __future__ import annotations

import inspect
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

import anyio
import anyio.lowlevel
import httpx

from ..errors import UsageError
from ..recording.libraries import library_of, said_by, stream_kind
from .api import ABORT, Answer, Asked, Delivery, Pause, Stalled
from .api.opening import Files, Sources, opened
from .faults import Fault

__all__ = ["MockTransport"]


class MockTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that answers as the API of runs does, and plays what it is given.

        client = httpx.Client(base_url="https://api.test/v1", transport=MockTransport(run))
        client = openai.OpenAI(http_client=httpx2.Client(transport=MockTransport(run)))

    One serves synchronous and asynchronous clients, of httpx and httpx2, and any number of
    them. Creating a run streams the first leg, submitting tool outputs the next; the run, its
    steps, its messages and the content of its files can be asked for, as they are at that
    moment. Threads and messages can be created, and runs be cancelled. Creating a response
    streams a leg, too, going on with one the next; a run of the Assistants API is told there
    by way of `to_response_items`. Ids are as recorded,
    but for those of the thread and the assistant where the request has others; so a run that
    is played again on its thread makes way for itself. An image whose content is not in
    `files` is a small picture. Anything else is refused in the API's own way.

    A client that leaves a stream leaves a run that goes on unheard, to the end of its leg.

    Which source a new run plays: the one that the mapping names for its assistant or model,
    else the one called so, else the next in order, from the first again after the last.

    A wait that is longer than the client's read timeout is that timeout, as on a network.

    Args:
        sources: What is played: snapshots, as `script` makes them, frames, recordings, or
            paths and bytes of recordings. A file is called as its name says, without its
            ending; anything else by its number, from ``"1"``. A mapping gives the names.
        faults: What befalls them; see `Fault`.
        speed: How many times faster than recorded; infinity is without waiting.
        max_gap: The longest wait to keep, in seconds of the recording.
        gap: The seconds before each frame of what has no times of its own.
        files: The content of files, by their ids.
        mapping: Names of sources, by assistants or models.
        sunset: Answer as OpenAI does since it switched these endpoints off.
        sleep: Waits so many seconds, awaited if it gives an awaitable; `time.sleep` and
            `anyio.sleep`, if it is None.

    Raises:
        UsageError: A source is none, or an option makes no sense.
        RecordingError: A recording cannot be read.
    """

    def __init__(
        self,
        *sources: Sources,
        faults: Sequence[Fault] = (),
        speed: float = math.inf,
        max_gap: float | None = None,
        gap: float = 0.0,
        files: Files | None = None,
        mapping: Mapping[str, str] | None = None,
        sunset: bool = False,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._api = opened(
            sources,
            faults=faults,
            speed=speed,
            max_gap=max_gap,
            gap=gap,
            files=files or {},
            mapping=mapping or {},
            sunset=sunset,
        )
        self._sleep = sleep
        self._turn = threading.Lock()  # clients of several threads may share it

    @property
    def requests(self) -> Sequence[Asked]:
        """What was asked so far, in order."""
        return tuple(self._api.requests)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        return self._response(request, request.read())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        return self._response(request, await request.aread())

    def _response(self, request: httpx.Request, content: bytes) -> httpx.Response:
        library = library_of(request)
        answer = self._answer(request, content)
        headers = dict(answer.headers)
        stream: Any
        if answer.body is None:
            message = "Server disconnected without sending a response."
            raise library.RemoteProtocolError(message, request=request)
        if isinstance(answer.body, Delivery):
            kind = stream_kind(_Body, library.SyncByteStream, library.AsyncByteStream)
            stream = kind(answer.body, request, library, self._sleep)
        else:  # not as content, which a client finds read before it reads
            headers["content-length"] = str(len(answer.body))
            stream = library.ByteStream(answer.body)
        response: httpx.Response = library.Response(
            answer.status, headers=headers, stream=stream, request=request
        )
        return response

    def _answer(self, request: httpx.Request, content: bytes) -> Answer:
        with self._turn:
            return self._api.answer(*said_by(request), content)


class _Body:
    """The body of a streamed answer; its class is also one of the library's streams."""

    def __init__(
        self,
        delivery: Delivery,
        request: httpx.Request,
        library: Any,
        sleep: Callable[[float], object] | None,
    ) -> None:
        self._delivery = delivery
        # Whoever brings a sleep of his own has a time of his own.
        self._moments = delivery.moments(time.monotonic if sleep is None else None)
        self._request = request
        self._library = library
        self._sleep = sleep
        self._timeout = (request.extensions.get("timeout") or {}).get("read")

    def __iter__(self) -> Iterator[bytes]:
        for moment in self._moments:
            if isinstance(moment, bytes):
                yield moment
                continue
            seconds, failure = self._wait(moment)
            if math.isinf(seconds):
                raise UsageError(
                    "the stream stalls for ever, and this client would wait as long: give it a "
                    "read timeout, or the fault a number of seconds"
                )
            (self._sleep or time.sleep)(seconds)
            if failure is not None:
                raise failure

    # No generator, which would be left lying about where a client leaves early.
    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        for moment in self._moments:
            if isinstance(moment, bytes):
                await anyio.lowlevel.checkpoint()
                return moment
            seconds, failure = self._wait(moment)
            is_cancelled = await self._pause(moment, seconds)
            if failure is not None and not is_cancelled:
                raise failure
        raise StopAsyncIteration

    async def _pause(self, moment: Pause, seconds: float) -> bool:
        """Wait; say whether the run was cancelled meanwhile."""
        if self._sleep is not None:
            slept = self._sleep(seconds)
            if inspect.isawaitable(slept):
                await slept
            return False
        if not isinstance(moment, Stalled):
            await anyio.sleep(seconds)
            return False
        cancelled = anyio.Event()
        self._delivery.on_cancel(cancelled.set)
        with anyio.move_on_after(seconds):
            await cancelled.wait()
        return cancelled.is_set()

    def _wait(self, moment: Pause) -> tuple[float, Exception | None]:
        """Say how long to wait, and what fails then."""
        if moment is ABORT:
            message = "The connection was closed in the middle of the body."
            return 0.0, self._library.ReadError(message, request=self._request)
        seconds = moment.seconds if isinstance(moment, Stalled) else moment
        if self._timeout is not None and seconds > self._timeout:
            message = "The read operation timed out."
            return self._timeout, self._library.ReadTimeout(message, request=self._request)
        return seconds, None

    def close(self) -> None:
        self._moments.close()

    async def aclose(self) -> None:
        self.close()
