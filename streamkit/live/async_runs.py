"""The Runs resource of the API reference, whole, asynchronously."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, TypeVar

from msgspec import Struct

from .._wire import load
from ..accumulator import Accumulator
from ..observers import Observer
from ..recording.writing import Recorder
from ..snapshots import Run, RunStep
from .conversation import Conversation
from .endpoints import (
    Endpoints,
    Order,
    Outputs,
    Pages,
    ask_for,
    ask_for_bytes,
    file_id,
    listing,
)
from .recovery import Place
from .requests import Request
from .streams import AsyncRunStream
from .tools import OnToolError, Toolbox, Tools
from .waiting import Recovery, policy
from .wires import AsyncWire

__all__ = ["AsyncRuns", "AsyncSteps"]

S = TypeVar("S", bound=Struct)


class AsyncSteps:
    """The steps of runs: ``AsyncRuns.steps``."""

    def __init__(self, wire: AsyncWire, endpoints: Endpoints) -> None:
        self._wire = wire
        self._endpoints = endpoints

    def list(
        self,
        thread_id: str,
        run_id: str,
        *,
        include: Iterable[str] = (),
        order: Order | None = None,
        limit: int | None = None,
        after: str | None = None,
        before: str | None = None,
    ) -> AsyncIterator[RunStep]:
        """Do what `Steps.list` does."""
        params = listing(include, order=order, limit=limit, after=after, before=before)
        return _all(self._wire, self._endpoints.steps(thread_id, run_id, params), RunStep)

    async def retrieve(
        self, thread_id: str, run_id: str, step_id: str, *, include: Iterable[str] = ()
    ) -> RunStep:
        """Do what `Steps.retrieve` does."""
        request = self._endpoints.step(thread_id, run_id, step_id, include)
        return await self._wire.drive(ask_for(request, RunStep))


class AsyncRuns:
    """The runs of threads: as `Runs`, with an ``httpx.AsyncClient`` or ``httpx2.AsyncClient``.

    Attributes:
        steps: The steps of runs.
    """

    def __init__(self, client: Any, *, recover: bool | Recovery | None = None) -> None:
        self._client = client
        self._recover = recover
        self._wire = AsyncWire(client)
        self._endpoints = Endpoints()
        self.steps: AsyncSteps = AsyncSteps(self._wire, self._endpoints)

    # Without a stream

    async def create(
        self, thread_id: str, *, assistant_id: str, include: Iterable[str] = (), **fields: Any
    ) -> Run:
        """Do what `Runs.create` does."""
        request = self._endpoints.create(thread_id, assistant_id, fields, include)
        return await self._ask(request, Run)

    async def create_thread_and_run(self, *, assistant_id: str, **fields: Any) -> Run:
        """Do what `Runs.create_thread_and_run` does."""
        request = self._endpoints.create_thread_and_run(assistant_id, fields)
        return await self._ask(request, Run)

    async def retrieve(self, thread_id: str, run_id: str) -> Run:
        """Do what `Runs.retrieve` does."""
        return await self._ask(self._endpoints.retrieve(thread_id, run_id), Run)

    def list(
        self,
        thread_id: str,
        *,
        order: Order | None = None,
        limit: int | None = None,
        after: str | None = None,
        before: str | None = None,
    ) -> AsyncIterator[Run]:
        """Do what `Runs.list` does."""
        params = listing(order=order, limit=limit, after=after, before=before)
        return _all(self._wire, self._endpoints.list(thread_id, params), Run)

    async def modify(
        self, thread_id: str, run_id: str, *, metadata: Mapping[str, str] | None
    ) -> Run:
        """Do what `Runs.modify` does."""
        request = self._endpoints.modify(thread_id, run_id, {"metadata": metadata})
        return await self._ask(request, Run)

    async def submit_tool_outputs(self, thread_id: str, run_id: str, tool_outputs: Outputs) -> Run:
        """Do what `Runs.submit_tool_outputs` does."""
        request = self._endpoints.submit_tool_outputs(
            thread_id, run_id, tool_outputs, stream=False
        )
        return await self._ask(request, Run)

    async def cancel(self, thread_id: str, run_id: str) -> Run:
        """Do what `Runs.cancel` does."""
        return await self._ask(self._endpoints.cancel(thread_id, run_id), Run)

    async def image_bytes(self, image: Any) -> bytes:
        """Do what `Runs.image_bytes` does."""
        return await self._wire.drive(ask_for_bytes(self._endpoints.file_content(file_id(image))))

    # With a stream

    def stream(
        self,
        thread_id: str,
        *observers: Observer,
        assistant_id: str,
        include: Iterable[str] = (),
        accumulator: Accumulator | None = None,
        recover: bool | Recovery | None = None,
        record: str | os.PathLike[str] | Recorder | None = None,
        **fields: Any,
    ) -> AsyncRunStream:
        """Do what `Runs.stream` does."""
        request = self._endpoints.create(thread_id, assistant_id, fields, include, stream=True)
        recovery = policy(recover, self._recover)
        return self._open(request, observers, accumulator, recovery, record=record)

    def stream_thread_and_run(
        self,
        *observers: Observer,
        assistant_id: str,
        accumulator: Accumulator | None = None,
        recover: bool | Recovery | None = None,
        record: str | os.PathLike[str] | Recorder | None = None,
        **fields: Any,
    ) -> AsyncRunStream:
        """Do what `Runs.stream_thread_and_run` does."""
        request = self._endpoints.create_thread_and_run(assistant_id, fields, stream=True)
        recovery = policy(recover, self._recover)
        return self._open(request, observers, accumulator, recovery, record=record)

    def stream_tool_outputs(
        self,
        thread_id: str,
        run_id: str,
        *observers: Observer,
        tool_outputs: Outputs,
        accumulator: Accumulator | None = None,
        recover: bool | Recovery | None = None,
        record: str | os.PathLike[str] | Recorder | None = None,
    ) -> AsyncRunStream:
        """Do what `Runs.stream_tool_outputs` does."""
        request = self._endpoints.submit_tool_outputs(thread_id, run_id, tool_outputs, stream=True)
        recovery = policy(recover, self._recover)
        return self._open(request, observers, accumulator, recovery, record=record)

    def recover(
        self,
        thread_id: str,
        run_id: str,
        *observers: Observer,
        include: Iterable[str] = (),
        accumulator: Accumulator | None = None,
        recovery: Recovery | None = None,
    ) -> AsyncRunStream:
        """Do what `Runs.recover` does."""
        place = Place(
            endpoints=self._endpoints,
            thread_id=thread_id,
            run_id=run_id,
            include=listing(include),
        )
        chosen = policy(recovery, self._recover or None, True)
        return self._open(place, observers, accumulator, chosen)

    def converse(
        self,
        thread_id: str,
        *observers: Observer,
        assistant_id: str,
        tools: Tools,
        on_tool_error: OnToolError = "report",
        max_legs: int = 32,
        include: Iterable[str] = (),
        accumulator: Accumulator | None = None,
        recover: bool | Recovery | None = None,
        record: str | os.PathLike[str] | Recorder | None = None,
        definitions: Iterable[Mapping[str, Any]] | None = None,
        **fields: Any,
    ) -> AsyncRunStream:
        """Do what `Runs.converse` does, but run the calls of a leg at the same time.

        A function that is not ``async def`` runs in a thread of its own.
        """
        more = {} if definitions is None else {"tools": list(definitions)}
        request = self._endpoints.create(
            thread_id, assistant_id, fields | more, include, stream=True
        )
        toolbox = Toolbox(tools, on_tool_error, may_wait=True)
        conversation = Conversation(self._endpoints, thread_id, toolbox, max_legs)
        recovery = policy(recover, self._recover, True)
        return self._open(
            request, observers, accumulator, recovery, record=record, conversation=conversation
        )

    def _open(
        self,
        start: Request | Place,
        observers: Iterable[Observer],
        accumulator: Accumulator | None,
        recovery: Recovery | None,
        *,
        record: str | os.PathLike[str] | Recorder | None = None,
        conversation: Conversation | None = None,
    ) -> AsyncRunStream:
        return AsyncRunStream(
            self._client,
            start,
            tuple(observers),
            accumulator=accumulator,
            recovery=recovery,
            conversation=conversation,
            record=record,
        )

    async def _ask(self, request: Request, kind: type[S]) -> S:
        return await self._wire.drive(ask_for(request, kind))


async def _all(wire: AsyncWire, request: Request, kind: type[S]) -> AsyncIterator[S]:
    pages = Pages(request)
    while pages.more:
        for item in await wire.drive(pages.turn()):
            yield load(kind, item)
