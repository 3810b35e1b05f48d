"""While the database is away nobody can give a sign of life, so nobody was silent then."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import DataError, OperationalError

from runner.store import Store
from runner.store.engines.contact import Contact
from runner.store.scheduling.locations import LocationReport
from runner.store.scheduling.schedulers import LOST_AFTER, SILENT, is_any_scheduler_alive, read_live_locations
from tests.runner.store.test_requested_runs import BUY, new, register, shown_at
from tests.runner.store.test_store import NOW
from tests.support.services.databases import copied

LATER = NOW + LOST_AFTER


@pytest.fixture
def store(empty: Path, tmp_path: Path) -> Iterator[Store]:
    with Store(copied(empty, tmp_path)) as opened:
        yield opened


def note_failure(store: Store) -> None:
    """As if the database had been away up to now."""
    store._contact.note_failure()


def test_nobody_is_silent_who_could_not_be_heard(store: Store) -> None:
    for name in ("one", "other"):
        register(store, name, name)
    made = store.requested_runs.add(new(replace(BUY, deadline=NOW + timedelta(days=1))), NOW)
    store.requested_runs.claim(made.runs[0].id, "other", NOW)
    store.slots.claim("buy", "other", NOW, "run", "other", NOW)
    store.locations.report("other", [LocationReport(location="there", seen_at=NOW, workers=1)], NOW)
    note_failure(store)
    assert shown_at(store, made.id, LATER) == ["claimed", "waiting"]
    assert store.schedulers.adopt_orphans("one", LATER, alone=False) == []
    assert store.schedulers.count_live("other", LATER) == 1
    with store.snapshot() as connection:
        assert read_live_locations(connection, LATER) == {"one", "other", "there"}
        assert is_any_scheduler_alive(connection, LATER)
    places = {one.location: one.up for one in store.locations.report("one", [LocationReport(location="here")], LATER)}
    assert places == {"here": False, "there": True}


def test_silence_counts_again_when_everybody_has_had_the_time_to_be_heard(store: Store) -> None:
    for name in ("one", "other"):
        register(store, name, name)
    made = store.requested_runs.add(new(replace(BUY, deadline=NOW + timedelta(days=1))), NOW)
    store.requested_runs.claim(made.runs[0].id, "other", NOW)
    store.slots.claim("buy", "other", NOW, "run", "other", NOW)
    note_failure(store)
    store._contact._failed_at -= SILENT.total_seconds()
    assert shown_at(store, made.id, LATER) == ["claimed", "waiting"]
    store._contact._failed_at -= LOST_AFTER.total_seconds()
    assert shown_at(store, made.id, LATER) == ["lost", "waiting"]
    assert [one.run for one in store.schedulers.adopt_orphans("one", LATER, alone=False)] == ["run"]


def test_only_what_says_that_the_database_is_away_is_a_failure_to_reach_it() -> None:
    contact = Contact()
    contact.note(DataError("SELECT", {}, ValueError("not a number")))
    assert contact.seconds == float("inf")
    contact.note(OperationalError("SELECT", {}, ConnectionError("refused")))
    assert contact.seconds < float("inf")
