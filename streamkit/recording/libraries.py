"""The two client libraries, httpx and httpx2, which are alike and know nothing of each other."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import httpx

__all__ = ["library_of", "said_by", "stream_kind"]


def library_of(value: object) -> Any:
    """Find the library that a request or a response belongs to; httpx, if it is nobody's."""
    modules = [sys.modules[each.__module__.partition(".")[0]] for each in type(value).__mro__]
    return next((each for each in modules if hasattr(each, "SyncByteStream")), httpx)


def said_by(request: httpx.Request) -> tuple[str, str, list[tuple[str, str]], dict[str, str]]:
    """Return the method of a request, its path as it is sent, its query and its headers."""
    path, _, _ = request.url.raw_path.decode("ascii").partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return request.method, path, request.url.params.multi_items(), headers


@cache
def stream_kind(body: type, *streams: type) -> Any:
    """Return the class of a body that is a stream of the library, too."""
    return type(body.__name__, (body, *streams), {})
