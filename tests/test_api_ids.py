"""The ids of threads and assistants are replaced where they are ids, and nothing else is."""

from __future__ import annotations

import json
from itertools import accumulate, pairwise
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit import Frame, encode_frame
from streamkit.recording import Chunk, Leg
from streamkit.testing.api.bodies import Body, Ids, rewritten
from streamkit.testing.building import message, script
from streamkit.testing.exploding import explode
from tests.recorded import OWN

ODD: Final = [
    "\\",
    '"',
    '"}',
    "\n",
    "\u2028",
    "é",
    "\ud800",
    "𝄞",
    "\\u0041",
    "%2F",
    "</script>",
    "\0",
]


def leg(*chunks: bytes) -> Leg:
    return Leg(chunks=[Chunk(chunk) for chunk in chunks])


def event(name: str, payload: object, **options: Any) -> bytes:
    data = json.dumps(payload, **options).encode("utf-8", "surrogatepass")
    return encode_frame(Frame(name, data))


def run(thread: str, assistant: str = "asst_1", **fields: Any) -> dict[str, Any]:
    return {"id": "run_1", "thread_id": thread, "assistant_id": assistant, **fields}


def said(body: Body) -> list[Any]:
    frames = (frame.split(b"data: ")[1] for frame in body.frames)
    return [json.loads(data) for data in frames if not data.startswith(b"[")]


@given(st.text(min_size=1) | st.sampled_from(ODD), st.text(min_size=1) | st.sampled_from(ODD))
def test_whatever_the_ids_are_it_stays_json(thread: str, assistant: str) -> None:
    whole = list(explode(script(message("thread_1 asst_1"))))
    frames = [encode_frame(frame) for frame in whole]
    (body,) = rewritten([leg(*frames)], Ids(thread, assistant))
    assert [len(chunk.data) > 0 for chunk in body.chunks] == [True] * len(frames)
    for old, new in zip(said(Body(leg(*frames).chunks)), said(body), strict=True):
        assert new == old | {
            name: value
            for name, value in {"thread_id": thread, "assistant_id": assistant}.items()
            if old.get(name)
        }


# Half of a character is replaced as it is read.
@pytest.mark.parametrize("old", [*(each for each in ODD if each != "\ud800"), "thread_1"])
@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_whatever_way_they_were_recorded(old: str, *, ensure_ascii: bool) -> None:
    data = event("thread.run.created", run(old), ensure_ascii=ensure_ascii)
    (body,) = rewritten([leg(data)], Ids("thread_2", None))
    assert said(body) == [run("thread_2")]


@given(st.lists(st.integers(0, 6000)), st.sampled_from(["t", "thread_1", "x" * 70]))
def test_only_ids_change_and_the_cuts_stay(cuts: list[int], new: str) -> None:
    (data,) = OWN["report"]
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    chunks = [data[a:b] for a, b in pairwise(places)]
    old = json.loads(Body([Chunk(data)]).frames[0].split(b"data: ")[1])["id"]
    (body,) = rewritten([leg(*chunks)], Ids(new, None))
    assert body.data == data.replace(f'"{old}"'.encode(), f'"{new}"'.encode())
    assert len(body.chunks) == len(chunks)
    # What comes after an id is cut where it was cut, what comes before it, too.
    ends = accumulate(len(chunk.data) for chunk in body.chunks)
    for end, cut in zip(ends, places[1:], strict=True):
        before = data[:cut].replace(f'"{old}"'.encode(), f'"{new}"'.encode())
        assert body.data[:end].startswith(before[: len(before) - len(old) - 2])
        assert abs(end - len(before)) <= max(len(old), len(new)) + 2


SAME: Final = [
    {"id": "msg_1", "thread_id": "thread_0", "content": "thread_1"},
    {"id": "run_2", "thread_id": "thread_0", "metadata": {"thread_1": '"thread_id":"thread_1"'}},
    {"id": "thread_1", "thread_id": "thread_0"},
]


@pytest.mark.parametrize("payload", SAME)
def test_what_is_no_id_of_a_thread_stays(payload: Any) -> None:
    data = event("thread.run.created", run("thread_1")) + event("unknown", payload)
    (body,) = rewritten([leg(data)], Ids("thread_2", "asst_1"))
    assert said(body) == [run("thread_2"), payload]


def test_a_threads_own_object() -> None:
    data = event("thread.created", {"id": "thread_1", "object": "thread"})
    data += event("thread.run.created", run("thread_1"))
    (body,) = rewritten([leg(data)], Ids("thread_2", None))
    assert [each["id"] for each in said(body)] == ["thread_2", "run_1"]


def test_every_leg_and_other_spellings() -> None:
    spaced = event("thread.run.created", run("thread_1"), separators=(" ,  ", " :  "))
    bodies = rewritten([leg(spaced), leg(spaced)], Ids("thread_2", "asst_2"))
    assert [said(body) for body in bodies] == [[run("thread_2", "asst_2")]] * 2
    assert b'"thread_id" :  "thread_2"' in bodies[1].data


@pytest.mark.parametrize(
    ("cut", "new", "expected"),
    [
        (10, "thread_abc", ['"thread_ab', 'c", ']),  # within: as far from its beginning
        (10, "t", ['"t"', ", "]),  # or at the end of one that is shorter
        (1, "t", ['"', 't", ']),
        (12, "t", ['"t"', ", "]),
        (13, "t", ['"t",', " "]),
    ],
)
def test_a_cut_within_an_id(cut: int, new: str, expected: list[str]) -> None:
    data = event("thread.run.created", run("thread_123"))
    at = data.index(b'"thread_123"')
    (body,) = rewritten([leg(data[: at + cut], data[at + cut :])], Ids(new, None))
    first, second = (chunk.data.decode() for chunk in body.chunks)
    assert first.partition('"thread_id": ')[2] == expected[0]
    assert second.startswith(expected[1])


def test_an_id_that_is_the_same_is_left_as_it_is_written() -> None:
    data = event("thread.run.created", run("é"), ensure_ascii=False)
    (body,) = rewritten([leg(data)], Ids("é", "asst_1"))
    assert body.data == data


def test_nothing_to_replace() -> None:
    for data in (b"", b"\n\n", b"data: {", OWN["report"][0]):
        (body,) = rewritten([leg(data)], Ids(None, None))
        assert body.data == data
