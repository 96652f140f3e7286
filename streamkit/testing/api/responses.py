"""The Responses API: responses are created, gone on with, and asked for again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from ..._wire import to_wire
from ...accumulator import Accumulator
from ...convert import to_response_items
from ...errors import PeerError
from .bodies import Body, Read
from .delivery import Delivery
from .errors import ApiError, bad, failed
from .fields import pairs, text
from .objects import Wire
from .scenes import Entry, Scene

__all__ = ["Responses", "create", "retrieve"]

# What waits for an output of its own: how items of that are called, and how the API calls
# the call where it misses the output.
_ANSWERED: Final = {
    "function_call": ("function_call_output", "function call"),
    "custom_tool_call": ("custom_tool_call_output", "custom tool call"),
}


class Turn(NamedTuple):
    """A response: a leg of what is played.

    Attributes:
        scene: Who plays it.
        leg: Which it is.
        is_background: Whether it was to go on by itself.
        is_streamed: Whether it was to be a stream.
    """

    scene: Scene
    leg: int
    is_background: bool
    is_streamed: bool

    @property
    def body(self) -> Body:
        """What it says."""
        return self.scene.play.legs[self.leg]

    @property
    def output(self) -> Sequence[Wire]:
        """What it comes to."""
        output: Sequence[Wire] = _response(self.body.events())["output"]
        return output

    @property
    def now(self) -> Wire:
        """What it is now."""
        play = self.scene.play
        said = play.said() if self.leg == play.leg else self.body.events()
        return self._described(said or self.body.events(1))

    @property
    def at_first(self) -> Wire:
        """What it was before anything was done."""
        return self._described(self.body.events(1))

    def _described(self, said: Sequence[Read]) -> Wire:
        metadata = self.scene.play.metadata
        response = _response(said)
        if self.is_background:
            response["background"] = True
        return response | ({"metadata": metadata} if metadata else {})


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

    def begin(self, scene: Scene, body: Wire) -> Turn:
        """Take note of the response that a leg is; one that says the same makes way for it."""
        is_background, is_streamed = bool(body.get("background")), bool(body.get("stream"))
        turn = Turn(scene, scene.play.leg, is_background, is_streamed)
        run = turn.body.first_run
        if run is None:
            raise failed("What is served holds no response.")
        self._turns.pop(run.run.id, None)  # it would keep its rank
        self._turns[run.run.id] = turn
        return turn

    def before(self, previous: str, given: Sequence[Wire]) -> Turn | None:
        """Find the response that a request goes on with: by its id, or by its calls.

        Raises:
            ApiError: There is none such, or it is given too few outputs, or too many.
        """
        answered = {
            item["call_id"]: item["type"]
            for item in given
            if str(item.get("type")).endswith("_call_output") and item.get("call_id")
        }
        turn = self._turns.get(previous) if previous else self._called(answered.keys())
        if previous and turn is None:
            message = f"Previous response with id '{previous}' not found."
            code = "previous_response_not_found"
            raise bad(message, param="previous_response_id", code=code)
        calls = {} if turn is None else dict(_calls(turn.output))
        for id, kind in calls.items():
            wanted, name = _ANSWERED.get(kind, (None, ""))
            if wanted is not None and answered.get(id) != wanted:
                raise bad(f"No tool output found for {name} {id}.", param="input")
        known = calls.keys() | {id for id, _ in _calls(given)}
        for id, kind in answered.items():
            if id not in known:
                name = kind.removesuffix("_output").replace("_", " ")
                message = f"No tool call found for {name} output with call_id {id}."
                raise bad(message, param="input")
        return turn

    def _called(self, ids: Any) -> Turn | None:
        """Find the last response with one of these calls."""
        turns = [*self._turns.values()][::-1] if ids else []
        return next((turn for turn in turns if ids & dict(_calls(turn.output)).keys()), None)


def _calls(items: Sequence[Wire]) -> Iterator[tuple[str, str]]:
    """Yield the ids of calls that are answered, and what they are."""
    for item in items:
        if item.get("call_id") and not str(item.get("type")).endswith("_output"):
            yield item["call_id"], str(item.get("type"))


def create(
    responses: Responses, choose: Callable[[str], Entry | None], body: Wire
) -> Wire | Delivery:
    """Create a response: the next one of what is played, or the first of something else.

    Raises:
        ApiError: The request is wrong, or nothing is served.
    """
    model, previous = text(body, "model"), text(body, "previous_response_id")
    metadata = pairs(body, "metadata")
    given = body.get("input")
    items = [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []
    before = responses.before(previous, items)
    scene = _after(before)
    if scene is None:
        if before is not None and dict(_calls(before.output)):
            raise failed("What is served has no further response: say or record what comes next.")
        scene = _chosen(choose, model, metadata)
    turn = responses.begin(scene, body)
    if turn.is_streamed:
        return Delivery(scene)
    if turn.is_background:
        return turn.at_first
    scene.play.hear(turn.leg, len(turn.body))
    return turn.now


def _after(before: Turn | None) -> Scene | None:
    """Begin the response that comes after another one, in the same scene."""
    if before is None or before.leg + 1 == len(before.scene.play.legs):
        return None
    before.scene.play.begin(before.leg + 1)
    return before.scene


def _chosen(choose: Callable[[str], Entry | None], model: str, metadata: Wire) -> Scene:
    entry = choose(model)
    if entry is None:
        message = f"The requested model '{model}' does not exist."
        raise bad(message, param="model", code="model_not_found")
    return Scene.of_responses(entry, metadata)


def retrieve(responses: Responses, id: str, query: Sequence[tuple[str, str]]) -> Wire | Delivery:
    """Say what a response is, or go on with its stream after an event.

    Raises:
        ApiError: There is none such, or it cannot be streamed, or the number is none.
    """
    turn = responses.find(id)
    asked = dict(query)
    if asked.get("stream") != "true":
        turn.scene.play.looks += turn.leg == turn.scene.play.leg
        return turn.now
    after = asked.get("starting_after", "-1")
    try:
        number = int(after)
    except ValueError:
        message = f"Invalid type for 'starting_after': expected an integer, but got '{after}'."
        raise bad(message, param="starting_after", code="invalid_type") from None
    for is_so, how in ((turn.is_background, "background"), (turn.is_streamed, "stream")):
        if not is_so:
            message = "This response cannot be streamed because it was not created with "
            raise bad(f"{message}{how}=true.", param="stream")
    return Delivery(turn.scene, leg=turn.leg, start=_place(turn.body, number))


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
            if (getattr(event, "sequence_number", None) or 0) > number:
                return body.ends[rank]
    return len(body)
