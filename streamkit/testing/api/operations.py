"""What each operation of the API does, and how it refuses."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, NoReturn, TypeAlias
from urllib.parse import unquote

from ..._lifecycle import ENDED
from ..._wire import load
from ...snapshots import Run
from ..faults import Operation
from . import responses
from .delivery import Delivery
from .errors import bad, failed, missing, missing_file, required, unknown_url
from .fields import message_of, objects, pairs, text
from .objects import Wire
from .pages import page
from .pictures import picture
from .responses import Responses
from .scenes import Entry, Scene, Thread
from .threads import Threads

__all__ = ["Call", "Result", "Route", "match"]

_CONTENT: Final = "step_details.tool_calls[*].file_search.results[*].content"

Result: TypeAlias = Wire | bytes | Delivery


class Call(NamedTuple):
    """A request, and what it is about.

    Attributes:
        threads: All there are.
        responses: All there are.
        choose: Gives what a new run plays, for its assistant and its model, where nothing
            was put at a place for it.
        entry: What it is about, where that was put somewhere or is played already.
        params: Those of the path.
        query: Names and values, in order.
        body: What it says.
    """

    threads: Threads
    responses: Responses
    choose: Callable[[str, str], Entry | None]
    entry: Entry | None
    params: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    body: Wire

    @property
    def thread(self) -> Thread:
        """The thread that the path names.

        Raises:
            ApiError: There is none such.
        """
        return self.threads.find(self.params["thread"])

    @property
    def scene(self) -> Scene:
        """The run that the path names.

        Raises:
            ApiError: The thread has none such.
        """
        return self.thread.scene(self.params["run"])

    @property
    def older(self) -> Wire | None:
        """The older run that the path names."""
        older = self.thread.older_runs
        return next((run for run in older if run["id"] == self.params["run"]), None)


def create_thread(call: Call) -> Result:
    """Make a thread, with the messages that it is to begin with."""
    messages = _messages(call, call.body, "messages")
    thread = call.threads.new(pairs(call.body, "metadata"))
    for each in messages:
        thread.say(each)
    return thread.wire


def retrieve_thread(call: Call) -> Result:
    """Say what a thread is."""
    return call.thread.wire


def create(call: Call) -> Result:
    """Begin a run, on a thread that may be made for it."""
    assistant, model = text(call.body, "assistant_id"), text(call.body, "model")
    metadata = pairs(call.body, "metadata")
    thread_id = None
    if "thread" in call.params:
        thread_id = text({"thread_id": call.params["thread"]}, "thread_id")
    made = pairs(call.body, "thread")
    messages = _messages(call, made, "messages", "thread.")
    messages += _messages(call, call.body, "additional_messages")
    if not assistant:
        raise required("assistant_id")
    entry = call.entry or call.choose(assistant, model)
    if entry is None:
        raise missing("thread", thread_id) if thread_id else missing("assistant", assistant)
    if entry.is_response:
        raise failed("What is served is a response, which is created by POST /responses.")
    if entry.run_id is None and not call.body.get("stream"):
        raise failed("What is served has no run in it, so it can be streamed only.")
    thread = call.threads.stage(entry, thread_id, pairs(made, "metadata", "thread."))
    for each in messages:
        thread.say(each)
    return _leg(call, call.threads.begin(entry, thread, assistant, metadata))


def _messages(call: Call, said: Wire, name: str, at: str = "") -> list[Wire]:
    """Make the messages that a request brings along."""
    given = enumerate(objects(said, name, at))
    made = [message_of(each, f"{at}{name}[{rank}].") for rank, each in given]
    return [call.threads.message(each) for each in made]


def submit(call: Call) -> Result:
    """Go on with a run that waits."""
    play = call.scene.play
    run = play.objects().run
    if run.get("status") != "requires_action":
        raise bad(f'Runs in status "{run.get("status")}" do not accept tool outputs.')
    is_approval, wanted = _wanted(run)
    name = "tool_approvals" if is_approval else "tool_outputs"
    given = [each.get("tool_call_id") for each in objects(call.body, name)]
    if sorted(map(str, wanted)) != sorted(map(str, given)):
        raise bad(f"Expected tool outputs for call_ids {wanted}, got {given}")
    if play.leg + 1 == len(play.legs):
        raise failed("What is served has no further leg: record or write down what comes next.")
    play.begin(play.leg + 1)
    return _leg(call, call.scene)


def _wanted(run: Wire) -> tuple[bool, list[str | None]]:
    """Say whether a run waits for approval, and which calls it waits for."""
    action = load(Run, run).required_action
    calls = () if action is None else action.tool_calls
    is_approval = action is not None and action.submit_tool_approval is not None
    return is_approval, [each.id for each in calls]


def _leg(call: Call, scene: Scene) -> Result:
    """Answer with the leg that has just begun, or with the run alone."""
    return Delivery(scene) if call.body.get("stream") else scene.play.at_first()


def retrieve(call: Call) -> Result:
    """Say how a run is."""
    if call.older:
        return call.older
    play = call.scene.play
    play.looks += 1
    return play.objects().run


def runs(call: Call) -> Result:
    """List the runs of a thread."""
    return page(call.thread.runs(), dict(call.query))


def modify(call: Call) -> Result:
    """Change the metadata of a run."""
    given = pairs(call.body, "metadata")
    if call.older:
        call.older["metadata"] = (call.older.get("metadata") or {}) | given
        return call.older
    play = call.scene.play
    play.metadata = play.metadata | given
    return play.objects().run


def cancel(call: Call) -> Result:
    """End a run."""
    run = call.older or call.scene.play.objects().run
    status = run.get("status")
    if status in ENDED or status == "cancelling":
        raise bad(f"Cannot cancel run with status '{status}'.")
    return call.scene.play.cancel()


def steps(call: Call) -> Result:
    """List the steps of a run."""
    return page(_steps(call), dict(call.query))


def step(call: Call) -> Result:
    """Give a step of a run."""
    return _with_id(_steps(call), "run step", call.params["step"])


def _steps(call: Call) -> list[Wire]:
    if call.older:
        return []
    found = call.scene.play.objects().steps
    wanted = [value for name, value in call.query if name in ("include[]", "include")]
    return found if _CONTENT in wanted else [_without_content(each) for each in found]


def _without_content(step: Wire) -> Wire:
    """Leave out the passages that a search found: they come on demand only."""
    step = copy.deepcopy(step)
    for call in (step.get("step_details") or {}).get("tool_calls") or []:
        for result in (call.get("file_search") or {}).get("results") or []:
            result.pop("content", None)
    return step


def _with_id(items: Sequence[Wire], kind: str, id: str) -> Wire:
    for item in items:
        if item.get("id") == id:
            return item
    raise missing(kind, id)


def create_message(call: Call) -> Result:
    """Take a message of a user."""
    thread = call.thread
    return thread.say(call.threads.message(message_of(call.body)))


def messages(call: Call) -> Result:
    """List the messages of a thread, or those of a run."""
    query = dict(call.query)
    found = call.thread.messages()
    if "run_id" in query:
        found = [each for each in found if each.get("run_id") == query["run_id"]]
    return page(found, query)


def message(call: Call) -> Result:
    """Give a message."""
    return _with_id(call.thread.messages(), "message", call.params["message"])


def file(call: Call) -> Result:
    """Give the content of a file; of an image that nobody gave, a picture."""
    id = call.params["file"]
    entry = call.entry
    if entry is None:
        raise missing_file(id)
    return entry.served.files[id] if id in entry.served.files else picture(id)


def create_response(call: Call) -> Result:
    """Create a response."""
    return responses.create(
        call.responses, lambda model: call.entry or call.choose("", model), call.body
    )


def retrieve_response(call: Call) -> Result:
    """Say what a response is, or go on with its stream."""
    return responses.retrieve(call.responses, call.params["response"], call.query)


_RUN: Final = "/threads/{thread}/runs/{run}"

_OPERATIONS: Final[Sequence[tuple[Operation, str, str, Callable[[Call], Result]]]] = (
    ("create_thread_and_run", "POST", "/threads/runs", create),
    ("create_thread", "POST", "/threads", create_thread),
    ("retrieve_thread", "GET", "/threads/{thread}", retrieve_thread),
    ("create", "POST", "/threads/{thread}/runs", create),
    ("list", "GET", "/threads/{thread}/runs", runs),
    ("retrieve", "GET", _RUN, retrieve),
    ("modify", "POST", _RUN, modify),
    ("submit", "POST", f"{_RUN}/submit_tool_outputs", submit),
    ("cancel", "POST", f"{_RUN}/cancel", cancel),
    ("steps", "GET", f"{_RUN}/steps", steps),
    ("step", "GET", f"{_RUN}/steps/{{step}}", step),
    ("create_message", "POST", "/threads/{thread}/messages", create_message),
    ("messages", "GET", "/threads/{thread}/messages", messages),
    ("message", "GET", "/threads/{thread}/messages/{message}", message),
    ("create_response", "POST", "/responses", create_response),
    ("retrieve_response", "GET", "/responses/{response}", retrieve_response),
    ("file", "GET", "/files/{file}/content", file),
)


class Route(NamedTuple):
    """How an operation is asked for, and what does it."""

    operation: Operation | None
    method: str
    pattern: re.Pattern[str]
    work: Callable[[Call], Result]


# Whatever comes before, a client's base URL decides.
_BASE: Final = r"(?:(?!/(?:threads|files)(?:/|\Z)).)*"


def _route(operation: Operation, method: str, path: str, work: Callable[[Call], Result]) -> Route:
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    return Route(operation, method, re.compile(f"{_BASE}{pattern}/?"), work)


_ROUTES: Final[Sequence[Route]] = [_route(*each) for each in _OPERATIONS]
_ANYTHING: Final = re.compile(".*")


def match(method: str, path: str) -> tuple[Route, Mapping[str, str]]:
    """Find what a request asks for, and the parameters of its path, decoded.

    What is no operation is a route, too, that refuses.

    Args:
        method: In capitals.
        path: As it came, so that an encoded slash in an id is none that parts it.
    """
    found = [(route, route.pattern.fullmatch(path)) for route in _ROUTES]
    matches = [(route, each.groupdict()) for route, each in found if each]

    def refuse(_: Call) -> NoReturn:
        raise unknown_url(method, unquote(path), is_known=bool(matches))

    for route, params in matches:
        if route.method == method:
            return route, {name: unquote(value) for name, value in params.items()}
    return Route(None, method, _ANYTHING, refuse), {}
