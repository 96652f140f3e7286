"""What an answer says of itself, where no server is needed to hear it."""

from __future__ import annotations

import json
from typing import Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit import ResponseError
from streamkit.live.answers import refusal, streams


def response(headers: dict[str, str] | None = None, status: int = 500) -> httpx.Response:
    request = httpx.Request("POST", "http://test/v1/threads/runs")
    return httpx.Response(status, headers=headers, request=request)


@pytest.mark.parametrize(("headers", "request_id"), [
    ({}, None),
    ({"request-id": "d"}, "d"),
    ({"request-id": "d", "x-ms-request-id": "c"}, "c"),
    ({"request-id": "d", "x-ms-request-id": "c", "apim-request-id": "b"}, "b"),
    ({"apim-request-id": "b", "x-request-id": "a"}, "a"),
])  # fmt: skip
def test_where_the_request_id_stands(headers: dict[str, str], request_id: str | None) -> None:
    error = refusal(response(headers), b"")
    assert error.request_id == request_id
    assert str(error).endswith(f"; request id {request_id}") is (request_id is not None)


@pytest.mark.parametrize(("status", "is_stream"), [
    (200, True), (201, True), (206, True), (302, False), (400, False), (503, False),
])  # fmt: skip
def test_what_succeeds_may_be_a_stream(status: int, *, is_stream: bool) -> None:
    assert streams(response({"content-type": "text/event-stream"}, status)) is is_stream


def test_a_date_says_nothing_to_who_does_not_know_the_servers_time() -> None:
    assert (
        refusal(response({"retry-after": "Sat, 21 Nov 2026 12:01:30 GMT"}), b"").retry_after
        is None
    )


values: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "detail", "type", "param"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(values)
def test_whatever_the_body_says_it_is_refused(value: object) -> None:
    error = refusal(response(), json.dumps(value).encode())
    assert isinstance(error, ResponseError)
    assert str(error).startswith("POST /v1/threads/runs answered 500")
