"""Parts of a message, growing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from .._text import Text
from .._wire import load, to_wire
from ..changes import AnnotationAdded, PartAdded, RefusalAppended, TextAppended
from ..deltas import AnnotationDelta
from ..snapshots import (
    Annotation,
    ImageFileContentBlock,
    ImageURLContentBlock,
    MessageContent,
    OtherContentBlock,
    RefusalContentBlock,
    TextContent,
    TextContentBlock,
)
from .owner import Owner
from .raw import copied, kept, merge, restated, was_sent, without_index
from .row import Node, Row

__all__ = ["Part", "TextPart", "WholePart", "part_kind"]


class Part(Node):
    """A part of the message that is passed to each method; the base of each kind."""

    __slots__ = ()

    def extend(self, owner: Owner, delta: Any) -> None:
        """Take a fragment."""
        if delta.extra is not None:
            merge(self.extra, without_index(delta.extra))
        self.seeded = False

    def settle(self, owner: Owner, full: Any, *, final: bool) -> None:
        """Take the whole part, as the server says it is."""
        self.extra = restated(self.extra, full.extra, final=final)

    def inherit(self, other: WholePart) -> None:
        """Take over what was known of this part before its kind was said."""
        merge(self.extra, other.fields)

    def flush(self, owner: Owner) -> None:
        """Tell what was held back in the hope of more."""


class TextPart(Part):
    """A text and the annotations in it."""

    __slots__ = ("_inner", "annotations", "sent", "value")

    def __init__(self, index: int, kind: str | None) -> None:
        super().__init__(index, kind)
        self.value = Text()
        self.sent = False  # whether there was a text object
        self.annotations: Row[AnnotationNode] = Row()
        self._inner: dict[str, Any] = {}  # what its snapshot keeps in extra

    def extend(self, owner: Owner, delta: Any) -> None:
        text = delta.text
        if text is not None:
            self.sent = True
            if text.value:
                owner.append(self, self.value, text.value, TextAppended, self.index)
            elif text.value is not None:
                self._inner["value"] = ""
            if text.annotations is not None:
                self._annotate(owner, text.annotations)
            if text.extra is not None:
                merge(self._inner, text.extra)
        if delta.extra is not None:
            super().extend(owner, delta)
        self.seeded = False

    def _annotate(self, owner: Owner, deltas: Sequence[AnnotationDelta]) -> None:
        if not deltas:
            self._inner["annotations"] = []
        for delta in deltas:
            end = self.annotations.end
            index = delta.index if delta.index is not None and delta.index >= 0 else end
            owner.check_gap(index, end)
            node = self.annotations.nodes.get(index)
            fields: Mapping[str, Any] = delta.extra or {}
            if delta.index is None:
                fields = without_index(fields)
            if node is not None:
                self.annotations.touch(node)
                merge(node.extra, fields)
            else:
                node = self._open_annotation(index, fields)
                owner.tell(AnnotationAdded, self.index, node.freeze())

    def _open_annotation(self, index: int, fields: Mapping[str, Any]) -> AnnotationNode:
        node = AnnotationNode(index)
        merge(node.extra, fields)
        self.annotations.put(node)
        return node

    def settle(self, owner: Owner, full: TextContentBlock, *, final: bool) -> None:
        super().settle(owner, full, final=final)
        text = full.text
        if text is None:
            return
        self.sent = True
        if text.value or was_sent(text, "value", ""):
            owner.settle_text(self, self.value, text.value, TextAppended, self.index, final=final)
        if text.annotations or was_sent(text, "annotations", []):
            self._settle_annotations(owner, text.annotations, final=final)
        self._inner = restated(self._inner, text.extra, final=final)

    def _settle_annotations(
        self, owner: Owner, said: Sequence[Annotation], *, final: bool
    ) -> None:
        """Match annotations by rank; what the list lacks is kept, and reported if final."""
        known = self.annotations.in_order() if said else []
        last = -1
        for rank, annotation in enumerate(said):
            fields = to_wire(annotation)
            if rank >= len(known):
                last = self.annotations.place_after(last, rank)
                self._open_annotation(last, fields)
                owner.tell(AnnotationAdded, self.index, annotation)
                continue
            last = known[rank].index
            if final:
                known[rank].extra = fields
                self.annotations.touch(known[rank])
        streamed = len(self.annotations.nodes)
        if final and not owner.done and streamed > len(said):
            counts = {"known": f"{streamed} annotations", "said": f"{len(said)} annotations"}
            owner.report("content_shrunk", **counts)

    def flush(self, owner: Owner) -> None:
        if piece := self.value.flush():
            owner.tell(TextAppended, self.index, piece)

    def _build(self) -> TextContentBlock:
        text = None
        if self.sent:
            value, annotations = str(self.value), self.annotations.freeze()
            extra = kept(self._inner, value=value, annotations=annotations)
            text = TextContent(value=value, annotations=annotations, extra=extra)
        return TextContentBlock(text=text, extra=kept(self.extra, text=text))


class AnnotationNode(Node):
    """An annotation; its fields, as on the wire, are its `extra`."""

    __slots__ = ()

    def _build(self) -> Annotation:
        return cast("Annotation", load(Annotation, copied(self.extra)))


class RefusalPart(Part):
    """The model's refusal to answer."""

    __slots__ = ("refusal",)

    def __init__(self, index: int, kind: str | None) -> None:
        super().__init__(index, kind)
        self.refusal = Text()

    def extend(self, owner: Owner, delta: Any) -> None:
        if delta.refusal:
            owner.append(self, self.refusal, delta.refusal, RefusalAppended, self.index)
        elif delta.refusal is not None:
            self.extra["refusal"] = ""
        super().extend(owner, delta)

    def settle(self, owner: Owner, full: RefusalContentBlock, *, final: bool) -> None:
        if full.refusal or was_sent(full, "refusal", ""):
            owner.settle_text(
                self, self.refusal, full.refusal, RefusalAppended, self.index, final=final
            )
        super().settle(owner, full, final=final)

    def flush(self, owner: Owner) -> None:
        if piece := self.refusal.flush():
            owner.tell(RefusalAppended, self.index, piece)

    def _build(self) -> RefusalContentBlock:
        refusal = str(self.refusal)
        return RefusalContentBlock(refusal=refusal, extra=kept(self.extra, refusal=refusal))


