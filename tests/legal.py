"""Legal streams, drawn; and a fold that says, slowly and obviously, what they come to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from hypothesis import strategies as st

from streamkit import Frame
from tests.streams import (
    Wire,
    code,
    code_call,
    done,
    frame,
    function,
    function_call,
    image,
    logs,
    message_event,
    other,
    printed,
    ran,
    run,
    search,
    step_delta,
    step_event,
    text,
    without,
)

# The specification: a fold over plain dicts, straight from the rules of merging.

APPENDED: Final = {"input", "logs", "arguments", "value", "refusal"}
KEYED: Final = {"tool_calls", "outputs", "content", "annotations"}


class Oracle:
    """What the steps and messages must be, as the wire's JSON."""

    def __init__(self) -> None:
        self.wholes: dict[str, Wire] = {}
        self.seeded: set[str] = set()  # what was created with content, and not added to

    def take(self, each: Frame) -> None:
        """Take the next frame of a legal stream."""
        payload = json.loads(each.data) if each.data.startswith(b"{") else {}
        family, _, transition = each.event.rpartition(".")
        if family not in ("thread.run.step", "thread.message"):
            return
        if transition == "delta":
            self.add(self.wholes[payload["id"]], payload["delta"], payload["id"])
            return
        known = self.wholes.get(payload["id"])
        self.wholes[payload["id"]] = merged = keyed(payload)
        if known is None:
            self.seeded |= {place for place, _ in texts(merged, payload["id"])}
            return
        for name in ("step_details", "content"):
            if name in known:
                merged[name] = complete(known[name], merged.get(name))

    def add(self, known: Wire, delta: Wire, place: str) -> None:
        """Add what a delta says: null is no change, texts append, lists go by index."""
        for name, value in delta.items():
            here = f"{place}.{name}"
            if value is None:
                continue
            if name in APPENDED:
                repeated = here in self.seeded and known[name] == value
                self.seeded -= {here} if value else set()
                known[name] = known.get(name, "") + ("" if repeated else value)
            elif name in KEYED:
                slots = known.setdefault(name, {})
                for item in value:
                    slot = slots.setdefault(item["index"], {})
                    self.add(slot, without(item, "index"), f"{here}.{item['index']}")
            elif name == "id":
                known["id"] = known.get("id") or value
            elif isinstance(value, dict):
                self.add(known.setdefault(name, {}), value, here)
            elif value != []:
                known[name] = value


def texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Find the texts that grow, with their places."""
    for name, item in value.items() if isinstance(value, dict) else ():
        if name in APPENDED and item:
            yield f"{place}.{name}", item
        yield from texts(item, f"{place}.{name}")


def keyed(value: Any) -> Any:
    """Turn lists that go by index into dicts by index."""
    if isinstance(value, dict):
        return {
            name: dict(enumerate(keyed(item))) if name in KEYED and item else keyed(item)
            for name, item in value.items()
            if name not in KEYED or item
        }
    return [keyed(item) for item in value] if isinstance(value, list) else value


def complete(known: Any, said: Any) -> Any:
    """Say again what is known, and whatever else a whole object says of it."""
    if isinstance(known, dict) and isinstance(said, dict):
        if all(isinstance(key, int) for key in [*known, *said]):  # by rank, since it has no index
            ranks = sorted(known)
            end = max(ranks, default=-1) + 1
            ranks += range(end, end + len(said) - len(ranks))
            said = {ranks[rank]: item for rank, item in said.items()}
        names = [*known, *(name for name in said if name not in known)]
        return {name: complete(known.get(name), said.get(name)) for name in names}
    if isinstance(known, str) and isinstance(said, str):
        return said if said.startswith(whole(known)) else known
    return known if said in (None, [], {}) else said


def whole(value: Any) -> Any:
    """Read what was folded: indices become ranks, halves of characters become U+FFFD."""
    if isinstance(value, dict):
        return {
            name: [whole(item[at]) for at in sorted(item)] if name in KEYED else whole(item)
            for name, item in value.items()
        }
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return [whole(item) for item in value] if isinstance(value, list) else value


def pruned(value: Any) -> Any:
    """Leave out what is empty: whether that was sent is for other tests to tell."""
    if isinstance(value, dict):
        items = {name: pruned(item) for name, item in value.items()}
        return {name: item for name, item in items.items() if item not in (None, "", [], {})}
    return [pruned(item) for item in value] if isinstance(value, list) else value


# Legal streams

PIECES: Final = st.sampled_from(["a", "bc", "é", "😀", "", "\n", '"', "\ud83d", "\ude00", "x" * 9])
MAYBE: Final = st.none() | PIECES
INDICES: Final = st.sampled_from([0, 1, 2, 5, 9])
NAMES: Final = st.sampled_from(["a", "b", "c"])
VALUES: Final = st.none() | st.booleans() | st.integers(0, 3) | NAMES

# What an output or a call is does not change with the stream: its index says it.
OUTPUTS: Final[dict[int, st.SearchStrategy[Wire]]] = {
    at: st.builds(logs, st.just(at), MAYBE) for at in (0, 1, 5, 9)
} | {2: st.builds(image, st.just(2), st.just("file_2"))}


def code_item(at: int, call_id: str | None) -> st.SearchStrategy[Wire]:
    outputs = st.lists(INDICES.flatmap(OUTPUTS.__getitem__), max_size=3)
    grown = st.builds(lambda piece, items: code(at, piece, *items, id=call_id), MAYBE, outputs)
    return grown | st.just(ran(at, outputs=[])) | st.just(ran(at, input=None, outputs=None))


def function_item(at: int, call_id: str | None) -> st.SearchStrategy[Wire]:
    outputs = st.none() | NAMES
    return st.builds(
        lambda piece, output: function(at, piece, id=call_id, name=f"f{at}", output=output),
        MAYBE,
        outputs,
    )


def search_item(at: int, call_id: str | None) -> st.SearchStrategy[Wire]:
    results = st.lists(st.fixed_dictionaries({"file_id": NAMES}), max_size=2)
    options = st.fixed_dictionaries({"ranker": NAMES, "score_threshold": st.just(0.5)})
    return st.builds(
        lambda said, ranked: search(at, id=call_id, results=said, ranking_options=ranked),
        st.none() | results,
        st.none() | options,
    )


def mcp_item(at: int, call_id: str | None) -> st.SearchStrategy[Wire]:
    return st.builds(
        lambda piece, n: other(at, "mcp", id=call_id, arguments=piece, n=n), MAYBE, VALUES
    )


def agent_item(at: int, call_id: str | None) -> st.SearchStrategy[Wire]:
    return st.builds(
        lambda piece, n: other(at, "agent", id=call_id, agent={"arguments": piece, "n": n}),
        MAYBE,
        VALUES,
    )


Item = Callable[[int, str | None], st.SearchStrategy[Wire]]
CALLS: Final[dict[int, Item]] = {
    0: code_item,
    1: function_item,
    2: search_item,
    5: mcp_item,
    9: agent_item,
}


@st.composite
def call_items(draw: st.DrawFn, step_id: str) -> Wire:
    """Draw a fragment of a call; its id may be repeated, null, or left out."""
    at = draw(INDICES)
    call_id = draw(st.sampled_from([None, f"call_{step_id}_{at}"]))
    item = draw(CALLS[at](at, call_id))
    return item if call_id or draw(st.booleans()) else item | {"id": None}


NOTES: Final = st.builds(
    lambda at, end: {"index": at, "type": "file_path", "text": f"t{at}", "end_index": end},
    st.integers(0, 2),
    st.none() | st.integers(0, 3),
)
PARTS: Final[dict[int, st.SearchStrategy[Wire]]] = {
    at: st.builds(lambda at, piece, notes: text(at, piece, *notes), st.just(at), MAYBE,
                  st.lists(NOTES, max_size=2))
    for at in (0, 5)
} | {
    1: st.builds(lambda piece: other(1, "refusal", refusal=piece), MAYBE),
    2: st.just(other(2, "image_file", image_file={"file_id": "file_2"})),
    9: st.builds(lambda n: other(9, "audio", n=n), VALUES),
}  # fmt: skip


def seeds(step_id: str) -> st.SearchStrategy[list[Wire]]:
    """Draw what a step is created with: a call at each of the first two indices, of its kind."""
    calls = st.builds(
        lambda piece, log, arguments: [
            code_call(f"call_{step_id}_0", piece, printed(log)),
            function_call(f"call_{step_id}_1", "f1", arguments),
        ],
        *[NAMES] * 3,
    )
    return st.just([]) | calls


class Server:
    """Draws the frames of a legal stream, one that knows what it said."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.oracle = Oracle()
        self.frames: list[Frame] = []
        self.created: set[str] = set()  # the steps to which nothing was added
        self.ended: set[str] = set()

    def say(self, each: Frame) -> None:
        """Say a frame."""
        self.frames.append(each)
        self.oracle.take(each)

    def act(self) -> None:
        """Begin, add to, say again or end something."""
        draw = self._draw
        number = draw(st.integers(1, 3))
        for_steps = draw(st.booleans())
        owner = f"step_{number}" if for_steps else f"msg_{number}"
        if owner in self.ended:
            return
        if owner not in self.oracle.wholes:
            details = {"type": "tool_calls", "tool_calls": draw(seeds(owner))}
            if for_steps:
                self.created.add(owner)
            self.tell("created", owner, "in_progress", {"step_details": details, "content": []})
            return
        match draw(st.sampled_from(["add", "add", "add", "add", "again", "end"])):
            case "add" if owner in self.created and draw(st.booleans()):
                self.created.discard(owner)
                self.say(step_delta(owner, *self.repeated(owner)))
            case "add" if for_steps:
                self.created.discard(owner)
                items = draw(st.lists(call_items(owner), max_size=3))
                self.say(step_delta(owner, *items))
            case "add":
                content = draw(st.lists(INDICES.flatmap(PARTS.__getitem__), max_size=3))
                delta = {"id": owner, "delta": {"content": content}}
                self.say(frame("thread.message.delta", delta))
            case "again":
                self.tell("in_progress", owner, "in_progress")
            case _:
                self.ended.add(owner)
                self.tell("completed", owner, "completed")

    def repeated(self, owner: str) -> list[Wire]:
        """Say again, as a delta, what a step was created with."""
        calls = whole(self.oracle.wholes[owner])["step_details"].get("tool_calls", [])
        for call in calls:
            inner = call.get("code_interpreter", {})
            inner["outputs"] = [at | {"index": n} for n, at in enumerate(inner.get("outputs", []))]
        return [call | {"index": index} for index, call in enumerate(calls)]

    def tell(self, transition: str, owner: str, status: str, first: Wire | None = None) -> None:
        """Say the whole object as it is, perhaps with more at the end; on the way without."""
        known = first if first is not None else whole(self.oracle.wholes[owner])
        known = without(known, "content" if owner.startswith("step") else "step_details")
        if transition == "in_progress":
            known = without(known, "step_details", "content")
        elif transition == "completed" and self._draw(st.booleans()):
            known = lengthened(known)
        status_and_id = {"id": owner, "status": status, "n": self._draw(VALUES)}
        event = step_event if owner.startswith("step") else message_event
        self.say(event(transition, known | status_and_id))


def lengthened(value: Any) -> Any:
    """Say more at the end of each text, as where fragments were lost."""
    if isinstance(value, dict):
        return {
            name: item + "+" if name in APPENDED and item else lengthened(item)
            for name, item in value.items()
        }
    return [lengthened(item) for item in value] if isinstance(value, list) else value


@st.composite
def legal(draw: st.DrawFn) -> tuple[list[Frame], Oracle]:
    """Draw a legal stream, and what it must come to."""
    server = Server(draw)
    while len(server.frames) < 30 and draw(st.integers(0, 24)):
        server.act()
    server.say(run("completed"))
    server.say(done())
    return server.frames, server.oracle
