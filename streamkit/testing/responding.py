"""Runs as responses of the Responses API, cut into the frames of their streams."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from .._wire import to_wire
from ..convert import to_response_items
from ..errors import UsageError
from ..snapshots import RunSnapshot, RunStep
from ..sse import Frame
from .fragments import Cutter, Wire
from .itemizing import item_said

__all__ = ["ENDS", "frame_of", "responses_of"]

# What a response may come to; its last event is called so.
ENDS: Final = ("completed", "incomplete", "failed", "cancelled")


def responses_of(
    snapshot: RunSnapshot,
    cutter: Cutter,
    *,
    legs: bool = True,
    image_url: Callable[[str], str | None] | None = None,
) -> list[list[Frame]]:
    """Cut a run into the frames of its responses: each is a leg, and ends with its response.

    Args:
        snapshot: Of either API; one of the Assistants API is converted first.
        cutter: Cuts the texts, and mixes those of several items where it interleaves.
        legs: Whether a response ends where the outputs of functions come between: those
            are sent, not received.
        image_url: Gives the URL of an image by its file id; one without is left out.

    Raises:
        UsageError: There is something in it that JSON cannot say.
    """
    run = to_wire(snapshot.run)
    if run.get("object") == "response":
        told = _recorded(run, to_response_items(snapshot))
    else:
        parted = _in_legs(snapshot, image_url)
        told = _converted(run, parted if legs else [[*chain.from_iterable(parted)]])
    return [_frames(response, output, cutter) for response, output in told]


# Snapshots of responses


def _recorded(last: Wire, items: Sequence[Wire]) -> Iterator[tuple[Wire, Sequence[Wire]]]:
    """Part the items of the last response from those of the ones before it."""
    here = {item.get("id") for item in last.get("output") or items}
    before = [item for item in items if item.get("id") not in here]
    if before:
        well = {"status": "completed", "error": None, "incomplete_details": None}
        yield last | well | {"id": f"{last['id']}_before", "output": before}, before
    yield last, [item for item in items if item.get("id") in here]


# Snapshots of runs

# What the API says otherwise of a run than of a response. There is no word for expired.
_STATUSES: Final[Mapping[str, str]] = {"requires_action": "completed", "expired": "incomplete"}
_OUTPUT: Final = "function_call_output"
_REASONS: Final = frozenset({"max_output_tokens", "content_filter"})


def _in_legs(
    snapshot: RunSnapshot, image_url: Callable[[str], str | None] | None
) -> list[list[Wire]]:
    """Convert a run, and part its items where the outputs of functions come between.

    The calls of one step were answered together, so they are of one response. What a user
    said is no output at all.
    """
    # How many calls are left in each step that has some; the first is the one at hand.
    left = [len(calls) for calls in map(_calls, snapshot.steps) if calls]
    legs: list[list[Wire]] = [[]]
    is_answered = False
    for item in to_response_items(snapshot, image_url=image_url):
        if item["type"] == _OUTPUT:
            is_answered = True
            continue
        if item.get("role", "assistant") != "assistant":
            continue
        if is_answered and not any(left[:1]):
            legs.append([])
            is_answered = False
        if item["type"] != "message":
            left = left[1:] if left[:1] == [0] else left
            left[:1] = [each - 1 for each in left[:1]]
        named = {"id": f"fc_{item['call_id']}"} if item["type"] == "function_call" else {}
        legs[-1].append(named | item)
    return [*legs, []] if is_answered else legs


def _calls(step: RunStep) -> list[Wire]:
    """Return the items that the calls of a step become."""
    others = ("message", _OUTPUT)
    return [item for item in to_response_items([step]) if item["type"] not in others]


def _converted(run: Wire, legs: Sequence[Sequence[Wire]]) -> Iterator[tuple[Wire, Sequence[Wire]]]:
    """Give each leg its response: as the run, so far as it can be one."""
    _, _, tail = str(run["id"]).rpartition("run_")
    previous = None
    for number, output in enumerate(legs, 1):
        is_last = number == len(legs)
        response = {
            "id": f"resp_{tail}" if is_last else f"resp_{tail}_{number}",
            "object": "response",
            "created_at": run.get("created_at"),
            "status": "completed",
            "error": None,
            "incomplete_details": None,
            "instructions": run.get("instructions") or None,
            "metadata": run.get("metadata") or {},
            "model": run.get("model"),
            "output": [*output],
            "parallel_tool_calls": True,
            "previous_response_id": previous,
            "temperature": run.get("temperature"),
            "tool_choice": "auto",
            "tools": [],
            "top_p": run.get("top_p"),
            "usage": None,
        }
        yield response | (_ending(run) if is_last else {}), output
        previous = response["id"]


def _ending(run: Wire) -> Wire:
    """Say what a run came to, in the words of responses."""
    status = str(run.get("status"))
    status = _STATUSES.get(status, status)
    details = run.get("incomplete_details")
    if details and details.get("reason") not in _REASONS:
        details = {"reason": "max_output_tokens"}  # those of a run are all of tokens
    return {
        "status": status if status in ENDS else "completed",
        "error": run.get("last_error"),
        "incomplete_details": details or None,
        "usage": _usage(run.get("usage")),
    }


def _usage(said: Mapping[str, Any] | None) -> Wire | None:
    if not said:
        return None
    return {
        "input_tokens": said.get("prompt_tokens"),
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": said.get("completion_tokens"),
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": said.get("total_tokens"),
    }


# Frames

# What is null until a response ends.
_LATE: Final = ("completed_at", "error", "incomplete_details", "usage")


def _frames(response: Wire, items: Sequence[Wire], cutter: Cutter) -> list[Frame]:
    """Cut a response, which has ended, into the frames of its stream."""
    before = response | {"status": "in_progress", "output": []}
    before |= {name: None for name in _LATE if name in response}
    status = response.get("status")
    told = [
        ("created", {"response": before}),
        ("in_progress", {"response": before}),
        *cutter.mixed(item_said(item, index, cutter) for index, item in enumerate(items)),
        (status if status in ENDS else "completed", {"response": response}),
    ]
    return [
        frame_of(
            f"response.{name}",
            {"type": f"response.{name}", "sequence_number": number, **said},
            whose=str(response.get("id")),
        )
        for number, (name, said) in enumerate(told)
    ]


def frame_of(name: str, payload: Wire, *, whose: str) -> Frame:
    """Write a frame.

    Args:
        name: Of the event.
        payload: What it says.
        whose: What is complained about where that cannot be said.

    Raises:
        UsageError: JSON has no way to say it.
    """
    try:
        data = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"{whose} holds half a character (a lone surrogate), which no fold "
            "comes to: leave it out, or put U+FFFD in its place"
        ) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{whose} holds what JSON cannot: {error}") from None
    return Frame(name, data)
