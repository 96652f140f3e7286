"""Where a run can be asked for, as the request of its stream tells; and whether to ask at all."""

from __future__ import annotations

import pytest

from streamkit import UsageError
from streamkit.live import Recovery
from streamkit.live.endpoints import Endpoints
from streamkit.live.recovery import Place
from streamkit.live.requests import Request
from streamkit.live.waiting import policy


@pytest.mark.parametrize(
    ("url", "base", "ids"),
    [
        ("/threads/t/runs", "", ("t", None)),
        ("/threads/t/runs/", "", ("t", None)),
        ("/threads/runs", "", (None, None)),
        ("/threads/t/runs/r/submit_tool_outputs", "", ("t", "r")),
        ("https://api/v1/threads/t/runs", "https://api/v1", ("t", None)),
        ("https://x/threads/y/threads/t/runs", "https://x/threads/y", ("t", None)),
        ("/threads/a%2Fb/runs", "", ("a/b", None)),
    ],
)
def test_a_place_is_read_from_a_url(
    url: str, base: str, ids: tuple[str | None, str | None]
) -> None:
    request = Request(
        method="POST",
        url=f"{url}?api-version=1&include[]=x",
        json={"assistant_id": "asst_1", "stream": True},
        params=[("include[]", "y"), ("z", "2")],
        headers={"k": "v"},
        options={"auth": "me", "timeout": 5, "follow_redirects": True},
    )
    assert Place.of(request) == Place(
        endpoints=Endpoints(
            base=base,
            headers={"k": "v"},
            params=[("api-version", "1"), ("z", "2")],
            options={"auth": "me"},
        ),
        thread_id=ids[0],
        run_id=ids[1],
        assistant_id="asst_1",
        include=[("include[]", "x"), ("include[]", "y")],
    )


@pytest.mark.parametrize(
    "url", ["", "/", "/threads", "/threads//runs", "/threads/t/runs/r", "/threads/t/runs/r/cancel"]
)
def test_other_urls_lead_nowhere(url: str) -> None:
    with pytest.raises(UsageError, match="must be one of the API's"):
        Place.of(Request(method="POST", url=url, json={}))


def test_the_first_choice_that_was_made_holds() -> None:
    own = Recovery(within=1.0)
    assert policy(None, None, own) is own
    assert policy(own, False) is own
    assert policy(None, False, True) is None
    assert policy(None, None) is None
    assert policy(True, False) == Recovery()
