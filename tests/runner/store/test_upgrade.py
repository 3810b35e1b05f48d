"""An upgrade is whole or not there, and a database of another program is left alone, in both databases."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, inspect, text

from runner.errors import ConfigError
from runner.store import Store, StoreDown
from runner.store.migrations.new_file import STATEMENTS, read_statements
from runner.store.migrations.upgrade import HEAD, RELEASED, migrations
from runner.store.tables.errors import error_states
from tests.runner.store.older import back_to
from tests.runner.store.test_store import result
from tests.support.services.databases import BOTH
from tests.support.thorough import thorough_but


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'journeys.db'}"
    make: Callable[[], str] = request.getfixturevalue("postgres")
    return make()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def make_older(url: str, revision: str) -> None:
    """A database as an earlier version has left it, with two runs."""
    with Store(url) as store:
        for journey in ("buy", "search"):
            store.add(result(journey))
        back_to(revision, store)


def read_form(url: str) -> dict[str, Any]:
    """Everything that a failed upgrade must leave as it was."""
    with connected(url) as connection:
        found = inspect(connection)
        names = sorted(found.get_table_names())
        return {
            "columns": {name: sorted(one["name"] for one in found.get_columns(name)) for name in names},
            "indices": {name: sorted(str(one["name"]) for one in found.get_indexes(name)) for name in names},
            "version": connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all(),
            "runs": connection.execute(text("SELECT id, journey, status FROM runs ORDER BY id")).all(),
        }


def count(url: str) -> tuple[int, int]:
    with Store(url) as store:
        return store.count(), store.count(journey="buy")


def is_compared(one: Any, name: str | None, kind: str, *_: object) -> bool:
    """Not partitions; and ids are unique in each partition, which the partitioned table cannot say."""
    if kind == "unique_constraint":
        return one.table.name not in {"beacons", "page_views"}
    return kind != "table" or re.search(r"_(first|\d{8})$", name or "") is None


@pytest.mark.thorough
def test_every_released_form_is_upgraded_with_its_rows(url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    make_older(url, min(RELEASED))
    for revision in sorted(RELEASED):
        with Store(url) as store:
            back_to(revision, store)
        assert read_form(url)["version"] == [revision]
        assert count(url) == (2, 1)
        with connected(url) as connection:
            context = MigrationContext.configure(connection, opts={"include_object": is_compared})
            assert compare_metadata(context, error_states.metadata) == []


@pytest.mark.long
def test_a_new_file_is_what_the_migrations_make(tmp_path: Path) -> None:
    from alembic import command

    with create_engine(f"sqlite:///{tmp_path / 'migrated.db'}").connect() as migrated:
        command.upgrade(migrations(migrated), "head")
        assert read_statements(migrated) == STATEMENTS.read_text(), "call `make schema`"
    with Store(f"sqlite:///{tmp_path / 'new.db'}"), connected(f"sqlite:///{tmp_path / 'new.db'}") as new:
        assert read_statements(new) == STATEMENTS.read_text()


@pytest.mark.long
@pytest.mark.parametrize("revision", thorough_but(1, ["0001", "0002", "0005"]))
def test_an_upgrade_that_fails_midway_leaves_the_form_before_and_works_later(url: str, revision: str) -> None:
    make_older(url, revision)
    before = read_form(url)
    # A table of that name is made by a later migration than the first that is missing.
    with connected(url) as connection:
        connection.execute(text("CREATE TABLE replay_chunks (x INTEGER)"))
    for _ in range(2):
        with pytest.raises(
            StoreDown, match=rf"cannot be upgraded from schema {revision} to {HEAD}, and is as it was: .*replay_chunks"
        ):
            Store(url)
    with connected(url) as connection:
        connection.execute(text("DROP TABLE replay_chunks"))
    assert read_form(url) == before
    assert count(url) == (2, 1)


def test_a_first_migration_that_fails_leaves_an_empty_database(url: str) -> None:
    with connected(url) as connection:
        connection.execute(text("CREATE TABLE pauses (x INTEGER)"))
    with pytest.raises(ConfigError, match="belongs to another program"):
        Store(url)
    with connected(url) as connection:
        assert inspect(connection).get_table_names() == ["pauses"]
        connection.execute(text("DROP TABLE pauses"))
    assert count(url) == (0, 0)


@pytest.mark.long
def test_processes_that_upgrade_at_once_do_it_once(url: str) -> None:
    make_older(url, "0001")
    with ThreadPoolExecutor(4) as several:
        assert list(several.map(count, [url] * 4)) == [(2, 1)] * 4


FOREIGN = {
    "no version": "CREATE TABLE dashboards (id INTEGER)",
    "a version of another program": (
        "CREATE TABLE dashboards (id INTEGER); CREATE TABLE alembic_version (version_num VARCHAR(32)); "
        "INSERT INTO alembic_version VALUES ('5f1c2ab09e77')"
    ),
    "another program with versions like ours": (
        "CREATE TABLE dashboards (id INTEGER); CREATE TABLE alembic_version (version_num VARCHAR(32)); "
        "INSERT INTO alembic_version VALUES ('0003')"
    ),
}


@pytest.mark.parametrize("statements", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_database_of_another_program_is_refused_untouched(url: str, statements: str, tmp_path: Path) -> None:
    with connected(url) as connection:
        for statement in statements.split(";"):
            connection.execute(text(statement))
        before = sorted(inspect(connection).get_table_names())
    file = tmp_path / "journeys.db"
    content = file.read_bytes() if file.exists() else b""
    with pytest.raises(ConfigError, match=r"belongs to another program \(it has the tables .*dashboards"):
        Store(url)
    with connected(url) as connection:
        assert sorted(inspect(connection).get_table_names()) == before
    assert (file.read_bytes() if file.exists() else b"") == content
    assert {one.name for one in tmp_path.iterdir()} <= {"journeys.db"}


@pytest.mark.long
def test_tables_of_the_user_beside_ours_are_no_obstacle(url: str) -> None:
    make_older(url, "0004")
    with connected(url) as connection:
        connection.execute(text("CREATE TABLE notes (x INTEGER)"))
    assert count(url) == (2, 1)


def test_a_store_reports_that_its_database_broke_while_it_was_open(tmp_path: Path) -> None:
    file = tmp_path / "journeys.db"
    with Store(f"sqlite:///{file}") as store:
        store.add(result())
        assert store.find_trouble() == ""
        kept = file.rename(tmp_path / "moved.db")
        assert "was moved, removed or replaced while it was open" in store.find_trouble()
        kept.rename(file)
        assert store.find_trouble() == ""
        with closing(sqlite3.connect(file)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.write_bytes(b"\xff" * file.stat().st_size)
        assert "cannot be used" in store.find_trouble()


@pytest.mark.long
def test_a_store_reports_that_its_tables_are_gone(url: str) -> None:
    with Store(url) as store:
        assert store.find_trouble() == ""
        back_to("0004", store)
        assert "has lost its tables" in store.find_trouble()
