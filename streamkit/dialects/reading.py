"""The bytes of a body, in any envelope, to events."""

from __future__ import annotations

from typing import Final

from .._blocks import BOM, Blocks
from ..limits import Limits
from .bodies import Body, Read
from .event_stream import EventStream
from .json_lines import JsonLines
from .learning import Templates
from .usual import read_usual

__all__ = ["EventReader"]

_BLANK: Final = b" \t\r\n"

# Above this, looking whether a chunk is just one frame costs more than it saves.
_SMALL: Final = 1024

_OF_RUNS: Final = b"event: thread."
_CR: Final = ord("\r")


class EventReader:
    """Reads the body of a leg: an event stream, or lines of JSON.

    Which of the two it is, the first byte that is not blank says: ``{`` is JSON. Where
    one body holds several legs, each is looked at afresh.

    Args:
        limits: What the body may ask for.
        templates: Read frames that are alike together, by a `Template`; they come as
            `Series`. Otherwise each is decoded on its own.
    """

    __slots__ = (
        "_blocks",
        "_body",
        "_has_begun",
        "_head",
        "_limits",
        "_of_one",
        "_offset",
        "_small",
        "_templates",
    )

    def __init__(self, limits: Limits, *, templates: bool = False) -> None:
        self._limits = limits
        self._templates = Templates() if templates else None
        self._of_one = Templates(2) if templates else None  # for frames that come alone
        self._small = min(_SMALL, limits.frame_bytes)
        self._body: Body | None = None
        self._blocks: Blocks | None = None  # of the body, if it is an event stream
        self._has_begun = False  # a byte-order mark may no longer come
        self._head = b""  # the first bytes, while they may be one, or a blank
        self._offset = 0  # of the head, in the stream

    def read(self, chunk: bytes) -> list[Read]:
        """Return the events that this chunk completes.

        Last stands the error where reading cannot go on.
        """
        blocks = self._blocks
        size = len(chunk)
        if blocks is not None and blocks.quiet and size <= self._small:
            # A live server sends nearly every frame as a chunk of its own.
            templates = self._of_one
            template = templates.template if templates is not None else None
            if template is not None and chunk.startswith(template.start):
                series = template.read_one(chunk)
                if series is not None:
                    blocks.offset += size
                    return [series]
            if chunk.endswith(b"\n\n") and _CR not in chunk:
                # More varies between two fragments of a response than can pay for one frame.
                event = read_usual(chunk[:-2], templates if chunk.startswith(_OF_RUNS) else None)
                if event is not None:
                    blocks.offset += size
                    return [event]
        body = self._body
        if body is not None:
            events = body.read(chunk)
            if body.rest is None:
                return events
        else:
            body = self._begin(chunk)
            events = body.read(self._head) if body is not None else []
        while body is not None and body.rest is not None:
            self._body = self._blocks = None
            self._has_begun = False
            self._head = b""
            self._offset = body.offset
            body = self._begin(body.rest)
            if body is not None:
                events += body.read(self._head)
        return events

    def finish(self) -> list[Read]:
        """Return the event that the unfinished rest amounts to, if it does to one.

        The standard says to discard it. But bodies are often saved without their last
        blank line, and JSON says itself where it ends: so a whole object counts, and
        ``[DONE]``. Anything else was cut.
        """
        return self._body.finish() if self._body is not None else []

    @property
    def is_cut(self) -> bool:
        """Whether what was left at the end was something, but no event."""
        return self._body is not None and self._body.is_cut

    def _begin(self, chunk: bytes) -> Body | None:
        """Look at the first bytes; leave in the head what the body is to read first."""
        data = self._head + chunk
        end = self._offset + len(data)
        if not self._has_begun:
            data = data.lstrip(b"\r\n")
            if len(data) < len(BOM) and BOM.startswith(data):
                self._head = data
                self._offset = end - len(data)
                return None
            self._has_begun = True
            data = data.removeprefix(BOM)
        text = data.lstrip(_BLANK)
        # To the grammar of event streams, a line that begins with one blank or with many
        # is the same, so that one of them is enough to remember.
        indent = data[: len(data) - len(text)][-1:].strip(b"\r\n")
        self._head = indent + text
        self._offset = end - len(self._head)
        if not text:
            return None
        if text.startswith(b"{"):
            self._body = JsonLines(self._limits, self._offset)
        else:
            stream = EventStream(self._limits, self._offset, self._templates)
            self._body, self._blocks = stream, stream.blocks
        return self._body
