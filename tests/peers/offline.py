"""A block in which nobody reaches the network, whatever they use for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

__all__ = ["offline"]

_FORBIDDEN: Final = {
    "socket.bind",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.sendmsg",
    "socket.sendto",
}

_open: list[None] = []  # one for each block that is open


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if _open and event in _FORBIDDEN:
        raise ConnectionRefusedError(f"{event}: there is no network here")


# The interpreter itself asks the hook; it cannot be taken away again.
sys.addaudithook(_audit)


@contextmanager
def offline() -> Iterator[None]:
    """Refuse every connection, every name to be looked up and every port to listen on."""
    _open.append(None)
    try:
        yield
    finally:
        _open.pop()
