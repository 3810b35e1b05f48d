"""The slots of journeys on the schedule, and how what becomes of each is kept in the store."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from msgspec import Struct

from runner.dsl.plan import Plan
from runner.dsl.slots.schedule import Schedule
from runner.scheduler.metrics_endpoint import Exporter
from runner.store import Store, StoreDown
from runner.store.scheduling.slots import STORE_DOWN, OpenSlot, SlotOutcome

RETRY = 5.0
"""Seconds in which a database that does not work is not asked again."""
MAX_RECORDED = 1000
"""The slots of a gap that are recorded; all are counted."""
MOST_WAITING = 50_000
"""Slots that wait for the store, about 20 MB; when there are more, the oldest are dropped."""
AT_ONCE = 500
"""Slots that are recorded in one transaction when the store works again."""
QUIET = timedelta(hours=1)
"""After a missed slot was logged, others of the same journey and for the same reason are only counted."""
log = logging.getLogger("journey.schedule")


class Key(NamedTuple):
    """What an entry of the schedule is found by."""

    journey: str
    location: str


class Entry:
    """A journey on the schedule, at one place: `plan.location`."""

    def __init__(self, plan: Plan, schedule: Schedule, next_at: datetime) -> None:
        self.plan = plan
        self.schedule = schedule
        self.next_at = next_at
        """Its next slot."""
        self.busy = False
        """Whether a run of it waits or is under way."""
        self.several = False
        """Whether the journey is walked at other places too."""

    @property
    def name(self) -> str:
        """The name of the journey."""
        return self.plan.journey

    @property
    def location(self) -> str:
        """The place that it is walked from."""
        return self.plan.location

    @property
    def key(self) -> Key:
        """The journey and the place."""
        return Key(self.name, self.location)

    @property
    def label(self) -> str:
        """What it is called in the log: with its place if the journey has several."""
        return f"{self.name} at {self.location}" if self.several else self.name


class Due(Struct, frozen=True):
    """A slot that has come and waits for a worker; `at` is when its run may start."""

    entry: Entry
    slot: datetime
    at: datetime
    late: bool = False
    """Whether the slot was before the scheduler's start; a newer slot takes its place."""
    counts: bool = True
    """Whether it counts as missed when it is not run: not when it was before the journey's very first scheduler."""


class _Missed(Struct):
    """Missed slots of a journey for one reason, of which the first was logged."""

    logged_at: datetime
    count: int = 0


