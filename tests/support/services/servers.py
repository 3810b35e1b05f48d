"""Real servers for tests: each on a free port, each stopped by its own process id."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from tests.support.certificates import make_certificate
from tests.support.needs import needs
from tests.support.wait import wait_until


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def get(url: str) -> str | None:
    """The body at `url`, None while nobody answers."""
    try:
        with urlopen(url, timeout=5) as answer:
            text: str = answer.read().decode()
            return text
    except (URLError, ConnectionError, TimeoutError):
        return None


@needs("real_time")
@contextmanager
def running(command: list[str], ready: str) -> Iterator[None]:
    """Runs a Debian program until the block ends; waits until `ready` answers."""
    assert shutil.which(command[0]), f"{command[0]} is missing; on Debian: apt-get install prometheus prometheus-pushgateway"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: get(ready) is not None)
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, for two days, that nobody vouches for, and its key."""
    made = make_certificate(tmp_path_factory.mktemp("certificate"), days=2, names="IP:127.0.0.1")
    return made.file, made.key


@pytest.fixture
def gateway() -> Iterator[str]:
    """A Pushgateway of this test's own; its address."""
    address = f"127.0.0.1:{free_port()}"
    # Without the last word Debian's gateway shares a file with all others on the machine.
    command = ["prometheus-pushgateway", f"--web.listen-address={address}", "--persistence.file="]
    with running(command, f"http://{address}/-/ready"):
        yield f"http://{address}"


class Prometheus:
    """A running Prometheus."""

    def __init__(self, address: str) -> None:
        self.address = address

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query: a list of `{"metric": labels, "value": [time, text]}`."""
        answer = get(f"{self.address}/api/v1/query?query={quote(expression)}")
        assert answer is not None
        result: list[dict[str, Any]] = json.loads(answer)["data"]["result"]
        return result


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Callable[..., Prometheus]]:
    """Starts a Prometheus that scrapes addresses every second, keeping the labels that it finds."""
    with ExitStack() as stack:

        def start(*targets: str, rules: str = "") -> Prometheus:
            address = f"127.0.0.1:{free_port()}"
            config = tmp_path / "prometheus.yml"
            (tmp_path / "rules.yml").write_text(rules or "groups: []\n")
            config.write_text(
                "global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n"
                "scrape_configs:\n- job_name: gateway\n  honor_labels: true\n  scrape_interval: 1s\n"
                f"  static_configs: [{{targets: {[target.removeprefix('http://') for target in targets]}}}]\n"
            )
            command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'tsdb'}"]
            stack.enter_context(running([*command, f"--web.listen-address={address}"], f"http://{address}/-/ready"))
            return Prometheus(f"http://{address}")

        yield start


@pytest.fixture(scope="session")
@needs("postgres")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL of these tests' own; its address without a database."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert programs, "PostgreSQL is missing; on Debian: apt-get install postgresql"
    port = free_port()
    # Not below pytest's own folder: PostgreSQL refuses to run as root, and another user cannot look into that.
    with TemporaryDirectory(prefix="journey-postgres-") as folder:
        data = f"{folder}/data"
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if user:
            shutil.chown(folder, "postgres")
        initdb = [*user, f"{programs[-1]}/initdb", "-D", data, "-U", "monitor", "-A", "trust", "--no-sync", "-E", "UTF8"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder)
        control = [*user, f"{programs[-1]}/pg_ctl", "-D", data, "-w", "-l", f"{folder}/log"]
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        subprocess.run([*control, "start", "-o", options], check=True, stdout=subprocess.DEVNULL, cwd=folder)
        try:
            yield f"postgresql+psycopg://monitor@127.0.0.1:{port}"
        finally:
            subprocess.run([*control, "stop", "-m", "immediate"], check=True, stdout=subprocess.DEVNULL, cwd=folder)


@pytest.fixture(scope="session")
def postgres(postgres_server: str) -> Callable[..., str]:
    """Makes an empty database, or a copy of another; returns its address."""

    def make(like: str = "template1") -> str:
        name = f"journeys_{uuid4().hex[:12]}"
        engine = create_engine(f"{postgres_server}/postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {like.rpartition('/')[2]}"))
        engine.dispose()
        return f"{postgres_server}/{name}"

    return make


@pytest.fixture(scope="session")
@needs("browser")
def display() -> Iterator[str]:
    """The name of an X display in memory."""
    assert shutil.which("Xvfb"), "Xvfb is missing; on Debian: apt-get install xvfb"
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1680x1050x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout is not None
        yield f":{server.stdout.readline().strip()}"
        server.stdout.close()
    finally:
        server.terminate()
        server.wait(10)
