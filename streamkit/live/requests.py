"""What is sent, and what comes back: values, without a client."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import quote

from msgspec import Struct, field

from ..errors import UsageError

__all__ = ["Answer", "Params", "Request", "path", "shown"]

Params: TypeAlias = Sequence[tuple[str, str]]


class Request(Struct, frozen=True, kw_only=True, gc=False):
    """A request to be sent.

    Attributes:
        method: In capitals.
        url: Absolute, or joined to the base URL of the client.
        json: The body, where there is one.
        params: The query, beside what the client adds to every request.
        headers: As `params`.
        options: What else the client's method takes.
    """

    method: str
    url: str
    json: Any = None
    params: Params = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        # Headers, queries and options may hold credentials.
        return f"<{self.method} {shown(self.url)}>"

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of a client's method, beside the method and the URL."""
        arguments: dict[str, Any] = {"headers": dict(self.headers), "follow_redirects": False}
        if self.json is not None:
            arguments["json"] = self.json
        if self.params:  # an empty query would replace the one in the URL
            arguments["params"] = list(self.params)
        return arguments | dict(self.options)


class Answer(Struct, frozen=True):
    """The answer to a request, read to its end."""

    response: Any  # of httpx or httpx2
    body: bytes


def shown(url: str) -> str:
    """Return a URL without what may be a credential in it: its user, its query."""
    return re.sub(r"//[^/]*@", "//", re.split(r"[?#]", url)[0])


def path(*parts: str) -> str:
    """Build a path; ids are quoted, so that none of them can lead elsewhere.

    Raises:
        UsageError: An id is empty, or none.
    """
    for part in parts:
        if type(part) is not str or part in ("", ".", ".."):
            raise UsageError(f"{part!r} is no id")
    return "/" + "/".join(quote(part, safe="") for part in parts)
