"""The `AssistantEventHandler` of openai-python, whose client gets the body from memory."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

import httpx2
from openai import AssistantEventHandler, BaseModel, OpenAI

__all__ = ["FOLDS", "MISTAKES", "NAME", "VERSIONS", "answering", "fold", "plain", "told"]

NAME: Final = "openai-python, runs.stream"
FOLDS: Final = frozenset({"tokens", "frames", "logs", "parallel", "big"})
MISTAKES: Final[Mapping[str, str]] = {
    "mixed": "steps stay in progress, without usage and the outputs of functions",
    "hostile": "it raises at the first comment after an id",
}
VERSIONS: Final[Mapping[str, str]] = {name: version(name) for name in ("openai", "pydantic")}


class _Memory(httpx2.BaseTransport):
    """Answers every request with the same chunks."""

    chunks: list[bytes]

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, content=self.chunks)


_MEMORY: Final = _Memory()
_CLIENT: Final = OpenAI(
    api_key="none", http_client=httpx2.Client(transport=_MEMORY), max_retries=0
)


def answering(chunks: list[bytes]) -> OpenAI:
    """Return the client, which is made once, to be answered with these."""
    _MEMORY.chunks = chunks
    return _CLIENT


def fold(chunks: list[bytes]) -> AssistantEventHandler:
    """Read to the end; the handler accumulates, with no callback of ours."""
    handler = AssistantEventHandler()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the Assistants API is
        runs = answering(chunks).beta.threads.runs
        with runs.stream(thread_id="t", assistant_id="a", event_handler=handler) as stream:
            stream.until_done()
    return handler


def told(folded: AssistantEventHandler) -> dict[str, Any]:
    """Return the steps and the messages it accumulated."""
    return {
        "steps": _found(folded.get_final_run_steps),
        "messages": _found(folded.get_final_messages),
    }


def _found(get: Callable[[], Sequence[BaseModel]]) -> list[Any]:
    try:
        return plain(get())
    except RuntimeError:  # it says so when there are none
        return []


def plain(models: Sequence[BaseModel]) -> list[Any]:
    """Return what is set in models, as JSON, without what only they have in the end.

    That is the `index` by which fragments were merged, which no whole object of the API has,
    and the `parsed` of a text when it was not to be parsed.
    """
    return [_bare(model.to_dict(mode="json", warnings=False)) for model in models]


def _bare(value: Any) -> Any:
    match value:
        case dict():
            return {name: _bare(value[name]) for name in value if name not in ("index", "parsed")}
        case list():
            return [_bare(item) for item in value]
        case _:
            return value
