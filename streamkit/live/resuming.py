"""How a response of the Responses API goes on being followed once its stream has broken.

A response that was created with ``background: true`` goes on by itself, and its stream can
be asked for again, from the event after the last one that was received.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from msgspec import Struct, field

from ..accumulator import Accumulator
from ..errors import TruncatedError
from .recovery import KEPT
from .requests import Params, Request, path
from .waiting import Recovery, Waiting
from .wires import Plan

__all__ = ["Responses", "Resuming"]

_STREAMING: Final = re.compile(r"(?P<base>.*?/responses)(?:/(?P<id>[^/]+))?/?")
_ASKED: Final = frozenset({"stream", "starting_after"})


class Responses(Struct, frozen=True, kw_only=True):
    """Where the stream of a response can be asked for again.

    Attributes:
        base: The URL of all responses.
        response_id: None where the request created the response.
        params, headers, options: Of each request.
    """

    base: str
    response_id: str | None = None
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
            params=[param for param in params if param[0] not in _ASKED],
            headers=request.headers,
            options={name: request.options[name] for name in KEPT if name in request.options},
        )

    def at(self, request: Request) -> Responses:
        """Return where the next response can be asked for that a request opens."""
        return Responses.of(request) or self

    def after(self, response_id: str, number: int | None) -> Request:
        """Return the request for the events after a number; all of them, without one."""
        start = [] if number is None else [("starting_after", str(number))]
        return Request(
            method="GET",
            url=self.base + path(response_id),
            params=[*self.params, ("stream", "true"), *start],
            headers=self.headers,
            options=self.options,
        )


class Resuming:
    """When to ask for the rest of a response, and for which; one for each break.

    Args:
        recovery: How to ask.
        accumulator: What holds the response so far.
        place: Where to ask.
    """

    def __init__(self, recovery: Recovery, accumulator: Accumulator, place: Responses) -> None:
        self._waiting = Waiting(recovery)
        self._accumulator = accumulator
        self._place = place
        self._known = accumulator.sequence_number

    @property
    def has_advanced(self) -> bool:
        """Whether there was something new since the break."""
        return self._accumulator.sequence_number != self._known

    def next(self) -> Plan[Request]:
        """Return the request for what comes next, when it is time for it.

        Raises:
            TruncatedError: That time is over, or nothing tells which response it was.
        """
        run = self._accumulator.run
        id = self._place.response_id or (run.id if run is not None else None)
        if id is None:
            raise TruncatedError("the stream broke before it said which response it created")
        yield self._waiting.pause()
        return self._place.after(id, self._accumulator.sequence_number)

    def bear(self, error: Exception) -> None:
        """Let a failure pass, or raise it."""
        self._waiting.bear(error)
