"""How a run goes on being followed once its stream has broken: by asking for the rest.

The API cannot attach to a running stream again. So the run, its steps and its messages
are read until the run rests, and given to the fold, which tells only what is new.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import msgspec
from msgspec import Struct

from .._lifecycle import ENDED
from .._wire import load
from ..accumulator import Accumulator
from ..errors import TruncatedError, UsageError
from ..events import Event
from ..snapshots import RequiredAction, Run
from .answers import read_json, said_at, waits
from .endpoints import Endpoints, Pages, drained
from .requests import Params, Request, shown
from .restored import restored
from .waiting import Recovery, Waiting
from .wires import Plan

__all__ = ["KEPT", "Place", "Polling"]

# How often a server may say what is out of date before it is believed.
_PATIENCE: Final = 3

# By how many seconds a server's clock may be ahead of itself elsewhere.
_SLACK: Final = 5


class Place(Struct, frozen=True, kw_only=True):
    """Where a streamed run can be asked for.

    Attributes:
        endpoints: Of the API that it belongs to.
        thread_id: None where the request created the thread.
        run_id: None where the request created the run.
        assistant_id: As the request named it.
        include: What of the steps the request wanted included.
    """

    endpoints: Endpoints
    thread_id: str | None = None
    run_id: str | None = None
    assistant_id: str | None = None
    include: Params = ()

    @classmethod
    def of(cls, request: Request) -> Place:
        """Find it by the request of a stream.

        Raises:
            UsageError: The request is none of the API's that stream.
        """
        url, _, query = request.url.partition("?")
        found = _STREAMING.fullmatch(url)
        if found is None:
            raise UsageError(
                "to recover, the URL must be one of the API's, .../threads/{id}/runs for "
                f"instance, by which the run can be asked for; not {shown(url)!r}"
            )
        params = [*parse_qsl(query), *request.params]
        include = [param for param in params if param[0].startswith("include")]
        options = {name: request.options[name] for name in KEPT if name in request.options}
        endpoints = Endpoints(
            base=found["base"],
            headers=request.headers,
            params=[param for param in params if param not in include],
            options=options,
        )
        ids = [unquote(found[name]) if found[name] else None for name in ("thread", "run")]
        body = request.json if isinstance(request.json, dict) else {}
        return cls(
            endpoints=endpoints,
            thread_id=ids[0],
            run_id=ids[1],
            assistant_id=body.get("assistant_id"),
            include=include,
        )

    def at(self, request: Request) -> Place:
        """Return where the run can be asked for whose next leg a request opens."""
        place = Place.of(request)
        return msgspec.structs.replace(
            place, include=self.include or place.include, assistant_id=self.assistant_id
        )


_STREAMING: Final = re.compile(
    r"(?P<base>.*?)/threads(?:/(?P<thread>[^/]+))?/runs(?:/(?P<run>[^/]+)/submit_tool_outputs)?/?"
)
# What of a request's options concerns who asks, and so goes for the questions as well.
KEPT: Final = ("auth", "cookies")


class Polling:
    """What to ask next, and what the answers come to; one for each break.

    Args:
        recovery: How to ask.
        accumulator: What holds the run so far.
        place: Where to ask.
        opened: The answer that opened the stream, or None if none did.
        answered: The action whose outputs the broken request submitted.
    """

    def __init__(
        self,
        recovery: Recovery,
        accumulator: Accumulator,
        place: Place,
        *,
        opened: Any,
        answered: RequiredAction | None,
    ) -> None:
        self._accumulator = accumulator
        self._place = place
        self._opened = opened
        self._answered = answered
        self._waiting = Waiting(recovery)
        self._said: dict[str, Any] | None = None  # the run, as it was last said to be
        self._seen: object = None
        self._outdated = 0  # how often it was said what could not be believed

    def next(self) -> Plan[Sequence[Event] | None]:
        """Return the events to take next, or None once the run rests.

        Raises:
            TruncatedError: The run did not come to rest in time, or cannot be found.
            ResponseError: The server refuses to tell.
        """
        while self._accumulator._picture.rest == "truncated":
            if self._said is None:
                yield self._waiting.pause()
            try:
                events = yield from self._look()
            except Exception as error:  # noqa: BLE001 - it passes, or is raised
                self._waiting.bear(error)
            else:
                if events:
                    return events
        return None

    def was_heard(self, failure: Exception) -> Plan[bool]:
        """Return whether the run goes on, though the request that was to make it failed.

        If it waits as before, again and again, the request was lost and may be repeated.

        Raises:
            TruncatedError: That cannot be told in time.
        """
        self._waiting.bear(failure)
        endpoints = self._place.endpoints
        looks = 0
        while looks < _PATIENCE:
            yield self._waiting.pause()
            try:
                thread_id, run_id = self._ids()
                answer = yield endpoints.retrieve(thread_id, run_id or "")
                run = read_json(answer.response, answer.body)
            except Exception as error:  # noqa: BLE001 - it passes, or is raised
                self._waiting.bear(error)
            else:
                if not self._is_outdated(run):
                    self._said = run
                    return True
                looks += 1
        return False

    def _look(self) -> Plan[Sequence[Event]]:
        endpoints = self._place.endpoints
        thread_id, run_id = self._ids()
        if run_id is None:
            run_id = yield from self._find(thread_id)
            if run_id is None:
                return ()
        run, self._said = self._said, None
        if run is None:
            answer = yield endpoints.retrieve(thread_id, run_id)
            run = read_json(answer.response, answer.body)
            self._waiting.wanted = waits(answer.response) or 0.0
        paging = [("order", "asc"), ("limit", "100")]
        steps = yield from drained(
            Pages(endpoints.steps(thread_id, run_id, [*paging, *self._place.include]))
        )
        messages = yield from drained(
            Pages(endpoints.messages(thread_id, [*paging, ("run_id", run_id)]))
        )
        seen = (run, steps, messages)
        if seen != self._seen:
            self._seen = seen
            self._waiting.restart()
        if self._is_outdated(run):
            return ()
        return list(restored(self._accumulator, run, steps, messages))

    def _ids(self) -> tuple[str, str | None]:
        """Return the ids of thread and run, as far as anything told them."""
        accumulator, place = self._accumulator, self._place
        run = accumulator.run
        step = accumulator.steps[0] if accumulator.steps else None
        thread_id, run_id = place.thread_id, place.run_id
        if run is not None:
            thread_id, run_id = thread_id or run.thread_id, run_id or run.id
        elif step is not None:
            thread_id, run_id = thread_id or step.thread_id, run_id or step.run_id
        elif accumulator.thread is not None:
            thread_id = thread_id or accumulator.thread.id
        if thread_id is None:
            raise TruncatedError("the stream broke before it said which thread it had created")
        return thread_id, run_id

    def _find(self, thread_id: str) -> Plan[str | None]:
        """Find the run that the broken request created, which the server had accepted.

        It is the one that was created since; or the one that has not ended, since a
        thread has one of those at a time; or, said often enough, the thread's only one.
        """
        wanted = [("order", "desc"), ("limit", "20")]
        runs = yield from Pages(self._place.endpoints.list(thread_id, wanted)).turn()
        assistant_id = self._place.assistant_id
        runs = [run for run in runs if assistant_id in (None, run.get("assistant_id"))]
        accepted = said_at(self._opened) if self._opened is not None else None
        since = accepted.timestamp() - _SLACK if accepted is not None else float("inf")
        recent = [run for run in runs if (run.get("created_at") or 0) >= since]
        active = [run for run in runs if run.get("status") not in ENDED]
        self._outdated += 1
        is_certain = self._outdated >= _PATIENCE
        for found in (recent, active, runs if is_certain else ()):
            if len(found) == 1:
                return found[0].get("id")
        if is_certain:
            raise TruncatedError(
                "the stream broke before it said which run it had created, and the thread has "
                f"{len(runs)} that it could be"
            )
        return None

    def _is_outdated(self, said: Mapping[str, Any]) -> bool:
        """Whether the run is still said to wait for what it was given."""
        if self._answered is None or said.get("status") != "requires_action":
            return False
        return load(Run, said).required_action == self._answered
