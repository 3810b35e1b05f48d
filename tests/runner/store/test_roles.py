"""A role of PostgreSQL that uses the tables and owns none, as docs/deploy/database.sql makes it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from reports.collector.storage.group_commit import Writer
from runner.store import Store, StoreDown
from runner.store.migrations.upgrade import RELEASED
from tests.reports.collector.arrivals import arrival
from tests.runner.store.older import back_to
from tests.runner.store.test_store import result
from tests.support.commands import run_here
from tests.test_deploy import FOLDER


def run_as_owner(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for one in statements:
            connection.execute(text(one))
    engine.dispose()


@pytest.fixture
def owner(postgres: Callable[..., str]) -> Iterator[str]:
    """The address of the owner of an empty database in which the file was run."""
    url = postgres()
    plain = url.replace("+psycopg", "")
    command = ["psql", "--no-psqlrc", "--quiet", f"--file={FOLDER / 'database.sql'}", plain]
    ended = subprocess.run(command, env={**os.environ, "DATABASE_PASSWORD": "it's"}, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    yield url
    # Roles are those of all databases of the server.
    run_as_owner(url, "DROP OWNED BY journey", "DROP ROLE journey")


def as_journey(owner: str) -> str:
    return owner.replace("//monitor@", "//journey:it%27s@")


def upgrade(folder: Path, url: str) -> tuple[int, str]:
    ended = run_here(folder, ("store", "upgrade"), {**os.environ, "JOURNEY_DATABASE": url.replace("+psycopg", "")})
    return ended.returncode, ended.stdout + ended.stderr


def test_the_role_of_the_monitor_does_all_its_work_and_changes_no_table(owner: str, tmp_path: Path) -> None:
    assert upgrade(tmp_path, owner)[0] == 0
    with Store(as_journey(owner)) as store, Writer(as_journey(owner)) as writer:
        assert store.add(result("buy"))
        assert writer.put_blocking(arrival())
        store.schedulers.register("one", "host", 1, "here", arrival().received_at)
        assert store.find_trouble() == ""
        for statement in ("CREATE TABLE more (x int)", "CREATE TEMPORARY TABLE more (x int)", "DROP TABLE runs", "TRUNCATE runs",
                          "ALTER TABLE runs ADD COLUMN more int", "SELECT pg_read_file('/etc/passwd')", "CREATE ROLE more",
                          "CREATE SCHEMA more"):  # fmt: skip
            with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), store.engine.begin() as connection:
                connection.exec_driver_sql(statement)


def test_an_upgrade_is_done_by_the_owner_alone_and_the_role_is_told_so(owner: str, tmp_path: Path) -> None:
    refusal = "let the owner of its tables do it: JOURNEY_DATABASE=postgresql://OWNER:…@HOST/NAME journey store upgrade"
    with pytest.raises(StoreDown, match=refusal):
        Store(as_journey(owner))
    code, said = upgrade(tmp_path, owner)
    assert (code, "was made, with schema" in said) == (0, True), said
    with Store(owner) as store:
        store.add(result("buy"))
        back_to(min(RELEASED), store)
    with pytest.raises(StoreDown, match=refusal):
        Store(as_journey(owner))
    code, said = upgrade(tmp_path, owner)
    assert (code, f"from schema {min(RELEASED)}" in said) == (0, True), said
    code, said = upgrade(tmp_path, as_journey(owner))
    assert (code, "nothing was changed" in said) == (0, True), said
    # What the upgrade has created can be used as well.
    with Store(as_journey(owner)) as store, Writer(as_journey(owner)) as writer:
        assert store.count() == 1
        assert writer.put_blocking(arrival())


@pytest.mark.long
def test_sqlite_is_upgraded_by_the_command_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'journeys.db'}"
    with Store(url) as store:
        back_to(min(RELEASED), store)
    assert f"from schema {min(RELEASED)}" in upgrade(tmp_path, url)[1]
    assert "nothing was changed" in upgrade(tmp_path, url)[1]
