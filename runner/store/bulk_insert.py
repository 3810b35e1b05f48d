"""Inserts many rows with one statement, directly through the driver; used for page views, whose senders wait for the commit.

One INSERT of sixty rows costs half as much as sixty statements, and a driver lets other threads run once per statement: it would have
to wait for the event loop between any two rows. SQLite gets the rows as values of one statement; PostgreSQL, which would parse each
such statement again, gets them as one JSON document.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any
from zlib import crc32

import msgspec
from sqlalchemy import JSON, Dialect, Table
from sqlalchemy.exc import SQLAlchemyError

from runner.errors import JourneyError
from runner.store.database import Store
from runner.store.engines.reasons import describe_failure, is_rejection
from runner.store.transaction import StoreDown

CHUNKS = (128, 64, 32, 16, 8, 4, 2, 1)
"""The numbers of rows that a statement for SQLite can have: few, so that each statement stays prepared."""
AT_ONCE = 2_000
"""The number of rows in one document for PostgreSQL."""
COPIED = 16
"""The number of new rows from which on PostgreSQL gets them by COPY: that takes two answers of the server instead of one, and less for
each row."""
LONGEST = "10s"
"""The statement timeout in PostgreSQL."""

_LEADS = 0x6A6F
"""The first key of the advisory locks in PostgreSQL that say who does which work."""

Row = Sequence[Any]
_NUL = (b"\\u0000", b"\\ufffd")
"""The only character that a text in PostgreSQL cannot have, as JSON writes it, and its replacement."""


class Unstorable(JourneyError):
    """The database rejects a value: this row can never be stored."""

    exit_code = 3


def larger(table: str, column: str) -> str:
    """SQL for the larger of the value that is there and the new one, for `Insert`'s `computed`."""
    return f'CASE WHEN excluded."{column}" > {table}."{column}" THEN excluded."{column}" ELSE {table}."{column}" END'


def smaller(table: str, column: str) -> str:
    """SQL for the smaller of the two."""
    return f'CASE WHEN excluded."{column}" < {table}."{column}" THEN excluded."{column}" ELSE {table}."{column}" END'


class Insert:
    """The text of an INSERT of many rows into a table, and what happens to a row whose key exists."""

    def __init__(
        self,
        table: Table,
        *,
        replaced: Sequence[str] = (),
        added: Sequence[str] = (),
        computed: dict[str, str] | None = None,
    ) -> None:
        """On a conflict, `replaced` columns get the new value, `added` columns the sum of old and new, and `computed` columns the
        value of their SQL, in which the new row is `excluded`."""
        self.names = [column.name for column in table.columns]
        self._table = table
        changes = [f'"{name}" = excluded."{name}"' for name in replaced]
        changes += [f'"{name}" = {table.name}."{name}" + excluded."{name}"' for name in added]
        changes += [f'"{name}" = {sql}' for name, sql in (computed or {}).items()]
        keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
        self._clash = f" ON CONFLICT ({keys}) DO UPDATE SET {', '.join(changes)}" if changes else ""
        columns = ", ".join(f'"{name}"' for name in self.names)
        self._head = f"INSERT INTO {table.name} ({columns}) "
        self.copying = f"COPY {table.name} ({columns}) FROM STDIN"
        """The statement for rows of which none is there, in PostgreSQL."""

    def of_values(self, rows: int) -> str:
        """The statement with `?` for each value."""
        row = f"({', '.join('?' * len(self.names))})"
        return f"{self._head}VALUES {', '.join([row] * rows)}{self._clash}"

    def of_document(self, dialect: Dialect) -> str:
        """The statement with one `?` for an array of objects."""
        values, types = [], []
        for column in self._table.columns:
            is_json = isinstance(column.type, JSON)
            values.append(f'"{column.name}"' + ("::json" if is_json else ""))
            types.append(f'"{column.name}" {"text" if is_json else column.type.compile(dialect)}')
        source = f"json_to_recordset(?::json) AS given({', '.join(types)})"
        return f"{self._head}SELECT {', '.join(values)} FROM {source}{self._clash}"


