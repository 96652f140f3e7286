"""How a response of the Responses API goes on being followed once its stream has broken.

A response that was created with ``background: true`` goes on by itself, and its stream can
be asked for again, from the event after the last one that was received.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from msgspec import Struct, field

from ..accumulator import Accumulator
from ..errors import TruncatedError
from ..snapshots import Run
from .recovery import KEPT
from .requests import Params, Request, path
from .waiting import Recovery, Waiting
from .wires import Plan

__all__ = ["Responses", "Resuming"]

_STREAMING: Final = re.compile(r"(?P<base>.*?/responses)(?:/(?P<id>[^/]+))?/?")
_START: Final = "starting_after"
_ASKED: Final = frozenset({"stream", _START})


class Responses(Struct, frozen=True, kw_only=True):
    """Where the stream of a response can be asked for again.

    Attributes:
        base: The URL of all responses.
        response_id: None where the request created the response.
        start: After which event the request asked for its stream, as it said that.
        params, headers, options: Of each request.
    """

    base: str
    response_id: str | None = None
    start: str | None = None
    params: Params = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, request: Request) -> Responses | None:
        """Find it by the request of a stream; None where that is none of this API."""
        url, _, query = request.url.partition("?")
        found = _STREAMING.fullmatch(url)
        if found is None:
            return None
        params = [*parse_qsl(query), *request.params]
        return cls(
            base=found["base"],
            response_id=unquote(found["id"]) if found["id"] else None,
            start=next((str(value) for name, value in params if name == _START), None),
            params=[*(each for each in params if each[0] not in _ASKED), *_wanted(request.json)],
            headers=request.headers,
            options={name: request.options[name] for name in KEPT if name in request.options},
        )

    def at(self, request: Request) -> Responses:
        """Return where the next response can be asked for that a request opens."""
        return Responses.of(request) or self

    def after(self, response_id: str, number: object) -> Request:
        """Return the request for the events after a number; all of them, without one."""
        start = [] if number is None else [(_START, str(number))]
        return Request(
            method="GET",
            url=self.base + path(response_id),
            params=[*self.params, ("stream", "true"), *start],
            headers=self.headers,
            options=self.options,
        )


def _wanted(body: Any) -> Sequence[tuple[str, str]]:
    """Return what of a body says how the stream is to be, as it is said in a query."""
    said = body if isinstance(body, dict) else {}
    included, options = said.get("include"), said.get("stream_options")
    params = [("include[]", str(each)) for each in included or ()]
    obfuscated = options.get("include_obfuscation") if isinstance(options, dict) else None
    return [*params, *([("include_obfuscation", "false")] if obfuscated is False else [])]


class Resuming:
    """When to ask for the rest of a response, and for which; one for each break.

    Args:
        recovery: How to ask.
        accumulator: What holds the response so far.
        place: Where to ask.
        earlier: What was known of a response before the request that opened the stream.
    """

    def __init__(
        self,
        recovery: Recovery,
        accumulator: Accumulator,
        place: Responses,
        *,
        earlier: Run | None,
    ) -> None:
        self._waiting = Waiting(recovery)
        self._accumulator = accumulator
        self._place = place
        self._earlier = earlier
        self._known = accumulator.sequence_number

    @property
    def has_advanced(self) -> bool:
        """Whether there was something new since the break."""
        return self._accumulator.sequence_number != self._known

    def next(self) -> Plan[Request]:
        """Return the request for what comes next, when it is time for it.

        Raises:
            TruncatedError: That time is over, or the rest cannot be told from what was
                received, or nothing tells which response it was.
        """
        request = self._request()
        pause = self._waiting.pause()
        self._waiting.wanted = 0.0
        yield pause
        return request

    def _request(self) -> Request:
        place, run = self._place, self._accumulator.run
        id = place.response_id
        if id is None and run is not None and run is not self._earlier:
            id = run.id
        if id is None:
            raise TruncatedError("the stream broke before it said which response it created")
        if run is None or run.id != id:
            return place.after(id, place.start)
        if self._accumulator.sequence_number is None:
            raise TruncatedError(
                f"the rest of {id} cannot be asked for, since nothing numbers its events: all of "
                "them would come again"
            )
        return place.after(id, self._accumulator.sequence_number)

    def bear(self, error: Exception) -> None:
        """Let a failure pass, or raise it."""
        self._waiting.bear(error)
