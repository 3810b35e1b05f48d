"""Several collectors on one PostgreSQL: what is done by one at a time, and who goes on when that one has gone."""

import time
from collections.abc import Callable

import pytest

from reports.collector.storage import background
from reports.collector.storage.group_commit import Writer
from runner.store import Store, StoreDown
from runner.store.bulk_insert import Link
from tests.reports.collector.arrivals import arrival, check_rollups, rows
from tests.support.wait import wait_until


@pytest.mark.long
def test_one_connection_leads_and_another_does_when_it_has_gone(postgres_copy: Callable[[], str]) -> None:
    with Store(postgres_copy()) as store:
        one, other = Link(store), Link(store)
        assert [one.lead("roll-ups"), other.lead("roll-ups"), one.lead("roll-ups")] == [True, False, True]
        assert other.lead("recordings"), "each kind of work has a leader of its own"
        with one.reading():
            ((pid,),) = one.select("SELECT pg_backend_pid()")
        with store.connected() as connection:
            # As when its process was killed.
            connection.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
        wait_until(lambda: other.lead("roll-ups"))
        with pytest.raises(StoreDown):
            one.lead("roll-ups")
        assert not one.lead("roll-ups"), "it has connected again, and lost its place"
        one.close()
        other.close()


def test_in_a_file_whoever_asks_leads(tmp_path: object) -> None:
    with Store(f"sqlite:///{tmp_path}/journeys.db") as store:
        assert Link(store).lead("roll-ups")


@pytest.mark.real_time
def test_the_roll_ups_go_on_when_the_collector_that_makes_them_stops(
    postgres_copy: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "ROLL", 0.05)
    url = postgres_copy()

    def rolled() -> bool:
        return rows(url, "SELECT (SELECT value FROM marks WHERE name = 'rolled') = max(number) FROM beacons") == [(True,)]

    now = time.time()
    first = Writer(url)
    with Writer(url) as second:
        assert first.put_blocking(arrival(at=now))
        wait_until(rolled)
        first.close()
        assert second.put_blocking(arrival(at=now))
        wait_until(rolled)
    check_rollups(url)
