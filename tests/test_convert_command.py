"""`streamkit convert --to responses`: what it writes and says, and how it ends."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, Final

import pytest

from streamkit import accumulate, to_wire
from streamkit.cli import main
from streamkit.convert import to_response_items
from tests.recorded import OWN, RESPONSES, every
from tests.test_cli_hostile import EVIL, FOUND
from tests.test_cli_recordings import FORMS, har, status_of

Capture = pytest.CaptureFixture[str]

REPORT: Final = OWN["report"][0]
LEGS: Final = OWN["parallel-functions"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let every test work in a folder of its own, with a recording in it."""
    monkeypatch.chdir(tmp_path)
    Path("run.sse").write_bytes(REPORT)
    return tmp_path


def convert(*options: str, source: str = "run.sse", target: str = "items.json") -> int:
    return status_of("convert", source, target, "--to", "responses", *options)


def written(name: str = "items.json") -> Any:
    return json.loads(Path(name).read_bytes())


def test_the_items_are_written_and_the_report_is_told(capsys: Capture) -> None:
    items = to_response_items(accumulate(REPORT))
    assert convert() == 0
    assert written() == items
    out, err = capsys.readouterr()
    assert out == "items.json: 2 items, 6 remarks\n"
    assert err.splitlines() == [f"streamkit: run.sse: {each}" for each in items.report]
    assert Path("items.json").read_text().startswith('[\n  {\n    "')
    assert Path("items.json").read_text().endswith("]\n")


def test_the_caller_decides(capsys: Capture) -> None:
    assert convert("--container-id", "cntr_1", "--image-url", "https://x/{file_id}/content") == 0
    call, _ = written()
    assert call["container_id"] == "cntr_1"
    image = call["outputs"][1]
    assert image["url"].startswith("https://x/file-")
    assert image["url"].endswith("/content")
    assert capsys.readouterr().err.count("as the caller chose") == 2


def test_a_file_id_cannot_change_the_url() -> None:
    wire = to_wire(accumulate(REPORT))
    call = wire["steps"][0]["step_details"]["tool_calls"][0]["code_interpreter"]
    call["outputs"] = [{"type": "image", "image": {"file_id": "../a b?{file_id}"}}]
    Path("run.json").write_text(json.dumps(wire, indent=2))
    assert convert("--image-url", "https://x/{file_id}", source="run.json") == 0
    (output,) = written()[0]["outputs"]
    assert output["url"] == "https://x/..%2Fa%20b%3F%7Bfile_id%7D"


@pytest.mark.parametrize("kind", FORMS)
def test_every_form_gives_the_same_items(kind: str, capsys: Capture) -> None:
    name, build, _ = FORMS[kind]
    Path(name).write_bytes(build(*LEGS))
    assert convert(source=name) == 0
    assert [item["type"] for item in written()] == [
        *["function_call", "function_call_output"] * 2,
        "message",
    ]
    assert capsys.readouterr().out == "items.json: 5 items, 1 remark\n"


@pytest.mark.parametrize("name", ["both.har", "both.json"])
def test_runs_in_one_file_follow_each_other(name: str, capsys: Capture) -> None:
    bodies = (REPORT, OWN["refusal"][0])
    runs = [accumulate(body) for body in bodies]
    shown = "".join(json.dumps(to_wire(run), indent=2) + "\n" for run in runs)
    Path(name).write_bytes(har(*bodies) if name.endswith("har") else shown.encode())
    assert convert(source=name) == 0
    assert written() == [item for run in runs for item in to_response_items(run)]
    assert f"streamkit: {name}: run 2: items do not tell" in capsys.readouterr().err


@pytest.mark.parametrize("is_page", [True, False])
def test_stored_steps_and_messages_are_taken(*, is_page: bool) -> None:
    snapshot = accumulate(REPORT)
    stored: Any = [*to_wire(snapshot.steps), *to_wire(snapshot.messages)]
    if is_page:
        stored = {"object": "list", "data": stored, "has_more": False}
    Path("steps.json").write_text(json.dumps(stored))
    assert convert(source="steps.json") == 0
    assert written() == to_response_items(snapshot)


