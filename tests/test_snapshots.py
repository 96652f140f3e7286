"""Snapshots: frozen, kept for ever, shared where nothing changed, and cheap to take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import Struct

from streamkit import (
    Accumulator,
    Change,
    CodeInterpreterToolCall,
    Frame,
    FrameDecoder,
    Message,
    RunSnapshot,
    RunStep,
    Snapshot,
    TextContentBlock,
    ToolCall,
    ToolCallsStepDetails,
    decode,
    to_wire,
)
from streamkit._builders.row import Node
from tests.streams import (
    Wire,
    code,
    code_call,
    creation,
    drawn,
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
    other,
    other_call,
    printed,
    ran,
    run,
    search,
    step,
    step_completed,
    step_created,
    step_delta,
    step_details,
    step_event,
    step_in_progress,
    text,
    written,
)

RECORDINGS: Final = sorted(Path(__file__).with_name("recordings").glob("*.sse"))


def nested(*names: str) -> Any:
    """Build a value with dicts and lists in it, in which later ones are merged."""
    return {"new": {"in": {name: [{"a": name}] for name in names}}}


def new_parts(name: str) -> Frame:
    """Build a fragment of a message that holds such values everywhere."""
    note = {"index": 0, "type": "new_citation", "text": "n"} | nested(name)
    parts = [text(0, name, note) | nested(name), other(1, "audio", **nested(name))]
    delta = {"content": parts} | nested(name)
    return frame("thread.message.delta", {"id": "msg_1", "delta": delta})


def new_calls(name: str) -> Frame:
    """Build a fragment of a step that holds such values everywhere."""
    output = other(2, "new", **nested(name))
    calls = [
        ran(0, logs(0, name) | nested(name), image(1, "file_a") | nested(name), output),
        function(1, name, **nested(name)) | nested(name),
        search(2, results=[{"file_id": name} | nested(name)], **nested(name)) | nested(name),
        other(3, "connected_agent", connected_agent={"arguments": name} | nested(name)),
    ]
    details = {"type": "tool_calls", "tool_calls": calls} | nested(name)
    return step_details("step_1", details)


def more(name: str) -> Frame:
    """Build a fragment of a step's own fields."""
    return frame("thread.run.step.delta", {"id": "step_1", "delta": nested(name)})


def ran_whole(name: str) -> Wire:
    """Build a whole call that holds such values everywhere."""
    outputs = [printed("xyz") | nested(name), drawn("file_a") | nested(name)]
    call: Wire = code_call(None, "", *outputs) | nested(name)
    call["code_interpreter"] |= nested(name)
    return call


NOTHING: Final = {"type": "tool_calls", "tool_calls": []}

# Everything that can grow, some of it twice; then all of it whole.
GROWING: Final = [
    *[run("in_progress", metadata=nested("x")), step_created(), new_calls("x"), new_calls("y")],
    *[message_created("msg_1", **nested("x")), new_parts("x"), new_parts("y")],
    *[step_event("created", creation("step_2", "msg_1")), step_created("step_3")],
    *[step_delta("step_3", other(4, "mcp", arguments="a", **nested("x")))],
    step_in_progress("step_1", code_call(None, "", printed("xy")) | nested("z")),
    message_event("in_progress", message("msg_1", written("xy") | nested("z"), **nested("z"))),
    *[new_calls("z"), new_parts("z")],
    step_in_progress("step_3", other_call("m", "mcp", arguments="a", **nested("z"))),
    *[step_delta("step_3", other(4, "mcp", arguments="b", **nested("y")))],
    step_completed("step_3", other_call("m", "mcp", arguments="abc", **nested("w"))),
    *[step_delta("step_3", other(4, "mcp", arguments="d", **nested("v")))],
    *[step_event("created", step("step_1", step_details=NOTHING | nested("w"), **nested("w")))],
    *[more("y"), step_details("step_1", NOTHING | nested("y"))],
    step_completed("step_1", ran_whole("w"), function_call(None, "f", "xyz") | nested("w")),
    message_completed("msg_1", written("xyz") | nested("w"), **nested("w")),
    *[new_calls("v"), more("v"), new_parts("v")],
    *[step_completed("step_1", usage=None), message_completed("msg_1"), run("completed")],
]


def recorded(path: Path) -> list[Frame]:
    return FrameDecoder().feed(path.read_bytes())