class Link:
    """A connection of one thread, opened when it is needed and again after an error.

    Raises StoreDown when the database cannot be used, Unstorable when it rejects a value.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dialect = store.engine.dialect
        self.sqlite = self._dialect.name == "sqlite"
        self.for_update = "" if self.sqlite else " FOR UPDATE"
        """The end of a query that locks its rows until the transaction ends."""
        self._texts: dict[tuple[str | Insert, int], str] = {}
        self._begun = False
        self._leads: set[str] = set()
        self._done: set[str] = set()
        self._doing: set[str] = set()
        self._channels: set[str] = set()
        self._cursor: Any = None
        self._connection: Any = None
        driver: Any = self._dialect.loaded_dbapi
        self._refusals = (driver.DataError, driver.IntegrityError, driver.ProgrammingError, UnicodeError, OverflowError)
        self._failures = (driver.Error, SQLAlchemyError, OSError)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A connection for queries, each of which sees what was committed before it."""
        try:
            if self._connection is None:
                self._open()
            yield
        except (*self._refusals, *self._failures) as error:
            if isinstance(error, self._refusals) and is_rejection(error):
                self._undo()
                raise Unstorable(f"the database {self._store.shown} rejected a value: {describe_failure(error)}") from error
            self.close()
            raise StoreDown(f"the database {self._store.shown} cannot be used: {describe_failure(error)}") from error
        except BaseException:
            self._undo()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction; in SQLite it holds the write lock from the start."""
        with self.reading():
            self._cursor.execute("BEGIN IMMEDIATE" if self.sqlite else "BEGIN")
            self._begun = True
            self._doing.clear()
            yield
            self._cursor.execute("COMMIT")
            self._begun = False
            self._done |= self._doing

    def lead(self, work: str) -> bool:
        """Whether this connection is the one that does a kind of work which one process at a time does.

        In PostgreSQL it is the first that asks, until it is closed or its process has died; a SQLite file has one server.
        """
        if self.sqlite:
            return True
        with self.reading():
            if work in self._leads:
                # What was lost with the connection, another may have by now.
                self.select("SELECT 1")
            elif self.select("SELECT pg_try_advisory_lock(?, ?)", _LEADS, crc32(work.encode()) >> 1) == [(True,)]:
                self._leads.add(work)
        return work in self._leads

    def insert(self, statement: Insert, rows: Sequence[Row]) -> None:
        """Stores rows, whose values are in the order of the table's columns."""
        if not self.sqlite:
            for start in range(0, len(rows), AT_ONCE):
                document = [dict(zip(statement.names, row, strict=True)) for row in rows[start : start + AT_ONCE]]
                self._run(statement, (msgspec.json.encode(document).replace(*_NUL).decode(),))
            return
        start = 0
        for size in CHUNKS:
            while len(rows) - start >= size:
                self._run(statement, list(chain.from_iterable(rows[start : start + size])), size)
                start += size

    def listen(self, channel: str, hear: Callable[[str], None]) -> None:
        """Has `hear` called with what other connections to PostgreSQL notify, whenever this one gets an answer."""
        with self.reading():
            if channel not in self._channels:
                own = self._connection.info.backend_pid
                self._connection.add_notify_handler(lambda one: hear(one.payload) if one.pid != own else None)
                self._run(f"LISTEN {channel}", ())
                self._channels.add(channel)

    def add(self, statement: Insert, rows: Sequence[Row], known: Sequence[Row] = ()) -> None:
        """Stores rows of which the keys of `known` are there and the others are not."""
        if self.sqlite or len(rows) < COPIED:
            self.insert(statement, [*known, *rows])
            return
        if known:
            self.insert(statement, known)
        with self._cursor.copy(statement.copying) as copy:
            for row in rows:
                copy.write_row([one.replace("\0", "\ufffd") if isinstance(one, str) else one for one in row])

    def execute(self, sql: str, *values: object) -> int:
        """Runs a statement with `?` for each value; returns how many rows it has changed."""
        self._run(sql, values)
        changed: int = self._cursor.rowcount
        return changed

    def once(self, what: str, sql: str, *values: object) -> None:
        """Runs a statement within the transaction, unless a committed one of this connection has done so already."""
        if what not in self._done:
            self.select(sql, *values)
            self._doing.add(what)

    def select(self, sql: str, *values: object) -> list[Any]:
        """The rows of a query with `?` for each value."""
        self._run(sql, values)
        rows: list[Any] = self._cursor.fetchall()
        return rows

    def among(self, sql: str, wanted: Iterable[object]) -> list[Any]:
        """The rows of a query that ends with a column, where that column is one of `wanted`, which may be empty."""
        values = list(wanted)
        if not self.sqlite:
            return self.select(f"{sql} = ANY(?)", values) if values else []
        rows: list[Any] = []
        for start in range(0, len(values), CHUNKS[0]):
            part = values[start : start + CHUNKS[0]]
            size = next(size for size in reversed(CHUNKS) if size >= len(part))
            part += [part[-1]] * (size - len(part))
            self._run(f"{sql} IN ({', '.join('?' * size)})", part)
            rows += self._cursor.fetchall()
        return rows

    def close(self) -> None:
        """Closes the connection; the next transaction opens another."""
        connection, self._connection, self._cursor, self._begun = self._connection, None, None, False
        self._leads.clear()
        self._done.clear()
        self._channels.clear()
        if connection is not None:
            # The driver's own: SQLAlchemy would roll back first, and log at length that the other side has closed it.
            connection.close()

    def _open(self) -> None:
        connection = self._store.engine.raw_connection()
        driver: Any = connection.driver_connection
        # Detached from the pool, since nobody else may get a connection whose transactions are managed by its user.
        connection.detach()
        self._connection = driver
        self._cursor = driver.cursor()
        if self.sqlite:
            driver.isolation_level = None
            # Indices are written to in many places: this way, each page of the file is written once per several groups.
            self._cursor.execute("PRAGMA wal_autocheckpoint = 4000")
            self._cursor.execute("PRAGMA cache_size = -8000")
            return
        driver.autocommit = True
        self._cursor.execute(f"SET statement_timeout = '{LONGEST}'")
        # Rows are looked up by key; a plan that was chosen while a table was small would read all of it once it is large.
        self._cursor.execute("SET enable_seqscan = off")
        self._cursor.execute("SET jit = off")
        # What is acknowledged must be on the disk, whatever the server's default is.
        self._cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )

    def _undo(self) -> None:
        if not self._begun:
            return
        self._begun = False
        try:
            self._cursor.execute("ROLLBACK")
        except self._failures:
            self.close()

    def _run(self, statement: str | Insert, values: Sequence[object], rows: int = 0) -> None:
        if not self.sqlite:
            # The only character that a text in PostgreSQL cannot have.
            values = [one.replace("\0", "\ufffd") if isinstance(one, str) and "\0" in one else one for one in values]
        self._cursor.execute(self._text(statement, rows), values)

    def _text(self, statement: str | Insert, rows: int) -> str:
        known = self._texts.get((statement, rows))
        if known is None:
            text = statement
            if isinstance(text, Insert):
                text = text.of_values(rows) if self.sqlite else text.of_document(self._dialect)
            known = self._texts[statement, rows] = text if self.sqlite else text.replace("?", "%s")
        return known
