"""What a client must say to be heard: OpenAI and Azure want different things."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from tests.server.errors import ApiError, bad

__all__ = ["check_access"]

_BETA: Final = "assistants=v2"


def check_access(request: Request, require_key: str | None) -> None:
    """Refuse a request that lacks what its API wants.

    Raises:
        ApiError: It does.
    """
    if request.url.path.startswith("/openai/"):
        _check_azure(request, require_key)
    else:
        _check_openai(request, require_key)


def _check_azure(request: Request, require_key: str | None) -> None:
    if "api-version" not in request.query_params:
        raise ApiError(404, "Resource not found", type=None, code="404")
    key = request.headers.get("api-key")
    if not key or key != (require_key or key):
        message = (
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to "
            "provide a valid key for an active subscription and use a correct regional API "
            "endpoint for your resource."
        )
        raise ApiError(401, message, type=None, code="401")


def _check_openai(request: Request, require_key: str | None) -> None:
    said = request.headers.get("authorization", "")
    if require_key is not None and said != f"Bearer {require_key}":
        message = "Incorrect API key provided." if said else "You didn't provide an API key."
        raise ApiError(401, message, code="invalid_api_key" if said else None)
    if "file" not in request.path_params and request.headers.get("openai-beta") != _BETA:
        message = (
            "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try "
            f"again by setting the header 'OpenAI-Beta: {_BETA}'."
        )
        raise bad(message, code="invalid_beta")
