"""What is stored of a beacon, in both databases."""

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import make_url

from reports.collector.accepted_beacon import Arrival
from reports.collector.beacon import Interaction, ScriptError, SlowRequest, Synthetic, View, Vital
from reports.collector.storage import background, retention
from reports.collector.storage.group_commit import Busy, Writer
from runner.archive.run_id import run_id
from runner.store import StoreDown
from runner.store.bulk_insert import Unstorable
from tests.reports.collector.arrivals import AT, NOON, arrival, click, error, request, rows, view, vital
from tests.reports.collector.wire import Wire
from tests.support.services.databases import empty_database
from tests.support.wait import wait_until


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database; what is stored is asked of both kinds in `make test` too."""
    return empty_database(request, tmp_path)


@pytest.fixture
def writer(url: str) -> Iterator[Writer]:
    with Writer(url) as made:
        yield made


def test_a_page_view_is_stored_with_all_that_was_told(writer: Writer, url: str) -> None:
    seen = View(
        id=run_id(), url="https://shop.example/item/7", started_at=AT - 30, type="reload", referrer="https://shop.example/",
        title="Sencha", trace="4b" * 16, hidden=False, ended=True, visible_seconds=12.5,
        phases={"ttfb": 0.2, "total": 1.4, "unknown": 3.0}, status=200,
        protocol="h2", transfer_bytes=5_000_000_000, vitals=(vital("lcp", 1.2), vital("cls", 0.03)),
        interactions=(Interaction(type="click", at_seconds=2.5, role="button", name="Add", test_id="add"),),
        interaction_counts={"click": 4},
        errors=(
            ScriptError(
                kind="error", message="x is 7", type="TypeError", stack="at f", source="https://shop.example/a.js", line=3, column=9
            ),
        ),
        requests=(
            SlowRequest(
                url="https://shop.example/api", method="POST", kind="fetch", at_seconds=1.0, duration_seconds=2.0, status=503
            ),
        ),
    )  # fmt: skip
    synthetic = Synthetic(journey="buy", run=run_id(), step="pay", location="here")
    sent = arrival(seen, viewport=(1280, 720), connection="4g", synthetic=synthetic, traffic="synthetic", device="tablet")
    assert writer.put_blocking(sent)
    (row,) = rows(url, "SELECT * FROM page_views")
    assert row[1:] == (
        seen.id, "shop", sent.beacon.session, "/item/:id", seen.url, "Sencha", "https://shop.example/", "reload", AT - 30, AT, AT, "1.0",
        "live", "synthetic", "Chrome 156", "Linux", "tablet", False, True, 12.5, *[None] * 8, 0.2, 1.4, 200, "h2", 5_000_000_000, "4g",
        1280, 720, "buy", synthetic.run, "pay", "here", 2, 4, 1, 1, 1, "4b" * 16,
    )  # fmt: skip
    assert [(name, value) for name, value in rows(url, "SELECT name, value FROM vitals ORDER BY name")] == [
        ("cls", 0.03), ("lcp", 1.2),
    ]  # fmt: skip
    assert rows(url, 'SELECT view, "index", type, at_seconds, role, name, test_id FROM interactions') == [
        (row[0], 0, "click", 2.5, "button", "Add", "add")
    ]
    assert rows(url, "SELECT url, method, kind, at_seconds, duration_seconds, status, failure FROM slow_requests") == [
        ("https://shop.example/api", "POST", "fetch", 1.0, 2.0, 503, "")
    ]
    assert rows(url, 'SELECT at, count, message, line, "column" FROM page_errors') == [(AT - 30, 1, "x is 7", 3, 9)]
    assert rows(url, "SELECT app, kind, type, message, source, stack, first_at, last_at, count, views FROM reasons") == [
        ("shop", "error", "TypeError", "x is #", "https://shop.example/a.js", "at f", AT - 30, AT - 30, 1, 1)
    ]


def test_a_beacon_that_comes_again_counts_once(writer: Writer, url: str) -> None:
    sent = arrival()
    assert [writer.put_blocking(sent) for _ in range(3)] == [True, False, False]
    other = msgspec.structs.replace(sent, beacon=msgspec.structs.replace(sent.beacon, id=run_id()))

    async def at_once() -> list[bool]:
        return await asyncio.gather(*[writer.put(other) for _ in range(5)])

    assert sorted(asyncio.run(at_once())) == [False] * 4 + [True]
    assert rows(url, "SELECT count(*) FROM page_views") == [(1,)]
    assert rows(url, "SELECT count(*) FROM beacons") == [(2,)]
    assert writer.stored == 2


def test_a_later_beacon_adds_to_a_view_and_takes_nothing_away(writer: Writer, url: str) -> None:
    first = view(
        vitals=(vital("lcp", 1.2),), title="Sencha", phases={"ttfb": 0.2}, visible_seconds=3.0, interactions=(click("Add"),)
    )
    session = run_id()
    writer.put_blocking(arrival(first, session=session))
    later = View(
        id=first.id, url="", started_at=first.started_at, ended=True, phases={"total": 2.0}, interactions=(click("Buy"),)
    )
    writer.put_blocking(arrival(later, session=session, at=AT + 5))
    empty = View(id=first.id, url="", started_at=first.started_at)
    writer.put_blocking(arrival(empty, session=session, at=AT + 9))
    (row,) = rows(url, "SELECT url, title, ended, visible_seconds, ttfb, total, interactions, told_at FROM page_views")
    assert row == (first.url, "Sencha", True, 3.0, 0.2, 2.0, 2, AT + 9)
    assert rows(url, 'SELECT "index", name FROM interactions ORDER BY 1') == [(0, "Add"), (1, "Buy")]
    assert rows(url, "SELECT views, interactions, started_at, seen_at FROM sessions") == [(1, 2, AT - 30, AT + 9)]


def test_a_vital_told_again_replaces_the_earlier_value_in_whatever_order_they_arrive(writer: Writer, url: str) -> None:
    told, session = view(vitals=(vital("lcp", 1.2), vital("cls", 0.01))), run_id()
    writer.put_blocking(arrival(told, session=session, at=AT))
    late = view(id=told.id, vitals=(Vital(name="lcp", id="lcp-v5-1", value=2.6), vital("inp", 0.3)), visible_seconds=9.0)
    writer.put_blocking(arrival(late, session=session, at=AT + 60))
    early = view(
        id=told.id, vitals=(vital("lcp", 1.9), vital("fcp", 0.8)), phases={"total": 9.0, "dom": 0.3}, visible_seconds=4.0
    )
    writer.put_blocking(arrival(early, session=session, at=AT + 30))
    assert dict(rows(url, "SELECT name, value FROM vitals")) == {"lcp": 2.6, "cls": 0.01, "inp": 0.3, "fcp": 0.8}
    assert rows(url, "SELECT total, dom, visible_seconds FROM page_views") == [(1.4, 0.3, 9.0)]
    ((attribution,),) = rows(url, "SELECT CAST(attribution AS TEXT) FROM vitals WHERE name = 'lcp'")
    assert json.loads(attribution) == {"target": "main>h1"}, "the later one said nothing of where it came from"


def test_views_of_one_beacon_and_beacons_of_one_view_may_be_in_one_group(writer: Writer, url: str) -> None:
    one, two, session = view(), view(), run_id()
    again = view(id=one.id, vitals=(vital("inp", 0.1),), errors=(error("bad"),))

    async def at_once() -> list[bool]:
        given = [
            arrival(one, two, session=session),
            arrival(again, session=session, at=AT + 1),
            arrival(again, session=session, at=AT + 2),
        ]
        return await asyncio.gather(*[writer.put(each) for each in given])

    assert asyncio.run(at_once()) == [True, True, True]
    assert writer.batches < 3
    assert rows(url, "SELECT count(*), sum(errors) FROM page_views") == [(2, 2)]
    assert rows(url, "SELECT count FROM page_errors") == [(2,)]
    assert rows(url, "SELECT count, views FROM reasons") == [(2, 1)]
    assert rows(url, "SELECT views, errors FROM sessions") == [(2, 2)]


def test_a_beacon_that_cannot_be_stored_costs_only_itself(writer: Writer, url: str) -> None:
    good = [arrival() for _ in range(20)]
    # What no text in UTF-8 can hold; a decoder lets none of it in.
    bad = arrival(view(title="\ud800"))

    async def at_once() -> list[bool | BaseException]:
        given = [*good[:7], bad, *good[7:]]
        return await asyncio.gather(*[writer.put(each) for each in given], return_exceptions=True)

    outcomes = asyncio.run(at_once())
    assert isinstance(outcomes.pop(7), Unstorable)
    assert outcomes == [True] * 20
    assert rows(url, "SELECT count(*) FROM page_views") == [(20,)]
    assert writer.down is None


def test_a_character_that_a_database_cannot_hold_costs_no_beacon(writer: Writer, url: str) -> None:
    seen = view(
        title="a\0b", vitals=(Vital(name="lcp", id="1", value=1.0, attribution={"a\0": "\0"}),), errors=(error("c\0d"),)
    )
    assert writer.put_blocking(arrival(seen, release="\0"))
    assert rows(url, "SELECT count(*) FROM vitals") == [(1,)]


def test_a_view_of_another_session_is_not_changed(writer: Writer, url: str) -> None:
    mine = view(title="mine")
    writer.put_blocking(arrival(mine))
    with pytest.raises(Unstorable, match="belongs to another session"):
        writer.put_blocking(arrival(view(id=mine.id, title="yours")))
    assert rows(url, "SELECT title FROM page_views") == [("mine",)]


def test_a_clock_that_is_wrong_tells_how_long_ago_and_one_that_is_right_when(writer: Writer, url: str) -> None:
    year = timedelta(days=365).total_seconds()
    for session, started, sent in (
        ("right-clock", AT - 7200, AT - 7190),
        ("years-fast", AT + year - 40, AT + year),
        ("years-slow", AT - year - 40, AT - year),
        ("seconds-fast", AT + 5, AT + 20),
    ):
        sent_one = arrival(view(started_at=started), session=session, sent_at=sent)
        writer.put_blocking(msgspec.structs.replace(sent_one, received_at=NOON))
    found = dict(rows(url, "SELECT session, started_at FROM page_views"))
    assert found == {"right-clock": AT - 7200, "years-fast": AT - 40, "years-slow": AT - 40, "seconds-fast": AT}


def test_more_than_fits_the_queue_is_turned_away(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'journeys.db'}"
    with Writer(url, largest_queue=3) as writer:

        async def many() -> list[bool | BaseException]:
            return await asyncio.gather(*[writer.put(arrival()) for _ in range(50)], return_exceptions=True)

        outcomes = asyncio.run(many())
    turned_away = [one for one in outcomes if isinstance(one, Busy)]
    assert turned_away
    assert "beacons wait to be stored" in str(turned_away[0])
    assert rows(url, "SELECT count(*) FROM page_views") == [(50 - len(turned_away),)]


@pytest.mark.real_time
def test_while_the_database_is_away_callers_hear_of_it_at_once_and_later_all_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.store.database.PATIENCE", 0.1)
    monkeypatch.setattr("reports.collector.storage.group_commit.PAUSE", 0.3)
    file = tmp_path / "journeys.db"
    with Writer(f"sqlite:///{file}") as writer:
        assert writer.put_blocking(arrival())
        holder = sqlite3.connect(file, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        waits = arrival()
        with pytest.raises(StoreDown, match=r"journeys\.db cannot be used: database is locked"):
            writer.put_blocking(waits)
        batches = writer.batches
        with pytest.raises(StoreDown, match="locked"):
            writer.put_blocking(waits)
        why = writer.down
        assert why is not None
        assert writer.batches == batches
        holder.execute("ROLLBACK")
        holder.close()
        threading.Event().wait(0.4)
        assert writer.put_blocking(waits)
        assert writer.down is None
    assert rows(f"sqlite:///{file}", "SELECT count(*) FROM page_views") == [(2,)]


def test_a_failed_request_and_an_interaction_count_for_their_session(writer: Writer, url: str) -> None:
    session = run_id()
    writer.put_blocking(arrival(view(requests=(request("https://shop.example/a"),)), session=session, page="/"))
    writer.put_blocking(arrival(view(interactions=(click("x"),), started_at=AT + 1), session=session, at=AT + 60, page="/cart"))
    assert rows(url, "SELECT views, requests, interactions, first_page, last_page FROM sessions") == [(2, 1, 1, "/", "/cart")]


@pytest.mark.long
def test_a_database_that_does_not_answer_any_more_is_said_within_seconds(
    postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.collector.storage.group_commit.PATIENCE", 1.0)
    monkeypatch.setattr("reports.collector.storage.group_commit.PAUSE", 0.2)
    address = make_url(postgres())
    with Wire(address.port or 5432) as wire:
        url = address.set(port=wire.port).render_as_string(hide_password=False)
        with Writer(url) as writer:
            first, lost = arrival(), arrival()
            assert writer.put_blocking(first)
            for fault, why in ((wire.freeze, "has not answered for 1 s"), (wire.cut, "cannot be used")):
                fault()
                with pytest.raises(StoreDown, match=why):
                    writer.put_blocking(lost)
                with pytest.raises(StoreDown):
                    writer.put_blocking(lost)
                wire.mend()
                wait_until(partial(stored, writer, lost))
                assert writer.down is None
                assert not writer.put_blocking(first)
                lost = arrival()
    assert rows(address.render_as_string(hide_password=False), "SELECT count(*) FROM page_views") == [(3,)]


def stored(writer: Writer, one: Arrival) -> bool:
    try:
        writer.put_blocking(one)
    except StoreDown:
        return False
    return True


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            Unstorable("the database rejected a value: integer out of range"),
            "integer out of range; roll-ups: tried again until it works",
        ),
        (KeyError(7), "roll-ups: a fault of the program; it is tried again"),
    ],
)
def test_a_value_that_cannot_be_rolled_up_is_not_the_end_of_retention(
    error: Exception, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rolled: list[float] = []
    pruned: list[float] = []

    def fail(*_: object) -> int:
        rolled.append(time.monotonic())
        raise error

    def prune(*_: object) -> int:
        pruned.append(time.monotonic())
        return 0

    monkeypatch.setattr(background, "ROLL", 0.05)
    monkeypatch.setattr(background, "PRUNE", 0.05)
    monkeypatch.setattr(background, "roll_up", fail)
    monkeypatch.setattr(retention, "prune_by_age", prune)
    with Writer(f"sqlite:///{tmp_path / 'journeys.db'}"):
        wait_until(lambda: len(rolled) > 2 and len(pruned) > 2)
    assert caplog.text.count(said) == 1


@pytest.mark.real_time
def test_while_the_database_hangs_those_who_ask_for_its_health_do_not_wait_for_it(tmp_path: Path) -> None:
    with Writer(f"sqlite:///{tmp_path / 'journeys.db'}") as writer:
        asked, goes_on = threading.Event(), threading.Event()

        def hang() -> str:
            asked.set()
            goes_on.wait(60)
            return ""

        writer._store.find_trouble = hang  # type: ignore[method-assign]
        first = threading.Thread(target=writer.find_trouble)
        first.start()
        assert asked.wait(60)
        assert "journeys.db has not answered for 1 s" in writer.find_trouble()
        goes_on.set()
        first.join()
        assert writer.find_trouble() == ""
