"""Between the wire's JSON and the structs, both ways."""

from __future__ import annotations

import copy
import json
import types
import typing
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamkit import DecodeError, deltas, snapshots, to_wire
from streamkit._wire import load
from streamkit.deltas import MessageDeltaEvent, RunStepDeltaEvent
from streamkit.snapshots import ErrorObject, Message, Run, RunStep, Snapshot, Thread

JSON = dict[str, Any]

# Objects as the API reference has them, and with what servers were seen to add.
STEP: Final[JSON] = json.loads("""
    {"id": "step_1", "object": "thread.run.step", "created_at": 1700000000,
     "assistant_id": "asst_1", "thread_id": "thread_1", "run_id": "run_1", "type": "tool_calls",
     "status": "completed", "step_details": {"type": "tool_calls", "tool_calls": []},
     "last_error": null, "expires_at": 1700000600, "expired_at": null, "cancelled_at": null,
     "failed_at": null, "completed_at": 1700000009, "metadata": {"a": "b"},
     "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7,
               "prompt_token_details": {"cached_tokens": 0}}}
""")
RUN: Final[JSON] = json.loads("""
    {"id": "run_1", "object": "thread.run", "created_at": 1700000000, "assistant_id": "asst_1",
     "thread_id": "thread_1", "status": "requires_action", "started_at": 1700000001,
     "expires_at": 1700000600, "cancelled_at": null, "failed_at": null, "completed_at": null,
     "required_action": null, "last_error": null, "model": "m", "instructions": "",
     "tools": [{"type": "code_interpreter"}, {"type": "function", "function": {"name": "f"}}],
     "tool_resources": {}, "metadata": {}, "temperature": 1.0, "top_p": null,
     "reasoning_effort": null, "max_completion_tokens": null, "max_prompt_tokens": 1000,
     "truncation_strategy": {"type": "auto", "last_messages": null},
     "incomplete_details": {"reason": "max_prompt_tokens"}, "usage": null,
     "response_format": {"type": "json_object"}, "parallel_tool_calls": true,
     "tool_choice": {"type": "function", "function": {"name": "f"}}}
""")
MESSAGE: Final[JSON] = json.loads("""
    {"id": "msg_1", "object": "thread.message", "created_at": 1700000002, "assistant_id": null,
     "thread_id": "thread_1", "run_id": "run_1", "status": "incomplete", "role": "assistant",
     "incomplete_details": {"reason": "max_tokens"}, "incomplete_at": 1700000003,
     "completed_at": null, "content": [], "metadata": {},
     "attachments": [{"file_id": "file_1", "tools": [{"type": "file_search"}]}]}
""")
CODE: Final[JSON] = json.loads("""
    {"id": "call_1", "type": "code_interpreter", "code_interpreter": {"input": "run()",
     "outputs": [
        {"type": "logs", "logs": "1"}, {"type": "image", "image": {"file_id": "file_1"}},
        {"type": "image", "image": {"url": "u", "x": 1}}, {"type": "logs", "logs": ""},
        {"type": "html", "html": {"text": "<b>", "index": 3}}, {"type": "image"}, {}]}}
""")
SEARCH: Final[JSON] = json.loads("""
    {"type": "file_search", "file_search": {
        "ranking_options": {"ranker": "auto", "score_threshold": 0.5},
        "results": [{"file_id": "file_1", "file_name": "a.txt", "score": 0.9, "attributes": {}},
            {"file_id": "file_2", "file_name": "b", "score": 1, "content": []},
            {"content": [{"type": "text", "text": "t"}, {"type": "x", "x": null}]}]}}
""")
PARTS: Final[JSON] = json.loads("""
    {"content": [
        {"type": "text", "text": {"value": "see [1]", "annotations": [
            {"type": "file_citation", "text": "[1]", "start_index": 4, "end_index": 7,
             "file_citation": {"file_id": "file_1", "quote": ""}},
            {"type": "file_path", "text": "[1]", "start_index": 4, "end_index": 7, "index": 0,
             "file_path": {"file_id": "file_2"}},
            {"type": "url_citation", "url_citation": {"url": "u", "title": null}},
            {"type": "file_citation", "file_citation": null}, {}]}},
        {"type": "text", "text": {"value": "", "annotations": []}}, {"type": "text", "text": null},
        {"type": "image_file", "image_file": {"file_id": "file_1", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "u", "detail": null}, "x": 1},
        {"type": "refusal", "refusal": "no"}, {"type": "refusal", "refusal": ""},
        {"type": "audio", "audio": {"id": "a"}}, {"type": null, "x": 1}, {}]}
""")
ERROR: Final[JSON] = {"message": "m", "type": "t", "param": None, "code": "c", "x": 1}
MCP: Final[JSON] = {"id": "c", "type": "mcp", "arguments": "{}", "name": "n", "output": None}


