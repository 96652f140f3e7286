"""What to run before a commit: ``nox``. One session: ``nox -s tests``."""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "venv"
nox.options.sessions = ["lint", "typing", "wheel", "tests"]

PYPROJECT = nox.project.load_toml("pyproject.toml")


def install(session: nox.Session, *groups: str) -> None:
    """Install the package as a user would, and groups of development tools."""
    session.install(".[cli]", *nox.project.dependency_groups(PYPROJECT, *groups))


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; arguments after ``--`` go to pytest."""
    install(session, "test")
    session.run("pytest", *session.posargs)


@nox.session(python=["3.11", "3.12", "3.13"])
def versions(session: nox.Session) -> None:
    """Run the tests on every Python that is there."""
    install(session, "test")
    session.run("pytest", *session.posargs)


@nox.session
def peers(session: nox.Session) -> None:
    """Let other clients follow runs: openai-python 2, openai-node, a chat in Chromium.

    What is absent, of node, npm and Chromium, is left out; where the environment variable
    STREAMKIT_PEERS is set, the session fails for want of it.
    """
    install(session, "peers")
    if npm := shutil.which("npm"):
        with session.chdir("tests/peers/node"):
            session.run(npm, "install", "--loglevel=error", external=True)
    session.run("pytest", "tests/peers", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Look for what is untidy."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def typing(session: nox.Session) -> None:
    """Check the types, and that all public ones are known."""
    install(session, "typing")
    session.run("mypy")
    session.run("pyright", "--verifytypes", "streamkit", "--ignoreexternal")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the distributions, and read a recording with nothing but the wheel."""
    folder = Path(session.create_tmp()) / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    session.install("build")
    session.run("python", "-m", "build", "--outdir", str(folder), silent=True)
    (built,) = folder.glob("*.whl")
    session.install("--force-reinstall", str(built))
    recording = Path("tests/recordings/report.sse").resolve()
    with session.chdir(folder):
        session.run("streamkit", "replay", "--quiet", str(recording))


@nox.session
def bench(session: nox.Session) -> None:
    """Compare with the least that reading can cost, and with other clients.

    Where node or npm is absent, the client that needs them is left out.
    """
    install(session, "bench")
    if npm := shutil.which("npm"):
        with session.chdir("benchmarks/contenders/node"):
            session.run(npm, "install", "--loglevel=error", external=True)
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def bench_live(session: nox.Session) -> None:
    """Compare following live runs with the least that reading them can cost."""
    install(session, "bench")
    session.run("python", "-m", "benchmarks.live", *session.posargs)
