"""The slots of schedules: each is claimed once, whichever scheduler asks."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from runner.store.tables.runs import runs, slots
from runner.store.transaction import Transaction

SKEW = timedelta(seconds=60)
"""A slot whose claim lies this far in the future was claimed before the clock was set back: it may be claimed again."""

STORE_DOWN = "store"
"""Why a slot is missed that could not be claimed, as the database was away."""


class OpenSlot(Struct, frozen=True):
    """A slot whose run has no result yet."""

    journey: str
    location: str
    slot_at: datetime
    run: str
    claimed_at: datetime


class SlotOutcome(Struct, frozen=True):
    """What happened to a slot: `claimed` with its run, `missed` or `paused` with a reason.

    A slot that was missed has a run if it may have been claimed for it.
    """

    journey: str
    location: str
    slot_at: datetime
    state: str
    reason: str
    at: datetime
    run: str | None = None


class Slots:
    """The table of slots. Every method is one transaction and raises StoreDown when the database cannot be used."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def claim(self, journey: str, location: str, slot_at: datetime, run: str, owner: str, now: datetime) -> bool:
        """Claims a slot for a run of the scheduler `owner`; False when the slot is taken."""
        row = {"journey": journey, "location": location, "slot_at": slot_at, "run_id": run, "owner": owner}
        return self._insert(row | {"claimed_at": now, "state": "claimed", "reason": ""})

    def record(
        self, journey: str, location: str, slot_at: datetime, state: str, reason: str, owner: str, now: datetime
    ) -> bool:
        """Records a slot that is not run: `missed` or `paused`; False when the slot is taken."""
        row = {"journey": journey, "location": location, "slot_at": slot_at, "run_id": None, "owner": owner}
        return self._insert(row | {"claimed_at": now, "state": state, "reason": reason})

    def record_missed(
        self,
        journey: str,
        location: str,
        slots_at: Sequence[datetime],
        reason: str,
        owner: str,
        now: datetime,
        paused: Mapping[datetime, str] = MappingProxyType({}),
    ) -> None:
        """Records slots, in ascending order, as missed, those in `paused` as paused; those that are taken stay as they are."""
        states = {at: ("paused", paused[at]) if at in paused else ("missed", reason) for at in slots_at}
        if not slots_at:
            return
        same = and_(slots.c.journey == journey, slots.c.location == location)
        within = slots.c.slot_at.between(slots_at[0], slots_at[-1])
        row = {"journey": journey, "location": location, "run_id": None, "owner": owner, "claimed_at": now}
        try:
            with self._transaction() as connection:
                taken = set(connection.execute(select(slots.c.slot_at).where(same, within)).scalars())
                rows = [
                    row | {"slot_at": at, "state": state, "reason": why}
                    for at, (state, why) in states.items()
                    if at not in taken
                ]
                if rows:
                    connection.execute(insert(slots), rows)
        except IntegrityError:
            # Another scheduler has taken one of them meanwhile.
            for at, (state, why) in states.items():
                self.record(journey, location, at, state, why, owner, now)

    def record_later(self, outcomes: Sequence[SlotOutcome], owner: str) -> None:
        """Records what could not be recorded when it happened; slots that are taken stay as they are."""
        rows = [
            {"journey": one.journey, "location": one.location, "slot_at": one.slot_at, "run_id": one.run}
            | {"owner": owner, "claimed_at": one.at, "state": one.state, "reason": one.reason}
            for one in outcomes
        ]
        claimed = [one.run for one in outcomes if one.state == "claimed"]
        missed = [one.run for one in outcomes if one.state == "missed" and one.run is not None]
        mine = and_(slots.c.state == "claimed", slots.c.owner == owner)
        with self._transaction() as connection:
            new = postgresql.insert(slots) if connection.dialect.name == "postgresql" else sqlite.insert(slots)
            connection.execute(new.on_conflict_do_nothing(), rows)
            if claimed:
                # The result may have been stored before its slot.
                stored = select(runs.c.id).where(runs.c.id.in_(claimed))
                connection.execute(update(slots).where(mine, slots.c.run_id.in_(stored)).values(state="done"))
            if missed:
                given = {"state": "missed", "reason": STORE_DOWN}
                connection.execute(update(slots).where(mine, slots.c.run_id.in_(missed)).values(**given))

    def _insert(self, row: dict[str, Any]) -> bool:
        try:
            with self._transaction() as connection:
                connection.execute(insert(slots), [row])
            return True
        except IntegrityError:
            same = and_(*(slots.c[name] == row[name] for name in ("journey", "location", "slot_at")))
            with self._transaction() as connection:
                # One statement, so that only one of two schedulers gets the slot.
                again = update(slots).where(same, slots.c.claimed_at > row["claimed_at"] + SKEW, slots.c.state != "claimed")
                return connection.execute(again.values(**row)).rowcount == 1

    def close(self, run: str, state: str, reason: str) -> None:
        """Closes the slot of a run that has no result, unless one has come."""
        open_slot = (slots.c.run_id == run, slots.c.state == "claimed")
        with self._transaction() as connection:
            connection.execute(update(slots).where(*open_slot).values(state=state, reason=reason))

    def durations(self, journey: str, location: str, count: int) -> list[float]:
        """The seconds of a journey's newest `count` runs that took their course, oldest first."""
        with self._transaction() as connection:
            wanted = (
                select(runs.c.duration_seconds)
                .where(runs.c.journey == journey, runs.c.location == location, runs.c.status.in_(("passed", "failed", "error")))
                .order_by(runs.c.started_at.desc())
                .limit(count)
            )
            return [float(one) for one in connection.execute(wanted).scalars()][::-1]

    def newest(self, journey: str, location: str) -> datetime | None:
        """The newest recorded slot of a journey; None when there is none."""
        with self._transaction() as connection:
            return connection.execute(
                select(func.max(slots.c.slot_at)).where(slots.c.journey == journey, slots.c.location == location)
            ).scalar()

    def count_by_state(self, journey: str) -> dict[str, int]:
        """How many slots of a journey are in each state."""
        with self._transaction() as connection:
            counted = (
                select(slots.c.state, func.count().label("number")).where(slots.c.journey == journey).group_by(slots.c.state)
            )
            return {row.state: row.number for row in connection.execute(counted)}
