r"""Fake any run: write it down, cut it to a stream, break it, serve it to what is tested.

    from streamkit.testing import Cut, MockTransport, code_interpreter, image, logs, script

    run = script(code_interpreter("print(1)", logs("1\n"), image("file-1")), "Done.")
    client = httpx.Client(transport=MockTransport(run, faults=[Cut(frames=9)]))

A name is loaded when it is asked for, with what it needs and no more. The strategies for
hypothesis are in `streamkit.testing.strategies`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .building import (
        Item,
        citation,
        code_interpreter,
        file_path,
        file_search,
        found,
        function_call,
        image,
        logs,
        message,
        refusal,
        script,
        step,
        text,
        tool_call,
    )
    from .exploding import explode, legs_of
    from .faults import (
        Corrupt,
        Crlf,
        Cut,
        Drop,
        Duplicate,
        ErrorEvent,
        Fault,
        Keepalives,
        Reorder,
        Split,
        Stall,
        Status,
        format_fault,
        parse_fault,
    )
    from .sources import PlayedSource, recording_of
    from .streams import Stream
    from .transports import MockTransport
    from .wire import snapshot_from_wire

__all__ = [
    "Corrupt",
    "Crlf",
    "Cut",
    "Drop",
    "Duplicate",
    "ErrorEvent",
    "Fault",
    "Item",
    "Keepalives",
    "MockTransport",
    "PlayedSource",
    "Reorder",
    "Split",
    "Stall",
    "Status",
    "Stream",
    "citation",
    "code_interpreter",
    "explode",
    "file_path",
    "file_search",
    "format_fault",
    "found",
    "function_call",
    "image",
    "legs_of",
    "logs",
    "message",
    "parse_fault",
    "recording_of",
    "refusal",
    "script",
    "snapshot_from_wire",
    "step",
    "text",
    "tool_call",
]

# Where a name is looked for, in this order: the light ones first.
_MODULES: Final = ("wire", "building", "exploding", "faults", "sources", "streams", "transports")


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in _MODULES:
            home = import_module(f".{module}", __name__)
            if name in home.__all__:
                return getattr(home, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
