"""The Runs resource of the API reference, as requests and how their answers are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from .._wire import load
from ..errors import UsageError
from .answers import read_json, refusal
from .requests import Params, Request, path, shown
from .wires import Plan

__all__ = [
    "HEADERS",
    "SEARCH_CONTENT",
    "Endpoints",
    "Order",
    "Outputs",
    "Pages",
    "ask",
    "ask_for",
    "ask_for_bytes",
    "drained",
    "file_id",
    "listing",
]

S = TypeVar("S", bound=Struct)

Order: TypeAlias = Literal["asc", "desc"]

# What the calls of functions gave: texts by the ids of the calls, or the API's list of
# {"tool_call_id", "output"}.
Outputs: TypeAlias = Mapping[str, str] | Iterable[Mapping[str, Any]]

HEADERS: Final[Mapping[str, str]] = {"OpenAI-Beta": "assistants=v2"}

# What `include` may ask for: the content of what a file search found.
SEARCH_CONTENT: Final = "step_details.tool_calls[*].file_search.results[*].content"


class Endpoints(Struct, frozen=True, kw_only=True):
    """The operations, as requests.

    Attributes:
        base: What stands before ``/threads``; empty where the client's base URL does.
        headers: Sent with every request.
        params: Sent with every request, beside what the client sends.
        options: What else the client's method is given with every request.
    """

    base: str = ""
    headers: Mapping[str, str] = msgspec.field(default_factory=lambda: HEADERS)
    params: Params = ()
    options: Mapping[str, Any] = msgspec.field(default_factory=dict)

    def __repr__(self) -> str:
        # Headers, queries and options may hold credentials.
        return f"<endpoints at {shown(self.base) or 'the base URL of the client'}>"

    def _request(self, method: str, *parts: str, json: Any = None, params: Params = ()) -> Request:
        return Request(
            method=method,
            url=self.base + path(*parts),
            json=json,
            params=(*self.params, *params),
            headers=self.headers,
            options=self.options,
        )

    def create(
        self,
        thread_id: str,
        assistant_id: str,
        fields: Mapping[str, Any],
        include: Iterable[str] = (),
        *,
        stream: bool = False,
    ) -> Request:
        """Create a run."""
        body = _body(assistant_id, fields, stream=stream)
        parts = ("threads", thread_id, "runs")
        return self._request("POST", *parts, json=body, params=_included(include))

    def create_thread_and_run(
        self, assistant_id: str, fields: Mapping[str, Any], *, stream: bool = False
    ) -> Request:
        """Create a thread and a run on it."""
        body = _body(assistant_id, fields, stream=stream)
        return self._request("POST", "threads", "runs", json=body)

    def retrieve(self, thread_id: str, run_id: str) -> Request:
        """Read a run."""
        return self._request("GET", "threads", thread_id, "runs", run_id)

    def list(self, thread_id: str, params: Params) -> Request:
        """List the runs of a thread."""
        return self._request("GET", "threads", thread_id, "runs", params=params)

    def modify(self, thread_id: str, run_id: str, body: Mapping[str, Any]) -> Request:
        """Change a run's metadata."""
        return self._request("POST", "threads", thread_id, "runs", run_id, json=body)

    def submit_tool_outputs(
        self, thread_id: str, run_id: str, outputs: Outputs, *, stream: bool
    ) -> Request:
        """Submit what the functions gave, all at once."""
        if isinstance(outputs, Mapping):
            outputs = [{"tool_call_id": key, "output": text} for key, text in outputs.items()]
        body = {"tool_outputs": [dict(output) for output in outputs], "stream": stream}
        parts = ("threads", thread_id, "runs", run_id, "submit_tool_outputs")
        return self._request("POST", *parts, json=body)

    def cancel(self, thread_id: str, run_id: str) -> Request:
        """Cancel a run."""
        return self._request("POST", "threads", thread_id, "runs", run_id, "cancel")

    def steps(self, thread_id: str, run_id: str, params: Params) -> Request:
        """List the steps of a run."""
        return self._request("GET", "threads", thread_id, "runs", run_id, "steps", params=params)

    def step(self, thread_id: str, run_id: str, step_id: str, include: Iterable[str]) -> Request:
        """Read a step."""
        parts = ("threads", thread_id, "runs", run_id, "steps", step_id)
        return self._request("GET", *parts, params=_included(include))

    def messages(self, thread_id: str, params: Params) -> Request:
        """List the messages of a thread."""
        return self._request("GET", "threads", thread_id, "messages", params=params)

    def file_content(self, file_id: str) -> Request:
        """Read the content of a file."""
        return self._request("GET", "files", file_id, "content")


