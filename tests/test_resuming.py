"""Wherever the stream of a response is dropped, it goes on, and everything is told once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import anyio
import httpx
import httpx2
import pytest

from streamkit import (
    Accumulator,
    Change,
    Frame,
    PeerError,
    RunSnapshot,
    ServerError,
    StreamEnded,
    TruncatedError,
    UsageError,
    accumulate,
    encode_frame,
)
from streamkit.live import Recovery, aopen_run, open_run
from streamkit.recording import read, replay
from streamkit.server import serve
from streamkit.testing.building import code_interpreter, function_call, logs, message, script
from streamkit.testing.exploding import explode, legs_of
from streamkit.testing.faults import Cut, Fault, Stall, Status
from streamkit.testing.transports import MockTransport
from tests.clocks import Clock
from tests.dropping import PEERS_WARNINGS
from tests.recorded import RESPONSES, every

RUN: Final = script(
    code_interpreter("print(1)", logs("1\n")),
    function_call("f", {"a": 1}, output="x"),
    message("done"),
)
BASE: Final = "http://api.test/v1"

pytestmark = PEERS_WARNINGS


class Told(NamedTuple):
    """What following a response came to."""

    snapshot: RunSnapshot
    changes: Sequence[Change]
    error: PeerError | None


# Ways to follow


class Way(NamedTuple):
    """A client's library, and what awaits; None: nothing does."""

    library: Any
    backend: str | None

    def __str__(self) -> str:
        return f"{self.library.__name__}-{self.backend or 'sync'}"

    def follow(self, base: str, transport: Any = None, **how: Any) -> Told:
        """Follow a response to its end; its stream is opened as `how` says."""
        clock = how.pop("clock", None) or Clock()
        recovery = {"clock": clock, "jitter": lambda: 1.0, **how.pop("recovery", {})}
        request: dict[str, Any] = {
            "method": "POST",
            "url": "/responses",
            "json": {"model": "m", "input": "hi", "stream": True, "background": True},
            **how,
        }
        given = {"base_url": base, "transport": transport, "trust_env": False, "verify": False}
        heard: list[Change] = []
        if self.backend is not None:
            recovery = {"sleep": clock.asleep, **recovery}
            return anyio.run(
                self._afollow, given, request, Recovery(**recovery), heard, backend=self.backend
            )
        error = None
        recover = Recovery(**{"sleep": clock.sleep, **recovery})
        with self.library.Client(**given) as client:
            stream = open_run(client, *_target(request), heard.append, recover=recover, **request)
            try:
                with stream:
                    assert list(stream) == heard
            except PeerError as raised:
                error = raised
        return Told(stream.snapshot(), heard, error)

    async def _afollow(
        self, given: Any, request: Any, recover: Recovery, heard: list[Change]
    ) -> Told:
        error = None
        async with self.library.AsyncClient(**given) as client:
            stream = aopen_run(client, *_target(request), heard.append, recover=recover, **request)
            try:
                async with stream:
                    assert [change async for change in stream] == heard
            except PeerError as raised:
                error = raised
        return Told(stream.snapshot(), heard, error)


def _target(request: dict[str, Any]) -> tuple[str, str]:
    return request.pop("method"), request.pop("url")


WAYS: Final = [
    Way(library, backend) for library in (httpx, httpx2) for backend in (None, "asyncio", "trio")
]
PLAIN: Final = WAYS[0]
on_every_way: Final = pytest.mark.parametrize("way", WAYS, ids=str)


# What is expected


def unbroken(body: bytes) -> Told:
    """Fold a response as it is if nothing is dropped."""
    accumulator = Accumulator()
    changes = [*accumulator.feed_bytes(body), *accumulator.end()]
    return Told(accumulator.snapshot(), changes, None)


def frames_of(run: RunSnapshot = RUN) -> list[bytes]:
    """The frames of a script's first response."""
    return [encode_frame(frame) for frame in legs_of(explode(run, dialect="responses"))[0]]


FRAMES: Final = frames_of()
WHOLE: Final = unbroken(b"".join(FRAMES))


def numbers(transport: MockTransport) -> list[str | None]:
    """After which events was asked for the rest."""
    first, *others = transport.requests
    assert first.operation == "create_response"
    assert {each.operation for each in others} <= {"retrieve_response"}
    assert {each.path for each in others} <= {"/v1/responses/resp_1_1"}
    return [dict(each.query).get("starting_after") for each in others]


