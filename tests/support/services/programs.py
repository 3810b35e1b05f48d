"""Servers of the system that a test starts on a port, with a configuration of its own, and stops by its process id."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.needs import needs
from tests.support.wait import wait_until


@needs("real_time")
@contextmanager
def program(name: str, command: list[str], port: int, folder: Path) -> Iterator[None]:
    """Runs a server of /usr/sbin until the block ends, from when its port answers; what it prints is kept in `folder`.

    Skips the test where it is not installed.
    """
    if not Path(f"/usr/sbin/{name}").exists():
        pytest.skip(f"{name} is not installed; on Debian: apt-get install {'dovecot-imapd' if name == 'dovecot' else name}")
    where = {**os.environ, "PATH": f"/usr/sbin:{os.environ['PATH']}"}
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, env=where, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: _answers(port) or process.poll() is not None)
            assert process.poll() is None, (folder / "output").read_text()
            yield
        finally:
            process.terminate()
            process.wait(30)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
