"""Limits that hold for several servers on one database together."""

from collections.abc import Callable, Iterator

import pytest

from reports import shared_spending
from reports.collector.admission.rate_limit import RateLimit
from reports.shared_spending import PART, SpendingExchange
from reports.web.access.request_budget import RequestBudget
from runner.settings.sections.apps import App
from runner.store import Store
from runner.store.bulk_insert import Link
from tests.support.wait import wait_until

APP = App(name="shop", origins=("*",), rate=0.001, burst=40)
OFTEN = "198.51.100.0/24"


class Clock:
    """Stands still."""

    def __call__(self) -> float:
        return 1000.0


@pytest.fixture
def limits(
    postgres_copy: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[tuple[RateLimit, RequestBudget]]]:
    """Those of two servers."""
    monkeypatch.setattr(shared_spending, "PERIOD", 0.05)
    url = postgres_copy()
    made = [(RateLimit(clock=Clock()), RequestBudget(40, Clock())) for _ in range(2)]
    with Store(url) as store:
        exchanges = [SpendingExchange(store, {"messages": rate, "requests": budget}) for rate, budget in made]
        for rate, _ in made:
            # Both know the app.
            rate.take(APP, "203.0.113.0/24", 1000.0)
        heard = Link(store)
        with heard.reading():
            listening = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            listening += "AND query IN ('LISTEN journey_spent', 'SELECT 1')"
            wait_until(lambda: heard.select(listening) == [(2,)])
        heard.close()
        yield made
        for one in exchanges:
            one.close()


def test_what_one_lets_in_the_other_does_not(limits: list[tuple[RateLimit, RequestBudget]]) -> None:
    (one, _), (other, _) = limits
    assert [one.take(APP, OFTEN, 1000.0) for _ in range(30)] == [0.0] * 30
    wait_until(lambda: other.take(APP, OFTEN, 1000.0, tokens=20) > 0, "the other has heard of it")
    assert sum(other.take(APP, OFTEN, 1000.0) == 0 for _ in range(40)) <= 40 - 30 + APP.burst // PART
    assert one.take(APP, "192.0.2.0/24", 1000.0) == other.take(APP, "192.0.2.0/24", 1000.0) == 0


def test_requests_of_a_user_count_at_both(limits: list[tuple[RateLimit, RequestBudget]]) -> None:
    (_, one), (_, other) = limits
    assert [one.take("password ada") for _ in range(40)] == [0.0] * 40
    wait_until(lambda: other.take("password ada") > 0, "the other has heard of it")
    assert other.take("password bob") == 0


def test_whoever_sends_little_is_not_mentioned_and_no_network_is_named() -> None:
    rate = RateLimit(clock=Clock())
    rate.share()
    rate.take(APP, OFTEN, 1000.0)
    assert rate.take_unsaid() == {}
    rate.take(APP, OFTEN, 1000.0)
    ((key, spent),) = rate.take_unsaid().items()
    assert (spent, key.startswith("shop "), "198.51" in key) == (2, True, False)
    assert rate.take_unsaid() == {}


def test_a_debt_is_a_bucket_at_most_and_a_single_server_keeps_nothing() -> None:
    rate, budget = RateLimit(clock=Clock()), RequestBudget(40, Clock())
    rate.take(APP, OFTEN, 1000.0)
    budget.take("ada")
    assert (rate.take_unsaid(), budget.take_unsaid()) == ({}, {})
    rate.hear({f"shop {OFTEN}": 10_000, "unknown x": 5})
    assert rate.take(APP, OFTEN, 1000.0) == (1 + APP.burst) / APP.rate
    budget.hear({"ada": 10_000})
    assert budget.take("ada") == 41 * 60 / 40