# Every drop

HOW: Final[dict[str, Callable[[int], Fault]]] = {
    "aborted": lambda count: Cut(frames=count, how="abort"),
    "ended": lambda count: Cut(frames=count),
    "aborted inside": lambda count: Cut(frames=count, inside=True, how="abort"),
    "ended inside": lambda count: Cut(frames=count, inside=True),
    "stalled": lambda count: Stall(frames=count, seconds=1000),
    "stalled inside": lambda count: Stall(frames=count, inside=True, seconds=1000),
}


@pytest.mark.parametrize("how", HOW)
@on_every_way
def test_dropped_after_any_frame(way: Way, how: str) -> None:
    for count in range(1, len(FRAMES)):
        transport = MockTransport(RUN, faults=[HOW[how](count)], sleep=lambda _: None)
        assert way.follow(BASE, transport) == WHOLE
        assert numbers(transport) == [str(count - 1)]


@pytest.mark.parametrize("name", every(RESPONSES))
def test_recordings_are_dropped(name: str) -> None:
    (body,) = RESPONSES[name][:1]
    whole = unbroken(body)
    ends = [0, *(found.end() for found in re.finditer(rb"\n\n", body))]
    has_numbers = b'"sequence_number"' in body
    for rank, count in enumerate(range(1, len(ends) - 1, 1 + len(ends) // 25)):
        transport = MockTransport(body, faults=[HOW[[*HOW][rank % 4]](count)])
        told = PLAIN.follow(BASE, transport)
        assert (told == whole) == has_numbers
        assert len(transport.requests) == 1 + has_numbers


def test_dropped_at_any_byte() -> None:
    body = b"".join(FRAMES)
    for at in range(len(FRAMES[0]), len(body), 7):
        transport = MockTransport(RUN, faults=[Cut(bytes=at, how="abort")])
        assert PLAIN.follow(BASE, transport) == WHOLE
        # What lacks only its blank line was told.
        taken = body.count(b"\n\n", 0, at + 2)
        assert numbers(transport) == ([str(taken - 1)] if taken < len(FRAMES) else [])


@on_every_way
def test_over_a_network(way: Way) -> None:
    with serve(RUN, faults=[Cut(frames=7, how="abort")], speed=float("inf")) as server:
        assert way.follow(server.url) == WHOLE
        assert [each.operation for each in server.requests] == [
            "create_response", "retrieve_response",
        ]  # fmt: skip


@on_every_way
def test_a_stall_is_noticed_without_a_timeout_of_the_client(way: Way) -> None:
    fault = Stall(frames=5, seconds=1000)
    with serve(RUN, faults=[fault], speed=float("inf")) as server:
        assert way.follow(server.url, recovery={"stall": 0.2}) == WHOLE


def test_every_stream_is_to_say_something_all_the_time() -> None:
    api = Api(cut(0, 8), cut(8, 9), rest(9))
    assert PLAIN.follow(BASE, api.transport, recovery={"stall": 7.0}) == WHOLE
    assert [each.extensions["timeout"]["read"] for each in api.requests] == [7.0] * 3


# A server that does as it is told


class Api:
    """An API that answers as it is told, one answer for each request.

    Args:
        answers: What each request gets: frames, and how their stream ends; or a status with
            headers and a body.
    """

    def __init__(self, *answers: Any) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = iter(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, tuple):
            status, headers, body = answer
            return httpx.Response(status, headers=headers, json=body)
        kind = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=kind, stream=answer)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self)

    @property
    def asked(self) -> list[tuple[str, dict[str, str]]]:
        """How it was asked again."""
        return [(each.url.path, dict(each.url.params)) for each in self.requests[1:]]


class Stream(httpx.SyncByteStream):
    """Frames, and what comes after them."""

    def __init__(self, *frames: bytes, error: Exception | None = None) -> None:
        self.frames = frames
        self.error = error
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self.frames
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.is_closed = True


GONE: Final = httpx.ReadError("gone")


def cut(start: int, stop: int) -> Stream:
    """Some of the frames, and a break."""
    return Stream(*FRAMES[start:stop], error=GONE)


def rest(start: int) -> Stream:
    """The last frames."""
    return Stream(*FRAMES[start:])


def test_any_second_drop() -> None:
    for first in range(1, len(FRAMES)):
        for second in range(first, len(FRAMES)):
            api = Api(cut(0, first), cut(first, second), rest(second))
            assert PLAIN.follow(BASE, api.transport) == WHOLE
            assert [asked["starting_after"] for _, asked in api.asked] == [
                str(first - 1), str(second - 1),
            ]  # fmt: skip


