"""Nothing that came from a stream, or stands in a file's name, reaches the terminal raw."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit import accumulate, to_wire
from streamkit.cli import main
from streamkit.cli.escape import LINE, Escaper, escape, escape_json, escape_line, shorten
from tests.streams import (
    body,
    code,
    code_call,
    drawn,
    failure,
    frame,
    function_call,
    image,
    logs,
    message_completed,
    message_delta,
    other_call,
    printed,
    ran,
    required,
    run,
    step_completed,
    step_created,
    step_delta,
    text,
    waiting,
    written,
)

# Written out here, and not taken from the code: what a terminal must never get.
BAD: Final = (
    [chr(code) for code in range(0x20) if chr(code) not in "\n\t"]
    + [chr(code) for code in range(0x7F, 0xA0)]
    + list("\u061c\u200e\u200f\u2028\u2029")
    + [chr(code) for code in range(0x202A, 0x202F)]
    + [chr(code) for code in range(0x2066, 0x206A)]
)
FOUND: Final = re.compile("[" + re.escape("".join(BAD)) + "]")

# A window title, a clipboard, a C1 sequence, a forged line, and each bad character alone.
EVIL: Final = "\x1b]0;title\x07\x1b]52;c;eA==\x1b\\\x9b31m\rforged\n" + "".join(BAD)

RUN: Final = {"model": EVIL, "last_error": {"code": EVIL, "message": EVIL}}
CALLS: Final = (
    code_call(f"call_a{EVIL}", f"code {EVIL}", printed(f"log {EVIL}"), drawn(f"file {EVIL}")),
    function_call(f"call_b{EVIL}", f"name {EVIL}", f"arguments {EVIL}", f"output {EVIL}"),
    other_call(f"call_c{EVIL}", f"kind {EVIL}", arguments=f"asked {EVIL}", output={EVIL: EVIL}),
    {"type": "file_search", "file_search": {"results": [{"file_name": EVIL, "score": 1}]}},
)
HOSTILE: Final = (
    run("in_progress", f"run {EVIL}", **RUN),
    frame(f"unknown\x1b]0;title\x07{''.join(BAD[13:])}", {EVIL: EVIL}),
    step_created(f"step_1{EVIL}"),
    step_delta(f"step_1{EVIL}", code(0, f"code {EVIL}", id=f"call_a{EVIL}")),
    step_delta(f"step_1{EVIL}", ran(0, logs(0, f"log {EVIL}")), ran(0, image(1, f"file {EVIL}"))),
    step_completed(f"step_1{EVIL}", *CALLS, last_error={"code": EVIL, "message": EVIL}),
    step_created("step_2", status=EVIL, step_details={"type": EVIL}),
    message_delta(f"msg_1{EVIL}", text(0, f"text {EVIL}")),
    message_delta(f"msg_1{EVIL}", {"index": 1, "type": "refusal", "refusal": EVIL}),
    message_completed(f"msg_1{EVIL}", written(f"differs {EVIL}")),
    message_completed(
        f"msg_2{EVIL}",
        written(EVIL, {"type": "file_path", "text": EVIL, "file_path": {"file_id": EVIL}}),
        written(EVIL, {"type": EVIL, "text": EVIL}),
        {"type": "image_url", "image_url": {"url": EVIL}},
        {"type": EVIL},
        incomplete_details={"reason": EVIL},
    ),
    waiting(required(EVIL, EVIL, EVIL), run_id=f"run {EVIL}"),
    failure(EVIL, EVIL),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Save the stream under a hostile name that the system takes, which is nearly every one."""
    name = "".join(character for character in EVIL if character not in "\x00/\n")
    path = tmp_path / f"{name[:40]}.sse"
    path.write_bytes(body(HOSTILE))
    return path


@pytest.mark.parametrize("form", [[], ["--json"], ["--changes"], ["--quiet"]], ids=str)
def test_no_output_carries_a_control(
    form: list[str], path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", *form, str(path), f"{path}\u202e\n"]) == 2
    out, err = capsys.readouterr()
    assert FOUND.findall(out + err) == []
    assert err.count("\n") == 2
    assert "\\x1b]0;title\\x07" in err
    if form == []:
        for word in ("code", "log", "text", "arguments", "asked", "output"):
            assert f"\n{word} \\x1b]0;title\\x07" in out
        for line in (
            "── run",
            "· unknown event",
            "· incomplete",
            "· waiting",
            "! content differs",
        ):
            assert f"\n{line}" in out


def test_json_still_says_it(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["replay", "--json", str(path)])
    snapshot = accumulate(path.read_bytes(), allow_partial=True)
    assert json.loads(capsys.readouterr().out) == to_wire(snapshot)


def test_wrong_usage_cannot_steer_either(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["replay", "x", f"--{EVIL}"])
    err = capsys.readouterr().err
    assert FOUND.findall(err) == []
    assert err.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="names of files are bytes on Unix only")
def test_a_name_that_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = os.fsdecode(bytes(tmp_path) + b"/\x9b31m.sse")
    Path(path).write_bytes(body([run("in_progress")]))
    assert main(["replay", path, path]) == 1
    out, err = capsys.readouterr()
    assert f"==> {tmp_path}/\\udc9b31m.sse <==\n" in out
    assert f"{tmp_path}/\\udc9b31m.sse: " in err


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("tab\tand\nlines\n", "tab\tand\nlines\n"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("over\rwritten", "over\\x0dwritten"),
        ("\r\r\n\r", "\\x0d\n\\x0d"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x00\x7f\x85\x9b", "\\x00\\x7f\\x85\\x9b"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("\udc9b", "\\udc9b"),
        ("né 中 \U0001f468\u200d\U0001f469 \xa0", "né 中 \U0001f468\u200d\U0001f469 \xa0"),
    ],
)
def test_what_is_shown_instead(raw: str, shown: str) -> None:
    assert escape(raw) == shown


@pytest.mark.parametrize(
    ("raw", "shown"),
    [("a\r\nb", "a\\x0d\\x0ab"), ("a\tb", "a\tb"), ("\x1b", "\\x1b"), ("\u2029", "\\u2029")],
)
def test_what_is_shown_in_a_line(raw: str, shown: str) -> None:
    assert escape_line(raw) == shown


def test_what_is_long_is_cut_before_it_grows() -> None:
    assert shorten("x" * LINE, LINE) == "x" * LINE
    assert shorten("\x1b" * (LINE + 1), LINE) == "\\x1b" * (LINE - 1) + "…"


pieces = st.lists(st.text(st.sampled_from("ab\r\n\t\x1b\u202e中"), min_size=1))


@given(pieces)
def test_fragments_are_escaped_as_the_whole(pieces: list[str]) -> None:
    escaper = Escaper()
    shown = "".join(map(escaper.feed, pieces)) + escaper.finish()
    assert shown == escape("".join(pieces))


@given(st.text(), st.sampled_from(["utf-8", "ascii", "cp1252", None]))
def test_escaped_json_says_the_same(value: str, encoding: str | None) -> None:
    escaped = escape_json(json.dumps(value, ensure_ascii=False), encoding)
    assert json.loads(escaped) == value
    assert FOUND.findall(escaped) == []
    assert escaped.encode(encoding or "utf-8")
