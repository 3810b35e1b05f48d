"""The figures about real users, against the same worked out from what each browser sent."""

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from msgspec.structs import replace

from reports.collector.accepted_beacon import Arrival
from reports.collector.beacon import View
from reports.users.page_view_queries import read_view
from reports.users.rollup_queries import Filter
from reports.web.view_models.real_users.journeys_vs_users import read_journeys_vs_users
from reports.web.view_models.real_users.metric_tiles import HEAD, read_tiles
from reports.web.view_models.real_users.sessions import read_session_data, read_sessions
from reports.web.view_models.real_users.users import SORTS, Row, read_pages, read_users
from runner.store import Store
from runner.store.queries.page_loads import loads
from runner.store.queries.time_range import Range
from runner.store.tables.histogram import EDGES, bucket
from runner.store.tables.page_views import Metric
from tests.reports.web.visitors import DAY, EVIL, EVIL_ID, EVIL_SESSION, HOUR, NOW, fill, run, runs, visits
from tests.support.asking import ask
from tests.support.services.databases import BOTH
from tests.support.thorough import thorough_but

# Each process fills a day's database of its own before its first of these.
pytestmark = pytest.mark.long
RAN = runs()
SHOP = Filter(app="shop")


@pytest.fixture(scope="module", params=BOTH)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The day in a database of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('users') / 'journeys.db'}"
    else:
        url = request.getfixturevalue("postgres_copy")()
    with Store(url) as opened:
        fill(opened, visits(), RAN)
        yield opened


def views(traffic: str = "real") -> list[tuple[Arrival, View]]:
    """The page views of the day."""
    return [
        (one, one.beacon.views[0])
        for one in visits()
        if one.traffic == traffic and DAY.start.timestamp() <= one.beacon.views[0].started_at < NOW
    ]


def values(metric: Metric, page: str | None = None) -> list[float]:
    """What the views told of a metric."""
    here = [view for one, view in views() if page in (None, one.pages[0])]
    if metric == "load":
        return [view.phases["total"] for view in here]
    return [vital.value for view in here for vital in view.vitals if vital.name == metric]


