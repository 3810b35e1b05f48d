"""From a figure to single page views, sessions and errors."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from reports.collector.beacon import ScriptError
from reports.collector.storage.group_commit import Writer
from reports.users.error_queries import read_reasons
from reports.users.page_view_queries import (
    read_newest_views,
    read_session_views,
    read_slowest_views,
    read_view,
    read_views_with_error,
)
from reports.users.rollup_queries import Filter, read_total
from reports.users.session_queries import read_actions, read_marks, read_newest_sessions, read_session
from runner.archive.run_id import run_id
from runner.store import Store
from runner.store.queries.time_range import Range
from tests.reports.collector.arrivals import arrival, click, error, request, view, vital
from tests.support.asking import ask

NOW = time.time() // 86_400 * 86_400 - 86_400 + 13.5 * 3600 + 30
SHOP = Filter(app="shop")
DAY = Range(datetime.fromtimestamp(NOW - 86_400, UTC), datetime.fromtimestamp(NOW + 1, UTC))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store(url) as opened:
        yield opened


def loads(url: str, *seconds: float, page: str = "/", browser: str = "Chrome 156", every: float = 3600.0) -> list[str]:
    """A page view for each load time, one `every` so many seconds, the first an hour and more ago; their ids."""
    ids = []
    with Writer(url) as writer:
        for number, load in enumerate(seconds):
            at = NOW - every * (len(seconds) - number)
            seen = view(started_at=at, phases={"total": load}, vitals=(vital("lcp", load / 2),))
            writer.put_blocking(arrival(seen, at=at + 1, page=page, browser=browser))
            ids.append(seen.id)
    return ids


def test_page_views_are_listed_newest_first_page_by_page(store: Store, url: str) -> None:
    ids = loads(url, 1.0, 2.0, 3.0, 4.0, 5.0)
    first = ask(store, read_newest_views, SHOP, DAY, limit=2)
    assert [one.id for one in first] == ids[:2:-1]
    assert (first[0].load_seconds, first[0].vitals, first[0].browser) == (5.0, {"lcp": 2.5}, "Chrome 156")
    second = ask(store, read_newest_views, SHOP, DAY, limit=9, before=first[-1].id)
    assert [one.id for one in second] == ids[2::-1]
    assert ask(store, read_newest_views, SHOP, DAY, before="not-there") == []
    assert ask(store, read_newest_views, Filter(app="other"), DAY) == []


@pytest.mark.long
def test_a_list_holds_what_the_filter_says(store: Store, url: str) -> None:
    loads(url, 1.0, 1.0, page="/cart", browser="Safari 26")
    loads(url, 1.0, browser="Chromebook 1")
    (chrome,) = loads(url, 1.0, browser="Chrome 156")

    def found(**labels: str) -> int:
        return len(ask(store, read_newest_views, Filter(app="shop", **labels), DAY))

    assert (found(), found(page="/cart"), found(browser="Safari"), found(page="/", browser="Safari")) == (4, 2, 2, 0)
    assert [one.id for one in ask(store, read_newest_views, Filter(app="shop", browser="Chrome"), DAY)] == [chrome]
    assert (found(device="mobile"), found(traffic="bot"), found(release="1.0"), found(environment="live")) == (0, 0, 4, 4)


def test_the_slowest_page_views_are_found_in_a_short_and_in_a_long_range(store: Store, url: str) -> None:
    ids = loads(url, 1.0, 9.0, 2.0, 7.0, 3.0, every=1200.0)
    hours = Range(datetime.fromtimestamp(NOW - 4 * 3600, UTC), datetime.fromtimestamp(NOW, UTC))
    assert [one.id for one in ask(store, read_slowest_views, "load", SHOP, hours, limit=3)] == [ids[1], ids[3], ids[4]]
    assert [one.id for one in ask(store, read_slowest_views, "lcp", SHOP, DAY, limit=1)] == [ids[1]]
    month = Range(datetime.fromtimestamp(NOW - 30 * 86_400, UTC), datetime.fromtimestamp(NOW, UTC))
    assert [one.id for one in ask(store, read_slowest_views, "load", SHOP, month, limit=1)] == [ids[1]]
    assert ask(store, read_slowest_views, "load", Filter(app="shop", page="/cart"), DAY) == []
    with store.connected() as connection:
        connection.exec_driver_sql("DELETE FROM page_views WHERE total IN (1.0, 9.0)")
    assert [one.id for one in ask(store, read_slowest_views, "load", SHOP, hours, limit=1)] == [ids[3]], (
        "the worst has been removed"
    )


def test_a_page_view_is_told_whole(store: Store, url: str) -> None:
    seen = view(
        started_at=NOW - 30, title="Sencha", vitals=(vital("lcp", 1.2),), interactions=(click("Add"), click("Buy")),
        errors=(error("order 7 is gone", stack="at buy", line=3),), requests=(request("https://shop.example/api"),),
    )  # fmt: skip
    with Writer(url) as writer:
        sent = arrival(seen, at=NOW, viewport=(1280, 720))
        writer.put_blocking(sent)
    whole = ask(store, read_view, seen.id)
    assert whole is not None
    assert (whole.app, whole.seen.title, whole.seen.session, whole.viewport) == (
        "shop",
        "Sencha",
        sent.beacon.session,
        (1280, 720),
    )
    assert whole.seen.started_at == datetime.fromtimestamp(NOW - 30, UTC)
    assert whole.phases == {"ttfb": 0.2, "total": 1.4}
    assert [(one.name, one.value, one.attribution) for one in whole.vitals] == [("lcp", 1.2, {"target": "main>h1"})]
    assert [one.name for one in whole.interactions] == ["Add", "Buy"]
    (met,) = whole.errors
    assert (met.message, met.type, met.stack, met.line) == ("order 7 is gone", "TypeError", "at buy", 3)
    assert [(one.url, one.status) for one in whole.requests] == [("https://shop.example/api", 503)]
    assert (whole.hidden, whole.ended, whole.journey) == (False, False, None)
    assert ask(store, read_view, "not-there") is None


def test_a_session_is_its_page_views_in_their_order(store: Store, url: str) -> None:
    session, ids = run_id(), []
    with Writer(url) as writer:
        for page, at in (("/cart", NOW - 60), ("/", NOW - 600), ("/item/:id", NOW - 300)):
            seen = view(started_at=at, errors=(error("bad"),) if page == "/cart" else ())
            ids.append(seen.id)
            writer.put_blocking(arrival(seen, at=NOW, page=page, session=session))
        writer.put_blocking(arrival(at=NOW))
    assert [one.id for one in ask(store, read_session_views, session)] == [ids[1], ids[2], ids[0]]
    found = ask(store, read_session, session)
    assert found is not None
    assert (found.views, found.errors, found.first_page) == (3, 1, "/")
    assert found.started_at == datetime.fromtimestamp(NOW - 600, UTC)
    assert [one.id for one in ask(store, read_newest_sessions, SHOP, DAY, failed=True)] == [session]
    both = ask(store, read_newest_sessions, SHOP, DAY)
    assert len(both) == 2
    assert ask(store, read_newest_sessions, SHOP, DAY, before=both[0].id) == both[1:]
    assert ask(store, read_newest_sessions, Filter(app="shop", page="/"), DAY) == [found]
    assert ask(store, read_session, "not-there") is None


def test_errors_of_one_reason_are_one_row_with_count_and_first_and_last_seen(store: Store, url: str) -> None:
    with Writer(url) as writer:
        for hours in (40, 5, 3):
            at = NOW - hours * 3600
            seen = view(started_at=at, errors=(error(f"order {hours} is gone"), error("order 1 is gone")))
            writer.put_blocking(arrival(seen, at=at + 1))
        rare = view(started_at=NOW - 60, errors=(error("x is undefined", count=30),))
        writer.put_blocking(arrival(rare, at=NOW))
    often, once = ask(store, read_reasons, "shop", DAY)
    assert (often.message, often.count, often.views) == ("order # is gone", 4, 2)
    assert often.first_at == datetime.fromtimestamp(NOW - 40 * 3600, UTC)
    assert often.last_at == datetime.fromtimestamp(NOW - 3 * 3600, UTC)
    assert (once.message, once.count, once.views) == ("x is undefined", 30, 1)
    assert [one.id for one in ask(store, read_views_with_error, once.id, DAY)] == [rare.id]
    met = [one.started_at.timestamp() for one in ask(store, read_views_with_error, often.id, DAY)]
    assert met == [NOW - 3 * 3600, NOW - 5 * 3600]
    assert ask(store, read_reasons, "other", DAY) == []


def test_what_a_browser_reports_of_its_policies_is_no_error_of_the_page_and_can_be_asked_for(store: Store, url: str) -> None:
    blocked = ScriptError(kind="csp", message="script-src blocked inline")
    with Writer(url) as writer:
        writer.put_blocking(arrival(view(started_at=NOW - 60, errors=(blocked, error("bad"))), at=NOW))
        writer.put_blocking(arrival(view(started_at=NOW - 60, type="report", errors=(blocked,)), at=NOW))
    assert [one.errors for one in ask(store, read_newest_views, SHOP, DAY)] == [1]
    assert [one.message for one in ask(store, read_reasons, "shop", DAY)] == ["bad"]
    assert [(one.message, one.views) for one in ask(store, read_reasons, "shop", DAY, kinds=["csp"])] == [
        ("script-src blocked inline", 2)
    ]
    found = ask(store, read_total, SHOP, DAY, [])
    assert (found.tally.views, found.tally.failed, found.tally.errors) == (1, 1, 1)


def test_what_users_do_most_comes_first(store: Store, url: str) -> None:
    with Writer(url) as writer:
        for names in (("Add", "Buy"), ("Add",)):
            seen = view(started_at=NOW - 60, interactions=tuple(click(name) for name in names))
            writer.put_blocking(arrival(seen, at=NOW))
    assert [(one.name, one.page, one.count) for one in ask(store, read_actions, SHOP, DAY)] == [
        ("Add", "/item/:id", 2), ("Buy", "/item/:id", 1),
    ]  # fmt: skip
    assert len(ask(store, read_actions, SHOP, DAY, among=1)) == 1


def test_a_change_comes_before_the_click_that_ends_it(store: Store, url: str) -> None:
    seen = view(
        started_at=NOW - 30,
        interactions=(
            replace(click("Email"), type="change", at_seconds=2.01),
            replace(click("Save"), at_seconds=2.0),
            replace(click("Close"), at_seconds=3.0),
        ),
    )
    with Writer(url) as writer:
        sent = arrival(seen, at=NOW)
        writer.put_blocking(sent)
    marks = ask(store, read_marks, sent.beacon.session)
    assert [one.text.rpartition(" ")[2] for one in marks if one.kind == "interaction"] == ["“Email”", "“Save”", "“Close”"]
