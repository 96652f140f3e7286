"""`streamkit replay` of streams of the Responses API: it looks like that of a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from streamkit import Frame
from streamkit.cli import main
from tests import test_cli_rich
from tests.answering import (
    added,
    code_delta,
    code_item,
    completed,
    created,
    event,
    finished,
    function_item,
    message_item,
    numbered,
    output_text,
    part_added,
    reasoning_item,
    text_delta,
    thought,
)
from tests.recorded import RESPONSES, every
from tests.streams import (
    Wire,
    body,
    code,
    code_call,
    creation,
    done,
    drawn,
    message_completed,
    message_created,
    message_delta,
    printed,
    run,
    step_completed,
    step_created,
    step_delta,
    step_event,
    text,
    written,
)
from tests.test_cli_rich import Screen, replay, words

# The terminal that panels are drawn on.
screen = test_cli_rich.screen

Capture = pytest.CaptureFixture[str]


def shown(path: Path, frames: Sequence[Frame], capsys: Capture, *options: str) -> str:
    """Replay frames; return what is printed."""
    recording = path / "run.sse"
    recording.write_bytes(body(frames))
    main(["replay", str(recording), *options])
    out: str = capsys.readouterr().out
    return out


LOGS: Final = {"type": "logs", "logs": "42\n"}
IMAGE: Final = {"type": "image", "url": "file-a"}
CODE: Final = code_item("print(6 * 7)", LOGS, IMAGE, id="call_1", status="completed")
CITED: Final = {"type": "file_citation", "file_id": "file-b", "filename": "[1]", "index": 5}
SAID: Final = message_item(output_text("It is 42[1].", CITED), id="msg_1", status="completed")
USAGE: Final = {"input_tokens": 1000, "output_tokens": 334, "total_tokens": 1334}

RESPONSE: Final = numbered(
    [
        event("created", response={"id": "run_1", "status": "queued", "model": "gpt-4o"}),
        added(code_item(id="call_1")),
        code_delta("print(", "call_1"),
        code_delta("6 * 7)", "call_1"),
        finished(CODE),
        added(message_item(id="msg_1"), 1),
        part_added(output_text(""), "msg_1", 1),
        text_delta("It is ", "msg_1", 1),
        text_delta("42[1].", "msg_1", 1),
        finished(SAID, 1),
        completed(CODE, SAID, id="run_1", created_at=100, completed_at=175, usage=USAGE),
    ]
)
RUN: Final = (
    run("queued", model="gpt-4o"),
    step_created("call_1"),
    step_delta("call_1", code(0, "print(", id="call_1")),
    step_delta("call_1", code(0, "6 * 7)")),
    step_completed(
        "call_1", code_call("call_1", "print(6 * 7)", printed("42\n"), drawn("file-a"))
    ),
    step_event("created", creation("msg_1", "msg_1")),
    message_created(),
    message_delta("msg_1", text(0, "It is ")),
    message_delta("msg_1", text(0, "42[1].")),
    message_completed(
        "msg_1",
        written(
            "It is 42[1].",
            {"type": "file_citation", "text": "[1]", "file_citation": {"file_id": "file-b"}},
        ),
    ),
    step_event("completed", creation("msg_1", "msg_1", status="completed")),
    run("completed", created_at=100, completed_at=175, usage={"total_tokens": 1334}),
    done(),
)


def test_a_response_looks_just_like_a_run(tmp_path: Path, capsys: Capture) -> None:
    assert shown(tmp_path, RESPONSE, capsys) == shown(tmp_path, RUN, capsys)


def test_a_response_is_drawn_just_like_a_run(screen: Screen, tmp_path: Path) -> None:
    assert replay(screen, tmp_path, *RESPONSE) == 0
    drawn_first = words(screen.getvalue())
    screen.seek(0)
    screen.truncate()
    assert replay(screen, tmp_path, *RUN) == 0
    assert words(screen.getvalue()) == drawn_first


def test_a_response_in_plain_text(tmp_path: Path, capsys: Capture) -> None:
    assert shown(tmp_path, RESPONSE, capsys) == (
        "── run · run_1 · gpt-4o\n"
        "── code · call_1\n"
        "print(6 * 7)\n"
        "── logs · call_1\n"
        "42\n"
        "── image · call_1 · file-a\n"
        "── message · msg_1\n"
        "It is 42[1].\n"
        "· [1] cites file-b\n"
        "\n"
        "step    kind              status     time  tokens\n"
        "call_1  code_interpreter  completed     -       -\n"
        "msg_1   message           completed     -       -\n"
        "run completed · 1 min 15 s · 1,334 tokens · stream complete\n"
    )


def item(*said: Frame, end: Wire) -> list[Frame]:
    """Say an item in the middle of a response."""
    return [created(), *said, finished(end), completed(end)]


CONTAINER: Final = {"type": "container_file_citation", "container_id": "cntr_1"}
NOTED: Final = message_item(
    output_text(
        "See.",
        CONTAINER | {"file_id": "cfile_1", "filename": "a.png", "start_index": 0, "end_index": 4},
        {"type": "url_citation", "url": "https://x", "title": "X"},
        {"type": "file_path", "file_id": "file-c", "index": 1},
        {"type": "oracle_citation"},
    )
)
MCP: Final = {"id": "item_a", "type": "mcp_call", "name": "roll", "arguments": "{}", "output": "4"}
PLOT: Final = {"type": "image", "url": "data:image/png;base64," + "A" * 4000}
LINES: Final = [
    (
        [*item(thought("Think."), end=reasoning_item("Think."))],
        ["── reasoning · item_a", "Think."],
    ),
    (
        item(end=function_item('{"a":1}')),
        ["── arguments · add · call_item_a", '{"a":1}', "item_a  add   completed     -       -"],
    ),
    (item(end=MCP), ["── arguments · roll · item_a", "{}", "── output · roll · item_a", "4"]),
    (
        item(end=NOTED),
        [
            "· a.png is cfile_1",
            "· X cites https://x",
            "· a path is file-c",
            '· annotation {"type":"oracle_citation"}',
        ],
    ),
    (
        item(end=code_item("1", PLOT)),
        ["── image · item_a · data:image/png;base64, 4,000 characters"],
    ),
    (
        item(end={"id": "item_a", "type": "web_search_call"}),
        ["item_a  web_search_call  completed     -       -"],
    ),
    (
        [created(), event("audio.delta", delta="AAAA"), completed()],
        ["· unknown event response.audio.delta"],
    ),
    (
        [created(), completed(status="failed", error={"code": "c", "message": "It broke."})],
        ["run failed · stream complete", "c: It broke."],
    ),
    (
        [
            created(),
            completed(status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
        ],
        ["run incomplete · stream complete", "max_output_tokens"],
    ),
    (
        [created(), event("error", code="server_error", message="It broke.")],
        ["! error: server_error: It broke.", "run in_progress · stream error"],
    ),
    (
        [*numbered([created()]), *numbered([completed()], 5)],
        ["! sequence gap at the run: known '0', said '5'"],
    ),
]


@pytest.mark.parametrize(("frames", "lines"), LINES)
def test_what_gets_a_line(
    frames: list[Frame], lines: list[str], tmp_path: Path, capsys: Capture
) -> None:
    printed_lines = shown(tmp_path, frames, capsys).splitlines()
    assert [line for line in printed_lines if line in lines] == lines


def test_a_response_as_json(tmp_path: Path, capsys: Capture) -> None:
    whole: Any = json.loads(shown(tmp_path, RESPONSE, capsys, "--json"))
    assert whole["outcome"] == "complete"
    assert whole["run"]["output"] == [CODE, SAID]
    assert [step["id"] for step in whole["steps"]] == ["call_1", "msg_1"]


@pytest.mark.parametrize("name", every(RESPONSES))
def test_a_recorded_response(name: str, tmp_path: Path, capsys: Capture) -> None:
    (recorded,) = RESPONSES[name]
    recording = tmp_path / "run.sse"
    recording.write_bytes(recorded)
    assert main(["replay", str(recording)]) == 0
    out = capsys.readouterr().out
    assert "stream complete\n" in out
    assert "unknown" not in out
    assert "! " not in out.splitlines()
