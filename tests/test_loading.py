"""What importing loads: no more than is needed, so that nobody waits for what he never uses.

The time itself is not measured here, since it is never twice the same. What makes it long
is: modules that come along.
"""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest
from msgspec import Struct

import streamkit
from streamkit import deltas, snapshots

PACKAGE: Final = Path(streamkit.__file__).parent
HOMES: Final = streamkit._HOMES

# What the core may load besides itself and the standard library.
CORE_NEEDS: Final = {"msgspec"}

# What can be held: all that importing loads.
AT_ONCE: Final = {
    "streamkit",
    "streamkit.changes",
    "streamkit.deltas",
    "streamkit.deltas.base",
    "streamkit.deltas.messages",
    "streamkit.deltas.steps",
    "streamkit.errors",
    "streamkit.events",
    "streamkit.limits",
    "streamkit.snapshots",
    "streamkit.snapshots.base",
    "streamkit.snapshots.messages",
    "streamkit.snapshots.runs",
    "streamkit.snapshots.steps",
}

# What of the standard library it may load that msgspec does not, and what the rest may.
SMALL: Final = {"importlib"}
# (unicodedata is the compiler's, for names of characters, where no bytecode is kept.)
SMALL_LATER: Final = SMALL | {"_bisect", "bisect", "unicodedata"}


def printed_by(code: str) -> list[str]:
    """Return the words that a fresh interpreter prints."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def modules_after(statement: str) -> set[str]:
    """Return the names of the modules loaded by a fresh interpreter."""
    return set(printed_by(f"{statement}\nimport sys\nprint(*sys.modules)"))


def packages_after(statement: str) -> set[str]:
    return {name.split(".")[0] for name in modules_after(statement)}


def test_the_core_opens_no_door_to_the_network() -> None:
    loaded = packages_after("from streamkit import *") - packages_after("import msgspec")
    assert loaded.isdisjoint({"httpx", "httpx_sse", "anyio", "socket", "ssl", "asyncio", "rich"})
    assert loaded - set(sys.stdlib_module_names) - CORE_NEEDS == {"streamkit"}


@pytest.mark.parametrize(
    "module", ["recording", "cli", "testing", "testing.building", "pytest_plugin"]
)
def test_what_takes_long_is_loaded_when_it_is_needed(module: str) -> None:
    loaded = packages_after(f"import streamkit.{module}")
    assert loaded.isdisjoint({"httpx", "anyio", "rich", "starlette", "hypothesis"})


def test_importing_loads_what_can_be_held() -> None:
    loaded = modules_after("import streamkit") - modules_after("import msgspec")
    assert {name for name in loaded if name.startswith("streamkit")} == AT_ONCE, (
        "import streamkit loads other modules of its own than it did: one that works on "
        "these, and is not itself something to hold, belongs in _HOMES of streamkit/__init__.py; "
        "one that everybody holds is named here"
    )


@pytest.mark.parametrize(
    ("statement", "small"),
    [
        pytest.param("import streamkit", SMALL, id="what can be held"),
        # What needs `inspect` needs no more than that brings along.
        pytest.param("import inspect\nfrom streamkit import *", SMALL_LATER, id="all of it"),
    ],
)
def test_the_standard_library_stays_on_its_shelf(statement: str, small: set[str]) -> None:
    before, _, _ = statement.rpartition("\n")
    loaded = modules_after(statement) - modules_after(f"import msgspec\n{before}")
    more = {name for name in loaded if name.partition(".")[0] in sys.stdlib_module_names} - small
    assert not more, (
        f"`python -X importtime -c 'import streamkit'` says who loads {sorted(more)}: import it "
        "in the function that needs it, if that seldom runs, or do without; what loads in no "
        "time may be named here"
    )


@pytest.mark.parametrize(
    "kind",
    [
        thing
        for module in (deltas, snapshots)
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Struct)
    ],
)
def test_what_is_read_need_not_be_evaluated_first(kind: type[Struct]) -> None:
    texts = [name for name, said in kind.__annotations__.items() if isinstance(said, str)]
    assert not texts, (
        f"decoding would wait for {texts} of {kind.__name__} to be evaluated: leave out the "
        "import of annotations from __future__"
    )


# Names that are loaded when they are asked for


def test_each_name_is_what_its_home_calls_so() -> None:
    for name, module in HOMES.items():
        home = import_module(f"streamkit.{module}")
        assert getattr(streamkit, name) is getattr(home, name)
        assert name in home.__all__


def test_type_checkers_are_told_the_same_homes() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    told = {
        alias.name: node.module
        for branch in tree.body
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == HOMES


def test_no_module_is_called_as_a_public_name() -> None:
    modules = {path.stem for path in PACKAGE.glob("*.py")}
    modules |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    both = modules & set(streamkit.__all__)
    assert not both, f"importing the module would put it in the place of {both}: rename it"


def test_all_names_are_there_before_they_are_loaded() -> None:
    listed = printed_by("import streamkit\nprint(*dir(streamkit))")
    assert set(streamkit.__all__) <= set(listed)
    assert listed == sorted(set(listed))
    stars = printed_by("from streamkit import *\nprint(*dir())")
    assert set(streamkit.__all__) <= set(stars)


def test_a_name_is_looked_for_once() -> None:
    code = "import streamkit\nbefore = set(vars(streamkit))\nstreamkit.on\n"
    assert "on" in printed_by(f"{code}print(*set(vars(streamkit)) - before)")


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(AttributeError, match="module 'streamkit' has no attribute 'acumulate'"):
        streamkit.acumulate  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(streamkit, "follows")


@pytest.mark.parametrize("name", sorted({*HOMES} - {"Observer"}))
def test_what_is_loaded_later_is_pickled_by_its_name(name: str) -> None:
    thing = getattr(streamkit, name)
    assert pickle.loads(pickle.dumps(thing)) is thing
    assert name in repr(thing)


# Started together, so that some ask while others load.
RACE: Final = """
import sys, threading
sys.setswitchinterval(1e-6)
names = {names}
gate = threading.Barrier(8)
seen, failed = [], []

def ask(turn):
    gate.wait()
    try:
        import streamkit
        seen.append({{name: id(getattr(streamkit, name)) for name in names[turn:] + names[:turn]}})
    except BaseException as error:
        failed.append(error)

threads = [threading.Thread(target=ask, args=(turn,)) for turn in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(seen), all(each == seen[0] for each in seen), *failed)
"""


def test_threads_may_load_at_the_same_time() -> None:
    for _ in range(3):
        assert printed_by(RACE.format(names=list(HOMES))) == ["8", "True"]
