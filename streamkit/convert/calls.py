"""Calls of tools as items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from .cargo import Cargo
from .writer import Writer

__all__ = ["write_activity", "write_call"]

Wire = dict[str, Any]


def write_call(call: Cargo, here: Writer, name: str) -> None:
    """Write a call as the item, or the two items, that say the same.

    Args:
        call: The call, as on the wire.
        here: What it is written to.
        name: What an id is made of, should it have none.
    """
    kind = call.take("type", str)
    write = _WRITERS.get(kind)
    if write is not None:
        write(call, here, name)
    else:
        _other(call, here, name, kind)


def _stands(here: Writer) -> str | None:
    return here.step.status if here.step is not None else None


# Code


def _code(call: Cargo, here: Writer, name: str) -> None:
    kind = "code_interpreter_call"
    id = here.id(kind, call, instead=name)
    inner = call.open("code_interpreter")
    item: Wire = {"id": id, "type": kind, "status": here.status(kind, _stands(here), call.path)}
    item["code"] = inner.take("input", str)
    item["container_id"] = here.container(call.path)
    item["outputs"] = None
    if isinstance(inner.peek("outputs"), list):
        written = [_output(output, here) for output in inner.each("outputs")]
        item["outputs"] = [output for output in written if output is not None]
    here.items.append(item)


def _output(output: Cargo, here: Writer) -> Wire | None:
    match output.peek("type"):
        case "logs" if (logs := _text(output, "logs")) is not None:
            output.take("type", str)
            return {"type": "logs", "logs": logs}
        case "image":
            return _image(output, here)
    here.leave("left_out", output)
    return None


def _text(cargo: Cargo, name: str) -> str | None:
    """Take a text; one that was left out is empty."""
    return "" if cargo.peek(name) is None else cargo.take(name, str)


def _image(output: Cargo, here: Writer) -> Wire | None:
    output.take("type", str)
    image = output.open("image")
    url, file_id = image.take("url", str), image.take("file_id", str)
    if url and file_id:
        here.note("left_out", image.at("file_id"), said=file_id)
    elif file_id:
        url = here.image(file_id, image.at("file_id"))
    elif not url:
        here.note("image", output.path)
    return {"type": "image", "url": url} if url else None


# Functions


def _function(call: Cargo, here: Writer, name: str) -> None:
    _as_function(call, call.open("function"), here, name, "unknown")


def _as_function(call: Cargo, inner: Cargo, here: Writer, name: str, kind: str) -> None:
    """Write a call and its output; the one that waits for its output is whole, too."""
    is_done = _stands(here) == "completed"
    is_whole = is_done or call.peek("id") in here.awaited
    call_id = here.id("function_call", call, instead=name)
    output = None
    # Azure begins some calls with an empty output.
    if inner.peek("output") != "" or is_done:
        output = inner.take("output", str)
    if is_whole or output is not None:
        status = "completed"
    else:
        status = here.status("function_call", _stands(here), call.path)
    item: Wire = {"type": "function_call", "call_id": call_id}
    item["name"] = here.name(inner, instead=kind)
    item["arguments"] = inner.take("arguments", str) or ""
    here.items.append(item | {"status": status})
    if output is None:
        here.note("unanswered", call.path)
        return
    answer = {"type": "function_call_output", "call_id": call_id, "output": output}
    here.items.append(answer | {"status": "completed"})


# File search


def _search(call: Cargo, here: Writer, name: str) -> None:
    kind = "file_search_call"
    id = here.id(kind, call, instead=name)
    inner = call.open("file_search")
    item: Wire = {"id": id, "type": kind, "status": here.status(kind, _stands(here), call.path)}
    item["queries"] = []
    here.note("queries", call.path, given=[])
    item["results"] = None
    if isinstance(inner.peek("results"), list):
        item["results"] = [each for found in inner.each("results") for each in _found(found, here)]
    here.items.append(item)


def _found(found: Cargo, here: Writer) -> list[Wire]:
    """Write a result: one for each of its passages."""
    result: Wire = {
        "file_id": found.take("file_id", str),
        "filename": found.take("file_name", str),
        "score": found.take("score", float),
    }
    attributes = found.peek("attributes")
    if isinstance(attributes, dict) and all(_is_plain(each) for each in attributes.values()):
        result["attributes"] = found.take("attributes", dict)
    result = {name: value for name, value in result.items() if value is not None}
    passages = [_passage(content) for content in found.each("content")]
    texts = [text for text in passages if text is not None]
    if len(texts) > 1:
        here.note("results", found.path, said=f"{len(texts):,} passages", given="as many results")
    return [{**result, "text": text} for text in texts] or [result]


def _passage(content: Cargo) -> str | None:
    if content.peek("type") in ("text", None):
        content.take("type", str)
    return content.take("text", str)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


# Kinds of Azure


def _mcp(call: Cargo, here: Writer, name: str) -> None:
    """Write a call of a remote server, or the request for the approval it waits for."""
    output = call.take("output", str)
    is_asked = output is None and call.peek("id") in here.awaited
    kind = "mcp_approval_request" if is_asked else "mcp_call"
    item: Wire = {"id": here.id(kind, call, instead=name), "type": kind}
    item["arguments"] = call.take("arguments", str) or ""
    for field in ("name", "server_label"):
        item[field] = call.take(field, str)
        if item[field] is None:
            item[field] = "unknown"
            here.note("name", call.at(field), given="unknown")
    if not is_asked:
        item["status"] = here.status(kind, _stands(here), call.path)
        item["output"] = output
    here.items.append(item)


def _other(call: Cargo, here: Writer, name: str, kind: str | None) -> None:
    """Write a call of another kind as one of a function, if it has arguments."""
    for field in ("function", kind):
        payload = call.peek(field) if field else None
        if field and isinstance(payload, dict) and isinstance(payload.get("arguments"), str):
            here.note("kind", call.path, said=kind, given="function_call")
            _as_function(call, call.open(field), here, name, str(kind))
            return
    here.note("kind", call.path, said={"type": kind} | call.all())


def write_activity(activity: Cargo, here: Writer, name: str) -> None:
    """Write what an Azure agent did beside calling tools: it listed those of a server."""
    kind = "mcp_list_tools"
    if activity.peek("type") != kind:
        here.leave("kind", activity)
        return
    activity.take("type", str)
    item: Wire = {"id": here.id(kind, activity, instead=name), "type": kind}
    label = activity.take("server_label", str)
    if label is None:
        here.note("name", activity.at("server_label"), given="unknown")
    item["server_label"] = "unknown" if label is None else label
    tools = activity.open("tools")
    item["tools"] = [_tool(tools.open(each), each) for each in tools.objects()]
    here.items.append(item)


def _tool(tool: Cargo, name: str) -> Wire:
    written: Wire = {"name": name, "input_schema": tool.take("parameters", dict) or {}}
    description = tool.take("description", str)
    return written if description is None else written | {"description": description}


_WRITERS: Final[Mapping[str | None, Callable[[Cargo, Writer, str], None]]] = {
    "code_interpreter": _code,
    "function": _function,
    "file_search": _search,
    "mcp": _mcp,
}
