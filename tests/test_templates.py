"""Frames that are alike are read together, and mean what each means when read alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamkit import Accumulator, Limits, PeerError, RunStepDeltaEvent, UsageError, follow
from streamkit._series import Series, series_of
from streamkit.dialects import EventReader, event_stream, learning
from streamkit.dialects.templates import Template
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
            for each in following.batches():
                told.append((list(each), following.snapshot()))  # noqa: PERF401 - before an error
        except (PeerError, UsageError) as error:
            told.append(repr(error))
        return told

    assert seen(alike=True) == seen(alike=False)


def test_what_an_accumulator_reads_is_to_be_fed_one_by_one() -> None:
    body = "".join(code(f'"{number}"') for number in range(20)).encode()
    said = Accumulator().read(body)
    assert len(said) == 20
    assert all(len(each.texts) == 1 for each in said if isinstance(each, Series))


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


# What is nearly alike


def said(chunks: Sequence[str], *, alike: bool) -> list[str]:
    """Read chunks, to the first error, and say each delta as a series of one."""
    reader = EventReader(DEFAULT_LIMITS, templates=alike)
    told: list[str] = []
    for chunk in chunks:
        for each in reader.read(chunk.encode("utf-8", "surrogateescape")):
            if isinstance(each, Series):
                told += [repr(series_of(single) or single) for single in each.singles()]
            elif isinstance(each, PeerError):
                return [*told, f"{each!r} {getattr(each, 'offset', None)}"]
            else:
                told.append(repr(series_of(each) or each))
    return told


def together(frames: Sequence[str]) -> list[str]:
    return ["".join(frames)]


def amid(frames: Sequence[str]) -> list[str]:
    """Let a chunk end, and begin, amid frames that are alike."""
    return ["".join(frames[:8]), "".join(frames[8:])]


Way = Callable[[Sequence[str]], Sequence[str]]
WAYS: Final[Sequence[Way]] = [together, amid, list]


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few frames that are alike be enough to expect that all are."""
    monkeypatch.setattr(event_stream, "_MANY", 2)


@pytest.mark.usefixtures("few_are_many")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", range(SHAPES))
def test_a_frame_that_is_nearly_alike_says_what_it_says(shape: int, way: Way) -> None:
    *alike, odd, last = (shapes(f'"{at}"', at)[shape] for at in range(1, 13))
    for at in range(len(odd)):
        for new in ("", "\n", "}", odd[at] * 2):
            chunks = way([*alike, odd[:at] + new + odd[at + 1 :], last])
            assert said(chunks, alike=True) == said(chunks, alike=False), (at, new)


# What may stand where one value stood.
TEXTS: Final = (
    *('"a"', ' "a"', '"a"\t', '"a"\n', '\n"a"', '"a"\r', '"a', 'b"', '"a\n', '\nb"', "", "null"),
    *('"a","b"', '"a",\n"b"', ',"b"', '"a",', '["a"]', '"a"]', '["b"', '"\\', '"\udcff"', "7"),
    *('"a","index":1', '"a"}', '"a","delta":"b"', '"a"/**/', '"\x00"', '"\\ud83d"', '"a" "b"'),
)
NUMBERS: Final = (
    *("7", " 7", "7 ", "7\n", "\n7", "7\r", "", "8,9", "8,\n9", "07", "-0", "-1", "7.0", "7e0"),
    *("99999999999999999999", "9" * 5000, "null", "true", '"7"', "[7]", "7]", "[8", "7 8", "+7"),
)


