"""The command `streamkit replay`: what it takes, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from streamkit import (
    Frame,
)
from streamkit.cli import main
from streamkit.cli.legs import open_leg
from streamkit.cli.views import View
from tests.streams import (
    body,
    code,
    done,
    failure,
    required,
    run,
    step_delta,
    waiting,
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


@pytest.mark.parametrize(
    ("frames", "arguments", "status", "complaint"),
    [
        pytest.param([run("completed"), done()], [], 0, None, id="complete"),
        pytest.param([run("failed"), done()], [], 0, None, id="failed"),
        pytest.param([run("cancelled"), done()], [], 0, None, id="cancelled"),
        pytest.param([run("expired"), done()], [], 0, None, id="expired"),
        pytest.param([run("incomplete"), done()], [], 0, None, id="incomplete"),
        pytest.param([waiting(required("call_1")), done()], [], 0, None, id="paused"),
        pytest.param([run("in_progress")], [], 1, "came to rest", id="cut"),
        pytest.param([failure()], [], 1, "server_error: It broke.", id="error"),
        pytest.param([failure("a\nb", "c")], [], 1, r"c: a\x0ab", id="error over two lines"),
        pytest.param([], [], 1, "the stream ended without an event", id="empty"),
        pytest.param([Frame("thread.run.created", b"{]")], [], 1, "not JSON", id="undecodable"),
        pytest.param(
            [run("in_progress"), run("queued"), run("completed"), done()],
            ["--strict"],
            1,
            "illegal move",
            id="strict",
        ),
        pytest.param(
            [run("in_progress"), run("queued"), run("completed"), done()],
            [],
            0,
            None,
            id="not strict",
        ),
        pytest.param(
            [step_delta("step_1", code(2000, "x"))],
            [],
            1,
            "Limits.index_gap",
            id="limit",
        ),
        pytest.param(
            [run("completed"), done(), run("queued", "run_2")],
            [],
            2,
            "the run is complete",
            id="second run",
        ),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"], ["--changes"], ["--quiet"]], ids=str)
def test_the_status_and_one_line_say_how_it_went(
    *,
    frames: Sequence[Frame],
    arguments: list[str],
    status: int,
    complaint: str | None,
    form: list[str],
    save: Save,
    capsys: Capture,
) -> None:
    path = save(*frames)
    assert main(["replay", *form, *arguments, path]) == status
    out, err = capsys.readouterr()
    assert bool(out) == (form != ["--quiet"])
    if complaint is None:
        assert err == ""
    else:
        assert err.startswith(f"streamkit: {path}: ")
        assert complaint in err
        assert err.count("\n") == 1
        assert err.endswith("\n")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("missing.sse", "No such file or directory", id="missing"),
        pytest.param("", "Is a directory", id="directory"),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"], ["--changes"], ["--quiet"]], ids=str)
def test_what_cannot_be_read_is_no_run(
    name: str, reason: str, form: list[str], tmp_path: Path, capsys: Capture
) -> None:
    assert main(["replay", *form, str(tmp_path / name)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert reason in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["replay"],
        ["play", "x"],
        ["replay", "--nonsense", "x"],
        ["replay", "--js", "x"],  # an abbreviation would stop a later option from existing
        ["replay", "--json", "--changes", "x"],
        ["replay", "--quiet", "--json", "x"],
        ["replay", "-", "-"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line(arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("streamkit: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["replay", "--help"]], ids=str)
def test_it_says_what_it_is(arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 0
    assert "streamkit" in capsys.readouterr().out


def test_a_view_is_told_how_far_a_file_was_read(tmp_path: Path) -> None:
    class Counting(View):
        count = 0

        def read(self, count: int) -> None:
            self.count += count

    path = tmp_path / "run.sse"
    path.write_bytes(b":\n" * 100_000)
    view = Counting()
    source, size = open_leg(str(path), view)
    assert view.count == 0
    assert isinstance(source.items, Iterator)
    next(source.items)
    assert 0 < view.count < 200_000
    list(source.items)
    assert view.count == size == 200_000


def test_all_files_are_read_and_the_worst_status_wins(save: Save, capsys: Capture) -> None:
    paths = [
        save(failure("It broke."), name="1.sse"),
        save(name="missing.sse") + "x",
        save(run("completed"), done(), name="3.sse"),
    ]
    assert main(["replay", *paths]) == 2
    out, err = capsys.readouterr()
    assert out == (
        f"==> {paths[0]} <==\n"
        "! error: server_error: It broke.\n"
        "\n"
        "no run · stream error\n"
        "\n"
        f"==> {paths[2]} <==\n"
        "── run · run_1\n"
        "\n"
        "run completed · stream complete\n"
    )
    assert [line.split(": ")[1] for line in err.splitlines()] == paths[:2]


@pytest.mark.parametrize(
    ("first", "last", "status", "note"),
    [
        pytest.param(run("in_progress"), run("completed"), 0, "! the stream was cut; ", id="cut"),
        pytest.param(failure(), run("completed"), 0, "! error: server_error: ", id="error"),
        pytest.param(waiting(), run("in_progress"), 1, "· waiting for action", id="cut at last"),
        pytest.param(run("completed"), run("queued"), 2, "run completed", id="complete"),
        pytest.param(Frame("thread.run.queued", b"{"), run("queued"), 1, "no run", id="unusable"),
    ],
)
def test_of_legs_the_last_decides(
    *, first: Frame, last: Frame, status: int, note: str, save: Save, capsys: Capture
) -> None:
    legs = [save(first, name="1.sse"), save(last, done(), name="2.sse")]
    assert main(["replay", "--legs", *legs]) == status
    out, err = capsys.readouterr()
    assert any(line.startswith(note) for line in out.splitlines())
    assert err.count("\n") == (status != 0)


def test_legs_without_one_of_them_are_shown_so_far(save: Save, capsys: Capture) -> None:
    legs = [
        save(run("in_progress"), name="1.sse"),
        save(name="2.sse") + "x",
        save(run("completed")),
    ]
    assert main(["replay", "--legs", *legs]) == 2
    out, err = capsys.readouterr()
    assert out.endswith("run in_progress · stream truncated\n")
    assert err == f"streamkit: {legs[1]}: No such file or directory\n"