def test_one_event_at_a_time() -> None:
    clock = Clock()
    parts = [cut(at, at + 1) for at in range(len(FRAMES))]
    api = Api(*parts)
    assert PLAIN.follow(BASE, api.transport, clock=clock) == WHOLE
    assert all(part.is_closed for part in parts)
    assert clock.waits == [0.5] * (len(FRAMES) - 1)  # each is a break of its own


def test_what_comes_again_is_told_once() -> None:
    for start in range(9):
        api = Api(cut(0, 8), Stream(*FRAMES[start:]))
        told = PLAIN.follow(BASE, api.transport)
        assert told._replace(snapshot=WHOLE.snapshot) == WHOLE
        assert told.snapshot == WHOLE.snapshot


def test_what_does_not_come_is_a_problem() -> None:
    told = PLAIN.follow(BASE, Api(cut(0, 8), rest(9)).transport)
    assert [each.kind for each in told.snapshot.problems][:1] == ["sequence_gap"]
    assert told.error is None


def test_a_drop_after_the_last_word_is_none() -> None:
    api = Api(Stream(*FRAMES, error=GONE))
    assert PLAIN.follow(BASE, api.transport) == WHOLE
    assert api.asked == []


def test_a_failure_is_no_drop() -> None:
    said = {"type": "error", "sequence_number": 3, "code": "a", "message": "b", "param": None}
    error = encode_frame(Frame("error", json.dumps(said).encode()))
    api = Api(Stream(*FRAMES[:3], error))
    told = PLAIN.follow(BASE, api.transport)
    assert isinstance(told.error, ServerError)
    assert api.asked == []


# How it is asked for

INCLUDED: Final = "code_interpreter_call.outputs"
SECRET: Final = "sk-verysecretindeed"


def test_it_is_asked_for_as_it_was() -> None:
    api = Api(cut(0, 8), rest(8))
    told = PLAIN.follow(
        "https://name.openai.azure.com/openai",
        api.transport,
        headers={"api-key": SECRET},
        params={"api-version": "2025-04-01-preview"},
        json={
            "stream": True,
            "background": True,
            "include": [INCLUDED, "reasoning.encrypted_content"],
            "stream_options": {"include_obfuscation": False},
        },
    )
    assert told == WHOLE
    _, again = api.requests
    assert (again.method, again.url.path) == ("GET", "/openai/responses/resp_1_1")
    assert again.url.params.multi_items() == [
        ("api-version", "2025-04-01-preview"),
        ("include[]", INCLUDED),
        ("include[]", "reasoning.encrypted_content"),
        ("include_obfuscation", "false"),
        ("stream", "true"),
        ("starting_after", "7"),
    ]
    assert again.headers["api-key"] == SECRET
    assert again.content == b""


@pytest.mark.parametrize(
    ("query", "params"),
    [("?stream=true&starting_after=3", {}), ("", {"stream": "true", "starting_after": 3})],
)
def test_a_stream_that_was_asked_for_is_asked_for_again(query: str, params: Any) -> None:
    for taken in range(4):
        api = Api(cut(4, 4 + taken), rest(4 + taken))
        told = PLAIN.follow(
            BASE,
            api.transport,
            method="GET",
            url=f"/responses/resp_1_1{query}",
            params=params,
            json=None,
        )
        if not taken:
            # Nothing of it is known, so nothing tells that it was one of these.
            assert api.asked[0][1] == {"stream": "true", "starting_after": "3"}
        assert told.changes == PLAIN.follow(BASE, Api(rest(4)).transport).changes


def test_a_stream_from_its_beginning_is_asked_for_again() -> None:
    api = Api(cut(0, 0), cut(0, 5), rest(5))
    request = {"method": "GET", "url": "/responses/resp_1_1", "params": {"stream": "true"}}
    assert PLAIN.follow(BASE, api.transport, json=None, **request) == WHOLE
    path = "/v1/responses/resp_1_1"
    assert api.asked == [
        (path, {"stream": "true"}),
        (path, {"stream": "true", "starting_after": "4"}),
    ]


