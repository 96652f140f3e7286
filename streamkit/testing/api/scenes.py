"""Threads, what is put on them, and the runs there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain, repeat
from typing import Any

from ...snapshots import Outcome
from ..faults import Fault, Operation, Status
from .bodies import Body, Carried, Ids, carried, rewritten
from .converting import as_responses, data_url, is_response
from .errors import missing
from .objects import Objects, Wire, fold
from .pictures import picture
from .plays import Play
from .served import Asked, Place, Served

__all__ = ["Entry", "Scene", "Statuses", "Thread"]


class Statuses:
    """The answers that requests get instead of what would come, each so many times."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._left = [
            (fault, repeat(fault) if fault.times is None else repeat(fault, fault.times))
            for fault in faults
            if isinstance(fault, Status)
        ]

    def take(self, operation: Operation | None) -> Status | None:
        """Take the next one for an operation."""
        fitting = (left for fault, left in self._left if fault.operation in (None, operation))
        return next(chain.from_iterable(fitting), None)


class Entry:
    """Something that is served, and what has become of it."""

    def __init__(
        self, name: str, served: Served, statuses: Statuses, place: Place | None = None
    ) -> None:
        self.name: str = name
        self.served: Served = served
        self.statuses: Statuses = statuses
        self.place: Place | None = place  # where it was put; None where whoever asks is served
        self.requests: list[Asked] = []
        self.sent: int = 0  # bytes of bodies, before compression
        self._at: tuple[Place, Sequence[Body]] | None = None  # the last place it was played at

    def bodies_at(self, place: Place) -> Sequence[Body]:
        """What its legs say, with the ids of a place."""
        if self._at is None or self._at[0] != place:
            legs = self.served.recording.legs
            self._at = place, rewritten(legs, Ids(*place), self._carried) or self.bodies
        return self._at[1]

    @cached_property
    def bodies(self) -> Sequence[Body]:
        """What its legs say, as recorded."""
        return [Body(leg.chunks) for leg in self.served.recording.legs] or [Body([])]

    @cached_property
    def is_response(self) -> bool:
        """Whether it is of the Responses API."""
        return is_response(self.bodies[0])

    @cached_property
    def responses(self) -> Entry:
        """The same as responses."""
        recording = as_responses(self.served.recording, self._url)
        served = replace(self.served, recording=recording)
        return Entry(self.name, served, self.statuses, self.place)

    def _url(self, file_id: str) -> str:
        return data_url(self.served.files.get(file_id, picture(file_id)))

    @cached_property
    def outcome(self) -> Outcome:
        """What it comes to."""
        return self._objects.outcome

    @cached_property
    def thread_id(self) -> str | None:
        """The thread that the recording speaks of first."""
        return next(iter([*self._carried["id"], *self._carried["thread_id"]]), None)

    @cached_property
    def run_id(self) -> str | None:
        """The run that it is; None where it is none."""
        first = self.bodies[0].first_run
        return None if first is None else first.run.id

    @cached_property
    def images(self) -> frozenset[str]:
        """The ids of the images in it."""
        return frozenset(_images([self._objects.steps, self._objects.messages]))

    @cached_property
    def _objects(self) -> Objects:
        return fold(body.events() for body in self.bodies)

    @cached_property
    def _carried(self) -> Carried:
        return carried(self.bodies)


class Scene:
    """An entry at its place, and the run that plays it there."""

    def __init__(self, entry: Entry, place: Place, metadata: Wire) -> None:
        self.entry: Entry = entry
        self.run_id: str | None = entry.run_id
        legs = entry.bodies_at(place)
        self.play: Play = Play(legs, busy_polls=entry.served.busy_polls, metadata=metadata)

    @classmethod
    def of_responses(cls, entry: Entry, metadata: Wire) -> Scene:
        """Begin with the first response of what is played."""
        scene = cls.__new__(cls)
        scene.entry = entry.responses
        scene.run_id = None
        busy_polls = entry.served.busy_polls
        scene.play = Play(entry.responses.bodies, busy_polls=busy_polls, metadata=metadata)
        return scene


class Thread:
    """A thread: its messages and runs."""

    def __init__(self, id: str, created_at: int, metadata: Wire) -> None:
        self.wire: Wire = {
            "id": id,
            "object": "thread",
            "created_at": created_at,
            "metadata": metadata,
            "tool_resources": {},
        }
        self.entry: Entry | None = None  # what was put on this thread
        self.older_runs: list[Wire] = []
        self._said: list[Wire | Scene] = []  # messages of users, and runs, in order

    @property
    def id(self) -> str:
        """The thread's id."""
        return str(self.wire["id"])

    @property
    def scenes(self) -> list[Scene]:
        """The runs, in the order in which they began."""
        return [each for each in self._said if isinstance(each, Scene)]

    def begin(self, scene: Scene) -> None:
        """Begin a run; one that plays the same recording makes way for it."""
        known = [each for each in self.scenes if each.run_id == scene.run_id]
        self._said = [*(each for each in self._said if each not in known), scene]

    def scene(self, run_id: str) -> Scene:
        """Find a run.

        Raises:
            ApiError: There is none such.
        """
        for scene in self.scenes[::-1]:
            if scene.run_id == run_id:
                return scene
        raise missing("run", run_id)

    def runs(self) -> list[Wire]:
        """The runs, as the API's JSON."""
        latest = [scene.play.objects().run for scene in self.scenes]
        return [*self.older_runs, *(run for run in latest if "id" in run)]

    def say(self, message: Wire) -> Wire:
        """Take a message of a user, and give it as it is on this thread."""
        self._said.append(message | {"thread_id": self.id})
        return message | {"thread_id": self.id}

    def messages(self) -> list[Wire]:
        """The messages, in the order in which they began."""
        return [*chain.from_iterable(map(_messages, self._said))]


def _messages(said: Wire | Scene) -> Sequence[Wire]:
    return said.play.objects().messages if isinstance(said, Scene) else [said]


def _images(value: Any) -> Iterator[str]:
    """Find the ids of images in objects."""
    if isinstance(value, list):
        yield from chain.from_iterable(map(_images, value))
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in ("image", "image_file") and isinstance(item, dict):
                yield from filter(None, [item.get("file_id")])
            else:
                yield from _images(item)
