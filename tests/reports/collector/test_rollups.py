"""Roll-ups are what the rows say, whatever came in which order."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reports.collector.accepted_beacon import Arrival
from reports.collector.storage import series
from reports.collector.storage.group_commit import Writer
from reports.collector.storage.retention import MINUTES
from reports.collector.storage.rollup import roll_up
from reports.collector.storage.series import generalize_message, group_by_message, reason_id
from runner.archive.run_id import run_id
from runner.store import Store
from runner.store.bulk_insert import Link
from runner.store.tables.histogram import EDGES, THRESHOLDS, Distribution, bucket
from runner.store.tables.page_views import BUCKETS, METRICS
from tests.reports.collector.arrivals import AT, arrival, check_rollups, click, connected, error, request, rows, view, vital
from tests.support.services.databases import BOTH, empty_database

NOW = time.time()


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database; PostgreSQL is asked by `make thorough`."""
    return empty_database(request, tmp_path)


def traffic(number: int, seed: int, hours: float = 48) -> list[Arrival]:
    """Beacons of some sessions over some hours, with vitals told again, errors late, views in the background, in a mixed order."""
    dice = random.Random(seed)
    given: list[Arrival] = []
    while len(given) < number:
        session, browser = run_id(), dice.choice(["Chrome 156", "Chrome 157", "Safari 26"])
        about = {"session": session, "browser": browser, "device": dice.choice(["mobile", "desktop"])}
        began = NOW - dice.uniform(1, hours) * 3600
        for _ in range(dice.randrange(1, 4)):
            identity, page = run_id(), dice.choice(["/", "/item/:id", "/cart"])
            began += dice.uniform(5, 500)
            told = {"id": identity, "started_at": began, "hidden": dice.random() < 0.2}
            for nth in range(dice.randrange(1, 4)):
                vitals = [vital(name, dice.lognormvariate(0, 1)) for name in METRICS[1:] if dice.random() < 0.6]
                phases = {"total": dice.lognormvariate(0, 1)} if dice.random() < 0.7 else {}
                errors = (error("x is undefined"),) if dice.random() < 0.3 else ()
                requests = (request("https://shop.example/api"),) if dice.random() < 0.2 else ()
                seen = view(
                    **told, vitals=tuple(vitals), phases=phases, errors=errors, requests=requests, interactions=(click("a"),)
                )
                given.append(arrival(seen, at=began + 20 * nth + 1, page=page, **about))
    dice.shuffle(given)
    return given


@pytest.mark.long
def test_rollups_are_what_the_rows_say(url: str) -> None:
    for seed in (1, 2):
        with Writer(url) as writer:
            for one in traffic(200, seed):
                assert writer.put_blocking(one)
        check_rollups(url)
    assert len(rows(url, "SELECT DISTINCT step FROM histograms")) == 3


