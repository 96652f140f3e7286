"""The map of the package, held against the code: imports point down only."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

import streamkit

PACKAGE: Final = Path(streamkit.__file__).parent

# A name is a module, or a package with all its modules. Each may import from the rows
# above it, and a package's modules also from each other, by the second table.
LAYERS: Final[Sequence[set[str]]] = (
    {"errors", "limits", "_text", "_lifecycle"},
    {"_blocks", "_json", "snapshots"},
    {"sse", "deltas", "changes"},
    {"events", "_wire", "_inputs"},
    {"dialects", "_builders", "observers", "_sources"},
    {"accumulator"},
    {"_folding"},
    {"_afollowing", "_following"},
    {"follow"},
    {"__init__"},
    {"recording"},
    {"live"},
    {"cli"},
    {"__main__"},
)

PACKAGES: Final[dict[str, Sequence[set[str]]]] = {
    "snapshots": ({"base"}, {"messages", "steps"}, {"runs"}, {"__init__"}),
    "deltas": ({"base"}, {"messages", "steps"}, {"__init__"}),
    "dialects": ({"assistants"}, {"reading"}, {"__init__"}),
    "_builders": (
        {"__init__"},
        {"ledger", "raw", "row"},
        {"owner"},
        {"calls", "outputs", "parts", "place"},
        {"code", "functions", "messages", "others", "searches"},
        {"steps"},
        {"picture"},
    ),
    "recording": (
        {"comparing", "forms", "masking"},
        {"repairing", "timed"},
        {"writing"},
        {"converting", "foreign", "taps"},
        {"reading", "transports"},
        {"replaying", "scrubbing"},
        {"__init__"},
    ),
    "live": (
        {"requests", "restored", "tools"},
        {"answers"},
        {"wires"},
        {"endpoints"},
        {"conversation", "recovery"},
        {"legs"},
        {"streams"},
        {"async_runs", "runs"},
        {"__init__"},
    ),
}

# What the core may load besides itself and the standard library.
CORE_NEEDS: Final = {"msgspec"}


def depths(layers: Sequence[set[str]]) -> dict[str, int]:
    return {name: depth for depth, names in enumerate(layers) for name in names}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the relative imports of a file: how far up, and from which module there."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        # What only the type checker reads imports nothing.
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for child in ast.walk(node):
                child.level = 0  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from ((node.level, name.split(".")[0]) for name in names)


MODULES: Final = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    top = depths(LAYERS)
    within = path.relative_to(PACKAGE).parts
    here = within[0].removesuffix(".py")
    assert here in top, f"{here} has no place on the map"
    inner = depths(PACKAGES.get(here, ()))
    for level, name in imports(path):
        if level == len(within):  # from the package itself
            assert top[name] < top[here], f"{here} imports {name}"
        elif here in PACKAGES:
            assert inner[name] < inner[path.stem], f"{path.stem} imports {name}"


def test_every_module_on_the_map_exists() -> None:
    there = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES}
    assert set(depths(LAYERS)) == there
    for package, layers in PACKAGES.items():
        assert set(depths(layers)) == {path.stem for path in (PACKAGE / package).glob("*.py")}


def modules_after(statement: str) -> set[str]:
    """Return the names of the modules loaded by a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_the_core_opens_no_door_to_the_network() -> None:
    loaded = modules_after("import streamkit") - modules_after("import msgspec")
    assert loaded.isdisjoint({"httpx", "httpx_sse", "anyio", "socket", "ssl", "asyncio", "rich"})
    assert loaded - set(sys.stdlib_module_names) - CORE_NEEDS == {"streamkit"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_holds_one_concept(path: Path) -> None:
    lines = path.read_text().count("\n")
    assert lines <= 380, f"{path.name} has {lines} lines: look for the second concept in it"
