"""Outputs of a code interpreter call, growing."""

from __future__ import annotations

from typing import Any, cast

from .._text import Text
from ..changes import ImageAdded, LogAppended, OutputDone
from ..deltas import CodeInterpreterLogs, CodeInterpreterOutputImage, OtherOutputDelta
from ..snapshots import (
    CodeInterpreterImage,
    CodeInterpreterImageOutput,
    CodeInterpreterLogOutput,
    OtherOutput,
    ProblemKind,
)
from .owner import Owner
from .raw import kept, merge, restated
from .row import Node

__all__ = ["ImageOutput", "LogOutput", "OtherOutputNode", "Output"]


class Output(Node):
    """An output of the call that is passed to each method."""

    __slots__ = ()

    def extend(self, owner: Owner, delta: Any) -> None:
        """Take a fragment."""
        raise NotImplementedError

    def settle(self, owner: Owner, full: Any, *, final: bool) -> None:
        """Take the whole output, as the server says it is."""
        raise NotImplementedError

    def flush(self, owner: Owner) -> None:
        """Tell what was held back in the hope of more."""

    def close(self, owner: Owner) -> None:
        """Tell that the output is done, unless that was told."""
        if not self.done:
            self.done = True
            owner.tell(OutputDone, self.index, self.freeze())

    def _keep(self, full: Any, *, final: bool) -> None:
        self.seeded = True
        self.extra = restated(self.extra, full.extra, final=final)

    def _report(
        self, owner: Owner, kind: ProblemKind, known: str | None, said: str | None
    ) -> None:
        owner.report(kind, output_index=self.index, known=known, said=said)


class LogOutput(Output):
    """Text that the code printed."""

    __slots__ = ("logs",)

    def __init__(self, index: int, kind: str | None = "logs") -> None:
        super().__init__(index, kind)
        self.logs = Text()

    def extend(self, owner: Owner, delta: CodeInterpreterLogs) -> None:
        if delta.logs:
            owner.append(self, self.logs, delta.logs, LogAppended, self.index)
        elif delta.logs is not None:
            self.extra["logs"] = ""

    def settle(self, owner: Owner, full: CodeInterpreterLogOutput, *, final: bool) -> None:
        place = self.index
        owner.settle_text(
            self.logs, full.logs, LogAppended, place, final=final, output_index=place
        )
        self._keep(full, final=final)

    def flush(self, owner: Owner) -> None:
        if piece := self.logs.flush():
            owner.tell(LogAppended, self.index, piece)

    def _build(self) -> CodeInterpreterLogOutput:
        logs = str(self.logs)
        return CodeInterpreterLogOutput(logs=logs, extra=kept(self.extra, logs=logs))


class ImageOutput(Output):
    """An image that the code produced."""

    __slots__ = ("image", "sent")

    def __init__(self, index: int, kind: str | None = "image") -> None:
        super().__init__(index, kind)
        self.image: dict[str, Any] = {}
        self.sent = False  # whether there was an image object, perhaps an empty one

    def extend(self, owner: Owner, delta: CodeInterpreterOutputImage) -> None:
        if delta.image is not None:
            self._set(owner, delta.image, final=True)
        self.seeded = False

    def settle(self, owner: Owner, full: CodeInterpreterImageOutput, *, final: bool) -> None:
        if full.image is not None:
            self._set(owner, full.image, final=final)
        self._keep(full, final=final)

    def _set(self, owner: Owner, image: Any, *, final: bool) -> None:
        """Set what is said; tell an image once, and report one that becomes another."""
        self.sent = True
        known = self._where()
        said = {name: value for name in ("file_id", "url") if (value := getattr(image, name))}
        if known and any(self.image.get(name, value) != value for name, value in said.items()):
            self._report(owner, "content_differs", known, " ".join(said.values()))
            if final:
                self.image.update(said)
        else:
            self.image.update(said)
            if said and not known:
                owner.tell(ImageAdded, self.index, said.get("file_id"), said.get("url"))
        if image.extra:
            merge(self.image, image.extra)

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

    def extend(self, owner: Owner, delta: OtherOutputDelta) -> None:
        if delta.extra:
            merge(self.extra, delta.extra)
        self.seeded = False

    def settle(self, owner: Owner, full: OtherOutput, *, final: bool) -> None:
        self._keep(full, final=final)

    def _build(self) -> OtherOutput:
        return OtherOutput(type=self.type, extra=kept(self.extra))
