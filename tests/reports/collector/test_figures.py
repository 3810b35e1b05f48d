"""What the dashboard shows, against the same worked out from each beacon."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from reports.collector.accepted_beacon import Arrival
from reports.collector.storage.group_commit import Writer
from reports.users.rollup_queries import (
    Filter,
    cut_into_steps,
    read_apps,
    read_groups,
    read_labels,
    read_points,
    read_splits,
    read_total,
    widen_points,
)
from runner.store import Store
from runner.store.queries.time_range import Range
from runner.store.tables.histogram import bucket
from tests.reports.collector.arrivals import arrival, click, error, view, vital
from tests.reports.collector.arrivals import request as failed_request
from tests.support.asking import ask
from tests.support.services.databases import BOTH

HOUR = 3600
# In the middle of a minute, an hour and a day, some of each ago.
NOW = time.time() // 86_400 * 86_400 - 86_400 + 13.5 * HOUR + 30


def made() -> list[Arrival]:
    """Page views of ten days."""
    dice = random.Random(11)
    given = []
    for number in range(400):
        at = NOW - (dice.uniform(0, 2 * HOUR) if number % 2 else dice.uniform(0, 10 * 24 * HOUR))
        load = round(dice.lognormvariate(0.3, 0.6), 3)
        seen = view(
            started_at=at - 1, phases={"total": load}, vitals=(vital("lcp", load), vital("cls", load / 20)),
            errors=(error("bad"),) if dice.random() < 0.1 else (),
            interactions=(click("a"),), requests=(failed_request("https://shop.example/"),) if dice.random() < 0.1 else (),
        )  # fmt: skip
        labels = {
            "page": dice.choice(["/", "/item/:id"]), "browser": dice.choice(["Chrome 155", "Chrome 156", "Safari 26"]),
            "device": dice.choice(["desktop", "mobile"]), "traffic": dice.choice(["real", "real", "real", "bot"]),
            "release": dice.choice(["1.0", "1.1"]),
        }  # fmt: skip
        given.append(arrival(seen, at=at, **labels))
    given.append(arrival(view(started_at=NOW - 60), at=NOW - 30, app="admin"))
    return sorted(given, key=lambda one: one.received_at)


GIVEN = made()


@pytest.fixture(scope="module", params=BOTH)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """All page views in a database of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('figures') / 'journeys.db'}"
    else:
        url = request.getfixturevalue("postgres_copy")()
    # Many at a time are committed together.
    with Writer(url) as writer, ThreadPoolExecutor(32) as pool:
        assert all(pool.map(writer.put_blocking, GIVEN))
    with Store(url) as opened:
        yield opened


def last(hours: float, before: float = NOW) -> Range:
    return Range(datetime.fromtimestamp(before - hours * HOUR, UTC), datetime.fromtimestamp(before, UTC))


