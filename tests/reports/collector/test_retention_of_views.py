"""How long page views and roll-ups are kept."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert

from reports.collector.storage import retention
from reports.collector.storage.group_commit import Writer
from reports.collector.storage.retention import RetentionPolicy, measure_usage, prune_by_age, prune_labels, prune_to_size
from reports.collector.storage.rollup_retention import measure_step, prune_rollups_to_size
from reports.collector.storage.series import ALL_PAGES, DAY, Directory, Labels
from runner.archive.run_id import run_id
from runner.store import Store
from runner.store.bulk_insert import Link
from runner.store.tables.page_views import STEPS, reasons
from runner.store.tables.replays import session_events
from tests.reports.collector.arrivals import arrival, click, error, request, rows, view, vital
from tests.support.services.databases import BOTH, empty_database
from tests.support.wait import wait_until

NOW = time.time()
TABLES = ("page_views", "vitals", "interactions", "page_errors", "slow_requests", "sessions")


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database; PostgreSQL is asked by `make thorough`."""
    return empty_database(request, tmp_path)


def fill(url: str, ages: list[float], session: str | None = None) -> None:
    """A page view with something of everything, so many seconds ago each."""
    with Writer(url) as writer:
        for age in ages:
            at = NOW - age
            seen = view(
                started_at=at - 5, vitals=(vital("lcp", 1.0), vital("cls", 0.1)), errors=(error("bad"),), interactions=(click("a"),),
                requests=(request("https://shop.example/"),),
            )  # fmt: skip
            writer.put_blocking(arrival(seen, at=at, session=session or run_id()))


def until_done(some: Callable[[], int]) -> int:
    total = 0
    while gone := some():
        total += gone
    return total


def counts(url: str) -> list[int]:
    return [rows(url, f"SELECT count(*) FROM {table}")[0][0] for table in TABLES]


