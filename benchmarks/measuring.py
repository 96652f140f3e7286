"""All that is measured, one thing after another."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from .contenders import CONTENDERS, AbsentError, Contender, invite
from .importing import imports
from .racing import Race
from .results import Plan, Results
from .workers import Member

__all__ = ["measure"]


def measure(
    plan: Plan,
    workloads: Iterable[str],
    say: Callable[[str], object],
    keys: Sequence[str] = CONTENDERS,
) -> Results:
    """Measure all that is planned, and say how far it is.

    Raises:
        FailedError: A contender fails, or what it folds is not what it claims.
    """
    contenders, absent = _invited(keys)
    with ExitStack() as stack:
        members = [stack.enter_context(Member(contender)) for contender in contenders]
        folder = Path(stack.enter_context(TemporaryDirectory()))
        races = {name: Race(plan, name, members, folder) for name in workloads}
        for race in plan.passes * list(races.values()):
            say(race.name)
            race.run()
        versions = _versions(members)
    say("imports")
    return Results(
        machine=f"{platform.system()}, {platform.machine()}, {os.cpu_count()} CPUs",
        versions=versions,
        plan=plan,
        names={contender.key: contender.name for contender in contenders},
        absent=absent,
        mistakes={each.key: dict(each.mistakes) for each in contenders if each.mistakes},
        workloads={name: race.sizes for name, race in races.items()},
        taken={name: race.result() for name, race in races.items()},
        imports=imports(("msgspec", "streamkit"), plan.imports),
    )


def _invited(keys: Iterable[str]) -> tuple[list[Contender], dict[str, str]]:
    contenders: list[Contender] = []
    absent: dict[str, str] = {}
    for key in keys:
        try:
            contenders.append(invite(key))
        except AbsentError as error:
            absent[key] = str(error)
    return contenders, absent


def _versions(members: Iterable[Member]) -> dict[str, dict[str, str]]:
    versions = {"Python": {"Python": platform.python_version()}}
    for said in [member.versions() for member in members]:
        versions.setdefault("node" if "node" in said else "Python", {}).update(said)
    return versions
