"""The page of objectives: budget left, burn, what used it up; and when the runs are too few to say anything."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from runner.settings.sections.objectives import Objective
from tests.support.services.dashboard import Visited, made

CHECKOUT = Objective(name="checkout", journeys=("buy",), target=0.9, window=7 * 86_400)
JSON = {"accept": "application/json"}


def page(served: Visited) -> str:
    return " ".join(served.get("/objectives").body.decode().split())


def add(served: Visited, statuses: str) -> None:
    """A run for each letter, an hour apart, on the schedule; the last one just now."""
    words = {"p": "passed", "f": "failed", "e": "error"}
    for number, letter in enumerate(reversed(statuses)):
        at = datetime.now(UTC) - timedelta(hours=number, minutes=1)
        run = made(status=words[letter])
        served.store.add(replace(run, started_at=at, slot_at=at))


def test_without_objectives_the_page_says_how_to_set_one(dashboard: Callable[..., Visited]) -> None:
    assert "No objectives are set." in page(dashboard())


@pytest.mark.long
def test_what_is_left_what_used_it_up_and_what_does_not_count(dashboard: Callable[..., Visited]) -> None:
    served = dashboard(objectives=(CHECKOUT,))
    add(served, "p" * 20 + "fe" + "p" * 19)
    shown = page(served)
    assert "All budgets have something left" in shown
    assert "90% of buy pass, over 7d" in shown
    assert "75% left" in shown
    assert "1 of 4.0 bad runs used" in shown
    assert "Not counted: 1 run in which the monitor failed." in shown
    assert "pay: expected the cart, got nothing" in shown
    assert "25% of the budget" in shown


@pytest.mark.long
def test_a_budget_that_is_used_up_or_burns_too_fast_is_in_the_headline(dashboard: Callable[..., Visited]) -> None:
    served = dashboard(objectives=(CHECKOUT,))
    add(served, "p" * 20 + "fff")
    assert "No budget left: checkout" in page(served)
    assert "100% of the bad runs" in page(served)


def test_it_says_when_the_runs_are_too_few(dashboard: Callable[..., Visited]) -> None:
    served = dashboard(objectives=(Objective(name="strict", journeys=("buy",), target=0.9999),))
    add(served, "ppp")
    assert "Too few runs: " in page(served)
    assert "One bad run would use up the whole budget of 30d." in page(served)


def test_an_objective_without_runs_says_why(dashboard: Callable[..., Visited]) -> None:
    served = dashboard(objectives=(CHECKOUT,))
    assert "Nothing counts yet: no run of a journey named buy is stored." in page(served)


def test_the_api_has_the_same(dashboard: Callable[..., Visited]) -> None:
    served = dashboard(objectives=(CHECKOUT,))
    add(served, "ppf")
    (found,) = served.get("/api/v1/objectives", **JSON).json()["objectives"]
    assert (found["objective"]["name"], found["count"], found["verdict"]) == ("checkout", {"runs": 3, "bad": 1}, "undecided")
