"""The map of the package, held against the code: imports point down only."""

from __future__ import annotations

import ast
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
    {"_fragments"},
    {"_series"},
    {"dialects", "_builders", "observers", "_sources"},
    {"accumulator"},
    {"_folding"},
    {"_afollowing", "_following"},
    {"__init__"},
    {"convert", "recording"},
    {"live"},
    {"testing"},
    {"server"},
    {"cli", "pytest_plugin"},
    {"__main__"},
)

PACKAGES: Final[dict[str, Sequence[set[str]]]] = {
    "snapshots": ({"base"}, {"messages", "steps"}, {"runs"}, {"__init__"}),
    "deltas": ({"base"}, {"messages", "steps"}, {"__init__"}),
    "dialects": (
        {"assistants", "items", "payloads"},
        {"templates", "texts"},
        {"learning", "responses"},
        {"frames", "usual"},
        {"bodies"},
        {"event_stream", "json_lines"},
        {"reading"},
        {"__init__"},
    ),
    "_builders": (
        {"__init__", "ledger", "raw", "row"},
        {"numbering", "owner"},
        {"calls", "outputs", "parts", "place", "reasoning"},
        {"code", "functions", "messages", "others", "searches"},
        {"steps"},
        {"picture"},
        {"endings", "responses"},
        {"growing"},
        {"applying"},
    ),
    "recording": (
        {"comparing", "forms", "libraries", "masking", "pacing"},
        {"repairing", "timed"},
        {"writing"},
        {"converting", "foreign", "taps"},
        {"reading", "transports"},
        {"replaying", "scrubbing"},
        {"__init__"},
    ),
    "convert": (
        {"cargo", "report"},
        {"writer"},
        {"annotations", "calls"},
        {"messages", "steps"},
        {"source"},
        {"__init__"},
    ),
    "live": (
        {"answers", "requests", "restored", "tools"},
        {"wires"},
        {"endpoints", "waiting"},
        {"conversation", "recovery"},
        {"resuming"},
        {"source"},
        {"legs"},
        {"streams"},
        {"async_runs", "runs"},
        {"__init__"},
    ),
    "testing": (
        {"__init__", "finding", "fragments", "framing", "wire", "words"},
        {"drawing", "faults", "itemizing", "states"},
        {"delivering", "filling", "responding"},
        {"building", "exploding"},
        {"sources", "strategies"},
        {"api", "telling"},
        {"streams", "transports"},
    ),
    "testing/api": (
        {"bodies", "errors", "pictures"},
        {"access", "converting", "objects"},
        {"fields", "pages", "plays", "served"},
        {"scenes"},
        {"catalogue", "delivery", "threads"},
        {"responses"},
        {"operations"},
        {"asking"},
        {"answering"},
        {"__init__", "opening"},
    ),
    "pytest_plugin": (
        {"explaining", "network", "taking"},
        {"marking"},
        {"__init__"},
    ),
    "testing/faults": (
        {"rewriting", "specs"},
        {"base"},
        {"rewrites", "stops"},
        {"__init__"},
    ),
    "server": (
        {"folders", "streams", "welcome"},
        {"app"},
        {"running"},
        {"__init__"},
    ),
}


def depths(layers: Sequence[set[str]]) -> dict[str, int]:
    return {name: depth for depth, names in enumerate(layers) for name in names}


def imports(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield what a file imports from the package, as the parts of a path in it."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        # What only the type checker reads imports nothing.
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for child in ast.walk(node):
                child.level = 0  # type: ignore[attr-defined]
    *folders, _ = path.relative_to(PACKAGE).parts
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*folders[: len(folders) - node.level + 1]]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from ((*base, *name.split(".")) for name in names)


MODULES: Final = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    here = path.relative_to(PACKAGE).with_suffix("").parts
    for there in imports(path):
        # They part in this folder, where one of its members imports another.
        shared = next(
            (n for n, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), len(there)
        )
        folder = "/".join(here[:shared])
        if folder and folder not in PACKAGES:
            continue
        depth = depths(PACKAGES[folder] if folder else LAYERS)
        name = there[shared] if shared < len(there) else "__init__"
        assert here[shared] in depth, f"{here[shared]} has no place on the map"
        assert depth[name] < depth[here[shared]], f"{'/'.join(here)} imports {'/'.join(there)}"


def test_every_module_on_the_map_exists() -> None:
    for package, layers in {"": LAYERS, **PACKAGES}.items():
        folder = PACKAGE / package
        there = {path.stem for path in folder.glob("*.py")}
        there |= {path.parent.name for path in folder.glob("*/__init__.py")}
        assert set(depths(layers)) == there


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_holds_one_concept(path: Path) -> None:
    lines = path.read_text().count("\n")
    assert lines <= 380, f"{path.name} has {lines} lines: look for the second concept in it"
