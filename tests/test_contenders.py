"""Each contender folds what it claims to, and nothing that it does not claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import zip_longest
from json import JSONDecodeError
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from benchmarks.contenders import CONTENDERS, LIMIT, AbsentError, invite
from benchmarks.workers import FailedError, Member
from benchmarks.workloads import WORKLOADS, Workload
from tests.peers.outside import absent

NODE: Final = "openai_node"

# What is wrong where a contender says so: the fields that differ, or what it raises. What the
# report says of it in words is to stay true.
WRONG: Final[Mapping[tuple[str, str], set[str] | type[Exception]]] = {
    ("openai_python", "mixed"): {"status", "completed_at", "usage", "output"},
    ("openai_python", "hostile"): JSONDecodeError,
}


@pytest.fixture(scope="module")
def node() -> Iterator[Member]:
    try:
        contender = invite(NODE)
    except AbsentError as error:
        absent(str(error))
    with Member(contender) as member:
        yield member


def load(member: Member, folder: Path, workload: Workload) -> None:
    path = folder / "body"
    path.write_bytes(b"".join(workload.chunks))
    member.load(path, [len(chunk) for chunk in workload.chunks])


def told(key: str, workload: Workload, request: pytest.FixtureRequest) -> Any:
    """What comes of a workload, as JSON, or the exception: node's from its process."""
    if key == NODE:
        member: Member = request.getfixturevalue("node")
        load(member, request.getfixturevalue("tmp_path"), workload)
        try:
            member.fold()
        except FailedError as error:
            return error
        return member.told()
    contender = import_module(f"benchmarks.contenders.{key}")
    try:
        folded = contender.fold(workload.chunks)
    except Exception as error:  # noqa: BLE001 - this is what comes of it
        return error
    return msgspec.json.decode(msgspec.json.encode(contender.told(folded)))


@pytest.mark.parametrize("count", [300, 1_000])
@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("key", CONTENDERS)
def test_what_is_claimed_is_folded_and_nothing_else(
    key: str, workload: str, count: int, request: pytest.FixtureRequest
) -> None:
    """What comes out is right to the last field, as the report's own check has it.

    Only what a peer's models add is left out, and by its `told`, which knows them; so nothing
    is forgiven here, neither a null nor the order of a list.
    """
    made = WORKLOADS[workload](count)
    claims = import_module(f"benchmarks.contenders.{key}").FOLDS
    assert (told(key, made, request) == made.expected) == (workload in claims)


@pytest.mark.parametrize("count", [300, 1_000])
@pytest.mark.parametrize(("key", "workload"), WRONG)
def test_what_is_wrong_is_what_is_said(
    key: str, workload: str, count: int, request: pytest.FixtureRequest
) -> None:
    made = WORKLOADS[workload](count)
    theirs, wrong = told(key, made, request), WRONG[key, workload]
    if isinstance(wrong, set):
        assert set(differing(theirs, made.expected)) == wrong
    else:
        assert isinstance(theirs, wrong)


def differing(theirs: Any, expected: Any, name: str = "") -> Iterator[str]:
    """The names of the fields in which JSON differs; of those within others, the innermost."""
    match theirs, expected:
        case dict(), dict():
            for key in theirs | expected:
                yield from differing(theirs.get(key), expected.get(key), key)
        case list(), list():
            for left, right in zip_longest(theirs, expected):
                yield from differing(left, right, name)
        case _ if theirs != expected:
            yield name


@pytest.mark.parametrize("key", CONTENDERS)
def test_claims_and_mistakes_are_of_workloads(key: str) -> None:
    contender = import_module(f"benchmarks.contenders.{key}")
    mistakes = set(contender.MISTAKES)
    assert contender.FOLDS | mistakes <= set(WORKLOADS)
    assert not contender.FOLDS & mistakes
    assert mistakes == {workload for who, workload in WRONG if who == key}
    assert all(contender.MISTAKES.values())


def test_only_the_limit_claims_nothing() -> None:
    claims = {key: import_module(f"benchmarks.contenders.{key}").FOLDS for key in CONTENDERS}
    assert {key for key, folds in claims.items() if not folds} == {LIMIT}


# The worker in node


def test_the_worker_in_node_does_what_it_is_asked_to(node: Member, tmp_path: Path) -> None:
    assert set(node.versions()) == {"openai", "node"}
    for name in ("tokens", "responses"):
        made = WORKLOADS[name](300)
        load(node, tmp_path, made)
        assert [node.fold() > 0 for _ in range(2)] == [True] * 2
        assert node.memory() > 0
        assert node.told() == made.expected


def test_the_worker_in_node_cuts_the_body(node: Member, tmp_path: Path) -> None:
    made = WORKLOADS["tokens"](10)
    body = b"".join(made.chunks)
    path = tmp_path / "body"
    path.write_bytes(body)
    for sizes in (1, 7, len(body), len(body) + 1, [5, len(body) - 5], [1] * len(body)):
        node.load(path, sizes)
        assert node.fold() > 0
        assert node.told() == made.expected
    # It reads no more than the chunks, and here they lack the end of the run.
    node.load(path, [len(made.frames[0]), len(made.frames[1])])
    with pytest.raises(FailedError, match=r"[Ff]inal run"):
        node.fold()


def test_the_worker_in_node_fails_and_goes_on(node: Member, tmp_path: Path) -> None:
    made = WORKLOADS["tokens"](10)
    load(node, tmp_path, made)
    assert node.fold() > 0
    path = tmp_path / "broken"
    path.write_bytes(b"event: thread.run.step.delta\ndata: {\n\n")
    node.load(path, 64)
    # Below its name stands where it came from.
    with pytest.raises(FailedError, match=r"(?s)SyntaxError: .*\n +at "):
        node.fold()
    with pytest.raises(FailedError, match="SyntaxError"):
        node.memory()
    with pytest.raises(FailedError, match="undefined"):
        node.told()  # of what was folded before, nothing is left
    with pytest.raises(FailedError, match="ENOENT"):
        node.load(tmp_path / "nothing", 64)
    load(node, tmp_path, made)
    assert node.fold() > 0
    assert node.told() == made.expected


def test_openai_node_takes_so_many_outputs(node: Member, tmp_path: Path) -> None:
    load(node, tmp_path, WORKLOADS["logs"](65_537))
    with pytest.raises(FailedError, match="invalid array index: 65536"):
        node.fold()
