"""What a PostgreSQL server may go through: no result is lost, none is stored twice, and everything goes on by itself."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from reports.collector.storage.group_commit import Writer
from runner.store import Store, StoreDown
from runner.store.engines import patience, server
from runner.store.engines.reasons import describe_failure
from tests.faults.postgresql import Cluster, clusters
from tests.reports.collector.arrivals import arrival
from tests.reports.collector.wire import Wire
from tests.support.certificates import make_certificate
from tests.support.commands import run_here
from tests.support.services.collector import beacon
from tests.support.services.daemon import Daemon, tick
from tests.support.services.serve import Serve
from tests.support.wait import wait_until

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def pair() -> Iterator[list[Cluster]]:
    """A server, and a replica that confirms what it stores."""
    with clusters() as both:
        first, second = both
        first.create()
        first.start(wal_level="replica")
        second.follow(first)
        yield both


class Visitors:
    """Sends a beacon after the other, and each again until it is answered for."""

    def __init__(self, address: str) -> None:
        self._port = int(address.rpartition(":")[2])
        self.acknowledged: list[str] = []
        self.refused = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join(60)

    def _work(self) -> None:
        while not self._done.is_set():
            sent = beacon(id=str(uuid4()), session=str(uuid4()))
            sent["views"][0]["id"] = str(uuid4())
            while not self._done.is_set():
                status = self._send(json.dumps(sent).encode())
                if status == 202:
                    self.acknowledged.append(sent["id"])
                    break
                assert status in {0, 503}, status
                self.refused += 1
                self._done.wait(0.1)

    def _send(self, body: bytes) -> int:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("POST", "/v1/views", body, {"origin": "http://localhost"})
            return connection.getresponse().status
        except (OSError, HTTPException):
            return 0
        finally:
            connection.close()


@pytest.mark.timeout(280)
def test_restarts_cuts_and_a_failover_lose_nothing_and_double_nothing(
    pair: list[Cluster], daemon: Daemon, serve: Serve
) -> None:
    first, second = pair
    first.sql("CREATE DATABASE journeys")
    # As libpq has it: the one of them that can be written.
    url = f"postgresql://monitor@127.0.0.1:{first.port},127.0.0.1:{second.port}/journeys?target_session_attrs=read-write"
    daemon.write(tick("300ms") + tick("300ms", "tock"))
    daemon.start("--database", url)
    serve.start("--database", url)
    visitors = Visitors(serve.address)
    now = first

    def stored() -> int:
        return int(now.sql("SELECT count(*) FROM runs", database="journeys")[0][0])

    def goes_on() -> None:
        before, sent = stored(), len(visitors.acknowledged)
        wait_until(
            lambda: stored() >= before + 4 and len(visitors.acknowledged) >= sent + 4, "runs and beacons", progress=stored
        )
        wait_until(daemon.ready, "the scheduler is ready")

    try:
        goes_on()
        check_replica(second.url("journeys"))
        first.stop()
        wait_until(lambda: not daemon.ready(), "the scheduler reports it")
        first.start(wal_level="replica")
        goes_on()
        for _ in range(5):
            first.cut("journeys")
            wait_until(partial(lambda sent: len(visitors.acknowledged) > sent, len(visitors.acknowledged)))
        goes_on()
        refused = visitors.refused
        assert refused, "at least the restart was noticed"
        first.stop()
        second.promote()
        now = second
        goes_on()
    finally:
        visitors.stop()
    assert daemon.stop() == 0, daemon.log()
    code, said = serve.stop()
    assert (code, "Traceback" in said) == (0, False), said[-3000:]
    assert "Traceback" not in daemon.log()
    ids = [identity for (identity,) in second.sql("SELECT id FROM runs", database="journeys")]
    saved = [json.loads(file.read_text())["id"] for file in daemon.folder.glob("runs/*/*/result.json")]
    assert sorted(ids) == sorted(saved), "each saved run is stored once"
    twice = "SELECT journey, slot_at FROM runs GROUP BY journey, slot_at HAVING count(*) > 1"
    assert second.sql(twice, database="journeys") == []
    assert second.sql("SELECT state, count(*) FROM slots WHERE state = 'claimed' GROUP BY state", database="journeys") == []
    views = [one for (one,) in second.sql("SELECT id FROM beacons", database="journeys")]
    assert set(visitors.acknowledged) <= set(views)
    assert second.sql("SELECT count(*) FROM page_views", database="journeys") == [(len(views),)]
    assert second.sql("SELECT sum(views) FROM tallies t JOIN series s ON s.id = t.series WHERE step = 3600 AND s.whole = s.id",
                      database="journeys") == [(len(views),)]  # fmt: skip


def check_replica(url: str) -> None:
    """Who names a replica alone can read, and is told what to name."""
    with Store(url) as store:
        assert store.count() > 0
        for _ in range(2):
            with pytest.raises(StoreDown, match="target_session_attrs=read-write"):
                store.schedulers.register("one", "host", 1, "here", arrival().received_at)
            with store.snapshot() as connection:
                assert connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar()


TROUBLE = {
    "nobody listens": (
        "Connection refused",
        "check that the server runs and can be reached, and its address in JOURNEY_DATABASE",
    ),
    "none of several listens": ("port: '1'", "check that the server runs"),
    "no such database": ("does not exist", "create it, or correct its name in JOURNEY_DATABASE"),
    "too many connections": ("too many connections for role", "raise max_connections of the server"),
    "all of several can only be read": ("session is read-only", "target_session_attrs=read-write"),
    "no rights": ("permission denied", "give the user in JOURNEY_DATABASE the rights to read and write its tables"),
    "it does not answer": ("timeout expired", "check that the server runs"),
}


@pytest.mark.parametrize("how", TROUBLE)
def test_a_command_says_why_the_database_cannot_be_used_and_what_to_do(
    how: str, migrated: str, postgres: object, tmp_path: Path
) -> None:
    import psycopg

    reason, fix = TROUBLE[how]
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys" / "j.py").write_text("from runner import journey\n" + tick(name="buy"))
    name = f"trouble_{uuid4().hex[:8]}"
    url = postgres(like=migrated)  # type: ignore[operator]
    plain = url.replace("+psycopg", "")
    address, _, database = plain.rpartition("/")
    held = []
    with psycopg.connect(plain, autocommit=True) as admin, Wire(int(address.rpartition(":")[2])) as wire:
        given = {
            "nobody listens": "postgresql://monitor@127.0.0.1:1/journeys",
            "none of several listens": "postgresql://monitor@127.0.0.1:1,127.0.0.1:2/journeys",
            "no such database": f"{address}/{name}",
            "all of several can only be read": f"{plain}?target_session_attrs=read-write",
            "it does not answer": f"{address.rpartition(':')[0]}:{wire.port}/{database}?connect_timeout=2",
        }.get(how, plain)
        if how in {"too many connections", "no rights"}:
            admin.execute(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 1 PASSWORD 'right'")
            given = plain.replace("monitor@", f"{name}:wrong@")
        if how == "too many connections":
            held.append(psycopg.connect(given))
        if "read" in how:
            admin.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
        if how == "it does not answer":
            wire.freeze()
        ended = run_here(tmp_path, ("pause", "buy"), {**os.environ, "JOURNEY_DATABASE": given})
        for one in held:
            one.close()
    assert ended.returncode == 3, ended
    assert reason in ended.stderr
    assert fix in ended.stderr
    assert "wrong" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_password_that_is_changed_is_named_and_everything_goes_on_with_the_right_one(pair: list[Cluster]) -> None:
    cluster = next(one for one in pair if one.runs)
    cluster.sql("CREATE ROLE locked LOGIN PASSWORD 'before'", "CREATE DATABASE secured OWNER locked")
    url = cluster.url("secured", "locked:before")
    with Store(url) as store, Writer(url) as writer:
        assert writer.put_blocking(arrival())
        cluster.sql("ALTER ROLE locked PASSWORD 'after'")
        cluster.cut("secured")
        said = store.find_trouble()
        assert "password authentication failed" in said
        assert "put the password that the server knows into JOURNEY_DATABASE" in said
        assert "before" not in said
        waits = arrival()
        wait_until(lambda: not is_stored(writer, waits) and "password authentication failed" in (writer.down or ""))
        cluster.sql("ALTER ROLE locked PASSWORD 'before'")
        wait_until(lambda: is_stored(writer, waits))
        assert store.find_trouble() == ""


def test_a_server_is_trusted_by_the_certificate_of_its_own_authority_and_by_no_other(
    pair: list[Cluster], tmp_path: Path
) -> None:
    cluster = next(one for one in pair if one.runs)
    own, other = (make_certificate(tmp_path / name, names="IP:127.0.0.1") for name in ("own", "other"))
    cluster.encrypt(own.file, own.key)
    cluster.sql("CREATE DATABASE encrypted")
    url = f"{cluster.url('encrypted')}?sslmode=verify-full&sslrootcert={{}}"
    with Store(url.format(own.file)) as store, store.connected() as connection:
        assert connection.exec_driver_sql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").scalar() is True
    # The certificate is for 127.0.0.1.
    elsewhere = url.replace("127.0.0.1", "localhost").format(own.file)
    for wrong, why in (
        (url.format(other.file), "certificate verify failed"),
        (elsewhere, "server certificate for"),
        (url.format(tmp_path / "none"), "root certificate file"),
    ):
        with pytest.raises(StoreDown, match=f"{why}.*sslmode=verify-full&sslrootcert=FILE"):
            Store(wrong)


def is_stored(writer: Writer, one: object) -> bool:
    try:
        writer.put_blocking(one)  # type: ignore[arg-type]
    except StoreDown:
        return False
    return True


def test_rights_and_tables_that_are_missing_are_a_state_of_the_database_and_not_the_fault_of_a_beacon(
    pair: list[Cluster],
) -> None:
    cluster = next(one for one in pair if one.runs)
    cluster.sql("CREATE DATABASE changed")
    url = cluster.url("changed")
    with Writer(url) as writer:
        assert writer.put_blocking(arrival())
        cluster.sql("ALTER TABLE interactions RENAME TO elsewhere", "ALTER TABLE beacons RENAME TO gone", database="changed")
        waits = arrival()
        # A sender drops what is called invalid, and keeps what can be sent again.
        with pytest.raises(StoreDown, match='relation "beacons" does not exist'):
            writer.put_blocking(waits)
        cluster.sql("ALTER TABLE elsewhere RENAME TO interactions", "ALTER TABLE gone RENAME TO beacons", database="changed")
        wait_until(lambda: is_stored(writer, waits))


def test_a_primary_that_has_become_a_replica_is_left_for_the_new_one(pair: list[Cluster]) -> None:
    cluster = next(one for one in pair if one.runs)
    cluster.sql("CREATE DATABASE demoted")
    with Store(cluster.url("demoted")) as store, Writer(cluster.url("demoted")) as writer:
        assert writer.put_blocking(arrival())
        # Their connections stay open, as they do when a server is only told that it is no longer the first.
        cluster.sql("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
        try:
            with pytest.raises(StoreDown, match=r"read-only transaction.*target_session_attrs=read-write"):
                store.schedulers.register("one", "host", 1, "here", arrival().received_at)
            with pytest.raises(StoreDown, match="read-only"):
                writer.put_blocking(arrival())
        finally:
            cluster.sql(
                "SET default_transaction_read_only = off",
                "ALTER SYSTEM RESET default_transaction_read_only",
                "SELECT pg_reload_conf()",
            )
        wait_until(lambda: is_stored(writer, arrival()))
        store.schedulers.register("one", "host", 1, "here", arrival().received_at)


def test_a_server_that_hangs_is_noticed_and_left(postgres: object, migrated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.PatientConnection, "patience", 0.5)
    monkeypatch.setattr(server, "ANSWER", 0.5)
    url = postgres(like=migrated)  # type: ignore[operator]
    address, _, database = url.rpartition("/")
    with Wire(int(address.rpartition(":")[2])) as wire, ExitStack() as stack:
        store = stack.enter_context(Store(f"{address.rpartition(':')[0]}:{wire.port}/{database}?connect_timeout=2"))
        assert store.count() == 0
        with store.engine.connect() as connection:
            wire.freeze()
            with pytest.raises(DBAPIError) as caught:
                connection.exec_driver_sql("SELECT 1")
        assert "has not answered for 0.5 s; look for what holds the server up" in describe_failure(caught.value)
        with pytest.raises(StoreDown, match="timeout expired"):
            store.count()
        wire.mend()
        assert store.count() == 0


def test_a_long_statement_is_let_end_where_it_may_take_long(
    postgres: object, migrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.PatientConnection, "patience", 0.3)
    monkeypatch.setattr(server, "ANSWER", 0.3)
    with Store(postgres(like=migrated)) as store:  # type: ignore[operator]
        with pytest.raises(StoreDown, match="has not answered"), store.connected() as connection:
            connection.exec_driver_sql("SELECT pg_sleep(1)")
        with store.connected() as connection:
            patience.allow_any_time(connection)
            assert connection.exec_driver_sql("SELECT pg_sleep(1), 1").one()[1] == 1
        with pytest.raises(StoreDown, match="has not answered"), store.connected() as connection:
            connection.exec_driver_sql("SELECT pg_sleep(1)")


def test_more_pages_than_connections_are_told_so_instead_of_failing(
    postgres: object, migrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "FREE", 0.2)
    with Store(postgres(like=migrated)) as store:  # type: ignore[operator]
        held = [store.engine.connect() for _ in range(15)]
        with pytest.raises(StoreDown, match="all connections to it are in use"):
            store.count()
        for one in held:
            one.close()
        assert store.count() == 0


def test_a_full_disk_of_the_server_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    with clusters() as (full, _):
        full.folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=90m,mode=755", "tmpfs", full.folder], check=True)
        try:
            full.create()
            full.start()
            full.sql("CREATE DATABASE journeys")
            url = full.url("journeys")
            with Store(url) as store, Writer(url) as writer:
                check_full_disk(full, store, writer)
        finally:
            if full.runs:
                full.stop()
            subprocess.run(["umount", "-l", full.folder], check=True)


def check_full_disk(full: Cluster, store: Store, writer: Writer) -> None:
    first = arrival()
    assert writer.put_blocking(first)
    ballast = full.folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 8192):
                continue
        except OSError:
            assert os.statvfs(full.folder).f_bavail == 0
    acknowledged, waits = [first], arrival()
    for _ in count():
        try:
            writer.put_blocking(waits)
        except StoreDown as error:
            said = str(error)
            break
        acknowledged.append(waits)
        waits = arrival()
    # The server may also end, since it cannot write its log any more; then there is nobody who could say why.
    assert "make room on the disk of the database" in said or "cannot be used" in said
    ballast.unlink()
    wait_until(lambda: (full.runs and answers(full)) or restart(full), "the server")
    wait_until(lambda: is_stored(writer, waits), "the beacon that was refused")
    wait_until(lambda: store.find_trouble() == "", "the store works again")
    ids = [one for (one,) in full.sql("SELECT id FROM beacons", database="journeys")]
    assert sorted(ids) == sorted(one.beacon.id for one in (*acknowledged, waits))


def answers(cluster: Cluster) -> bool:
    import psycopg

    try:
        with closing(psycopg.connect(cluster.url("postgres").replace("+psycopg", ""), connect_timeout=2)):
            return True
    except psycopg.OperationalError:
        return False


def restart(cluster: Cluster) -> bool:
    """As a service manager does with a server that has ended."""
    try:
        cluster.start()
    except subprocess.CalledProcessError:
        return False
    return True
