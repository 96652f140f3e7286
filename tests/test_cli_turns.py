"""Calls side by side, in plain text: one speaks, the others wait."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from streamkit import (
    Accumulator,
    Frame,
)
from streamkit.cli import main
from streamkit.cli.plain import PlainView
from tests.streams import (
    Wire,
    body,
    code,
    run,
    step_created,
    step_delta,
)

Capture: TypeAlias = pytest.CaptureFixture[str]
Save: TypeAlias = Callable[..., str]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Save frames as a recording, and return its path."""

    def save(*frames: Frame, name: str = "run.sse") -> str:
        path = tmp_path / name
        path.write_bytes(body(frames))
        return str(path)

    return save


class Pipe(io.StringIO):
    """A pipe that nothing reaches before it is flushed."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = ""

    def flush(self) -> None:
        self.arrived = self.getvalue()


def test_a_call_keeps_its_turn_until_nothing_more_arrives() -> None:
    accumulator, out = Accumulator(), Pipe()
    view = PlainView(out)
    view.begin(accumulator)

    def feed(*calls: Wire) -> None:
        view.show(accumulator.feed_frame(step_delta("step_1", *calls)))

    view.show(accumulator.feed_frame(step_created()))
    feed(code(0, "a", id="call_a"), code(1, "x", id="call_b"))
    feed(code(0, "b"), code(1, "y"))
    assert out.arrived == "── code · call_a\nab"
    view.pause()
    assert out.arrived == "── code · call_a\nab\n── code · call_b\nxy"
    feed(code(0, "c"))
    assert out.arrived.endswith("xy\n── code · call_a · continued\nc")
    feed(code(1, "z"))
    view.close()
    assert out.arrived.endswith("continued\nc\n── code · call_b · continued\nz\n")


def test_a_leg_that_was_cut_is_told_to_its_end(save: Save, capsys: Capture) -> None:
    both = step_delta("step_1", code(0, "a", id="A"), code(1, "b", id="B"))
    legs = [save(step_created(), both, name="1.sse"), save(run("completed"), name="2.sse")]
    assert main(["replay", "--legs", *legs]) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        f"==> {legs[0]} <==\n"
        "── code · A\n"
        "a\n"
        "── code · B\n"
        "b\n"
        "! the stream was cut; what follows was fetched later\n"
        "\n"
        f"==> {legs[1]} <==\n"
        "── run · run_1\n"
    )
