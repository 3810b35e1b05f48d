"""A network of its own for a worker, whose cable to the broker can be pulled: a network namespace, which only root can make."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.needs import needs
from tests.support.services.brokers import Broker
from tests.support.services.journey_worker import JourneyWorker
from tests.support.services.servers import free_port


class CutOff:
    """A namespace with one cable, at whose other end a forwarder leads to the broker."""

    def __init__(self) -> None:
        mark = uuid4().hex[:6]
        self._name, self._here, self._there = f"journey-{mark}", f"jh{mark}", f"jn{mark}"
        net = f"10.213.{int(mark[:2], 16)}"
        self._address = f"{net}.1"
        self._forwarder: subprocess.Popen[bytes] | None = None
        run("ip", "netns", "add", self._name)
        run("ip", "link", "add", self._here, "type", "veth", "peer", "name", self._there, "netns", self._name)
        run("ip", "addr", "add", f"{self._address}/30", "dev", self._here)
        run("ip", "-n", self._name, "addr", "add", f"{net}.2/30", "dev", self._there)
        for words in (("-n", self._name, "link", "set", "lo", "up"), ("-n", self._name, "link", "set", self._there, "up")):
            run("ip", *words)
        self.connect()

    def put(self, worker: JourneyWorker, broker: Broker) -> None:
        """Has a worker start in the namespace, from where the broker has another address."""
        port = free_port()
        command = [sys.executable, "-m", "tests.support.services.forwarder", str(port), str(broker.port), self._address]
        self._forwarder = subprocess.Popen(command, cwd=Path(__file__).parents[3])
        worker.prefix = ["ip", "netns", "exec", self._name]
        worker.broker_url = broker.url.replace(f"127.0.0.1:{broker.port}", f"{self._address}:{port}")

    def cut(self) -> None:
        """Pulls the cable: nothing goes through, and nobody is notified."""
        run("ip", "link", "set", self._here, "down")

    def connect(self) -> None:
        """Puts it in."""
        run("ip", "link", "set", self._here, "up")

    def close(self) -> None:
        """Ends the forwarder and the namespace."""
        if self._forwarder is not None:
            self._forwarder.kill()
            self._forwarder.wait(30)
        run("ip", "link", "del", self._here)
        run("ip", "netns", "del", self._name)


def run(*words: str) -> None:
    """A command that must succeed."""
    subprocess.run(words, check=True)


@pytest.fixture
@needs("real_time")
def cut_off() -> Iterator[CutOff]:
    """A namespace for a worker. Skips where there is no right to make one."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("a network namespace needs root, and the command ip; on Debian: apt-get install iproute2")
    if subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True).returncode:
        pytest.skip("network namespaces are not allowed here; a container needs the capability SYS_ADMIN")
    made = CutOff()
    yield made
    made.close()
