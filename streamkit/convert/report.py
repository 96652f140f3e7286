"""What a conversion gives: items, and a report of what they cannot say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct

__all__ = ["Decision", "DecisionKind", "ResponseItems"]

# How much of a value a sentence shows.
_SHOWN: Final = 80

DecisionKind = Literal[
    "annotation",
    "bookkeeping",
    "container",
    "empty",
    "id",
    "image",
    "kind",
    "left_out",
    "message_missing",
    "name",
    "queries",
    "results",
    "role",
    "status",
    "unanswered",
    "unfinished",
]

_REASONS: Final[Mapping[DecisionKind, str]] = {
    "annotation": "an annotation of an item says it otherwise",
    "bookkeeping": "items do not tell when and for whom they were made",
    "container": "which container the code ran in is not known",
    "empty": "there is nothing in it to make an item of",
    "id": "the Responses API would refuse the id",
    "image": "the image has a file id, and an item wants its URL",
    "kind": "there is no item for a call of this kind",
    "left_out": "an item has no place for it",
    "message_missing": "the message that the step created is not among those given",
    "name": "the name is missing, or the Responses API would refuse it",
    "queries": "what was searched for is not known",
    "results": "a result of an item holds one passage",
    "role": "who wrote the message is not known",
    "status": "an item of its kind cannot have the status",
    "unanswered": "the call has no output, and the Responses API refuses it until it is given one",
    "unfinished": "it had not come to its end",
}


class Decision(Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """Something that an item cannot say as it was said, and what was decided.

    ===============  =================================================================
    kind             what was to be decided, and what is decided unless the caller does
    ===============  =================================================================
    annotation       an annotation of a message's text: it says as much as one of the
                     Responses API can; one that would have no file or URL is left out
    bookkeeping      the fields that say when and for whom steps and messages were
                     made, all in one decision at the end: left out
    container        the code ran in no container: `UNKNOWN_CONTAINER`
    empty            a step without calls, or a message without content: no item
    id               an id that the Responses API would refuse, or a second one that is
                     the same: made anew of it, or left out where items need none
    image            an image by its file id, an item wants a URL: left out
    kind             a call of a kind that has no item: one with arguments becomes a
                     function call and its output, another is left out
    left_out         whatever else an item has no place for: left out
    message_missing  a step whose message was not given: no item
    name             a function or server without a name, or with one that would be
                     refused: another
    queries          what file search was asked is not known: ``[]``
    results          a search result with several passages: one result for each
    role             a message by nobody: the assistant's
    status           cancelled, expired, or failed where items cannot: incomplete
    unanswered       a function call without an output: carried alone
    unfinished       a step or a message in progress, or of which only fragments were
                     seen: incomplete
    ===============  =================================================================

    Attributes:
        kind: What was to be decided.
        path: Where, in the JSON shape of the snapshot: ``steps[0].step_details...``.
        step_id: The step it belongs to, if to one.
        message_id: The message it belongs to, if to one.
        said: What was said there, whole, as on the wire; None where nothing was.
        given: What the items say instead; None where that is nothing.
        by: Whether the caller decided, or the rule above.
    """

    kind: DecisionKind
    path: str
    step_id: str | None = None
    message_id: str | None = None
    said: Any = None
    given: Any = None
    by: Literal["default", "caller"] = "default"

    @property
    def sentence(self) -> str:
        """The decision in words, with the values shortened."""
        reason = _REASONS[self.kind]
        if self.kind == "bookkeeping":
            return f"{reason}: {', '.join(self.said)} were left out."
        if self.given is not None:
            now = _short(self.given)
            done = f"{now} was given" if self.said is None else f"{_short(self.said)} became {now}"
        elif self.said is not None:
            done = f"{_short(self.said)} was left out"
        else:
            return f"{reason}."
        return f"{reason}: {done}{', as the caller chose' if self.by == 'caller' else ''}."

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}" if self.path else self.sentence


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


class ResponseItems(list[dict[str, Any]]):
    """Items of the Responses API, as plain builtins; a list like any other.

    Attributes:
        report: What the items cannot say as it was said, and what was decided, in the
            order of the source.
    """

    def __init__(
        self, items: list[dict[str, Any]] | None = None, *, report: tuple[Decision, ...] = ()
    ) -> None:
        super().__init__(items or ())
        self.report: tuple[Decision, ...] = report
