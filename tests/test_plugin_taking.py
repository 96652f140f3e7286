"""What a test records: its runs are told apart, and what is broken is not kept."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import pytest

from streamkit import UsageError
from streamkit.pytest_plugin.taking import keep, runs_of, taken
from streamkit.recording import Chunk, Leg, Recorder, Recording, RequestInfo, read
from streamkit.testing import explode, script
from tests.own import OWN
from tests.streams import body as written

REPORT: Final = OWN["report"][0]
REFUSAL: Final = OWN["refusal"][0]
FIRST, SECOND, THIRD = OWN["three-legs"]
CALL, ANSWER = OWN["parallel-functions"]
HELLO, BYE = (
    written(explode(script(text, id=id), dialect="responses"))
    for id, text in (("run_1", "Hello"), ("run_2", "Bye"))
)
NOTHING: Final = b""
CREATE: Final = "/v1/threads/thread_1/runs"
RESPONSES: Final = "/v1/responses"
SUBMIT: Final = "/v1/threads/thread_1/runs/run_1/submit_tool_outputs"

How = Literal["eof", "closed", "failed", "open"]


def recording(*legs: tuple[bytes, str | None]) -> Recording:
    """Write down legs, and what was asked for."""
    return Recording(
        legs=[
            Leg(
                chunks=[Chunk(said)] if said else [],
                request=RequestInfo(method="POST", path=path) if path else None,
            )
            for said, path in legs
        ]
    )


@pytest.mark.parametrize(
    ("legs", "runs"),
    [
        ([], []),
        ([(REPORT, None)], [[REPORT]]),
        ([(REPORT, None), (REFUSAL, None)], [[REPORT], [REFUSAL]]),
        ([(FIRST, None), (SECOND, None), (THIRD, None)], [[FIRST, SECOND, THIRD]]),
        (
            [(FIRST, None), (SECOND, None), (THIRD, None), (REPORT, None)],
            [[FIRST, SECOND, THIRD], [REPORT]],
        ),
        ([(REPORT, None), (CALL, None), (ANSWER, None)], [[REPORT], [CALL, ANSWER]]),
        # The same run again, and one whose server calls it otherwise in each leg.
        ([(REPORT, None), (REPORT, None)], [[REPORT, REPORT]]),
        ([(CALL, None), (REPORT, None)], [[CALL, REPORT]]),
        ([(REPORT, None), (NOTHING, None)], [[REPORT, NOTHING]]),
        ([(REPORT, None), (NOTHING, None), (REPORT, None)], [[REPORT, NOTHING, REPORT]]),
        # What was asked for has the last word.
        ([(REPORT, CREATE), (REPORT, CREATE)], [[REPORT], [REPORT]]),
        ([(CALL, CREATE), (REPORT, f"{CREATE}/")], [[CALL], [REPORT]]),
        ([(CALL, CREATE), (REPORT, SUBMIT)], [[CALL, REPORT]]),
        ([(REPORT, CREATE), (ANSWER, f"{SUBMIT}/")], [[REPORT, ANSWER]]),
        ([(REPORT, CREATE), (NOTHING, CREATE)], [[REPORT], [NOTHING]]),
        ([(ANSWER, SUBMIT)], [[ANSWER]]),
        # Responses of one conversation.
        ([(HELLO, RESPONSES), (BYE, RESPONSES)], [[HELLO, BYE]]),
        ([(HELLO, None), (BYE, None), (REPORT, None)], [[HELLO, BYE], [REPORT]]),
        ([(REPORT, CREATE), (HELLO, RESPONSES)], [[REPORT], [HELLO]]),
    ],
)
def test_runs_are_told_apart(
    legs: list[tuple[bytes, str | None]], runs: list[list[bytes]]
) -> None:
    told = runs_of(recording(*legs))
    assert [[leg.body for leg in run.legs] for run in told] == runs


def write_down(folder: Path, *takes: tuple[bytes, How]) -> Path:
    """Write each stream to a file, as it went."""
    for number, (body, how) in enumerate(takes, 1):
        with Recorder(folder / f"{number:04}.sse.jsonl") as recorder:
            recorder.begin()
            recorder.chunk(body)
            if how == "open":
                recorder._is_open = False  # nobody has said how it ended
            elif how == "failed":
                recorder.fail(ConnectionError())
            else:
                recorder.end(how)
    return folder


@pytest.mark.parametrize(
    ("takes", "kept"),
    [
        ([(REPORT, "eof")], [REPORT]),
        ([(REPORT, "closed")], [REPORT]),
        ([(REPORT, "eof"), (REFUSAL, "eof")], [REPORT, REFUSAL]),
        ([(CALL, "eof"), (ANSWER, "closed")], [CALL, ANSWER]),
        # Two runs at once.
        (
            [(CALL, "eof"), (FIRST, "eof"), (ANSWER, "eof"), (SECOND, "eof"), (THIRD, "eof")],
            [CALL, ANSWER, FIRST, SECOND, THIRD],
        ),
    ],
)
@pytest.mark.parametrize("has_failed", [False, True])
def test_whole_runs_are_kept(
    takes: list[tuple[bytes, How]], kept: list[bytes], tmp_path: Path, *, has_failed: bool
) -> None:
    recording = taken(write_down(tmp_path, *takes), has_failed=has_failed)
    assert [leg.body for leg in recording.legs] == kept
    assert not recording.is_cut


LEFT: Final = REPORT[:2000]
(ERROR,) = OWN["error"]


@pytest.mark.parametrize(
    "takes", [[(LEFT, "closed")], [(CALL, "eof")], [(OWN["error"][0], "eof")]]
)
def test_runs_that_have_not_ended_are_kept_of_a_test_that_passed(
    takes: list[tuple[bytes, How]], tmp_path: Path
) -> None:
    write_down(tmp_path, *takes)
    recording = taken(tmp_path, has_failed=False)
    assert [(leg.body, leg.end) for leg in recording.legs] == takes
    with pytest.raises(UsageError, match="failed before its runs had ended"):
        taken(tmp_path, has_failed=True)


@pytest.mark.parametrize(
    ("takes", "said"),
    [
        ([], "no event stream came by"),
        ([(REPORT, "failed")], "stream 1 of 1 broke: ConnectionError"),
        ([(CALL, "eof"), (ANSWER, "open")], "stream 2 of 2 was neither read to its end nor"),
    ],
)
@pytest.mark.parametrize("has_failed", [False, True])
def test_what_is_broken_is_not_kept(
    takes: list[tuple[bytes, How]], said: str, tmp_path: Path, *, has_failed: bool
) -> None:
    with pytest.raises(UsageError, match=said):
        taken(write_down(tmp_path, *takes), has_failed=has_failed)


@pytest.mark.parametrize("name", ["chat.sse.jsonl", "chat.sse.jsonl.gz"])
def test_a_recording_takes_the_place_of_the_one_before(name: str, tmp_path: Path) -> None:
    takes, kept = tmp_path / "takes", tmp_path / "recordings" / "test_chat"
    takes.mkdir()
    for body in (REPORT, REFUSAL):
        keep(recording((body, CREATE)), kept / name, by_way_of=takes)
        assert [path.name for path in kept.iterdir()] == [name]
        assert [leg.body for leg in read(kept / name).legs] == [body]