def calls(*items: JSON) -> JSON:
    """Build a step of these calls."""
    return {**STEP, "step_details": {"type": "tool_calls", "tool_calls": list(items)}}


def waiting(kind: str, *items: JSON) -> JSON:
    """Build a run that waits for these calls."""
    return {**RUN, "required_action": {"type": kind, kind: {"tool_calls": list(items)}}}


def function(**fields: object) -> JSON:
    """Build a function call."""
    return {"id": "call_2", "type": "function", "function": fields}


WHOLE: Final[dict[str, tuple[type[Snapshot], JSON]]] = {
    "step": (RunStep, STEP),
    "step, nothing sent": (RunStep, {"id": "step_1"}),
    "step, new fields": (RunStep, {**STEP, "extra": {"a": [1]}, "index": 3, "partial": True}),
    "step, null and {}": (RunStep, {**STEP, "step_details": None, "usage": {}}),
    "code": (RunStep, calls(CODE, {"type": "code_interpreter"})),
    "code, empty": (RunStep, calls({**CODE, "code_interpreter": {"input": "", "outputs": []}})),
    "code, nulls": (
        RunStep,
        calls({**CODE, "code_interpreter": {"input": None, "outputs": None}}),
    ),
    "function": (RunStep, calls(function(name="f", arguments="{", output=None), CODE)),
    "function, answered": (RunStep, calls(function(name="f", arguments="", output=""))),
    "file search": (RunStep, calls(SEARCH, {"type": "file_search", "file_search": {}})),
    "other calls": (RunStep, calls(MCP, {"type": "openapi", "function": {"name": "f"}})),
    "calls of no kind": (RunStep, calls({"id": "c"}, {"id": None, "type": None, "x": 1}, {})),
    **{
        f"details {number}": (RunStep, {**STEP, "step_details": details})
        for number, details in enumerate(
            [
                {"type": "tool_calls"},
                {"type": "message_creation"},
                {"type": "message_creation", "message_creation": {"message_id": "msg_1", "x": []}},
                {"type": "activities", "activities": [{"type": "mcp_list_tools", "tools": {}}]},
                {"x": {}},
            ]
        )
    },
    "message": (Message, MESSAGE),
    "parts": (Message, {**MESSAGE, **PARTS}),
    "run": (Run, RUN),
    "run, modes": (Run, {**RUN, "tool_choice": "auto", "response_format": "auto"}),
    "run, failed": (Run, {**RUN, "last_error": {"code": "server_error", "message": "m"}}),
    "outputs": (Run, waiting("submit_tool_outputs", function(name="f", arguments="{}"))),
    "approval": (Run, waiting("submit_tool_approval", MCP, {"type": "computer_use_preview"})),
    "another action": (Run, {**RUN, "required_action": {"type": "x", "x": {"y": None}}}),
    "thread": (Thread, {"id": "t", "object": "thread", "created_at": 1, "tool_resources": None}),
    "error": (ErrorObject, ERROR),
    "error, odd": (ErrorObject, {"message": ["m"], "code": 500, "type": {"a": None}}),
}
whole = pytest.mark.parametrize(("kind", "sent"), WHOLE.values(), ids=WHOLE)


