"""What is asked after a drop, how long is waited, and when it is given up: without a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

import httpx
import pytest

from streamkit import (
    Accumulator,
    Event,
    RequiredAction,
    ResponseError,
    RunEvent,
    TruncatedError,
    UsageError,
)
from streamkit.live import Recovery
from streamkit.live.endpoints import Endpoints
from streamkit.live.recovery import Place, Polling
from streamkit.live.requests import Answer, Request
from streamkit.live.wires import Pause, Plan
from tests.clocks import Clock
from tests.streams import Wire, done, frame, required, run, run_object, step_created
from tests.told import as_run

T = TypeVar("T")

PLACE: Final = Place(endpoints=Endpoints(), thread_id="thread_1", run_id="run_1")
BUSY: Final = run_object("in_progress", started_at=1)
ENDED: Final = run_object("completed", started_at=1)


class Shelf:
    """An API that says in turn what is written down, of runs; the last goes for ever."""

    def __init__(self, *said: Any, runs: Sequence[Wire] = ()) -> None:
        self.said = list(said)
        self.runs = runs
        self.requests: list[Request] = []

    def answer(self, request: Request) -> Answer | Exception:
        self.requests.append(request)
        if request.url.endswith("/runs"):
            return answered(request, listed(self.runs))
        if request.url.endswith(("/steps", "/messages")):
            return answered(request, listed([]))
        said = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(said, Exception):
            return said
        status, body, headers = said if isinstance(said, tuple) else (200, said, {})
        return answered(request, body, status, headers)


def listed(items: Sequence[Wire]) -> Wire:
    return {"object": "list", "data": list(items), "has_more": False}


def answered(
    request: Request, body: Wire, status: int = 200, headers: dict[str, str] | None = None
) -> Answer:
    sent = httpx.Request(request.method, f"http://server{request.url}")
    response = httpx.Response(status, json=body, headers=headers, request=sent)
    return Answer(response, response.content)


def drive(plan: Plan[T], shelf: Shelf, clock: Clock) -> T:
    """Carry out a plan; waiting takes no time."""
    reply: Answer | Exception | None = None
    while True:
        try:
            todo = plan.throw(reply) if isinstance(reply, Exception) else plan.send(reply)
        except StopIteration as result:
            said: T = result.value
            return said
        reply = None
        if isinstance(todo, Pause):
            clock.sleep(todo.seconds)
        else:
            reply = shelf.answer(todo)


def looks(
    shelf: Shelf,
    clock: Clock,
    accumulator: Accumulator | None = None,
    place: Place = PLACE,
    *,
    opened: Any = None,
    answered: RequiredAction | None = None,
    **how: Any,
) -> Iterator[Sequence[Event]]:
    """Ask until the run rests; yield what each look brings, once it is taken."""
    accumulator = accumulator or Accumulator()
    recovery = Recovery(clock=clock, **{"jitter": lambda: 1.0, **how})
    polling = Polling(recovery, accumulator, place, opened=opened, answered=answered)
    while True:
        events = drive(polling.next(), shelf, clock)
        if events is None:
            return
        for event in events:
            accumulator.feed(event)
        yield events


# How long is waited


@pytest.mark.parametrize(
    ("said", "how", "waits"),
    [
        pytest.param([ENDED], {}, [0.5], id="at rest"),
        pytest.param([BUSY, ENDED], {}, [0.5, 0.5], id="anew after news"),
        pytest.param([BUSY] * 7 + [ENDED], {}, [0.5, 0.5, 1, 2, 4, 8, 8, 8], id="ever longer"),
        pytest.param(
            [BUSY] * 4 + [BUSY | {"model": "m"}] * 2 + [ENDED],
            {},
            [0.5, 0.5, 1, 2, 4, 0.5, 1],
            id="news begin it anew",
        ),
        pytest.param(
            [BUSY] * 4 + [ENDED],
            {"first": 3.0, "most": 7.0, "jitter": lambda: 0.0},
            [1.5, 1.5, 3, 3.5, 3.5],
            id="half",
        ),
        pytest.param([ENDED], {"first": 1.0, "jitter": lambda: 0.5}, [0.75], id="between"),
        pytest.param([(503, {}, {})] * 3 + [ENDED], {}, [0.5, 1, 2, 4], id="failures"),
        pytest.param(
            [(429, {}, {"retry-after": "20"})] + [BUSY] * 2 + [ENDED],
            {},
            [0.5, 20, 0.5, 1],
            id="as the server wants, once",
        ),
        pytest.param([(429, {}, {"retry-after-ms": "900"}), ENDED], {}, [0.5, 1], id="sooner"),
        pytest.param([(429, {}, {"retry-after-ms": "1900"}), ENDED], {}, [0.5, 1.9], id="in ms"),
        pytest.param(
            [(200, BUSY, {"openai-poll-after-ms": "3000"}), BUSY, ENDED],
            {},
            [0.5, 3, 1],
            id="said with an answer",
        ),
        pytest.param(
            [httpx.ConnectError("no"), httpx.ReadTimeout("slow"), OSError("gone"), ENDED],
            {},
            [0.5, 1, 2, 4],
            id="no connection",
        ),
    ],
)
def test_waits(said: list[Any], how: dict[str, Any], waits: list[float]) -> None:
    clock = Clock()
    list(looks(Shelf(*said), clock, **how))
    assert clock.waits == waits


@pytest.mark.parametrize("said", [BUSY, (500, {}, {}), httpx.ConnectError("no")])
def test_asking_is_bounded(said: Any) -> None:
    clock = Clock()
    clock.now = 1e6
    with pytest.raises(TruncatedError, match="did not come to rest within 20 s") as caught:
        list(looks(Shelf(said), clock, within=20.0, first=2.0, most=8.0))
    assert clock.now == 1e6 + 20
    is_failure = said is not BUSY
    assert (caught.value.__cause__ is not None) == is_failure


def test_the_server_cannot_make_it_wait_beyond_the_bound() -> None:
    clock = Clock()
    with pytest.raises(TruncatedError):
        list(looks(Shelf((429, {}, {"retry-after": "86400"})), clock, within=30.0))
    assert clock.waits == [0.5, 29.5]


def test_it_is_asked_once_more_at_the_bound() -> None:
    clock = Clock()
    shelf = Shelf(BUSY, ENDED)
    assert len(list(looks(shelf, clock, within=0.75))) == 2
    assert clock.waits == [0.5, 0.25]


# Failures


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_answers_that_pass(status: int) -> None:
    assert len(list(looks(Shelf((status, {}, {}), ENDED), Clock()))) == 1


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 410, 422])
def test_answers_that_do_not_pass(status: int) -> None:
    clock = Clock()
    with pytest.raises(ResponseError) as caught:
        list(looks(Shelf((status, {}, {})), clock))
    assert caught.value.status == status
    assert len(clock.waits) == 1


@pytest.mark.parametrize("error", [RuntimeError("closed"), TypeError(), UsageError("no")])
def test_mistakes_do_not_pass(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        list(looks(Shelf(error), Clock()))
    assert caught.value is error


# Where is asked


@pytest.mark.parametrize(
    ("known", "place", "url"),
    [
        ([], {"thread_id": "t", "run_id": "r"}, "/threads/t/runs/r"),
        ([run("queued", "r", thread_id="t")], {}, "/threads/t/runs/r"),
        ([run("queued", "r", thread_id="t2")], {"thread_id": "t"}, "/threads/t/runs/r"),
        ([run("queued", "r2")], {"thread_id": "t", "run_id": "r"}, "/threads/t/runs/r"),
        ([step_created(thread_id="t", run_id="r")], {}, "/threads/t/runs/r"),
        ([frame("thread.created", {"id": "t"})], {"run_id": "r"}, "/threads/t/runs/r"),
        ([frame("thread.created", {"id": "t"})], {}, "/threads/t/runs"),
    ],
)
def test_ids_come_from_whatever_tells_them(
    known: list[Any], place: dict[str, Any], url: str
) -> None:
    accumulator = Accumulator()
    for each in known:
        accumulator.feed_frame(each)
    shelf = Shelf(ENDED | {"id": "r"}, runs=[ENDED | {"id": "r"}])
    where = Place(endpoints=Endpoints(), **place)
    list(looks(shelf, Clock(), accumulator, where, opened=UNDATED))
    assert shelf.requests[0].url == url


def test_without_a_thread_there_is_nothing_to_ask() -> None:
    shelf = Shelf(ENDED)
    with pytest.raises(TruncatedError, match="which thread it had created"):
        list(looks(shelf, Clock(), place=Place(endpoints=Endpoints())))
    assert shelf.requests == []


def test_what_each_look_asks() -> None:
    shelf = Shelf(ENDED)
    endpoints = Endpoints(base="https://api", headers={"x": "y"}, params=[("api-version", "1")])
    place = Place(
        endpoints=endpoints, thread_id="t", run_id="r", include=[("include[]", "content")]
    )
    list(looks(shelf, Clock(), place=place))
    version, paging = ("api-version", "1"), [("order", "asc"), ("limit", "100")]
    assert [(each.url, list(each.params)) for each in shelf.requests] == [
        ("https://api/threads/t/runs/r", [version]),
        (
            "https://api/threads/t/runs/r/steps",
            [version, *paging, ("include[]", "content")],
        ),
        ("https://api/threads/t/messages", [version, *paging, ("run_id", "r")]),
    ]
    assert all(each.headers == {"x": "y"} for each in shelf.requests)


# Which run is meant

CLOCK: Final = "Thu, 01 Jan 1970 00:16:40 GMT"  # 1000 s
OPENED: Final = httpx.Response(200, headers={"date": CLOCK})
UNDATED: Final = httpx.Response(200)


def listing(*runs: tuple[str, str, int]) -> list[Wire]:
    return [
        run_object(status, id, created_at=created_at, assistant_id="asst_1", started_at=1)
        for id, status, created_at in runs
    ]


@pytest.mark.parametrize(
    ("runs", "opened", "found"),
    [
        ([("r", "completed", 999)], OPENED, 1),
        ([("r", "completed", 995)], OPENED, 1),
        ([("r", "completed", 1007), ("q", "completed", 994)], OPENED, 1),
        ([("r", "completed", 999), ("q", "in_progress", 900)], OPENED, 1),
        ([("r", "in_progress", 5)], OPENED, 1),
        ([("r", "in_progress", 5), ("q", "completed", 4)], OPENED, 1),
        ([("r", "requires_action", 5), ("q", "expired", 4)], OPENED, 1),
        ([("r", "completed", 5)], OPENED, 3),
        ([("r", "completed", 5)], UNDATED, 3),
        ([("r", "completed", 999), ("q", "completed", 998)], OPENED, 0),
        ([("r", "completed", 999)], UNDATED, 3),
        ([("r", "completed", 5), ("q", "completed", 4)], UNDATED, 0),
        ([], OPENED, 0),
    ],
)
def test_the_run_is_found_among_those_of_its_thread(
    runs: list[tuple[str, str, int]], opened: Any, found: int
) -> None:
    place = Place(endpoints=Endpoints(), thread_id="t", assistant_id="asst_1")
    other = run_object("in_progress", "x", created_at=999, assistant_id="asst_2")
    shelf = Shelf(ENDED | {"id": "r"}, runs=[*listing(*runs), other])
    asking = looks(shelf, Clock(), place=place, opened=opened)
    if found:
        assert len(list(asking)) == 1
        urls = ["/threads/t/runs"] * found + ["/threads/t/runs/r"]
        assert [each.url for each in shelf.requests][: found + 1] == urls
    else:
        with pytest.raises(TruncatedError, match=f"has {len(runs)} that it could be"):
            list(asking)
        assert [each.url for each in shelf.requests] == ["/threads/t/runs"] * 3


# Whether the outputs arrived

CALLS: Final = {"tool_calls": [required("call_1")]}
ACTION: Final = {"type": "submit_tool_outputs", "submit_tool_outputs": CALLS}
WAITS: Final = run_object("requires_action", required_action=ACTION, started_at=1)


def paused() -> Accumulator:
    """Build what holds a run that waits."""
    accumulator = Accumulator()
    for each in (run("in_progress"), frame("thread.run.requires_action", WAITS), done()):
        accumulator.feed_frame(each)
    return accumulator


def asking(clock: Clock, accumulator: Accumulator, **how: Any) -> Polling:
    """Build what asks whether the outputs arrived."""
    recovery = Recovery(clock=clock, jitter=lambda: 1.0, **how)
    action = as_run("requires_action", required_action=ACTION).required_action
    return Polling(recovery, accumulator, PLACE, opened=None, answered=action)


LOST: Final = httpx.ReadError("gone")
BUSY_NOW: Final = ResponseError("no", status=429, retry_after=9.0)


@pytest.mark.parametrize(
    ("failure", "said", "heard", "waits"),
    [
        (LOST, [WAITS], False, [0.5, 1, 2]),
        (LOST, [BUSY], True, [0.5]),
        (LOST, [ENDED], True, [0.5]),
        (LOST, [WAITS, WAITS, BUSY], True, [0.5, 1, 2]),
        (LOST, [WAITS, (500, {}, {}), LOST, WAITS, WAITS], False, [0.5, 1, 2, 4, 8]),
        (LOST, [WAITS | {"required_action": {"type": "other"}}], True, [0.5]),
        (BUSY_NOW, [BUSY], True, [9]),
    ],
)
def test_a_run_that_still_waits_is_believed_at_last(
    failure: Exception, said: list[Any], *, heard: bool, waits: list[float]
) -> None:
    clock = Clock()
    polling = asking(clock, paused())
    assert drive(polling.was_heard(failure), Shelf(*said), clock) == heard
    assert clock.waits == waits


def test_what_was_said_once_is_not_asked_again() -> None:
    clock, accumulator, shelf = Clock(), paused(), Shelf(ENDED)
    polling = asking(clock, accumulator)
    assert drive(polling.was_heard(LOST), shelf, clock)
    accumulator.begin()
    assert drive(polling.next(), shelf, clock)
    assert [each.url.rpartition("/")[2] for each in shelf.requests] == [
        "run_1",
        "steps",
        "messages",
    ]
    assert clock.waits == [0.5]


def test_outputs_that_were_taken_are_not_asked_for_again() -> None:
    clock, accumulator = Clock(), paused()
    accumulator.begin()
    polling = asking(clock, accumulator)
    events = drive(polling.next(), Shelf(*[WAITS] * 9, ENDED), clock)
    assert events is not None
    assert isinstance(events[-1], RunEvent)
    assert events[-1].run.status == "completed"
    assert len(clock.waits) == 10


def test_whether_outputs_arrived_is_not_asked_without_end() -> None:
    clock = Clock()
    polling = asking(clock, paused(), within=5.0)
    with pytest.raises(TruncatedError, match="within 5 s") as caught:
        drive(polling.was_heard(LOST), Shelf((503, {}, {})), clock)
    assert isinstance(caught.value.__cause__, ResponseError)
    assert clock.now == 5.0


def test_a_run_that_waits_for_something_else_is_believed() -> None:
    known = as_run("requires_action", required_action={"type": "submit_tool_outputs"})
    said = run_object("requires_action", required_action={"type": "other"}, started_at=1)
    assert (
        len(list(looks(Shelf(said), Clock(), opened=OPENED, answered=known.required_action))) == 1
    )
