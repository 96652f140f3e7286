"""Recordings of other tools: cassettes of VCR.py, and HAR files."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from .._blocks import BOM
from .._json import parse
from ..errors import DecodeError, RecordingError
from ..limits import DEFAULT_LIMITS
from .forms import Form, Leg, Recording, RequestInfo, ResponseInfo
from .repairing import in_frames
from .writing import KEPT_HEADERS

__all__ = ["is_cassette", "is_har", "read_cassette", "read_har"]

_STREAM: Final = "text/event-stream"


def is_har(data: bytes) -> bool:
    """Whether a file is a HAR file."""
    log = _json(data).get("log")
    return isinstance(log, dict) and isinstance(log.get("entries"), list)


def is_cassette(data: bytes) -> bool:
    """Whether a file is a cassette of VCR.py, in YAML or in JSON."""
    if data.lstrip().startswith(b"{"):
        return isinstance(_json(data).get("interactions"), list)
    return data.lstrip().startswith((b"interactions:", b"version:", b"---"))


def read_har(data: bytes) -> Recording:
    """Read the event streams of a HAR file.

    Raises:
        RecordingError: There is none in it.
    """
    entries = _json(data)["log"]["entries"]
    legs = [leg for entry in entries if (leg := _har_leg(entry)) is not None]
    return _recording(legs, "har", len(entries))


def read_cassette(data: bytes) -> Recording:
    """Read the event streams of a cassette; one in YAML needs the extra ``vcr``.

    Raises:
        RecordingError: There is none in it, or it is no cassette.
    """
    value = _json(data) if data.lstrip().startswith(b"{") else _yaml(data)
    interactions = value.get("interactions") if isinstance(value, dict) else None
    if not isinstance(interactions, list):
        raise RecordingError("this is YAML, but no cassette: it has no list of interactions")
    legs = [leg for each in interactions if (leg := _cassette_leg(each)) is not None]
    is_cut = "version" not in value  # which is written last, and is all that says so
    return _recording(legs, "vcr", len(interactions), is_cut=is_cut)


def _recording(legs: list[Leg], form: Form, count: int, *, is_cut: bool = False) -> Recording:
    if not legs:
        raise RecordingError(f"there is no event stream among its {count:,} answers")
    return Recording(legs=legs, form=form, is_cut=is_cut)


def _json(data: bytes) -> dict[str, Any]:
    data = data.removeprefix(BOM)
    if not data.lstrip().startswith(b"{"):
        return {}
    try:
        value = parse(data, depth=DEFAULT_LIMITS.depth)
    except DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _yaml(data: bytes) -> Any:
    try:
        import yaml  # noqa: PLC0415 - only cassettes need it
    except ModuleNotFoundError as error:
        raise RecordingError(
            "a cassette in YAML needs PyYAML: install 'streamkit[vcr]'"
        ) from error
    try:
        return yaml.safe_load(data)
    except RecursionError as error:
        raise RecordingError("it nests too deeply") from error
    except (yaml.YAMLError, ValueError) as error:
        raise RecordingError(f"this is no YAML: {error}") from error


def _har_leg(entry: Any) -> Leg | None:
    request, response = _within(entry, "request"), _within(entry, "response")
    headers = _pairs(response.get("headers"))
    content = _within(response, "content")
    kind = content.get("mimeType") or headers.get("content-type", "")
    text = content.get("text")
    if not str(kind).lower().startswith(_STREAM) or not isinstance(text, str):
        return None
    body = text.encode("utf-8", "replace")
    if content.get("encoding") == "base64":
        try:
            body = base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise RecordingError("the content of an answer is no base64") from error
    return _leg(request, _pairs(request.get("headers")), response.get("status"), headers, body)


def _cassette_leg(interaction: Any) -> Leg | None:
    request, response = _within(interaction, "request"), _within(interaction, "response")
    headers = _lists(response.get("headers"))
    body = _within(response, "body").get("string", response.get("content"))  # or as of old
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogateescape")
    kind = headers.get("content-type", "").lower()
    if not kind.startswith(_STREAM) or not isinstance(body, bytes):
        return None
    body = _decoded(body, headers.get("content-encoding", ""))
    status = _within(response, "status").get("code", response.get("status_code"))
    return _leg(request, _lists(request.get("headers")), status, headers, body)


def _leg(
    request: Mapping[str, Any],
    sent: Mapping[str, str],
    status: Any,
    headers: Mapping[str, str],
    body: bytes,
) -> Leg:
    url = urlsplit(str(request.get("url") or request.get("uri") or ""))
    method = str(request.get("method") or "GET").upper()
    return Leg(
        chunks=in_frames(body),
        request=RequestInfo(method=method, path=url.path or "/", headers=_kept(sent)),
        response=ResponseInfo(
            status=status if isinstance(status, int) else 200, headers=_kept(headers)
        ),
    )


def _decoded(body: bytes, encoding: str) -> bytes:
    if not encoding or encoding == "identity" or b"data:" in body:
        return body  # perhaps it was decoded before it was kept, and the header left
    if encoding not in ("gzip", "deflate"):
        raise RecordingError(f"an answer is encoded with {encoding}, which is not read here")
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body)  # it may break off
    except zlib.error as error:
        raise RecordingError(f"an answer is said to be {encoding}, and is not") from error


def _within(value: Any, name: str) -> Mapping[str, Any]:
    inner = value.get(name) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _pairs(headers: Any) -> dict[str, str]:
    """Read headers as HAR has them."""
    listed: Iterable[Any] = headers if isinstance(headers, list) else ()
    pairs = [pair for pair in listed if isinstance(pair, dict)]
    return {str(pair.get("name")).lower(): str(pair.get("value")) for pair in pairs}


def _lists(headers: Any) -> dict[str, str]:
    """Read headers as cassettes have them: a list of values a name."""
    items = headers.items() if isinstance(headers, dict) else ()
    return {
        str(name).lower(): ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in items
    }


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in KEPT_HEADERS}
