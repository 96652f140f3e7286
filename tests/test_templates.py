"""Frames that are alike are read together, and mean what each means when read alone."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamkit import Accumulator, Limits, PeerError, RunStepDeltaEvent, UsageError, follow
from streamkit._series import Series
from streamkit.dialects import EventReader, learning
from streamkit.limits import DEFAULT_LIMITS
from tests.cutting import cuts

STEP: Final = "thread.run.step.delta"
MESSAGE: Final = "thread.message.delta"
CODE: Final = "response.code_interpreter_call_code.delta"
TEXT: Final = "response.output_text.delta"


def frame(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"


def step(call: str, id: str = "step_1") -> str:
    details = f'{{"type":"tool_calls","tool_calls":[{call}]}}'
    return frame(STEP, f'{{"id":"{id}","object":"x","delta":{{"step_details":{details}}}}}')


def code(text: str, index: str = "0", id: str = "step_1") -> str:
    inner = f'{{"input":{text}}}'
    return step(f'{{"index":{index},"type":"code_interpreter","code_interpreter":{inner}}}', id)


def logs(text: str, output: str, index: str = "0") -> str:
    inner = f'{{"outputs":[{{"index":{output},"type":"logs","logs":{text}}}]}}'
    return step(f'{{"index":{index},"type":"code_interpreter","code_interpreter":{inner}}}')


def arguments(text: str, index: str) -> str:
    return step(f'{{"index":{index},"type":"function","function":{{"arguments":{text}}}}}')


def message(text: str, index: str = "0", id: str = "msg_1") -> str:
    content = f'[{{"index":{index},"type":"text","text":{{"value":{text}}}}}]'
    return frame(MESSAGE, f'{{"id":"{id}","object":"x","delta":{{"content":{content}}}}}')


def item(name: str, text: str, number: str, padding: str) -> str:
    place = f'"item_id":"{name[9:13]}","output_index":0,"content_index":0'
    said = f'"type":"{name}","sequence_number":{number},{place},"delta":{text}'
    return frame(name, f'{{{said},"obfuscation":{padding}}}')


def spaced(text: str, number: str) -> str:
    """Write the number after the text, with blanks, as other servers do."""
    place = '"item_id": "outp", "output_index": 0, "content_index": 0'
    said = f'"type": "{TEXT}", {place}, "delta": {text}, "sequence_number": {number}'
    return frame(TEXT, f"{{{said}}}")


OPENING: Final = {
    "code": frame("thread.run.step.created", '{"id":"step_1","type":"tool_calls"}')
    + step('{"index":0,"id":"c","type":"code_interpreter","code_interpreter":{"input":"a"}}'),
    "functions": "".join(
        step(f'{{"index":{index},"id":"f{index}","type":"function","function":{{"name":"f"}}}}')
        for index in range(3)
    ),
    "message": frame("thread.message.created", '{"id":"msg_1","content":[]}'),
    "response": frame("response.created", '{"sequence_number":0,"response":{"id":"r"}}'),
    "nothing": "",
}


def shapes(text: str, number: int) -> list[str]:
    """Write one delta in every shape."""
    at = str(number)
    return [
        code(text),
        code(text, str(number % 3)),
        logs(text, at),
        logs(text, str(number % 2), str(number % 3)),
        arguments(text, "0"),
        arguments(text, str(number % 3)),
        message(text),
        message(text, str(number % 2)),
        item(CODE, text, at, '"pad"'),
        item(TEXT, text, at, text),
        spaced(text, at),
    ]


SHAPES: Final = len(shapes('""', 0))

Told = tuple[list[Any], Any, str, Any]


def fold(chunks: Sequence[bytes], *, alike: bool, limits: Limits = DEFAULT_LIMITS) -> Told:
    """Feed chunks to an accumulator; return all that is to be known of it."""
    accumulator = Accumulator(templates=alike, limits=limits)
    changes: list[Any] = []
    failure = ""
    try:
        for chunk in chunks:
            changes += accumulator.feed_bytes(chunk)
        changes += accumulator.end()
    except PeerError as error:
        changes += error.changes
        failure = repr(error) + repr(getattr(error, "offset", None))
    except UsageError as error:
        failure = str(error)
    return changes, accumulator.snapshot(), failure, accumulator.sequence_number


def served(body: str) -> int:
    """Count the deltas that were read as part of a series."""
    said = EventReader(DEFAULT_LIMITS, templates=True).read(body.encode())
    return sum(len(each.texts) for each in said if isinstance(each, Series))


@pytest.mark.parametrize("opening", OPENING)
@pytest.mark.parametrize("shape", range(SHAPES))
def test_what_is_alike_is_read_together_and_means_the_same(opening: str, shape: int) -> None:
    texts = [json.dumps(text) for text in ("b", "", "é", "\n", '"', "\\", "{}", "x" * 40, "b")]
    frames = [shapes(text, number)[shape] for number, text in enumerate(texts * 3, 1)]
    body = OPENING[opening] + "".join(frames)
    assert served(body) >= 14
    for chunks in cuts(body.encode())[:8]:
        assert fold(chunks, alike=True) == fold(chunks, alike=False)


MARK: Final = learning._MARKS[str][0]


@pytest.mark.parametrize("last", ['"x"', f'"{MARK}"', '"\\u0037070700"'])
def test_a_frame_that_says_a_mark_itself_teaches_nothing_wrong(last: str) -> None:
    """Its text stays, and what varies is beside it."""
    padding = ['"a"', f'"{MARK}"', '"b"', '"c"', '"d"', '"e"']
    frames = [item(TEXT, last, "1", pad).replace('"sequence_number":1,', "") for pad in padding]
    body = ("".join(frames) * 2).encode()
    assert fold([body], alike=True) == fold([body], alike=False)


NASTY: Final = (
    *('"', "\\", '\\"', ",", ":", "{", "}", "]", "\n", "\n\n", "\r", "\r\n", " ", "\t", "\x00"),
    *("null", "1.0", "-0", "007", "1e2", "99999999999999999999", "7070700", "�", ""),
    *('","', '",\n"', '"input":"', ',"input":"x"', ',"index":1', '"index":', '"delta":'),
    *('"}}]}}}', '"}}]}}}\n\nevent: thread.run.step.delta', ',"type":"logs","logs":"'),
    *(',"sequence_number":', ',"delta":"', "\\ud83d", "\\ude00", "\\u00e9"),
    *("\ndata: ", "\nid: 7\n", ": comment\n", "event: done\ndata: [DONE]\n\n"),
)

TOKENS: Final = st.one_of(
    st.text(max_size=8).map(json.dumps),
    st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from(['"a"', '""', '"\\ud83d"', '"\\ude00"', "null", "3", '"a', 'a"', '"a" ']),
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Write deltas of a few shapes, in runs, and then spoil some of the bytes."""
    body = OPENING[draw(st.sampled_from(sorted(OPENING)))]
    number = 0
    for _ in range(draw(st.integers(1, 3))):
        shape = draw(st.integers(0, SHAPES - 1))
        for text in draw(st.lists(TOKENS, min_size=1, max_size=12)):
            number += draw(st.sampled_from([1, 1, 1, 1, 0, 2]))
            body += shapes(text, number)[shape]
    data = body.encode("utf-8", "surrogatepass")
    for _ in range(draw(st.sampled_from([0, 0, 1, 2, 4]))):
        at = draw(st.integers(0, len(data)))
        gone = draw(st.sampled_from([0, 0, 1, 5]))
        data = data[:at] + draw(st.sampled_from(NASTY)).encode() + data[at + gone :]
    return data


