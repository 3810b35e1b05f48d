"""Errors are grouped by the original code that they come from, whatever the build's files are named, and whenever the maps come."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from reports.collector.storage.group_commit import Writer
from reports.source_maps.frames import OriginalFrame, read_frames
from reports.source_maps.grouping import explain_errors
from reports.source_maps.map_store import MapAbout, MapStore
from reports.source_maps.regression_alerts import RegressionAlerts
from reports.source_maps.regressions import Regression, reopen_errors
from reports.source_maps.resolver import resolve
from reports.users.error_queries import Reason, read_reasons
from reports.users.page_view_queries import read_views_with_error
from runner.store import Store
from runner.store.queries.time_range import Range
from runner.store.tables.errors import error_states
from runner.store.tables.page_views import reasons
from tests.reports.collector.arrivals import arrival, error, view
from tests.reports.source_maps.built import shop_map, stack
from tests.support.asking import ask

NOW = time.time() // 60 * 60 - 600
DAY = Range(datetime.fromtimestamp(NOW - 86_400, UTC), datetime.fromtimestamp(NOW + 700, UTC))
SCRIPT = "https://shop.example/assets/app.1a2b3c4d.js"
NEXT_SCRIPT = "https://shop.example/assets/app.99ff88ee.js"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store(url) as opened:
        yield opened


@pytest.fixture
def maps(store: Store, tmp_path: Path) -> MapStore:
    return MapStore(store, tmp_path / "maps")


def report(url: str, release: str, stack_: str, message: str = "x is undefined", at: float = NOW) -> str:
    """A page view with this error; its id."""
    failed = view(started_at=at - 1, errors=(error(message, stack=stack_),))
    with Writer(url) as writer:
        writer.put_blocking(arrival(failed, at=at, release=release))
    return failed.id


def upload(maps: MapStore, release: str, script: str, content: bytes, app: str = "") -> bool:
    return maps.put(MapAbout(release=release, script=script, app=app), content, "ada", time.time())


def explain(store: Store, maps: MapStore) -> dict[str, str]:
    """Until nothing is left; what was wrong with maps."""
    troubles: dict[str, str] = {}
    while (done := explain_errors(store, maps, lambda lookups: [resolve(one) for one in lookups])).reasons:
        troubles |= done.troubles
    return troubles


def groups(store: Store) -> list[Reason]:
    return ask(store, read_reasons, "shop", DAY)


def frames(store: Store) -> list[tuple[OriginalFrame, ...]]:
    with store.connected() as connection:
        return [
            read_frames(one) for one in connection.execute(select(reasons.c.original).order_by(reasons.c.first_at)).scalars()
        ]


def test_a_new_build_does_not_make_a_new_error(store: Store, url: str, maps: MapStore) -> None:
    upload(maps, "1.0", "dist/assets/app.1a2b3c4d.js", shop_map())
    upload(maps, "1.1", "dist/assets/app.99ff88ee.js", shop_map(shift=7))
    first = report(url, "1.0", stack(SCRIPT))
    second = report(url, "1.1", stack(NEXT_SCRIPT, shift=7, message="y is null"), "y is null", at=NOW + 60)
    assert len(groups(store)) == 2, "by their messages, as long as nobody has read the maps"
    assert explain(store, maps) == {}
    (one,) = groups(store)
    assert (one.count, one.views, one.message) == (2, 2, "y is null"), "the newest message"
    assert [seen.id for seen in ask(store, read_views_with_error, one.id, DAY)] == [second, first]
    (top, *rest), _ = frames(store)
    assert (top.path, top.line, top.function, top.own) == ("src/price.ts", 2, "price", True)
    assert top.code_line == "  return order.items.map((item) => item.price);"
    assert [(one.path, one.line, one.own) for one in rest] == [("src/pay.ts", 4, True), ("node_modules/ui/index.js", 2, False)]


def test_maps_that_come_late_explain_what_is_there_and_take_along_what_was_decided(
    store: Store, url: str, maps: MapStore
) -> None:
    report(url, "1.0", stack(SCRIPT))
    explain(store, maps)
    (before,) = groups(store)
    with store.connected() as connection:
        row = {"id": before.id, "app": "shop", "state": "ignored", "release": "1.0", "who": "ada", "note": "", "at": NOW}
        connection.execute(insert(error_states), [row | {"reopened_in": ""}])
    upload(maps, "1.0", "app.1a2b3c4d.js", shop_map())
    explain(store, maps)
    (after,) = groups(store)
    assert after.id != before.id
    assert (after.count, after.first_at) == (before.count, before.first_at)
    with store.connected() as connection:
        kept = select(error_states.c.state).where(error_states.c.id == after.id)
        assert connection.execute(kept).scalar() == "ignored"


@pytest.mark.long
def test_without_a_map_of_its_release_or_app_an_error_stays_as_it_is(store: Store, url: str, maps: MapStore) -> None:
    upload(maps, "2.0", "app.1a2b3c4d.js", shop_map())
    upload(maps, "1.0", "app.1a2b3c4d.js", shop_map(), app="admin")
    upload(maps, "1.0", "other.js", shop_map())
    report(url, "1.0", stack(SCRIPT))
    (before,) = groups(store)
    explain(store, maps)
    assert groups(store) == [before]
    assert frames(store) == [()]


def test_a_map_that_cannot_be_read_is_named_and_keeps_nothing_else_from_being_explained(
    store: Store, url: str, maps: MapStore
) -> None:
    upload(maps, "1.0", "app.1a2b3c4d.js", b'{"version": 3, "sources": ["a"], "mappings": "!!!"}')
    upload(maps, "1.1", "app.99ff88ee.js", shop_map())
    report(url, "1.0", stack(SCRIPT))
    report(url, "1.1", stack(NEXT_SCRIPT), at=NOW + 60)
    assert list(explain(store, maps)) == ["app.1a2b3c4d.js"]
    assert [len(one) for one in frames(store)] == [0, 3]


def test_code_that_the_map_says_is_of_others_is_not_what_an_error_is_grouped_by(store: Store, url: str, maps: MapStore) -> None:
    # The top frame is in src/price.ts, the second of the sources.
    upload(maps, "1.0", "app.1a2b3c4d.js", shop_map(ignoreList=[1]))
    report(url, "1.0", stack(SCRIPT))
    explain(store, maps)
    assert [one.own for one in frames(store)[0]] == [False, True, False]


def test_an_error_that_was_resolved_opens_again_in_a_later_release_only(store: Store, url: str, maps: MapStore) -> None:
    report(url, "1.0", stack(SCRIPT), at=NOW - 300)
    report(url, "1.1", "", message="something else", at=NOW - 200)
    for release in ("1.0", "1.1", "1.2"):
        upload(maps, release, "app.1a2b3c4d.js", shop_map())
    explain(store, maps)
    wanted = next(one for one in groups(store) if one.message == "x is undefined")
    state = {"app": "shop", "state": "resolved", "release": "1.1", "who": "ada", "note": "", "at": NOW - 100, "reopened_in": ""}
    with store.connected() as connection:
        connection.execute(insert(error_states), [state | {"id": wanted.id}])
    # Pages that were open, in another browser and of a release before: their code is what it was.
    report(url, "1.0", stack(SCRIPT, message="undefined is not an object"), "undefined is not an object", at=NOW - 50)
    explain(store, maps)
    assert reopen_errors(store) == []
    report(url, "1.2", stack(SCRIPT), at=NOW)
    explain(store, maps)
    (again,) = reopen_errors(store)
    assert (again.id, again.release) == (wanted.id, "1.2")
    assert "in release 1.2" in again.describe()
    assert reopen_errors(store) == [], "once"
    with store.connected() as connection:
        row = connection.execute(select(error_states)).mappings().one()
    assert (row["state"], row["reopened_in"]) == ("reopened", "1.2")
    check_alert(store, again)


def check_alert(store: Store, again: Regression) -> None:
    """It is open until the error is decided about, and is sent to every address."""
    alerts = RegressionAlerts(store=store, targets=("address",), public_url="https://monitor.example/")
    for found in ([again], []):
        alerts.update(found)
        assert list(store.alerts.open("", "shop")) == ["regression"]
    store.error_states.decide(again.id, "shop", "resolved", "1.2", "ada", "", datetime.now(UTC))
    alerts.update([])
    assert store.alerts.open("", "shop") == {}
    begun, ended = store.alerts.unsent(["address"])
    assert (begun.title, begun.bad) == ("A resolved error of shop came again in release 1.2: TypeError src/price.ts:2", True)
    assert begun.body.endswith(f"\nhttps://monitor.example/errors/{again.id}")
    assert (ended.title, ended.bad) == ("The errors of shop that came again are decided about", False)


def test_without_releases_an_error_opens_again_on_a_page_that_was_loaded_later(store: Store, url: str) -> None:
    report(url, "", stack(SCRIPT), at=NOW - 300)
    (one,) = groups(store)
    state = {"app": "shop", "state": "resolved", "release": "", "who": "ada", "note": "", "at": NOW - 100, "reopened_in": ""}
    with store.connected() as connection:
        connection.execute(insert(error_states), [state | {"id": one.id}])
    old = view(started_at=NOW - 400, errors=(error("x is undefined", stack=stack(SCRIPT), at_seconds=350),))
    with Writer(url) as writer:
        writer.put_blocking(arrival(old, at=NOW, release=""))
    assert reopen_errors(store) == []
    report(url, "", stack(SCRIPT), at=NOW)
    assert [one.release for one in reopen_errors(store)] == [""]