STREAMS: Final = [
    pytest.param(GROWING, id="growing"),
    *(pytest.param(recorded(path), id=path.name) for path in RECORDINGS),
]


def folded(frames: list[Frame]) -> Iterator[tuple[list[Change], RunSnapshot]]:
    """Fold frames, and look at the whole after each."""
    accumulator = Accumulator()
    for each in frames:
        changes = list(accumulator.feed_frame(each))
        yield changes, accumulator.snapshot()
    yield list(accumulator.end()), accumulator.snapshot()


def plain(value: object) -> Any:
    """Copy all that is in a value, the names of its types included."""
    if isinstance(value, Struct):
        fields = {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        return (type(value).__name__, fields)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value


@pytest.mark.parametrize("frames", STREAMS)
def test_what_was_taken_or_told_never_changes(frames: list[Frame]) -> None:
    kept = [(both, plain(both)) for both in folded(frames)]
    for number, (both, before) in enumerate(kept):
        assert plain(both) == before, number


@pytest.mark.parametrize("frames", STREAMS)
def test_events_are_not_changed_by_feeding_them(frames: list[Frame]) -> None:
    events = [decode(each) for each in frames]
    before = [plain(each) for each in events]
    snapshots = []
    for _ in range(2):
        accumulator = Accumulator()
        for each in events:
            accumulator.feed(each)
        snapshots.append(plain(accumulator.snapshot()))
    assert [plain(each) for each in events] == before
    assert snapshots[0] == snapshots[1]


@pytest.mark.parametrize("frames", STREAMS)
def test_equal_events_give_equal_snapshots_and_changes(frames: list[Frame]) -> None:
    once, again = list(folded(frames)), list(folded(deepcopy(frames)))
    assert once == again
    unread = Accumulator()
    told = [*(list(unread.feed_frame(each)) for each in frames), list(unread.end())]
    assert told == [changes for changes, _ in once]
    assert unread.snapshot() == once[-1][1]


@pytest.mark.parametrize("frames", STREAMS)
def test_what_is_given_to_the_wire_is_a_copy(frames: list[Frame]) -> None:
    for _, snapshot in folded(frames):
        wire = to_wire(snapshot)
        spoil(wire)
        assert wire != to_wire(snapshot) == to_wire(deepcopy(snapshot))


def spoil(value: Any) -> None:
    """Change every container in a value."""
    if isinstance(value, dict):
        for item in value.values():
            spoil(item)
        value["spoilt"] = True
    elif isinstance(value, list):
        for item in value:
            spoil(item)
        value.append("spoilt")


def structs(value: object) -> Iterator[Struct]:
    """Find every struct in a snapshot or in changes."""
    if isinstance(value, Struct):
        yield value
        for name in value.__struct_fields__:
            yield from structs(getattr(value, name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from structs(item)


@pytest.mark.parametrize("frames", STREAMS)
def test_everything_is_frozen(frames: list[Frame]) -> None:
    for both in folded(frames):
        for struct in structs(both):
            assert struct.__struct_config__.frozen
            for name in struct.__struct_fields__:
                with pytest.raises(AttributeError):
                    setattr(struct, name, None)
                raw = isinstance(getattr(struct, name), list)
                assert not raw or name in RAW, f"{type(struct).__name__}.{name} is a list"


# JSON that is not looked into stays what it was.
RAW: Final = {"tools", "attachments", "data", "response_format", "tool_choice"}


def parts(snapshot: RunSnapshot) -> dict[tuple[object, ...], Snapshot]:
    """List the parts that a UI would compare, by their places."""
    found: dict[tuple[object, ...], Snapshot] = {}
    if snapshot.run is not None:
        found["run",] = snapshot.run
    for whole in snapshot.steps:
        found[whole.id,] = whole
        for rank, call in enumerate(calls(whole)):
            found[whole.id, call.id or rank] = call
            if isinstance(call, CodeInterpreterToolCall) and call.code_interpreter:
                for place, output in enumerate(call.code_interpreter.outputs):
                    found[whole.id, call.id or rank, place] = output
    for message_ in snapshot.messages:
        found["message", message_.id] = message_
        for place, part in enumerate(message_.content):
            found["message", message_.id, place] = part
            if isinstance(part, TextContentBlock) and part.text:
                for number, annotation in enumerate(part.text.annotations):
                    found["message", message_.id, place, number] = annotation
    return found


def calls(whole: RunStep) -> tuple[ToolCall, ...]:
    details = whole.step_details
    return details.tool_calls if isinstance(details, ToolCallsStepDetails) else ()


@pytest.mark.parametrize("frames", STREAMS)
def test_what_did_not_change_is_the_same_object(frames: list[Frame]) -> None:
    before: dict[tuple[object, ...], Snapshot] = {}
    shared = 0
    for _, snapshot in folded(frames):
        now = parts(snapshot)
        for place, part in now.items():
            if place in before and before[place] == part:
                assert before[place] is part, place
                shared += 1
        before = now
    assert shared >= len(frames) - 3


@pytest.mark.parametrize("frames", STREAMS)
def test_what_a_change_holds_is_what_the_snapshot_holds(frames: list[Frame]) -> None:
    for changes, snapshot in folded(frames):
        whole: list[RunStep | Message] = [*snapshot.steps, *snapshot.messages]
        held = [getattr(each, "step", None) or getattr(each, "message", None) for each in changes]
        for each in filter(None, held):
            assert not any(each == other and each is not other for other in whole)


# Reading after every change


class Builds:
    """Counts how often something is built that a snapshot shows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        freeze = Node.freeze

        def counted(node: Node) -> Any:
            self.count += node.stale
            return freeze(node)

        monkeypatch.setattr(Node, "freeze", counted)

    def of(self, accumulator: Accumulator, each: Frame) -> int:
        """Feed a frame, look at the whole, and say what was built."""
        self.count = 0
        accumulator.feed_frame(each)
        accumulator.snapshot()
        return self.count


def everywhere(number: int, index: int) -> Frame:
    """Go round the steps that are open."""
    return step_delta(f"step_{index % number}", code(0, "a"))


MANY: Final[dict[str, tuple[list[Frame], Callable[[int], Frame]]]] = {
    "outputs": ([step_created()], lambda index: step_delta("step_1", ran(0, logs(index, "a")))),
    "fragments of outputs": (
        [step_created(), step_delta("step_1", ran(0, *(logs(at, "a") for at in range(100))))],
        lambda index: step_delta("step_1", ran(0, logs(index % 100, "a"))),
    ),
    "calls": ([step_created()], lambda index: step_delta("step_1", code(index, "a"))),
    "fragments of calls": (
        [step_created(), step_delta("step_1", *(function(at, "a") for at in range(100)))],
        lambda index: step_delta("step_1", function(index % 100, "a")),
    ),
    "steps": ([], lambda index: step_created(f"step_{index}")),
    "fragments of steps": (
        [step_created(f"step_{at}") for at in range(100)],
        lambda index: everywhere(100, index),
    ),
    "ends of steps": (
        [step_created(f"step_{at}") for at in range(300)],
        lambda index: step_completed(f"step_{index}", code_call("a", "a", printed("b"))),
    ),
    "messages": ([], lambda index: message_created(f"msg_{index}")),
    "fragments of messages": (
        [message_created(f"msg_{at}") for at in range(100)],
        lambda index: message_delta(f"msg_{index % 100}", text(0, "a")),
    ),
    "parts": ([message_created()], lambda index: message_delta("msg_1", text(index, "a"))),
    "annotations": (
        [message_created()],
        lambda index: message_delta(
            "msg_1", text(0, "a", {"index": index, "type": "file_path", "text": "b"})
        ),
    ),
}


@pytest.mark.parametrize("name", MANY)
def test_reading_after_every_change_builds_what_changed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, build = MANY[name]
    builds, accumulator = Builds(monkeypatch), Accumulator()
    for each in first:
        accumulator.feed_frame(each)
    accumulator.snapshot()
    counts = [builds.of(accumulator, build(index)) for index in range(300)]
    assert counts[100:200] == counts[200:]
    assert 0 < min(counts) <= max(counts) <= 12


def test_reading_twice_builds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    builds, accumulator = Builds(monkeypatch), Accumulator()
    for each in GROWING:
        accumulator.feed_frame(each)
    first = accumulator.snapshot()
    builds.count = 0
    assert accumulator.snapshot().steps is first.steps
    assert accumulator.messages is first.messages
    assert accumulator.problems is first.problems
    assert builds.count == 0