@pytest.mark.parametrize("name", every(RESPONSES))
def test_a_response_has_no_report(name: str, capsys: Capture) -> None:
    body = RESPONSES[name][0]
    Path("response.sse").write_bytes(body)
    assert convert(source="response.sse") == 0
    assert written() == to_response_items(accumulate(body))
    out, err = capsys.readouterr()
    assert out.endswith(", 0 remarks\n")
    assert err == ""


def test_what_is_compressed_is_told_by_the_name() -> None:
    assert convert(target="items.json.gz") == 0
    items = json.loads(gzip.decompress(Path("items.json.gz").read_bytes()))
    assert items == to_response_items(accumulate(REPORT))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cut", "the stream ended before the run came to rest"),
        ("error", "the server sent an error event"),
    ],
)
def test_a_stream_that_failed_is_converted_up_to_there(
    name: str, reason: str, capsys: Capture
) -> None:
    Path("run.sse").write_bytes(OWN[name][0])
    assert convert() == 1
    assert written() == to_response_items(accumulate(OWN[name][0], allow_partial=True))
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"streamkit: run.sse: {reason}; items.json holds what there is"


def test_a_run_that_waits_is_no_failure() -> None:
    Path("run.sse").write_bytes(LEGS[0])
    assert convert() == 0
    assert [item["type"] for item in written()] == ["function_call", "function_call"]


WRONG: Final[dict[str, tuple[list[str], bytes | None, str]]] = {
    "no file": (["gone.sse"], None, "streamkit: gone.sse: No such file or directory\n"),
    "nothing": (["bad.sse"], b"", "streamkit: bad.sse: there is no event in it\n"),
    "no stream": (["bad.txt"], b"hello", "streamkit: bad.txt: "),
    "no step": (["bad.json"], b'[{"id": null}]', "streamkit: bad.json: $.id: expected "),
    "the same": (["run.sse", "run.sse"], None, "streamkit: run.sse: this is the recording itself"),
    "no folder": (["run.sse", "no/items.json"], None, "streamkit: no/items.json: No such file"),
    "no place for the file id": (
        ["run.sse", "--image-url", "https://x"],
        None,
        "streamkit: argument --image-url: {file_id} is needed in it (see streamkit convert",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_done_is_said_in_a_line(name: str, capsys: Capture) -> None:
    arguments, data, said = WRONG[name]
    if data is not None:
        Path(arguments[0]).write_bytes(data)
    if len(arguments) != 2:
        arguments = [arguments[0], "items.json", *arguments[1:]]
    assert status_of("convert", "--to", "responses", *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(said)
    assert err.count("\n") == 1
    assert Path("run.sse").read_bytes() == REPORT
    assert not Path("items.json").exists()


@pytest.mark.parametrize("option", ["--container-id", "--image-url"])
@pytest.mark.parametrize("form", [[], ["--to", "raw"]], ids=str)
def test_other_forms_have_no_such_options(option: str, form: list[str], capsys: Capture) -> None:
    assert status_of("convert", "run.sse", "out.sse", *form, option, "{file_id}") == 2
    said = f"streamkit: {option} needs --to responses (see streamkit convert --help)\n"
    assert capsys.readouterr() == ("", said)
    assert not Path("out.sse").exists()


def test_the_report_does_not_harm_the_terminal(capsys: Capture) -> None:
    wire = to_wire(accumulate(REPORT))
    wire["steps"][0]["seed"] = EVIL
    Path("run.json").write_text(json.dumps(wire, indent=2))
    assert main(["convert", "run.json", "items.json", "--to", "responses"]) == 0
    out, err = capsys.readouterr()
    assert not FOUND.search(out + err.replace("\n", ""))
    assert "seed" in err
    assert err.count("\n") == 7