@whole
def test_what_was_loaded_is_written_again(kind: type[Snapshot], sent: JSON) -> None:
    assert to_wire(load(kind, copy.deepcopy(sent))) == sent


@whole
def test_what_is_written_shares_nothing(kind: type[Snapshot], sent: JSON) -> None:
    snapshot = load(kind, copy.deepcopy(sent))
    spoil(to_wire(snapshot))
    assert to_wire(snapshot) == sent


def spoil(value: Any) -> None:
    """Change every container in a value."""
    for item in list(value.values() if isinstance(value, dict) else value):
        if isinstance(item, dict | list):
            spoil(item)
    value.clear()


@whole
def test_the_paths_of_the_wire_are_those_of_the_attributes(
    kind: type[Snapshot], sent: JSON
) -> None:
    check(load(kind, sent), sent)


def check(shown: Any, sent: Any) -> None:
    """Compare what a snapshot shows with what was sent, down to the leaves."""
    if isinstance(shown, Snapshot):
        for name in shown.__struct_fields__:
            if name != "extra" and sent.get(name) is not None and not is_odd(shown, name):
                check(getattr(shown, name), sent[name])
            elif name != "extra":
                assert getattr(shown, name) in (None, "", ()), name
    elif isinstance(shown, tuple):
        for item, one in zip(shown, sent, strict=True):
            check(item, one)
    else:
        assert shown == sent


def is_odd(snapshot: Snapshot, name: str) -> bool:
    """Whether an attribute cannot show what was sent."""
    return bool((snapshot.extra or {}).get(name))


def test_snapshots_read_as_the_models_of_an_sdk_do() -> None:
    step = load(RunStep, calls(CODE))
    (call,) = step.step_details.tool_calls  # type: ignore[union-attr]
    assert call.code_interpreter.outputs[1].image.file_id == "file_1"  # type: ignore[union-attr]
    assert call == snapshots.CodeInterpreterToolCall(
        id="call_1",
        code_interpreter=snapshots.CodeInterpreter(
            input="run()",
            outputs=(
                snapshots.CodeInterpreterLogOutput(logs="1"),
                snapshots.CodeInterpreterImageOutput(
                    image=snapshots.CodeInterpreterImage(file_id="file_1")
                ),
                snapshots.CodeInterpreterImageOutput(
                    image=snapshots.CodeInterpreterImage(url="u", extra={"x": 1})
                ),
                snapshots.CodeInterpreterLogOutput(extra={"logs": ""}),
                snapshots.OtherOutput(type="html", extra={"html": {"text": "<b>", "index": 3}}),
                snapshots.CodeInterpreterImageOutput(),
                snapshots.OtherOutput(),
            ),
        ),
    )
    waits = load(Run, waiting("submit_tool_approval", MCP)).required_action
    approved = {"arguments": "{}", "name": "n", "output": None}
    mcp = snapshots.OtherToolCall(id="c", type="mcp", extra=approved)
    assert waits is not None
    assert waits.tool_calls == (mcp,)


def test_whole_pictures_and_sequences_are_written_too() -> None:
    step, message = load(RunStep, calls(CODE)), load(Message, MESSAGE)
    problem = snapshots.Problem(kind="id_changed", step_id="step_1", call_index=0, said="x")
    noted = json.loads("""
        {"kind": "id_changed", "step_id": "step_1", "call_index": 0, "output_index": null,
         "message_id": null, "known": null, "said": "x", "count": 1}
    """)
    whole = snapshots.RunSnapshot(load(Run, RUN), (step,), (message,), "paused", (problem,))
    pictured = {"run": RUN, "steps": [calls(CODE)], "messages": [MESSAGE]}
    assert to_wire(whole) == {**pictured, "outcome": "paused", "problems": [noted]}
    assert to_wire((step, [message])) == [calls(CODE), [MESSAGE]]
    assert to_wire(snapshots.RunSnapshot())["run"] is None


