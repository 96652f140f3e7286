"""Faults are values: what they refuse, what they draw, and how they are written."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit import FrameDecoder, UsageError, decode
from streamkit.testing.faults import (
    FAULTS,
    Corrupt,
    Crlf,
    Cut,
    Drop,
    Duplicate,
    ErrorEvent,
    Fault,
    Keepalives,
    Operation,
    Reorder,
    Split,
    Stall,
    Status,
    Stop,
    error_frame,
    format_fault,
    parse_fault,
    stop_of,
)
from streamkit.testing.framing import frame_ends
from tests.own import OWN

# What they refuse


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        (Cut, {"frames": -1}, "Cut: frames: Expected `int` >= 0"),
        (Cut, {"frames": True}, "Cut: frames: "),
        (Cut, {"frames": 1.5}, "Cut: frames: "),
        (Cut, {"bytes": "9"}, "Cut: bytes: "),
        (Cut, {"how": "die"}, "Cut: how: one of end, abort is needed"),
        (Cut, {"bytes": 3, "inside": True}, "inside is for frames"),
        (Cut, {"leg": -1}, "Cut: leg: "),
        (Cut, {"seed": None}, "Cut: seed: "),
        (Stall, {"seconds": -1}, "Stall: seconds: "),
        (Stall, {"seconds": math.nan}, "Stall: seconds: "),
        (Stall, {"bytes": 3, "inside": True}, "inside is for frames"),
        (ErrorEvent, {"message": b"no"}, "ErrorEvent: message: "),
        (Drop, {"frames": 3}, "Drop: frames: "),
        (Drop, {"frames": (-3,)}, "Drop: frames: "),
        (Drop, {"share": 1.5}, "Drop: share: "),
        (Drop, {"share": 0.5, "frames": (1,)}, "not both"),
        (Duplicate, {"share": -1}, "Duplicate: share: "),
        (Reorder, {"frames": ("1",)}, "Reorder: frames: "),
        (Corrupt, {"share": "all"}, "Corrupt: share: "),
        (Split, {"size": 0}, "Split: size: "),
        (Keepalives, {"every": 0}, "Keepalives: every: "),
        (Status, {"status": 42}, "Status: status: "),
        (Status, {"operation": "delete"}, "Status: operation: one of create, "),
        (Status, {"times": 0}, "Status: times: "),
        (Status, {"body": "text"}, "Status: body: "),
        (Status, {"headers": {"a": 1}}, "Status: headers: "),
        (Status, {"retry_after": -1}, "Status: retry_after: "),
    ],
)
def test_a_field_that_does_not_fit_is_refused(
    kind: type[Fault], fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        kind(**fields)
    assert said in str(refused.value)


def test_a_list_of_frames_is_kept_as_one_that_does_not_change() -> None:
    ranks: Any = [3, 5]
    fault = Drop(frames=ranks)
    ranks.append(7)
    assert fault == Drop(frames=(3, 5))


# How they are written


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("cut", Cut()),
        ("cut:", Cut()),
        ("cut:9", Cut(frames=9)),
        ("cut:frames=9,how=abort,leg=none", Cut(frames=9, how="abort", leg=None)),
        ("cut: bytes=9 , seed=-2", Cut(bytes=9, seed=-2)),
        ("stall:inside=true,seconds=2", Stall(inside=True, seconds=2)),
        ("stall:9,seconds=inf", Stall(frames=9)),
        ("error:message=no%2C thanks,code=none", ErrorEvent(message="no, thanks", code=None)),
        ("drop:3+5", Drop(frames=(3, 5))),
        ("duplicate:share=0.5", Duplicate(share=0.5)),
        ("reorder:7", Reorder(frames=(7,))),
        ("corrupt:share=1,seed=4", Corrupt(share=1, seed=4)),
        ("split:16", Split(size=16)),
        ("crlf", Crlf()),
        ("keepalives:every=2,leg=1", Keepalives(every=2, leg=1)),
        ("status:429,retry_after=2", Status(status=429, retry_after=2)),
        ("status:operation=submit,times=none", Status(operation="submit", times=None)),
        ('status:body={"error":{"code":1%2C"a":2}}', Status(body={"error": {"code": 1, "a": 2}})),
        ("status:body=down%2C sorry", Status(body=b"down, sorry")),
        ('status:headers={"x-a":"1"},abort=true', Status(headers={"x-a": "1"}, abort=True)),
    ],
)
def test_what_is_written_is_read(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault
    assert parse_fault(str(fault)) == fault


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Cut(), "cut"),
        (Cut(frames=9, how="abort", leg=None), "cut:frames=9,how=abort,leg=none"),
        (Stall(seconds=0.5), "stall:seconds=0.5"),
        (Drop(frames=(3, 5)), "drop:frames=3+5"),
        (ErrorEvent(message="50%, none", code="none"), "error:message=50%25%2C none,code=%6Eone"),
    ],
)
def test_only_what_was_said_is_written(fault: Fault, text: str) -> None:
    assert str(fault) == format_fault(fault) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no ''; there are cut, stall, error, drop, "),
        ("cuts:9", "there is no 'cuts'; there are cut, "),
        ("cut:frame=9", "no field 'frame'; it has frames, bytes, inside, how, leg, seed"),
        ("cut:9,8", "no field '8'"),
        ("cut:frames=many", "cut: frames=many: "),
        ("cut:frames=-1", "Cut: frames: "),
        ("cut:frames=1,frames=2", "frames is given twice"),
        ("cut:9,frames=2", "frames is given twice"),
        ("cut:inside=yes", "true or false"),
        ("cut:how=stop", "one of end, abort"),
        ("crlf:on", "crlf: leg=on: "),
        ("drop:1-3", "drop: frames=1-3: "),
        ("status:headers={", "status: headers={: "),
        ("status:headers=[]", "Status: headers: "),
    ],
)
def test_a_line_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_fault(text)
    assert said in str(refused.value)


TEXTS: Final = st.text(max_size=20) | st.sampled_from(["none", " none", "a,b=c", "%2C", "\ud83d"])
COUNTS: Final = st.integers(0, 10**6)
LEGS: Final = {"leg": st.none() | st.integers(0, 9), "seed": st.integers()}
PLACES: Final = {**LEGS, "frames": st.none() | COUNTS, "bytes": st.none() | COUNTS}
JSON: Final = st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=5))


def chosen(kind: type[Fault]) -> st.SearchStrategy[Fault]:
    ranks = st.builds(kind, frames=st.lists(COUNTS, max_size=3).map(tuple), **LEGS)
    return ranks | st.builds(kind, share=st.none() | st.floats(0, 1), **LEGS)


EVERY_FAULT: Final[st.SearchStrategy[Fault]] = st.one_of(
    st.builds(Cut, how=st.sampled_from(["end", "abort"]), **PLACES),
    st.builds(Cut, frames=COUNTS, inside=st.booleans(), **LEGS),
    st.builds(Stall, seconds=st.floats(0, allow_nan=False), **PLACES),
    st.builds(ErrorEvent, message=TEXTS, code=st.none() | TEXTS, type=st.none() | TEXTS, **PLACES),
    *(chosen(kind) for kind in (Drop, Duplicate, Reorder, Corrupt)),
    st.builds(Split, size=st.integers(1, 10**6), **LEGS),
    st.builds(Crlf, **LEGS),
    st.builds(Keepalives, every=st.integers(1, 10**6), **LEGS),
    st.builds(
        Status,
        status=st.integers(200, 599),
        operation=st.none() | st.sampled_from(get_args(Operation)),
        times=st.none() | st.integers(1, 99),
        body=st.binary() | st.just(b'{"a":1}') | JSON,
        headers=st.dictionaries(TEXTS, TEXTS, max_size=3),
        retry_after=st.none() | st.floats(0, allow_nan=False),
        abort=st.booleans(),
        effect=st.booleans(),
    ),
)


@given(EVERY_FAULT)
def test_reading_is_the_inverse_of_writing(fault: Fault) -> None:
    assert parse_fault(format_fault(fault)) == fault


def test_every_fault_has_a_name() -> None:
    def kinds(kind: type[Fault]) -> set[type[Fault]]:
        below = {each for child in kind.__subclasses__() for each in kinds(child)}
        return below or {kind}

    assert set(FAULTS.values()) == kinds(Fault)
    assert all(kind.word == name for name, kind in FAULTS.items())


# Where they stop

ENDS: Final = (0, 10, 30, 60, 100)


@pytest.mark.parametrize(
    ("stop", "place"),
    [
        (Cut(frames=0), 0),
        (Cut(frames=2), 30),
        (Cut(frames=4), 100),
        (Cut(frames=9), 100),
        (Cut(bytes=0), 0),
        (Cut(bytes=31), 31),
        (Cut(bytes=101), 100),
        (Cut(frames=2, bytes=29), 29),
        (Cut(frames=2, bytes=31), 30),
        (Cut(frames=0, inside=True), 5),
        (Cut(frames=3, inside=True), 80),
        (Cut(frames=4, inside=True), 100),
        (Cut(frames=9, inside=True), 100),
        (Cut(frames=2, bytes=40, inside=True), 40),
        (Stall(frames=1), 10),
        (ErrorEvent(frames=3), 60),
        (ErrorEvent(bytes=59), 30),
        (ErrorEvent(bytes=60), 60),
    ],
)
def test_places(stop: Stop, place: int) -> None:
    assert stop.position(ENDS) == place


@pytest.mark.parametrize("ends", [(0,), (0, 7)])
@pytest.mark.parametrize("kind", [Cut, Stall, ErrorEvent])
def test_a_leg_too_short_to_be_cut_stops_before_it_begins(
    kind: type[Stop], ends: Sequence[int]
) -> None:
    assert kind().position(ends) == 0


@pytest.mark.parametrize("kind", [Cut, Stall, ErrorEvent])
def test_what_is_drawn_is_a_number_of_frames_and_not_all(kind: type[Stop]) -> None:
    assert {kind(seed=seed).position(ENDS) for seed in range(60)} == {10, 30, 60}


# Drawn once and for all: whoever has a seed in a report must meet the same fault.
CUTS: Final = [865, 764, 229, 298, 172, 950]
STALLS: Final = [733, 348, 707, 146, 975, 674]
DROPS: Final = [45, 48, 57]
MOVES: Final = [12, 16, 37, 46]


def test_a_seed_draws_the_same_on_every_machine() -> None:
    thousand = range(1001)
    assert [Cut(seed=seed).position(thousand) for seed in range(6)] == CUTS
    assert [Stall(seed=seed).position(thousand) for seed in range(6)] == STALLS
    assert [rank for rank, is_it in enumerate(islice(Drop()._chosen(), 60)) if is_it] == DROPS
    assert [rank for rank, is_it in enumerate(islice(Reorder()._chosen(), 60)) if is_it] == MOVES


def test_the_first_stop_of_a_leg_counts() -> None:
    stall, cut, error = Stall(frames=3), Cut(frames=2), ErrorEvent(frames=2, leg=None)
    assert stop_of([stall, Split(), cut, error], 0, ENDS) == (30, cut)
    assert stop_of([stall, error, cut], 0, ENDS) == (30, error)
    assert stop_of([stall, error, cut], 1, ENDS) == (30, error)
    assert stop_of([stall, Split(), cut, Status()], 1, ENDS) == (100, None)
    assert stop_of([], 0, ENDS) == (100, None)


def test_an_error_says_what_it_was_given() -> None:
    (frame,) = FrameDecoder().feed(error_frame(ErrorEvent(message="No\n\ud83d", type=None)))
    said: Any = decode(frame)
    assert (said.error.message, said.error.code, said.error.type) == (
        "No\n�",
        "server_error",
        None,
    )


@pytest.mark.parametrize("name", OWN)
def test_the_ends_of_frames(name: str) -> None:
    for body in OWN[name]:
        ends = frame_ends(body)
        assert ends[0] == 0
        assert ends[-1] == len(body)
        for rank in range(1, len(ends) - 1):
            assert len(FrameDecoder().feed(body[: ends[rank]])) == rank
            assert len(FrameDecoder().feed(body[: ends[rank] - 2])) == rank - 1


def test_faults_need_no_network() -> None:
    code = "import streamkit.testing.faults, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert not {"httpx", "anyio", "asyncio", "socket"} & set(done.stdout.split())


def test_they_are_values() -> None:
    assert Cut(frames=3) == Cut(frames=3) != Cut(frames=4)
    assert len({Cut(frames=3), Cut(frames=3), Drop(frames=(1,))}) == 2
    with pytest.raises(AttributeError):
        Cut().frames = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        Cut(3)  # type: ignore[call-arg]
    assert msgspec.structs.replace(Cut(), frames=3) == Cut(frames=3)
