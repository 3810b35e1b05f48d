"""`journey worker`, as a user starts it, in a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.needs import needs
from tests.support.services.brokers import Broker
from tests.support.services.servers import free_port, get
from tests.support.wait import wait_until


class JourneyWorker:
    """A worker of one location, with folders of its own; journeys are those of the scheduler's folder."""

    def __init__(self, folder: Path, broker: Broker, location: str) -> None:
        self.folder = folder
        self.broker = broker
        self.location = location
        self.address = ""
        self.process: subprocess.Popen[bytes] | None = None
        self.prefix: list[str] = []
        """A command that becomes the worker."""
        self.broker_url = broker.url

    def start(self, *words: str, before: str = "", ready: bool = True, **environment: str) -> None:
        """Starts it, with some Python run in it `before`; waits until it is ready."""
        self.folder.mkdir(exist_ok=True)
        self.address = f"127.0.0.1:{free_port()}"
        program = f"{before}\nfrom runner.cli import main\nmain()"
        command = [*self.prefix, sys.executable, "-c", program]
        command += ["worker", "--location", self.location, "--broker", self.broker_url]
        variables = {"JOURNEY_BROKER_PASSWORD": self.broker.password, **environment}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--concurrency", "1", "--listen", self.address, "--log-format", "json", *words],
                cwd=self.folder,
                stderr=log,
                env={**os.environ, **variables},
            )
        if ready:
            wait_until(lambda: self.process and (self.process.poll() is not None or self.ready()), "the worker")
            assert self.process.poll() is None, self.log()

    def ready(self) -> bool:
        """Whether it does its work."""
        return get(f"http://{self.address}/readyz") is not None

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        assert self.process
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> int:
        """Ends it in order; its exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(90)

    def log(self) -> str:
        """Everything that it has said."""
        return (self.folder / "log").read_text()


@pytest.fixture
@needs("real_time")
def new_worker(tmp_path: Path) -> Iterator[Callable[..., JourneyWorker]]:
    """Makes workers, each in a folder of its own; all are ended with the test."""
    made: list[JourneyWorker] = []

    def make(broker: Broker, location: str = "frankfurt") -> JourneyWorker:
        made.append(JourneyWorker(tmp_path / f"worker-{len(made)}", broker, location))
        return made[-1]

    yield make
    for one in made:
        if one.process is not None and one.process.poll() is None:
            tree = psutil.Process(one.process.pid).children(recursive=True)
            one.kill()
            for process in tree:
                if process.is_running():
                    process.kill()
