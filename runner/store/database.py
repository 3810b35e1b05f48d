"""The store: runs in and out, slots claimed, pauses kept."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from msgspec import Struct
from sqlalchemy import Connection, Engine, and_, create_engine, delete, event, func, insert, inspect, or_, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from runner.errors import ConfigError, JourneyError
from runner.installation import install_command
from runner.result import RunResult, StepResult
from runner.scheduler.alerts.rules import Kind, Past
from runner.store import rollups
from runner.store.row_mapping import artifact_row, attempt_row, clean, navigation_row, run_row, step_row
from runner.store.tables.runs import (
    alerts,
    artifacts,
    attempts,
    groups,
    messages,
    navigations,
    pauses,
    runs,
    schedulers,
    slots,
    steps,
)

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0009"
"""The newest migration."""
PATIENCE = 2.0
"""Seconds that a statement waits for a database that another process has locked."""
SKEW = timedelta(seconds=60)
"""A slot that was claimed so much later than now was claimed before the clock was set back: it may be claimed again."""
SILENT = timedelta(seconds=60)
"""A scheduler that was not seen for so long is taken for dead."""


class StoreDown(JourneyError):
    """The database cannot be used just now; what was to be stored is to be stored later."""

    exit_code = 3


class OpenSlot(Struct, frozen=True):
    """A slot whose run has no result yet."""

    journey: str
    location: str
    slot_at: datetime
    run: str
    claimed_at: datetime


class Pause(Struct, frozen=True):
    """Journeys whose name fits `pattern` are not run; until a time, or until they are resumed."""

    pattern: str
    until: datetime | None
    reason: str


class Unsent(Struct, frozen=True):
    """A message that is to be sent."""

    id: int
    target: str
    title: str
    body: str
    bad: bool
    made_at: datetime


class Store:
    """A database at an SQLAlchemy URL, brought to the newest form when it is opened.

    Raises StoreDown from every method when the database cannot be reached, is locked for long or has no room, and ConfigError
    when it is opened for an address that cannot work.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._file = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
        try:
            if self._file is not None:
                self._file.parent.mkdir(parents=True, exist_ok=True)
            self._engine = _engine(url, self._file is not None)
            try:
                self._migrate()
            except BaseException:
                self.close()
                raise
        except ModuleNotFoundError as error:
            raise ConfigError(f"database: {error.name} is missing; install it with: {install_command('postgres')}") from error
        except OSError as error:
            raise StoreDown(f"the database {self.shown} cannot be made: {error}") from error

    @property
    def shared(self) -> bool:
        """Whether several schedulers may use it."""
        return self._file is None

    @cached_property
    def shown(self) -> str:
        """The address without a password."""
        return str(self._file) if self._file else self._engine.url.render_as_string(hide_password=True)

    @property
    def engine(self) -> Engine:
        """For what keeps a connection of its own."""
        return self._engine

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A transaction for what stands elsewhere; its queries see one state of the database."""
        with self._begin() as connection:
            yield connection

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except DBAPIError as error:
            reason = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
            raise StoreDown(f"the database {self.shown} cannot be used: {reason}") from error

    def _migrate(self) -> None:
        with self._begin() as connection:
            found = _revision(connection)
            if found == HEAD:
                return
            if found is not None and found > HEAD:
                raise ConfigError(
                    f"database: {self.shown} was made by a newer version of journey-runner (form {found}, this one knows {HEAD}); "
                    "update journey-runner"
                )
            # Only now: importing Alembic takes longer than opening a database that is up to date.
            from alembic import command

            command.upgrade(migrations(connection), "head")

    # Runs

    def add(self, result: RunResult, folder: Path | None = None) -> bool:
        """Stores a run whole, closes its slot; False when it was stored before."""
        try:
            with self._begin() as connection:
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
                connection.execute(
                    update(slots).where(slots.c.run_id == result.id, slots.c.state == "claimed").values(state="done")
                )
                rollups.count(connection, result)
        except IntegrityError as error:
            if not self.missing([result.id]):
                return False
            raise StoreDown(f"the database {self.shown} does not take run {result.id}: {error.orig}") from error
        return True

    def _add_steps(self, connection: Connection, run: str, attempt: int, taken: tuple[StepResult, ...]) -> None:
        if not taken:
            return
        rows = clean([step_row(run, attempt, step) for step in taken])
        made = connection.execute(insert(steps).returning(steps.c.id, sort_by_parameter_order=True), rows).scalars().all()
        loads = [navigation_row(number, one) for number, step in zip(made, taken, strict=True) for one in step.navigations]
        if loads:
            connection.execute(insert(navigations), clean(loads))

    def missing(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids that no stored run has."""
        wanted = sorted(set(ids))
        known: set[str] = set()
        with self._begin() as connection:
            for at in range(0, len(wanted), 500):
                known.update(connection.execute(select(runs.c.id).where(runs.c.id.in_(wanted[at : at + 500]))).scalars())
        return set(wanted) - known

    def count(self, **equal: object) -> int:
        """How many runs are stored, of those whose columns have these values."""
        with self._begin() as connection:
            wanted = select(func.count()).select_from(runs).where(*(runs.c[name] == value for name, value in equal.items()))
            return connection.execute(wanted).scalar_one()

    def mark(self) -> str:
        """Another text whenever a run has been stored since; it costs no look at the runs."""
        with self._begin() as connection:
            newest = select(func.count(), func.max(rollups.journeys.c.newest_at), func.max(rollups.journeys.c.newest_run))
            return "/".join(str(value) for value in connection.execute(newest).one())

    # Slots

    def claim(self, journey: str, location: str, slot_at: datetime, run: str, owner: str, now: datetime) -> bool:
        """Takes a slot for a run of this scheduler; False when it has been taken."""
        row = {"journey": journey, "location": location, "slot_at": slot_at, "run_id": run, "owner": owner}
        return self._take(row | {"claimed_at": now, "state": "claimed", "reason": ""})

    def record(
        self, journey: str, location: str, slot_at: datetime, state: str, reason: str, owner: str, now: datetime
    ) -> bool:
        """Notes a slot that is not run: `missed` or `paused`; False when it has been taken."""
        row = {"journey": journey, "location": location, "slot_at": slot_at, "run_id": None, "owner": owner}
        return self._take(row | {"claimed_at": now, "state": state, "reason": reason})

    def _take(self, row: dict[str, Any]) -> bool:
        try:
            with self._begin() as connection:
                connection.execute(insert(slots), [row])
            return True
        except IntegrityError:
            same = and_(*(slots.c[name] == row[name] for name in ("journey", "location", "slot_at")))
            with self._begin() as connection:
                # One statement, so that of two schedulers only one takes it.
                again = update(slots).where(same, slots.c.claimed_at > row["claimed_at"] + SKEW, slots.c.state != "claimed")
                return connection.execute(again.values(**row)).rowcount == 1

    def close_slot(self, run: str, state: str, reason: str) -> None:
        """Ends the slot of a run that has no result."""
        with self._begin() as connection:
            connection.execute(update(slots).where(slots.c.run_id == run).values(state=state, reason=reason))

    def last_slot(self, journey: str, location: str) -> datetime | None:
        """The newest slot of a journey that anything is known of."""
        with self._begin() as connection:
            return connection.execute(
                select(func.max(slots.c.slot_at)).where(slots.c.journey == journey, slots.c.location == location)
            ).scalar()

    def slot_counts(self, journey: str) -> dict[str, int]:
        """How many slots of a journey are in each state."""
        with self._begin() as connection:
            counted = (
                select(slots.c.state, func.count().label("number")).where(slots.c.journey == journey).group_by(slots.c.state)
            )
            return {row.state: row.number for row in connection.execute(counted)}

    # Schedulers

    def sign_on(self, owner: str, host: str, process: int, location: str, now: datetime) -> None:
        """Makes a scheduler known."""
        row = {"id": owner, "host": host, "process": process, "location": location, "started_at": now, "seen_at": now}
        with self._begin() as connection:
            connection.execute(insert(schedulers), [row])

    def seen(self, owner: str, now: datetime) -> None:
        """Tells that a scheduler is alive."""
        with self._begin() as connection:
            connection.execute(update(schedulers).where(schedulers.c.id == owner).values(seen_at=now))

    def sign_off(self, owner: str) -> None:
        """Takes a scheduler that ends in order from the list."""
        with self._begin() as connection:
            connection.execute(delete(schedulers).where(schedulers.c.id == owner))

    def scheduled(self, now: datetime) -> bool:
        """Whether a scheduler is at work."""
        with self._begin() as connection:
            wanted = select(schedulers.c.id).where(schedulers.c.seen_at > now - SILENT).limit(1)
            return connection.execute(wanted).first() is not None

    def orphans(self, owner: str, now: datetime, alone: bool) -> list[OpenSlot]:
        """Takes over the open slots of schedulers that are dead; of all others if this one is known to be alone."""
        with self._begin() as connection:
            dead = schedulers.c.id != owner
            if not alone:
                dead = and_(dead, or_(schedulers.c.seen_at < now - SILENT, schedulers.c.seen_at > now + SKEW))
            ids = list(connection.execute(select(schedulers.c.id).where(dead)).scalars())
            if not ids:
                return []
            theirs = and_(slots.c.state == "claimed", slots.c.owner.in_(ids))
            found = connection.execute(
                select(slots.c.journey, slots.c.location, slots.c.slot_at, slots.c.run_id, slots.c.claimed_at)
                .where(theirs)
                .with_for_update()
            ).all()
            connection.execute(update(slots).where(theirs).values(owner=owner))
            connection.execute(delete(schedulers).where(schedulers.c.id.in_(ids)))
            return [OpenSlot(*row) for row in found]

    # Pauses

    def pause(self, pattern: str, until: datetime | None, reason: str, now: datetime) -> None:
        """Pauses the journeys whose name fits; an earlier pause of the same pattern is replaced."""
        with self._begin() as connection:
            connection.execute(delete(pauses).where(pauses.c.pattern == pattern))
            row = {"pattern": pattern, "until": until, "reason": reason, "made_at": now}
            connection.execute(insert(pauses), [row])

    def resume(self, name: str) -> list[str]:
        """Ends the pauses that fit a name or are written so; returns their patterns."""
        with self._begin() as connection:
            found = [
                one for one in connection.execute(select(pauses.c.pattern)).scalars() if one == name or fnmatchcase(name, one)
            ]
            connection.execute(delete(pauses).where(pauses.c.pattern.in_(found)))
            return found

    def pauses(self, now: datetime) -> list[Pause]:
        """The pauses that hold now."""
        with self._begin() as connection:
            wanted = select(pauses.c.pattern, pauses.c.until, pauses.c.reason).where(
                or_(pauses.c.until.is_(None), pauses.c.until > now)
            )
            return [Pause(*row) for row in connection.execute(wanted)]

    # What a Pushgateway holds

    def pushed(self, journey: str, location: str, gateway: str) -> None:
        """Notes that the gateway holds a group of this journey."""
        try:
            with self._begin() as connection:
                connection.execute(insert(groups), [{"journey": journey, "location": location, "gateway": gateway}])
        except IntegrityError:
            return

    def groups(self, location: str, gateway: str) -> list[str]:
        """The journeys whose group the gateway holds."""
        with self._begin() as connection:
            wanted = select(groups.c.journey).where(groups.c.location == location, groups.c.gateway == gateway)
            return list(connection.execute(wanted).scalars())

    def unpushed(self, journey: str, location: str, gateway: str) -> None:
        """Notes that the gateway's group of this journey was deleted."""
        with self._begin() as connection:
            same = and_(groups.c.journey == journey, groups.c.location == location, groups.c.gateway == gateway)
            connection.execute(delete(groups).where(same))

    # Alerts

    def past(self, journey: str, location: str, count: int) -> list[Past]:
        """The newest runs of a journey, newest first."""
        with self._begin() as connection:
            wanted = (
                select(runs.c.status, runs.c.flaky, runs.c.over_budget)
                .where(runs.c.journey == journey, runs.c.location == location)
                .order_by(runs.c.started_at.desc())
                .limit(count)
            )
            return [Past(*row) for row in connection.execute(wanted)]

    def open_alerts(self, journey: str, location: str) -> dict[Kind, datetime]:
        """What is known to be wrong with a journey, and when it was last told."""
        with self._begin() as connection:
            wanted = select(alerts.c.kind, alerts.c.told_at).where(
                alerts.c.journey == journey, alerts.c.location == location, alerts.c.closed_at.is_(None)
            )
            return {row.kind: row.told_at for row in connection.execute(wanted)}

    def alert(
        self,
        journey: str,
        location: str,
        kind: Kind,
        title: str,
        body: str,
        bad: bool,
        targets: Sequence[str],
        now: datetime,
        run: str | None,
    ) -> None:
        """Opens an alert, tells it again, or closes it if not `bad`; and stores a message for each target; all or nothing."""
        with self._begin() as connection:
            same = and_(
                alerts.c.journey == journey, alerts.c.location == location, alerts.c.kind == kind, alerts.c.closed_at.is_(None)
            )
            number = connection.execute(select(alerts.c.id).where(same)).scalar()
            if number is None:
                row = {"journey": journey, "location": location, "kind": kind, "opened_at": now, "told_at": now, "run_id": run}
                made = connection.execute(insert(alerts).returning(alerts.c.id), clean([row | {"title": title}]))
                number = made.scalar_one()
            change = update(alerts).where(alerts.c.id == number)
            connection.execute(change.values(told_at=now) if bad else change.values(told_at=now, closed_at=now))
            rows = [
                {"alert_id": number, "target": target, "title": title, "body": body, "bad": bad, "made_at": now}
                for target in targets
            ]
            if rows:
                connection.execute(insert(messages), clean(rows))

    def unsent(self, targets: Sequence[str]) -> list[Unsent]:
        """The messages for these targets that are not sent yet, oldest first."""
        columns = [messages.c[name] for name in Unsent.__struct_fields__]
        with self._begin() as connection:
            wanted = (
                select(*columns).where(messages.c.sent_at.is_(None), messages.c.target.in_(targets)).order_by(messages.c.id)
            )
            return [Unsent(*row) for row in connection.execute(wanted)]

    def sent(self, message: int, now: datetime) -> None:
        """Marks a message as sent."""
        with self._begin() as connection:
            connection.execute(update(messages).where(messages.c.id == message).values(sent_at=now))


def _engine(url: str, is_file: bool) -> Engine:
    if not is_file:
        # A server that has vanished without a word is noticed within seconds, not after the system's quarter of an hour.
        alive = {"tcp_user_timeout": 10_000, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
        return create_engine(url, pool_pre_ping=True, pool_recycle=3600, connect_args={"connect_timeout": 5, **alive})
    engine = create_engine(url, connect_args={"timeout": PATIENCE})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: object) -> None:
        # Readers do not hold up the writer, and what was committed survives a power cut.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def migrations(connection: Connection) -> "Config":
    """What Alembic's commands need to know of the migrations, for the database of a connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return found
