"""The npm package openai streams runs from the server, and comes to the same."""

from __future__ import annotations

import base64
from typing import Any, Final

import pytest

from streamkit.server import serve
from tests.peers.meeting import Theirs, agree
from tests.peers.outside import run_script
from tests.peers.runs import RUNS, on_every_run

# Unnamed frames, with the name inside.
UNREAD: Final = {"litellm"}


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    """Let the peer follow all runs, in one process."""
    with serve() as server:
        places = {name: server.add(legs) for name, legs in RUNS.items()}
        given = {"base_url": server.url, "places": [*places.values()]}
        return dict(zip(places, run_script("follow.mjs", given), strict=True))


@on_every_run(but=UNREAD)
def test_from_the_server(theirs: dict[str, Any], name: str) -> None:
    said = theirs[name]
    assert "error" not in said
    files = {id: base64.b64decode(content) for id, content in said.pop("files").items()}
    agree(Theirs(**said, files=files), RUNS[name])
