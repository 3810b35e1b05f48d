"""An S3 server that can be killed and started again with what it holds."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from runner.archive.object_storage import Storage
from runner.settings.load_settings import load_settings
from tests.support.needs import needs
from tests.support.services.object_storage import CREDENTIALS
from tests.support.services.servers import free_port, get
from tests.support.wait import wait_until

BUCKET = "runs-of-the-day"
SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request"}


class StorageServer:
    """moto behind a forwarder, each in a process of its own.

    moto has everything in memory: its memory stands for the disk, and the forwarder is the part that is killed.
    """

    def __init__(self) -> None:
        self.port, self._inner = free_port(), free_port()
        program = (
            f"import logging; logging.disable(); from moto.server import main; main(['-H', '127.0.0.1', '-p', '{self._inner}'])"
        )
        quiet = subprocess.DEVNULL
        self._moto = subprocess.Popen([sys.executable, "-c", program], stdout=quiet, stderr=quiet, env=dict(os.environ))
        self._front: subprocess.Popen[bytes] | None = None
        self.kept: dict[str, bytes] = {}
        """What was there in place of objects that somebody has tampered with."""
        wait_until(lambda: get(f"http://127.0.0.1:{self._inner}/moto-api/data.json") is not None, "the S3 server")
        connection = HTTPConnection("127.0.0.1", self._inner, timeout=60)
        connection.request("PUT", f"/{BUCKET}", headers=SIGNED)
        assert connection.getresponse().status == 200
        connection.close()
        self.start()

    @property
    def environment(self) -> dict[str, str]:
        """The settings that use it, as variables."""
        return {
            "JOURNEY_ARTIFACTS": f"s3://{BUCKET}/monitoring",
            "JOURNEY_ARTIFACTS_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "JOURNEY_ARTIFACTS_CREDENTIALS": CREDENTIALS,
        }

    @property
    def storage(self) -> Storage:
        """What it holds, also while it is killed."""
        inner = {"JOURNEY_ARTIFACTS_ENDPOINT": f"http://127.0.0.1:{self._inner}"}
        return Storage(load_settings(Path("/"), {}, {**self.environment, **inner}))

    @property
    def process(self) -> int:
        """The process that is killed."""
        assert self._front
        return self._front.pid

    def start(self) -> None:
        """Has it answer."""
        command = [sys.executable, "-m", "tests.support.services.forwarder", str(self.port), str(self._inner)]
        self._front = subprocess.Popen(command, cwd=Path(__file__).parents[3])
        wait_until(lambda: get(f"http://127.0.0.1:{self.port}/moto-api/data.json") is not None, "the S3 server")

    def kill(self) -> None:
        """Ends it at once; what it holds stays."""
        assert self._front
        self._front.kill()
        self._front.wait(30)

    def close(self) -> None:
        """Ends it, and what it holds."""
        self.kill()
        self._moto.kill()
        self._moto.wait(30)


@pytest.fixture
@needs("real_time")
def storage_server() -> Iterator[StorageServer]:
    """An S3 server with an empty bucket."""
    server = StorageServer()
    yield server
    server.close()
