"""`journey serve` in a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.needs import needs
from tests.support.services.servers import free_port, get
from tests.support.wait import wait_until


class Serve:
    """The command in a folder, with what it says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None
        self.address = ""

    def start(self, *words: str, again: bool = False, **environment: str) -> str:
        """Starts it on a free port, or `again` on the one before; what it says at first."""
        self.address = self.address if again else f"http://127.0.0.1:{free_port()}"
        command = [sys.executable, "-m", "runner.cli", "serve", "--listen", self.address.removeprefix("http://"), *words]
        output = self.folder / "output"
        with output.open("w") as file:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=file, stderr=file, text=True, env={**os.environ, **environment}
            )
        wait_until(lambda: (self.process and self.process.poll() is not None) or get(f"{self.address}/readyz"))
        assert self.process.poll() is None, output.read_text()
        return output.read_text()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Ends it; its exit code and all that it has said."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(20), (self.folder / "output").read_text()


@pytest.fixture
@needs("real_time")
def serve(tmp_path: Path) -> Iterator[Serve]:
    """The command, not started."""
    one = Serve(tmp_path)
    yield one
    if one.process and one.process.poll() is None:
        one.process.kill()
        one.process.wait(10)