def near(metric: Metric, found: float | None, all_values: list[float], share: float) -> bool:
    """Whether a percentile lies in the bucket of the true one."""
    true = sorted(all_values)[max(-(-int(len(all_values) * share * 1000) // 1000) - 1, 0)]
    place = bucket(metric, true)
    lower = EDGES[metric][place - 1] if place else 0.0
    return found is not None and lower <= found <= EDGES[metric][place]


def test_a_tile_tells_the_75th_percentile_the_shares_and_how_many_views_it_is_of(store: Store) -> None:
    data = ask(store, read_users, SHOP, DAY)
    assert data.tally.views == len(views()) > 1000
    for tile in data.tiles:
        told = values(tile.metric)
        assert tile.count == len(told)
        assert near(tile.metric, tile.p75, told, 0.75)
        assert tile.shares is not None
        assert tile.shares.good == pytest.approx(sum(one <= tile.good for one in told) / len(told))
        assert tile.shares.poor == pytest.approx(sum(one > tile.poor for one in told) / len(told))
    assert [tile.metric for tile in data.tiles] == ["lcp", "inp", "cls", "fcp", "ttfb", "load"]


def test_fewer_than_30_page_views_have_no_percentile(store: Store) -> None:
    data = ask(store, read_users, Filter(app="shop", page="/rare"), DAY)
    load = next(one for one in data.tiles if one.metric == "load")
    assert (load.count, load.p75, load.worth) == (3, None, "")
    (row,) = data.pages
    assert (row.value, row.views, row.p75["load"]) == ("/rare", 3, None)


def test_the_lines_and_the_distribution_hold_every_page_view_once(store: Store) -> None:
    data = ask(store, read_users, SHOP, DAY)
    assert sum(one.views for one in data.moments) == data.tally.views
    assert sum(one.count["lcp"] for one in data.moments) == len(values("lcp"))
    assert data.step_seconds == HOUR
    by_hour = Counter(int(view.started_at // HOUR) for _, view in views())
    assert {int(one.at.timestamp() // HOUR): one.views for one in data.moments} == dict(by_hour)
    assert sum(one.count for one in data.load) == len(values("load"))
    assert {one.up_to: one.count for one in data.load} == {
        one.up_to: sum(one.above < value <= (one.up_to or 1e9) for value in values("load")) for one in data.load
    }


def test_a_long_span_is_drawn_in_few_steps_without_losing_a_view(store: Store) -> None:
    week = Range(DAY.end - (DAY.end - DAY.start) * 7, DAY.end)
    data = ask(store, read_users, SHOP, week)
    assert data.step_seconds == 3 * HOUR
    assert sum(one.views for one in data.moments) == data.tally.views == len([one for one in visits() if one.traffic == "real"])


def _descending(metric: Metric, row: Row) -> float:
    return -(row.p75[metric] or 0.0)


@pytest.mark.parametrize("sort", thorough_but(2, SORTS))
def test_pages_are_sorted_as_the_address_says(store: Store, sort: str) -> None:
    data = ask(store, read_users, SHOP, DAY, sort)
    keys: dict[str, Callable[[Row], float | str]] = {
        "impact": lambda row: -row.impact,
        "views": lambda row: -row.views,
        "failed": lambda row: -row.failed / row.views,
        "frustration": lambda row: -row.frustration,
        "page": lambda row: row.value,
    }
    keys |= {metric: partial(_descending, metric) for metric in HEAD}
    key = keys[sort]
    assert [key(one) for one in data.pages] == [key(one) for one in sorted(data.pages, key=key)]
    assert len(data.pages) + data.more_pages == len({one.pages[0] for one, _ in views()})


def test_impact_is_how_long_a_pages_users_waited(store: Store) -> None:
    row = next(one for one in ask(store, read_users, SHOP, DAY).pages if one.value == "/pay")
    told = values("load", "/pay")
    assert row.impact == pytest.approx((row.p75["load"] or 0) * len(told), abs=0.01)
    assert near("load", row.p75["load"], told, 0.75)
    assert row.failed == sum(bool(view.errors) for one, view in views() if one.pages[0] == "/pay")


@pytest.mark.parametrize(
    ("which", "wanted"),
    [
        (Filter(app="shop", device="mobile"), lambda one: one.device == "mobile"),
        (Filter(app="shop", browser="Chrome"), lambda one: one.browser.startswith("Chrome ")),
        (Filter(app="shop", release="2.0"), lambda one: one.beacon.release == "2.0"),
        (Filter(app="shop", page="/item/:id"), lambda one: one.pages[0] == "/item/:id"),
    ],
)
def test_a_filter_holds_for_the_whole_page(store: Store, which: Filter, wanted: Callable[[Arrival], bool]) -> None:
    data = ask(store, read_users, which, DAY)
    expected = [view for one, view in views() if wanted(one)]
    assert data.tally.views == len(expected) > 30
    assert sum(one.views for one in data.devices) == sum(one.views for one in data.browsers) == len(expected)
    assert sum(one.views for one in ask(store, read_pages, which, DAY)) == len(expected)
    assert {one.id for one in data.slowest} <= {view.id for view in expected}


def test_bots_are_shown_only_when_asked_for(store: Store) -> None:
    assert "/robots" not in {one.value for one in ask(store, read_users, SHOP, DAY).pages}
    assert ask(store, read_users, Filter(app="shop", traffic="bot"), DAY).tally.views == len(views("bot")) == 40
    assert ask(store, read_users, Filter(app="shop", traffic=None), DAY).tally.views == len(views()) + 40


def test_errors_lead_to_a_page_view_that_met_them(store: Store) -> None:
    found = {one.message: one for one in ask(store, read_users, SHOP, DAY).errors}
    refused = found["the card is refused"]
    met = [view for one, view in views() if any(error.message == "the card is refused" for error in view.errors)]
    assert refused.views == refused.count == len(met)
    assert refused.pages == ("/pay",)
    assert refused.newest_view == max(met, key=lambda view: view.started_at).id
    shown = ask(store, read_view, refused.newest_view or "")
    assert shown is not None
    assert [one.message for one in shown.errors] == ["the card is refused"]
    assert (refused.first_at.timestamp(), refused.last_at.timestamp()) == (
        min(view.started_at for view in met),
        max(view.started_at for view in met),
    )


def test_the_errors_of_a_page_are_those_of_the_views_that_fit(store: Store) -> None:
    (refused,) = ask(store, read_users, Filter(app="shop", page="/pay"), DAY).errors
    met = [view for one, view in views() if one.pages[0] == "/pay" and view.errors]
    assert (refused.message, refused.views, refused.count, refused.pages) == (
        "the card is refused",
        len(met),
        len(met),
        ("/pay",),
    )
    assert refused.newest_view == max(met, key=lambda view: view.started_at).id
    assert ask(store, read_users, Filter(app="shop", page="/pay", release="1.0"), DAY).errors == ()
    assert ask(store, read_users, Filter(app="shop", page="/rare"), DAY).errors == ()
    told = Counter(
        re.sub(r"\d+", "#", error.message)
        for one, view in views()
        if one.pages[0] == "/item/:id" and one.device == "mobile"
        for error in view.errors
    )
    mobile = ask(store, read_users, Filter(app="shop", page="/item/:id", device="mobile"), DAY).errors
    assert {one.message: one.count for one in mobile} == told
    assert [one.views for one in mobile] == sorted((one.views for one in mobile), reverse=True)


def test_the_overview_shows_each_app_that_was_visited(store: Store) -> None:
    ((app, views, tiles),) = ask(store, read_tiles, DAY)
    assert views == ask(store, read_users, SHOP, DAY).tally.views
    assert (app, [one.metric for one in tiles]) == ("shop", ["lcp", "inp", "cls", "load"])
    before = Range(DAY.start.replace(year=2020), DAY.end.replace(year=2020))
    assert ask(store, read_tiles, before) == []


def test_sessions_are_found_by_page_error_and_length(store: Store) -> None:
    def found(which: Filter = SHOP, **more: object) -> set[str]:
        listed, before = [], None
        while True:
            page = ask(store, read_sessions, which, DAY, before=before, **more)  # type: ignore[arg-type]
            listed += [one.id for one in page.sessions]
            if not page.more:
                break
            before = listed[-1]
        assert len(listed) == len(set(listed))
        return set(listed)

    began: dict[str, float] = {}
    ended: dict[str, float] = defaultdict(float)
    for one in visits():
        view = one.beacon.views[0]
        began[one.beacon.session] = min(began.get(one.beacon.session, view.started_at), view.started_at)
        ended[one.beacon.session] = max(ended[one.beacon.session], one.beacon.sent_at)
    today = {session for session, at in began.items() if DAY.start.timestamp() <= at < NOW}
    real = {one.beacon.session for one in visits() if one.traffic == "real"} & today
    assert found() == real
    assert found(failed=True) == {one.beacon.session for one in visits() if one.beacon.views[0].errors} & real
    cart = {one.beacon.session for one in visits() if one.pages[0] == "/cart"} & real
    assert 10 < len(cart) < len(real)
    assert found(Filter(app="shop", page="/cart")) == cart
    long = found(longer=300.0)
    assert 10 < len(long) < len(real)
    assert found(Filter(app="shop", page="/cart"), longer=300.0) == cart & long
    assert (
        found(Filter(app="shop", release="2.0"))
        == {one.beacon.session for one in visits() if one.beacon.release == "2.0"} & real
    )


def test_a_session_shows_what_happened_where_and_when(store: Store) -> None:
    data = ask(store, read_session_data, EVIL_SESSION)
    assert data is not None
    (visit,) = data.visits
    assert visit.seen.id == EVIL_ID
    assert {(one.kind, EVIL in one.text) for one in visit.marks} == {("interaction", True), ("error", True), ("request", True)}
    assert [(one.metric, one.poor) for one in visit.slow] == [("load", True), ("lcp", True)]
    assert (visit.end - visit.seen.started_at).total_seconds() == 10
    assert ask(store, read_session_data, "01b80000-0000-7000-8000-000000000000") is None


def test_the_views_of_a_session_follow_each_other(store: Store) -> None:
    (longest, count) = Counter(one.beacon.session for one in visits()).most_common(1)[0]
    data = ask(store, read_session_data, longest)
    assert data is not None
    assert len(data.visits) + data.more == count == data.session.views > 5
    assert [one.seen.started_at for one in data.visits] == sorted(one.seen.started_at for one in data.visits)
    acted = [
        interaction for one in visits() if one.beacon.session == longest for interaction in one.beacon.views[0].interactions
    ]
    assert sum(mark.kind == "interaction" for one in data.visits for mark in one.marks) == len(acted) > 0


def test_journeys_and_users_are_compared_page_by_page(store: Store) -> None:
    data = ask(store, read_journeys_vs_users, SHOP, DAY)
    pages = {one.page: one for one in data.pages}
    assert set(pages) == {"/", "/item/:id", "/pay", "/search"}
    assert data.same_site
    assert data.sites == ("https://shop.example",)
    assert pages["/pay"].journeys == ("buy",)
    assert pages["/item/:id"].synthetic == statistics.median([0.4] * 48)
    assert pages["/pay"].synthetic == 0.5
    # Loads of runs that failed are left out.
    assert pages["/search"].synthetic_count == 41
    for page, one in pages.items():
        assert one.real_count == len(values("load", page))
        assert near("load", one.real, values("load", page), 0.5)
        assert one.ratio == pytest.approx((one.real or 0) / (one.synthetic or 1), abs=0.001)
    hours = ask(store, read_journeys_vs_users, Filter(app="shop", page="/pay"), DAY).over_time
    assert sum(one.real_count for one in hours) == len(values("load", "/pay"))
    assert sum(one.synthetic_count for one in hours) == 48
    assert all(one.ratio == pytest.approx(one.real / one.synthetic, abs=0.001) for one in hours if one.real and one.synthetic)


def test_triage_tells_an_outage_from_a_bad_probe(store: Store) -> None:
    found = {one.journey: one for one in ask(store, read_journeys_vs_users, SHOP, DAY).triage}
    # Every third view of /pay meets an error of late, and the journey passes all the same.
    assert (found["buy"].state, found["buy"].trend, found["buy"].verdict) == ("green", "up", "users hurt but untested")
    assert (found["find"].state, found["find"].trend, found["find"].verdict) == ("red", "flat", "probe problem")
    assert found[None].verdict == "ok"
    late = [view for one, view in views() if one.pages[0] in ("/pay", "/item/:id") and view.started_at >= NOW - 6 * HOUR]
    assert found["buy"].views == len(late)
    assert found["buy"].share == sum(bool(view.errors) for view in late) / len(late)


def test_journeys_of_another_site_are_compared_by_path_and_it_is_said(
    store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Store(f"sqlite:///{tmp_path_factory.mktemp('staging') / 'journeys.db'}") as other:
        ran = run("buy", RAN[0].started_at, ["/item/7"], 0.3)
        (step,) = ran.steps
        moved = [replace(one, url="http://staging.local/item/7") for one in step.navigations]
        fill(other, visits(), [replace(ran, steps=(replace(step, navigations=tuple(moved)),))])
        data = ask(other, read_journeys_vs_users, SHOP, DAY)
    assert not data.same_site
    assert (data.sites, data.real_sites) == (("http://staging.local",), ("https://shop.example",))
    assert [one.page for one in data.pages] == ["/item/:id"]
    assert data.pages[0].synthetic is None


def test_of_a_long_span_each_part_is_asked_for_its_newest_runs(store: Store) -> None:
    whole = ask(store, loads, DAY)
    assert len(whole) == sum(len(step.navigations) for one in RAN for step in one.steps)
    some = ask(store, loads, DAY, parts=4, each=2)
    assert len({one.run for one in some}) == 8
    assert {int((one.started_at - DAY.start).total_seconds() // (6 * HOUR)) for one in some} == {0, 1, 2, 3}


def test_nothing_stored_gives_empty_figures(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Store(f"sqlite:///{tmp_path_factory.mktemp('empty') / 'journeys.db'}") as empty:
        data = ask(empty, read_users, SHOP, DAY)
        assert (data.tally.views, data.pages, data.moments, data.load, data.errors) == (0, (), (), (), ())
        assert ask(empty, read_tiles, DAY) == []
        assert ask(empty, read_sessions, SHOP, DAY).sessions == ()
        assert ask(empty, read_journeys_vs_users, SHOP, DAY).pages == ()
