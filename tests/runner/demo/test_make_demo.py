"""`make demo` ends with the dashboard where somebody watches, and by itself everywhere else."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A folder with a `journey` that says how it was called."""
    file = tmp_path / "journey"
    file.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path / "calls"}\n')
    file.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("terminal", "ci", "called"), [(True, "", "demo --serve"), (True, "true", "demo"), (False, "", "demo")]
)
def test_the_dashboard_is_served_on_a_terminal_only(program: Path, terminal: bool, ci: str, called: str) -> None:
    master, slave = pty.openpty()
    try:
        subprocess.run(
            ["make", "-o", ".venv/demo", f"BIN={program}", "demo"],
            cwd=ROOT,
            env={**os.environ, "CI": ci},
            stdout=slave if terminal else subprocess.DEVNULL,
            check=True,
        )
    finally:
        os.close(master)
        os.close(slave)
    assert (program / "calls").read_text().splitlines() == ["install", called]
