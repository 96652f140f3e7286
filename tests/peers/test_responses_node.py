"""openai-node streams responses from the server, and comes to the same."""

from __future__ import annotations

import base64
from typing import Any, Final

import pytest

from streamkit import FrameDecoder, accumulate
from streamkit.convert import to_response_items
from streamkit.server import serve
from streamkit.testing.api.pictures import picture
from tests.peers.conversations import CONVERSATIONS, SCRIPTS, plain, wanted
from tests.peers.outside import run_script

URL: Final = f"data:image/png;base64,{base64.b64encode(picture('file-1')).decode()}"


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    """Let the peer follow all conversations, in one process."""
    with serve(CONVERSATIONS, speed=float("inf")) as server:
        given = {"base_url": server.url, "models": [*CONVERSATIONS]}
        return dict(zip(CONVERSATIONS, run_script("respond.mjs", given), strict=True))


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_from_the_server(theirs: dict[str, Any], name: str) -> None:
    said = theirs[name]
    assert "error" not in said
    assert plain(said["retrieved"]) == plain(said["output"])
    numbers = [number for _, number in said["events"]]
    assert numbers[0] == 0
    assert said["rest"] == [event for event in said["events"] if event[1] > 4]
    if name in SCRIPTS:
        assert plain(said["output"]) == wanted(SCRIPTS[name], URL)
    else:
        body = CONVERSATIONS[name]
        assert [each for each, _ in said["events"]] == [
            frame.event for frame in FrameDecoder().feed(body)
        ]
        assert plain(said["output"]) == plain([*to_response_items(accumulate(body))])
