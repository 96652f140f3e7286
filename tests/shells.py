"""Both forms of the runs behind one face: what is asked of one is asked of each.

    shell.ask(server.url, lambda runs: runs.retrieve(thread_id, run_id))

What is given back is awaited where the form is asynchronous, and what is iterated over is
gathered, so that a test is written once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple

import anyio
import httpx
import httpx2
import pytest

from streamkit.live import AsyncRuns, AsyncRunStream, Recovery, Runs, RunStream

__all__ = ["ASYNC", "PEERS_WARNINGS", "SHELLS", "Shell", "in_every_shell"]

Work = Callable[[Any], Any]

# A stream ends at `done`; what httpx had left to read it leaves to trio, which says so.
PEERS_WARNINGS: Final = pytest.mark.filterwarnings(
    "ignore:Async generator 'http(x|core):ResourceWarning"
)

# Nothing of the machine's own settings, and nothing encrypted, is wanted here.
_TIDY: Final[dict[str, Any]] = {"trust_env": False, "verify": False}


class Shell(NamedTuple):
    """A form of the runs, a client's library and what awaits."""

    library: Any
    backend: str | None  # None where nothing is awaited

    @property
    def is_async(self) -> bool:
        return self.backend is not None

    def ask(
        self,
        url: str,
        work: Work,
        *,
        most: int | None = None,
        asked: list[str] | None = None,
        recover: bool | Recovery | None = None,
        **options: Any,
    ) -> Any:
        """Ask something of the runs at a URL.

        Of what is iterated over, at most so many are taken. What was `asked` for is noted
        as it was sent; `recover` is that of the runs, other options are the client's.
        """
        options = {"base_url": url, **_TIDY, **options}
        if self.backend is not None:
            asking = partial(self._aask, work, most, asked, recover=recover, options=options)
            return anyio.run(asking, backend=self.backend)

        def note(request: Any) -> None:
            if asked is not None:
                asked.append(request.url.raw_path.decode())

        with self.library.Client(**options, event_hooks={"request": [note]}) as client:
            return _gathered(work(Runs(client, recover=recover)), most)

    async def _aask(
        self,
        work: Work,
        most: int | None,
        asked: list[str] | None,
        *,
        recover: bool | Recovery | None,
        options: dict[str, Any],
    ) -> Any:
        async def note(request: Any) -> None:
            if asked is not None:
                asked.append(request.url.raw_path.decode())

        async with self.library.AsyncClient(**options, event_hooks={"request": [note]}) as client:
            return await _agathered(work(AsyncRuns(client, recover=recover)), most)


def _gathered(given: Any, most: int | None) -> Any:
    if isinstance(given, RunStream):
        with given:
            return list(islice(given, most))
    return list(islice(given, most)) if isinstance(given, Iterator) else given


async def _agathered(given: Any, most: int | None) -> Any:
    if isinstance(given, AsyncRunStream):
        async with given:
            return await _taken(given, most)
    if not isinstance(given, AsyncIterator):
        return await given
    try:
        return await _taken(given, most)
    finally:
        await given.aclose()  # type: ignore[attr-defined]


async def _taken(items: AsyncIterator[Any], most: int | None) -> list[Any]:
    taken: list[Any] = []
    while most is None or len(taken) < most:
        try:
            taken.append(await anext(items))
        except StopAsyncIteration:
            break
    return taken


SHELLS: Final = {
    "sync": Shell(httpx, None),
    "asyncio": Shell(httpx, "asyncio"),
    "trio": Shell(httpx, "trio"),
    "sync-httpx2": Shell(httpx2, None),
    "trio-httpx2": Shell(httpx2, "trio"),
}
ASYNC: Final = {name: shell for name, shell in SHELLS.items() if shell.is_async}


def in_every_shell(shells: dict[str, Shell] = SHELLS) -> pytest.MarkDecorator:
    """Run a test with each `shell`."""
    return pytest.mark.parametrize("shell", shells.values(), ids=shells)
