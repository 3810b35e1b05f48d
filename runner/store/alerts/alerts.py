"""Alerts: what is wrong with each journey, and the messages about it that are to be sent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct
from sqlalchemy import and_, func, insert, select, update

from runner.result import Status
from runner.store.alerts.mutes import Mute, end_mute
from runner.store.row_mapping import clean
from runner.store.tables.runs import alerts, messages, runs
from runner.store.transaction import Transaction

AlertKind = Literal["failing", "monitor", "flaky", "budget", "files", "regression", "location"]


_LOCK = 7_203_111
"""The key of the advisory lock in PostgreSQL under which an alert is opened or closed."""


class PastRun(Struct, frozen=True):
    """What the rules of alerts need to know about a run."""

    status: Status
    flaky: bool
    over_budget: bool
    set_aside: bool = False
    id: str = ""


class OpenAlert(Struct, frozen=True):
    """An alert that lasts."""

    opened_at: datetime
    told_at: datetime
    """When the last message about it was stored."""


class UnsentMessage(Struct, frozen=True):
    """A message that is to be sent."""

    id: int
    target: str
    title: str
    body: str
    bad: bool
    made_at: datetime


class Alerts:
    """The tables of alerts and messages. Every method is one transaction and raises StoreDown when the database cannot be used."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def past_runs(self, journey: str, location: str, count: int) -> list[PastRun]:
        """The newest `count` runs of a journey on its schedule, newest first; those that somebody started by hand do not count."""
        with self._transaction() as connection:
            wanted = (
                select(runs.c.status, runs.c.flaky, runs.c.over_budget, runs.c.set_aside, runs.c.id)
                .where(runs.c.journey == journey, runs.c.location == location, runs.c.slot_at.is_not(None))
                .order_by(runs.c.started_at.desc())
                .limit(count)
            )
            return [PastRun(*row) for row in connection.execute(wanted)]

    def open(self, journey: str, location: str) -> dict[AlertKind, OpenAlert]:
        """The open alerts of a journey."""
        with self._transaction() as connection:
            wanted = select(alerts.c.kind, alerts.c.opened_at, alerts.c.told_at).where(
                alerts.c.journey == journey, alerts.c.location == location, alerts.c.closed_at.is_(None)
            )
            return {row.kind: OpenAlert(row.opened_at, row.told_at) for row in connection.execute(wanted)}

    def locations_down(self) -> set[str]:
        """The places about which an alert is open."""
        with self._transaction() as connection:
            wanted = select(alerts.c.location).where(alerts.c.kind == "location", alerts.c.closed_at.is_(None))
            return set(connection.execute(wanted).scalars())

    def record(
        self,
        journey: str,
        location: str,
        kind: AlertKind,
        title: str,
        body: str,
        bad: bool,
        targets: Sequence[str],
        now: datetime,
        run: str | None,
        after: Mute | None = None,
        was_open: bool | None = None,
    ) -> bool:
        """Opens an alert, repeats it, or closes it if not `bad`, and stores a message for each target; all or nothing.

        `after` is a mute that has ended and is removed with that; if another scheduler has removed it before, nothing is done, and
        False is returned. So it is if the alert is not open, or is, against `was_open`: another scheduler has found the same.
        """
        with self._transaction() as connection:
            if was_open is not None and connection.dialect.name == "postgresql":
                # Schedulers find the same at the same time; the second one then sees what the first has done.
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            if after is not None and not end_mute(connection, after):
                return False
            same = and_(
                alerts.c.journey == journey, alerts.c.location == location, alerts.c.kind == kind, alerts.c.closed_at.is_(None)
            )
            number = connection.execute(select(alerts.c.id).where(same)).scalar()
            if was_open is not None and (number is not None) != was_open:
                return False
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
            return True

    def unsent(self, targets: Sequence[str]) -> list[UnsentMessage]:
        """The messages for these targets that are not sent yet, oldest first."""
        columns = [messages.c[name] for name in UnsentMessage.__struct_fields__]
        with self._transaction() as connection:
            wanted = (
                select(*columns).where(messages.c.sent_at.is_(None), messages.c.target.in_(targets)).order_by(messages.c.id)
            )
            return [UnsentMessage(*row) for row in connection.execute(wanted)]

    def mark_sent(self, message: int, now: datetime) -> None:
        """Marks the message with this id as sent."""
        with self._transaction() as connection:
            connection.execute(update(messages).where(messages.c.id == message).values(sent_at=now))