def test_ids_lead_nowhere_else() -> None:
    frames = [frame.replace(b'"resp_1_1"', b'"../a?b"') for frame in FRAMES]
    api = Api(Stream(*frames[:3]), Stream(*frames[3:]))
    told = PLAIN.follow(BASE, api.transport)
    assert told.error is None
    assert api.requests[1].url.raw_path.startswith(b"/v1/responses/..%2Fa%3Fb?")


def test_each_response_is_asked_for_by_itself() -> None:
    """What an accumulator holds of the response before is not taken for this one."""
    first, last = (
        [encode_frame(frame) for frame in leg]
        for leg in legs_of(explode(RUN, dialect="responses"))
    )
    expected = Accumulator()
    expected.feed_bytes(b"".join(first))
    expected.feed_bytes(b"".join(last))

    def followed(*answers: Any) -> tuple[Accumulator, Api, PeerError | None]:
        api, clock, error = Api(*answers), Clock(), None
        accumulator = Accumulator()
        accumulator.feed_bytes(b"".join(first))
        recover = Recovery(clock=clock, sleep=clock.sleep)
        body = {"stream": True, "background": True}
        with httpx.Client(base_url=BASE, transport=api.transport) as client:
            stream = open_run(
                client, "POST", "/responses", json=body, accumulator=accumulator, recover=recover
            )
            try:
                stream.until_done()
            except PeerError as raised:
                error = raised
        return accumulator, api, error

    for count in range(1, len(last)):
        accumulator, api, error = followed(
            Stream(*last[:count], error=GONE), Stream(*last[count:])
        )
        assert error is None
        assert accumulator.snapshot() == expected.snapshot()
        query = {"stream": "true", "starting_after": str(count - 1)}
        assert api.asked == [("/v1/responses/resp_1", query)]
    _, api, error = followed(Stream(error=GONE))
    assert isinstance(error, TruncatedError)
    assert "which response it created" in str(error)
    assert api.asked == []


# What is in the way, and passes


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504])
@on_every_way
def test_answers_that_pass(way: Way, status: int) -> None:
    clock = Clock()
    faults = [Cut(frames=8), Status(status=status, operation="retrieve_response", times=3)]
    transport = MockTransport(RUN, faults=faults)
    assert way.follow(BASE, transport, clock=clock) == WHOLE
    assert numbers(transport) == ["7"] * 4
    assert clock.waits == [0.5, 1.0, 2.0, 4.0]


def test_the_server_says_when_to_ask() -> None:
    clock = Clock()
    busy: Any = (503, {"retry-after": "30"}, {})
    api = Api(cut(0, 8), busy, cut(8, 8), GONE, rest(8))
    assert PLAIN.follow(BASE, api.transport, clock=clock) == WHOLE
    assert clock.waits == [0.5, 30.0, 2.0, 4.0]  # what it said goes for one time


def test_the_time_is_over() -> None:
    clock = Clock()
    transport = MockTransport(
        RUN, faults=[Cut(frames=8), Status(status=503, operation="retrieve_response", times=None)]
    )
    told = PLAIN.follow(BASE, transport, clock=clock, recovery={"within": 20.0})
    assert isinstance(told.error, TruncatedError)
    assert "did not come to rest within 20 s" in str(told.error)
    assert clock.now == 20.0
    assert told.changes[-1] == StreamEnded("truncated")
    assert told.changes[:-1] == unbroken(b"".join(FRAMES[:8])).changes[:-1]


def test_a_stream_that_says_nothing_more_is_asked_for_as_long_as_that() -> None:
    clock = Clock()
    api = Api(cut(0, 8), *[Stream()] * 99)
    told = PLAIN.follow(BASE, api.transport, clock=clock, recovery={"within": 60.0})
    assert isinstance(told.error, TruncatedError)
    assert clock.now == 60.0
    assert clock.waits[:6] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]


# What does not pass


@on_every_way
def test_one_that_does_not_go_on_by_itself(way: Way) -> None:
    transport = MockTransport(RUN, faults=[Cut(frames=8)])
    told = way.follow(BASE, transport, json={"model": "m", "input": "hi", "stream": True})
    assert isinstance(told.error, TruncatedError)
    assert "was not created with background=true" in str(told.error)
    assert told.error.snapshot == told.snapshot
    assert numbers(transport) == ["7"]  # once
    assert told.changes.count(StreamEnded("truncated")) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_answers_that_do_not_pass(status: int) -> None:
    refused: Any = (status, {}, {"error": {"message": f"no, {SECRET} is wrong", "code": None}})
    api = Api(cut(0, 8), refused)
    told = PLAIN.follow(BASE, api.transport, headers={"authorization": f"Bearer {SECRET}"})
    assert isinstance(told.error, TruncatedError)
    assert f"GET /v1/responses/resp_1_1 answered {status}: no, *** is wrong" in str(told.error)
    assert SECRET not in repr(told.error) + repr(told.error.__cause__)
    assert len(api.asked) == 1