class SlotLedger:
    """Claims and records slots in the store for one scheduler, `owner`. While the store is down, what happened to them waits here.

    It is recorded before anything newer: a scheduler that is killed meanwhile leaves no gap, as the next one looks for all slots after
    the newest that is recorded.
    `pause_reason` says why a journey is paused at a time; it is empty when it is not.
    """

    def __init__(self, store: Store, owner: str, exporter: Exporter, pause_reason: Callable[[str, datetime], str]) -> None:
        self._store = store
        self._pause_reason = pause_reason
        self._owner = owner
        self._exporter = exporter
        self._failed_at = -RETRY
        self._repeated: dict[tuple[Key, str], _Missed] = {}
        self._waiting: dict[tuple[str, str, datetime], SlotOutcome] = {}
        """What could not be recorded yet, oldest first."""
        self._unclosed: dict[str, str] = {}
        """Runs without a result whose slots could not be closed yet, and why they were missed."""

    def newest(self, entry: Entry) -> datetime | None:
        """The newest recorded slot of a journey at its place. Raises StoreDown."""
        return self._store.slots.newest(entry.name, entry.location)

    def claim(self, entry: Entry, slot: datetime, run: str, now: datetime) -> bool:
        """Whether this scheduler may run the slot.

        Without the store, a scheduler that has the store to itself may; else another scheduler could run the slot too.
        """
        claimed: list[bool] = []
        name, place = entry.key
        if self._write(lambda: claimed.append(self._store.slots.claim(name, place, slot, run, self._owner, now))):
            return claimed[0]
        if not self._store.shared:
            self._keep([SlotOutcome(name, place, slot, "claimed", "", now, run)])
            return True
        # With its run, as the store may have claimed it all the same.
        self._keep([SlotOutcome(name, place, slot, "missed", STORE_DOWN, now, run)])
        self._exporter.missed.labels(entry.name, STORE_DOWN).inc()
        log.error(
            "%s was not run: without the store, another scheduler may run it too", entry.label, extra={"journey": entry.name}
        )
        return False

    def record_waiting(self) -> None:
        """Records what waits for the store. Raises StoreDown."""
        while self._waiting:
            batch = list(islice(self._waiting.items(), AT_ONCE))
            self._store.slots.record_later([one for _, one in batch], self._owner)
            for key, _ in batch:
                del self._waiting[key]
        while self._unclosed:
            run, reason = next(iter(self._unclosed.items()))
            self._store.slots.close(run, "missed", reason)
            del self._unclosed[run]

    def retry(self) -> None:
        """Records what waits for the store, if it may work again."""
        if self._waiting or self._unclosed:
            self._write(lambda: None)

    def miss(self, entry: Entry, slot: datetime, reason: str, now: datetime) -> None:
        """Counts and records a missed slot, and logs it unless the journey has missed one for the same reason within QUIET."""
        missed = self._repeated.get((entry.key, reason))
        if missed is None or now - missed.logged_at >= QUIET:
            more = f"; {missed.count} more since {missed.logged_at:%H:%M:%S}Z" if missed and missed.count else ""
            log.warning(
                "%s missed its slot of %s: %s%s", entry.label, f"{slot:%H:%M:%S}Z", reason, more, extra={"journey": entry.name}
            )
            self._repeated[entry.key, reason] = _Missed(now)
        else:
            missed.count += 1
        self.miss_quietly(entry, slot, reason, now)

    def miss_quietly(self, entry: Entry, slot: datetime, reason: str, now: datetime) -> None:
        """Counts and records a missed slot."""
        self._exporter.missed.labels(entry.name, reason).inc()
        self._record(entry, slot, "missed", reason, now)

    def miss_between(self, entry: Entry, first: datetime, end: datetime, reason: str, now: datetime) -> None:
        """Counts the slots of a journey from `first` to before `end` as missed, logs their number, and records the newest.

        Of those that are recorded, the ones at which the journey was paused are recorded as that and not counted.
        """
        newest: deque[datetime] = deque(maxlen=MAX_RECORDED)
        count = 0
        slot = first
        while slot < end:
            newest.append(slot)
            count += 1
            slot = entry.schedule.after(entry.name, slot)
        if not count:
            return
        paused = {at: why for at in newest if (why := self._pause_reason(entry.name, at))}
        missed = count - len(paused)
        if missed:
            self._exporter.missed.labels(entry.name, reason).inc(missed)
            words = f"{missed} {'slot' if missed == 1 else 'slots'} until {newest[-1]:%H:%M:%S}Z"
            log.warning("%s missed %s: %s", entry.label, words, reason, extra={"journey": entry.name})
        states = [(at, "paused", paused[at]) if at in paused else (at, "missed", reason) for at in newest]
        self._write_or_keep(
            lambda: self._store.slots.record_missed(entry.name, entry.location, list(newest), reason, self._owner, now, paused),
            [SlotOutcome(entry.name, entry.location, at, state, why, now) for at, state, why in states],
        )

    def pause(self, entry: Entry, slot: datetime, reason: str, now: datetime) -> None:
        """Records a slot that is left out because its journey is paused."""
        self._record(entry, slot, "paused", reason, now)

    def close_missed(self, journey: str, run: str, reason: str) -> None:
        """Counts a slot as missed whose run was sent away and never begun."""
        self._exporter.missed.labels(journey, reason).inc()
        log.warning("%s missed a slot: %s", journey, reason, extra={"journey": journey})
        self._close(run, reason)

    def close_killed(self, orphan: OpenSlot) -> None:
        """Closes the slot of a run that was killed with its scheduler and gets no result."""
        self._close(orphan.run, "killed")

    def back_off(self, error: StoreDown) -> None:
        """Logs that the store is down, and leaves it alone for RETRY seconds."""
        self._failed_at = time.monotonic()
        log.error("%s", error)

    def _close(self, run: str, reason: str) -> None:
        if not self._write(lambda: self._store.slots.close(run, "missed", reason)):
            self._unclosed[run] = reason

    def _record(self, entry: Entry, slot: datetime, state: str, reason: str, now: datetime) -> None:
        self._write_or_keep(
            lambda: self._store.slots.record(entry.name, entry.location, slot, state, reason, self._owner, now),
            [SlotOutcome(entry.name, entry.location, slot, state, reason, now)],
        )

    def _write_or_keep(self, write: Callable[[], object], outcomes: Sequence[SlotOutcome]) -> None:
        if not self._write(write):
            self._keep(outcomes)

    def _write(self, write: Callable[[], object]) -> bool:
        """Whether the store has taken it, and all that waited for it."""
        if time.monotonic() - self._failed_at <= RETRY:
            return False
        try:
            self.record_waiting()
            write()
        except StoreDown as error:
            self.back_off(error)
            return False
        return True

    def _keep(self, outcomes: Sequence[SlotOutcome]) -> None:
        for one in outcomes:
            self._waiting[one.journey, one.location, one.slot_at] = one
        dropped = len(self._waiting) - MOST_WAITING
        if dropped > 0:
            for key in list(islice(self._waiting, dropped)):
                del self._waiting[key]
            words = "slot is" if dropped == 1 else "slots are"
            log.error("%d %s not recorded: more than %d wait for the store", dropped, words, MOST_WAITING)
