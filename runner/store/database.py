"""The store: its database, the runs in it, and its parts: slots, schedulers, pauses, groups of metrics, alerts."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, func, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from runner.errors import ConfigError
from runner.installation import install_command
from runner.private_files import create_private_file, make_private_folder
from runner.result import GIVEN_UP, RunResult, StepResult
from runner.store import rollups
from runner.store.alerts.alerts import Alerts
from runner.store.alerts.mutes import Mutes
from runner.store.engines.contact import Contact
from runner.store.engines.file import make_file_engine
from runner.store.engines.reasons import describe_failure
from runner.store.error_states import ErrorStates
from runner.store.given_up import is_given_up, remove_given_up
from runner.store.incidents import Incidents
from runner.store.made_journeys import MadeJourneys
from runner.store.migrations.upgrade import is_newest, read_file_form, read_form, upgrade
from runner.store.row_mapping import artifact_row, attempt_row, clean, navigation_row, run_row, step_row
from runner.store.samples import Samples
from runner.store.scheduling.locations import Locations
from runner.store.scheduling.pauses import Pauses
from runner.store.scheduling.push_groups import PushGroups
from runner.store.scheduling.requested_run_tables import RequestedRuns, close_with_result
from runner.store.scheduling.schedulers import Schedulers
from runner.store.scheduling.slots import Slots
from runner.store.tables.runs import artifacts, attempts, navigations, runs, slots, steps
from runner.store.transaction import StoreDown

PATIENCE = 2.0
"""Seconds that a statement waits for a database that another process has locked."""


class Store:
    """A database at an SQLAlchemy URL, migrated to the newest version of the schema when it is opened.

    Every method raises StoreDown when the database cannot be reached, stays locked or has no room. Opening it raises ConfigError
    for a URL that cannot work.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.slots = Slots(self.connected)
        self.schedulers = Schedulers(self.connected)
        self.pauses = Pauses(self.connected)
        self.push_groups = PushGroups(self.connected)
        self.requested_runs = RequestedRuns(self.connected)
        self.locations = Locations(self.connected)
        self.alerts = Alerts(self.connected)
        self.mutes = Mutes(self.connected)
        self.error_states = ErrorStates(self.connected)
        self.samples = Samples(self.connected)
        self.incidents = Incidents(self.connected)
        self.made_journeys = MadeJourneys(self.connected)
        self.upgraded_from: str | None = None
        """The schema that it had before it was opened, empty if it had none; None if it was up to date."""
        self._contact = Contact()
        self._file = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
        try:
            if self._file is not None:
                make_private_folder(self._file.parent)
                # SQLite gives the files beside it the same mode.
                create_private_file(self._file)
            newest = self._file is not None and self._check_file(self._file)
            self._engine = _engine(url, self._file is not None)
            self._contact.watch(self._engine)
            try:
                if not newest and (self._file is not None or not self._check_server()):
                    with self._errors_as_store_down():
                        self.upgraded_from = upgrade(self._engine, self.shown)
            except BaseException:
                self.close()
                raise
            self._opened = _identity(self._file) if self._file is not None else None
        except ModuleNotFoundError as error:
            raise ConfigError(f"database: {error.name} is missing; install it with: {install_command('postgres')}") from error
        except OSError as error:
            raise StoreDown(f"the database {self.shown} cannot be created: {error}") from error

    @property
    def shared(self) -> bool:
        """Whether several schedulers may use it."""
        return self._file is None

    @cached_property
    def shown(self) -> str:
        """The address without a password."""
        return str(self._file) if self._file else self._engine.url.render_as_string(hide_password=True).replace("%2C", ",")

    @property
    def engine(self) -> Engine:
        """For callers that keep a connection of their own."""
        return self._engine

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @cached_property
    def _snapshots(self) -> Engine:
        """The engine for snapshots; in PostgreSQL each query of a transaction sees a state of its own by default."""
        if self._file is not None:
            return self._engine
        return self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A transaction, committed when its block ends."""
        with self._errors_as_store_down(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A read-only transaction: all its queries see the database as it was at the first one, whatever is written meanwhile."""
        with self._errors_as_store_down(), self._snapshots.begin() as connection:
            if self._file is not None:
                # Python's sqlite3 begins a transaction before the first change only, so each query would see a state of its own.
                connection.exec_driver_sql("BEGIN")
            yield connection

    @contextmanager
    def _errors_as_store_down(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except NoFreeConnection as error:
            raise StoreDown(f"the database {self.shown} cannot be used: all connections to it are in use") from error
        except DBAPIError as error:
            self._contact.note(error)
            if self._file is None:
                # They may lead to a server that is no longer the one to be used: a primary that has become a replica.
                self._engine.dispose()
            raise StoreDown(f"the database {self.shown} cannot be used: {describe_failure(error)}") from error

    def _check_file(self, file: Path) -> bool:
        """Whether the file is a database of the newest form. Raises ConfigError for one that is not the program's own."""
        try:
            return is_newest(*read_file_form(file, PATIENCE), self.shown)
        except sqlite3.Error as error:
            raise StoreDown(f"the database {self.shown} cannot be used: {describe_failure(error)}") from error

    def _check_server(self) -> bool:
        with self.connected() as connection:
            return is_newest(*read_form(connection), self.shown)

    def find_trouble(self) -> str:
        """Why nothing can be stored: the database is away, broken, or another than the one that was opened; empty if it works."""
        try:
            if self._file is not None and _identity(self._file) != self._opened:
                return f"the database {self.shown} was moved, removed or replaced while it was open"
            with self.connected() as connection:
                tables, revision = read_form(connection)
                # A root page that is damaged is noticed where a table is read.
                connection.execute(select(runs.c.id).limit(1)).all()
            return "" if is_newest(tables, revision, self.shown) else f"the database {self.shown} has lost its tables"
        except (StoreDown, ConfigError) as error:
            return str(error)

    # Runs

    def add(self, result: RunResult, folder: Path | None = None) -> bool:
        """Stores a run with all its parts and closes its slot; False when it was stored before."""
        try:
            with self.connected() as connection:
                self._add_run(connection, result, folder)
        except IntegrityError as error:
            if not self.missing([result.id]):
                return False
            raise StoreDown(f"the database {self.shown} rejected run {result.id}: {error.orig}") from error
        return True

    def is_given_up(self, run: str) -> bool:
        """Whether only what the scheduler said when it gave a run up is stored of it."""
        with self.connected() as connection:
            return is_given_up(connection, run)

    def given_up_among(self, ids: Iterable[str]) -> set[str]:
        """Those of these runs of which only what a scheduler said is stored."""
        wanted = sorted(set(ids))
        said = select(runs.c.id, runs.c.notes).where(runs.c.status.in_(("error", "cancelled")))
        found: set[str] = set()
        with self.connected() as connection:
            for at in range(0, len(wanted), 500):
                rows = connection.execute(said.where(runs.c.id.in_(wanted[at : at + 500])))
                found.update(row.id for row in rows if GIVEN_UP in row.notes)
        return found

    def replace(self, result: RunResult, folder: Path | None = None) -> bool:
        """Stores a run in place of what was stored when it was given up; False when its own result is stored already."""
        try:
            with self.connected() as connection:
                if not remove_given_up(connection, result.id):
                    return False
                self._add_run(connection, result, folder)
        except IntegrityError:
            # Another scheduler has replaced it meanwhile.
            return False
        return True

    def add_all(self, results: Iterable[tuple[RunResult, Path | None]]) -> None:
        """Stores new runs, each with its folder, in one transaction: all of them or, with StoreDown, none."""
        with self.connected() as connection:
            for result, folder in results:
                self._add_run(connection, result, folder)

    def _add_run(self, connection: Connection, result: RunResult, folder: Path | None) -> None:
        connection.execute(insert(runs), clean([run_row(result, folder)]))
        if result.earlier_attempts:
            rows = [attempt_row(result.id, one) for one in result.earlier_attempts]
            connection.execute(insert(attempts), clean(rows))
        self._add_steps(connection, result.id, result.attempts, result.steps)
        for earlier in result.earlier_attempts:
            self._add_steps(connection, result.id, earlier.number, earlier.steps)
        if result.artifacts:
            rows = [artifact_row(result.id, one) for one in result.artifacts]
            connection.execute(insert(artifacts), clean(rows))
        # `missed` where it was given up: what came later counts.
        open_slot = (slots.c.run_id == result.id, slots.c.state.in_(("claimed", "missed")))
        connection.execute(update(slots).where(*open_slot).values(state="done", reason=""))
        if result.trigger in {"demand", "confirm", "smoke"}:
            close_with_result(connection, result, datetime.now(UTC))
        rollups.count(connection, result)

    def _add_steps(self, connection: Connection, run: str, attempt: int, taken: tuple[StepResult, ...]) -> None:
        if not taken:
            return
        rows = clean([step_row(run, attempt, step) for step in taken])
        made = connection.execute(insert(steps).returning(steps.c.id, sort_by_parameter_order=True), rows).scalars().all()
        loads = [navigation_row(number, one) for number, step in zip(made, taken, strict=True) for one in step.navigations]
        if loads:
            connection.execute(insert(navigations), clean(loads))

    def missing(self, ids: Iterable[str]) -> set[str]:
        """The ids among these that no stored run has."""
        wanted = sorted(set(ids))
        known: set[str] = set()
        with self.connected() as connection:
            for at in range(0, len(wanted), 500):
                known.update(connection.execute(select(runs.c.id).where(runs.c.id.in_(wanted[at : at + 500]))).scalars())
        return set(wanted) - known

    def count(self, **equal: object) -> int:
        """The number of stored runs whose columns have these values."""
        with self.connected() as connection:
            wanted = select(func.count()).select_from(runs).where(*(runs.c[name] == value for name, value in equal.items()))
            return connection.execute(wanted).scalar_one()


def _engine(url: str, is_file: bool) -> Engine:
    if is_file:
        return make_file_engine(url, PATIENCE)
    # Imported here: its driver is an extra.
    from runner.store.engines.server import make_pooled_engine

    return make_pooled_engine(url)


def _identity(file: Path) -> tuple[int, int] | None:
    """Which file is there; None if none is."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