@pytest.mark.thorough
@pytest.mark.long
def test_several_collectors_may_share_a_database(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Both make roll-ups all the time.
    monkeypatch.setattr("reports.collector.storage.background.ROLL", 0.005)
    given = traffic(300, 4, hours=20)
    with Writer(url) as one, Writer(url) as other, ThreadPoolExecutor(8) as pool:
        stored = pool.map(lambda both: (one, other)[both[0] % 2].put_blocking(both[1]), enumerate(given))
        assert all(stored)
        again = pool.map(lambda both: (other, one)[both[0] % 2].put_blocking(both[1]), enumerate(given))
        assert not any(again)
    check_rollups(url)
    assert rows(url, "SELECT count(*) FROM page_views") == [(len({one.beacon.views[0].id for one in given}),)]


@pytest.mark.long
def test_the_sessions_are_what_the_rows_say(url: str) -> None:
    with Writer(url) as writer:
        for one in traffic(100, 3):
            writer.put_blocking(one)
    counted = "sum(CASE WHEN type = 'report' THEN 0 ELSE 1 END), sum(interactions), sum(errors), sum(requests), min(started_at)"
    expected = rows(url, f"SELECT session, {counted} FROM page_views GROUP BY session ORDER BY session")
    stored = rows(url, "SELECT id, views, interactions, errors, requests, started_at FROM sessions ORDER BY id")
    assert stored == [tuple(row) for row in expected]


def test_a_report_is_no_page_view_and_its_errors_count(url: str) -> None:
    session = run_id()
    with Writer(url) as writer:
        writer.put_blocking(
            arrival(view(type="report", phases={}, errors=(error("blocked", count=3),)), session=session, at=NOW)
        )
        assert rows(url, "SELECT views, errors FROM sessions") == [(0, 3)]
        writer.put_blocking(arrival(view(), session=session, at=NOW))
    check_rollups(url)
    counted = "views, sessions, failed, errors"
    of_all = f"SELECT {counted} FROM tallies JOIN series ON id = series WHERE step = 86400 AND page = ''"
    assert rows(url, of_all) == [(1, 1, 0, 3)]


def test_a_page_that_the_server_could_not_make_is_a_view_with_an_error_once(url: str) -> None:
    broken, missing, session = view(status=500), view(status=404), run_id()
    with Writer(url) as writer:
        writer.put_blocking(arrival(broken, session=session, at=NOW))
        writer.put_blocking(arrival(missing, session=session, at=NOW))
    with Writer(url) as writer:
        writer.put_blocking(arrival(view(id=broken.id, status=500, errors=(error("bad"),)), session=session, at=NOW + 60))
        writer.put_blocking(arrival(view(id=missing.id, status=503), session=session, at=NOW + 60))
    check_rollups(url)
    of_all = "SELECT views, failed, errors FROM tallies JOIN series ON id = series WHERE step = 86400 AND page = ''"
    assert rows(url, of_all) == [(2, 2, 1)]


def test_what_was_rolled_up_is_not_rolled_up_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'journeys.db'}"
    for _ in range(3):
        with Writer(url) as writer:
            writer.put_blocking(arrival(at=NOW))
    check_rollups(url)
    with Store(url) as store:
        assert roll_up(Link(store), threading.Lock(), 0.0) == 0
    check_rollups(url)


def test_a_vital_told_again_leaves_the_bucket_that_it_was_in(url: str) -> None:
    told, session = view(vitals=(vital("lcp", 1.2),)), run_id()
    with Writer(url) as writer:
        writer.put_blocking(arrival(told, session=session))
    with Writer(url) as writer:
        writer.put_blocking(arrival(view(id=told.id, vitals=(vital("lcp", 4.5),)), session=session, at=AT + 60))
    ((count, total, worst, *buckets),) = rows(
        url,
        f"SELECT count, sum, worst, {', '.join(BUCKETS)} FROM histograms WHERE metric = 'lcp' AND step = 3600 AND series = 2",
    )
    assert (count, total, worst) == (1, pytest.approx(4.5), 4.5)
    assert [place for place, number in enumerate(buckets) if number] == [bucket("lcp", 4.5)]


def test_minutes_that_are_removed_already_are_not_made_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'journeys.db'}"
    with Writer(url) as writer:
        writer.put_blocking(arrival(at=NOW - MINUTES - 3600))
    assert rows(url, "SELECT DISTINCT step FROM histograms ORDER BY step") == [(3600,), (86400,)]


def test_a_view_whose_series_was_removed_holds_up_no_rollups(url: str) -> None:
    told, session = view(), run_id()
    with Writer(url) as writer:
        writer.put_blocking(arrival(told, session=session))
    with connected(url) as connection:
        # As retention does where roll-ups are kept for a shorter time than views.
        connection.exec_driver_sql("DELETE FROM series")
    with Writer(url) as writer:
        writer.put_blocking(arrival(view(id=told.id, vitals=(vital("lcp", 1.2),)), session=session, at=AT + 60))
    rolled = "SELECT count(*) FROM beacons WHERE number <= (SELECT value FROM marks WHERE name = 'rolled')"
    assert rows(url, rolled) == [(2,)]
    with Writer(url) as writer:
        writer.put_blocking(arrival(at=AT + 120, page="/cart"))
    assert rows(url, rolled) == [(3,)]


