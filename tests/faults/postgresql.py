"""PostgreSQL servers that are stopped, killed, filled and replaced."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from sqlalchemy import create_engine, text

from tests.support.needs import needs
from tests.support.services.servers import free_port
from tests.support.wait import wait_until

QUICK = {"fsync": "off", "wal_keep_size": "64MB", "max_wal_size": "8MB", "min_wal_size": "2MB", "listen_addresses": "127.0.0.1"}


class Cluster:
    """A server of its own, in a folder that the user postgres owns."""

    def __init__(self, folder: Path) -> None:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        assert programs, "PostgreSQL is missing; on Debian: apt-get install postgresql"
        self.folder = folder
        self.port = free_port()
        self._programs = programs[-1]
        self._user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []

    def run(self, program: str, *words: object) -> None:
        """Runs a program of PostgreSQL's; raises CalledProcessError when it fails."""
        command = [*self._user, f"{self._programs}/{program}", *map(str, words)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/")

    def create(self) -> None:
        """An empty one; everybody on this machine may do everything, but the role `locked` needs its password."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._user:
            shutil.chown(self.folder, "postgres")
        self.run(
            "initdb", "-D", self.folder / "data", "-U", "monitor", "-A", "trust", "--no-sync", "-E", "UTF8", "--wal-segsize=1"
        )
        rules = self.folder / "data" / "pg_hba.conf"
        rules.write_text("host all locked 127.0.0.1/32 scram-sha-256\n" + rules.read_text())

    def start(self, **settings: str) -> None:
        """Starts it, and waits until it can be used."""
        given = QUICK | {"port": str(self.port), "unix_socket_directories": str(self.folder)} | settings
        options = " ".join(f"-c {name}='{value}'" for name, value in given.items())
        self.run("pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Ends it: `immediate` is as if all its processes had been killed."""
        self.run("pg_ctl", "-D", self.folder / "data", "-w", "-m", mode, "stop")

    def kill(self) -> None:
        """Ends all its processes at once, as a crash of the machine would; what it leaves is found at the next start."""
        first = psutil.Process(self._process())
        tree = [first, *first.children(recursive=True)]
        for one in tree:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(tree, timeout=30)

    @property
    def runs(self) -> bool:
        """Whether its first process is there."""
        return (self.folder / "data" / "postmaster.pid").exists() and psutil.pid_exists(self._process())

    def _process(self) -> int:
        return int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def follow(self, primary: "Cluster") -> None:
        """Becomes a replica, which has everything that the primary has acknowledged."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._user:
            shutil.chown(self.folder, "postgres")
        source = f"host=127.0.0.1 port={primary.port} user=monitor application_name=replica"
        self.run("pg_basebackup", "-D", self.folder / "data", "-R", "--checkpoint=fast", "--no-sync", "-d", source)
        self.start()
        primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")

    def promote(self) -> None:
        """Takes over as primary."""
        self.run("pg_ctl", "-D", self.folder / "data", "-w", "promote")
        self.sql("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")

    def encrypt(self, certificate: Path, key: Path) -> None:
        """Offers TLS with this certificate from now on."""
        for file in (certificate, key):
            copy = self.folder / "data" / f"tls-{file.name}"
            shutil.copy(file, copy)
            copy.chmod(0o600)
            if self._user:
                shutil.chown(copy, "postgres")
        names = f"ssl_cert_file = 'tls-{certificate.name}'", f"ssl_key_file = 'tls-{key.name}'", "ssl = on"
        self.sql(*(f"ALTER SYSTEM SET {name}" for name in names), "SELECT pg_reload_conf()")
        wait_until(lambda: self.sql("SHOW ssl") == [("on",)], "the server offers TLS")

    def sql(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """The rows of the last statement."""
        engine = create_engine(self.url(database), isolation_level="AUTOCOMMIT")
        rows: list[tuple[Any, ...]] = []
        with engine.connect() as connection:
            for one in statements:
                found = connection.execute(text(one))
                rows = [tuple(row) for row in found] if found.returns_rows else []
        engine.dispose()
        return rows

    def url(self, database: str, user: str = "monitor") -> str:
        """The address of a database."""
        return f"postgresql+psycopg://{user}@127.0.0.1:{self.port}/{database}"

    def cut(self, database: str) -> None:
        """Ends all connections to a database."""
        self.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")


@needs("postgres")
@contextmanager
def clusters() -> Iterator[list[Cluster]]:
    """Two, of which none exists yet; both are ended with the block."""
    # Not below pytest's own folder, into which the user postgres cannot look.
    with TemporaryDirectory(prefix="journey-faults-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        both = [Cluster(folder / "first"), Cluster(folder / "second")]
        try:
            yield both
        finally:
            for one in both:
                if one.runs:
                    one.stop()
