"""``python -m benchmarks`` does what it is asked to, and says what it cannot do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
import pytest
from msgspec.structs import replace

from benchmarks import __main__ as command
from benchmarks.readme import block
from benchmarks.report import report
from benchmarks.results import FULL, QUICK, Plan, Results
from benchmarks.workers import FailedError
from benchmarks.workloads import WORKLOADS

from .benching import FINE, RESULTS, taken

ROOT: Final = Path(__file__).parents[1]


class Measured:
    """Stands for what takes minutes."""

    def __init__(self, *results: Results) -> None:
        self.results = list(results)
        self.asked: list[tuple[Plan, list[str]]] = []

    def __call__(self, plan: Plan, workloads: list[str], say: object) -> Results:
        self.asked.append((plan, list(workloads)))
        # What was measured last is measured ever after.
        return self.results.pop(0) if len(self.results) > 1 else self.results[0]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    measured = Measured(RESULTS)
    monkeypatch.setattr(command, "measure", measured)
    return measured


@pytest.mark.parametrize(
    ("arguments", "plan", "workloads"),
    [
        ([], FULL, list(WORKLOADS)),
        (["--quick"], QUICK, list(WORKLOADS)),
        (["--quick", "logs", "tokens"], QUICK, ["logs", "tokens"]),
    ],
)
def test_what_is_asked_for_is_measured_and_shown(
    arguments: list[str],
    plan: Plan,
    workloads: list[str],
    measured: Measured,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main(arguments) == 0
    assert measured.asked == [(plan, workloads)]
    assert capsys.readouterr().out == report(RESULTS) + "\n"


def test_figures_are_written(measured: Measured, tmp_path: Path) -> None:
    assert command.main(["--json", str(tmp_path / "figures.json")]) == 0
    written = (tmp_path / "figures.json").read_bytes()
    assert msgspec.json.decode(written, type=Results) == RESULTS
    assert written.endswith(b"}\n")


SLOW: Final = replace(
    FINE, taken=FINE.taken | {"tokens": FINE.taken["tokens"] | {"changes": taken(100)}}
)


@pytest.mark.parametrize(
    ("arguments", "results", "code", "measurements"),
    [
        pytest.param(["--check"], [FINE], 0, 1, id="nothing is crossed"),
        pytest.param(["--check"], [SLOW], 1, 2, id="a guard is crossed twice"),
        pytest.param(["--check"], [SLOW, FINE], 0, 2, id="it was noise"),
        pytest.param([], [SLOW], 0, 1, id="nobody asked"),
    ],
)
def test_a_guard_that_is_crossed_fails_the_check_and_nothing_else(
    arguments: list[str],
    results: list[Results],
    code: int,
    measurements: int,
    *,
    measured: Measured,
    capsys: pytest.CaptureFixture[str],
) -> None:
    measured.results = list(results)
    assert command.main(arguments) == code
    assert len(measured.asked) == measurements
    said = capsys.readouterr().err
    assert ("crossed: tokens, times the limit: 100, but must be" in said) == bool(code)


def test_a_contender_that_fails_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> Results:
        raise FailedError("somebody: tokens came out wrong")

    monkeypatch.setattr(command, "measure", fail)
    assert command.main([]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "somebody: tokens came out wrong\n")


def test_what_the_readme_shows_is_renewed(
    measured: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib", reason="it draws the plot, and is in the group bench")
    monkeypatch.setattr(command, "_HERE", tmp_path)
    monkeypatch.setattr(command, "_README", tmp_path / "README.md")
    markers = "<!-- benchmarks: begin -->\n<!-- benchmarks: end -->\n"
    (tmp_path / "README.md").write_text(f"# Here\n\n{markers}")
    assert command.main(["--write"]) == 0
    assert block(RESULTS) in (tmp_path / "README.md").read_text()
    assert b"streamkit, changes" in (tmp_path / "results.svg").read_bytes()
    written = (tmp_path / "results.json").read_bytes()
    assert msgspec.json.decode(written, type=Results) == RESULTS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tokns"], "no workload is 'tokns'; there are tokens, frames, "),
        (["--json", "nowhere/figures.json"], "'nowhere/figures.json' is no place for a file"),
        (["--json", "."], "'.' is no place for a file"),
        (["--write", "--quick"], "--write needs all workloads at their full length"),
        (["--write", "tokens"], "--write needs all workloads at their full length"),
        (["--events=8"], "unrecognized arguments: --events=8"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_measured(
    arguments: list[str], said: str, measured: Measured, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(arguments)
    assert said in capsys.readouterr().err
    assert measured.asked == []


def test_without_matplotlib_nothing_is_renewed(
    measured: Measured, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda _: None)
    with pytest.raises(SystemExit, match="2"):
        command.main(["--write"])
    assert "matplotlib, which is not there" in capsys.readouterr().err


def test_a_shell_hears_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "benchmarks", "tokns"],
        capture_output=True,
        check=False,
        cwd=ROOT,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: python -m benchmarks ")
    assert "Traceback" not in done.stderr
