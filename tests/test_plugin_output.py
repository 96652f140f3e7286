"""What the plugin says: of itself, of wrong use, and of runs that are not equal."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.test_plugin import INI

RECORDINGS: Final = Path(__file__).parent / "recordings"

WRONG: Final = """
import pytest
from pathlib import Path

def test_none(streamkit_stream): ...

@pytest.mark.streamkit("chat")
def test_no_such(streamkit_transport): ...

@pytest.mark.streamkit("talk")
def test_no_such_either(streamkit_server): ...

@pytest.mark.streamkit("twice")
def test_twice(streamkit_server): ...

@pytest.mark.streamkit("../report")
def test_out(streamkit_transport): ...

@pytest.mark.streamkit(Path("nowhere.sse"))
def test_nowhere(streamkit_transport): ...

@pytest.mark.streamkit("report", fault=1)
def test_option(streamkit_transport): ...

@pytest.mark.streamkit("report", speed=-1)
def test_speed(streamkit_transport): ...

@pytest.mark.streamkit("report", faults=["cut"])
def test_fault(streamkit_server): ...

@pytest.mark.streamkit(3)
def test_source(streamkit_stream): ...

@pytest.mark.streamkit("report", "twice.sse")
def test_two(streamkit_stream): ...

@pytest.mark.streamkit("broken")
def test_broken(streamkit_transport): ...

@pytest.mark.streamkit("both")
def test_both(streamkit_stream): ...
"""

SAID: Final = [
    "streamkit: there is no recording 'test_wrong/test_none': looked for test_none with *",
    "To record it, let a test with streamkit_transport reach the network once:",
    "    pytest --streamkit-record=once test_wrong.py::test_none",
    "streamkit: there is no recording 'chat': * in */recordings",
    "    pytest --streamkit-record=once test_wrong.py::test_no_such",
    "streamkit: there is no recording 'talk': *",
    "streamkit: 'twice' may be any of twice.har and twice.sse in */recordings: *",
    "streamkit: '../report' is no name of a recording*for a file anywhere else*pathlib.Path",
    "streamkit: *nowhere.sse*",
    "streamkit: the marker 'streamkit' has no option 'fault'; those that it has are speed,*",
    "streamkit: *speed*-1*",
    "streamkit: *fault*'cut'*",
    "streamkit: what is played is *; not int",
    "streamkit: a stream has one source, and test_wrong.py::test_two is marked with 2: *",
    "streamkit: */recordings/broken.sse: *this is no recording",
    "streamkit: a stream is one run, and the recording of test_wrong.py::test_both holds 2: *",
]


def test_wrong_use_is_told_in_words(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)
    pytester.makepyfile(test_wrong=WRONG)
    folder = pytester.mkdir("recordings")
    for name in ("report.sse", "twice.sse", "twice.har"):
        shutil.copy(RECORDINGS / "report.sse", folder / name)
    (folder / "broken.sse").write_text("This is no stream.")
    runs = [(RECORDINGS / f"{name}.sse").read_bytes() for name in ("report", "refusal")]
    (folder / "both.sse").write_bytes(b"".join(runs))
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=13)
    result.stdout.fnmatch_lines(SAID)
    # In words only: where they were said is of no use.
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*.py:*: *Error*")
    result.stdout.no_fnmatch_line("*During handling*")


LACKING: Final = """
import sys
sys.modules["uvicorn"] = None

def test_it(streamkit_server): ...
"""


def test_a_server_without_its_extra_says_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(LACKING)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["streamkit: *pip install 'streamkit[[]server]'*"])


@pytest.mark.parametrize(
    ("option", "lines"),
    [
        (
            "--help",
            [
                "streamkit: runs of assistants:",
                "  --streamkit-record={none,once,rewrite}",
                "  streamkit_recordings (string):",
            ],
        ),
        ("--markers", ["@pytest.mark.streamkit(*sources, speed=inf, faults=(), gap=0.0, *): *"]),
        (
            "--fixtures",
            [
                "streamkit_stream -- *__init__.py:*",
                "    A stream of bytes, to iterate over in a test, *",
                "streamkit_transport -- *__init__.py:*",
                "    A transport for any client of httpx or httpx2, *",
                "streamkit_server -- *__init__.py:*",
                "    A real server on the loopback: *",
            ],
        ),
    ],
)
def test_it_says_what_there_is(option: str, lines: list[str], pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess(option)
    assert result.ret == 0
    result.stdout.fnmatch_lines_random(lines)


UNEQUAL: Final = """
import pytest
from pathlib import Path
from msgspec.structs import replace
from streamkit import accumulate, to_wire

REPORT = accumulate({path!r})
STEPS = REPORT.steps
OTHER = [replace(step, status="failed", assistant_id="x") for step in STEPS]


def test_runs():
    assert REPORT == replace(REPORT, steps=tuple(OTHER)), "they should be"


def test_steps():
    assert OTHER == [*STEPS]


def test_json():
    assert to_wire(STEPS) == to_wire(OTHER)


def test_what_is_not_ours():
    assert [{{"a": 1}}] == [{{"a": 2}}]


def test_not_equal():
    assert REPORT != REPORT


def test_not_the_same():
    assert STEPS[0] is OTHER[0]
"""


@pytest.fixture
def unequal(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    # There pytest shows everything.
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(test_it=UNEQUAL.format(path=str(RECORDINGS / "report.sse")))
    return pytester


def test_the_first_difference_is_shown(unequal: pytest.Pytester) -> None:
    result = unequal.runpytest_subprocess("--tb=short")
    result.assert_outcomes(failed=6)
    result.stdout.fnmatch_lines(
        [
            "E   AssertionError: they should be",
            "E   assert RunSnapshot == RunSnapshot",
            "E     The first difference:",
            "E     $.steps[[]0].assistant_id",
            'E       left:  "asst_cQauYLNotARealIdyMXtbtzN"',
            'E       right: "x"',
            "E     and 3 more differences, which -vv shows",
            "*assert list of 2 RunSteps == list of 2 RunSteps",
            "*The first difference:",
            "*assert list of 2 dicts == list of 2 dicts",
            "*The first difference:",
            "E   AssertionError: assert [[]{'a': 1}] == [[]{'a': 2}]",
            "E   *assert RunSnapshot(*",
            "E   *assert RunStep(*",
        ]
    )
    result.stdout.no_fnmatch_line("*Full output truncated*")


def test_all_differences_are_shown_to_whoever_wants_them(unequal: pytest.Pytester) -> None:
    result = unequal.runpytest_subprocess("-vv", "-k", "test_steps", "--tb=short")
    result.assert_outcomes(failed=1, deselected=5)
    result.stdout.fnmatch_lines(
        [
            "E*$[[]0].assistant_id",
            "E*$[[]0].status",
            "E*$[[]1].assistant_id",
            "E*$[[]1].status",
        ]
    )
    result.stdout.no_fnmatch_line("E*more difference*")
