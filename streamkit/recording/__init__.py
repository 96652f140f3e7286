"""Recordings of runs: written as they run, replayed faithfully, read in many forms.

`Recorder`, `tee` and the transports write; `read` reads every form, `replay` and
`areplay` give its bytes back in the time that they took, `write` converts, `scrub` makes
a copy that can be shared, and `compare` finds where two runs differ.
"""

from .comparing import ABSENT, Difference, compare, differences
from .converting import write
from .forms import Chunk, Form, Leg, Recording, RequestInfo, ResponseInfo
from .reading import RecordingSource, read
from .replaying import BrokenOff, areplay, replay
from .scrubbing import scrub
from .taps import atee, tee
from .transports import AsyncRecordingTransport, RecordingTransport
from .writing import KEPT_HEADERS, Recorder, Redact

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
