"""The plugin for pytest: runs that are played to a test, recorded by one, and compared well.

It is there wherever streamkit is installed; ``-p no:streamkit`` turns it off. A test asks for

* ``streamkit_transport``: a transport for a client of httpx or httpx2, sync or async;
* ``streamkit_server``: a real server on the loopback, for a client in any language;
* ``streamkit_stream``: the bytes of a stream, to iterate over;

and ``@pytest.mark.streamkit("name", speed=..., faults=...)`` says what they play. A name is
looked for in the folder ``recordings`` beside the file with the test; without one, it is
``MODULE/TEST``. What is no name is played as it is: a path, a script, a snapshot.

Nothing but this module is loaded until a test asks for one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from math import inf
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from ..server import Server
    from ..testing.streams import Stream
    from ..testing.transports import MockTransport
    from .marking import Wish
    from .network import NetworkTransport

__all__ = ["streamkit_server", "streamkit_stream", "streamkit_transport"]

_FOLDER: Final = "streamkit_recordings"
_RECORD: Final = "--streamkit-record"

# What has the rest that the server needs.
_OF_SERVER: Final = "streamkit[server]"

_FAILED: Final = pytest.StashKey[bool]()
_SAID: Final = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("streamkit", "streamkit: runs of assistants")
    group.addoption(
        _RECORD,
        choices=("none", "once", "rewrite"),
        default="none",
        help="Whether streamkit_transport asks the network: none (it only plays), once (for "
        "recordings that are not there, which it makes) or rewrite (for all of them, anew). "
        "Default: none.",
    )
    parser.addini(
        _FOLDER,
        "The folder of the recordings that tests name, from the root folder of the tests on. "
        "Default: a folder 'recordings' beside each file with tests.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.stash[_SAID] = []
    config.addinivalue_line(
        "markers",
        "streamkit(*sources, speed=inf, faults=(), gap=0.0, max_gap=None, files=None): what the "
        "fixtures of streamkit play: names of recordings, paths, scripts. Without a source, the "
        "recording that is called as the test is.",
    )


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Note whether a test failed, since what it recorded may then be worth nothing."""
    if call.when == "call":
        item.stash[_FAILED] = call.excinfo is not None


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what was recorded."""
    for line in config.stash[_SAID]:
        terminalreporter.write_line(f"streamkit: {line}")


def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> list[str] | None:
    """Explain why two snapshots are not equal."""
    if op != "==":
        return None
    from .explaining import explain  # noqa: PLC0415 - nothing is loaded before it is used

    is_long = config.get_verbosity(pytest.Config.VERBOSITY_ASSERTIONS) >= 2
    return explain(left, right, at_most=50 if is_long else 1)


@pytest.fixture
def streamkit_stream(request: pytest.FixtureRequest) -> Stream:
    """A stream of bytes, to iterate over in a test, with ``for`` or ``async for``.

    It plays the one source of the test's marker, or the recording that is called as the
    test is; ``snapshot`` is what that comes to without the faults of the marker. See
    `streamkit.testing.Stream`.
    """
    with _plainly():
        from ..testing.streams import Stream  # noqa: PLC0415 - as above

        wish = _wish(request)
        return Stream(wish.source(), **wish.without("files"))


@pytest.fixture
def streamkit_transport(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MockTransport | NetworkTransport]:
    """A transport for any client of httpx or httpx2, sync or async: it plays, without a network.

    ``httpx.Client(transport=streamkit_transport)`` gets the sources of the test's marker, or
    the recording that is called as the test is. ``requests`` says what was asked. With
    ``--streamkit-record=once`` a recording that is not there is made, with ``rewrite`` each
    is made anew: requests then go to the network, and the streams are written down.
    See `streamkit.testing.MockTransport`.
    """
    with _plainly():
        from ..testing.transports import MockTransport  # noqa: PLC0415 - as above

        wish = _wish(request)
        target = wish.target(request.config.getoption(_RECORD))
        played = MockTransport(*wish.runs(), **wish.options) if target is None else None
    if played is not None:
        yield played
    elif target is not None:
        yield from _recording(request, target, tmp_path_factory.mktemp("streamkit"))


@pytest.fixture
def streamkit_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A real server on the loopback: it plays the sources of the test's marker to any client.

    ``url`` is where its API is; ``requests`` says what was asked; ``add(source)`` serves more.
    Without a source in a marker, it serves the recording that is called as the test is, if
    there is one. It needs the extra ``server``. See `streamkit.server.serve`.
    """
    with ExitStack() as stack:
        with _plainly(_OF_SERVER):
            from ..server import serve  # noqa: PLC0415 - as above

            wish = _wish(request)
            sources = wish.runs(may_miss=True)
            server = stack.enter_context(serve(*sources, **{"speed": inf, **wish.options}))
        yield server


def _wish(request: pytest.FixtureRequest) -> Wish:
    from .marking import wish_of  # noqa: PLC0415 - as above

    return wish_of(request.node, request.config.getini(_FOLDER))


@contextmanager
def _plainly(extra: str | None = None) -> Iterator[None]:
    """Let a test fail with the words of an error, without the place where they were said.

    What cannot be imported is such an error where its words name the extra.
    """
    from ..errors import StreamkitError  # noqa: PLC0415 - as above

    try:
        yield
    except (StreamkitError, OSError, ImportError) as error:
        if isinstance(error, ImportError) and (extra is None or extra not in str(error)):
            raise
        raise pytest.fail.Exception(f"streamkit: {error}", pytrace=False) from None


def _recording(
    request: pytest.FixtureRequest, target: Path, folder: Path
) -> Iterator[NetworkTransport]:
    """Let a test ask the network, and keep what it got if that is worth it."""
    from ..errors import StreamkitError  # noqa: PLC0415 - as above
    from .network import NetworkTransport  # noqa: PLC0415
    from .taking import keep, taken  # noqa: PLC0415

    transport = NetworkTransport(folder)
    yield transport
    transport.close()
    has_failed = request.node.stash.get(_FAILED, True)
    said = request.config.stash[_SAID]
    root = request.config.rootpath
    where = target.relative_to(root) if target.is_relative_to(root) else target
    try:
        keep(taken(folder, has_failed=has_failed), target, by_way_of=folder)
    except (StreamkitError, OSError) as error:
        said.append(f"{where} is not recorded: {error}")
        if not has_failed:
            pytest.fail(f"streamkit: {said[-1]}", pytrace=False)
    else:
        said.append(f"recorded {where}")
