"""What each operation of the API does, and how it refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from tests.server.delivery import Leg
from tests.server.errors import ApiError, bad, missing, missing_file
from tests.server.objects import Objects, Wire
from tests.server.pages import page
from tests.server.plays import FINAL, Play
from tests.server.scenes import Scene
from tests.server.scripts import Operation
from tests.server.stage import Stage

__all__ = ["OPERATIONS", "Call"]

_CONTENT: Final = "step_details.tool_calls[*].file_search.results[*].content"


class Call(NamedTuple):
    """A request, and the scene that it belongs to."""

    stage: Stage
    scene: Scene
    request: Request
    body: Wire

    @property
    def play(self) -> Play:
        """The run that is played.

        Raises:
            ApiError: The path names no run of this scene.
        """
        id = self.request.path_params["run"]
        play = self.scene.play
        if play is None or play.objects().run.get("id") != id:
            raise missing("run", id)
        return play

    @property
    def older(self) -> Wire | None:
        """The older run that the path names."""
        id = self.request.path_params["run"]
        return next((run for run in self.scene.older_runs if run["id"] == id), None)


def said(wire: Wire) -> ASGIApp:
    """Answer with an object. Halves of characters, as streams bring them, are escaped."""
    return Response(json.dumps(wire), media_type="application/json")


def create(call: Call) -> ASGIApp:
    """Begin a run."""
    if not call.body.get("assistant_id"):
        code = "missing_required_parameter"
        raise bad("Missing required parameter: 'assistant_id'.", param="assistant_id", code=code)
    return _leg(call, call.scene.begin(call.body.get("metadata")))


def submit(call: Call) -> ASGIApp:
    """Go on with a run that waits."""
    play = call.play
    run = play.objects().run
    if run["status"] != "requires_action":
        raise bad(f'Runs in status "{run["status"]}" do not accept tool outputs.')
    kind = run["required_action"]["type"]
    name = "tool_outputs" if kind == "submit_tool_outputs" else "tool_approvals"
    wanted = [each["id"] for each in run["required_action"][kind]["tool_calls"]]
    given = [each.get("tool_call_id") for each in call.body.get(name) or []]
    if sorted(wanted) != sorted(map(str, given)):
        raise bad(f"Expected tool outputs for call_ids {wanted}, got {given}")
    if play.leg + 1 == len(play.legs):
        raise ApiError(500, "The script has no further leg.", type="server_error")
    play.begin(play.leg + 1)
    return _leg(call, play)


def _leg(call: Call, play: Play) -> ASGIApp:
    """Answer with the leg that has just begun, or with the run alone."""
    if call.body.get("stream"):
        return Leg(call.stage, call.scene, play)
    return said(play.at_first())


def retrieve(call: Call) -> ASGIApp:
    """Say how a run is."""
    if call.older:
        return said(call.older)
    call.play.looks += 1
    return said(call.play.objects().run)


def runs(call: Call) -> ASGIApp:
    """List the runs of a thread."""
    return said(page(call.scene.runs(), call.request.query_params))


def modify(call: Call) -> ASGIApp:
    """Change the metadata of a run."""
    given = call.body.get("metadata") or {}
    if call.older:
        call.older["metadata"] = (call.older.get("metadata") or {}) | given
        return said(call.older)
    call.play.metadata = call.play.metadata | given
    return said(call.play.objects().run)


def cancel(call: Call) -> ASGIApp:
    """End a run."""
    status = (call.older or call.play.objects().run)["status"]
    if status in FINAL or status == "cancelling":
        raise bad(f"Cannot cancel run with status '{status}'.")
    return said(call.play.cancel())


def steps(call: Call) -> ASGIApp:
    """List the steps of a run."""
    return said(page(_steps(call), call.request.query_params))


def step(call: Call) -> ASGIApp:
    """Give a step of a run."""
    id = call.request.path_params["step"]
    for each in _steps(call):
        if each["id"] == id:
            return said(each)
    raise missing("run step", id)


def _steps(call: Call) -> list[Wire]:
    if call.older:
        return []
    found = call.play.objects().steps
    query = call.request.query_params
    wanted = [*query.getlist("include[]"), *query.getlist("include")]
    return found if _CONTENT in wanted else [_without_content(each) for each in found]


def _without_content(step: Wire) -> Wire:
    """Leave out the passages that a search found: they come on demand only."""
    step = copy.deepcopy(step)
    for call in (step.get("step_details") or {}).get("tool_calls") or []:
        for result in (call.get("file_search") or {}).get("results") or []:
            result.pop("content", None)
    return step


def messages(call: Call) -> ASGIApp:
    """List the messages of a thread, or those of a run."""
    query = call.request.query_params
    run, _, found = call.scene.play.objects() if call.scene.play else Objects({}, [], [])
    mine = query.get("run_id", run.get("id")) == run.get("id")
    return said(page(found if mine else [], query))


def file(call: Call) -> ASGIApp:
    """Give the content of a file."""
    id = call.request.path_params["file"]
    content = call.scene.script.files.get(id)
    if content is None:
        raise missing_file(id)
    return Response(content, media_type="application/octet-stream")


_RUNS: Final = "/threads/{thread}/runs"
_RUN: Final = "/threads/{thread}/runs/{run}"

# How each is asked for, and what does it. "/threads/runs" stands before what would match it, too.
OPERATIONS: Final[Sequence[tuple[Operation, str, str, Callable[[Call], ASGIApp]]]] = (
    ("create_thread_and_run", "POST", "/threads/runs", create),
    ("create", "POST", _RUNS, create),
    ("list", "GET", _RUNS, runs),
    ("retrieve", "GET", _RUN, retrieve),
    ("modify", "POST", _RUN, modify),
    ("submit", "POST", f"{_RUN}/submit_tool_outputs", submit),
    ("cancel", "POST", f"{_RUN}/cancel", cancel),
    ("steps", "GET", f"{_RUN}/steps", steps),
    ("step", "GET", f"{_RUN}/steps/{{step}}", step),
    ("messages", "GET", "/threads/{thread}/messages", messages),
    ("file", "GET", "/files/{file}/content", file),
)
