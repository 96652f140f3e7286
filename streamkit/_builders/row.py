"""Things that grow under their indices, and the tuple of their frozen forms."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, Generic, TypeVar

__all__ = ["Node", "Row"]


class Node:
    """Something that grows, and can say what it is now.

    Attributes:
        index: Its place in a row: the wire's index, or a number of our own.
        type: Its kind on the wire, where that has kinds.
        stale: Whether it changed since its row was last frozen.
        done: Whether its end was told.
        seeded: Whether all its text came with full objects, and no fragment since. A
            fragment that then repeats it whole is a repeat, not an addition: some
            servers create a step with all its calls, and send them again as a delta.
        extra: What its snapshot keeps beside the attributes.
    """

    __slots__ = ("_frozen", "done", "extra", "index", "seeded", "stale", "type")

    def __init__(self, index: int, kind: str | None = None) -> None:
        self.index = index
        self.type = kind
        self.stale = True
        self.done = False
        self.seeded = False
        self.extra: dict[str, Any] = {}
        self._frozen: Any = None

    def freeze(self) -> Any:
        """Return what it is now: the same object as before, where nothing changed."""
        if self.stale:
            built = self._build()
            if self._frozen is None or self._is_new(built):
                self._frozen = built
        return self._frozen

    def _is_new(self, built: Any) -> bool:
        """Whether what was built differs from what it was."""
        return bool(built != self._frozen)

    def _build(self) -> Any:
        raise NotImplementedError


N = TypeVar("N", bound=Node)


class Row(Generic[N]):
    """Nodes by index: keys, not positions, so they may come in any order, with gaps.

    Freezing builds only the nodes that changed since the last time. The others are the
    same objects in the next tuple, which costs one copy of their addresses. Where nothing
    changed, it is the same tuple: another one need not be compared to be known as new.
    """

    __slots__ = ("_frozen", "_latest", "_order", "_stale", "_tuple", "nodes")

    def __init__(self) -> None:
        self.nodes: dict[int, N] = {}
        self._latest: int | None = None  # the index that was put last
        self._order: list[int] = []
        self._frozen: list[Any] = []
        self._stale: list[int] = []
        self._tuple: tuple[Any, ...] = ()

    def __len__(self) -> int:
        return len(self._order)

    @property
    def latest(self) -> N | None:
        """The node that was put last."""
        return None if self._latest is None else self.find(self._latest)

    def find(self, index: int) -> N | None:
        """Return the node of an index."""
        return self.nodes.get(index)

    @property
    def end(self) -> int:
        """The first index past all known ones."""
        return self._order[-1] + 1 if self._order else 0

    def place_after(self, index: int, rank: int) -> int:
        """Return a free index past another one: the rank itself, where that serves."""
        place = max(rank, index + 1)
        return place if place not in self.nodes else self.end

    def in_order(self) -> list[N]:
        """The nodes in index order."""
        return [self.nodes[index] for index in self._order]

    def put(self, node: N) -> None:
        """Add a node, or put it in the place of the one that has its index."""
        index = node.index
        if index not in self.nodes:
            order = self._order
            position = len(order) if not order or index > order[-1] else bisect_left(order, index)
            order.insert(position, index)
            self._frozen.insert(position, None)
        self.nodes[index] = node
        self._latest = index
        self._stale.append(index)

    def touch(self, node: N) -> None:
        """Note that a node changed. Where every nanosecond counts, ask `stale` first."""
        if not node.stale:
            node.stale = True
            self._stale.append(node.index)

    def freeze(self) -> tuple[Any, ...]:
        """Return the frozen forms in index order."""
        is_new = len(self._tuple) < len(self._frozen)
        for index in self._stale:
            node = self.nodes[index]
            place = bisect_left(self._order, index)
            frozen = node.freeze()
            node.stale = False
            if frozen is not self._frozen[place]:
                self._frozen[place] = frozen
                is_new = True
        self._stale.clear()
        if is_new:
            self._tuple = tuple(self._frozen)
        return self._tuple
