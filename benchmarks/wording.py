"""Words and numbers that the report and the README share."""

from __future__ import annotations

from collections.abc import Iterator

from .results import Results

__all__ = ["number", "remarks", "setting"]


def number(value: float) -> str:
    """Write a number with three digits, or all before the point."""
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def setting(results: Results) -> list[str]:
    """Name the machine, and the versions of all that runs together."""
    versions = (
        ", ".join(f"{name} {version}" for name, version in each.items())
        for each in results.versions.values()
    )
    return [results.machine, *versions]


def remarks(results: Results) -> Iterator[str]:
    """Say who was absent, who stopped early, and what came out wrong."""
    for key, why in results.absent.items():
        yield f"{key} took no part: {why}."
    for key, name in results.names.items():
        reached = {workload: results.where(workload, key) for workload in results.taken}
        early = [
            f"{workload} at {results.workloads[workload][size].events:,} events"
            for workload, size in reached.items()
            if size is not None and size < results.plan.base
        ]
        if early:
            yield f"{name} stopped for time: {', '.join(early)}."
    for key, mistakes in results.mistakes.items():
        for workload, mistake in mistakes.items():
            if workload in results.taken:
                yield f"{results.names[key]} gets {workload} wrong: {mistake}."
