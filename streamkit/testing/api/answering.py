"""The API: requests in, answers out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, Final, NamedTuple

from ..faults import Status
from .access import check_access
from .asking import read
from .catalogue import Catalogue
from .delivery import Delivery
from .errors import ApiError, bad, unknown_url
from .operations import Call, Result, Route
from .responses import Responses
from .scenes import Entry, Statuses
from .served import Asked, Place, Served
from .threads import Threads

__all__ = ["Answer", "Api"]

_JSON: Final = {"content-type": "application/json"}
_BYTES: Final = {"content-type": "application/octet-stream"}

# The answers to which no body belongs.
_BODILESS: Final = (204, 205, 304)


# What OpenAI still answers.
_LASTING: Final = ("file", "create_response", "retrieve_response")


class Answer(NamedTuple):
    """What a request gets.

    Attributes:
        status: The HTTP status.
        headers: Beside the length.
        body: All of it, or a stream; None where the connection is closed instead.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes | Delivery | None


class Api:
    """The API of runs, as it plays what is served. It knows nothing of HTTP but its words.

    Args:
        catalogue: What whoever asks is served.
        statuses: What befalls their requests.
        sunset: Answer as OpenAI does since it switched these endpoints off.
        key: The key that clients must send; None takes any.
        strict: Refuse requests that lack the headers which the API wants.
        now: Gives the time, in seconds since 1970.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        statuses: Statuses,
        *,
        sunset: bool = False,
        key: str | None = None,
        strict: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.catalogue: Catalogue = catalogue
        self.is_sunset: bool = sunset
        self.requests: list[Asked] = []
        self._entries = [*catalogue.entries]
        self._threads = Threads(now)
        self._responses = Responses()
        self._statuses = statuses
        self._key = key
        self._is_strict = strict
        self._numbers = count(1)

    def add(self, served: Served) -> tuple[Place, Entry]:
        """Put something at a place of its own."""
        place = self._threads.place()
        entry = Entry("", served, Statuses(served.faults), place)
        self._threads.put(entry, place)
        self._entries.append(entry)
        return place, entry

    def answer(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        content: bytes,
    ) -> Answer:
        """Answer a request; its arguments are those of `read`."""
        route, params, asked = read(method, path, query, headers, content)
        body = asked.json
        entry = self._entry(params, body)
        self.requests.append(asked)
        if entry is not None:
            entry.requests.append(asked)
        status = (entry.statuses if entry else self._statuses).take(route.operation)
        if status is not None and not status.effect:
            return self._signed(_stated(status))
        try:
            self._check(route, asked)
            call = Call(
                self._threads, self._responses, self.catalogue.choose, entry, params, query, body
            )
            answer = _answer(route.work(call))
        except ApiError as error:
            answer = Answer(error.status, _JSON, _json({"error": error.error}))
        return self._signed(answer if status is None else _stated(status))

    def _check(self, route: Route, asked: Asked) -> None:
        """Refuse a request before it is looked at what it wants.

        Raises:
            ApiError: It is refused.
        """
        if self.is_sunset and route.operation not in _LASTING:
            raise unknown_url(asked.method, asked.path)
        if self._is_strict or self._key is not None:
            check_access(asked.path, dict(asked.query), asked.headers, self._key)
        if not isinstance(asked.json, dict):
            raise bad("We could not parse the JSON body of your request.")

    def _entry(self, params: Mapping[str, str], body: Any) -> Entry | None:
        """Find what a request is about, where it was put somewhere or is played already."""
        file, thread = params.get("file"), params.get("thread")
        if file is not None:
            having = [each for each in self._entries if file in each.served.files]
            drawing = [each for each in self._entries if file in each.images]
            return next(iter([*having[::-1], *drawing[::-1]]), None)
        assistant = body.get("assistant_id") if isinstance(body, dict) else None
        if "run" in params or not isinstance(assistant, str):
            return self._threads.playing(thread, params.get("run")) if thread else None
        return self._threads.placed(thread, assistant)

    def _signed(self, answer: Answer) -> Answer:
        """Give every answer an id."""
        id = {"x-request-id": f"req_{next(self._numbers):06}"}
        return answer._replace(headers=id | {**answer.headers})


def _json(value: object) -> bytes:
    # Halves of characters, as streams bring them, are escaped.
    return json.dumps(value).encode()


def _answer(result: Result) -> Answer:
    match result:
        case Delivery():
            return Answer(200, result.headers, result)
        case bytes():
            return Answer(200, _BYTES, result)
        case _:
            return Answer(200, _JSON, _json(result))


def _stated(status: Status) -> Answer:
    """Give the answer that a fault says."""
    if status.abort:
        return Answer(status.status, {}, None)
    wait = {} if status.retry_after is None else {"retry-after": f"{status.retry_after:g}"}
    headers = {name.lower(): value for name, value in status.headers.items()} | wait
    if status.status in _BODILESS:
        return Answer(status.status, headers, b"")
    if isinstance(status.body, bytes):
        return Answer(status.status, {"content-type": "text/plain"} | headers, status.body)
    return Answer(status.status, _JSON | headers, _json(status.body))
