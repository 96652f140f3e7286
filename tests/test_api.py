"""The public surface: what it is, and that it is documented and typed."""

from __future__ import annotations

import inspect
import re
import typing
from pathlib import Path

import msgspec
import pytest

import streamkit
from streamkit import changes, deltas, errors, events, observers, snapshots

ROOT = Path(__file__).parent.parent

CONTRACT = """
Accumulator Frame FrameDecoder encode_frame decode on accumulate aaccumulate follow afollow to_wire
RunSnapshot Run RequiredActionFunctionToolCall RunStep MessageCreationStepDetails
ToolCallsStepDetails CodeInterpreterToolCall FunctionToolCall FileSearchToolCall OtherToolCall
CodeInterpreterLogOutput CodeInterpreterImageOutput Message Problem
RunStepDeltaEvent RunStepDelta ToolCallDeltaObject RunStepDeltaMessageDelta
CodeInterpreterToolCallDelta FunctionToolCallDelta FileSearchToolCallDelta CodeInterpreterLogs
CodeInterpreterOutputImage RunChanged ActionRequired StepOpened StepChanged StepDone CallOpened
CallDone CodeAppended ArgumentsAppended LogAppended ImageAdded OutputDone MessageOpened
MessageDone TextAppended RefusalAppended PartAdded AnnotationAdded ReasoningAppended
ServerFailed UnknownReceived ProblemFound StreamEnded StreamkitError UsageError PeerError
DecodeError SequenceError LimitError TruncatedError ServerError Limits
""".split()  # noqa: SIM905 - a word a name


def test_everything_promised_is_exported() -> None:
    assert set(CONTRACT) <= set(streamkit.__all__)
    assert all(hasattr(streamkit, name) for name in streamkit.__all__)


def test_all_is_sorted_and_whole() -> None:
    assert streamkit.__all__ == sorted(streamkit.__all__)
    public = {
        name for module in (changes, errors, events, snapshots) for name in module.__all__
    } | (set(deltas.__all__) - {"WIDER"})
    assert public <= set(streamkit.__all__)


@pytest.mark.parametrize("name", streamkit.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    thing = getattr(streamkit, name)
    if inspect.isclass(thing) or inspect.isfunction(thing):
        # A struct without a docstring shows its signature instead.
        assert thing.__doc__, name
        assert not thing.__doc__.startswith(f"{name}("), name
    if inspect.isclass(thing) and not issubclass(thing, BaseException | msgspec.Struct):
        methods = {key: value for key, value in vars(thing).items() if not key.startswith("_")}
        assert all(value.__doc__ for value in methods.values()), name


def test_the_tables_of_changes_agree() -> None:
    named = {kind.__name__ for kind in typing.get_args(changes.Change)}
    assert named == set(changes.__all__) - {"Change"}
    assert set(observers.KEYWORDS.values()) == set(typing.get_args(changes.Change))
    keywords = set(inspect.signature(streamkit.on).parameters) - {"change"}
    assert keywords == set(observers.KEYWORDS)


def test_every_kind_of_problem_is_explained() -> None:
    doc = inspect.getdoc(snapshots.Problem) or ""
    explained = re.findall(r"^(\w+)  +\S", doc, re.MULTILINE)
    kinds = typing.get_args(snapshots.ProblemKind)
    assert explained == ["kind", *kinds]


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    drawn = re.findall(r"(?:[├└]── |^    )(\w+Error)", errors.__doc__ or "", re.MULTILINE)
    assert set(drawn) == set(errors.__all__)
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.StreamkitError)
    assert issubclass(errors.NestingError, errors.DecodeError)
    assert issubclass(errors.NestingError, errors.LimitError)


def test_the_version_stands_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert "## Unreleased" in changelog or f"## {streamkit.__version__}" in changelog
