"""A user's folder in which `journey` commands are run, in this process or each in one of its own."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from runner.workers.pool import Workers
from tests.support.commands import Ended, run_here
from tests.support.needs import needs

WALK = """
from runner import expect, journey

@journey(every="5m", tags=["look"])
def walk(page, step):
    \"\"\"Looks around.\"\"\"
    with step("open"):
        page.goto("/")

@journey
def fall(page, step):
    with step("open"):
        page.goto("/cart")
    with step("buy"):
        expect(page.get_by_role("button", name="Buy [now]")).to_be_visible(timeout=200)
"""

SANDBOX_OFF = "note: the browser's sandbox is off: "
"""Begins the line that is printed first where the tests run as root."""


class Folder:
    """A user's folder with a journeys/ in it, in which commands are run."""

    def __init__(self, path: Path, shop: str, pool: Workers | None = None) -> None:
        self.path = path
        self._pool = pool
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(("JOURNEY_", "GITHUB_"))}
        self.environment |= {"JOURNEY_BASE_URL": shop, "COLUMNS": "200"}
        self.write("journeys/walk.py", WALK)

    def write(self, name: str, text: str) -> Path:
        """A file in it."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
        return file

    @needs("browser", "real_time")
    def process(self, *words: str, **environment: str) -> Ended:
        """Runs a command in a process of its own: for what has to do with processes, and for one of each kind."""
        ran = subprocess.run(
            [sys.executable, "-m", "runner.cli", *words],
            cwd=self.path,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        return Ended(ran.returncode, ran.stdout, ran.stderr)

    @needs("browser", "real_time")
    def journey(self, *words: str, **environment: str) -> Ended:
        """Runs a command in this process, which is quicker. Its journeys run in the worker that all tests share.

        The worker is already in a folder of its own, and what a journey prints goes there.
        """
        assert self._pool is not None, "give the folder a pool of workers"
        return run_here(self.path, words, self.environment | environment, self._pool)

    def here(self, *words: str, **environment: str) -> Ended:
        """Runs a command that runs no journey in this process."""
        return run_here(self.path, words, self.environment | environment)
