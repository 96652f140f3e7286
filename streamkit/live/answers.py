"""What is wrong with an answer, said without giving away a secret."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from .._json import parse
from .._wire import load
from ..errors import DecodeError, ResponseError
from ..limits import DEFAULT_LIMITS
from ..snapshots import ErrorObject

__all__ = ["EXCERPT", "read_json", "refusal", "request_id", "said_at", "streams", "waits"]

# As much of a refused answer as is read, and as is shown of one that is no JSON.
EXCERPT: Final = 64 * 1024
_SHOWN: Final = 200

# Named by their media type; without one, the body has to tell.
_STREAMS: Final = ("text/event-stream", "application/x-ndjson", "application/jsonl", "")

_SECRETS: Final = (
    "authorization",
    "proxy-authorization",
    "api-key",
    "x-api-key",
    "ocp-apim-subscription-key",
    "cookie",
)
# Keys of OpenAI, also where the server has masked them in part.
_KEYS: Final = re.compile(r"\bsk-[\w*.-]{4,}")
_MASK: Final = "***"
# Between a scheme and its token, between cookies, between a cookie's name and its value.
_APART: Final = re.compile(r"[ ;=]+(?!$)")
# Shorter parts (a scheme, the value of a flag) are no secrets, and stand in any text.
_LEAST: Final = 8

_REQUEST_IDS: Final = ("x-request-id", "apim-request-id", "x-ms-request-id", "request-id")

# How a server answers for a path it does not have, other than for a thread it lacks.
_NO_PATH: Final = re.compile(
    r"invalid url|unknown request url|shut ?down|switched off|sunset|retired|deprecat|no longer",
    re.IGNORECASE,
)
_SWITCHED_OFF: Final = (
    "OpenAI switched its Assistants endpoints off on 26 August 2026; what it streams now is "
    "the Responses API (POST /responses)"
)


def streams(response: Any) -> bool:
    """Whether an answer is a stream, by its status and its media type."""
    return response.is_success and _media_type(response) in _STREAMS


def refusal(response: Any, body: bytes) -> ResponseError:
    """Say what is wrong with an answer.

    Args:
        response: What was answered, of httpx or httpx2.
        body: The first bytes of it, at most `EXCERPT`.
    """
    secrets = _secrets(response.request)
    error = _error(body, secrets)
    retry_after = waits(response)
    known_as = request_id(response)
    request = f"{response.request.method} {response.request.url.path}"
    said = [_masked(f"{request} {_verdict(response, error)}", secrets)]
    if error is None and not _is_redirect(response):
        shown = _masked(body.decode(errors="replace").strip(), secrets)[:_SHOWN]
        said += [f"the body begins {shown!r}"] if shown else []
    if _is_switched_off(response, error):
        said.append(_SWITCHED_OFF)
    if retry_after is not None and response.status_code >= 400:
        said.append(f"ask again in {retry_after:g} s")
    if known_as is not None:
        said.append(f"request id {known_as}")
    return ResponseError(
        "; ".join(said),
        status=response.status_code,
        error=error,
        request_id=known_as,
        retry_after=retry_after,
    )


def _verdict(response: Any, error: ErrorObject | None) -> str:
    answered = f"answered {response.status_code}"
    if error is not None:
        code = f" ({error.code})" if error.code else ""
        return f"{answered}{code}: {error.message or 'an error without a message'}"
    if _is_redirect(response):
        return f"{answered}: redirected to {_place(response)}, which is not followed"
    if response.is_success:
        kind = _media_type(response)
        hint = ", which a run has that was not asked for `stream: true`"
        hint = hint if kind == "application/json" else ""
        return f"{answered}, but with {kind or 'no media type'} instead of a stream{hint}"
    return answered


def read_json(response: Any, body: bytes) -> dict[str, Any]:
    """Return the object that an answer is.

    Raises:
        ResponseError: It is none, or the server refused.
    """
    if response.is_success:
        try:
            value = parse(body, depth=DEFAULT_LIMITS.depth)
        except DecodeError:
            value = None
        if isinstance(value, dict):
            return value
    raise refusal(response, body[:EXCERPT])


def waits(response: Any) -> float | None:
    """Return in how many seconds the server wants to be asked again, if it says so."""
    headers = response.headers
    for name, per_second in (
        ("retry-after-ms", 1000),
        ("openai-poll-after-ms", 1000),
        ("retry-after", 1),
    ):
        try:
            seconds = float(headers[name]) / per_second
        except (KeyError, ValueError):
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    when, now = _date(headers.get("retry-after")), said_at(response)
    return max(0.0, (when - now).total_seconds()) if when and now else None


def said_at(response: Any) -> datetime | None:
    """Return when the server answered, by its own clock."""
    return _date(response.headers.get("date"))


def _date(text: str | None) -> datetime | None:
    try:
        when = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return when.replace(tzinfo=UTC) if when is not None and when.tzinfo is None else when


def _media_type(response: Any) -> str:
    value: str = response.headers.get("content-type", "")
    return value.partition(";")[0].strip().lower()


def _is_redirect(response: Any) -> bool:
    return bool(300 <= response.status_code < 400)


def _error(body: bytes, secrets: set[str]) -> ErrorObject | None:
    """Read an error of the API, wrapped in ``{"error"}`` or (Azure) not."""
    try:
        value = parse(body, depth=DEFAULT_LIMITS.depth)
    except DecodeError:
        return None
    if isinstance(value, dict):
        value = value.get("detail") or value  # as servers built on FastAPI say it
    value = value.get("error") or value if isinstance(value, dict) else value
    if isinstance(value, str):
        value = {"message": value}
    if not isinstance(value, dict) or not {"message", "code"} & value.keys():
        return None
    if isinstance(value.get("code"), int):
        value = {**value, "code": str(value["code"])}
    return load(ErrorObject, _masked_within(value, secrets))


def _secrets(request: Any) -> set[str]:
    """Return what was sent as a credential, and the parts that are one by themselves."""
    sent = [value for name in _SECRETS for value in request.headers.get_list(name)]
    parts = {part for value in sent for part in (value, *_APART.split(value))}
    for part in [*parts]:
        with suppress(ValueError):
            parts |= {*base64.b64decode(part, validate=True).decode().split(":", 1)}
    return {part for part in parts if len(part) >= _LEAST}


def _masked(text: str, secrets: set[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, _MASK)
    return _KEYS.sub(_MASK, text)


def _masked_within(value: Any, secrets: set[str]) -> Any:
    if isinstance(value, str):
        return _masked(value, secrets)
    if isinstance(value, list):
        return [_masked_within(item, secrets) for item in value]
    if isinstance(value, dict):
        return {name: _masked_within(item, secrets) for name, item in value.items()}
    return value


def _place(response: Any) -> str:
    """Return where a redirect leads, without what a URL may hold beside the place."""
    target = response.request.url.join(response.headers.get("location", ""))
    return f"{target.scheme}://{target.netloc.decode('ascii')}{target.path}"


def request_id(response: Any) -> str | None:
    """Return by what the server's operators find a request, if the answer says it."""
    if response is None:
        return None
    found: Iterator[str] = (
        response.headers[name] for name in _REQUEST_IDS if name in response.headers
    )
    return next(found, None)


def _is_switched_off(response: Any, error: ErrorObject | None) -> bool:
    url = response.request.url
    if response.status_code not in (404, 410) or "/threads" not in url.path:
        return False
    message = (error.message if error is not None else None) or ""
    return url.host == "api.openai.com" or _NO_PATH.search(message) is not None
