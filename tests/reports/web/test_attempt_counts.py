"""Attempts to sign in that several servers on one database count together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text

from reports.web.access import attempt_counts
from reports.web.access.attempt_counts import FORGOTTEN, StoredCounts, UsedOnce
from reports.web.access.passwords.backoff import AT_ONCE, FREE, AccountBudget, Backoff
from runner.store import Store
from tests.reports.web.test_access import Clock


@pytest.mark.thorough
def test_two_servers_count_together_and_keep_no_name(postgres_copy: Callable[[], str]) -> None:
    clock, url = Clock(), postgres_copy()
    with Store(url) as one, Store(url) as other:
        servers = [Backoff(300, clock, counts=StoredCounts(store, "network")) for store in (one, other)]
        for number in range(FREE):
            assert servers[number % 2].attempt("198.51.100.0/24", "my-password-in-the-wrong-field") == 0
        assert [server.attempt("198.51.100.0/24") for server in servers] == [1.0, 1.0]
        assert servers[0].wait("203.0.113.0/24") == 0
        servers[1].right("198.51.100.0/24", "my-password-in-the-wrong-field")
        assert servers[0].wait("198.51.100.0/24") == 0
        budgets = [AccountBudget(clock, counts=StoredCounts(store, "account", digits=4)) for store in (one, other)]
        for number in range(AT_ONCE):
            budgets[number % 2].take("ada")
        assert [budget.wait("ada") for budget in budgets] == [2.0, 2.0]
        with one.connected() as connection:
            stored = str(connection.execute(text("SELECT * FROM access_counts")).all())
        assert "password" not in stored
        assert "ada" not in stored
        assert "198.51" not in stored


def test_what_counts_once_counts_once_at_all_servers_however_close_together(postgres_copy: Callable[[], str]) -> None:
    url = postgres_copy()
    with Store(url) as one, Store(url) as other, ThreadPoolExecutor(8) as pool:
        used = [UsedOnce(StoredCounts(store, "once"), Clock()) for store in (one, other)]
        assert sum(pool.map(lambda number: used[number % 2].is_first("state"), range(16))) == 1
        used[0].forget("state")
        assert [used[1].is_first("state"), used[0].is_first("state")] == [True, False]


def test_what_is_stored_is_bounded_and_forgotten(postgres_copy: Callable[[], str]) -> None:
    clock = Clock()
    with Store(postgres_copy()) as store:
        backoff = Backoff(300, clock, counts=StoredCounts(store, "network", most=5))
        for number in range(12):
            clock.now += 1
            backoff.wrong(f"network {number}")
        assert len(backoff) == 5
        clock.now += FORGOTTEN + 1
        backoff.wrong("another")
        assert len(backoff) == 1


def test_while_the_database_is_away_a_server_counts_for_itself_and_says_so(
    postgres_copy: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    clock, url = Clock(), postgres_copy()
    engine = create_engine(url)
    with Store(url) as store:
        backoff = Backoff(300, clock, counts=StoredCounts(store, "network"))
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE access_counts RENAME TO elsewhere"))
        for _ in range(FREE):
            assert backoff.attempt("198.51.100.0/24") == 0
        assert backoff.attempt("198.51.100.0/24") == 1
    engine.dispose()
    assert caplog.text.count("each server counts attempts to sign in for itself") == 1
    assert attempt_counts.log.name == "journey.serve"
