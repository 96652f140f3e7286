"""Runs in plain text."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from streamkit import (
    Frame,
    accumulate,
    to_wire,
)
from streamkit.cli import main
from tests.streams import (
    body,
    code,
    code_call,
    creation,
    done,
    drawn,
    failure,
    frame,
    function,
    function_call,
    image,
    logs,
    message,
    message_completed,
    message_created,
    message_delta,
    message_event,
    printed,
    ran,
    required,
    run,
    step_completed,
    step_created,
    step_delta,
    step_event,
    text,
    waiting,
    written,
)

Capture: TypeAlias = pytest.CaptureFixture[str]
Save: TypeAlias = Callable[..., str]


RECORDINGS: Final = Path(__file__).parent / "recordings"
CITED: Final = {
    "type": "file_citation",
    "text": "[1]",
    "start_index": 5,
    "end_index": 8,
    "file_citation": {"file_id": "file-b"},
}
ANALYSIS: Final = (
    run("queued", created_at=100, model="gpt-4o"),
    step_created(created_at=100),
    step_delta("step_1", code(0, "print(", id="call_1")),
    step_delta("step_1", code(0, "6 * 7)")),
    step_delta("step_1", ran(0, logs(0, "42\n"))),
    step_delta("step_1", ran(0, image(1, "file-a"))),
    step_completed(
        "step_1",
        code_call("call_1", "print(6 * 7)", printed("42\n"), drawn("file-a")),
        created_at=100,
        completed_at=109,
        usage={"total_tokens": 1234},
    ),
    step_event("created", creation("step_2", "msg_1", created_at=109)),
    message_created(),
    message_delta("msg_1", text(0, "It is ")),
    message_delta("msg_1", text(0, "42[1].")),
    message_completed("msg_1", written("It is 42[1].", CITED)),
    step_event(
        "completed",
        creation("step_2", "msg_1", status="completed", created_at=109, completed_at=112),
    ),
    run(
        "completed",
        created_at=100,
        completed_at=175,
        usage={"prompt_tokens": 1000, "completion_tokens": 334},
    ),
    done(),
)


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Save frames as a recording, and return its path."""

    def save(*frames: Frame, name: str = "run.sse") -> str:
        path = tmp_path / name
        path.write_bytes(body(frames))
        return str(path)

    return save


def test_a_run_in_plain_text(save: Save, capsys: Capture) -> None:
    assert main(["replay", save(*ANALYSIS)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out == (
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
        "step_1  code_interpreter  completed   9 s   1,234\n"
        "step_2  message           completed   3 s       -\n"
        "run completed · 1 min 15 s · 1,334 tokens · stream complete\n"
    )


def test_two_legs_in_plain_text(save: Save, capsys: Capture) -> None:
    legs = [
        save(
            run("in_progress"),
            step_created(),
            step_delta(
                "step_1", function(0, "", id="call_1", name="add"), function(1, id="call_2")
            ),
            step_delta("step_1", function(0, '{"a"'), function(1, "{}", name="now")),
            step_delta("step_1", function(0, ": 1}")),
            waiting(required("call_1", "add"), required("call_2", "now")),
            done(),
            name="1.sse",
        ),
        save(
            step_completed(
                "step_1",
                function_call("call_1", "add", '{"a": 1}', "2"),
                function_call("call_2", "now", "{}", "noon"),
            ),
            run("completed"),
            done(),
            name="2.sse",
        ),
    ]
    assert main(["replay", "--legs", *legs]) == 0
    assert capsys.readouterr().out == (
        f"==> {legs[0]} <==\n"
        "── run · run_1\n"
        "── arguments · add · call_1\n"
        '{"a": 1}\n'
        "── arguments · now · call_2\n"
        "{}\n"
        "· waiting for add (call_1), now (call_2)\n"
        "\n"
        f"==> {legs[1]} <==\n"
        "── output · add · call_1\n"
        "2\n"
        "── output · now · call_2\n"
        "noon\n"
        "\n"
        "step    kind      status     time  tokens\n"
        "step_1  add, now  completed     -       -\n"
        "run completed · stream complete\n"
    )


@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("*.sse")), ids=lambda path: path.name)
def test_every_text_of_a_recording_is_printed_whole(path: Path, capsys: Capture) -> None:
    main(["replay", str(path)])
    out = capsys.readouterr().out
    snapshot = accumulate(path, allow_partial=True)
    texts = list(found_texts(to_wire(snapshot)))
    assert texts
    lines = [text.removesuffix("\n") for text in texts]
    assert [text for text in lines if f"\n{text}\n" not in out] == []


