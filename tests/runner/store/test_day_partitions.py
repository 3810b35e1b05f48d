"""Page views in PostgreSQL are in partitions by day: made from a table with rows, read by the days that are asked for, dropped whole."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import NullPool, Select, create_engine, text

from reports.collector.storage.beacon_batch import store_beacons
from reports.collector.storage.day_partitions import drop_day, list_days, make_days_ahead
from reports.collector.storage.group_commit import Writer
from reports.collector.storage.retention import RetentionPolicy, measure_usage, prune_by_age, prune_to_size
from reports.collector.storage.series import Directory
from reports.collector.storage.view_rows import earliest_start
from reports.users.page_view_queries import read_newest_views, read_view
from reports.users.rollup_queries import Filter
from reports.users.row_filters import newest_views, select_rows
from runner.store import Store
from runner.store.bulk_insert import COPIED, Link
from runner.store.queries.time_range import Range
from runner.store.tables.day_numbers import DAY, PER_DAY, PLAIN
from runner.store.tables.page_views import page_views
from tests.reports.collector.arrivals import arrival, click, error, request, rows, view, vital
from tests.runner.store.older import back_to

NOW = time.time()
TABLES = ("page_views", "vitals", "interactions", "page_errors", "slow_requests")
EACH = "SELECT count(*), sum(number) FROM page_views"


def fill(url: str, *ages: float, name: str = "view") -> None:
    """A page view with something of everything, so many seconds ago each."""
    with Writer(url) as writer:
        for number, age in enumerate(ages):
            at = NOW - age
            seen = view(
                id=f"{name}-{number:08d}", started_at=at - 5, vitals=(vital("lcp", 1.0),), errors=(error("bad"),),
                interactions=(click("a"),), requests=(request("https://shop.example/"),),
            )  # fmt: skip
            writer.put_blocking(arrival(seen, at=at))


def parts(url: str, table: str = "page_views") -> list[str]:
    wanted = f"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{table}'::regclass ORDER BY 1"
    return [name for (name,) in rows(url, wanted)]


def execute(url: str, statement: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(statement))


def counts(url: str) -> list[int]:
    return [rows(url, f"SELECT count(*) FROM {table}")[0][0] for table in TABLES]


def explained(store: Store, statement: Select[Any]) -> str:
    with store.connected() as connection:
        compiled = statement.compile(store.engine, compile_kwargs={"literal_binds": True})
        plan = connection.exec_driver_sql(f"EXPLAIN {compiled}".replace("%", "%%")).scalars()
        return "\n".join(plan)


@pytest.mark.thorough
def test_a_table_with_rows_becomes_the_first_partition_and_one_table_again(postgres_copy: Callable[[], str]) -> None:
    url = postgres_copy()
    fill(url, 40 * DAY, 3 * DAY, 2 * DAY, 60.0)
    assert len(parts(url)) >= 6
    with Store(url) as store:
        back_to("0019", store)
    # Without gaps, as the form before counts them.
    ((first,),) = rows(url, "SELECT min(number) FROM page_views")
    assert rows(url, "SELECT number FROM page_views ORDER BY number") == [(first + place,) for place in range(4)]
    assert rows(url, "SELECT value FROM marks WHERE name = 'views'") == [(first + 3,)]
    ((gone, kept),) = rows(url, "SELECT count(*), count(page_views.number) FROM vitals LEFT JOIN page_views ON number = view")
    assert (gone, kept) == (4, 4)
    # As rows of a database that never had days.
    for table, column in (
        ("page_views", "number"),
        *((one, "view") for one in TABLES[1:]),
        ("beacons", "number"),
        ("histograms", "view"),
    ):
        execute(url, f"UPDATE {table} SET {column} = {column} - {first - 1}")
    execute(url, "UPDATE marks SET value = 4 WHERE name <> 'series'")
    with Store(url) as store:
        assert store.upgraded_from == "0019"
    assert counts(url) == [4] * 5
    assert rows(url, "SELECT tableoid::regclass::text, number FROM page_views ORDER BY 2") == [
        ("page_views_first", number) for number in range(1, 5)
    ]
    fill(url, 0.0, name="new")
    ((number,),) = rows(url, "SELECT number FROM page_views WHERE id = 'new-00000000'")
    assert number == int(NOW // DAY) * PER_DAY
    with Writer(url) as writer:
        # About a view of before.
        more = view(id="view-00000003", started_at=NOW - 65, vitals=(vital("cls", 0.2),))
        assert writer.put_blocking(
            arrival(more, at=NOW, session=rows(url, "SELECT session FROM page_views WHERE number = 4")[0][0])
        )
    assert rows(url, "SELECT name FROM vitals WHERE view = 4 ORDER BY name") == [("cls",), ("lcp",)]
    assert counts(url)[0] == 5
    with Store(url) as store:
        with store.snapshot() as connection:
            when = Range(datetime.fromtimestamp(NOW - 4 * DAY, UTC), datetime.fromtimestamp(NOW + 60, UTC))
            assert len(read_newest_views(connection, Filter(app="shop"), when)) == 4
            assert read_view(connection, "view-00000000") is not None
        link = Link(store)
        while prune_by_age(link, RetentionPolicy(), NOW):
            pass
        assert counts(url)[0] == 4, "rows of before go one by one"
        link.close()


@pytest.mark.long
def test_queries_read_the_days_that_they_are_about(postgres_copy: Callable[[], str]) -> None:
    url = postgres_copy()
    fill(url, 20 * DAY, 10 * DAY, 0.0)
    at = datetime.fromtimestamp(NOW - 10 * DAY, UTC)
    when, which = Range(at - timedelta(hours=1), at + timedelta(hours=1)), Filter(app="shop")
    day = f"page_views_{at:%Y%m%d}"
    others = {f"page_views_{datetime.fromtimestamp(NOW - age, UTC):%Y%m%d}" for age in (20 * DAY, 0.0)}
    with Store(url) as store:
        for statement in (select_rows(page_views, which, when), newest_views(which, when, 10, "number").select()):
            plan = explained(store, statement)
            assert day in plan
            assert not any(one in plan for one in others), plan
        with store.snapshot() as connection:
            assert [one.id for one in read_newest_views(connection, which, when)] == ["view-00000001"]


def test_whole_days_are_dropped_and_nothing_is_deleted(postgres_copy: Callable[[], str]) -> None:
    url = postgres_copy()
    fill(url, 40 * DAY, 35 * DAY, 31 * DAY, 5 * DAY, 0.0)
    before = parts(url)
    with Store(url) as store:
        link = Link(store)
        make_days_ahead(link, NOW)
        assert parts(url) == before, "they are there already"
        while prune_by_age(link, RetentionPolicy(), NOW):
            pass
        assert counts(url) == [2] * 5
        assert [one for one in before if one not in parts(url)] == before[:3]
        assert rows(url, "SELECT count(*) FROM sessions") == [(2,)]
        with link.reading():
            assert measure_usage(link)[0] == 2
        link.close()


def test_over_the_size_a_day_with_few_views_goes_whole(postgres_copy: Callable[[], str]) -> None:
    url = postgres_copy()
    fill(url, 5 * DAY, *[0.0] * 9)
    with Store(url) as store:
        link = Link(store)
        with link.reading():
            _, size = measure_usage(link)
        assert prune_to_size(link, RetentionPolicy(size=size - 1)) == len(TABLES)
        assert counts(url) == [9] * 5
        assert prune_to_size(link, RetentionPolicy(size=1)) == 9 + 10, "the rest is of one day; and the ids of beacons"
        assert counts(url) == [0] * 5
        link.close()


@pytest.mark.thorough
def test_a_day_that_is_being_read_is_dropped_later(postgres_copy: Callable[[], str]) -> None:
    url = postgres_copy()
    fill(url, 5 * DAY, 0.0)
    with Store(url) as store:
        link = Link(store)
        with link.reading():
            day = list_days(link, "page_views")[0]
        with store.snapshot() as connection:
            connection.execute(text("SELECT count(*) FROM page_views")).one()
            assert drop_day(link, "page_views", day) == 0
        assert drop_day(link, "page_views", day) == 1
        link.close()
    assert counts(url)[0] == 1


@pytest.mark.parametrize("number", [1, COPIED * 2])
def test_many_new_rows_and_more_about_them_are_one_state(postgres_copy: Callable[[], str], number: int) -> None:
    """New rows are copied, known ones extended; what came first does not matter."""
    url = postgres_copy()
    with Store(url) as store:
        link, directory = Link(store), Directory()
        firsts = [
            view(id=f"view-{one:08d}", started_at=NOW, title="a\0\tb\\N", vitals=(vital("lcp", 1.0),)) for one in range(number)
        ]
        lates = [
            view(id=f"view-{one:08d}", started_at=NOW, vitals=(vital("lcp", 2.0), vital("cls", 0.5)), errors=(error("bad"),))
            for one in range(number * 2)
        ]
        for views, at in ((firsts, NOW + 1), (lates, NOW + 2)):
            with link.transaction():
                given = [arrival(one, at=at, session="a-session") for one in views]
                assert store_beacons(link, directory, given) == [True] * len(views)
            directory.settle()
        link.close()
    assert rows(url, "SELECT count(*), count(DISTINCT id), max(title) FROM page_views") == [
        (number * 2, number * 2, "a\ufffd\tb\\N")
    ]
    assert rows(url, "SELECT name, value, count(*) FROM vitals GROUP BY 1, 2 ORDER BY 1") == [
        ("cls", 0.5, number * 2),
        ("lcp", 2.0, number * 2),
    ]
    assert rows(url, "SELECT sum(errors), count(*) FROM page_views WHERE errors = 1") == [(number * 2, number * 2)]


def test_a_clock_that_is_ahead_begins_no_day_for_all(postgres_copy: Callable[[], str]) -> None:
    url = postgres_copy()
    fill(url, -400 * DAY)
    ((number,),) = rows(url, "SELECT number FROM page_views")
    assert number // PER_DAY == int(time.time() // DAY)
    assert number > PLAIN


def test_of_a_view_every_row_is_found_however_wrong_the_clock_of_its_browser() -> None:
    for began, sent, received in ((0.0, 60.0, NOW), (NOW, NOW + 60, NOW + 61), (NOW + 9 * DAY, NOW + 9 * DAY + 60, NOW)):
        about = arrival(view(started_at=began), at=received).beacon
        about = type(about)(**{**{name: getattr(about, name) for name in about.__struct_fields__}, "sent_at": sent})
        assert earliest_start(about, received) <= received - (sent - began)
