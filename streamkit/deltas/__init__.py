"""What the wire adds: partial objects, addressed by indices.

The names are those of the API reference. An attribute that was not sent is None, and so
is one that was sent as null: inside a delta, null means "no change". Only a function's
``output`` tells the two apart, since null is what servers send for "not yet".

These classes are also what is decoded straight from bytes, by a decoder that refuses
anything it does not know at no cost. What it refuses is loaded with more care, which
fills `Delta.extra` and the attributes whose types are marked below.
"""

from typing import Any, Final

from . import messages as _messages
from . import steps as _steps
from .base import (
    Delta,
)
from .messages import (
    AnnotationDelta,
    ImageFileDelta,
    ImageFileDeltaBlock,
    ImageURLDelta,
    ImageURLDeltaBlock,
    MessageContentDelta,
    MessageDelta,
    MessageDeltaEvent,
    OtherContentDeltaBlock,
    RefusalDeltaBlock,
    TextDelta,
    TextDeltaBlock,
)
from .steps import (
    CodeInterpreterDelta,
    CodeInterpreterLogs,
    CodeInterpreterOutputImage,
    CodeInterpreterToolCallDelta,
    FileSearchToolCallDelta,
    FunctionDelta,
    FunctionToolCallDelta,
    ImageDelta,
    MessageCreationDelta,
    OtherOutputDelta,
    OtherStepDetailsDelta,
    OtherToolCallDelta,
    OutputDelta,
    RunStepDelta,
    RunStepDeltaEvent,
    RunStepDeltaMessageDelta,
    StepDetailsDelta,
    ToolCallDelta,
    ToolCallDeltaObject,
)

__all__ = [
    "WIDER",
    "AnnotationDelta",
    "CodeInterpreterDelta",
    "CodeInterpreterLogs",
    "CodeInterpreterOutputImage",
    "CodeInterpreterToolCallDelta",
    "Delta",
    "FileSearchToolCallDelta",
    "FunctionDelta",
    "FunctionToolCallDelta",
    "ImageDelta",
    "ImageFileDelta",
    "ImageFileDeltaBlock",
    "ImageURLDelta",
    "ImageURLDeltaBlock",
    "MessageContentDelta",
    "MessageCreationDelta",
    "MessageDelta",
    "MessageDeltaEvent",
    "OtherContentDeltaBlock",
    "OtherOutputDelta",
    "OtherStepDetailsDelta",
    "OtherToolCallDelta",
    "OutputDelta",
    "RefusalDeltaBlock",
    "RunStepDelta",
    "RunStepDeltaEvent",
    "RunStepDeltaMessageDelta",
    "StepDetailsDelta",
    "TextDelta",
    "TextDeltaBlock",
    "ToolCallDelta",
    "ToolCallDeltaObject",
]

# From what the decoder takes to what a delta may hold.
WIDER: Final[dict[Any, tuple[type[Delta], ...]]] = _messages.WIDER | _steps.WIDER
