"""A scrubbed recording: nothing private is in it, and it folds as the first one did."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import streamkit
from streamkit import Frame, FrameDecoder, PeerError, encode_frame
from streamkit.recording.converting import write
from streamkit.recording.forms import Chunk, Leg, Recording, RequestInfo, ResponseInfo
from streamkit.recording.reading import read
from streamkit.recording.scrubbing import Texts, scrub
from tests.recorded import STREAMS, on_every_stream

BOTH: Final[Sequence[Texts]] = ("keep", "mask")

RUN: Final = "run_v8uVqDNotARealIdop5D2CpQ"
STEP: Final = "step_3zQflBNotARealIdiy7UvAfU"
FILE: Final = "file-65i28iJRCx4hvJnk6NcavwRX"


# Shapes


def shape(recording: Recording) -> tuple[object, ...]:
    """What a recording folds to, without ids and texts: only how long those are."""
    changes = []
    raised = ""
    following = streamkit.follow([chunk.data for leg in recording.legs for chunk in leg.chunks])
    try:
        for change in following:
            text = getattr(change, "text", "")
            changes.append((type(change).__name__, len(text.encode("utf-16-le"))))
    except PeerError as error:
        raised = type(error).__name__
    snapshot = following.snapshot()
    return changes, snapshot.outcome, [problem.kind for problem in snapshot.problems], raised


def recorded(name: str) -> Recording:
    legs = [leg for body in STREAMS[name] for leg in read(body).legs]
    return Recording(legs=legs)


def written(recording: Recording, folder: Path) -> bytes:
    """Write a recording, see that it is read back equal, and return the bytes."""
    path = folder / "it.sse.jsonl"
    write(recording, path)
    back = read(path)
    assert [[*leg.chunks] for leg in back.legs] == [[*leg.chunks] for leg in recording.legs]
    for leg, other in zip(back.legs, recording.legs, strict=True):
        assert msgspec.structs.replace(leg, chunks=()) == msgspec.structs.replace(other, chunks=())
    return path.read_bytes()


def strings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield each string in some JSON, and each key, which is under no key."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield "", name
            yield from strings(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, key)
    elif isinstance(value, str):
        yield key, value


def said(recording: Recording) -> list[tuple[str, str]]:
    """Return all the strings of a recording, with their keys."""
    lines = [re.sub(rb"^data: ?", b"", line) for line in recording.body.splitlines()]
    found: list[tuple[str, str]] = []
    for line in lines:
        try:
            found += strings(json.loads(line))
        except ValueError:
            found += [("event", line.decode(errors="replace"))] * line.startswith(b"event:")
    return found


TEXTS: Final = frozenset(
    ("arguments", "description", "file_name", "input", "instructions", "logs", "message", "output")
) | frozenset(("quote", "refusal", "text", "value"))


def words(texts: Sequence[str]) -> set[str]:
    return {word for text in texts for word in re.findall(r"[^\W\d_]{5,}", text)}


@pytest.mark.parametrize("texts", BOTH)
@on_every_stream()
def test_a_scrubbed_recording_folds_to_the_same_shape(name: str, texts: Texts) -> None:
    recording = recorded(name)
    scrubbed = scrub(recording, texts=texts)
    assert shape(scrubbed) == shape(recording)
    assert len(scrubbed.legs) == len(recording.legs)
    assert scrub(scrubbed, texts=texts) == scrubbed


@pytest.mark.parametrize("texts", BOTH)
@on_every_stream()
def test_no_id_is_left(name: str, texts: Texts, tmp_path: Path) -> None:
    recording = recorded(name)
    body = written(scrub(recording, texts=texts), tmp_path)
    ids = {text for key, text in said(recording) if re.search("(^|_)ids?$", key)}
    assert ids
    assert not [each for each in ids if len(each) > 9 and each.encode() in body]


@on_every_stream()
def test_no_word_is_left(name: str, tmp_path: Path) -> None:
    recording = recorded(name)
    body = written(scrub(recording, texts="mask"), tmp_path).decode()
    found = said(recording)
    structure = words([text for key, text in found if key not in TEXTS])
    # The names of the fields of arguments and outputs stay.
    structure |= words([key for _, text in found for key in re.findall(r'"([^"]*)"\s*:', text)])
    structure |= {"streamkit", "after"}
    private = words([text for key, text in found if key in TEXTS]) - structure
    assert private or not any(key in ("value", "logs") for key, _ in found)
    left = private & words([body])
    assert not [word for word in left if not any(word in each for each in structure)]


# Single frames


def scrubbed_data(value: Any, texts: Texts = "keep", event: str = "thread.run.created") -> Any:
    """Scrub a recording of one frame, and return what became of its JSON."""
    body = encode_frame(Frame(event, json.dumps(value).encode()))
    (frame,) = FrameDecoder().feed(scrub(body, texts=texts).body)
    assert frame.event == event
    return json.loads(frame.data)


@pytest.mark.parametrize(
    ("key", "value", "kept", "masked"),
    [
        ("status", "in_progress", "in_progress", "in_progress"),
        ("type", "code_interpreter", "code_interpreter", "code_interpreter"),
        ("model", "gpt-4o", "gpt-4o", "gpt-4o"),
        ("created_at", 1712345678, 1712345678, 1712345678),
        ("usage", {"total_tokens": 8}, {"total_tokens": 8}, {"total_tokens": 8}),
        ("instructions", "Be kind, 007!", "Be kind, 007!", "Xx xxxx, 111!".lower()),
        (
            "description",
            "Ask bob@example.org.",
            "Ask xxx@xxxxxxx.xxx.",
            "Xxx xxx@xxxxxxx.xxx.".lower(),
        ),
        ("metadata", {"name": "Bob Lee 7"}, {"name": "xxx xxx 1"}, {"name": "xxx xxx 1"}),
        ("metadata", {"user_id": "Bob 7"}, {"user_id": "xxx 1"}, {"user_id": "xxx 1"}),
        ("user", "bob_lee", "xxx_xxx", "xxx_xxx"),
        ("encrypted_content", "gAAAA1", "xxxxx1", "xxxxx1"),
        ("headers", {"X-Key": "abc"}, {"X-Key": "xxx"}, {"X-Key": "xxx"}),
        ("system_fingerprint", "fp_4d2ab91", "fp_0000000", "fp_0000000"),
        ("file_ids", [FILE, FILE], ["file-" + "0" * 24] * 2, ["file-" + "0" * 24] * 2),
        ("logprobs", [{"token": "Bob", "bytes": [66, 111]}], [], []),
        (
            "last_error",
            {"code": "rate_limit", "message": "No."},
            ...,
            {"code": "rate_limit", "message": "xx."},
        ),
        ("code", "print(1)", "print(1)", "xxxxx(1)"),
        ("function", {"name": "get_tide"}, ..., ...),
        ("name", "Bob", "Bob", "xxx"),
        ("status", "Bob was here", "Bob was here", "xxx xxx xxxx"),
        ("unheard_of", "Bob", "Bob", "xxx"),
        ("value", "naïve 東京 Ⅻ é e\u0301 🍵", ..., "xxxxx xx 1 x xx \U0001d465"),
        ("arguments", '{"a": "bc"}', ..., '{"a": "xx"}'),
        (
            "arguments",
            '{"a b":[true,null,-10.5e3,"x\\ny\\u00e9\\"z"]}',
            ...,
            '{"a b":[true,null,-11.1e1,"x\\nx\\u0078\\"x"]}',
        ),
        ("arguments", '{"a": "bc', ..., '{"x": "xx'),
        ("output", '"yes"', ..., '"xxx"'),
        ("a bob@example.org", 1, ..., ...),
    ],
)
def test_what_becomes_of_a_field(key: str, value: Any, kept: Any, masked: Any) -> None:
    expected = value if kept is ... else kept
    key_ = key.replace("bob@example.org", "xxx@xxxxxxx.xxx")
    assert scrubbed_data({key: value}) == {key_: expected}
    expected = value if masked is ... else masked
    key_ = "x xxx@xxxxxxx.xxx" if key != key_ else key
    assert scrubbed_data({key: value}, "mask") == {key_: expected}


SECRETS: Final = (
    "sk-abcdefghijklmnop",
    "sk-proj-A1b2C3d4E5f6",
    "Bearer q8Zr.tok~en+/9==",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IifQ.c2lnbmF0dXJl",
    "bob.lee+x@mail.example.org",
    "ghp_abcdefghij0123456789",
    "xoxb-123456789012-abcdef",
    "AKIAIOSFODNN7EXAMPLE",
    "https://example.org/a?sv=1&sig=abc%2Fdef",
    "https://bob:hunter2@example.org/",
    "api_key = 'abcdef0123456789abcdef'",
    "Authorization: Basic Ym9iOmh1bnRlcjI=",
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("place", ["text", "word", "not JSON", "path", "error", "header", "lines"])
def test_a_secret_is_masked_wherever_it_is(secret: str, place: str) -> None:
    value = {"text": {"value": f"say {secret} now"}, "word": {"status": secret}}.get(place, {})
    data = json.dumps(value) if value else f"say {secret} now"
    recording = Recording(
        legs=[
            Leg(
                chunks=[Chunk(f"event: x\ndata: {data}\n\n".encode())]
                if place != "lines"
                else [Chunk(json.dumps({"event": "x", "data": {"value": secret}}).encode())],
                request=RequestInfo(
                    method="GET", path=f"/{secret}", headers={"user-agent": f"a {secret}"}
                ),
                response=ResponseInfo(status=200, headers={"Server": secret, "Cookie": secret}),
                error=f"failed: {secret}",
            )
        ]
    )
    scrubbed = scrub(recording)
    around = [msgspec.structs.replace(leg, chunks=()) for leg in scrubbed.legs]
    told = msgspec.json.encode(around).decode() + scrubbed.body.decode()
    hidden = {"api_key = 'abcdef0123456789abcdef'": "abcdef0123456789"}.get(secret, secret)
    assert hidden not in told
    for part in ("hunter2", "Ym9i", "q8Zr", "def0123", "abc%2F", "c2lnbm", "example.org,"):
        assert part not in told


def test_ids_are_replaced_everywhere_alike() -> None:
    value = {
        "id": RUN,
        "steps": [{"id": STEP, "run_id": RUN}, {"id": STEP.lower(), "run_id": RUN}],
        "uuid_id": "3f2b8c1e-0d4a-4c7e-9b1f-5a6d7e8f9a0b",
        "text": f"see sandbox:/{FILE} of {RUN}, call_Qm5sUnNamed0Elsewhere",
        "tools": {FILE: 1},
        "short_id": "a",
        "local_id": "web_search",
        "type": "web_search",
    }
    assert scrubbed_data(value) == {
        "id": "run_" + "0" * 24,
        "steps": [
            {"id": "step_" + "0" * 24, "run_id": "run_" + "0" * 24},
            {"id": "step_" + "0" * 23 + "1", "run_id": "run_" + "0" * 24},
        ],
        "uuid_id": "00000000-0000-0000-0000-000000000000",
        "text": f"see sandbox:/file-{'0' * 24} of run_{'0' * 24}, call_{'0' * 21}",
        "tools": {"file-" + "0" * 24: 1},
        "short_id": "0",
        "local_id": "web_000000",
        "type": "web_search",
    }


@given(st.lists(st.from_regex(r"(run_|file-)?[A-Za-z0-9._-]{1,3}", fullmatch=True), unique=True))
def test_different_ids_stay_different(ids: list[str]) -> None:
    new = scrubbed_data([{"id": each} for each in ids])
    assert len({each["id"] for each in new}) == len(ids)
    assert [len(each["id"]) for each in new] == [len(each) for each in ids]


# Texts that are cut


def deltas(pieces: Sequence[str], key: str = "value") -> Iterator[Frame]:
    for piece in pieces:
        part = {"index": 0, "type": "text", "text": {key: piece}}
        value = {"id": "msg_1", "object": "thread.message.delta", "delta": {"content": [part]}}
        yield Frame("thread.message.delta", json.dumps(value).encode())


def whole(text: str, name: str = "completed", key: str = "value") -> Frame:
    part = {"type": "text", "text": {key: text}}
    value = {"id": "msg_1", "object": "thread.message", "content": [part]}
    return Frame(f"thread.message.{name}", json.dumps(value).encode())


def told(recording: Recording, key: str = "value") -> list[str]:
    values = [json.loads(frame.data) for frame in FrameDecoder().feed(recording.body)]
    return ["".join(text for name, text in strings(value) if name == key) for value in values]


PRIVATE: Final = st.sampled_from(
    [f"see {FILE}", "mail bob@example.org", "🍵🍵", '{"a": "bc"}', *SECRETS]
)


@pytest.mark.parametrize("texts", BOTH)
@given(data=st.data())
def test_a_text_is_scrubbed_alike_however_it_is_cut(texts: Texts, data: st.DataObject) -> None:
    text = "".join(data.draw(st.lists(st.text() | PRIVATE, min_size=1)))
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    units = text.encode("utf-16-le")
    places = data.draw(st.lists(st.integers(0, len(units) // 2)).map(sorted))
    cuts = [0, *places, len(units) // 2]
    pieces = [
        units[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")
        for start, end in pairwise(cuts)
    ]
    so_far = whole("".join(pieces[:1]).encode("utf-8", "ignore").decode(), "in_progress")
    frames = [*deltas(pieces), so_far, whole(text)]
    *cut, first, last = told(scrub(b"".join(map(encode_frame, frames)), texts=texts))
    joined = "".join(cut).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    assert joined == last
    assert last.startswith(first)
    assert len(last.encode("utf-16-le")) == len(units)
    if texts == "mask":
        assert not re.search(
            r"(?![x\U0001d465])[^\W\d_]", re.sub('"[^"]*":|true|null|false|NaN|Infinity', "", last)
        )
    assert scrub(encode_frame(whole(text)), texts=texts).body == encode_frame(
        Frame("thread.message.completed", scrubbed_bytes(text, texts))
    )


def scrubbed_bytes(text: str, texts: Texts) -> bytes:
    (frame,) = FrameDecoder().feed(scrub(encode_frame(whole(text)), texts=texts).body)
    return frame.data


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(0, 1e300) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=8,
)


def outline(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: outline(item) for key, item in value.items()}
    return [outline(item) for item in value] if isinstance(value, list) else isinstance(value, str)


@given(st.dictionaries(st.text("abc"), json_values), st.booleans())
def test_json_in_a_text_keeps_its_form(value: dict[str, Any], escaped: bool) -> None:  # noqa: FBT001
    text = json.dumps(value, ensure_ascii=escaped)
    masked = scrubbed_data({"arguments": text}, "mask")["arguments"]
    assert len(masked) == len(text)
    assert outline(json.loads(masked)) == outline(value)


# Chunks, legs and forms


def test_times_are_kept() -> None:
    a, b, c = (encode_frame(Frame("x", b"%d" % n)) for n in range(3))
    recording = Recording(
        created="2026-01-02",
        legs=[
            Leg(
                chunks=[
                    Chunk(a[:4], 0.5),
                    Chunk(a[4:] + b, 0.25),
                    Chunk(b": ping\n\n", 1.0),
                    Chunk(c, 2.0),
                    Chunk(b": ping\n\n", 4.0),
                ],
                after=3.0,
                end="eof",
                end_after=8.0,
            )
        ],
    )
    assert scrub(recording) == Recording(
        created="2026-01-02",
        legs=[
            Leg(
                chunks=[Chunk(a, 0.75), Chunk(b, 0.0), Chunk(c, 3.0)],
                after=3.0,
                end="eof",
                end_after=12.0,
            )
        ],
    )


def test_times_that_nobody_noted_stay_unknown() -> None:
    body = encode_frame(Frame("x", b"1")) * 2
    assert [chunk.after for chunk in scrub(body).legs[0].chunks] == [None, None]


def test_the_request_and_the_headers_are_scrubbed() -> None:
    leg = Leg(
        chunks=[
            Chunk(encode_frame(Frame("x", json.dumps({"id": RUN}).encode(), id="Qa7_x", retry=5)))
        ],
        request=RequestInfo(
            method="POST",
            path=f"/openai/deployments/gpt-4/threads/t-1x/runs/{RUN}?api-key=1",
            headers={"authorization": "Bearer abcdefgh", "User-Agent": "curl/8"},
        ),
        response=ResponseInfo(
            status=200,
            headers={"x-request-id": "req_4Ab", "set-cookie": "a", "apim-request-id": "req_4Ab"},
        ),
        error=f"ReadTimeout: {RUN}",
    )
    (scrubbed,) = scrub(Recording(legs=[leg])).legs
    run = "run_" + "0" * 24
    assert scrubbed.request == RequestInfo(
        method="POST",
        path=f"/openai/deployments/gpt-4/threads/0-00/runs/{run}",
        headers={"user-agent": "curl/8"},
    )
    ids = {"x-request-id": "req_000", "apim-request-id": "req_000"}
    assert scrubbed.response == ResponseInfo(status=200, headers=ids)
    assert scrubbed.error == f"ReadTimeout: {run}"
    (frame,) = FrameDecoder().feed(scrubbed.body)
    assert frame == Frame(
        "x",
        json.dumps({"id": run}, separators=(",", ":")).encode(),
        "Qa7_x".replace("Qa7_x", "00000"[:3] + "_0"),
        5,
    )


@pytest.mark.parametrize("texts", BOTH)
@pytest.mark.parametrize(
    "body", [b"", b": ping\n\n", b"data: [DONE]\n\n", b"event: done\ndata: [D"]
)
def test_what_says_nothing_is_no_trouble(body: bytes, texts: Texts) -> None:
    assert scrub(body, texts=texts).body == body.removeprefix(b": ping\n\n")


@pytest.mark.parametrize("texts", BOTH)
@pytest.mark.parametrize("name", ["three-legs", "litellm", "emoji"])
def test_a_recording_that_is_cut_anywhere_keeps_its_shape(name: str, texts: Texts) -> None:
    body = STREAMS[name][0]
    for end in range(0, len(body), 97):
        recording = Recording(legs=[Leg(chunks=[Chunk(body[:end])])])
        scrubbed = scrub(recording, texts=texts)
        assert shape(scrubbed) == shape(recording)
        assert b"NotARealId" not in scrubbed.body


@pytest.mark.parametrize("texts", BOTH)
@pytest.mark.parametrize("name", ["three-legs", "report", "emoji", "error"])
def test_lines_of_json_stay_lines(name: str, texts: Texts, tmp_path: Path) -> None:
    write(recorded(name), tmp_path / "it.jsonl", form="events")
    recording = read(tmp_path / "it.jsonl")
    assert recording.form == "events"
    scrubbed = scrub(recording, texts=texts)
    assert shape(scrubbed) == shape(recording)
    assert b"NotARealId" not in scrubbed.body
    assert scrub(tmp_path / "it.jsonl", texts=texts) == scrubbed
    assert read(scrubbed.body).form == "events"


def test_one_object_over_many_lines_is_one() -> None:
    body = json.dumps({"error": {"message": "Bob!", "code": "bad"}}, indent=1).encode()
    recording = Recording(legs=[Leg(chunks=[Chunk(body, 1.5)])])
    (leg,) = scrub(recording, texts="mask").legs
    assert leg.chunks == [Chunk(b'{"error":{"message":"xxx!","code":"bad"}}\n', 1.5)]


def test_lines_that_are_cut_stay_cut() -> None:
    body = b'{"event":"x","data":{"id":"' + RUN.encode() + b'"}}\n{"event":"y","data":"Bob'
    recording = Recording(legs=[Leg(chunks=[Chunk(body)])])
    assert scrub(recording).body == b'{"event":"x","data":{"id":"run_' + b"0" * 24 + b'"}}\n{'
