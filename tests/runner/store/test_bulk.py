"""Statements of many rows, in both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from runner.store import Store, StoreDown
from runner.store.bulk_insert import Insert, Link, Unstorable
from runner.store.tables.page_views import marks, reason_tallies


@pytest.fixture
def link(url: str) -> Iterator[Link]:
    with Store(url) as store:
        made = Link(store)
        yield made
        made.close()


def count(link: Link) -> int:
    with link.reading():
        ((number,),) = link.select("SELECT count(*) FROM reason_tallies")
    return int(number)


def test_any_number_of_rows_goes_in_and_is_found_again(link: Link) -> None:
    insert = Insert(reason_tallies)
    for number in (0, 1, 7, 128, 500):
        with link.transaction():
            link.execute("DELETE FROM reason_tallies")
            link.insert(insert, [(f"r{place}", place, place * 2, 1) for place in range(number)])
        assert count(link) == number
        with link.reading():
            found = link.among("SELECT at, count FROM reason_tallies WHERE reason", (f"r{place}" for place in range(number)))
            assert sorted(map(tuple, found)) == [(place, place * 2) for place in range(number)]


def test_a_row_that_is_there_is_added_to_or_replaced(link: Link) -> None:
    put = Insert(reason_tallies, added=("count",), replaced=("views",))
    with link.transaction():
        link.insert(put, [("a", 1, 10, 1), ("b", 1, 10, 1)])
        link.insert(put, [("a", 1, 5, 7)])
        found = link.select("SELECT reason, count, views FROM reason_tallies ORDER BY reason")
    assert [tuple(row) for row in found] == [("a", 15, 7), ("b", 10, 1)]


def test_a_transaction_that_fails_leaves_nothing_and_the_next_one_works(link: Link) -> None:
    insert = Insert(reason_tallies)
    with pytest.raises(Unstorable, match="rejected a value"), link.transaction():
        link.insert(insert, [("a", 1, 1, 1), ("a", 1, 1, 1)])

    def add_and_fail() -> None:
        with link.transaction():
            link.insert(insert, [("a", 1, 1, 1)])
            raise LookupError("not of the database")

    with pytest.raises(LookupError):
        add_and_fail()
    assert count(link) == 0
    with link.transaction():
        link.insert(insert, [("a", 1, 1, 1)])
    assert count(link) == 1


def test_of_two_writers_one_waits_for_the_other(url: str) -> None:
    def add(times: int) -> None:
        link = Link(store)
        for _ in range(times):
            with link.transaction():
                ((value,),) = link.select("SELECT value FROM marks WHERE name = 'views'" + link.for_update)
                link.insert(Insert(marks, replaced=("value",)), [("views", value + 1)])
        link.close()

    with Store(url) as store, ThreadPoolExecutor(4) as pool:
        list(pool.map(add, [25] * 4))
        with store.connected() as connection:
            assert connection.execute(text("SELECT value FROM marks WHERE name = 'views'")).scalar() == 100


def test_a_commit_is_on_the_disk_whatever_the_habit_of_the_database(url: str) -> None:
    with Store(url) as store:
        if not url.startswith("sqlite"):
            engine = create_engine(url, isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                connection.execute(text(f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = off"))
            engine.dispose()
        link = Link(store)
        with link.reading():
            if link.sqlite:
                assert link.select("SELECT synchronous FROM pragma_synchronous") == [(2,)]
                assert link.select("SELECT journal_mode FROM pragma_journal_mode") == [("wal",)]
            else:
                assert link.select("SHOW synchronous_commit") == [("on",)]
        link.close()


def test_after_a_failure_it_connects_again(tmp_path: Path) -> None:
    file = tmp_path / "journeys.db"
    with Store(f"sqlite:///{file}") as store:
        link = Link(store)
        with pytest.raises(StoreDown, match="cannot be used"), link.reading():
            link.select("SELECT broken FROM nowhere")
        assert count(link) == 0
        link.close()