@settings(max_examples=400)
@given(bodies(), st.integers(0, 200), st.sampled_from([1, 2, 3]))
def test_hostile_bodies_mean_the_same(body: bytes, size: int, times: int) -> None:
    body *= times
    frames = re.split(rb"(?<=\n\n)", body)
    chunks = [body[at : at + size] for at in range(0, len(body), size)] if size else [body]
    for way in ([body], frames, chunks):
        assert fold(way, alike=True) == fold(way, alike=False)


@settings(max_examples=100)
@given(bodies())
def test_between_two_deltas_the_state_is_that_of_the_first(body: bytes) -> None:
    def seen(*, alike: bool) -> list[Any]:
        following = follow([body], accumulator=Accumulator(templates=alike))
        told: list[Any] = []
        try:
            told += [(list(each), following.snapshot()) for each in following.batches()]
        except (PeerError, UsageError) as error:
            told.append(repr(error))
        return told

    assert seen(alike=True) == seen(alike=False)


def test_a_chunk_amid_many_frames_that_are_alike_is_read_at_once() -> None:
    texts = [f"{number} " for number in range(2000)]
    body = OPENING["code"] + "".join(code(json.dumps(text)) for text in texts)
    chunks = [body.encode()[at : at + 30_000] for at in range(0, len(body), 30_000)]
    reader = EventReader(DEFAULT_LIMITS, templates=True)
    said = [reader.read(chunk) for chunk in chunks]
    assert [len(each) for each in said[1:]] == [1] * (len(chunks) - 1)
    assert fold(chunks, alike=True) == fold(chunks, alike=False)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_amid_many_frames_that_are_alike_anything_may_come(data: st.DataObject) -> None:
    shape = data.draw(st.integers(0, SHAPES - 1))
    frames = [shapes(f'"{number}"', number)[shape] for number in range(400)]
    for _ in range(data.draw(st.integers(0, 3))):
        frames.insert(data.draw(st.integers(80, 400)), data.draw(st.sampled_from(NASTY)))
    body = (OPENING["code"] + "".join(frames)).encode()
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(20_000, len(body)))
        body = body[:at] + data.draw(st.sampled_from(NASTY)).encode() + body[at:]
    size = data.draw(st.integers(9_000, 20_000))
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    assert fold(chunks, alike=True) == fold(chunks, alike=False)


