"""Writing items, and noting what they cannot say."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Literal, NamedTuple

from ..snapshots import RunStep
from .cargo import Cargo
from .report import Decision, DecisionKind

__all__ = ["STATUSES", "UNKNOWN_CONTAINER", "Options", "Writer"]

# Stands for a container where code ran in none. The API takes only one that exists.
UNKNOWN_CONTAINER: Final = "cntr_unknown"

# What the API takes: how ids begin, what they are made of, and how long they may be.
_PREFIXES: Final[Mapping[str, str]] = {
    "code_interpreter_call": "ci_",
    "file_search_call": "fs_",
    "function_call": "call_",  # the id that its output names: any text, but not too long
    "mcp_approval_request": "mcpr_",
    "mcp_call": "mcp_",
    "mcp_list_tools": "mcpl_",
    "message": "msg_",
}
_LONGEST: Final = 64
_ID: Final = re.compile(r"[A-Za-z0-9_-]+")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

# Which statuses an item may end with.
_ENDS: Final = frozenset({"completed", "incomplete"})
_CALL_ENDS: Final = _ENDS | {"failed"}
_ACCEPTED: Final[Mapping[str, Collection[str]]] = {
    "code_interpreter_call": _CALL_ENDS,
    "file_search_call": _CALL_ENDS,
    "function_call": _ENDS,
    "mcp_call": _CALL_ENDS,
    "message": _ENDS,
}
STATUSES: Final = _CALL_ENDS | {"in_progress"}


class Options(NamedTuple):
    """What the caller decides."""

    container_id: str | Callable[[RunStep], str | None] | None
    image_url: Callable[[str], str | None] | None
    status: Mapping[str, str]


class Writer:
    """Items as they are written.

    Attributes:
        items: Those that are.
        decisions: What they cannot say.
        options: What the caller decides.
        awaited: The ids of the calls that the run waits for.
        names: The names of files, by their ids.
        step: The step that is being written, if one is.
        message_id: The message that is being written, if one is.
    """

    def __init__(
        self, options: Options, awaited: Collection[str], names: Mapping[str, str]
    ) -> None:
        self.items: list[dict[str, Any]] = []
        self.decisions: list[Decision] = []
        self.options: Options = options
        self.awaited: Collection[str] = awaited
        self.names: Mapping[str, str] = names
        self.step: RunStep | None = None
        self.message_id: str | None = None
        self._ids: set[str] = set()
        self._bookkeeping: set[str] = set()

    def note(
        self,
        kind: DecisionKind,
        path: str,
        *,
        said: Any = None,
        given: Any = None,
        by: Literal["default", "caller"] = "default",
    ) -> None:
        """Note a decision."""
        self.decisions.append(
            Decision(
                kind=kind,
                path=path,
                step_id=self.step.id if self.step is not None else None,
                message_id=self.message_id,
                said=said,
                given=given,
                by=by,
            )
        )

    def note_left(self, cargo: Cargo) -> None:
        """Note what was not carried."""
        for path, value in cargo.left():
            self.note("left_out", path, said=value)

    def leave(self, kind: DecisionKind, cargo: Cargo) -> None:
        """Note that all of an object is left out."""
        self.note(kind, cargo.path, said=cargo.all() or None)

    def drop(self, cargo: Cargo, names: Collection[str]) -> None:
        """Leave out fields that items never have; they are noted once, by their names."""
        self._bookkeeping.update(cargo.drop(names))

    def note_dropped(self) -> None:
        """Note the fields that were left out everywhere."""
        if self._bookkeeping:
            self.note("bookkeeping", "", said=sorted(self._bookkeeping))

    def keep_id(self, id: object) -> None:
        """Take note of an id that is in use."""
        if isinstance(id, str):
            self._ids.add(id)

    def id(self, kind: str, cargo: Cargo, *, instead: str = "") -> str:
        """Take an object's id for an item of a kind, or make one that the API takes.

        Args:
            kind: The item's type.
            cargo: The object.
            instead: What an id is made of where there is none.
        """
        said = cargo.take("id", str)
        prefix = _PREFIXES[kind]
        id = said or f"{prefix}{instead}"
        if kind != "function_call" and not (id.startswith(prefix) and _ID.fullmatch(id)):
            id = f"{prefix}{id}"
        if len(id) > _LONGEST or not (kind == "function_call" or _ID.fullmatch(id)):
            id = f"{prefix}{_digest(id)}"
        made, count = id, 1
        while made in self._ids:
            count += 1
            made = f"{prefix}{_digest(f'{id} {count}')}"
        self._ids.add(made)
        if made != said:
            self.note("id", cargo.at("id"), said=said, given=made)
        return made

    def name(self, cargo: Cargo, *, instead: str) -> str:
        """Take a function's name, or make one that the API takes."""
        said = cargo.take("name", str)
        if said is not None and _NAME.fullmatch(said):
            return said
        given = re.sub(r"[^A-Za-z0-9_-]", "_", said or instead)[:_LONGEST] or "unknown"
        self.note("name", cargo.at("name"), said=said, given=given)
        return given

    def status(self, kind: str, said: str | None, path: str) -> str:
        """Return the status of an item of a kind, given that of its step or message."""
        chosen = self.options.status.get(said or "in_progress")
        if chosen == "in_progress" or chosen in _ACCEPTED[kind]:
            if chosen != said:
                self.note(_why(said), path, said=said, given=chosen, by="caller")
            return str(chosen)
        if said in _ACCEPTED[kind]:
            return str(said)
        self.note(_why(said), path, said=said, given="incomplete")
        return "incomplete"

    def container(self, path: str) -> str:
        """Return the id of the container that the step's code ran in."""
        chosen = self.options.container_id
        if callable(chosen):
            chosen = chosen(self.step) if self.step is not None else None
        given = chosen or UNKNOWN_CONTAINER
        self.note("container", path, given=given, by="caller" if chosen else "default")
        return given

    def image(self, file_id: str, path: str) -> str | None:
        """Return the URL of an image; None where there is none."""
        resolve = self.options.image_url
        url = (resolve(file_id) if resolve is not None else None) or None
        self.note("image", path, said=file_id, given=url, by="caller" if resolve else "default")
        return url


def _why(said: str | None) -> DecisionKind:
    return "unfinished" if said in (None, "in_progress") else "status"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]