@pytest.mark.long
def test_labels_without_end_do_not_make_rollups_without_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "SERIES", 10)
    for _ in range(2):
        with Writer(url) as writer:
            for number in range(20):
                writer.put_blocking(arrival(page=f"/made-up/{number}", release=f"r{number}", at=NOW))
    assert rows(url, "SELECT count(*) FROM page_views") == [(40,)]
    assert rows(url, "SELECT count(DISTINCT page) FROM page_views") == [(20,)]
    assert rows(url, "SELECT count(*) FROM series WHERE page = '__other__'") == [(1,)]
    assert rows(url, "SELECT count(*) FROM series") == [(12,)], "five pages, the others, and each of these as all pages"
    of_pages = "SELECT sum(views) FROM tallies JOIN series ON id = series WHERE step = 86400 AND page"
    assert rows(url, f"{of_pages} <> ''") == rows(url, f"{of_pages} = ''") == [(40,)]
    check_rollups(url)


def test_errors_without_end_do_not_make_reasons_without_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "REASONS", 5)
    words = [chr(ord("a") + number) for number in range(12)]
    for _ in range(2):
        with Writer(url) as writer:
            for word in words:
                writer.put_blocking(arrival(view(errors=(error(f"{word} is not defined"),))))
    assert rows(url, "SELECT count(*), sum(count), sum(views) FROM reasons") == [(6, 24, 24)]
    assert rows(url, "SELECT message, count FROM reasons ORDER BY count DESC LIMIT 1") == [
        ("more kinds of errors than are kept apart", 14)
    ]
    assert rows(url, "SELECT sum(count), sum(views) FROM reason_tallies") == [(24, 24)]
    assert {message for (message,) in rows(url, "SELECT message FROM page_errors")} == {
        f"{word} is not defined" for word in words
    }


def test_errors_that_differ_in_numbers_and_ids_only_are_one_group() -> None:
    def group(message: str, source: str = "https://shop.example/app.0f3a9c2e1b.js") -> str:
        return group_by_message("shop", error(message, source=source))

    assert group("order 12 is gone") == group("order 4711 is gone")
    assert group("x", "https://shop.example/app.11aa22bb33.js?v=2") == group("x")
    assert group("x is undefined") != group("y is undefined")
    assert group_by_message("admin", error("x")) != group_by_message("shop", error("x"))
    assert generalize_message("deadbeef is a word, deadbee1f is an id") == "deadbeef is a word, # is an id"


def test_a_reason_is_of_one_release_and_one_place() -> None:
    def reason(release: str = "1", message: str = "order 12 is gone", stack: str = "", line: int = 0) -> str:
        return reason_id("shop", release, error(message, stack=stack, line=line))

    one, other = (f"Error: x\n    at pay (https://shop.example/app.js:1:{column})" for column in (5, 50))
    assert reason(stack=one) == reason(message="order 13 is gone", stack=one)
    assert len({reason(stack=one), reason(stack=other), reason("2", stack=one), reason(), reason(line=3)}) == 5


def test_edges_hold_the_thresholds_and_a_value_on_an_edge_is_below_it() -> None:
    for metric in METRICS:
        edges = EDGES[metric]
        assert list(edges) == sorted(set(edges))
        assert len(edges) + 1 == len(BUCKETS)
        for threshold in THRESHOLDS[metric]:
            assert edges[bucket(metric, threshold)] == threshold


def test_percentiles_are_near_the_true_ones_and_shares_are_exact() -> None:
    dice = random.Random(5)
    for metric, scale in (("load", 0.3), ("ttfb", -1.2), ("lcp", 0.4), ("inp", -2.2), ("cls", -2.8)):
        values = sorted(dice.lognormvariate(scale, 0.7) for _ in range(20_000))
        counts = [0] * len(BUCKETS)
        for value in values:
            counts[bucket(metric, value)] += 1  # type: ignore[arg-type]
        made = Distribution(metric, tuple(counts), sum(values))  # type: ignore[arg-type]
        for share in (0.5, 0.75, 0.95):
            true = values[int(share * len(values))]
            assert made.percentile(share) == pytest.approx(true, rel=0.04), (metric, share)
        good, poor = THRESHOLDS[metric]  # type: ignore[index]
        assert made.shares is not None
        assert made.shares.good == sum(value <= good for value in values) / len(values)
        assert made.shares.poor == pytest.approx(sum(value > poor for value in values) / len(values))
        assert made.mean == pytest.approx(sum(values) / len(values))
    assert Distribution("lcp", (0,) * len(BUCKETS), 0.0).percentile(0.75) is None
    assert Distribution("lcp", (*(0,) * 24, 5), 500.0).percentile(0.75) == 60.0
