"""The Runs resource of the API reference, whole, synchronously."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
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
from .streams import RunStream
from .tools import OnToolError, Toolbox, Tools
from .waiting import Recovery, policy
from .wires import Wire

__all__ = ["Runs", "Steps"]

S = TypeVar("S", bound=Struct)


class Steps:
    """The steps of runs: ``Runs.steps``."""

    def __init__(self, wire: Wire, endpoints: Endpoints) -> None:
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
    ) -> Iterator[RunStep]:
        """Iterate over the steps of a run, over all pages.

        Args:
            thread_id: The run's thread.
            run_id: The run.
            include: What else to send: `SEARCH_CONTENT`.
            order: By creation; the API's own default is ``desc``.
            limit: How many a page, 1 to 100.
            after: The id of the step after which to begin.
            before: The id of the step before which to end.

        Raises:
            ResponseError: The server refused.
        """
        params = listing(include, order=order, limit=limit, after=after, before=before)
        return _all(self._wire, self._endpoints.steps(thread_id, run_id, params), RunStep)

    def retrieve(
        self, thread_id: str, run_id: str, step_id: str, *, include: Iterable[str] = ()
    ) -> RunStep:
        """Read a step.

        Raises:
            ResponseError: The server refused.
        """
        request = self._endpoints.step(thread_id, run_id, step_id, include)
        return self._wire.drive(ask_for(request, RunStep))


class Runs:
    """The runs of threads.

        runs = Runs(httpx.Client(base_url="https://api.example.com/v1", headers={...}))

    Azure OpenAI wants its key and its version with every request, which a client sends:

        httpx.Client(
            base_url="https://NAME.openai.azure.com/openai",
            headers={"api-key": key},
            params={"api-version": "2024-05-01-preview"},
        )

    Every method raises `ResponseError` where the server refuses, and what the client
    raises where the server cannot be reached. Fields of the request's body that have no
    argument of their own are given by the names that the API reference gives them.

    Args:
        client: An ``httpx.Client`` or ``httpx2.Client``; it stays open.
        recover: Whether to ask for the rest of a run where its stream breaks, and how;
            None is what each method does by itself: `converse` does, the others do not.

    Attributes:
        steps: The steps of runs.
    """

    def __init__(self, client: Any, *, recover: bool | Recovery | None = None) -> None:
        self._client = client
        self._recover = recover
        self._wire = Wire(client)
        self._endpoints = Endpoints()
        self.steps: Steps = Steps(self._wire, self._endpoints)

    # Without a stream

    def create(
        self, thread_id: str, *, assistant_id: str, include: Iterable[str] = (), **fields: Any
    ) -> Run:
        """Create a run, which goes on by itself."""
        request = self._endpoints.create(thread_id, assistant_id, fields, include)
        return self._ask(request, Run)

    def create_thread_and_run(self, *, assistant_id: str, **fields: Any) -> Run:
        """Create a thread and a run on it, which goes on by itself."""
        request = self._endpoints.create_thread_and_run(assistant_id, fields)
        return self._ask(request, Run)

    def retrieve(self, thread_id: str, run_id: str) -> Run:
        """Read a run."""
        return self._ask(self._endpoints.retrieve(thread_id, run_id), Run)

    def list(
        self,
        thread_id: str,
        *,
        order: Order | None = None,
        limit: int | None = None,
        after: str | None = None,
        before: str | None = None,
    ) -> Iterator[Run]:
        """Iterate over the runs of a thread, over all pages; the arguments as `Steps.list`."""
        params = listing(order=order, limit=limit, after=after, before=before)
        return _all(self._wire, self._endpoints.list(thread_id, params), Run)

    def modify(self, thread_id: str, run_id: str, *, metadata: Mapping[str, str] | None) -> Run:
        """Change a run's metadata."""
        request = self._endpoints.modify(thread_id, run_id, {"metadata": metadata})
        return self._ask(request, Run)

    def submit_tool_outputs(self, thread_id: str, run_id: str, tool_outputs: Outputs) -> Run:
        """Submit what the functions gave, all at once; the run goes on by itself.

        Args:
            thread_id: The run's thread.
            run_id: The run, which waits for them.
            tool_outputs: Texts by the ids of the calls, or the API's list of
                ``{"tool_call_id", "output"}``.
        """
        request = self._endpoints.submit_tool_outputs(
            thread_id, run_id, tool_outputs, stream=False
        )
        return self._ask(request, Run)

    def cancel(self, thread_id: str, run_id: str) -> Run:
        """Cancel a run; it may be cancelling for a while."""
        return self._ask(self._endpoints.cancel(thread_id, run_id), Run)

    def image_bytes(self, image: Any) -> bytes:
        """Read the content of an image.

        Args:
            image: An `ImageAdded`, the ``image`` of an output, or anything else with a
                ``file_id``, or the id itself.

        Raises:
            UsageError: The image has no file id.
        """
        return self._wire.drive(ask_for_bytes(self._endpoints.file_content(file_id(image))))

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
    ) -> RunStream:
        """Create a run and follow it to the end of its first leg; see `open_run`."""
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
    ) -> RunStream:
        """Create a thread and a run on it, and follow it; see `stream`."""
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
    ) -> RunStream:
        """Submit what the functions gave, and follow the next leg of the run.

        Args:
            thread_id: The run's thread.
            run_id: The run, which waits for them.
            observers: Told of each change before it is yielded.
            tool_outputs: As `submit_tool_outputs` takes them.
            accumulator: The one that holds the earlier legs.
            recover: As for `open_run`.
            record: As for `open_run`.
        """
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
    ) -> RunStream:
        """Follow a run whose stream is lost, by asking for it until it rests.

        What is found is told as `converse` and `open_run` tell the rest of a stream that
        broke: nothing that the accumulator holds is told again.

        Args:
            thread_id: The run's thread.
            run_id: The run.
            observers: Told of each change before it is yielded.
            include: As for `Steps.list`.
            accumulator: One that holds what came before the stream was lost.
            recovery: How to ask.
        """
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
    ) -> RunStream:
        """Create a run and follow it through all its legs, answering its calls.

        Where the run waits for the outputs of functions, the calls are run one after
        another and their outputs submitted in one request. Arguments are passed by name;
        those that are annotated are checked, and converted, by msgspec. A result that is
        no text is written as JSON. One accumulator and one set of observers serve all
        legs; `StreamEnded` ends each of them.

        Args:
            thread_id: The thread.
            observers: Told of each change before it is yielded.
            assistant_id: The assistant.
            tools: Functions by the names that the model calls them by.
            on_tool_error: What becomes of a call that fails, because the function raises,
                is unknown, or its arguments do not fit. ``"report"``: the model is told
                ``{"error": ...}`` as its output. ``"stop"``: the exception is raised (a
                `ToolError` where no function raised), and the run is left waiting.
            max_legs: How many legs the run may take; one more is a `LimitError`.
            include: As for `Steps.list`.
            accumulator: A fresh one, to have it strict or with other limits.
            record: As for `open_run`.
            recover: As for `open_run`, but True where nothing else is said.
            definitions: Of tools, in the place of the assistant's: the field ``tools`` of
                the request.
            fields: Other fields of the request.
        """
        more = {} if definitions is None else {"tools": list(definitions)}
        request = self._endpoints.create(
            thread_id, assistant_id, fields | more, include, stream=True
        )
        toolbox = Toolbox(tools, on_tool_error, may_wait=False)
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
    ) -> RunStream:
        return RunStream(
            self._client,
            start,
            tuple(observers),
            accumulator=accumulator,
            recovery=recovery,
            conversation=conversation,
            record=record,
        )

    def _ask(self, request: Request, kind: type[S]) -> S:
        return self._wire.drive(ask_for(request, kind))


def _all(wire: Wire, request: Request, kind: type[S]) -> Iterator[S]:
    pages = Pages(request)
    while pages.more:
        for item in wire.drive(pages.turn()):
            yield load(kind, item)
