"""A script at its place: what it was asked, and what it has said."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.server.bodies import rewritten, with_keepalives
from tests.server.objects import Wire
from tests.server.plays import Play
from tests.server.scripts import Answer, Operation, Place, Script

__all__ = ["Request", "Scene"]


class Request(NamedTuple):
    """What the server was asked."""

    operation: Operation
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]  # names in lower case
    json: Any


class Scene:
    """A script at its place, and the run that plays it."""

    def __init__(self, script: Script, place: Place, older_runs: Sequence[Wire] = ()) -> None:
        self.script = script
        self.place = place
        legs = map(with_keepalives, script.legs) if script.keepalives else script.legs
        self.legs = rewritten([*legs], place)
        own = {"object": "thread.run", "assistant_id": place.assistant_id}
        self.older_runs = [own | run | {"thread_id": place.thread_id} for run in older_runs]
        self.answers = {name: deque(said) for name, said in script.answers.items()}
        self.requests: list[Request] = []
        self.sent = 0  # bytes of bodies, before compression
        self.play: Play | None = None

    def begin(self, metadata: Wire | None) -> Play:
        """Begin a run."""
        polls = self.script.busy_polls
        self.play = Play(self.legs, busy_polls=polls, metadata=metadata or {})
        return self.play

    def runs(self) -> list[Wire]:
        """The runs of the thread, in the order in which they began."""
        latest = [self.play.objects().run] if self.play else []
        return [*self.older_runs, *(run for run in latest if "id" in run)]

    def answer(self, operation: Operation) -> Answer | None:
        """Take the answer that a call of this operation gets, where the script has one."""
        left = self.answers.get(operation)
        return left.popleft() if left else None

    def knows_file(self, file_id: str) -> bool:
        """Whether a file belongs to this script."""
        named = any(file_id.encode() in leg.data for leg in self.legs)
        return named or file_id in self.script.files
