"""Recordings of runs: written as they run, replayed faithfully, read in many forms.

`Recorder`, `tee` and the transports write; `read` reads every form, `replay` and
`areplay` give its bytes back in the time that they took, `write` converts, `scrub` makes
a copy that can be shared, and `compare` finds where two runs differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .comparing import ABSENT, Difference, compare, differences
from .converting import write
from .forms import Chunk, Form, Leg, Recording, RequestInfo, ResponseInfo
from .reading import RecordingSource, read
from .replaying import BrokenOff, areplay, replay
from .scrubbing import scrub
from .taps import atee, tee
from .writing import KEPT_HEADERS, Recorder, Redact

if TYPE_CHECKING:
    from .transports import AsyncRecordingTransport, RecordingTransport

__all__ = [
    "ABSENT",
    "KEPT_HEADERS",
    "AsyncRecordingTransport",
    "BrokenOff",
    "Chunk",
    "Difference",
    "Form",
    "Leg",
    "Recorder",
    "Recording",
    "RecordingSource",
    "RecordingTransport",
    "Redact",
    "RequestInfo",
    "ResponseInfo",
    "areplay",
    "atee",
    "compare",
    "differences",
    "read",
    "replay",
    "scrub",
    "tee",
    "write",
]


def __getattr__(name: str) -> Any:
    """Load the transports when they are asked for: httpx takes longer than all the rest."""
    if name in ("AsyncRecordingTransport", "RecordingTransport"):
        from . import transports  # noqa: PLC0415

        return getattr(transports, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
