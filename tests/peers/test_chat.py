"""A chat in a browser reads the server, and shows each fragment as it comes.

Each visit asks one question in a fresh page; all of them are made by one process, and what the
pages showed is held against what streamkit makes of the same bytes.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple

import pytest

from streamkit import (
    ArgumentsAppended,
    Change,
    CodeAppended,
    ImageAdded,
    LogAppended,
    PartAdded,
    RefusalAppended,
    RunSnapshot,
    TextAppended,
    to_wire,
)
from streamkit.server import serve
from streamkit.testing import (
    Corrupt,
    Crlf,
    Cut,
    ErrorEvent,
    Fault,
    Keepalives,
    Split,
    Stall,
    Status,
)
from tests.own import Legs
from tests.peers.meeting import fold, renamed
from tests.peers.outside import FLAGS, HERE, chromium, run_script
from tests.peers.runs import LOST, RUNS, SHORT, on_every_run

FRAMES: Final = re.findall(rb".*?\n\n", SHORT, re.DOTALL)
MIDDLE: Final = len(FRAMES) // 2


class Visit(NamedTuple):
    """A question, and what answers it."""

    legs: Legs
    faults: tuple[Fault, ...] = ()
    frames: int | None = None  # after which nothing more comes


class Seen(NamedTuple):
    """What a page showed."""

    legs: Legs  # with the ids that it was sent
    origins: set[str | None]  # of the pages that asked
    pieces: Any  # every text and image that was put on the page, one by one
    answer: Any  # what was on it in the end, by the ids of steps and messages
    alerts: list[str]
    is_busy: bool
    errors: list[str]  # of the page, and of waiting for it


ENDS: Final = "The connection ended before the answer did."

# What is done to a run in its middle, and what the page says of it.
FAULTS: Final[list[tuple[Fault, str]]] = [
    (Cut(frames=MIDDLE), ENDS),
    (Cut(frames=MIDDLE, inside=True), ENDS),
    (ErrorEvent(frames=MIDDLE, message="Overloaded."), "Overloaded."),
    (Corrupt(frames=(MIDDLE,)), "JSON"),
]
# The browser forgets what it has not handed out yet.
ABORT: Final = Cut(frames=MIDDLE, how="abort")
# What answers instead.
STATUSES: Final[list[tuple[Status, str]]] = [
    (Status(status=429, operation="create", body={"error": {"message": "Slow down."}}), "Slow"),
    (Status(status=502, operation="create", body=b"<h1>Bad gateway</h1>"), "answered 502"),
    (Status(operation="create", abort=True, times=None), "Failed to fetch"),
]
# What changes no event.
HARMLESS: Final[list[Fault]] = [Split(size=1), Crlf(), Keepalives()]

# Unnamed frames, with the name inside; a step that only a whole object speaks of.
UNREAD: Final = {"litellm", "simple-openai/threads_runs_submittool_stream_2"}

WHOLE: Final = {name: Visit(legs) for name, legs in RUNS.items() if name not in UNREAD}
HELD: Final = {
    f"held {count}": Visit((SHORT,), (Stall(frames=count),), count)
    for count in range(1, len(FRAMES))
}
BROKEN: Final = {
    f"broken {fault}": Visit((SHORT,), (fault,))
    for fault in [ABORT, *(fault for fault, _ in [*FAULTS, *STATUSES]), *HARMLESS]
}
UNSEEN: Final = {"no image": Visit((LOST,), (Status(status=404, operation="file"),))}


class Quiet(SimpleHTTPRequestHandler):
    """Serves the page, and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    """Serve the page on a port of its own, so that the API is at another origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=HERE)) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def seen(page: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    """Make all visits."""
    visits = WHOLE | HELD | BROKEN | UNSEEN
    picture = tmp_path_factory.mktemp("chat") / "report.png"
    with serve() as server:
        places = {name: server.add(each.legs, faults=each.faults) for name, each in visits.items()}
        given = [
            {
                "url": f"{page}/chat.html?api={server.url}"
                f"&thread={place.thread_id}&assistant={place.assistant_id}",
                "count": told(visits[name].frames),
                "screenshot": str(picture) if name == "report" else None,
            }
            for name, place in places.items()
        ]
        shown = run_script(
            "browse.mjs", {"executable": chromium(), "args": FLAGS, "visits": given}
        )
        assert picture.read_bytes().startswith(b"\x89PNG")
        seen = {}
        for (name, place), each in zip(places.items(), shown, strict=True):
            legs = renamed(visits[name].legs, *place)
            origins = {asked.headers.get("origin") for asked in server.requests_at(place)}
            seen[name] = Seen(legs, origins, **each)
        return seen


Look = Callable[[str], Seen]


@pytest.fixture
def look(seen: dict[str, Seen]) -> Look:
    """Look at what a page showed, if nothing in it went wrong."""

    def look(name: str) -> Seen:
        assert seen[name].errors == []
        return seen[name]

    return look


def told(frames: int | None) -> int | None:
    """Say how many pieces there are in so many frames."""
    return None if frames is None else len(pieces(fold_frames(frames)))


def fold_frames(count: int) -> list[Change]:
    """Say what so many frames tell."""
    return fold((b"".join(FRAMES[:count]),))[0]


def pieces(changes: Iterable[Change]) -> list[Any]:
    """Say what is to be put on the page, in order: where, of which kind and what."""
    found: list[Any] = []
    for change in changes:
        match change:
            case CodeAppended(id, call, _, text) | ArgumentsAppended(id, call, _, text):
                found.append([[id, call], "code", text])
            case LogAppended(id, call, _, output, text):
                found.append([[id, call, output], "logs", text])
            case ImageAdded(id, call, _, output, file_id):
                found.append([[id, call, output], "image", file_id])
            case TextAppended(id, index, text) | RefusalAppended(id, index, text):
                found.append([[id, index], "text", text])
            case PartAdded(id, index, part):
                found.append([[id, index], "image", to_wire(part)["image_file"]["file_id"]])
    return found


def answer(snapshot: RunSnapshot) -> dict[str, Any]:
    """Say what is to be on the page in the end."""
    shown: dict[str, Any] = {}
    for step in to_wire(snapshot.steps):
        if calls := step["step_details"].get("tool_calls"):
            shown[step["id"]] = [call(each) for each in calls]
    for message in to_wire(snapshot.messages):
        shown[message["id"]] = [part(each) for each in message["content"]]
    return shown


def call(wire: Any) -> Any:
    inner = wire[wire["type"]]
    return {
        "name": inner.get("name", wire["type"].replace("_", " ")),
        "code": inner.get("input", inner.get("arguments", "")),
        "outputs": [part(each) for each in inner.get("outputs", ())],
    }


def part(wire: Any) -> Any:
    match wire:
        case {"type": "logs", "logs": text} | {"type": "refusal", "refusal": text}:
            return ["logs" if wire["type"] == "logs" else "text", text]
        case {"type": "text", "text": {"value": text}}:
            return ["text", text]
        case {"image": {"file_id": id}} | {"image_file": {"file_id": id}}:
            return ["image", id, 64, 64]  # the size of the server's own pictures
    raise AssertionError(wire)


@on_every_run(but=UNREAD)
def test_it_shows_the_run(look: Look, page: str, name: str) -> None:
    shown = look(name)
    changes, snapshot = fold(shown.legs)
    if name != "emoji":  # the halves of a character come one by one
        assert shown.pieces == pieces(changes)
    assert shown.answer == answer(snapshot)
    error = snapshot.run and snapshot.run.last_error
    assert shown.alerts == ([error.message] if error else [])
    assert not shown.is_busy
    assert shown.origins == {page}


@pytest.mark.parametrize("count", range(1, len(FRAMES)))
def test_it_shows_each_fragment_before_the_next_one_comes(look: Look, count: int) -> None:
    shown = look(f"held {count}")
    assert shown.pieces == pieces(fold_frames(count))
    assert (shown.alerts, shown.is_busy) == ([], True)


@pytest.mark.parametrize(("fault", "said"), FAULTS, ids=str)
def test_it_says_what_went_wrong(look: Look, fault: Fault, said: str) -> None:
    shown = look(f"broken {fault}")
    assert shown.pieces == pieces(fold_frames(MIDDLE))
    assert said in "".join(shown.alerts)
    assert not shown.is_busy


def test_a_connection_that_breaks(look: Look) -> None:
    shown = look(f"broken {ABORT}")
    assert shown.pieces == pieces(fold_frames(MIDDLE))[: len(shown.pieces)]
    assert shown.alerts == ["network error"]


@pytest.mark.parametrize(("fault", "said"), STATUSES, ids=str)
def test_it_says_what_was_answered(look: Look, fault: Fault, said: str) -> None:
    shown = look(f"broken {fault}")
    assert (shown.pieces, len(shown.alerts)) == ([], 1)
    assert said in shown.alerts[0]


@pytest.mark.parametrize("fault", HARMLESS, ids=str)
def test_however_it_is_sent(look: Look, fault: Fault) -> None:
    shown = look(f"broken {fault}")
    changes, snapshot = fold(shown.legs)
    assert (shown.pieces, shown.answer) == (pieces(changes), answer(snapshot))


def test_an_image_that_is_not_there(look: Look) -> None:
    shown = look("no image")
    assert [what for _, _, what in shown.pieces] == ["file-lost"]
    assert shown.alerts == ["The server answered 404."]
