"""What happens to slots while the database is away is recorded when it is back."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from runner.dsl.plan import Plan
from runner.dsl.slots.schedule import Schedule
from runner.scheduler import slots
from runner.scheduler.metrics_endpoint import Exporter
from runner.scheduler.slots import Entry, SlotLedger
from runner.store import Store, StoreDown
from runner.store.scheduling.slots import OpenSlot, Slots
from tests.runner.dispatch.test_given_up import result
from tests.runner.test_late_slots import NIGHT, minutes, recorded
from tests.support.services.databases import url as url


class Outage:
    """A ledger of one journey that runs each ten minutes, and a store that can be away."""

    def __init__(self, store: Store, url: str) -> None:
        self.store = store
        self.away = False
        self.after_commit = False
        self._url = url
        store.slots = Slots(self._connected)
        self.ledger = SlotLedger(store, "me", Exporter(with_runs=False), lambda *_: "")
        plan = Plan(journey="buy", file=Path("buy.py"))
        self.entry = Entry(plan, Schedule(cron="*/10 * * * *"), NIGHT)

    def _connected(self) -> AbstractContextManager[Connection]:
        if self.away and self.after_commit:
            return self._cut_off()
        if self.away:
            raise StoreDown("the database is away")
        return self.store.connected()

    def _cut_off(self) -> AbstractContextManager[Connection]:
        connected = self.store.connected()

        class CutOff(AbstractContextManager[Connection]):
            def __enter__(self) -> Connection:
                return connected.__enter__()

            def __exit__(self, *how: object) -> None:
                connected.__exit__(None, None, None)
                raise StoreDown("its answer did not come")

        return CutOff()

    def recorded(self) -> list[tuple[str, str]]:
        """State and reason of each slot in the store."""
        return recorded(self._url)


@pytest.fixture
def outage(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outage]:
    monkeypatch.setattr(slots, "RETRY", -1.0)
    with Store(url) as store:
        yield Outage(store, url)


def test_what_could_not_be_recorded_is_recorded_before_anything_newer(outage: Outage) -> None:
    ledger, entry = outage.ledger, outage.entry
    outage.away = True
    ledger.pause(entry, minutes(0), "moving", minutes(0))
    ledger.miss(entry, minutes(10), "overlap", minutes(10))
    ledger.miss_between(entry, minutes(20), minutes(40), "late", minutes(45))
    ledger.retry()
    assert outage.recorded() == []
    outage.away = False
    ledger.miss(entry, minutes(40), "no worker", minutes(50))
    expected = [("paused", "moving"), ("missed", "overlap"), *[("missed", "late")] * 2, ("missed", "no worker")]
    assert outage.recorded() == expected


def test_it_is_recorded_also_if_nothing_newer_comes(outage: Outage) -> None:
    outage.away = True
    outage.ledger.miss(outage.entry, minutes(0), "down", minutes(1))
    outage.away = False
    outage.ledger.retry()
    assert outage.recorded() == [("missed", "down")]


@pytest.mark.parametrize("after_commit", [False, True], ids=["not claimed", "claimed, and no answer came"])
def test_a_slot_that_could_not_be_claimed_is_missed_or_its_run_is(outage: Outage, after_commit: bool) -> None:
    run = result()
    outage.away, outage.after_commit = True, after_commit
    begun = outage.ledger.claim(outage.entry, minutes(0), run.id, minutes(0))
    assert begun is not outage.store.shared, "who has the store to himself runs it all the same"
    if begun:
        outage.store.add(run)
    outage.away = False
    outage.ledger.retry()
    assert outage.recorded() == [("done", "") if begun else ("missed", "store")]


def test_a_slot_that_another_scheduler_has_taken_meanwhile_stays_as_it_is(outage: Outage) -> None:
    outage.away = True
    outage.ledger.miss(outage.entry, minutes(0), "overlap", minutes(0))
    outage.away = False
    assert outage.store.slots.claim("buy", "local", minutes(0), "run", "other", minutes(0))
    outage.ledger.retry()
    assert outage.recorded() == [("claimed", "")]


def test_a_run_without_a_result_has_its_slot_closed_later_unless_one_came(outage: Outage) -> None:
    gone, back = result(), result()
    for number, one in enumerate((gone, back)):
        assert outage.ledger.claim(outage.entry, minutes(10 * number), one.id, minutes(10 * number))
    outage.away = True
    outage.ledger.close_missed("buy", gone.id, "no worker")
    outage.ledger.close_killed(OpenSlot("buy", "local", minutes(10), back.id, minutes(10)))
    outage.store.add(back)
    outage.away = False
    outage.ledger.retry()
    assert outage.recorded() == [("missed", "no worker"), ("done", "")]


def test_what_waits_is_bounded(outage: Outage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(slots, "MOST_WAITING", 3)
    monkeypatch.setattr(slots, "AT_ONCE", 2)
    outage.away = True
    for number in range(5):
        outage.ledger.miss(outage.entry, NIGHT + timedelta(minutes=10 * number), f"reason {number}", minutes(60))
    outage.away = False
    outage.ledger.retry()
    assert outage.recorded() == [("missed", f"reason {number}") for number in (2, 3, 4)]
    assert "1 slot is not recorded" in caplog.text
