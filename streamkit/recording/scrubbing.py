"""Scrubbing a recording, so that it can be shared: it folds to the same shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import msgspec

from .._blocks import BOM
from .._json import parse
from ..errors import DecodeError
from ..limits import DEFAULT_LIMITS
from ..sse import Frame, FrameDecoder, encode_frame, parse_block
from .forms import Chunk, Leg, Recording
from .masking import Ids, Kind, KnownTexts, Place, Visit, Writer, learning, without_secrets
from .reading import RecordingSource, read
from .writing import KEPT_HEADERS

__all__ = ["scrub"]

Texts: TypeAlias = Literal["keep", "mask"]

# What no person and no model wrote. Any other string is a text.
_WORDS: Final = frozenset(
    "$schema effort event level model object prompt_cache_retention ranker reason "  # noqa: SIM905
    "require_approval required response_format role server_label service_tier severity "
    "status tool_choice truncation type verbosity".split()
)
_NAMED: Final = frozenset(
    ("function", "item", "json_schema", "output", "tool_calls", "tool_choice", "tools")
)
_ERRORS: Final = frozenset(("error", "last_error"))
_IDS: Final = frozenset(("id", "ids", "prompt_cache_key", "system_fingerprint"))
_SECRET: Final = frozenset(("authorization", "encrypted_content", "safety_identifier", "user"))
_PRIVATE: Final = frozenset(("headers", "metadata"))  # whatever is in them is secret
_APPENDED: Final = frozenset(("arguments", "delta", "input", "logs", "output", "refusal", "value"))
_OWNERS: Final = ("type", "id", "item_id", "output_index", "content_index", "summary_index")
_REQUEST_IDS: Final = ("x-request-id", "apim-request-id")

_SEGMENT: Final = re.compile(r"(?<!deployments/)(?<!models/)(?<=s/)(?=[^/]*\d)[^/]+")

_DONE: Final = b"event: done\ndata: [DONE]"


def scrub(recording: RecordingSource, *, texts: Texts = "keep") -> Recording:
    """Return a recording that can be shared, and folds to the same shape.

    Ids are replaced, the same one by the same one everywhere. What looks like a key, a
    token or an e-mail address is masked, and so are the values of ``metadata``. Kinds,
    statuses, names of tools, times and usage are kept, and of the headers `KEPT_HEADERS`.

    It is written anew: one chunk a frame, which comes when its last byte came; comments
    are left out, and of a frame that was cut off, all but that.

    Args:
        recording: As `read` takes it.
        texts: What becomes of what people and models wrote. ``"mask"`` makes each letter
            an x and each digit a 1; where a text is JSON, the names of its fields stay.

    Raises:
        RecordingError: It cannot be read.
        LimitError: A frame is too long.
        OSError: The file cannot be read.
    """
    source = read(recording)
    known, ids = KnownTexts(), Ids()
    for leg in source.legs:
        _around(_rewritten(leg, learning(known, ids)), ids)
    known.settle(ids)
    writer = Writer(known, ids, masks=texts == "mask")
    legs = [_around(_rewritten(leg, writer.write), ids) for leg in source.legs]
    return msgspec.structs.replace(source, legs=legs)


# A leg, its frames and their JSON


def _around(leg: Leg, ids: Ids) -> Leg:
    """Scrub what stands around the body."""
    request, response = leg.request, leg.response
    if request is not None:
        path = _SEGMENT.sub(lambda found: ids.new(found[0]), request.path.partition("?")[0])
        request = msgspec.structs.replace(
            request, path=without_secrets(path, ids), headers=_headers(request.headers, ids)
        )
    if response is not None:
        headers = _headers(response.headers, ids)
        response = msgspec.structs.replace(response, headers=headers)
    error = leg.error and without_secrets(leg.error, ids)
    return msgspec.structs.replace(leg, request=request, response=response, error=error)


def _headers(headers: Mapping[str, str], ids: Ids) -> dict[str, str]:
    return {
        name.lower(): ids.new(value)
        if name.lower() in _REQUEST_IDS
        else without_secrets(value, ids)
        for name, value in headers.items()
        if name.lower() in KEPT_HEADERS
    }


def _rewritten(leg: Leg, visit: Visit) -> Leg:
    pieces = _lines if leg.body.removeprefix(BOM).lstrip().startswith(b"{") else _frames
    chunks: list[Chunk] = []
    waited: float | None = None
    for after, datas in pieces(leg.chunks, visit):
        if after is not None:
            waited = (waited or 0.0) + after
        for data in datas:
            chunks.append(Chunk(data, waited))
            waited = None if waited is None else 0.0
    end = leg.end_after if not waited else round((leg.end_after or 0.0) + waited, 6)
    return msgspec.structs.replace(leg, chunks=chunks, end_after=end)


def _frames(chunks: Sequence[Chunk], visit: Visit) -> Iterator[tuple[float | None, list[bytes]]]:
    """Yield, for each chunk, when it came and the frames that it completed."""
    decoder = FrameDecoder()
    for chunk in chunks:
        frames = decoder.feed(chunk.data)
        yield chunk.after, [encode_frame(_frame(frame, visit)) for frame in frames]
    tail = decoder.finish()
    lines = [line for line in tail.splitlines() if line and not line.startswith(b":")]
    if not lines:
        return
    frame, _ = parse_block(b"\n".join(lines))
    if frame is not None and _parsed(frame.data) is not None:
        whole = encode_frame(_frame(frame, visit)).rstrip(b"\n")
        yield None, [whole + b"\n" * tail.endswith((b"\n", b"\r"))]
    else:
        yield None, [b"\n".join(lines) if _DONE.startswith(b"\n".join(lines)) else b"data: {"]


def _lines(chunks: Sequence[Chunk], visit: Visit) -> Iterator[tuple[float | None, list[bytes]]]:
    """Do the same for lines of JSON."""
    whole = b"".join(chunk.data for chunk in chunks)
    if _parsed(whole) is not None:  # one object, perhaps over many lines
        afters = [chunk.after for chunk in chunks if chunk.after is not None]
        yield sum(afters) if afters else None, [_data(whole, visit) + b"\n"]
        return
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk.data).split(b"\n")
        yield chunk.after, [_data(line, visit) + b"\n" for line in lines if line.strip()]
    if rest.strip():
        yield None, [_data(rest, visit) if _parsed(rest) is not None else b"{"]


def _frame(frame: Frame, visit: Visit) -> Frame:
    is_number = frame.id.isdecimal()
    return Frame(
        visit("word", None, frame.event),
        _data(frame.data, visit).replace(b"\r", b"\n"),
        frame.id if is_number else visit("id", None, frame.id),
        frame.retry,
    )


def _parsed(data: bytes) -> Any:
    """Return what it is, or None where it is no JSON."""
    try:
        return parse(data, depth=DEFAULT_LIMITS.depth, keep_halves=True)
    except DecodeError:
        return None


def _data(data: bytes, visit: Visit) -> bytes:
    if data.strip() in (b"[DONE]", b"null", b""):
        return data
    value = _parsed(data)
    if value is None:
        return visit("text", None, data.decode(errors="replace")).encode(errors="replace")
    scrubbed = _walked(value, visit, (), None)
    try:
        return json.dumps(scrubbed, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a character can only be escaped
        return json.dumps(scrubbed, separators=(",", ":")).encode()


def _walked(value: Any, visit: Visit, keys: tuple[str, ...], place: Place | None) -> Any:
    """Rebuild JSON; `place` is where, in the object that a delta adds to."""
    if isinstance(value, str):
        appended = place if keys and keys[-1] in _APPENDED else None
        return visit(_kind(keys), appended, value)
    if isinstance(value, dict):
        owner = tuple(str(value.get(name)) for name in _OWNERS)
        return {
            visit("word", None, key): _walked(
                item,
                visit,
                (*keys, key),
                (*place, key) if place is not None else owner if key == "delta" else None,
            )
            for key, item in value.items()
        }
    if isinstance(value, list):
        if keys and keys[-1] in ("logprobs", "bytes"):
            return []  # they spell the text
        return [
            _walked(item, visit, keys, None if place is None else (*place, _index(item, rank)))
            for rank, item in enumerate(value)
        ]
    return value


def _index(item: Any, rank: int) -> str:
    return str(item.get("index", rank) if isinstance(item, dict) else rank)


def _kind(keys: tuple[str, ...]) -> Kind:
    key = keys[-1] if keys else ""
    if key in _SECRET or not _PRIVATE.isdisjoint(keys[:-1]):
        return "secret"
    if key in _IDS or key.endswith(("_id", "_ids")):
        return "id"
    is_name = key == "name" and not _NAMED.isdisjoint(keys)
    is_code = key == "code" and not _ERRORS.isdisjoint(keys)
    return "word" if key in _WORDS or key.endswith("_at") or is_name or is_code else "text"
