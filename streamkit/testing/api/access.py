"""What a client must say to be heard: OpenAI and Azure want different things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .errors import ApiError, bad

__all__ = ["check_access"]

_BETA: Final = "assistants=v2"


def check_access(
    path: str, query: Mapping[str, object], headers: Mapping[str, str], key: str | None
) -> None:
    """Refuse a request that lacks what its API wants.

    Args:
        path: Azure's begins with ``/openai/``.
        query: Its names, and whatever else.
        headers: By their names in lower case.
        key: The only one that opens; None lets any in.

    Raises:
        ApiError: It does.
    """
    if path.startswith("/openai/"):
        _check_azure(query, headers, key)
    else:
        _check_openai(path, headers, key)


def _check_azure(query: Mapping[str, object], headers: Mapping[str, str], key: str | None) -> None:
    if "api-version" not in query:
        raise ApiError(404, "Resource not found", type=None, code="404")
    said = headers.get("api-key")
    if not said or said != (key or said):
        message = (
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to "
            "provide a valid key for an active subscription and use a correct regional API "
            "endpoint for your resource."
        )
        raise ApiError(401, message, type=None, code="401")


def _check_openai(path: str, headers: Mapping[str, str], key: str | None) -> None:
    said = headers.get("authorization", "")
    if key is not None and said != f"Bearer {key}":
        message = "Incorrect API key provided." if said else "You didn't provide an API key."
        raise ApiError(401, message, code="invalid_api_key" if said else None)
    if "/files/" not in path and headers.get("openai-beta") != _BETA:
        message = (
            "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try "
            f"again by setting the header 'OpenAI-Beta: {_BETA}'."
        )
        raise bad(message, code="invalid_beta")
