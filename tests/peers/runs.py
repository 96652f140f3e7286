"""The runs that every peer follows: recorded ones and scripted ones."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import pytest

from streamkit import Frame, encode_frame
from streamkit.testing import (
    code_interpreter,
    explode,
    function_call,
    image,
    legs_of,
    logs,
    message,
    refusal,
    script,
    step,
)
from tests.peers.meeting import fold
from tests.recorded import OTHERS, OWN, Legs, every

__all__ = ["LOST", "RUNS", "SHORT", "on_every_run"]


def legs(frames: list[Frame]) -> Legs:
    """Write down the legs of a stream."""
    return tuple(b"".join(map(encode_frame, leg)) for leg in legs_of(frames))


def is_whole(legs: Legs) -> bool:
    """Whether a run came to its end without contradictions."""
    _, snapshot = fold(legs)
    return snapshot.outcome == "complete" and not snapshot.problems


DRAWN: Final = code_interpreter("draw()\nprint(2)", logs("2\nok\n"), image("file-a"), logs("!\n"))

(SHORT,) = legs(explode(script(DRAWN, message(image("file-a"), "Two, as drawn.")), size=(2, 6)))
(LOST,) = legs(explode(script(message(image("file-lost")))))

LONG: Final = script(
    step(
        DRAWN, code_interpreter("draw(9)", image("file-b"), image("file-c"), logs("é\U0001f30a"))
    ),
    function_call("get_tide", {"port": "Roscoff"}, output={"low": "08:12"}),
    message("First this."),
    step(
        function_call("get_wind", {"port": "Roscoff", "unit": "knots"}, output="11"),
        function_call("get_moon", "{}", output="full"),
    ),
    DRAWN,
    message("Leave at half past eight.", image("file-a")),
    message(refusal("I cannot say more.")),
)

SCRIPTED: Final = {
    "scripted": legs(explode(LONG)),
    "scripted whole": legs(explode(LONG, size=None)),
    "interleaved": legs(explode(LONG, seed=7, interleave=True)),
}
RECORDED: Final = {name: legs for name, legs in OWN.items() if is_whole(legs)}
ELSEWHERE: Final = {name: legs for name, legs in OTHERS.items() if is_whole(legs)}

RUNS: Final = SCRIPTED | RECORDED | ELSEWHERE


def on_every_run(*, but: Collection[str] = ()) -> pytest.MarkDecorator:
    """Run a test with the `name` of each run."""
    ours, others = (
        {name: legs for name, legs in runs.items() if name not in but}
        for runs in (SCRIPTED | RECORDED, ELSEWHERE)
    )
    return pytest.mark.parametrize("name", [*ours, *every(others)])