def test_a_frame_beyond_the_limit_is_met_amid_many_that_are_alike() -> None:
    frames = [code(f'"{number}"') for number in range(300)] + [code(f'"{"x" * 9000}"')]
    body = (OPENING["code"] + "".join(frames)).encode()
    chunks = [body[at : at + 6000] for at in range(0, len(body), 6000)]
    limits = Limits(frame_bytes=8000)
    told = fold(chunks, alike=True, limits=limits)
    assert "LimitError" in told[2]
    assert told == fold(chunks, alike=False, limits=limits)


@pytest.mark.parametrize("most", [1, 100])
def test_where_nothing_is_alike_learning_takes_little(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """A lesson takes as long as several frames: a few may be in vain, then one in many."""
    lessons: list[Any] = []

    def proven(*of: Any) -> Any:
        lessons.append(of)
        return original(*of)

    original = learning._proven
    monkeypatch.setattr(learning, "_proven", proven)
    count = 4000
    body = "".join(code(f'"{number % most}"', id=f"s{number}") for number in range(count))
    EventReader(DEFAULT_LIMITS, templates=True).read(body.encode())
    assert 2 <= len(lessons) <= 16 + count / 256


def test_a_series_says_its_deltas_one_by_one() -> None:
    series = Series("function", "step_1", ([0, 1],), ["a", "b"])
    said = [each.event(*row).delta for each in series.singles() for row in each.rows()]
    frames = [arguments('"a"', "0"), arguments('"b"', "1")]
    assert said == [
        msgspec.json.decode(data.partition("data: ")[2], type=RunStepDeltaEvent).delta
        for data in frames
    ]
