"""JSON as servers really send it."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

import msgspec

from ._text import scrub
from .errors import DecodeError, NestingError

__all__ = ["breaks_off", "dumps", "loads", "parse"]

_decode: Final = msgspec.json.Decoder().decode

# The strings that deltas append. A surrogate at the end of one may find its other half
# in the next fragment, so only the text they are appended to can judge it.
_FRAGMENTS: Final = frozenset({"input", "logs", "arguments", "value", "refusal", "delta"})


def parse(data: bytes, *, depth: int, keep_halves: bool = False) -> Any:
    """Decode one JSON value, nested `depth` levels at most.

    What msgspec refuses and others send is taken too: NaN and infinities, escaped lone
    surrogates, invalid UTF-8 (which becomes U+FFFD). Lone surrogates are replaced, but
    with `keep_halves` not in the strings that deltas append.

    Raises:
        DecodeError: The data is not JSON.
        NestingError: It nests too deeply.
    """
    try:
        value = _decode(data)
    except RecursionError:
        raise NestingError(_too_deep(depth), excerpt=data) from None
    except ValueError:
        return _parse_tolerantly(data, depth, keep_halves=keep_halves)
    # Depth costs a bracket a level, and most values hold fewer brackets than that.
    if data.count(b"[") + data.count(b"{") > depth:
        _check_depth(value, depth, data)
    return value


def _parse_tolerantly(data: bytes, depth: int, *, keep_halves: bool) -> Any:
    try:
        value = loads(data)
    except RecursionError:
        raise NestingError(_too_deep(depth), excerpt=data) from None
    except ValueError as error:
        reason = f"not JSON: {error}" if data.strip() else "no data"
        raise DecodeError(reason, excerpt=data) from None
    _check_depth(value, depth, data)
    return _scrubbed(value, _FRAGMENTS if keep_halves else frozenset())


def loads(data: bytes) -> Any:
    """Decode one JSON value as it is, however odd.

    Raises:
        ValueError: The data is not JSON.
    """
    return _python().loads(data.decode(errors="replace"))


def dumps(value: object) -> bytes:
    """Encode a value that was decoded, however odd."""
    return bytes(_python().dumps(value).encode())


def breaks_off(data: bytes) -> bool:
    """Whether data that is not JSON could be the beginning of some."""
    json = _python()
    try:
        json.loads(data)
    except json.JSONDecodeError as error:
        return bool(error.pos >= len(data.decode(errors="replace")))
    except (ValueError, RecursionError):
        pass
    return False


def _python() -> ModuleType:
    """Return Python's own json: few streams need it, and it takes long to load."""
    import json  # noqa: PLC0415

    return json


def _check_depth(value: Any, depth: int, data: bytes) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(depth):
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise NestingError(_too_deep(depth), excerpt=data)


def _too_deep(depth: int) -> str:
    return f"nests more than {depth} levels deep (Limits.depth)"


def _scrubbed(value: Any, kept: frozenset[str]) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else scrub(value)
    if isinstance(value, list):
        return [_scrubbed(item, kept) for item in value]
    if isinstance(value, dict):
        return {
            _scrubbed(key, kept): (
                item if key in kept and isinstance(item, str) else _scrubbed(item, kept)
            )
            for key, item in value.items()
        }
    return value