@pytest.mark.usefixtures("few_are_many")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("write", "pieces"),
    [
        (lambda piece, _: code(piece), TEXTS),
        (lambda piece, at: item(TEXT, piece, str(at), '"pad"'), TEXTS),
        (lambda piece, at: item(TEXT, f'"{at}"', str(at), piece), TEXTS),
        (lambda piece, at: spaced(piece, str(at)), TEXTS),
        (lambda piece, at: logs(f'"{at}"', piece), NUMBERS),
        (lambda piece, at: spaced(f'"{at}"', piece), NUMBERS),
        (lambda piece, at: logs('"a"', piece, str(at % 2)), NUMBERS),
    ],
)
def test_what_is_not_one_value_does_not_pass_for_one(
    write: Callable[[str, int], str], pieces: Sequence[str], way: Way
) -> None:
    valid = [f'"{at}"' if pieces is TEXTS else str(at) for at in range(12)]
    alike = [write(piece, at) for at, piece in enumerate(valid)]
    two = '"a","b"' if pieces is TEXTS else "8,9"  # makes up for two that pass for one
    odd = [(piece,) for piece in pieces] + [(*pair, two) for pair in product(pieces, pieces)]
    for each in odd:
        frames = [write(piece, at) for at, piece in enumerate(each, len(alike))]
        chunks = way([*alike, *frames, alike[0]])
        assert said(chunks, alike=True) == said(chunks, alike=False), each


def free(fields: str) -> str:
    return frame(TEXT, f'{{"type":"{TEXT}","item_id":"msg_1",{fields}}}')