def test_an_answer_that_is_no_stream() -> None:
    api = Api(cut(0, 8), (200, {}, {"id": "resp_1_1"}))
    told = PLAIN.follow(BASE, api.transport)
    assert "instead of a stream" in str(told.error)


@on_every_way
def test_dropped_before_the_first_event(way: Way) -> None:
    for fault in (Cut(frames=0), Cut(frames=0, inside=True, how="abort")):
        transport = MockTransport(RUN, faults=[fault])
        told = way.follow(BASE, transport)
        assert isinstance(told.error, TruncatedError)
        assert "before it said which response it created" in str(told.error)
        assert numbers(transport) == []
        assert told.changes == [StreamEnded("truncated")]


def without_numbers(frame: bytes) -> bytes:
    return re.sub(rb'"sequence_number":\d+,', b"", frame)


def with_one_number(frame: bytes) -> bytes:
    return re.sub(rb'"sequence_number":\d+,', b'"sequence_number":0,', frame)


@pytest.mark.parametrize("change", [without_numbers, with_one_number])
def test_what_has_no_numbers_is_not_told_twice(change: Callable[[bytes], bytes]) -> None:
    for count in range(2, len(FRAMES)):
        api = Api(Stream(*map(change, FRAMES[:count]), error=GONE))
        told = PLAIN.follow(BASE, api.transport)
        assert isinstance(told.error, TruncatedError)
        assert "the rest of resp_1_1 cannot be asked for, since nothing numbers" in str(told.error)
        assert api.asked == []


def test_without_recovery_a_drop_is_the_end() -> None:
    api = Api(cut(0, 8))
    with httpx.Client(base_url=BASE, transport=api.transport) as client:
        stream = open_run(client, "POST", "/responses", json={"stream": True, "background": True})
        with pytest.raises(TruncatedError):
            stream.until_done()
    assert api.asked == []


def test_what_is_no_stream_of_the_api_cannot_be_recovered() -> None:
    with httpx.Client(base_url=BASE) as client, pytest.raises(UsageError, match="to recover"):
        open_run(client, "POST", "/responses/resp_1/cancel", recover=True)


# Leaving


def test_leaving_closes_the_stream_at_hand() -> None:
    parts = cut(0, 8), rest(8)
    api, clock = Api(*parts), Clock()
    with httpx.Client(base_url=BASE, transport=api.transport) as client:
        recover = Recovery(clock=clock, sleep=clock.sleep)
        with open_run(client, "POST", "/responses", json={}, recover=recover) as stream:
            next(each for each in stream if len(api.requests) == 2)
    assert all(part.is_closed for part in parts)


# Written down


@pytest.mark.parametrize("how", ["aborted", "ended", "aborted inside", "ended inside"])
@pytest.mark.parametrize("form", ["sse.jsonl", "sse"])
def test_what_was_resumed_is_recorded(tmp_path: Any, how: str, form: str) -> None:
    for count in range(1, len(FRAMES), 3):
        path = tmp_path / f"{count}.{form}"
        transport = MockTransport(RUN, faults=[HOW[how](count)])
        assert PLAIN.follow(BASE, transport, record=path) == WHOLE
        if form == "sse.jsonl":
            recording = read(path)
            assert len(recording.legs) == 2
            heard: list[Change] = []
            assert accumulate(replay(path), heard.append) == WHOLE.snapshot
            assert heard == WHOLE.changes
            assert PLAIN.follow(BASE, MockTransport(path)) == WHOLE


def test_it_is_recorded_where_only_a_blank_line_was_missing(tmp_path: Any) -> None:
    body = b"".join(FRAMES)
    for lacking in (1, 2):
        path = tmp_path / f"{lacking}.sse.jsonl"
        at = len(b"".join(FRAMES[:8])) - lacking
        transport = MockTransport(RUN, faults=[Cut(bytes=at, how="abort")])
        assert PLAIN.follow(BASE, transport, record=path) == WHOLE
        assert numbers(transport) == ["7"]
        assert accumulate(replay(path)) == WHOLE.snapshot
    assert body
