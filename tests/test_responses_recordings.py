"""Recorded streams of the Responses API: they fold to exactly what they say in the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import pytest

from streamkit import Accumulator, Change, RunSnapshot, accumulate, to_wire
from tests.answering import items_of
from tests.fold_promise import Promise
from tests.folding import fold
from tests.promise import check_promise, fragments
from tests.recorded import RESPONSES, Said, every, frames, read
from tests.streams import Wire

on_every_recording = pytest.mark.parametrize("name", every(RESPONSES))

# The events that add to a text: its kind, and what names its part.
_TEXTS: Final = {
    "response.code_interpreter_call_code.delta": ("code", None),
    "response.function_call_arguments.delta": ("arguments", None),
    "response.output_text.delta": ("text", "content_index"),
    "response.reasoning_summary_text.delta": ("reasoning", "summary_index"),
}


@cache
def said_in(name: str) -> list[Said]:
    """Read the events of a recording."""
    (body,) = RESPONSES[name]
    return read(body)


def payloads(name: str) -> Iterator[Any]:
    """Yield what the events of a recording say."""
    return (json.loads(data) for _, data in said_in(name))


def last_response(name: str) -> Wire:
    """Return the response as it is said last."""
    *_, last = (said["response"] for said in payloads(name) if "response" in said)
    assert isinstance(last, dict)
    return last


def last_items(name: str) -> list[Wire]:
    """Return the output of the response; where that is empty, the items that are done."""
    kind = "response.output_item.done"
    done = [said["item"] for said in payloads(name) if said["type"] == kind]
    return last_response(name)["output"] or done


@cache
def whole(name: str) -> tuple[list[Change], RunSnapshot]:
    """Fold a recording whole."""
    folded = fold(RESPONSES[name])
    return folded.changes, folded.snapshot


@on_every_recording
def test_the_items_are_those_of_the_response(name: str) -> None:
    snapshot = accumulate(RESPONSES[name][0])
    assert items_of(snapshot) == last_items(name)
    assert to_wire(snapshot.run) == last_response(name)
    assert (snapshot.outcome, snapshot.problems) == ("complete", ())


@on_every_recording
def test_strictly_it_is_the_same(name: str) -> None:
    folded = fold(RESPONSES[name], Accumulator(strict=True))
    assert (folded.changes, folded.snapshot) == whole(name)


@on_every_recording
@pytest.mark.parametrize("size", [1, 7, 100, 4096])
def test_any_cut_gives_equal_changes(name: str, size: int) -> None:
    (body,) = RESPONSES[name]
    folded = fold(body[at : at + size] for at in range(0, len(body), size))
    assert (folded.changes, folded.snapshot) == whole(name)


@on_every_recording
def test_any_envelope_gives_equal_changes(name: str) -> None:
    said = [(event, json.loads(data)) for event, data in said_in(name)]
    lines = [json.dumps(data) for _, data in said]
    wrapped = [json.dumps({"event": event, "data": data}) for event, data in said]
    blocks = [
        f"event: {event}\ndata: {line}\n\n" for (event, _), line in zip(said, lines, strict=True)
    ]
    bodies = {
        "unnamed": "".join(f"data: {line}\n\n" for line in lines),
        "lines": "\n".join(lines),
        "wrapped lines": "\n".join(wrapped),
        "wrapped": "".join(f"data: {line}\n\n" for line in wrapped),
        "crlf": "".join(blocks).replace("\n", "\r\n"),
        "done after it": "".join(blocks) + "data: [DONE]\n\n",
        "commented": ":\n\n".join(blocks),
    }
    for way, body in bodies.items():
        folded = fold([body.encode()])
        assert (folded.changes, folded.snapshot) == whole(name), way


@on_every_recording
def test_the_promise_is_kept(name: str) -> None:
    promise = Promise()
    changes = [each for frame in frames(said_in(name)) for each in promise.feed(frame)]
    changes += promise.end()
    assert (changes, promise.accumulator.snapshot()) == whole(name)
    check_promise(*whole(name), legs=1)


@on_every_recording
def test_the_fragments_add_up(name: str) -> None:
    expected: dict[tuple[Any, ...], str] = {}
    for said in payloads(name):
        if said["type"] in _TEXTS:
            kind, index = _TEXTS[said["type"]]
            place = (said["item_id"], said[index] if index else 0, kind)
            expected[place] = expected.get(place, "") + said["delta"]
    told = fragments(whole(name)[0])
    assert {place: told[place] for place in expected} == expected


@on_every_recording
def test_what_is_repeated_changes_nothing(name: str) -> None:
    """Events that are numbered may come twice, as when a stream is resumed too early."""
    said = said_in(name)
    if any("sequence_number" not in each for each in payloads(name)):
        pytest.skip("not numbered")
    middle = len(said) // 2
    repeated = frames([*said[:middle], *said[:middle], *said[middle - 1 :], *said])
    accumulator = Accumulator()
    changes = [each for frame in repeated for each in accumulator.feed_frame(frame)]
    assert (changes, accumulator.snapshot()) == whole(name)


@on_every_recording
def test_without_its_fragments_a_stream_tells_the_same_texts(name: str) -> None:
    said = [(event, data) for event, data in said_in(name) if not event.endswith(".delta")]
    changes = fold(_bodies(said)).changes
    assert fragments(changes) == fragments(whole(name)[0])


@on_every_recording
def test_cut_anywhere_it_is_truncated(name: str) -> None:
    said = said_in(name)
    for count in range(0, len(said), max(1, len(said) // 40)):
        folded = fold(_bodies(said[:count]))
        assert folded.snapshot.outcome == "truncated"
        check_promise(folded.changes, folded.snapshot, legs=1)


def _bodies(said: list[Said]) -> list[bytes]:
    return [b"event: %s\ndata: %s\n\n" % (each.event.encode(), each.data) for each in frames(said)]
