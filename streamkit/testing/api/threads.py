"""All threads there are."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from .errors import missing
from .objects import Wire
from .scenes import Entry, Scene, Thread
from .served import Place

__all__ = ["Threads"]


class Threads:
    """The threads, by their ids, and what was put at places of its own.

    Args:
        now: Gives the time, in seconds since 1970.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._threads: dict[str, Thread] = {}
        self._placed: dict[str, Entry] = {}  # by assistant
        self._numbers = count(1)

    def find(self, id: str) -> Thread:
        """Find a thread.

        Raises:
            ApiError: There is none such.
        """
        thread = self._threads.get(id)
        if thread is None:
            raise missing("thread", id)
        return thread

    def new(self, metadata: Wire, id: str | None = None) -> Thread:
        """Make a thread."""
        thread = Thread(id or self._new_id("thread"), int(self._now()), metadata)
        self._threads[thread.id] = thread
        return thread

    def message(self, said: Wire) -> Wire:
        """Make a message of what a user says, for any thread."""
        made = {
            "id": self._new_id("msg"),
            "object": "thread.message",
            "created_at": int(self._now()),
        }
        return made | said

    def place(self) -> Place:
        """Choose a thread and an assistant that nobody has."""
        return Place(self._new_id("thread"), self._new_id("asst"))

    def put(self, entry: Entry, place: Place) -> None:
        """Put something at a place of its own."""
        thread = self.new({}, place.thread_id)
        thread.entry = entry
        thread.older_runs = [
            {"object": "thread.run", "assistant_id": place.assistant_id}
            | run
            | {"thread_id": place.thread_id}
            for run in entry.served.older_runs
        ]
        self._placed[place.assistant_id] = entry

    def placed(self, thread_id: str | None, assistant_id: str) -> Entry | None:
        """Find what was put on a thread, or for an assistant."""
        thread = self._threads.get(thread_id or "")
        if thread is not None and thread.entry is not None:
            return thread.entry
        return self._placed.get(assistant_id)

    def playing(self, thread_id: str, run_id: str | None) -> Entry | None:
        """Find what a thread, or one of its runs, plays."""
        thread = self._threads.get(thread_id)
        if thread is None:
            return None
        runs = [scene for scene in thread.scenes if run_id in (None, scene.run_id)]
        return runs[-1].entry if runs else thread.entry

    def stage(self, entry: Entry, thread_id: str | None, metadata: Wire) -> Thread:
        """Find the thread of a new run, or make it.

        Without an id it has the one of its place or the recorded one; or where that is
        taken, one of its own.
        """
        if thread_id is None and entry.place is not None:
            thread_id = entry.place.thread_id
        if thread_id is None and entry.thread_id not in self._threads:
            thread_id = entry.thread_id
        known = self._threads.get(thread_id or "")
        return self.new(metadata, thread_id) if known is None else known

    @staticmethod
    def begin(entry: Entry, thread: Thread, assistant_id: str, metadata: Wire) -> Scene:
        """Begin a run on a thread."""
        assistant = assistant_id if entry.place is None else entry.place.assistant_id
        scene = Scene(entry, Place(thread.id, assistant), metadata)
        thread.begin(scene)
        return scene

    def _new_id(self, kind: str) -> str:
        """Make an id as long as real ones, so that where a body is cut does not depend on it."""
        return f"{kind}_{next(self._numbers):024}"
