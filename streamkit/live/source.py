"""A live run as a source: where it is, and what is to be done where its stream breaks."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from .._sources import Opened, is_transport_failure
from ..accumulator import Accumulator
from ..errors import PeerError, ResponseError, UsageError
from ..snapshots import RequiredAction, Run
from .conversation import Conversation
from .recovery import Place, Polling
from .requests import Request
from .resuming import Responses, Resuming
from .waiting import Recovery

__all__ = ["Live", "telling"]

_log: Final = logging.getLogger("streamkit.live")


class Live(Opened):
    """What both forms share: where the run is, and whose fault a failure is.

    Args:
        start: The request that opens the first leg, or where to ask for a run whose
            stream is lost.
        accumulator: What holds the run.
        recovery: How to go on where the stream breaks, or None.
        conversation: What answers the run where it waits, or None.

    Raises:
        UsageError: The run could not be asked for.
    """

    __slots__ = (
        "_accumulator",
        "_answered",
        "_asking",
        "_conversation",
        "_earlier",
        "_is_given_up",
        "_is_polling",
        "_is_reading",
        "_place",
        "_recovery",
        "_resuming",
        "_start",
        "is_open",
        "response",
    )

    items: Iterator[Any] | AsyncIterator[Any] | None

    def __init__(
        self,
        start: Request | Place,
        accumulator: Accumulator,
        recovery: Recovery | None,
        conversation: Conversation | None,
    ) -> None:
        super().__init__(_Unopened(), is_live=True)
        self._start = start
        self._accumulator = accumulator
        self._recovery = recovery
        self._conversation = conversation
        self._is_reading = False
        self._is_polling = False
        self._answered: RequiredAction | None = None
        self._earlier: Run | None = None
        self._asking: Polling | None = None
        self._resuming: Resuming | None = None
        self._is_given_up = False
        self.is_open: bool = False
        self.response: Any = None
        self._place: Place | Responses | None = None
        if isinstance(start, Place):
            self._place = start
        elif recovery is not None:
            self._place = Responses.of(start) or Place.of(start)

    def is_failure(self, error: Exception) -> bool:
        """Whether an exception is the stream's failure."""
        # Between legs the caller's own functions run, and requests are refused.
        return (self._is_reading or self._is_polling) and is_transport_failure(error)

    @property
    def can_resume(self) -> bool:
        """Whether the rest of a leg that was cut may be asked for."""
        if isinstance(self._place, Responses):
            return not self._is_given_up
        return self._place is not None and not self._is_polling

    def _let_go(self) -> object:
        """Return the items that are to be closed, and keep none."""
        items, self.items = self.items, None
        return items

    def _check_unopened(self) -> None:
        if self.is_open:
            raise UsageError("a stream is opened once; make another one")
        self.is_open = True

    def _next(self) -> Conversation | None:
        """Return what answers the run, if it waits."""
        if self._accumulator.outcome != "paused":
            return None
        self._is_reading = self._is_polling = False
        return self._conversation

    def _begin(self, client: Any, request: Request) -> Request:
        """Take note that a leg is asked for, and return the request as it is sent."""
        if self._place is not None:
            self._place = self._place.at(request)
        self._is_reading = self._is_polling = False
        self.response = None
        self._earlier = run = self._accumulator.run
        self._answered = run.required_action if run is not None else None
        return self._timed(client, request)

    def _timed(self, client: Any, request: Request) -> Request:
        """Return the request of a stream, which is to say something all the time."""
        stall = self._recovery.stall if self._recovery is not None else None
        if stall is None:
            return request
        timeouts = {**client.timeout.as_dict(), "read": stall}
        options = {**request.options, "extensions": {"timeout": timeouts}}
        return msgspec.structs.replace(request, options=options)

    def _read(self, response: Any) -> None:
        """Take note that the stream is open."""
        self.response = response
        self._is_reading = True

    def _may_ask(self, error: Exception) -> bool:
        """Whether a request that failed may have been heard, so that the run will tell."""
        if self._place is None:
            return False
        if isinstance(error, ResponseError):
            return error.status >= 500 or error.status == 429
        return is_transport_failure(error)

    def _as_cut(self, polling: Polling) -> Iterator[bytes]:
        """Return the body of a leg whose request was heard, but whose answer is lost."""
        self._is_reading = True
        self._asking = polling
        return iter(())

    def _asked(self, failure: Exception | None) -> Polling:
        """Return what asks for the rest of a leg that was cut."""
        self._is_polling = True
        polling, self._asking = self._asking, None
        return polling or self._polling(failure)

    def _resumed(self, place: Responses, failure: Exception | None) -> Resuming:
        """Return what asks for the rest of a response, again and again while that helps."""
        self._is_polling = True
        if self._resuming is None or self._resuming.has_advanced:
            self._tell_of(failure)
            recovery = self._recovery or Recovery()
            self._resuming = Resuming(recovery, self._accumulator, place, earlier=self._earlier)
        return self._resuming

    def _refused(self, resuming: Resuming, error: Exception) -> None:
        """Take a refusal of the rest of a response; raise it if it does not pass."""
        try:
            resuming.bear(error)
        except Exception:
            self._is_given_up = True
            raise

    def _polling(self, failure: Exception | None) -> Polling:
        """Return what asks about a leg that broke."""
        if not isinstance(self._place, Place):
            raise UsageError("where to ask for the rest of the run is not known")
        self._tell_of(failure)
        return Polling(
            self._recovery or Recovery(),
            self._accumulator,
            self._place,
            opened=self.response,
            answered=self._answered,
        )

    def _tell_of(self, failure: Exception | None) -> None:
        run = self._accumulator.run
        _log.info(
            "the stream of run %s broke (%s); asking what became of it",
            run.id if run is not None else "(unknown)",
            "it ended early" if failure is None else type(failure).__name__,
        )


@contextmanager
def telling(accumulator: Accumulator) -> Iterator[None]:
    """Have errors tell what was received before them."""
    try:
        yield
    except PeerError as error:
        error.snapshot = accumulator.snapshot()
        raise


class _Unopened(Iterator[bytes]):
    """Stands for the items of a stream that was not opened."""

    def __next__(self) -> bytes:
        raise UsageError("open the stream first: `with` it, or `async with` it, then iterate")
