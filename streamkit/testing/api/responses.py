"""The Responses API: responses are created, gone on with, and asked for again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..._wire import to_wire
from ...accumulator import Accumulator
from ...convert import to_response_items
from ...errors import PeerError
from ...events import ResponseStreamEvent
from .bodies import Body, Read
from .delivery import Delivery
from .errors import ApiError, bad, failed
from .fields import pairs, text
from .objects import Wire
from .scenes import Entry, Scene

__all__ = ["Responses", "create", "retrieve"]


class Turn(NamedTuple):
    """A response: a leg of what is played."""

    scene: Scene
    leg: int

    @property
    def body(self) -> Body:
        """What it says."""
        return self.scene.play.legs[self.leg]


class Responses:
    """The responses that are played, by their ids."""

    def __init__(self) -> None:
        self._turns: dict[str, Turn] = {}

    def find(self, id: str) -> Turn:
        """Find a response.

        Raises:
            ApiError: There is none such.
        """
        if id not in self._turns:
            raise ApiError(404, f"Response with id '{id}' not found.")
        return self._turns[id]

    def begin(self, scene: Scene) -> Turn:
        """Take note of the response that a leg is."""
        turn = Turn(scene, scene.play.leg)
        run = turn.body.first_run
        if run is None:
            raise failed("What is served holds no response.")
        self._turns.pop(run.run.id, None)  # it would keep its rank
        self._turns[run.run.id] = turn
        return turn

    def before(self, previous: str, said: object) -> Turn | None:
        """Find the response that a request goes on with: by its id, or by its calls."""
        if previous:
            return self.find(previous)
        calls = {
            item.get("call_id")
            for item in (said if isinstance(said, list) else ())
            if isinstance(item, dict) and item.get("type") == "function_call_output"
        }
        for turn in [*self._turns.values()][::-1]:
            if calls & {item.get("call_id") for item in _response(turn.body.events())["output"]}:
                return turn
        return None


def create(
    responses: Responses, choose: Callable[[str], Entry | None], body: Wire
) -> Wire | Delivery:
    """Create a response: the next one of what is played, or the first of something else.

    Raises:
        ApiError: The request is wrong, or nothing is served.
    """
    model, previous = text(body, "model"), text(body, "previous_response_id")
    metadata = pairs(body, "metadata")
    before = responses.before(previous, body.get("input"))
    play = None if before is None else before.scene.play
    if before is not None and play is not None and before.leg + 1 < len(play.legs):
        scene = before.scene
        play.begin(before.leg + 1)
    else:
        entry = choose(model)
        if entry is None:
            message = f"The requested model '{model}' does not exist."
            raise bad(message, param="model", code="model_not_found")
        scene = Scene.of_responses(entry, metadata)
    turn = responses.begin(scene)
    if body.get("stream"):
        return Delivery(scene)
    if not body.get("background"):
        scene.play.hear(turn.leg, len(turn.body))
    return _now(turn)


def retrieve(responses: Responses, id: str, query: Sequence[tuple[str, str]]) -> Wire | Delivery:
    """Say what a response is, or go on with its stream after an event.

    Raises:
        ApiError: There is none such, or the number is none.
    """
    turn = responses.find(id)
    asked = dict(query)
    if asked.get("stream") != "true":
        turn.scene.play.looks += turn.leg == turn.scene.play.leg
        return _now(turn)
    after = asked.get("starting_after", "-1")
    try:
        number = int(after)
    except ValueError:
        message = f"Invalid 'starting_after': expected an integer, got '{after}'."
        raise bad(message, param="starting_after") from None
    return Delivery(turn.scene, leg=turn.leg, start=_place(turn.body, number))


def _now(turn: Turn) -> Wire:
    """Say what a response is now."""
    play = turn.scene.play
    is_past = turn.leg != play.leg
    said = turn.body.events() if is_past else play.said()
    return _response(said or turn.body.events(1)) | _described(play.metadata)


def _described(metadata: Wire) -> Wire:
    return {"metadata": metadata} if metadata else {}


def _response(said: Sequence[Read]) -> Wire:
    """Say what a response is after these events."""
    accumulator = Accumulator()
    try:
        for event in said:
            accumulator.feed(event)
    except PeerError:
        pass  # what came before it stands
    snapshot = accumulator.snapshot()
    run: Wire = {} if snapshot.run is None else to_wire(snapshot.run)
    return run | {"output": run.get("output") or [*to_response_items(snapshot)]}


def _place(body: Body, number: int) -> int:
    """Say where the events begin that come after a number."""
    for rank, said in enumerate(body.said):
        for event in said:
            if isinstance(event, ResponseStreamEvent) and (event.sequence_number or 0) > number:
                return body.ends[rank]
    return len(body)
