"""What a new run plays: by what was put at its place, by its name, or the next in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...errors import UsageError
from .scenes import Entry

__all__ = ["Catalogue"]


class Catalogue:
    """What is served to whoever asks, by a rule that a person can predict.

    For a run with an assistant and a model, the first of these that there is:

    1. what the mapping says of the assistant, or else of the model;
    2. the entry that is called as the assistant is, or else as the model is;
    3. the next entry, in order, from the first again after the last.

    Args:
        entries: In their order; their names are unique.
        mapping: Names of entries, by assistants or models.

    Raises:
        UsageError: The mapping names an entry that there is not, or a name is there twice.
    """

    def __init__(self, entries: Sequence[Entry], mapping: Mapping[str, str]) -> None:
        self.entries: Sequence[Entry] = entries
        self.mapping: Mapping[str, str] = mapping
        self._by_name = {entry.name: entry for entry in entries}
        self._next = 0
        if len(self._by_name) < len(entries):
            names = [entry.name for entry in entries]
            twice = next(name for name in names if names.count(name) > 1)
            raise UsageError(f"{twice!r} is served twice: give one of them another name")
        for key, name in mapping.items():
            if name not in self._by_name:
                known = ", ".join(map(repr, self._by_name)) or "nothing"
                raise UsageError(f"{key!r} is mapped to {name!r}; what is served is {known}")

    def choose(self, *keys: str | None) -> Entry | None:
        """Choose for a run of this assistant, and this model; None where nothing is served."""
        names = [self.mapping.get(key) for key in keys if key] + [*keys]
        for name in names:
            if name in self._by_name:
                return self._by_name[name]
        if not self.entries:
            return None
        entry = self.entries[self._next % len(self.entries)]
        self._next += 1
        return entry
