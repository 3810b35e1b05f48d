"""Alerts that somebody has acknowledged or muted: schedulers send nothing about them for a while."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update
from sqlalchemy.engine import CursorResult

from runner.store.tables.runs import alerts, messages, mutes
from runner.store.transaction import Transaction

LONGEST_NOTE = 200


class Mute(Struct, frozen=True, kw_only=True):
    """An alert of a journey about which nothing is sent: until a time, or, without one, until the alert ends.

    Without a time it is an acknowledgement: that the alert has ended is sent. With one, nothing is sent until then, even if the alert
    ends and begins again.
    """

    journey: str
    location: str
    kind: str
    who: str
    """Empty if nobody had to sign in."""
    note: str
    made_at: datetime
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it has not ended."""
        return self.until is None or self.until > now

    def describe(self) -> str:
        """What was done, until when, by whom, and the note."""
        what = f"muted until {self.until:%Y-%m-%d %H:%M}Z" if self.until else "acknowledged"
        return what + (f" by {self.who}" if self.who else "") + (f": {self.note}" if self.note else "")


class AlertState(Struct, frozen=True, kw_only=True):
    """An alert that is open, or one that is not but is muted."""

    id: int | None = None
    journey: str
    location: str
    kind: str
    title: str = ""
    opened_at: datetime | None = None
    """None if it is not open."""
    told_at: datetime | None = None
    """When the last message about it was stored."""
    run_id: str | None = None
    mute: Mute | None = None


class Mutes:
    """The table of mutes. Every method is one transaction and raises StoreDown when the database cannot be used."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def mute(self, mute: Mute) -> None:
        """Replaces an earlier mute of the same alert; what was to be sent about it, and has not been, is not sent any more."""
        with self._transaction() as connection:
            connection.execute(delete(mutes).where(_same(mute.journey, mute.location, mute.kind)))
            connection.execute(insert(mutes), [{name: getattr(mute, name) for name in Mute.__struct_fields__}])
            open_ones = select(alerts.c.id).where(
                alerts.c.journey == mute.journey,
                alerts.c.location == mute.location,
                alerts.c.kind == mute.kind,
                alerts.c.closed_at.is_(None),
            )
            # Not deleted: in SQLite another message would get the id of one that is being sent.
            waiting = update(messages).where(messages.c.alert_id.in_(open_ones), messages.c.sent_at.is_(None))
            connection.execute(waiting.values(sent_at=mute.made_at))

    def unmute(self, journey: str, location: str, kind: str, now: datetime) -> bool:
        """Ends a mute; False if there was none. If the alert lasts, the next run sends it again."""
        with self._transaction() as connection:
            holding = or_(mutes.c.until.is_(None), mutes.c.until > now)
            change = update(mutes).where(_same(journey, location, kind), holding).values(until=now)
            return connection.execute(change).rowcount > 0

    def of_journey(self, journey: str, location: str) -> dict[str, Mute]:
        """The mutes of a journey by the kind of alert, with those that have ended and that no scheduler has seen to yet."""
        with self._transaction() as connection:
            wanted = select(mutes).where(mutes.c.journey == journey, mutes.c.location == location).order_by(mutes.c.made_at)
            return {one.kind: one for one in _read(connection.execute(wanted))}


def end_mute(connection: Connection, mute: Mute) -> bool:
    """Removes a mute that has ended, unless it was replaced; False if another scheduler has removed it before."""
    until = mutes.c.until.is_(None) if mute.until is None else mutes.c.until == mute.until
    found = connection.execute(delete(mutes).where(_same(mute.journey, mute.location, mute.kind), until))
    return found.rowcount > 0


def read_alert_states(connection: Connection, now: datetime, journey: str | None = None) -> list[AlertState]:
    """The open alerts, newest first, each with its mute if it is muted at `now`; then the mutes of alerts that are not open."""
    wanted, muted = select(alerts).where(alerts.c.closed_at.is_(None)), select(mutes)
    if journey is not None:
        wanted, muted = wanted.where(alerts.c.journey == journey), muted.where(mutes.c.journey == journey)
    holding = or_(mutes.c.until.is_(None), mutes.c.until > now)
    left = {(one.journey, one.location, one.kind): one for one in _read(connection.execute(muted.where(holding)))}
    found = [
        AlertState(
            id=row.id,
            journey=row.journey,
            location=row.location,
            kind=row.kind,
            title=row.title,
            opened_at=row.opened_at,
            told_at=row.told_at,
            run_id=row.run_id,
            mute=left.pop((row.journey, row.location, row.kind), None),
        )
        for row in connection.execute(wanted.order_by(alerts.c.opened_at.desc()))
    ]
    return found + [
        AlertState(journey=one.journey, location=one.location, kind=one.kind, mute=one)
        for one in left.values()
        if one.until is not None
    ]


def _same(journey: str, location: str, kind: str) -> ColumnElement[bool]:
    return and_(mutes.c.journey == journey, mutes.c.location == location, mutes.c.kind == kind)


def _read(rows: CursorResult[tuple[object, ...]]) -> list[Mute]:
    return [Mute(**{name: row[name] for name in Mute.__struct_fields__}) for row in rows.mappings()]
