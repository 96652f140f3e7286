"""Strategies for runs, steps and messages, as the wire's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from .fragments import Wire

__all__ = ["TEXTS", "WORDS", "messages", "runs", "steps"]


# What goes anywhere

TEXTS: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=24) | st.sampled_from(
    ["", "1\n", "print('é')\r\n", "😀🏳️‍🌈", '{"a": "\\u2028"}', "\u2028\u2029\x85", "\ufeff\ufffd"]
)
WORDS: Final = st.sampled_from(["a", "b_2", "naïve", "…"])
_TIMES: Final = st.integers(0, 2**40)
_SCALARS: Final = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS
_JSON: Final = st.recursive(
    _SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=5,
)
_UNKNOWN: Final = st.dictionaries(st.sampled_from(["new", "newer", "x_é"]), _JSON, max_size=2)

_MORE: Final = st.integers(0, 5).flatmap(lambda drawn: _UNKNOWN if drawn == 5 else st.just({}))


def _sent(required: Mapping[str, Any], **optional: SearchStrategy[Any]) -> SearchStrategy[Wire]:
    """Objects: optional fields come, are null, or are left out; unknown ones come with them."""
    always = {
        name: value if isinstance(value, SearchStrategy) else st.just(value)
        for name, value in required.items()
    }
    maybe = {name: st.none() | value for name, value in optional.items()}
    known = st.fixed_dictionaries(always, optional=maybe)
    return st.builds(lambda fields, more: more | fields, known, _MORE)


_USAGE: Final = _sent(
    {}, prompt_tokens=_TIMES, completion_tokens=_TIMES, total_tokens=st.integers(0, 9)
)
_ERRORS: Final = _sent({"message": TEXTS}, code=WORDS)
_REASONS: Final = _sent({}, reason=WORDS)
_PAIRS: Final = st.dictionaries(WORDS, TEXTS, max_size=2)
_ENDS: Final = dict.fromkeys(("cancelled_at", "completed_at", "failed_at"), _TIMES)


# What is odd is as rare here as it is out there.
_RARELY: Final = st.integers(0, 9).map(lambda drawn: drawn == 9)


def _without_status(whole: Wire) -> SearchStrategy[Wire]:
    left = {name: value for name, value in whole.items() if name != "status"}
    return st.sampled_from([left, left | {"status": None}])


# Calls

_OUTPUTS: Final = st.one_of(
    _sent({"type": "logs"}, logs=TEXTS),
    _sent({"type": "logs", "logs": TEXTS}),
    _sent({"type": "image"}, image=_sent({}, file_id=WORDS, url=WORDS)),
    _sent({"type": "html"}, html=_JSON),
)
_PRINTED: Final = st.lists(_OUTPUTS, max_size=3)
_CODE: Final = st.one_of(
    _sent({"input": TEXTS, "outputs": _PRINTED}), _sent({}, input=TEXTS, outputs=_PRINTED)
)
_FUNCTIONS: Final = _sent({}, name=WORDS, arguments=TEXTS, output=TEXTS)
_ANSWERED: Final = _sent({"name": WORDS, "arguments": TEXTS, "output": TEXTS})
_RESULTS: Final = _sent(
    {"file_id": WORDS, "file_name": TEXTS},
    score=st.floats(0, 1),
    content=st.lists(_sent({"type": "text", "text": TEXTS}), max_size=2),
)
_RANKING: Final = _sent({}, ranker=WORDS, score_threshold=st.floats(0, 1))
_SEARCHES: Final = _sent({}, ranking_options=_RANKING, results=st.lists(_RESULTS, max_size=2))
_GROWING: Final = _sent({}, arguments=TEXTS, output=TEXTS, name=WORDS)

_CALLS: Final = st.one_of(
    _sent({"type": "code_interpreter", "code_interpreter": _CODE}),
    _sent({"type": "code_interpreter"}, code_interpreter=_CODE),
    _sent({"type": "function", "function": _FUNCTIONS}),
    _sent({"type": "function", "function": _ANSWERED}),
    _sent({"type": "function"}, function=_FUNCTIONS),
    _sent({"type": "file_search"}, file_search=_SEARCHES),
    _sent({"type": "mcp"}, arguments=TEXTS, output=TEXTS, server_label=WORDS),
    _sent({"type": "openapi"}, function=_GROWING, arguments=_JSON),
)


# Messages

_NOTES: Final = st.one_of(
    _sent(
        {"type": "file_citation", "text": TEXTS, "file_citation": _sent({}, file_id=WORDS)},
        start_index=st.integers(0, 9),
        end_index=st.integers(0, 9),
    ),
    _sent({"type": "file_path"}, text=TEXTS, file_path=_sent({}, file_id=WORDS)),
    _sent({"type": "url_citation"}, url_citation=_JSON),
)
_NOTED: Final = st.lists(_NOTES, max_size=3)
_WRITTEN: Final = st.one_of(
    _sent({"value": TEXTS, "annotations": _NOTED}),
    _sent({}, value=TEXTS, annotations=_NOTED),
)
_WRITTEN_TO: Final = st.sampled_from([*["completed"] * 4, "incomplete", "in_progress", "new"])
_PARTS: Final = st.one_of(
    _sent({"type": "text", "text": _WRITTEN}),
    _sent({"type": "text"}, text=_WRITTEN),
    _sent({"type": "refusal"}, refusal=TEXTS),
    _sent({"type": "image_file"}, image_file=_sent({}, file_id=WORDS, detail=WORDS)),
    _sent({"type": "image_url"}, image_url=_sent({}, url=WORDS, detail=WORDS)),
    _sent({"type": "audio"}, audio=_JSON),
)


@st.composite
def messages(draw: st.DrawFn, message_id: str) -> Wire:
    """Draw a message; some are under way for ever."""
    message = draw(
        _sent(
            {"id": message_id, "status": _WRITTEN_TO},
            object=st.just("thread.message"),
            created_at=_TIMES,
            thread_id=WORDS,
            run_id=WORDS,
            role=st.just("assistant"),
            content=st.lists(_PARTS, max_size=3),
            incomplete_details=_REASONS,
            incomplete_at=_TIMES,
            completed_at=_TIMES,
            attachments=st.lists(_JSON, max_size=1),
            metadata=_PAIRS,
        )
    )
    if not draw(_RARELY):
        message["content"] = draw(st.lists(_PARTS, min_size=1, max_size=3))
    return draw(_without_status(message)) if draw(_RARELY) else message


# Steps

_TOLD: Final = st.sampled_from([*["completed"] * 4, "failed", "cancelled", "expired"])
_UNDER_WAY: Final = st.sampled_from(["in_progress", "in_progress", "new"])


@st.composite
def steps(draw: st.DrawFn, step_id: str, *, waits: bool) -> Wire:
    """Draw a step, which is under way if the run `waits` for it."""
    details = draw(_details(step_id))
    under_way = waits or draw(_RARELY)
    step = draw(
        _sent(
            {"id": step_id, "status": _UNDER_WAY if under_way else _TOLD},
            object=st.just("thread.run.step"),
            created_at=_TIMES,
            run_id=WORDS,
            type=st.just(details["type"]),
            step_details=st.just(details),
            last_error=_ERRORS,
            expires_at=_TIMES,
            expired_at=_TIMES,
            usage=_USAGE,
            metadata=_PAIRS,
            **_ENDS,
        )
    )
    if not draw(_RARELY):
        step["step_details"] = details
    return draw(_without_status(step)) if draw(_RARELY) else step


@st.composite
def _details(draw: st.DrawFn, step_id: str) -> Wire:
    calls = draw(st.lists(_CALLS, max_size=4))
    named = [
        call if draw(_RARELY) else {"id": f"call_{step_id}_{rank}"} | call
        for rank, call in enumerate(calls)
    ]
    if calls:
        return draw(_sent({"type": "tool_calls", "tool_calls": st.just(named)}))
    made = {"message_id": f"msg_{draw(st.integers(1, 4))}"}
    return draw(
        st.one_of(
            _sent({"type": "message_creation", "message_creation": made}),
            _sent({"type": "message_creation"}, message_creation=st.just({})),
            _sent({"type": "tool_calls"}, tool_calls=st.just([])),
            _sent({"type": "activities"}, activities=_JSON),
        )
    )


# Runs

_WAITING: Final = _sent({"id": WORDS, "type": "function", "function": _FUNCTIONS})
_ACTIONS: Final = _sent(
    {
        "type": "submit_tool_outputs",
        "submit_tool_outputs": _sent({"tool_calls": st.lists(_WAITING, max_size=2)}),
    }
)


_COMPLETE: Final = st.sampled_from(["completed", "failed", "cancelled", "expired", "incomplete"])


def runs(*, waits: bool) -> SearchStrategy[Wire]:
    """Draw a run that came to rest: one that `waits`, or one that ended."""
    status = st.just("requires_action") if waits else _COMPLETE
    return _sent(
        {"id": "run_1", "status": status},
        object=st.just("thread.run"),
        created_at=_TIMES,
        thread_id=WORDS,
        assistant_id=WORDS,
        started_at=_TIMES,
        expires_at=_TIMES,
        required_action=_ACTIONS,
        last_error=_ERRORS,
        model=WORDS,
        instructions=TEXTS,
        tools=st.lists(_JSON, max_size=2),
        metadata=_PAIRS,
        incomplete_details=_REASONS,
        usage=_USAGE,
        response_format=_JSON,
        parallel_tool_calls=st.booleans(),
        **_ENDS,
    )
