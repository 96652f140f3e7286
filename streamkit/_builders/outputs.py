"""Outputs of a code interpreter call, growing."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, cast

from .._text import Text
from ..changes import ImageAdded, LogAppended, OutputDone
from ..deltas import CodeInterpreterLogs, CodeInterpreterOutputImage
from ..snapshots import (
    CodeInterpreterImage,
    CodeInterpreterImageOutput,
    CodeInterpreterLogOutput,
    OtherOutput,
)
from .owner import Owner
from .raw import kept, merge, restated, was_sent, without_index
from .row import Node, Row

__all__ = ["ImageOutput", "LogOutput", "OtherOutputNode", "Output", "Outputs"]


class Output(Node):
    """An output of the call that is passed to each method."""

    __slots__ = ()

    def extend(self, owner: Owner, delta: Any) -> bool:
        """Take a fragment; return whether it changed what no change tells."""
        return delta.extra is not None and merge(self.extra, without_index(delta.extra))

    def settle(self, owner: Owner, full: Any, *, final: bool) -> None:
        """Take the whole output, as the server says it is."""
        self.extra = restated(self.extra, full.extra, final=final)

    def flush(self, owner: Owner) -> None:
        """Tell what was held back in the hope of more."""

    def close(self, owner: Owner) -> None:
        """Tell that the output is done, unless that was told."""
        if not self.done:
            self.done = True
            owner.tell(OutputDone, self.index, self.freeze())


class LogOutput(Output):
    """Text that the code printed."""

    __slots__ = ("logs",)

    def __init__(self, index: int, kind: str | None) -> None:
        super().__init__(index, kind)
        self.logs = Text()

    def extend(self, owner: Owner, delta: CodeInterpreterLogs) -> bool:
        if delta.logs:
            owner.append(self, self.logs, delta.logs, LogAppended, self.index)
        elif delta.logs is not None:
            self.extra["logs"] = ""
        return delta.extra is not None and super().extend(owner, delta)

    def settle(self, owner: Owner, full: CodeInterpreterLogOutput, *, final: bool) -> None:
        place = self.index
        if full.logs or was_sent(full, "logs", ""):
            owner.settle_text(
                self, self.logs, full.logs, LogAppended, place, final=final, output_index=place
            )
        super().settle(owner, full, final=final)

    def flush(self, owner: Owner) -> None:
        if piece := self.logs.flush():
            owner.tell(LogAppended, self.index, piece)

    def _build(self) -> CodeInterpreterLogOutput:
        logs = str(self.logs)
        return CodeInterpreterLogOutput(logs=logs, extra=kept(self.extra, logs=logs))


class ImageOutput(Output):
    """An image that the code produced."""

    __slots__ = ("image", "sent")

    def __init__(self, index: int, kind: str | None) -> None:
        super().__init__(index, kind)
        self.image: dict[str, Any] = {}
        self.sent = False  # whether there was an image object, perhaps an empty one

    def extend(self, owner: Owner, delta: CodeInterpreterOutputImage) -> bool:
        changed = super().extend(owner, delta)
        if delta.image is not None:
            changed |= self._set(owner, delta.image, final=True)
        return changed

    def settle(self, owner: Owner, full: CodeInterpreterImageOutput, *, final: bool) -> None:
        if full.image is not None:
            self._set(owner, full.image, final=final)
        super().settle(owner, full, final=final)

    def _set(self, owner: Owner, image: Any, *, final: bool) -> bool:
        """Set what is said: tell an image once, and report one that becomes another."""
        self.sent = True
        before = dict(self.image)
        known = self._where()
        said = {name: value for name in ("file_id", "url") if (value := getattr(image, name))}
        if known and any(self.image.get(name, value) != value for name, value in said.items()):
            both = {"known": known, "said": " ".join(said.values())}
            owner.report("content_differs", output_index=self.index, **both)
            if final:
                self.image.update(said)
            before = dict(self.image)  # the problem tells it
        else:
            self.image.update(said)
            if said and not known:
                owner.tell(ImageAdded, self.index, said.get("file_id"), said.get("url"))
        if image.extra:
            merge(self.image, image.extra)
        return known is not None and self.image != before

    def _where(self) -> str | None:
        known = self.image.get("file_id") or self.image.get("url")
        return cast("str | None", known)

    def _build(self) -> CodeInterpreterImageOutput:
        image = None
        if self.sent:
            file_id, url = self.image.get("file_id"), self.image.get("url")
            extra = {
                name: value
                for name, value in self.image.items()
                if value is None or name not in ("file_id", "url")
            }
            image = CodeInterpreterImage(
                file_id=file_id, url=url, extra=kept(extra, file_id=file_id, url=url)
            )
        return CodeInterpreterImageOutput(image=image, extra=kept(self.extra, image=image))


class OtherOutputNode(Output):
    """An output of a kind unknown to this library."""

    __slots__ = ()

    def _build(self) -> OtherOutput:
        return OtherOutput(type=self.type, extra=kept(self.extra))


class Outputs(Row[Output]):
    """Outputs by index. A log in one piece, as most are, is no node until more comes of it."""

    __slots__ = ()

    def add(self, index: int, logs: str) -> bool:
        """Add a log after all others, in which no surrogate is; return whether it is there."""
        order = self._order
        if index != (order[-1] + 1 if order else 0):
            return False
        order.append(index)
        self._frozen.append(CodeInterpreterLogOutput(logs=logs))
        self._latest = index
        return True

    def find(self, index: int) -> Output | None:
        node = self.nodes.get(index)
        if node is None and len(self.nodes) < len(self._order):
            position = bisect_left(self._order, index)
            if self._order[position : position + 1] == [index]:
                return self._thaw(index, self._frozen[position])
        return node

    def _thaw(self, index: int, whole: CodeInterpreterLogOutput) -> Output:
        node = self.nodes[index] = LogOutput(index, whole.type)
        node.logs.replace(whole.logs)
        node.stale = False
        node._frozen = whole
        return node

    def in_order(self) -> list[Output]:
        if len(self.nodes) < len(self._order):
            for index, whole in zip(self._order, self._frozen, strict=True):
                if index not in self.nodes:
                    self._thaw(index, whole)
        return super().in_order()
