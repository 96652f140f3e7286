"""Parts of a message, growing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from ._raw import kept, merge
from ._row import Node
from ._text import Text
from ._wire import load, to_wire
from .changes import AnnotationAdded, PartAdded, RefusalAppended, TextAppended
from .snapshots import (
    Annotation,
    ImageFileContentBlock,
    ImageURLContentBlock,
    MessageContent,
    OtherContentBlock,
    RefusalContentBlock,
    TextContent,
    TextContentBlock,
)

if TYPE_CHECKING:
    from ._messages import MessageNode
    from .deltas import AnnotationDelta

__all__ = ["Part", "part_kind"]


class Part(Node):
    """A part of the message that is passed to each method; the base of each kind."""

    __slots__ = ()

    def extend(self, message: MessageNode, delta: Any) -> None:
        """Take a fragment."""
        if delta.extra is not None:
            merge(self.extra, {k: v for k, v in delta.extra.items() if k != "index"})
        self.seeded = False

    def settle(self, message: MessageNode, full: Any, *, final: bool) -> None:
        """Take the whole part, as the server says it is."""
        if final:
            self.extra = dict(full.extra or {})
        elif full.extra:
            merge(self.extra, full.extra)
        self.seeded = True

    def flush(self, message: MessageNode) -> None:
        """Tell what was held back in the hope of more."""


class TextPart(Part):
    """A text and the annotations in it."""

    __slots__ = ("_annotations", "_inner", "_read", "sent", "value")

    def __init__(self, index: int, kind: str | None) -> None:
        super().__init__(index, kind)
        self.value = Text()
        self.sent = False  # whether there was a text object
        self._annotations: dict[int, dict[str, Any]] = {}
        self._read: tuple[Annotation, ...] | None = ()
        self._inner: dict[str, Any] = {}  # what its snapshot keeps in extra

    def extend(self, message: MessageNode, delta: Any) -> None:
        text = delta.text
        if text is not None:
            self.sent = True
            piece = text.value
            if piece and not (self.seeded and piece == str(self.value)):
                piece = self.value.append(piece)
                if piece:
                    message.tell(TextAppended, self.index, piece)
                if self.value.held:
                    message.hold()
            elif piece == "":
                self._inner["value"] = ""
            if text.annotations is not None:
                self._annotate(message, text.annotations)
            if text.extra is not None:
                merge(self._inner, text.extra)
        if delta.extra is not None:
            super().extend(message, delta)
        self.seeded = False

    def _annotate(self, message: MessageNode, deltas: Sequence[AnnotationDelta]) -> None:
        if not deltas:
            self._inner["annotations"] = []
        for delta in deltas:
            end = max(self._annotations, default=-1) + 1
            index = delta.index if delta.index is not None and delta.index >= 0 else end
            message.check_gap(index, end)
            fields = {k: v for k, v in (delta.extra or {}).items() if k != "index"}
            known = self._annotations.get(index)
            self._read = None
            if known is not None:
                merge(known, fields)
            else:
                known = self._annotations[index] = {}
                merge(known, fields)
                message.tell(AnnotationAdded, self.index, _annotation(known))

    def settle(self, message: MessageNode, full: TextContentBlock, *, final: bool) -> None:
        super().settle(message, full, final=final)
        text = full.text
        if text is None:
            return
        self.sent = True
        if text.value or (text.extra is not None and text.extra.get("value") == ""):
            known = str(self.value)
            rest, verdict = self.value.settle(text.value, final=final)
            if rest:
                message.tell(TextAppended, self.index, rest)
            if verdict:
                message.report(verdict, known=known, said=text.value)
        self._settle_annotations(message, text.annotations, final=final)
        if final:
            self._inner = dict(text.extra or {})
        elif text.extra:
            merge(self._inner, text.extra)

    def _settle_annotations(
        self, message: MessageNode, said: Sequence[Annotation], *, final: bool
    ) -> None:
        known = len(self._annotations)
        for annotation in said[known:]:
            message.tell(AnnotationAdded, self.index, annotation)
        if len(said) >= known and (final or len(said) > known):
            self._annotations = {rank: to_wire(each) for rank, each in enumerate(said)}
            self._read = tuple(said)
        elif final and not message.done:
            counts = {"known": f"{known} annotations", "said": f"{len(said)} annotations"}
            message.report("content_shrunk", **counts)

    def flush(self, message: MessageNode) -> None:
        if piece := self.value.flush():
            message.parts.touch(self)
            message.tell(TextAppended, self.index, piece)

    def _build(self) -> TextContentBlock:
        if self._read is None:
            ordered = sorted(self._annotations.items())
            self._read = tuple(_annotation(fields) for _, fields in ordered)
        text = None
        if self.sent:
            value = str(self.value)
            extra = kept(self._inner, value=value, annotations=self._read)
            text = TextContent(value=value, annotations=self._read, extra=extra)
        return TextContentBlock(text=text, extra=kept(self.extra, text=text))


def _annotation(fields: Mapping[str, Any]) -> Annotation:
    return cast("Annotation", load(Annotation, dict(fields)))


class RefusalPart(Part):
    """The model's refusal to answer."""

    __slots__ = ("refusal",)

    def __init__(self, index: int, kind: str | None) -> None:
        super().__init__(index, kind)
        self.refusal = Text()

    def extend(self, message: MessageNode, delta: Any) -> None:
        piece = delta.refusal
        if piece and not (self.seeded and piece == str(self.refusal)):
            piece = self.refusal.append(piece)
            if piece:
                message.tell(RefusalAppended, self.index, piece)
            if self.refusal.held:
                message.hold()
        elif piece == "":
            self.extra["refusal"] = ""
        super().extend(message, delta)

    def settle(self, message: MessageNode, full: RefusalContentBlock, *, final: bool) -> None:
        known = str(self.refusal)
        rest, verdict = self.refusal.settle(full.refusal, final=final)
        if rest:
            message.tell(RefusalAppended, self.index, rest)
        if verdict:
            message.report(verdict, known=known, said=full.refusal)
        super().settle(message, full, final=final)

    def flush(self, message: MessageNode) -> None:
        if piece := self.refusal.flush():
            message.parts.touch(self)
            message.tell(RefusalAppended, self.index, piece)

    def _build(self) -> RefusalContentBlock:
        refusal = str(self.refusal)
        return RefusalContentBlock(refusal=refusal, extra=kept(self.extra, refusal=refusal))


