"""Streams, built frame by frame: the wire's JSON in few words.

What opens or ends something takes full objects (`step`, `code_call`, `printed`); what adds
to it takes items of a delta (`code`, `logs`), each with its index.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from streamkit import Frame, encode_frame

Wire = dict[str, Any]


def frame(event: str, payload: object) -> Frame:
    """Build a frame; characters beyond ASCII, halves of some included, are escaped."""
    return Frame(event, json.dumps(payload).encode())


def body(frames: Iterable[Frame]) -> bytes:
    """Write frames as a server sends them."""
    return b"".join(map(encode_frame, frames))


def present(**fields: object) -> Wire:
    """Build an object of the fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def without(item: Mapping[str, Any], *names: str) -> Wire:
    """Leave out some fields of an item."""
    return {name: value for name, value in item.items() if name not in names}


# Runs


def run_object(status: str, run_id: str = "run_1", **fields: object) -> Wire:
    """Build a run."""
    return {"id": run_id, "object": "thread.run", "status": status, **fields}


def run(status: str, run_id: str = "run_1", **fields: object) -> Frame:
    """Say the run's status."""
    return frame(f"thread.run.{status}", run_object(status, run_id, **fields))


def waiting(*calls: Wire, run_id: str = "run_1") -> Frame:
    """Say that the run waits for the outputs of functions."""
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": list(calls)}}
    return run("requires_action", run_id, required_action=action)


def required(call_id: str, name: str = "f", arguments: str = "{}") -> Wire:
    """Build a call that waits."""
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def done() -> Frame:
    """End the leg."""
    return Frame("done", b"[DONE]")


def failure(message: str = "It broke.", code: str = "server_error") -> Frame:
    """Say that the server failed."""
    return frame("error", {"code": code, "message": message, "param": None, "type": None})


# Steps, whole


def step(
    step_id: str = "step_1", *calls: Wire, status: Any = "in_progress", **fields: object
) -> Wire:
    """Build a step that calls tools."""
    return {
        "id": step_id,
        "object": "thread.run.step",
        "type": "tool_calls",
        "status": status,
        "step_details": {"type": "tool_calls", "tool_calls": list(calls)},
        **fields,
    }


def creation(
    step_id: str, message_id: str, *, status: Any = "in_progress", **fields: object
) -> Wire:
    """Build a step that creates a message."""
    details = {"type": "message_creation", "message_creation": {"message_id": message_id}}
    return step(step_id, status=status, type="message_creation", step_details=details, **fields)


def step_event(name: str, payload: Wire) -> Frame:
    """Say a step, whole, under any of the names."""
    return frame(f"thread.run.step.{name}", payload)


def step_created(step_id: str = "step_1", *calls: Wire, **fields: object) -> Frame:
    """Begin a step."""
    return step_event("created", step(step_id, *calls, **fields))


def step_in_progress(step_id: str = "step_1", *calls: Wire, **fields: object) -> Frame:
    """Say again what the step is."""
    return step_event("in_progress", step(step_id, *calls, **fields))


def step_completed(step_id: str = "step_1", *calls: Wire, **fields: object) -> Frame:
    """End a step."""
    return step_event("completed", step(step_id, *calls, status="completed", **fields))


def code_call(call_id: str | None, code: str, *outputs: Wire) -> Wire:
    """Build a whole call of the code interpreter."""
    inner = {"input": code, "outputs": list(outputs)}
    return present(id=call_id) | {"type": "code_interpreter", "code_interpreter": inner}


def printed(text: str) -> Wire:
    """Build a whole log."""
    return {"type": "logs", "logs": text}


def drawn(file_id: str) -> Wire:
    """Build a whole image."""
    return {"type": "image", "image": {"file_id": file_id}}


def function_call(
    call_id: str | None, name: str, arguments: str, output: str | None = None
) -> Wire:
    """Build a whole call of a function."""
    inner = {"name": name, "arguments": arguments, "output": output}
    return present(id=call_id) | {"type": "function", "function": inner}


def other_call(call_id: str | None, kind: str, **fields: object) -> Wire:
    """Build a whole call of any other kind."""
    return present(id=call_id) | {"type": kind, **fields}


# Steps, in fragments


def step_delta(step_id: str = "step_1", *calls: Wire) -> Frame:
    """Add to the calls of a step."""
    return step_details(step_id, {"type": "tool_calls", "tool_calls": list(calls)})


def step_details(step_id: str, details: object) -> Frame:
    """Add to a step, in any shape."""
    payload = {
        "id": step_id,
        "object": "thread.run.step.delta",
        "delta": {"step_details": details},
    }
    return frame("thread.run.step.delta", payload)


def code(index: object, text: str | None = None, *outputs: Wire, id: str | None = None) -> Wire:
    """Build a fragment of code, or of its outputs."""
    inner: Wire = present(input=text)
    if outputs:
        inner["outputs"] = list(outputs)
    return present(index=index, id=id) | {"type": "code_interpreter", "code_interpreter": inner}


def ran(index: object, *outputs: Wire, **fields: object) -> Wire:
    """Build a fragment of outputs, or of other fields beside them."""
    item = code(index, None, *outputs)
    item["code_interpreter"] |= fields
    return item


def logs(index: object, text: str | None) -> Wire:
    """Build a fragment of a log."""
    return present(index=index, logs=text) | {"type": "logs"}


def image(index: object, file_id: str | None) -> Wire:
    """Build an image."""
    return present(index=index) | {"type": "image", "image": present(file_id=file_id)}


def function(
    index: object, arguments: str | None = None, *, id: str | None = None, **fields: object
) -> Wire:
    """Build a fragment of a function call."""
    inner = present(arguments=arguments) | fields
    return present(index=index, id=id) | {"type": "function", "function": inner}


def search(index: object, *, id: str | None = None, **fields: object) -> Wire:
    """Build what a file search says."""
    return present(index=index, id=id) | {"type": "file_search", "file_search": fields}


def other(index: object, kind: str, **fields: object) -> Wire:
    """Build a fragment of a call of any other kind."""
    return present(index=index) | {"type": kind, **fields}


# Messages


def message(
    message_id: str = "msg_1", *content: Wire, status: Any = "in_progress", **fields: object
) -> Wire:
    """Build a message."""
    return {
        "id": message_id,
        "object": "thread.message",
        "role": "assistant",
        "status": status,
        "content": list(content),
        **fields,
    }


def message_event(name: str, payload: Wire) -> Frame:
    """Say a message, whole, under any of the names."""
    return frame(f"thread.message.{name}", payload)


def message_created(message_id: str = "msg_1", *content: Wire, **fields: object) -> Frame:
    """Begin a message."""
    return message_event("created", message(message_id, *content, **fields))


def message_completed(message_id: str = "msg_1", *content: Wire, **fields: object) -> Frame:
    """End a message."""
    return message_event("completed", message(message_id, *content, status="completed", **fields))


def message_delta(message_id: str = "msg_1", *content: Wire) -> Frame:
    """Add to a message."""
    payload = {
        "id": message_id,
        "object": "thread.message.delta",
        "delta": {"content": list(content)},
    }
    return frame("thread.message.delta", payload)


def text(index: object, value: str | None, *annotations: Wire) -> Wire:
    """Build a fragment of text, with its annotations."""
    inner: Wire = present(value=value)
    if annotations:
        inner["annotations"] = list(annotations)
    return present(index=index) | {"type": "text", "text": inner}


def written(value: str, *annotations: Wire) -> Wire:
    """Build a whole text."""
    return {"type": "text", "text": {"value": value, "annotations": list(annotations)}}
