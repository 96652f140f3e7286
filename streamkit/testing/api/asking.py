"""What a request asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from ..._json import parse
from ...errors import PeerError
from ...limits import DEFAULT_LIMITS
from .operations import Route, match
from .served import Asked

__all__ = ["read"]


def read(
    method: str,
    path: str,
    query: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
    content: bytes,
) -> tuple[Route, Mapping[str, str], Asked]:
    """Say what a request asks for, with the parameters of its path, and note it.

    Args:
        method: In capitals.
        path: Without the query, as it came.
        query: Names and values, in order.
        headers: By their names in lower case.
        content: The body.
    """
    route, params = match(method, path)
    body = _parsed(content)
    asked = Asked(route.operation, method, unquote(path), [*query], dict(headers), body)
    return route, params, asked


def _parsed(content: bytes) -> Any:
    """Read a body; None where it is no JSON."""
    try:
        return parse(content or b"{}", depth=DEFAULT_LIMITS.depth)
    except PeerError:
        return None
