"""All that the server plays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count

from tests.server.errors import missing, missing_file
from tests.server.objects import Wire
from tests.server.scenes import Scene
from tests.server.scripts import Place, Script

__all__ = ["Stage"]


class Stage:
    """The scenes, by thread and by assistant; and how many streams are open."""

    def __init__(self, catalogue: Mapping[str, Script]) -> None:
        self.catalogue = catalogue  # by assistant: each run is a new scene, on any thread
        self.scenes: dict[Place, Scene] = {}
        self.open_streams = 0
        self.paused: set[object] = set()  # connections that wait for their clients to read
        self._changed = threading.Condition()
        self._numbers = count(1)

    def add(self, script: Script, older_runs: Sequence[Wire] = ()) -> Place:
        """Put a script at a place of its own."""
        id = self._new_id()
        return self._put(Scene(script, Place(f"thread_{id}", f"asst_{id}"), older_runs)).place

    def scene(self, thread_id: str) -> Scene:
        """Find what is played on a thread."""
        for scene in self._latest():
            if scene.place.thread_id == thread_id:
                return scene
        raise missing("thread", thread_id)

    def scene_to_begin(self, thread_id: str | None, assistant_id: str) -> Scene:
        """Find what a new run plays."""
        if script := self.catalogue.get(assistant_id):
            place = Place(thread_id or f"thread_{self._new_id()}", assistant_id)
            return self._put(Scene(script, place))
        if thread_id is not None:
            return self.scene(thread_id)
        for scene in self._latest():
            if scene.place.assistant_id == assistant_id:
                return scene
        raise missing("assistant", assistant_id)

    def scene_with(self, file_id: str) -> Scene:
        """Find whose file it is."""
        for scene in self._latest():
            if scene.knows_file(file_id):
                return scene
        raise missing_file(file_id)

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Count a stream while it is open."""
        with self._changed:
            self.open_streams += 1
        try:
            yield
        finally:
            with self._changed:
                self.open_streams -= 1
                self._changed.notify_all()

    def pause(self, connection: object) -> None:
        """Note that a client reads too slowly."""
        with self._changed:
            self.paused.add(connection)
            self._changed.notify_all()

    def wait_until(self, is_so: Callable[[], bool], timeout: float) -> None:
        """Wait until something is so of the streams."""
        with self._changed:
            if not self._changed.wait_for(is_so, timeout):
                raise TimeoutError(f"{self.open_streams} streams are open")

    def _latest(self) -> list[Scene]:
        """All scenes, the latest first: recordings may share the ids of files."""
        return [*self.scenes.values()][::-1]

    def _new_id(self) -> str:
        """Make an id as long as real ones, so that where a body is cut does not depend on it."""
        return f"{next(self._numbers):06}NotARealId{0:08}"

    def _put(self, scene: Scene) -> Scene:
        self.scenes.pop(scene.place, None)  # it would keep its rank
        self.scenes[scene.place] = scene
        return scene