def _included(include: Iterable[str]) -> Params:
    """Write what is to be included as a query."""
    if isinstance(include, str):
        raise UsageError(f"include is a sequence of texts: [{include!r}]")
    return [("include[]", item) for item in include]


def listing(
    include: Iterable[str] = (),
    *,
    order: Order | None = None,
    limit: int | None = None,
    after: str | None = None,
    before: str | None = None,
) -> Params:
    """Write which part of a list is wanted as a query."""
    wanted = {"order": order, "limit": limit, "after": after, "before": before}
    said = [(name, str(value)) for name, value in wanted.items() if value is not None]
    return [*said, *_included(include)]


def _body(assistant_id: str, fields: Mapping[str, Any], *, stream: bool) -> dict[str, Any]:
    if "stream" in fields:
        raise UsageError(
            "whether a run is streamed is for the method to say: stream, stream_thread_and_run, "
            "stream_tool_outputs and converse do, the others do not"
        )
    return {"assistant_id": assistant_id, **fields, **({"stream": True} if stream else {})}


def file_id(image: Any) -> str:
    """Return the id of the file that an image is.

    Raises:
        UsageError: The image has none.
    """
    found = image if isinstance(image, str) else getattr(image, "file_id", None)
    if not isinstance(found, str) or not found:
        raise UsageError(
            "an image is read by its file id, which this one lacks; where it has a URL, fetch "
            "that with a client that sends it no credentials"
        )
    return found


def ask(request: Request) -> Plan[dict[str, Any]]:
    """Send a request whose answer is an object.

    Raises:
        ResponseError: The server refused, or answered with something else.
    """
    answer = yield request
    return read_json(answer.response, answer.body)


def ask_for(request: Request, kind: type[S]) -> Plan[S]:
    """Send a request whose answer is an object of a kind."""
    return load(kind, (yield from ask(request)))


def ask_for_bytes(request: Request) -> Plan[bytes]:
    """Send a request whose answer is the content of a file."""
    answer = yield request
    if not answer.response.is_success:
        raise refusal(answer.response, answer.body)
    body: bytes = answer.body
    return body


class Pages:
    """A list that comes in pages, each asked for by the last id of the one before.

    Attributes:
        more: Whether there is another page to turn to.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._last: str | None = None
        self._turned: set[str | None] = {None}
        self.more: bool = True

    def turn(self) -> Plan[list[dict[str, Any]]]:
        """Read the next page."""
        params = [param for param in self._request.params if param[0] != "after" or not self._last]
        if self._last is not None:
            params.append(("after", self._last))
        page = yield from ask(msgspec.structs.replace(self._request, params=params))
        data = page.get("data")
        items = [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []
        said = [page.get("last_id"), items[-1].get("id") if items else None]
        last = next((text for text in said if isinstance(text, str) and text), None)
        # A server that repeats itself must not keep us asking for ever.
        self.more = bool(page.get("has_more")) and last not in self._turned
        self._turned.add(last)
        self._last = last
        return items


def drained(pages: Pages) -> Plan[list[dict[str, Any]]]:
    """Read all pages."""
    items: list[dict[str, Any]] = []
    while pages.more:
        items += yield from pages.turn()
    return items