class WholePart(Part):
    """A part that does not grow: an image, or anything unknown to this library."""

    __slots__ = ("_told", "fields")

    def __init__(self, index: int, kind: str | None) -> None:
        super().__init__(index, kind)
        self.fields: dict[str, Any] = {}  # as on the wire, but for the type
        self._told = False

    def extend(self, owner: Owner, delta: Any) -> None:
        fields = copied(delta.extra or {})
        for name in delta.__struct_fields__:
            value = getattr(delta, name)
            if name not in ("extra", "index", "type") and value is not None:
                fields[name] = _said(value)
        fields.pop("index", None)
        self._take(owner, fields, final=True)
        self.seeded = False

    def settle(self, owner: Owner, full: MessageContent, *, final: bool) -> None:
        fields = to_wire(full)
        if self.type is not None:  # else it was null, or not sent at all
            del fields["type"]
        self._take(owner, fields, final=final)
        if final:
            self.fields = fields

    def inherit(self, other: WholePart) -> None:
        self.fields = other.fields
        self._told = other._told

    def _take(self, owner: Owner, fields: dict[str, Any], *, final: bool) -> None:
        known, said = self._where(self.fields), self._where(fields)
        if known and said and known != said:
            owner.report("content_differs", known=known, said=said)
            if not final:
                return
        merge(self.fields, fields)
        is_known = self._where(self.fields) if self._is_image else self.type
        if is_known and not self._told:
            self._told = True
            owner.tell(PartAdded, self.index, self._build())

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
        named = {} if self.type is None else {"type": self.type}
        return cast("MessageContent", load(kind, named | copied(self.fields)))


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