def fitting(step: int, when: Range, wanted: Callable[[Arrival], bool]) -> list[Arrival]:
    """The real users' beacons of the shop that a range in whole steps holds."""
    start = when.start.timestamp() // step * step
    end = -(-when.end.timestamp() // step) * step
    return [
        one
        for one in GIVEN
        if start <= one.beacon.views[0].started_at < end and one.beacon.app == "shop" and one.traffic == "real" and wanted(one)
    ]


def everything(_: Arrival) -> bool:
    return True


@pytest.mark.parametrize(("hours", "step"), [(0.5, 60), (2, 60), (5.9, 60), (7, HOUR), (26, HOUR), (60, HOUR), (230, HOUR)])
def test_a_figure_of_a_range_is_that_of_its_page_views(store: Store, hours: float, step: int) -> None:
    when = last(hours)
    expected = fitting(step, when, everything)
    found = ask(store, read_total, Filter(app="shop"), when, ["load", "lcp", "cls"])
    assert found.tally.views == found.tally.sessions == found.tally.interactions == len(expected) > 10
    assert found.tally.failed == found.tally.errors == sum(len(one.beacon.views[0].errors) for one in expected)
    assert found.tally.requests == sum(len(one.beacon.views[0].requests) for one in expected)
    loads = [one.beacon.views[0].phases["total"] for one in expected]
    load = found.distributions["load"]
    assert load.sum == pytest.approx(sum(loads))
    assert sum(load.buckets) == len(loads)
    assert load.buckets == found.distributions["lcp"].buckets
    assert list(load.buckets) == [sum(bucket("load", value) == place for value in loads) for place in range(25)]
    assert load.shares is not None
    assert load.shares.good == sum(value <= 2.5 for value in loads) / len(loads)
    assert load.percentile(0.75) == pytest.approx(sorted(loads)[int(len(loads) * 0.75)], rel=0.15)


@pytest.mark.parametrize(
    ("filter_", "wanted"),
    [
        (Filter(app="shop", page="/"), lambda one: one.pages[0] == "/"),
        (Filter(app="shop", device="mobile"), lambda one: one.device == "mobile"),
        (Filter(app="shop", browser="Chrome"), lambda one: one.browser.startswith("Chrome ")),
        (Filter(app="shop", release="1.1", page="/"), lambda one: one.beacon.release == "1.1" and one.pages[0] == "/"),
        (Filter(app="shop", environment="test"), lambda _: False),
    ],
)
def test_a_figure_can_be_that_of_some_page_views(store: Store, filter_: Filter, wanted: Callable[[Arrival], bool]) -> None:
    for hours, step in ((2, 60), (230, HOUR)):
        found = ask(store, read_total, filter_, last(hours), ["lcp"])
        assert found.tally.views == found.distributions["lcp"].count == len(fitting(step, last(hours), wanted))


def test_traffic_of_programs_is_apart_unless_it_is_asked_for(store: Store) -> None:
    def views(traffic: str | None) -> int:
        return ask(store, read_total, Filter(app="shop", traffic=traffic), last(240), []).tally.views

    assert views("real") + views("bot") == views(None) == 400
    assert views("synthetic") == 0


def test_the_table_of_pages_has_one_row_a_page_the_most_seen_first(store: Store) -> None:
    found = ask(store, read_groups, "page", Filter(app="shop"), last(240), ["lcp"])
    expected = fitting(HOUR, last(240), everything)
    assert {one.value: one.tally.views for one in found} == {
        page: sum(one.pages[0] == page for one in expected) for page in ("/", "/item/:id")
    }
    assert found[0].tally.views >= found[1].tally.views
    for dimension in ("device", "browser", "release", "environment"):
        groups = ask(store, read_groups, dimension, Filter(app="shop"), last(240), ["lcp"])
        assert sum(one.tally.views for one in groups) == len(expected)
    assert {one.value for one in ask(store, read_groups, "browser", Filter(app="shop"), last(240), [])} == {"Chrome", "Safari"}


@pytest.mark.parametrize(("hours", "step"), [(2, 60), (48, HOUR), (230, 86_400)])
def test_over_time_there_is_a_point_for_each_minute_hour_or_day(store: Store, hours: float, step: int) -> None:
    found = ask(store, read_points, Filter(app="shop"), last(hours), ["lcp"])
    expected: dict[float, int] = {}
    for one in fitting(step, last(hours), everything):
        at = one.beacon.views[0].started_at // step * step
        expected[at] = expected.get(at, 0) + 1
    assert [one.at.timestamp() for one in found] == sorted(expected)
    assert {one.at.timestamp(): one.tally.views for one in found} == expected
    assert {one.at.timestamp(): one.distributions["lcp"].count for one in found} == expected


def test_minutes_that_are_gone_are_told_in_hours(store: Store) -> None:
    when = last(2, before=NOW - 8 * 24 * HOUR)
    found = ask(store, read_total, Filter(app="shop"), when, ["lcp"])
    assert found.tally.views == len(fitting(HOUR, when, everything))


def test_the_labels_to_choose_from(store: Store) -> None:
    assert ask(store, read_apps) == ["admin", "shop"]
    assert ask(store, read_labels, "shop") == {
        "page": ["/", "/item/:id"], "traffic": ["bot", "real"], "environment": ["live"], "release": ["1.0", "1.1"],
        "device": ["desktop", "mobile"], "browser": ["Chrome", "Safari"],
    }  # fmt: skip
    assert ask(store, read_labels, "nobody")["page"] == []


def test_a_range_without_page_views_has_no_figures(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'journeys.db'}") as empty:
        found = ask(empty, read_total, Filter(app="shop"), last(5), ["lcp"])
        assert (found.tally.views, found.distributions["lcp"].percentile(0.75), found.distributions["lcp"].shares) == (
            0,
            None,
            None,
        )
        assert ask(empty, read_groups, "page", Filter(app="shop"), last(5), ["lcp"]) == []
        assert ask(empty, read_points, Filter(app="shop"), last(500), ["lcp"]) == []


def test_pieces_of_a_range_follow_each_other_without_a_gap() -> None:
    dice = random.Random(2)
    for _ in range(500):
        start = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(seconds=dice.uniform(0, 10**6))
        when = Range(start, start + timedelta(seconds=dice.uniform(1, 10 ** dice.uniform(1, 7))))
        cut = cut_into_steps(when, dice.choice([None, 0]))
        assert cut[0][1] <= when.start.timestamp() < cut[0][1] + cut[0][0]
        assert cut[-1][2] - cut[-1][0] < when.end.timestamp() <= cut[-1][2]
        assert all(before[2] == after[1] for before, after in pairwise(cut))
        assert all(start % step == end % step == 0 and start < end for step, start, end in cut)


@pytest.mark.parametrize(
    "which", [Filter(app="shop"), Filter(app="shop", page="/"), Filter(app="shop", browser="Safari", traffic=None)]
)
@pytest.mark.parametrize("hours", [2, 60])
def test_several_splits_at_once_are_what_each_is_alone(store: Store, which: Filter, hours: float) -> None:
    total, splits = ask(store, read_splits, ("device", "release"), which, last(hours), ["load", "cls"])
    alone = ask(store, read_total, which, last(hours), ["load", "cls"])
    assert total.tally == alone.tally
    for metric in ("load", "cls"):
        assert total.distributions[metric].buckets == alone.distributions[metric].buckets
        assert total.distributions[metric].sum == pytest.approx(alone.distributions[metric].sum)
    for dimension, groups in splits.items():
        expected = ask(store, read_groups, dimension, which, last(hours), ["load", "cls"])
        assert [(one.value, one.tally) for one in groups] == [(one.value, one.tally) for one in expected]
        assert [one.distributions["cls"].buckets for one in groups] == [one.distributions["cls"].buckets for one in expected]


def test_wider_steps_lose_nothing(store: Store) -> None:
    points = ask(store, read_points, Filter(app="shop"), last(60), ["load"])
    wide = widen_points(points, 3 * HOUR)
    assert len(wide) < len(points)
    assert all(point.at.timestamp() % (3 * HOUR) == 0 for point in wide)
    assert sum(one.tally.views for one in wide) == sum(one.tally.views for one in points)
    assert sum(one.distributions["load"].count for one in wide) == sum(one.distributions["load"].count for one in points)
