"""Runs that somebody has asked for, in both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from runner.archive.run_id import run_id
from runner.result import RunResult
from runner.store import Store
from runner.store.queries.requested_runs import find_request_as_of, read_events, read_results
from runner.store.scheduling.locations import LocationReport
from runner.store.scheduling.requested_runs import MOST_EVENTS, KeyReused, NewRequest, WantedRun
from runner.store.scheduling.schedulers import LOST_AFTER, SILENT, read_live_locations
from runner.store.scheduling.slots import SKEW
from tests.runner.store.test_store import NOW, result
from tests.support.services.databases import empty_database

LATER = NOW + timedelta(minutes=5)
BUY = NewRequest(
    id="", who="ada", reason="demand", runs=(WantedRun("", "buy", "here"), WantedRun("", "search", "there")), deadline=LATER,
    params={"sku": "7"}, base_url="https://staging.shop.example", release="r1",
)  # fmt: skip


def new(request: NewRequest = BUY) -> NewRequest:
    """The request with ids that no other has."""
    return replace(request, id=run_id(), runs=tuple(replace(run, id=run_id()) for run in request.runs))


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database; what is stored is asked of both kinds in `make test` too."""
    return empty_database(request, tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store(url) as opened:
        yield opened


def register(store: Store, owner: str, location: str, now: datetime = NOW) -> None:
    store.schedulers.register(owner, "host", 1, location, now)


def test_a_request_is_kept_with_an_id_for_each_run(store: Store) -> None:
    made = store.requested_runs.add(new(), NOW)
    assert [(run.journey, run.location, run.state) for run in made.runs] == [
        ("buy", "here", "waiting"),
        ("search", "there", "waiting"),
    ]
    assert store.requested_runs.read(made.id) == made
    assert (made.params, made.base_url, made.release, made.who) == ({"sku": "7"}, BUY.base_url, "r1", "ada")
    assert not made.ended
    assert store.requested_runs.read("another") is None


def test_a_key_gives_the_same_request_again_or_is_refused(store: Store) -> None:
    made = store.requested_runs.add(new(), NOW, "key")
    again = store.requested_runs.add(new(replace(BUY, deadline=LATER + timedelta(minutes=1))), LATER, "key")
    assert again == made
    with pytest.raises(KeyReused):
        store.requested_runs.add(new(replace(BUY, params={})), NOW, "key")
    assert store.requested_runs.add(new(replace(BUY, who="bob")), NOW, "key").id != made.id, "keys of users are apart"
    assert store.requested_runs.add(new(), NOW).id != store.requested_runs.add(new(), NOW).id


def test_a_waiting_run_is_seen_at_its_location_and_claimed_once(store: Store) -> None:
    made = store.requested_runs.add(new(), NOW)
    (waiting,) = store.requested_runs.waiting(["here", "elsewhere"])
    assert (waiting.id, waiting.journey, waiting.params, waiting.base_url) == (
        made.runs[0].id,
        "buy",
        {"sku": "7"},
        BUY.base_url,
    )
    with ThreadPoolExecutor(8) as threads:
        claims = list(threads.map(lambda number: store.requested_runs.claim(waiting.id, f"owner {number}", NOW), range(8)))
    assert sum(claims) == 1
    assert store.requested_runs.waiting(["here"]) == []
    assert not store.requested_runs.claim(made.runs[1].id, "late", LATER), "its time is over"


def test_its_result_closes_a_claimed_run(store: Store) -> None:
    made = store.requested_runs.add(new(), NOW)
    run = made.runs[0].id
    store.requested_runs.claim(run, "owner", NOW)
    ended = replace(result("buy", run), slot_at=None, trigger="demand")
    store.add(ended)
    found = store.requested_runs.read(made.id)
    assert found is not None
    assert [(one.state, one.status) for one in found.runs] == [("done", "failed"), ("waiting", None)]
    with store.snapshot() as connection:
        kept = read_results(connection, [run, made.runs[1].id])
    assert msgspec.json.decode(kept[run], type=RunResult) == ended


def test_nobody_comes_for_a_run_in_time(store: Store) -> None:
    register(store, "alive", "here", LATER)
    made = store.requested_runs.add(new(), NOW)
    assert store.requested_runs.expire(NOW) == 0
    with store.snapshot() as connection:
        shown = find_request_as_of(connection, made.id, LATER)
        much_later = find_request_as_of(connection, made.id, LATER + SKEW)
    assert store.requested_runs.expire(LATER) == 2
    found = store.requested_runs.read(made.id)
    assert found is not None
    assert shown == made, "the clock of a scheduler may be behind"
    assert much_later is not None
    assert (much_later.ended, {run.state for run in much_later.runs}) == (True, {"expired"}), "before it is recorded"
    assert found.ended
    assert [one.state for one in found.runs] == ["expired", "expired"]
    assert "all its workers were busy" in found.runs[0].detail
    assert found.runs[1].detail == "no scheduler for location there"


def test_a_location_lives_by_its_scheduler_or_by_workers_that_one_has_heard_of(store: Store) -> None:
    register(store, "one", "here")
    there = LocationReport(location="there", seen_at=NOW, workers=2)
    store.locations.report("one", [there, LocationReport(location="nobody")], NOW)
    with store.connected() as connection:
        assert read_live_locations(connection, NOW) == {"here", "there"}
        assert read_live_locations(connection, NOW + 2 * SILENT) == set()


def test_what_has_not_begun_is_cancelled(store: Store) -> None:
    made = store.requested_runs.add(new(), NOW)
    store.requested_runs.claim(made.runs[0].id, "owner", NOW)
    assert store.requested_runs.cancel(made.id, NOW) == 1
    found = store.requested_runs.read(made.id)
    assert found is not None
    assert [one.state for one in found.runs] == ["claimed", "cancelled"]
    assert store.requested_runs.close(made.runs[0].id, "refused", "no such journey", NOW)
    assert not store.requested_runs.close(made.runs[0].id, "refused", "twice", NOW)


def test_claimed_runs_of_a_scheduler_that_is_gone_are_adopted_once(store: Store) -> None:
    register(store, "dead", "here")
    register(store, "next", "here")
    made = store.requested_runs.add(new(), NOW)
    store.requested_runs.claim(made.runs[0].id, "dead", NOW)
    assert store.requested_runs.adopt_orphans("next") == []
    store.schedulers.unregister("dead")
    (orphan,) = store.requested_runs.adopt_orphans("next")
    assert (orphan.id, orphan.journey, orphan.reason) == (made.runs[0].id, "buy", "demand")
    assert store.requested_runs.adopt_orphans("next") == []


def shown_at(store: Store, request: str, now: datetime) -> list[str]:
    with store.snapshot() as connection:
        found = find_request_as_of(connection, request, now)
    assert found is not None
    return [one.state for one in found.runs]


def test_a_claimed_run_is_lost_when_its_scheduler_is_silent_and_no_other_takes_it_over(store: Store) -> None:
    register(store, "dead", "here")
    made = store.requested_runs.add(new(replace(BUY, deadline=NOW + timedelta(days=1))), NOW)
    store.requested_runs.claim(made.runs[0].id, "dead", NOW)
    later = NOW + timedelta(minutes=4)
    store.schedulers.heartbeat("dead", later)
    assert shown_at(store, made.id, later + LOST_AFTER - timedelta(seconds=1)) == ["claimed", "waiting"]
    assert shown_at(store, made.id, later + LOST_AFTER) == ["lost", "waiting"]
    register(store, "next", "here", later + SILENT)
    store.schedulers.adopt_orphans("next", later + SILENT + SKEW, alone=False)
    assert shown_at(store, made.id, later + LOST_AFTER) == ["claimed", "waiting"], "it is about to take it over"
    assert shown_at(store, made.id, later + SILENT + LOST_AFTER) == ["lost", "waiting"], "it has died as well"
    assert len(store.requested_runs.adopt_orphans("next")) == 1
    assert shown_at(store, made.id, later + LOST_AFTER) == ["claimed", "waiting"]
    store.add(replace(result("buy", made.runs[0].id), slot_at=None, trigger="demand"))
    assert shown_at(store, made.id, later + 9 * LOST_AFTER) == ["done", "waiting"], "what has come counts"


def test_events_are_read_from_where_a_reader_is(store: Store) -> None:
    made = store.requested_runs.add(new(), NOW)
    buy, search = (run.id for run in made.runs)
    store.requested_runs.add_events([(search, 0, NOW, "{}"), (buy, 0, NOW, "{}"), (buy, 1, NOW, '{"x":1}')])
    store.requested_runs.add_events([(buy, MOST_EVENTS, NOW, "{}")])
    with store.snapshot() as connection:
        everything = read_events(connection, {buy: 0, search: 0})
        assert sorted(everything) == sorted([(buy, 0, "{}"), (buy, 1, '{"x":1}'), (search, 0, "{}")])
        assert read_events(connection, {buy: 1, search: 1}) == [(buy, 1, '{"x":1}')]


def test_old_requests_and_events_are_removed(store: Store) -> None:
    old = store.requested_runs.add(new(), NOW)
    young = store.requested_runs.add(new(), LATER)
    store.requested_runs.add_events([(request.runs[0].id, 0, NOW, "{}") for request in (old, young)])
    assert store.requested_runs.prune(NOW - timedelta(days=1), LATER) == 0
    with store.snapshot() as connection:
        assert read_events(connection, {old.runs[0].id: 0, young.runs[0].id: 0}) == [(young.runs[0].id, 0, "{}")]
    assert store.requested_runs.prune(LATER, LATER) == 1
    assert store.requested_runs.read(old.id) is None
    assert store.requested_runs.count_waiting("ada") == 2
