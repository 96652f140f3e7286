"""Our own recorded streams, and a slow and plain reader; both without what only tests need."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Final

__all__ = ["OWN", "Legs", "Said", "joined", "read"]

Legs = tuple[bytes, ...]
Said = tuple[str, str]  # the name of an event, and its data


def joined(paths: dict[str, Path]) -> dict[str, Legs]:
    """Put files together whose names differ by a number only: they are legs of one run."""
    runs = defaultdict(list)
    for name in sorted(paths):
        runs[re.sub(r"(\.leg|\.)\d(?=\.)", "", name).removesuffix(".sse")].append(paths[name])
    return {name: tuple(map(Path.read_bytes, legs)) for name, legs in runs.items()}


HERE: Final = Path(__file__).parent / "recordings"
OWN: Final = joined({path.name: path for path in HERE.glob("*.sse")})


def read(body: bytes) -> list[Said]:
    """Read the events of a body, slowly and obviously."""
    lines = re.sub("\r\n|\r", "\n", body.decode(errors="replace").removeprefix("\ufeff"))
    *blocks, tail = lines.split("\n\n")
    said = [each for block in blocks if (each := read_block(block))]
    cut = read_block(tail)
    return [*said, cut] if cut and is_whole(cut[1]) else said


def read_block(block: str) -> Said | None:
    """Read an event, named or wrapped; None where there are no data."""
    fields = [line.partition(": ") for line in block.split("\n")]
    data = "\n".join(value for field, _, value in fields if field == "data")
    names = [value for field, _, value in fields if field == "event"]
    if not names and data.startswith("{") and is_whole(data):
        wrapped = json.loads(data)
        return wrapped["event"], json.dumps(wrapped["data"])
    return (names[-1] if names else "done", data) if data else None


def is_whole(data: str) -> bool:
    """Whether data that no blank line follows can be all there is."""
    try:
        return data.strip() == "[DONE]" or isinstance(json.loads(data), dict)
    except ValueError:
        return False
