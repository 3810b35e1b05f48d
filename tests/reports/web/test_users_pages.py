"""The pages about real users, as a reader sees them in a browser."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Locator, expect
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from reports.replay.recording import read_recording_starts
from reports.users.rollup_queries import Filter, read_total
from reports.web.api.registry import ENDPOINTS
from reports.web.pages.real_users.sessions import replay_link
from reports.web.routes import page_routes
from reports.web.site import Site
from runner.archive.archive import Archive
from runner.store import Store
from tests.reports.web.visitors import DAY, EVIL, EVIL_ID, EVIL_SESSION, TRACE, fill, runs, visits
from tests.support.asking import ask
from tests.support.reader import Reader, serving
from tests.support.services.collector import Served, beacon
from tests.support.services.collector import view as told
from tests.support.services.servers import get
from tests.support.thorough import thorough_but
from tests.support.wait import wait_until


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path_factory.mktemp('pages') / 'journeys.db'}") as opened:
        fill(opened, visits(), runs())
        yield opened


def site(store: Store, folder: Path) -> Site:
    return Site(store=store, archive=Archive(folder / "runs"), now=lambda: DAY.end)


@pytest.fixture(scope="module")
def address(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(page_routes(site(store, tmp_path_factory.mktemp("archive")))) as served:
        yield served


@pytest.fixture
def reader(chrome: Browser, address: str) -> Iterator[Reader]:
    """Looks at pages; whatever went wrong in one fails the test."""
    context = chrome.new_context(viewport={"width": 1280, "height": 900})
    one = Reader(context, address)
    yield one
    one.assert_quiet()
    context.close()


def drawn(chart: Locator) -> bool:
    """Whether there is more on a canvas than its background."""
    chart.locator("canvas").wait_for()
    return bool(
        chart.locator("canvas").evaluate(
            "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value)"
        )
    )


PAGES = ["/users", "/users/journeys", f"/users/views/{EVIL_ID}", "/sessions", f"/sessions/{EVIL_SESSION}", "/"]


@pytest.mark.parametrize(("scheme", "width"), thorough_but(1, [("light", 1280), ("dark", 390)]))
def test_every_page_can_be_read_on_any_screen(chrome: Browser, address: str, scheme: str, width: int) -> None:
    context = chrome.new_context(viewport={"width": width, "height": 850}, color_scheme="dark" if scheme == "dark" else "light")
    one = Reader(context, address)
    for path in PAGES:
        page = one.open(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        for chart in page.locator("[data-lines]").all():
            assert drawn(chart)
        one.assert_quiet()
    context.close()


def test_charts_are_drawn_where_the_browser_s_language_is_not_a_language(chrome: Browser, address: str) -> None:
    context = chrome.new_context()
    # As in a WebKit whose locale is C.
    context.add_init_script("Object.defineProperty(Navigator.prototype, 'language', { get: () => 'C' })")
    one = Reader(context, address)
    assert drawn(one.open("/users").locator("[data-lines]").first)
    one.assert_quiet()
    context.close()


@pytest.mark.parametrize("path", thorough_but(2, PAGES))
def test_what_a_visitor_has_written_stays_text(reader: Reader, path: str) -> None:
    page = reader.open(path)
    assert page.locator("img, object, base").count() == 0
    assert page.locator("script:not([src]):not([type='application/json'])").count() == 0
    if path not in {"/", "/users/journeys"}:
        expect(page.get_by_text(EVIL).first).to_be_attached()


def test_a_page_view_says_its_trace_and_links_to_it(store: Store, tmp_path: Path, reader: Reader) -> None:
    page = reader.open(f"/users/views/{EVIL_ID}")
    expect(page.get_by_text(TRACE)).to_be_visible()
    expect(page.get_by_role("link", name=TRACE)).to_have_count(0)
    linked = replace(site(store, tmp_path), trace_url="https://tempo.example/trace/{trace_id}")
    with serving(page_routes(linked)) as address:
        found = get(f"{address}/users/views/{EVIL_ID}") or ""
    assert f'<a href="https://tempo.example/trace/{TRACE}" rel="noreferrer"><code>{TRACE}</code></a>' in found


def test_tiles_tell_the_figure_its_worth_and_its_shares(reader: Reader, store: Store) -> None:
    page = reader.open("/users")
    tiles = page.get_by_role("list", name="Web vitals and load time").get_by_role("listitem")
    expect(tiles).to_have_count(6)
    lcp = ask(store, read_total, Filter(app="shop"), DAY, ["lcp"]).distributions["lcp"]
    first = tiles.first
    expect(first).to_contain_text(f"{lcp.percentile(0.75):.2f} s")
    expect(first).to_contain_text(f"{lcp.count:,} page views")
    assert lcp.shares is not None
    expect(first.get_by_role("img")).to_have_attribute("aria-label", re.compile(f"^{lcp.shares.good * 100:.1f} % good"))
    bars = [float(one.get_attribute("width") or 0) for one in first.locator("rect").all()]
    assert sum(bars) == pytest.approx(100, abs=0.1)
    assert bars[0] == pytest.approx(lcp.shares.good * 100, abs=0.01)


def test_a_page_with_few_views_says_that_there_is_no_percentile(reader: Reader) -> None:
    page = reader.open("/users?page=/rare")
    load = page.locator("[data-metric=load]")
    expect(load).to_contain_text("3 page views")
    expect(load.locator(".value")).to_have_text("–")
    expect(page.get_by_text("fewer than 30 page views: too few for a percentile")).to_have_count(1)


def test_every_chart_has_its_thresholds_and_its_table(reader: Reader) -> None:
    page = reader.open("/users")
    charts = page.locator("[data-lines]")
    expect(charts).to_have_count(6)
    for chart in charts.all():
        assert drawn(chart)
    limits = page.evaluate("JSON.parse(document.getElementById('line-cls').textContent).limits")
    assert limits == [0.1, 0.25]
    page.get_by_text("The same as a table").click()
    expect(page.locator("details tbody tr")).to_have_count(24)
    bars = page.locator("svg.histogram rect.whole")
    assert bars.count() > 10
    assert "page view" in (bars.nth(3).text_content() or "")


def test_filters_are_kept_in_the_address(reader: Reader) -> None:
    page = reader.open("/users?range=24h")
    page.get_by_role("combobox", name="Device").select_option("mobile")
    page.get_by_role("combobox", name="Browser").select_option("Chrome")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile(r"\?range=24h&.*device=mobile.*&browser=Chrome"))
    count = page.get_by_role("heading", level=2).first.text_content()
    page.get_by_role("columnheader", name="page views").first.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"device=mobile&browser=Chrome&sort=views"))
    expect(page.get_by_role("columnheader", name="page views").first).to_have_attribute("aria-sort", "descending")
    assert page.get_by_role("heading", level=2).first.text_content() == count
    page.get_by_role("link", name="7d", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?range=7d&device=mobile&browser=Chrome&sort=views"))
    expect(page.get_by_role("combobox", name="Device")).to_have_value("mobile")
    page.get_by_role("rowheader", name="/item/:id").first.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"device=mobile&browser=Chrome.*page=(/|%2F)item(/|%2F)(:|%3A)id"))
    expect(page.get_by_role("combobox", name="Page")).to_have_value("/item/:id")


def test_an_error_leads_to_a_view_and_that_to_its_session(reader: Reader) -> None:
    page = reader.open("/users")
    page.get_by_role("link", name="the card is refused").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("the card is refused")
    page.get_by_role("row").filter(has_text="/pay").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("/pay")
    expect(page.get_by_role("heading", name="Errors").locator("xpath=..")).to_contain_text("TypeError the card is refused")
    page.get_by_role("link", name="Its session").click()
    expect(page.get_by_role("heading", level=2).first).to_have_text("1 page view, 0 interactions, 1 error")
    expect(page.locator("svg.timeline.broad rect.wrong title")).to_have_text("the card is refused")


@pytest.mark.thorough
def test_the_errors_of_one_page_are_a_click_away(reader: Reader) -> None:
    page = reader.open("/users?range=24h&device=desktop")
    errors = page.get_by_role("region", name="Errors of the pages' scripts")
    every = errors.get_by_role("row").count()
    errors.get_by_role("row").filter(has_text="the card is refused").get_by_role("link", name="/pay").click()
    expect(page).to_have_url(re.compile(r"device=desktop&page=(/|%2F)pay#errors$"))
    expect(errors.get_by_role("row")).to_have_count(2)
    expect(errors).to_contain_text("Of the newest 20,000 views of /pay that fit")
    errors.get_by_role("link", name="those of all pages").click()
    expect(errors.get_by_role("row")).to_have_count(every)
    expect(errors).to_contain_text("Across all pages and all traffic")


def test_each_list_can_be_taken_as_csv(reader: Reader, store: Store) -> None:
    page = reader.open("/users?range=24h&device=mobile")
    links = page.get_by_role("link", name=re.compile("^As CSV"), include_hidden=True)
    asked = [one.get_attribute("href") or "" for one in links.all()]
    lists = [re.search(r"list=(\w+)", one) for one in asked]
    wanted = {"moments", "pages", "slowest", "errors", "actions", "devices", "browsers", "releases"}
    assert {one[1] for one in lists if one} == wanted
    assert all(one.startswith("/api/v1/users?range=24h&device=mobile&format=csv") for one in asked)
    endpoint = next(one for one in ENDPOINTS if one.path == "/users")
    assert wanted <= set(endpoint.rows)


def test_a_slow_page_view_shows_its_phases_and_what_its_vitals_came_from(reader: Reader) -> None:
    page = reader.open("/users?page=/item/:id")
    page.get_by_role("region", name="Slowest page views").get_by_role("link").first.click()
    fall = page.get_by_role("img", name=re.compile("^Waterfall"))
    for phase in ("dns", "connect", "tls", "request", "response", "dom", "load"):
        expect(fall.locator(f"rect.{phase}")).to_have_count(1)
    expect(fall.get_by_text(re.compile("^LCP "))).to_be_visible()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="LCP"))
    expect(row).to_contain_text("main>section.hero>img")


def test_sessions_are_filtered_and_paged(reader: Reader) -> None:
    page = reader.open("/sessions")
    rows = page.get_by_role("region", name="Newest first").get_by_role("row")
    expect(rows).to_have_count(51)
    page.get_by_role("link", name="Older sessions").click()
    expect(page).to_have_url(re.compile("before="))
    expect(rows).to_have_count(51)
    page.get_by_label("with an error").check()
    page.get_by_label("Longer than").fill("3m")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile(r"longer=3m&errors=yes"))
    for row in rows.all()[1:]:
        assert int(row.get_by_role("cell").nth(5).text_content() or 0) > 0
    page.get_by_role("rowheader").first.get_by_role("link").click()
    expect(page.locator("svg.timeline rect.seen").first).to_be_attached()


def test_journeys_stand_beside_real_users(reader: Reader) -> None:
    page = reader.open("/users/journeys")
    triage = page.get_by_role("region", name="Who sees the site as broken")
    expect(triage.get_by_role("row").filter(has_text="buy")).to_contain_text("users hurt but untested")
    expect(triage.get_by_role("row").filter(has_text="find")).to_contain_text("probe problem")
    pages = page.get_by_role("region", name="The same pages")
    pages.get_by_role("link", name="/search").click()
    expect(page.get_by_role("heading", name="/search over time")).to_be_visible()
    for chart in page.locator("[data-lines]").all():
        assert drawn(chart)


def test_the_overview_has_a_row_for_each_app_and_leads_on(reader: Reader) -> None:
    page = reader.open("/?range=24h")
    expect(page.get_by_role("table").filter(has_text="LCP, p75").get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="shop", exact=True).click()
    expect(page).to_have_url(re.compile(r"/users\?range=24h&app=shop"))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/users?sort=colour", "sort: 'colour' is not valid; choose one of impact, views"),
        ("/users?traffic=cars", "traffic: 'cars' is not valid; choose one of real, bot, synthetic, all"),
        ("/users?app=attic", "app: 'attic' has sent nothing yet; choose one of shop"),
        ("/users?page=" + "x" * 300, "is longer than 200 characters"),
        ("/sessions?longer=soon", "longer: 'soon' is not a duration"),
        ("/sessions?errors=perhaps", "write errors=yes"),
    ],
)
def test_a_wrong_address_is_explained(chrome: Browser, address: str, path: str, words: str) -> None:
    with chrome.new_context() as context:
        page = context.new_page()
        answer = page.goto(address + path)
        assert answer is not None
        assert answer.status == 400
        expect(page.get_by_role("main")).to_contain_text(words)


@pytest.mark.parametrize("path", ["/users/views/nothing", "/sessions/nothing"])
def test_what_has_been_removed_is_said_to_be_gone(chrome: Browser, address: str, path: str) -> None:
    with chrome.new_context() as context:
        page = context.new_page()
        answer = page.goto(address + path)
        assert answer is not None
        assert answer.status == 404
        expect(page.get_by_role("main")).to_contain_text("'nothing' is stored; old ones are removed")


def test_with_nothing_stored_the_pages_say_how_to_begin(chrome: Browser, tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'journeys.db'}") as empty, serving(page_routes(site(empty, tmp_path))) as served:
        context = chrome.new_context()
        one = Reader(context, served)
        for path in ("/users", "/users/journeys", "/sessions"):
            page = one.open(path)
            expect(page.get_by_role("main")).to_contain_text("No page view is stored yet")
            expect(page.get_by_role("main")).to_contain_text(f'<script src="{served}/agent.js" data-app="shop" defer></script>')
        page = one.open("/")
        expect(page.get_by_role("heading", name="Real users")).to_have_count(0)
        one.assert_quiet()
        context.close()


def test_a_session_that_was_recorded_leads_to_its_replay_at_the_moment(tmp_path: Path) -> None:
    names = "app, session, tab, sequence, first_at, last_at, events, has_full_snapshot, bytes, checksum, "
    names += "received_at, traffic, release, page"
    row = "'shop', 'session-1', 'tab', 0, :at, :at, 9, true, 99, '', :at, 'real', '', '/'"
    with Store(f"sqlite:///{tmp_path / 'journeys.db'}") as store:
        assert ask(store, read_recording_starts, ["session-1"]) == {}
        with store.connected() as connection:
            connection.execute(text(f"INSERT INTO replay_chunks ({names}) VALUES ({row})"), {"at": DAY.start.timestamp()})
        begins = ask(store, read_recording_starts, ["session-1", "session-2"])
    assert begins == {"session-1": DAY.start.timestamp()}
    assert replay_link("session-1", begins["session-1"]) == "/sessions/session-1/replay"
    later = replay_link("session-1", begins["session-1"], DAY.start + timedelta(seconds=2.5))
    assert later == "/sessions/session-1/replay?t=2500"


class Metrics:
    """Dashboard pages beside a /metrics whose text a test gives."""

    def __init__(self, text: Callable[[], str]) -> None:
        self.text = text
        self.status = 200

    def answer(self, _: Request) -> Response:
        """The handler of its route."""
        return PlainTextResponse(self.text(), self.status)


@pytest.fixture
def charted(chrome: Browser, tmp_path: Path) -> Iterator[Callable[[Metrics], Reader]]:
    """Opens /metrics-chart, which reads these metrics; the store is empty."""
    with ExitStack() as stack:

        def start(metrics: Metrics) -> Reader:
            empty = stack.enter_context(Store(f"sqlite:///{tmp_path / 'journeys.db'}"))
            address = stack.enter_context(serving([Route("/metrics", metrics.answer), *page_routes(site(empty, tmp_path))]))
            context = stack.enter_context(chrome.new_context())
            reader = Reader(context, address)
            # Time stands still but for what a test lets pass.
            reader.page.clock.install(time=DAY.start)
            reader.page.clock.pause_at(DAY.end)
            reader.open("/metrics-chart")
            return reader

        yield start


def test_metrics_are_charted_from_their_text_alone(charted: Callable[[Metrics], Reader], collector: Served) -> None:
    def visit(*loads: float) -> None:
        for load in loads:
            assert collector.post(beacon(told(phases={"total": load}, ended=True))).status == 202

    visit(*[0.9] * 30, *[1.5] * 10)
    visit(9.0)
    reader = charted(Metrics(lambda: collector.request("GET", "/metrics").body.decode()))
    item = reader.page.locator("[data-page='/item/:slug']")
    # Of 41 values 30 lie between 0.8 and 1 s, so the median is at 20.5 thirtieths of the way.
    expect(item).to_contain_text("41 loads · p50 937 ms · p95 1.72 s · rate –")
    expect(item.locator("rect")).to_have_count(13)
    expect(item.locator("title").nth(4)).to_have_text("up to 1 s: 30")
    visit(*[0.3] * 5)
    # /metrics is written anew once a second, on the collector's own clock.
    wait_until(lambda: collector.metric("page_load_time_seconds_count", app="shop") == 46)
    reader.page.clock.run_for(5_000)
    expect(item).to_contain_text("46 loads")
    expect(item).to_contain_text("60.0 a minute")
    assert drawn(reader.page.locator("#metrics-lines"))
    reader.assert_quiet()


TEXT = """# HELP page_load_time_seconds Load.
# TYPE page_load_time_seconds histogram
page_load_time_seconds_bucket{app="shop",page="/a\\"<img src=x>}\\\\",le="1.0"} 1.0 # {session_id="x"} 0.5 1.0
page_load_time_seconds_bucket{app="shop",page="/a\\"<img src=x>}\\\\",le="2.5"} 4.0
page_load_time_seconds_bucket{app="shop",page="/a\\"<img src=x>}\\\\",le="+Inf"} 4.0 1795557200000
page_load_time_seconds_count{app="shop",page="/a\\"<img src=x>}\\\\"} 4.0
page_load_time_seconds_sum{app="shop",page="/a\\"<img src=x>}\\\\"} 6
other_total NaN
"""


def test_whatever_a_label_holds_it_is_read_and_stays_text(charted: Callable[[Metrics], Reader]) -> None:
    reader = charted(Metrics(lambda: TEXT))
    expect(reader.page.locator("figure strong")).to_have_text('/a"<img src=x>}\\')
    expect(reader.page.locator("figure")).to_contain_text("4 loads · p50 1.50 s · p95 2.40 s")
    assert reader.page.locator("img").count() == 0
    reader.assert_quiet()


def test_no_metrics_are_said_to_be_missing_and_asked_for_again(charted: Callable[[Metrics], Reader]) -> None:
    metrics = Metrics(lambda: "")
    metrics.status = 404
    reader = charted(metrics)
    state = reader.page.locator("#metrics-state")
    expect(state).to_contain_text("/metrics cannot be read: it answers 404; is the collector in this server?")
    metrics.status = 200
    reader.page.clock.run_for(5_000)
    expect(reader.page.get_by_role("main")).to_contain_text("/metrics has no page_load_time_seconds yet")
    metrics.text = lambda: TEXT
    reader.page.clock.run_for(5_000)
    expect(reader.page.locator("figure")).to_have_count(1)
