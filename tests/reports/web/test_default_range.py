"""A page whose address names no time range shows what there is."""

import re
from collections.abc import Callable
from time import time

import pytest

from tests.reports.web.visitors import fill, seen
from tests.support.services.dashboard import Visited, made
from tests.support.thorough import thorough_but

HOUR, DAY = 3600.0, 86_400.0


def chosen(served: Visited, path: str) -> str:
    """The range that a page says it shows."""
    found = re.search(r'range=(\w+)[^"]*" aria-current="true"', served.get(path).body.decode())
    assert found is not None
    return found[1]


@pytest.mark.long
@pytest.mark.parametrize(
    ("ages", "range_"),
    thorough_but(
        3,
        [
            ([], "24h"),
            ([60.0], "1h"),
            ([60.0, 40 * 60.0], "1h"),
            ([60.0, 3 * HOUR], "6h"),
            ([60.0, 20 * HOUR], "24h"),
            ([60.0, 300 * DAY], "24h"),
            # All of it is older than a day.
            ([3 * DAY], "7d"),
            ([40 * DAY, 50 * DAY], "90d"),
        ],
    ),
)
def test_the_range_is_as_long_as_there_are_runs_and_at_most_a_day(
    dashboard: Callable[..., Visited], ages: list[float], range_: str
) -> None:
    served = dashboard()
    for ago in ages:
        served.store.add(made(ago=ago))
    assert chosen(served, "/") == range_
    assert chosen(served, "/runs") == range_


@pytest.mark.long
def test_page_views_count_too_and_an_address_that_names_a_range_gets_it(dashboard: Callable[..., Visited]) -> None:
    served = dashboard()
    fill(served.store, [seen("/pay", time() - 4 * HOUR, 1.0)], [])
    assert chosen(served, "/users") == "6h"
    assert chosen(served, "/users?range=24h") == "24h"
    assert served.get("/users?from=2020-01-01&to=2020-01-02").status == 200
