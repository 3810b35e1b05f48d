"""A PostgreSQL that was away: the first who reads it afterwards takes nobody for dead who could not write to it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from runner.store import Store, StoreDown
from runner.store.queries.requested_runs import find_request_as_of
from runner.store.scheduling.requested_runs import NewRequest, WantedRun
from runner.store.scheduling.schedulers import LOST_AFTER, is_any_scheduler_alive
from runner.store.tables.runs import schedulers
from tests.faults.postgresql import Cluster, clusters

pytestmark = pytest.mark.thorough
RUN = "00000000-0000-7000-8000-000000000001"


@pytest.fixture(autouse=True)
def _old_server() -> None:
    """How long the server has been running counts here."""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL that can be stopped."""
    with clusters() as (first, _):
        first.create()
        first.start()
        yield first


def state(store: Store, now: datetime) -> str:
    with store.snapshot() as connection:
        found = find_request_as_of(connection, RUN, now)
        assert is_any_scheduler_alive(connection, now)
    assert found is not None
    return found.runs[0].state


def be_silent(store: Store, since: datetime) -> None:
    """As if the database had been away since then."""
    with store.connected() as connection:
        connection.execute(update(schedulers).where(schedulers.c.id == "other").values(seen_at=since))


@pytest.mark.parametrize("how", ["stop", "kill", "cut"])
def test_who_reads_it_first_after_it_was_away_takes_nobody_for_lost(cluster: Cluster, how: str) -> None:
    now = datetime.now(UTC)
    long_ago = now - 2 * LOST_AFTER
    cluster.sql("CREATE DATABASE journeys")
    url = cluster.url("journeys")
    with Store(url) as reader:
        reader.schedulers.register("own", "host", 1, "here", now)
        reader.schedulers.register("other", "host", 1, "here", now)
        wanted = (WantedRun(RUN, "buy", "here"),)
        request = NewRequest(id=RUN, who="", reason="demand", runs=wanted, deadline=now + timedelta(days=1))
        reader.requested_runs.add(request, now)
        assert reader.requested_runs.claim(RUN, "other", now - 3 * LOST_AFTER)
        be_silent(reader, long_ago)
        if how == "cut":
            cluster.cut("journeys")
        else:
            getattr(cluster, how)()
            with pytest.raises(StoreDown):
                reader.schedulers.heartbeat("own", now)
            cluster.start()
        assert state(reader, now) == "claimed"
        assert reader.schedulers.adopt_orphans("own", now, alone=False) == []
        assert reader.requested_runs.adopt_orphans("own") == [], "it is still registered"
    if how != "cut":
        with Store(url) as fresh:
            assert state(fresh, now) == "claimed", "a program that began afterwards has seen nothing of it"