class WholePart(Part):
    """A part that does not grow: an image, or anything unknown to this library."""

    __slots__ = ("_fields", "_told")

    def __init__(self, index: int, kind: str | None) -> None:
        super().__init__(index, kind)
        self._fields: dict[str, Any] = {}  # as on the wire, but for the type
        self._told = False

    def extend(self, message: MessageNode, delta: Any) -> None:
        fields = dict(delta.extra or {})
        for name in delta.__struct_fields__:
            value = getattr(delta, name)
            if name not in ("extra", "index", "type") and value is not None:
                fields[name] = _said(value)
        fields.pop("index", None)
        self._take(message, fields, final=True)
        self.seeded = False

    def settle(self, message: MessageNode, full: MessageContent, *, final: bool) -> None:
        fields = to_wire(full)
        fields.pop("type", None)
        self._take(message, fields, final=final)
        if final:
            self._fields = fields
        self.seeded = True

    def _take(self, message: MessageNode, fields: dict[str, Any], *, final: bool) -> None:
        known, said = self._where(self._fields), self._where(fields)
        if known and said and known != said:
            message.report("content_differs", known=known, said=said)
            if not final:
                return
        merge(self._fields, fields)
        if not self._told and (self._where(self._fields) or not self._is_image):
            self._told = True
            message.tell(PartAdded, self.index, self._build())

    @property
    def _is_image(self) -> bool:
        return self.type in _IMAGES

    def _where(self, fields: Mapping[str, Any]) -> str | None:
        image = fields.get(self.type or "")
        if not isinstance(image, dict) or not self._is_image:
            return None
        where = image.get("file_id") or image.get("url")
        return where if isinstance(where, str) else None

    def _build(self) -> MessageContent:
        kind = _IMAGES.get(self.type, OtherContentBlock)
        return cast("MessageContent", load(kind, {"type": self.type} | self._fields))


def _said(delta: Any) -> dict[str, Any]:
    """The fields of an image that a delta says."""
    fields = {
        name: value
        for name in delta.__struct_fields__
        if name != "extra" and (value := getattr(delta, name)) is not None
    }
    return fields | (delta.extra or {})


_IMAGES: Final[Mapping[str | None, type[ImageFileContentBlock | ImageURLContentBlock]]] = {
    "image_file": ImageFileContentBlock,
    "image_url": ImageURLContentBlock,
}

_KINDS: Final[Mapping[str | None, type[Part]]] = {"text": TextPart, "refusal": RefusalPart}


def part_kind(kind: str | None) -> type[Part]:
    """Choose how a part of this type grows."""
    return _KINDS.get(kind, WholePart)
