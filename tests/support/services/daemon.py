"""A scheduler as a user starts it, in a process of its own."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.commands import Ended, run_here
from tests.support.needs import needs
from tests.support.services.databases import copied
from tests.support.services.servers import free_port, get
from tests.support.wait import wait_until


class Daemon:
    """`journey schedule` in a folder with journeys."""

    def __init__(self, folder: Path, shop: str, empty: Path) -> None:
        self.folder = folder
        self.shop = shop
        self._empty = empty
        self.address = ""
        self.process: subprocess.Popen[bytes] | None = None
        self.began: list[psutil.Process] = []

    def write(self, code: str, name: str = "j.py") -> Path:
        """A file of journeys with the imports that they need."""
        file = self.folder / "journeys" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("from runner import expect, journey\n" + textwrap.dedent(code))
        return file

    def command(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Any `journey` command in the folder, in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "runner.cli", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={**os.environ, **environment},
            check=False,
        )

    def here(self, *words: str) -> Ended:
        """A command that runs no journey, in the folder and in this process."""
        return run_here(self.folder, words, os.environ)

    def start(self, *words: str, ready: bool = True, before: str = "", **environment: str) -> None:
        """Starts the scheduler, with some Python run in it `before`; waits until it is ready."""
        self.address = f"127.0.0.1:{free_port()}"
        if not (self.folder / "runs").exists():
            copied(self._empty, self.folder / "runs")
        program = f"{before}\nfrom runner.cli import main\nmain()"
        command = [sys.executable, "-c", program, "schedule", "--base-url", self.shop, "--listen", self.address]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--log-format", "json", *words], cwd=self.folder, stderr=log, env={**os.environ, **environment}
            )
        if ready:
            wait_until(lambda: self.process and (self.process.poll() is not None or self.ready()))
            assert self.process.poll() is None, self.log()

    def ready(self) -> bool:
        """Whether it does its work."""
        return get(f"http://{self.address}/readyz") is not None

    def tree(self) -> list[psutil.Process]:
        """All processes that it has started."""
        assert self.process
        return psutil.Process(self.process.pid).children(recursive=True)

    def signal(self, number: int) -> None:
        """Sends it a signal; what it had started is remembered."""
        assert self.process
        self.began = self.tree() if self.process.poll() is None else []
        self.process.send_signal(number)

    def stop(self) -> int:
        """Ends it in order; its exit code."""
        assert self.process
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        assert self.process
        self.signal(signal.SIGKILL)
        self.process.wait(10)

    def left_over(self) -> list[psutil.Process]:
        """What it had started and is still there."""
        return [one for one in self.began if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]

    def log(self) -> str:
        """Everything that it has said."""
        return (self.folder / "log").read_text()

    def events(self, **equal: object) -> list[dict[str, Any]]:
        """The lines of its log in which these fields have these values."""
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [line for line in lines if all(line.get(name) == value for name, value in equal.items())]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of its store."""
        file = self.folder / "runs" / "journeys.db"
        if not file.exists():
            return []
        connection = sqlite3.connect(file, timeout=10)
        try:
            return connection.execute(sql).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise
        finally:
            connection.close()

    def runs(self, journey: str = "%", status: str = "%") -> int:
        """How many runs are stored."""
        found = self.query(f"SELECT count(*) FROM runs WHERE journey LIKE '{journey}' AND status LIKE '{status}'")
        return int(found[0][0]) if found else 0

    def wait_for_runs(self, count: int, journey: str = "%", status: str = "%", seconds: float = 40.0) -> None:
        """Waits until so many runs are stored, for `seconds` for each."""

        def stored() -> int:
            return self.runs(journey, status)

        try:
            wait_until(lambda: stored() >= count, f"{count} runs", seconds, progress=stored)
        except AssertionError as error:
            raise AssertionError(f"{self.runs(journey, status)} runs instead of {count}\n{self.log()[-6000:]}") from error

    def exposition(self) -> str:
        """All its metrics, as they are served."""
        return get(f"http://{self.address}/metrics") or ""

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels, 0 when there is none."""
        text = get(f"http://{self.address}/metrics") or ""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = [line for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))]
        return sum(float(line.rpartition(" ")[2]) for line in lines if all(one in line for one in wanted))


LOOK = """
    @journey(every="{every}")
    def {name}(page, step):
        with step("open"):
            page.goto("/")
"""


def look(every: str = "2s", name: str = "look") -> str:
    """A journey that opens the shop."""
    return textwrap.dedent(LOOK.format(every=every, name=name))


def tick(every: str = "500ms", name: str = "tick") -> str:
    """A journey that opens no page: for what is the same whatever a journey does."""
    return f"@journey(every='{every}')\ndef {name}(step):\n    with step('tick'):\n        pass\n"


@pytest.fixture
@needs("real_time")
def new_daemon(tmp_path: Path, shop: str, empty: Path) -> Iterator[Callable[[str], Daemon]]:
    """Makes schedulers, each in a folder of its own; all are ended with the test."""
    made: list[Daemon] = []

    def make(name: str = "daemon") -> Daemon:
        folder = tmp_path / name
        folder.mkdir()
        made.append(Daemon(folder, shop, empty))
        return made[-1]

    yield make
    for one in made:
        if one.process is not None and one.process.poll() is None:
            tree = one.tree()
            one.process.kill()
            one.process.wait(10)
            for process in tree:
                if process.is_running():
                    process.kill()


@pytest.fixture
def daemon(new_daemon: Callable[[str], Daemon]) -> Daemon:
    """A scheduler that is not started yet."""
    return new_daemon("daemon")