# Two frames, and a third that would fit what they seem to have in common.
LESSONS: Final = {
    "names": ['"delta":"a","b":"c"', '"delta":"a","d":"c"', '"delta":"a","delta":"c"'],
    "names before": [
        '"b":"c","delta":"a"',
        '"d":"c","delta":"a"',
        '"output_index":"c","delta":"a"',
    ],
    "before the point": ['"n":1.5,"delta":"a"', '"n":2.5,"delta":"b"', '"n":3 .5,"delta":"c"'],
    "after the point": ['"n":1.5,"delta":"a"', '"n":1.6,"delta":"b"', '"n":1.-7,"delta":"c"'],
    "exponents": ['"n":1e5,"delta":"a"', '"n":1e6,"delta":"b"', '"n":1e 7,"delta":"c"'],
    "lists": ['"n":[1],"delta":"a"', '"n":[2],"delta":"b"', '"n":[],"delta":"c"'],
    "ids": ['"item_id":"i","delta":"a"', '"item_id":"j","delta":"a"', '"item_id":"k","delta":"a"'],
    "kinds": [
        f'"type":"response.{name}.delta","delta":"a"' for name in ("refusal", "output_text")
    ],
    "the same twice": ['"delta":"a","b":"a"', '"delta":"a","b":"a"', '"delta":"a","b":"c"'],
    "the same first": ['"delta":"a","b":"a"', '"delta":"a","b":"a"', '"delta":"c","b":"a"'],
    "said twice": [
        '"delta":"a","delta":"b"',
        '"delta":"c","delta":"d"',
        '"delta":"e","delta":"f"',
    ],
    "escapes": ['"b":"\\","delta":"","delta":"a"', '"b":"\\"","delta":"b"', '"b":"","delta":"c"'],
    "no text": ['"delta":"","b":"c"', '"delta":"","b":"d"', '"delta":"e","b":""'],
    "no UTF-8": ['"delta":"a","b":"\udcff"', '"delta":"b","b":"\udcff"', '"delta":"c","b":""'],
    "no UTF-8, and numbers": [
        f'"sequence_number":{at},"delta":"a","b":"\udcff"' for at in range(3)
    ],
    "halves": ['"delta":"a","b":"\\ud83d"', '"delta":"b","b":"\\ud83d"', '"delta":"c","b":""'],
    **{
        f"a number that is {number}": [
            f'"output_index":{number},"n":{at},"delta":"{at}"' for at in range(3)
        ]
        for number in range(7070700, 7070720)
    },
    **{
        f"two numbers of which one is {number}": [
            f'"output_index":{number},"sequence_number":{at},"delta":"{at}"' for at in range(3)
        ]
        for number in range(7070700, 7070720)
    },
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_that_proves_nothing_is_not_learnt(name: str, way: Way) -> None:
    first, second, *third = map(free, LESSONS[name])
    for times in range(1, 6):
        chunks = way([*[first, second] * times, *third, *third])
        assert said(chunks, alike=True) == said(chunks, alike=False)


@pytest.mark.parametrize("way", WAYS)
def test_steps_and_calls_of_other_ids_are_not_alike(way: Way) -> None:
    frames = [code(f'"{at}"', id=f"step_{at % 3}") for at in range(20)]
    assert said(way(frames), alike=True) == said(way(frames), alike=False)


def test_what_nests_as_deeply_as_can_be_read_is_read() -> None:
    for depth in range(900, 1100):
        nested = "[" * depth + "]" * depth
        frames = [free(f'"n":{nested},"delta":"{at}"') for at in range(4)]
        assert said(frames, alike=True) == said(frames, alike=False)


# How much is read by templates

FEW: Final = [0, 1, 2, 4, 5, 6, 7]  # the shapes of runs with no more than a number and a text


@pytest.mark.parametrize("shape", FEW)
def test_what_comes_alone_is_read_by_what_varies(shape: int) -> None:
    reader = EventReader(DEFAULT_LIMITS, templates=True)
    frames = [shapes(f'"{at}"', at)[shape] for at in range(100)]
    told = [each for frame in frames for each in reader.read(frame.encode())]
    assert sum(isinstance(each, Series) for each in told) >= 90


@pytest.mark.parametrize("way", [together, list])
def test_a_lesson_that_pays_lets_the_next_come_soon(way: Way) -> None:
    frames = [(code if at // 100 % 2 else message)(f'"{at}"') for at in range(4000)]
    reader = EventReader(DEFAULT_LIMITS, templates=True)
    told = [each for chunk in way(frames) for each in reader.read(chunk.encode())]
    assert sum(len(each.texts) for each in told if isinstance(each, Series)) >= 3600


def test_what_fits_but_cannot_be_read_together_is_tried_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[int] = []

    def read(template: Template, blocks: Sequence[bytes], position: int) -> Any:
        tried.append(position)
        return original(template, blocks, position)

    original = Template.read
    monkeypatch.setattr(Template, "read", read)
    frames = [code(f'"{at}"') for at in range(8)] + [code('"\\ud83d"')] * 500
    assert said(["".join(frames)], alike=True) == said(["".join(frames)], alike=False)
    assert 1 <= len(tried) <= 8


# Where chunks end

BETWEEN: Final = {
    "nothing": "",
    "a blank line": "\n",
    "blank lines": "\n\n\n",
    "a comment": ": comment\n\n",
    "a line": ": comment\n",
    "a line that ends otherwise": ": comment\r\n\r\n",
    "lines that end otherwise": code('"x"').replace("\n", "\r\n"),
    "another": message('"x"'),
    "another index": code('"x"', "1"),
    "no JSON": frame(STEP, "{"),
    "a blank line and no JSON": "\n" + frame(STEP, "{"),
    "the end": frame("done", "[DONE]"),
    "much": code(f'"{"x" * 3000}"'),
}


@pytest.mark.usefixtures("few_are_many")
@pytest.mark.parametrize("name", BETWEEN)
def test_amid_frames_that_are_alike_a_chunk_may_end_anywhere(name: str) -> None:
    before = "".join(code(f'"{at}"') for at in range(8))
    after = [*[code('"y"')] * 2, BETWEEN[name], code('"z"'), frame(STEP, "["), code('"!"')]
    ends = [0]
    for each in after:
        ends.append(ends[-1] + len(each))
    rest = "".join(after)
    near = sorted({end + by for end in ends for by in range(-2, 3) if 0 <= end + by <= ends[-1]})
    limits = Limits(frame_bytes=2500)
    whole = said([before + rest], alike=False)
    for first, second in product(near, near):
        chunks = [before, rest[:first], rest[first:second], rest[max(first, second) :]]
        data = [chunk.encode() for chunk in chunks]
        assert said(chunks, alike=True) == whole, (first, second)
        if first == second:
            assert fold(data, alike=True) == fold(data, alike=False)
            told = fold(data, alike=True, limits=limits)
            assert told == fold(data, alike=False, limits=limits)
