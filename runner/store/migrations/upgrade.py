"""Brings a database to the newest form of the schema, whole or not at all; refuses one that another program has made."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import DBAPIError

from runner.errors import ConfigError
from runner.store.engines.patience import allow_any_time
from runner.store.engines.reasons import describe_failure
from runner.store.migrations.new_file import create_tables
from runner.store.transaction import StoreDown

if TYPE_CHECKING:
    from alembic.config import Config

RELEASED = frozenset(file.name.partition("_")[0] for file in (Path(__file__).parent / "versions").glob("[0-9]*_*.py"))
HEAD = max(RELEASED)
"""The newest migration."""
VERSIONS = "alembic_version"
PATIENCE = 60.0
"""Seconds that an upgrade waits for another process that is upgrading the same database."""
_LOCK = 0x6A6F75726E6579
"""The key of the advisory lock in PostgreSQL that a process holds while it upgrades."""
_AS_OWNER = "let the owner of its tables do it: JOURNEY_DATABASE=postgresql://OWNER:…@HOST/NAME journey store upgrade"


def is_newest(tables: set[str], revision: str | None, shown: str) -> bool:
    """Whether a database with these tables needs no upgrade.

    Raises ConfigError for one that a newer version of this program, or another program, has made.
    """
    if tables <= {VERSIONS} and revision is None:
        return False
    if revision is not None and revision.isdecimal() and len(revision) == len(HEAD) and revision > HEAD:
        raise ConfigError(
            f"database: {shown} was created by a newer version of journey-runner (schema {revision}, this version "
            f"knows {HEAD}); update journey-runner"
        )
    if revision not in RELEASED or "runs" not in tables:
        named = ", ".join(sorted(tables)[:3])
        raise ConfigError(
            f"database: {shown} belongs to another program (it has the tables {named} …, and no schema of journey-runner); nothing was "
            "changed; name an empty database"
        )
    return revision == HEAD


def read_form(connection: Connection) -> tuple[set[str], str | None]:
    """The tables of a database, and its revision if it has one."""
    tables = set(inspect(connection).get_table_names())
    if VERSIONS not in tables:
        return tables, None
    found: str | None = connection.exec_driver_sql(f"SELECT version_num FROM {VERSIONS}").scalar()  # noqa: S608 (our own name)
    return tables, found


def read_file_form(file: Path, patience: float) -> tuple[set[str], str | None]:
    """As `read_form`, of a SQLite file, which stays as it is: opening it as a store would change its journal mode.

    Raises sqlite3.Error for a file that is not a database.
    """
    with closing(sqlite3.connect(file, timeout=patience)) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        tables = {name for (name,) in rows}
        if VERSIONS not in tables:
            return tables, None
        found = connection.execute(f"SELECT version_num FROM {VERSIONS}").fetchone()  # noqa: S608 (our own name)
        return tables, found[0] if found else None


def upgrade(engine: Engine, shown: str) -> str | None:
    """Applies the missing migrations in one transaction: if one fails, the database is as it was.

    Returns the revision that it was of, empty if it had no tables; None if another process has upgraded it meanwhile.
    Raises ConfigError as `is_newest` does, StoreDown when a migration fails.
    """
    with engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        of_file = engine.dialect.name == "sqlite"
        if of_file:
            # Python's sqlite3 begins a transaction by itself before a change of rows only, and so changes of tables would be final.
            driver.isolation_level = None
            driver.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000:.0f}")
            # Within a transaction it cannot be changed, and copying a table, as Alembic does in SQLite, would delete what refers to it.
            driver.execute("PRAGMA foreign_keys = OFF")
        # Another process may be upgrading it.
        allow_any_time(connection)
        revision = None
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if of_file else f"SELECT pg_advisory_xact_lock({_LOCK})")
            tables, revision = read_form(connection)
            if is_newest(tables, revision, shown):
                return None
            if of_file and not tables:
                create_tables(connection)
            else:
                # Only now: importing Alembic takes longer than opening a database that is up to date.
                from alembic import command

                command.upgrade(migrations(connection), "head")
            connection.commit()
            return revision or ""
        except DBAPIError as error:
            connection.rollback()
            raise StoreDown(
                f"the database {shown} cannot be upgraded from schema {revision or 'none'} to {HEAD}, and is as it was: "
                f"{describe_failure(error, rights=_AS_OWNER)}"
            ) from error
        finally:
            # It is not used as it was set up here.
            connection.invalidate()


def migrations(connection: Connection) -> "Config":
    """The configuration for Alembic's commands on the database of this connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config
