"""Brokers of Debian's packages, each with a folder, a port and, for RabbitMQ, an Erlang node of its own; stopped by their process ids."""

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal
from uuid import uuid4

import psutil
import pytest

from tests.support.certificates import Chain
from tests.support.needs import needs
from tests.support.services.servers import free_port
from tests.support.wait import wait_until

Kind = Literal["redis", "rabbitmq"]
RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"
PASSWORD = "pass-of-the-tests"


class Broker:
    """A broker that can be killed and started again, with its disk or without."""

    def __init__(self, kind: Kind, folder: Path, tls: Chain | None = None) -> None:
        """With `tls` it asks for a certificate of the same authority."""
        self.kind = kind
        self._tls = tls
        self.folder = folder
        self.port = free_port()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._log = folder.parent / "broker.log"
        self._epmd, self._dist = (free_port(), free_port()) if kind == "rabbitmq" else (0, 0)
        self._node = f"t{uuid4().hex[:8]}@localhost"
        scheme, user = ("redis", "") if kind == "redis" else ("amqp", "guest")
        scheme += "s" if tls else ""
        self.url = f"{scheme}://{user}{'@' if user else ''}127.0.0.1:{self.port}"
        self.password = PASSWORD if kind == "redis" else "guest"

    def start(self) -> None:
        """Starts it, and waits until it can be used."""
        self.folder.mkdir(exist_ok=True)
        command, variables = self._redis() if self.kind == "redis" else self._rabbitmq()
        with self._log.open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **variables})
        self._processes.append(process)
        wait_until(lambda: process.poll() is not None or self._answers(), "the broker", 240)
        assert process.poll() is None, self._log.read_text(errors="replace")

    def _redis(self) -> tuple[list[str], dict[str, str]]:
        # Each change is on the disk before it is answered, as in production.
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "requirepass": self.password}
        options |= {"appendonly": "yes", "appendfsync": "always", "save": ""}
        if self._tls is not None:
            options |= {"port": 0, "tls-port": self.port, "tls-cert-file": self._tls.certificate.file}
            options |= {"tls-key-file": self._tls.certificate.key, "tls-ca-cert-file": self._tls.authority}
        return ["redis-server", *(word for name, value in options.items() for word in (f"--{name}", str(value)))], {}

    def _rabbitmq(self) -> tuple[list[str], dict[str, str]]:
        configuration = self.folder.parent / "rabbitmq.conf"
        lines = [f"listeners.tcp.1 = 127.0.0.1:{self.port}"]
        if self._tls is not None:
            lines = ["listeners.tcp = none", f"listeners.ssl.1 = 127.0.0.1:{self.port}", "ssl_options.verify = verify_peer"]
            lines += ["ssl_options.fail_if_no_peer_cert = true", f"ssl_options.cacertfile = {self._tls.authority}"]
            lines += [
                f"ssl_options.certfile = {self._tls.certificate.file}",
                f"ssl_options.keyfile = {self._tls.certificate.key}",
            ]
        configuration.write_text("\n".join([*lines, "log.console = true", ""]))
        (self.folder.parent / "plugins").write_text("[].\n")
        variables = {
            "HOME": str(self.folder.parent),
            "ERL_EPMD_PORT": str(self._epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONFIG_FILE": str(configuration),
            "RABBITMQ_DIST_PORT": str(self._dist),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder.parent / "plugins"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_LOG_BASE": str(self.folder.parent),
            "RABBITMQ_MNESIA_BASE": str(self.folder),
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_PID_FILE": str(self.folder.parent / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-setcookie {self._node.partition('@')[0]}",
            "RABBITMQ_SERVER_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none",
        }
        return [RABBITMQ], variables

    @property
    def process(self) -> int:
        """The id of its first process."""
        return self._processes[-1].pid

    def kill(self, keep_disk: bool = True) -> None:
        """Ends it at once, as a crash would."""
        for process in self._processes:
            tree = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.kill()
            process.wait(30)
            for one in tree:
                if one.is_running():
                    one.kill()
            psutil.wait_procs(tree, timeout=30)
        self._processes.clear()
        if self._epmd:
            # RabbitMQ starts it beside itself, and it stays.
            for one in psutil.process_iter(["name", "environ"]):
                if one.info["name"] == "epmd" and (one.info["environ"] or {}).get("ERL_EPMD_PORT") == str(self._epmd):
                    one.kill()
        if not keep_disk:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
            # Its greeting, or the refusal of what is not the beginning of a connection.
            probe.settimeout(10)
            if self._tls is not None:
                return _shakes_hands(probe)
            probe.sendall(b"PING\r\n" if self.kind == "redis" else b"not AMQP")
            try:
                return bool(probe.recv(8))
            except OSError:
                return False


def _shakes_hands(probe: socket.socket) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with context.wrap_socket(probe) as wrapped:
            return wrapped.version() is not None
    except OSError:
        return False


@pytest.fixture
@needs("real_time")
def new_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Broker]]:
    """Starts brokers; all are ended with the test."""
    made: list[Broker] = []

    def start(kind: Kind, tls: Chain | None = None) -> Broker:
        program = "redis-server" if kind == "redis" else RABBITMQ
        missing = f"{program} is missing; on Debian: apt-get install {kind}-server"
        if kind == "rabbitmq" and not shutil.which(program):
            pytest.skip(missing)
        assert shutil.which(program), missing
        folder = tmp_path_factory.mktemp("broker") / "data"
        made.append(Broker(kind, folder, tls))
        made[-1].start()
        return made[-1]

    yield start
    for one in made:
        one.kill()