RAW: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=2) | st.just(0.5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=3,
)
NEW: Final = {"extra": RAW, "request_id": RAW}


class Writer(NamedTuple):
    """Writes objects of a class, by its annotations: fields may be left out, or null."""

    numbers: st.SearchStrategy[Any]  # and whatever else may be odd, yet lose no content
    new: dict[str, st.SearchStrategy[Any]]

    def objects(self, kind: type[Any]) -> st.SearchStrategy[JSON]:
        """Write objects of a class."""
        hints = typing.get_type_hints(kind)
        tag = kind.__struct_config__.tag
        always = {"type": st.just(tag)} if isinstance(tag, str) else {}
        fields = dict(self.new)
        for spec in msgspec.structs.fields(kind):
            value = self.values(hints[spec.name])
            if typing.get_origin(hints[spec.name]) is Literal:
                always["type"] = st.sampled_from(typing.get_args(hints[spec.name]))
            elif spec.required:
                always[spec.name] = value if spec.name == "delta" else st.just("id_1")
            elif spec.name != "extra":
                is_content = getattr(kind, "is_content", True)
                fields[spec.name] = st.none() | (value if is_content else self.numbers)
        return st.fixed_dictionaries(always, optional=fields)

    def values(self, hint: Any) -> st.SearchStrategy[Any]:
        """Write values of a type."""
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            known = self.objects(hint)
            return known if getattr(hint, "is_content", True) else known | self.numbers
        if typing.get_origin(hint) is tuple:
            (item, _) = typing.get_args(hint)
            if isinstance(item, type) and not issubclass(item, msgspec.Struct):
                return st.just([])  # all that the plain decoder takes for annotations
            return st.lists(self.values(item), max_size=3)
        if typing.get_origin(hint) in (typing.Union, types.UnionType):
            return st.one_of([self.values(kind) for kind in typing.get_args(hint)])
        if hint in (types.NoneType, msgspec.UnsetType):
            return st.none()
        return st.text(max_size=2) if hint is str else self.numbers


def each(writer: Writer, *kinds: type[Any]) -> st.SearchStrategy[tuple[type[Any], JSON]]:
    """Write an object of one of the classes."""
    return st.one_of([st.tuples(st.just(kind), writer.objects(kind)) for kind in kinds])


@given(each(Writer(RAW, NEW), RunStep, Message, Run, Thread, ErrorObject))
def test_whatever_was_loaded_is_written_again(sent: tuple[type[Any], JSON]) -> None:
    kind, value = sent
    # As JSON, in which true is not 1.
    written = to_wire(load(kind, copy.deepcopy(value)))
    assert json.dumps(written, sort_keys=True) == json.dumps(value, sort_keys=True)


PLAIN: Final = each(Writer(st.integers(0, 9), {}), RunStepDeltaEvent, MessageDeltaEvent)
ODD: Final[st.SearchStrategy[Any]] = st.sampled_from(
    [-1, 2**62, 2**70, 0.0, 1.5, "0", "x", "mcp", True, None, [], {}, {"type": "logs"}]
)


@given(PLAIN)
def test_the_plain_decoder_and_the_careful_one_agree(sent: tuple[type[Any], JSON]) -> None:
    kind, value = sent
    assert msgspec.json.decode(json.dumps(value), type=kind) == load(kind, value)