def test_views_that_are_too_old_go_with_all_they_have_and_rollups_stay(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    fill(url, [40 * DAY, 35 * DAY, 31 * DAY, 31 * DAY, 31 * DAY, 29 * DAY, 0.0])
    assert counts(url) == [7, 14, 7, 7, 7, 7]
    with Store(url) as store:
        link = Link(store)
        assert prune_by_age(link, RetentionPolicy(), NOW)
        # PostgreSQL drops the day of each.
        assert counts(url)[0] == (5 if link.sqlite else 2), "a few at a time, so that beacons are not held up"
        until_done(lambda: prune_by_age(link, RetentionPolicy(), NOW))
        link.close()
    assert counts(url) == [2, 4, 2, 2, 2, 2]
    assert rows(url, "SELECT sum(views) FROM tallies WHERE step = 86400 AND series = 1") == [(7,)]
    assert rows(url, "SELECT sum(count) FROM histograms WHERE step = 3600 AND metric = 'lcp' AND series = 1") == [(7,)]
    assert rows(url, "SELECT count FROM reasons") == [(7,)]


def test_a_session_stays_until_its_last_view_has_gone(url: str) -> None:
    fill(url, [31 * DAY, 0.0], session="one-session")
    with Store(url) as store:
        link = Link(store)
        until_done(lambda: prune_by_age(link, RetentionPolicy(), NOW))
        assert counts(url) == [1, 2, 1, 1, 1, 1]
        until_done(lambda: prune_by_age(link, RetentionPolicy(), NOW + 31 * DAY))
        assert counts(url) == [0] * 6
        link.close()


def test_ids_of_beacons_are_known_for_a_day(url: str) -> None:
    fill(url, [2 * DAY, 25 * 3600, 23 * 3600, 0.0])
    with Store(url) as store:
        link = Link(store)
        prune_by_age(link, RetentionPolicy(), NOW)
        link.close()
    # PostgreSQL drops the day of each, which may end later.
    ((known,),) = rows(url, "SELECT count(*) FROM beacons")
    assert known == 2 if url.startswith("sqlite") else known in {2, 3}


def test_what_the_rollups_have_not_taken_yet_is_not_forgotten(url: str) -> None:
    with Store(url) as store:
        link = Link(store)
        fill(url, [2 * DAY])
        with link.transaction():
            link.execute("UPDATE marks SET value = 0 WHERE name = 'rolled'")
        prune_by_age(link, RetentionPolicy(), NOW)
        link.close()
    assert rows(url, "SELECT count(*) FROM beacons") == [(1,)]


def test_rollups_go_by_their_own_time_minutes_before_hours(url: str) -> None:
    ages = [401 * DAY + 3600 * 5, 300 * DAY, 5 * DAY, 2 * DAY, 0.0]
    fill(url, ages)
    with Store(url) as store:
        link = Link(store)
        until_done(lambda: prune_by_age(link, RetentionPolicy(), NOW))
        prune_labels(link, RetentionPolicy(), NOW)
        link.close()
    kept = dict(rows(url, "SELECT step, sum(views) FROM tallies WHERE series = 1 GROUP BY step"))
    assert kept == {60: 2, 3600: 4, 86400: 4}
    assert rows(url, "SELECT step, sum(count) FROM histograms WHERE metric = 'cls' AND series = 1 GROUP BY step ORDER BY step") == [
        (60, 2), (3600, 4), (86400, 4),
    ]  # fmt: skip
    assert rows(url, "SELECT count(*) FROM reason_tallies") == [(4,)]


def test_labels_go_when_nothing_is_left_of_them(url: str) -> None:
    fill(url, [0.0])
    with Store(url) as store:
        link = Link(store)
        prune_labels(link, RetentionPolicy(), NOW + 399 * DAY)
        assert rows(url, "SELECT count(*) FROM series") == [(2,)]
        assert rows(url, "SELECT count(*) FROM reasons") == [(1,)]
        prune_labels(link, RetentionPolicy(), NOW + 402 * DAY)
        assert rows(url, "SELECT count(*) FROM series") == rows(url, "SELECT count(*) FROM reasons") == [(0,)]
        link.close()


@pytest.mark.long
def test_the_number_of_a_series_that_was_removed_is_not_given_again(url: str) -> None:
    """A view that is kept for longer than the roll-ups still has the old number, and is counted by it when it is reported again."""
    labels = Labels("shop", ALL_PAGES, "real", "", "", "desktop", "Firefox")
    with Store(url) as store:
        link = Link(store)

        def number(labels: Labels, at: float) -> int:
            directory = Directory()
            with link.transaction():
                directory.begin(link, at)
                return directory.series(link, labels)

        given = {number(labels._replace(browser=name), NOW) for name in ("Firefox", "Safari")}
        for later in (402 * DAY, 804 * DAY):
            prune_labels(link, RetentionPolicy(), NOW + later)
            assert rows(url, "SELECT count(*) FROM series") == [(0,)]
            new = number(labels._replace(release=str(later)), NOW + later)
            assert new not in given
            given.add(new)
        link.close()


@pytest.mark.thorough
@pytest.mark.long
def test_over_its_size_the_oldest_views_go(url: str) -> None:
    fill(url, [float(age) for age in range(300, 0, -1)])
    with Store(url) as store:
        link = Link(store)
        with link.reading():
            views, size = measure_usage(link)
            assert views == 300
        keep = RetentionPolicy(size=size * 3 // 4)
        monkey = pytest.MonkeyPatch()
        with monkey.context() as patched:
            patched.setattr(retention, "AT_ONCE", 10)
            until_done(lambda: prune_to_size(link, keep))
        with link.reading():
            left, smaller = measure_usage(link)
        assert smaller <= keep.size
        assert 100 < left < 300
        assert prune_to_size(link, keep) == 0
        link.close()
    assert rows(url, "SELECT min(received_at) FROM page_views")[0][0] > NOW - 300
    assert rows(url, "SELECT count(*) FROM page_views") == rows(url, "SELECT count(*) FROM sessions") == [(left,)]
    assert rows(url, "SELECT sum(views) FROM tallies WHERE step = 86400 AND series = 1") == [(300,)]


@pytest.mark.long
def test_ids_of_beacons_have_a_bound_of_bytes_too(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 10)
    with Writer(url) as writer:
        for _ in range(100):
            writer.put_blocking(arrival(at=NOW))
    ((least, last),) = rows(url, "SELECT sum(length(id) + length(changes)), max(number) FROM beacons")
    size = int(least) * retention.IDS // 2
    with Store(url) as store:
        link = Link(store)
        until_done(lambda: prune_to_size(link, RetentionPolicy(size=size)))
        with link.reading():
            assert measure_usage(link)[1] <= size
        link.close()
    ((left, kept, newest),) = rows(url, "SELECT count(*), sum(length(id) + length(changes)), max(number) FROM beacons")
    assert kept <= size // retention.IDS
    assert (0 < left < 50, newest) == (True, last)
    assert rows(url, "SELECT sum(views) FROM tallies WHERE step = 86400 AND series = 1") == [(100,)]


def test_ids_that_the_rollups_have_not_taken_stay_whatever_they_take(url: str) -> None:
    with Store(url) as store:
        link = Link(store)
        fill(url, [0.0])
        with link.transaction():
            link.execute("UPDATE marks SET value = 0 WHERE name = 'rolled'")
        until_done(lambda: prune_to_size(link, RetentionPolicy(size=0)))
        link.close()
    assert (counts(url)[0], rows(url, "SELECT count(*) FROM beacons")) == (0, [(1,)])


@pytest.mark.thorough
@pytest.mark.long
def test_over_their_size_the_oldest_rollups_go_those_first_of_which_there_are_most(url: str) -> None:
    with Writer(url) as writer:
        for age in range(3 * 3600, 0, -60):
            at = NOW - age
            writer.put_blocking(arrival(view(started_at=at - 5, vitals=(vital("lcp", 1.0),)), at=at))
        writer.put_blocking(arrival(view(started_at=NOW - 3 * DAY), at=NOW - 3 * DAY))
    with Store(url) as store:
        link = Link(store)
        with link.reading():
            of_minutes, of_hours, of_days = (measure_step(link, step) for step in STEPS)
            assert of_minutes > of_hours * 5 > of_days
        until_done(lambda: prune_rollups_to_size(link, of_minutes // 2 + of_hours + of_days, NOW))
        with link.reading():
            assert of_minutes // 4 < measure_step(link, STEPS[0]) <= of_minutes // 2
            assert (measure_step(link, STEPS[1]), measure_step(link, STEPS[2])) == (of_hours, of_days)
        assert until_done(lambda: prune_rollups_to_size(link, 0, NOW)) > 0
        link.close()
    first = dict(rows(url, "SELECT step, min(at) FROM tallies GROUP BY step"))
    assert NOW - 600 - 120 < first[60] <= NOW - 540, "minutes of the last ten stay"
    assert min(first[3600], first[86400]) > NOW - 2 * DAY, "hours and days of the last day too"
    assert rows(url, "SELECT sum(views) FROM tallies WHERE step = 3600 AND series = 1") == [(180,)]


def test_the_reasons_of_an_app_have_a_largest_number(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "REASONS", 3)
    with Store(url) as store:
        with store.connected() as connection:
            usual = {
                "kind": "error",
                "type": "",
                "message": "",
                "source": "",
                "stack": "",
                "first_at": 0.0,
                "count": 1,
                "views": 1,
            }
            for app, many in (("shop", 5), ("blog", 2)):
                connection.execute(
                    insert(reasons),
                    [usual | {"id": f"{app}{number}", "app": app, "last_at": NOW - number} for number in range(many)],
                )
        link = Link(store)
        prune_labels(link, RetentionPolicy(), NOW)
        link.close()
    assert [id_ for (id_,) in rows(url, "SELECT id FROM reasons ORDER BY id")] == ["blog0", "blog1", "shop0", "shop1", "shop2"]


@pytest.mark.real_time
def test_the_writer_removes_what_is_too_old_while_it_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.collector.storage.background.ROLL", 0.05)
    monkeypatch.setattr("reports.collector.storage.background.PRUNE", 0.05)
    url = f"sqlite:///{tmp_path / 'journeys.db'}"
    with Writer(url, keep=RetentionPolicy(views=3600.0)) as writer:
        for number in range(100):
            at = time.time() - (7200 if number < 50 else 0)
            assert writer.put_blocking(arrival(view(started_at=at), at=at))
        wait_until(lambda: rows(url, "SELECT count(*) FROM page_views") == [(50,)])
        assert writer.put_blocking(arrival(at=time.time()))
    assert rows(url, "SELECT sum(views) FROM tallies WHERE step = 86400 AND series = 1") == [(101,)]


@pytest.mark.long
def test_what_other_kinds_of_rows_take_is_not_taken_from_views(url: str) -> None:
    fill(url, [float(age) for age in range(20, 0, -1)])
    with Store(url) as store:
        link = Link(store)
        with link.reading():
            _, before = measure_usage(link)
        event = {"app": "shop", "session": "s" * 36, "type": "x" * 200, "target": "y" * 200, "at": NOW, "received_at": NOW}
        with store.connected() as connection:
            connection.execute(insert(session_events), [event] * 5_000)
        with link.reading():
            assert measure_usage(link)[1] == before
        assert prune_to_size(link, RetentionPolicy(size=before * 20)) == 0
        link.close()
    assert counts(url)[0] == 20
