"""What the command says of a run when it is over."""

from __future__ import annotations

from typing import Any

import pytest

from streamkit import (
    LastError,
    Run,
    RunSnapshot,
    RunStep,
    Usage,
)
from streamkit.cli.summary import final_line, reasons, rows


@pytest.mark.parametrize(
    ("fields", "time", "tokens"),
    [
        pytest.param({}, "-", "-", id="nothing known"),
        pytest.param({"created_at": 10, "completed_at": 10}, "0 s", "-", id="at once"),
        pytest.param({"created_at": 10, "failed_at": 69}, "59 s", "-", id="failed"),
        pytest.param({"created_at": 10, "cancelled_at": 70}, "1 min 00 s", "-", id="cancelled"),
        pytest.param({"created_at": 0, "expired_at": 3599}, "59 min 59 s", "-", id="expired"),
        pytest.param({"created_at": 0, "completed_at": 3725}, "1 h 02 min", "-", id="hours"),
        pytest.param({"created_at": 10, "completed_at": 8}, "-2 s", "-", id="clocks differ"),
        pytest.param({"created_at": 10, "expires_at": 610}, "-", "-", id="a deadline"),
        pytest.param(
            {"created_at": 10, "expires_at": 610, "status": "expired"},
            "10 min 00 s",
            "-",
            id="a deadline that passed",
        ),
        pytest.param({"usage": Usage(total_tokens=12345)}, "-", "12,345", id="tokens"),
        pytest.param(
            {"usage": Usage(prompt_tokens=12, completion_tokens=3)}, "-", "15", id="no total"
        ),
    ],
)
def test_time_and_tokens_of_a_step(fields: dict[str, Any], time: str, tokens: str) -> None:
    (row,) = rows(RunSnapshot(steps=(RunStep(id="step_1", **fields),)))
    assert (row.time, row.tokens) == (time, tokens)


@pytest.mark.parametrize(
    ("snapshot", "line"),
    [
        pytest.param(RunSnapshot(), "no run · stream open", id="nothing"),
        pytest.param(
            RunSnapshot(Run(id="r", created_at=5), outcome="truncated"),
            "run of no status · stream truncated",
            id="no status",
        ),
        pytest.param(
            RunSnapshot(
                Run(
                    id="r",
                    status="failed",
                    created_at=5,
                    failed_at=9,
                    usage=Usage(total_tokens=1000),
                ),
                outcome="complete",
            ),
            "run failed · 4 s · 1,000 tokens · stream complete",
            id="failed",
        ),
    ],
)
def test_the_final_line(snapshot: RunSnapshot, line: str) -> None:
    assert final_line(snapshot) == line


def test_a_reason_is_given_once() -> None:
    error = LastError(code="rate_limit_exceeded", message="Slow down.")
    step = RunStep(id="step_1", last_error=error)
    other = RunStep(id="step_2", last_error=LastError(message="Odd."))
    snapshot = RunSnapshot(Run(id="run_1", last_error=error), (step, other))
    assert reasons(snapshot) == ["rate_limit_exceeded: Slow down.", "Odd."]