@settings(max_examples=400)  # most of them are refused
@given(PLAIN, st.data())
def test_the_plain_decoder_takes_nothing_that_the_careful_one_reads_otherwise(
    sent: tuple[type[Any], JSON], data: st.DataObject
) -> None:
    kind, value = sent
    container, place = data.draw(st.sampled_from(list(places(value))))
    container[place] = copy.deepcopy(data.draw(ODD))
    try:
        plain = msgspec.json.decode(json.dumps(value), type=kind)
    except msgspec.ValidationError:
        return
    assert plain == load(kind, value)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield where something can stand in a value: what is there, and a new field."""
    if isinstance(value, dict):
        yield value, "request_id"
    for place in value if isinstance(value, dict) else range(len(value)):
        yield value, place
        if isinstance(value[place], dict | list):
            yield from places(value[place])


def step_delta(*tools: Any) -> JSON:
    """Build a step delta of these calls."""
    return {
        "id": "s",
        "delta": {"step_details": {"type": "tool_calls", "tool_calls": list(tools)}},
    }


CALL: Final = {"index": 0, "type": "code_interpreter"}
LIST: Final = {"id": "s", "delta": {"step_details": {"type": "tool_calls", "tool_calls": True}}}
TOLD: Final = {"outputs": [{"type": "logs", "logs": "a"}, {"type": "logs", "logs": []}]}
PART: Final = {"id": "m", "content": [{"type": "text", "text": "plain"}]}
CALLS: Final = "$.delta.step_details.tool_calls"
WAITING: Final = "$.required_action.submit_tool_outputs.tool_calls[0].function.arguments"


@pytest.mark.parametrize(
    ("kind", "value", "path", "expected", "got"),
    [
        (RunStepDeltaEvent, LIST, CALLS, "an array", "a boolean"),
        (RunStepDeltaEvent, step_delta("x"), f"{CALLS}[0]", "an object", "a string"),
        (
            RunStepDeltaEvent,
            step_delta({**CALL, "code_interpreter": {"input": 5}}),
            f"{CALLS}[0].code_interpreter.input",
            "a string",
            "a number",
        ),
        (
            RunStepDeltaEvent,
            step_delta(CALL, {**CALL, "code_interpreter": TOLD}),
            f"{CALLS}[1].code_interpreter.outputs[1].logs",
            "a string",
            "an array",
        ),
        (RunStepDeltaEvent, {"delta": {}}, "$.id", "a value", "nothing"),
        (RunStepDeltaEvent, {"id": None, "delta": {}}, "$.id", "a value", "null"),
        (RunStep, {"id": 7}, "$.id", "a string", "a number"),
        (RunStep, [STEP], "$", "an object", "an array"),
        (RunStep, {**STEP, "status": {}}, "$.status", "a string", "an object"),
        (Message, PART, "$.content[0].text", "an object", "a string"),
        (
            Run,
            waiting("submit_tool_outputs", function(arguments={})),
            WAITING,
            "a string",
            "an object",
        ),
    ],
)
def test_content_of_another_type_is_an_error_that_says_where(
    kind: Any, value: Any, path: str, expected: str, got: str
) -> None:
    with pytest.raises(DecodeError) as caught:
        load(kind, value)
    reason = f"expected {expected}, got {got}"
    assert (caught.value.path, caught.value.reason) == (path, reason)


@pytest.mark.parametrize("name", ["usage", "last_error", "created_at", "metadata", "expired_at"])
@pytest.mark.parametrize("odd", ["soon", True, [], 1.5])
def test_remarks_of_another_type_are_kept_raw(name: str, odd: object) -> None:
    step = load(RunStep, {**STEP, name: odd})
    assert getattr(step, name) is None
    assert step.extra is not None
    assert step.extra[name] == odd
    assert to_wire(step) == {**STEP, name: odd}


@pytest.mark.parametrize(
    ("sent", "index", "extra"),
    [
        *((sent, 2, None) for sent in (2, 2.0, "2", "02")),
        (-1, -1, None),  # for whoever places it to judge, as the plain decoder has it too
        (None, None, None),
        *(
            (sent, None, {"index": sent})
            for sent in (True, 1.5, "x", "-1", "", "²", "9" * 19, [0])
        ),
    ],
)
def test_an_index_is_taken_as_servers_write_it(sent: Any, index: Any, extra: Any) -> None:
    output = {"index": sent, "type": "logs", "logs": "a"}
    tool = {**CALL, "index": sent, "code_interpreter": {"outputs": [output]}}
    part = {"index": sent, "type": "text", "text": {"annotations": [{"index": sent}]}}
    step = load(RunStepDeltaEvent, step_delta(tool))
    message = load(MessageDeltaEvent, {"id": "m", "delta": {"content": [part]}})
    logs = deltas.CodeInterpreterLogs(index=index, extra=extra, logs="a")
    note = deltas.AnnotationDelta(index=index, extra=extra)
    assert step.delta.step_details.tool_calls == (  # type: ignore[union-attr]
        deltas.CodeInterpreterToolCallDelta(
            index=index,
            extra=extra,
            code_interpreter=deltas.CodeInterpreterDelta(outputs=(logs,)),
        ),
    )
    assert message.delta.content == (  # type: ignore[union-attr]
        deltas.TextDeltaBlock(
            index=index, extra=extra, text=deltas.TextDelta(annotations=(note,))
        ),
    )


@pytest.mark.parametrize(
    ("sent", "output"), [({}, msgspec.UNSET), ({"output": None}, None), ({"output": ""}, "")]
)
def test_an_output_that_is_null_is_not_one_that_is_absent(sent: JSON, output: object) -> None:
    tool = {"index": 0, "type": "function", "function": sent}
    event = load(RunStepDeltaEvent, step_delta(tool))
    called = deltas.FunctionDelta(output=output)  # type: ignore[arg-type]
    assert event.delta.step_details.tool_calls == (  # type: ignore[union-attr]
        deltas.FunctionToolCallDelta(index=0, function=called),
    )


@pytest.mark.parametrize("said", [{}, {"type": None}], ids=["absent", "null"])
def test_a_kind_that_is_not_said_is_what_the_payload_is(said: JSON) -> None:
    tools = ["code_interpreter", "function", "file_search", "mcp"]
    step = load(RunStep, calls(*({**said, tool: {}} for tool in tools)))
    assert [type(call) for call in step.step_details.tool_calls] == [  # type: ignore[union-attr]
        snapshots.CodeInterpreterToolCall,
        snapshots.FunctionToolCall,
        snapshots.FileSearchToolCall,
        snapshots.OtherToolCall,
    ]
    outputs = [{**said, "logs": ""}, {**said, "image": {}}, {**said, "x": 1}]
    tool = {**said, "code_interpreter": {"outputs": outputs}}
    event = load(
        RunStepDeltaEvent, {"id": "s", "delta": {"step_details": {**said, "tool_calls": [tool]}}}
    )
    details = event.delta.step_details  # type: ignore[union-attr]
    assert type(details) is deltas.ToolCallDeltaObject
    (call,) = details.tool_calls or ()
    assert [type(output) for output in call.code_interpreter.outputs] == [  # type: ignore[union-attr]
        deltas.CodeInterpreterLogs,
        deltas.CodeInterpreterOutputImage,
        deltas.OtherOutputDelta,
    ]
    parts = [{**said, "text": {}}, {**said, "image_url": {}}, {**said, "refusal": ""}, said]
    message = load(Message, {"id": "m", "content": parts})
    assert [type(part) for part in message.content] == [
        snapshots.TextContentBlock,
        snapshots.ImageURLContentBlock,
        snapshots.RefusalContentBlock,
        snapshots.OtherContentBlock,
    ]


def test_one_item_is_taken_for_a_list_of_one() -> None:
    part = {"type": "text", "text": {"value": "a"}}
    one = {"id": "m", "delta": {"role": "assistant", "content": part}}
    listed = {"id": "m", "delta": {"role": "assistant", "content": [part]}}
    assert load(MessageDeltaEvent, one) == load(MessageDeltaEvent, listed)


@pytest.mark.parametrize("kind", [RunStepDeltaEvent, MessageDeltaEvent])
def test_a_delta_that_is_null_changes_nothing(kind: Any) -> None:
    sent = {"id": "s", "delta": None, "run_id": "run_1"}
    assert load(kind, sent) == kind(id="s", delta=None, extra={"run_id": "run_1"})