def found_texts(wire: object) -> list[str]:
    """Find the texts in a snapshot: code, logs, arguments, what was said."""
    match wire:
        case {"required_action": _}:  # it repeats arguments, reformatted
            return []
        case dict():
            texts = [wire.get(name) for name in ("input", "logs", "arguments", "value", "refusal")]
            inner = [found for value in wire.values() for found in found_texts(value)]
            return [text for text in texts if isinstance(text, str) and text] + inner
        case list():
            return [found for value in wire for found in found_texts(value)]
        case _:
            return []


@pytest.mark.parametrize(
    ("frames", "line"),
    [
        pytest.param(
            [step_delta("step_9", code(0, "x", id="call_1"))],
            "! unknown step at step step_9",
            id="problem",
        ),
        pytest.param(
            [
                step_created(),
                step_delta("step_1", ran(0, logs(0, "abc"))),
                step_completed("step_1", code_call("call_1", "", printed("abd"))),
            ],
            "! content differs at step step_1, call 0, output 0: known 'abc', said 'abd'",
            id="contradiction",
        ),
        pytest.param([failure()], "! error: server_error: It broke.", id="error"),
        pytest.param([frame("odd", {})], "· unknown event odd", id="unknown"),
        pytest.param(
            [
                message_event(
                    "incomplete",
                    message(status="incomplete", incomplete_details={"reason": "max_tokens"}),
                )
            ],
            "· incomplete: max_tokens",
            id="incomplete message",
        ),
        pytest.param(
            [message_delta("msg_1", {"index": 0, "type": "refusal", "refusal": "No."})],
            "── refusal · msg_1",
            id="refusal",
        ),
        pytest.param(
            [message_completed("m", {"type": "image_url", "image_url": {"url": "https://x/y"}})],
            "── image · m · https://x/y",
            id="image by URL",
        ),
    ],
)
def test_what_gets_a_line(frames: Sequence[Frame], line: str, save: Save, capsys: Capture) -> None:
    main(["replay", save(run("in_progress"), *frames)])
    assert line in capsys.readouterr().out.splitlines()


def test_unknown_events_are_counted_and_not_listed(save: Save, capsys: Capture) -> None:
    strange = [frame("strange.delta", {"n": n}) for n in range(300)]
    path = save(frame("strange.created", {}), *strange)
    assert main(["replay", path]) == 1
    assert capsys.readouterr().out == (
        "· unknown event strange.created\n"
        "· unknown event strange.delta\n"
        "· 301 unknown events, most often strange.delta x300\n"
        "\n"
        "no run · stream truncated\n"
    )


def test_what_comes_twice_is_printed_once(save: Save, capsys: Capture) -> None:
    """Azure completes a step a second time to bring the output of a call."""
    call = function_call("call_1", "f", "{}", "result")
    first = [step_created(), step_completed("step_1", call)]
    again = [step_delta("step_1", function(0, " ")), step_completed("step_1", call)]
    main(["replay", save(run("in_progress"), *first, *again)])
    assert capsys.readouterr().out.count("result") == 1


def test_standard_input_may_be_no_file(
    save: Save, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another program, and under test, it has no descriptor to wait for."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(body(ANALYSIS))))
    assert main(["replay", "-"]) == 0
    out = capsys.readouterr().out
    main(["replay", save(*ANALYSIS)])
    assert out == capsys.readouterr().out


def test_files_have_nothing_to_do_with_each_other(save: Save, capsys: Capture) -> None:
    path = save(*ANALYSIS)
    main(["replay", path, path])
    _, first, second = capsys.readouterr().out.split(f"==> {path} <==\n")
    assert first == f"{second}\n"
