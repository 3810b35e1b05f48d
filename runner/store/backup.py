"""Copies of a SQLite database while it is in use, checks of one, and putting a copy in its place.

A copy is made with SQLite's online backup: one state of the database, whatever is written meanwhile. PostgreSQL has programs of its own
for this (`pg_dump`, `pg_restore`).
"""

import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from runner.errors import ConfigError
from runner.private_files import create_private_file, make_private_folder, sync_to_disk
from runner.store.database import PATIENCE, Store
from runner.store.engines.reasons import describe_failure
from runner.store.migrations.upgrade import HEAD, is_newest, read_file_form, read_form
from runner.store.transaction import StoreDown

BESIDE = ("-wal", "-shm", "-journal")
"""Suffixes of the files that SQLite keeps beside a database."""
MOST = 10
"""Problems that a check lists."""


def back_up(file: Path, copy: Path) -> None:
    """Copies the database to `copy`, which must not exist; its file appears when the copy is whole, checked and on the disk.

    Raises ConfigError for a `copy` that exists, StoreDown when the database cannot be read or the copy cannot be written.
    """
    _require_file(file)
    if copy.exists():
        raise ConfigError(f"{copy} already exists and is not overwritten; name another file")
    unfinished = copy.with_name(f".{copy.name}.{os.getpid()}.partial")
    try:
        make_private_folder(copy.parent)
        create_private_file(unfinished)
        with closing(sqlite3.connect(file, timeout=PATIENCE)) as source, closing(sqlite3.connect(unfinished)) as target:
            source.backup(target)
            # One file is the whole copy.
            target.execute("PRAGMA journal_mode = DELETE")
        problems = find_problems(unfinished)
        if problems:
            raise StoreDown(
                f"the database {file} is damaged and was not copied: {problems[0]}; `journey store check` lists it all"
            )
        sync_to_disk(unfinished)
        unfinished.rename(copy)
        sync_to_disk(copy.parent)
    except (sqlite3.Error, OSError) as error:
        raise StoreDown(f"the database {file} cannot be copied to {copy}: {error}") from error
    finally:
        for one in (unfinished, *(unfinished.with_name(unfinished.name + suffix) for suffix in BESIDE)):
            one.unlink(missing_ok=True)


def find_problems(file: Path) -> list[str]:
    """What is wrong with a database: damaged pages, rows that refer to nothing, missing tables. Empty if it is whole.

    The file is not changed. Raises ConfigError for one that another program, or a newer version, has made.
    """
    _require_file(file)
    try:
        tables, revision = read_file_form(file, PATIENCE)
        is_newest(tables, revision, str(file))
        with closing(sqlite3.connect(file, timeout=PATIENCE)) as connection:
            rows = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({MOST})") if row[0] != "ok"]
            # A row may be several problems, below a heading.
            found = [line for row in rows for line in row.splitlines() if not line.startswith("***")]
            for table, row, other, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(MOST):
                found.append(f"row {row} of {table} refers to a row of {other} that does not exist")
    except sqlite3.Error as error:
        return [f"{file}: {error}"]
    return [*found, *_find_missing(tables, revision)]


def find_server_problems(url: str) -> list[str]:
    """What is wrong with the database of a server: missing tables. Empty if there are all.

    Raises ConfigError for one that another program, or a newer version, has made, StoreDown when it cannot be reached.
    """
    from runner.store.engines.server import make_server_engine

    engine = make_server_engine(url, poolclass=NullPool)
    shown = engine.url.render_as_string(hide_password=True)
    try:
        with engine.connect() as connection:
            tables, revision = read_form(connection)
    except DBAPIError as error:
        raise StoreDown(f"the database {shown} cannot be used: {describe_failure(error)}") from error
    is_newest(tables, revision, shown)
    return _find_missing(tables, revision)


def _find_missing(tables: set[str], revision: str | None) -> list[str]:
    if revision is None:
        return ["it is empty: no schema of journey-runner"]
    if revision != HEAD:
        # An earlier form has other tables; it is upgraded when it is opened.
        return []
    from runner.store.tables import errors, replays

    known = errors.error_states.metadata.tables.keys() | replays.replay_chunks.metadata.tables.keys()
    return [f"the table {name} is missing" for name in sorted(known - tables)]


def restore(copy: Path, file: Path) -> Path | None:
    """Puts a copy in the place of the database, upgraded to the newest form; returns where the one before is kept, if there was one.

    Raises ConfigError for a copy that is damaged or not the program's own, and for a database that is in use; then nothing has changed.
    """
    if not copy.is_file():
        raise ConfigError(f"{copy} is not a file; name one that `journey store backup` has made")
    problems = find_problems(copy)
    if problems:
        raise ConfigError(f"{copy} is damaged and was not restored: {problems[0].removeprefix(f'{copy}: ')}")
    incoming = file.with_name(f".{file.name}.{os.getpid()}.partial")
    kept = file.with_name(f"{file.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}") if file.exists() else None
    try:
        back_up(copy, incoming)
        # Upgraded before it is in its place: if that fails, nothing has changed.
        Store(f"sqlite:///{incoming}").close()
        if kept is not None:
            _require_unused(file)
            for suffix in ("", *BESIDE):
                with suppress(FileNotFoundError):
                    file.with_name(file.name + suffix).rename(kept.with_name(kept.name + suffix))
        incoming.rename(file)
        sync_to_disk(file.parent)
    except OSError as error:
        raise StoreDown(f"{copy} cannot be restored to {file}: {error}") from error
    finally:
        for suffix in ("", *BESIDE):
            incoming.with_name(incoming.name + suffix).unlink(missing_ok=True)
    return kept


def _require_unused(file: Path) -> None:
    """Raises ConfigError if another process has the database open. A database that is damaged counts as unused if nobody has locked it."""
    connection = sqlite3.connect(file, timeout=0, isolation_level=None)
    try:
        # In this mode SQLite asks for a lock that no other connection allows, also one that is idle.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise ConfigError(
                f"the database {file} is in use; stop `journey schedule` and `journey serve`, then restore it again"
            ) from error
    except sqlite3.DatabaseError:
        # It is damaged, which may be why it is restored.
        return
    finally:
        connection.close()


def _require_file(file: Path) -> None:
    """SQLite would create it."""
    if not file.is_file():
        raise ConfigError(f"there is no database {file}; name one with --database or --runs-dir")
