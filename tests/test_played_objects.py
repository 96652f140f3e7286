"""What the API says of a run that is under way, against a fold that is slow and obvious."""

from __future__ import annotations

import json
from typing import Any

from streamkit.testing.api.objects import fold
from tests.objects import fold as slowly
from tests.recorded import OWN, STREAMS, on_every_stream, read
from tests.server import Body


# Halves of characters are held back until the others come; and this one is cut in a frame.
@on_every_stream(but=("emoji", "cut"))
def test_the_objects_at_every_point(name: str) -> None:
    *past, leg = [Body(each) for each in STREAMS[name]]
    said = [event for each in past for event in payloads(each)]
    step = max(1, len(leg.frames) // 60)
    for count in range(0, len(leg.frames) + 1, step):
        known = [*said, *payloads(leg, count)]
        run, steps, messages = slowly(known)
        objects = fold([*(each.events() for each in past), leg.events(count)])
        assert objects.run == run
        assert objects.steps == steps
        assert objects.messages == messages


def payloads(body: Any, frames: int | None = None) -> list[tuple[str, Any]]:
    said = [event for frame in body.frames[:frames] for event in read(frame)]
    return [(name, json.loads(data)) for name, data in said if data.startswith("{")]


def test_what_cannot_be_read_leaves_what_came_before() -> None:
    (report,) = OWN["report"]
    whole = Body(report)
    spoiled = Body(b"".join(whole.frames[:20]) + b"event: thread.run.completed\ndata: {\n\n")
    known = fold([whole.events(20)])
    assert fold([spoiled.events()]) == known._replace(outcome="open")
