"""Calls of file search, growing."""

from __future__ import annotations

from ..deltas import FileSearchToolCallDelta
from ..snapshots import FileSearch, FileSearchRankingOptions, FileSearchToolCall
from .calls import Call
from .ledger import Ledger
from .raw import copied, kept

__all__ = ["FileSearchCall"]


class FileSearchCall(Call):
    """How files were searched, and what was found."""

    __slots__ = ("search",)

    def __init__(self, ledger: Ledger, step_id: str, index: int, kind: str | None) -> None:
        super().__init__(ledger, step_id, index, kind)
        self.search: FileSearch | None = None

    def extend(self, delta: FileSearchToolCallDelta) -> bool:
        changed = super().extend(delta)
        if delta.file_search is not None:
            changed |= self._replace(delta.file_search)
        return changed

    def _replace(self, said: FileSearch) -> bool:
        """Replace what is said; nothing here is ever added up or joined."""
        known = self.search or FileSearch()
        options = _options(known.ranking_options, said.ranking_options)
        results = said.results or known.results
        extra = copied(known.extra or {}) | (said.extra or {})
        search = FileSearch(
            ranking_options=options,
            results=results,
            extra=kept(extra, ranking_options=options, results=results),
        )
        changed = search != self.search
        self.search = search
        return changed

    def settle(self, full: FileSearchToolCall, *, final: bool) -> None:
        super().settle(full, final=final)
        said = full.file_search
        if said is None:
            return
        known = self.search
        if final and known is not None and known.results and not said.results:
            self.report("content_shrunk", known=f"{len(known.results)} results", said="none")
        if not final or (known is not None and known.results and not said.results):
            self._replace(said)
        else:
            self.search = said

    def _build(self) -> FileSearchToolCall:
        extra = kept(self.extra, id=self.id, file_search=self.search)
        return FileSearchToolCall(id=self.id, file_search=self.search, extra=extra)


def _options(
    known: FileSearchRankingOptions | None, said: FileSearchRankingOptions | None
) -> FileSearchRankingOptions | None:
    """Replace the options that are said; a null among them erases nothing."""
    if known is None or said is None:
        return said or known
    ranker = known.ranker if said.ranker is None else said.ranker
    threshold = known.score_threshold if said.score_threshold is None else said.score_threshold
    extra = copied(known.extra or {}) | (said.extra or {})
    return FileSearchRankingOptions(
        ranker=ranker,
        score_threshold=threshold,
        extra=kept(extra, ranker=ranker is not None, score_threshold=threshold is not None),
    )
