"""Slots that a scheduler comes to late: those of a maintenance window or a pause are paused, the others missed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import create_engine, text

from runner.dsl.plan import Plan
from runner.dsl.slots.schedule import Schedule
from runner.scheduler.metrics_endpoint import Exporter
from runner.scheduler.run_queue import RunQueue
from runner.scheduler.slots import Entry, Key, SlotLedger
from runner.scheduler.timetable import Timetable
from runner.settings.sections.maintenance import parse_windows
from runner.settings.settings import Settings
from runner.store import Store
from runner.store.scheduling.pauses import Pause
from tests.support.services.databases import url as url

NIGHT = datetime(2026, 11, 30, 2, tzinfo=UTC)
BACKUP = parse_windows([{"cron": "0 2 * * *", "duration": "30m", "reason": "backup"}])[0]


def minutes(count: float) -> datetime:
    return NIGHT + timedelta(minutes=count)


class Asleep:
    """A scheduler of one journey that runs each ten minutes, and that wakes up now and then."""

    def __init__(self, store: Store, url: str) -> None:
        self.exporter = Exporter(with_runs=False)
        self.pauses: list[Pause] = []
        self._url = url
        self._timetable = Timetable(Path())
        self._timetable.entries[Key("buy", "local")] = Entry(
            Plan(journey="buy", file=Path("buy.py"), timeout=60.0, retries=0), Schedule(cron="*/10 * * * *"), minutes(-20)
        )
        ledger = SlotLedger(store, "me", self.exporter, self._pause_reason)
        nothing: Any = None
        self.queue = RunQueue(
            self._timetable, ledger, nothing, self.exporter, replace(Settings(), max_delay=60.0), self._pause_reason
        )

    def _pause_reason(self, journey: str, moment: datetime) -> str:
        held = [one.describe() for one in self.pauses if one.applies_to(journey) and one.holds_at(moment)]
        return held[0] if held else "backup" if BACKUP.ends(journey, moment) else ""

    def wake(self, now: datetime) -> list[tuple[str, str]]:
        """State and reason of each recorded slot afterwards."""
        self.queue.enqueue_due(now)
        return self._recorded()

    def start(self, now: datetime) -> list[tuple[str, str]]:
        """The same after a start."""
        self.queue.catch_up(now, once=False)
        return self._recorded()

    def _recorded(self) -> list[tuple[str, str]]:
        return recorded(self._url)


def recorded(url: str) -> list[tuple[str, str]]:
    """State and reason of each slot."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT state, reason FROM slots ORDER BY slot_at")).all()
    engine.dispose()
    return [(row.state, row.reason) for row in rows]


@pytest.fixture
def asleep(url: str) -> Iterator[Asleep]:
    with Store(url) as store:
        yield Asleep(store, url)


def test_slots_of_a_maintenance_window_are_paused_however_late_they_are_noticed(asleep: Asleep) -> None:
    found = asleep.wake(minutes(45))
    assert found == [("missed", "late")] * 2 + [("paused", "backup")] * 3 + [("missed", "late")] * 2
    missed = asleep.exporter.registry.get_sample_value("synthetic_missed_slots_total", {"journey": "buy", "reason": "late"})
    assert missed == 4


def test_a_slot_before_the_window_that_is_noticed_in_it_is_late(asleep: Asleep) -> None:
    assert asleep.wake(minutes(-5))[-1] == ("missed", "late")
    assert asleep.wake(minutes(15))[-2:] == [("paused", "backup")] * 2


def test_a_slot_that_could_still_be_run_is_paused_if_the_journey_was_paused_since(asleep: Asleep) -> None:
    asleep.wake(minutes(45))
    asleep.pauses.append(Pause("buy", None, "moving", minutes(50.2)))
    assert asleep.wake(minutes(50.5))[-1] == ("paused", "moving")


def test_a_pause_does_not_reach_back(asleep: Asleep) -> None:
    asleep.pauses.append(Pause("buy", None, "moving", minutes(35)))
    assert asleep.wake(minutes(45))[-3:] == [("paused", "backup"), ("missed", "late"), ("paused", "moving")]


def test_the_newest_slot_before_a_start_that_is_not_run_is_missed_or_paused(asleep: Asleep) -> None:
    before = len(asleep.wake(minutes(45)))
    assert asleep.start(minutes(52))[before:] == [("missed", "down")], "a time of day is kept, or missed"
    asleep.pauses.append(Pause("buy", None, "moving", minutes(60.2)))
    assert asleep.start(minutes(60.5))[before + 1 :] == [("paused", "moving")]
    assert asleep.queue.waiting == 0
