"""Every page that the dashboard has, by its own list of addresses: quiet, without a word to elsewhere, and for everybody."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser as Playwright
from playwright.sync_api import Page, Route
from starlette.routing import Route as Address

from reports.collector.storage.series import generalize_message
from reports.replay.chunk_store import FOLDER, ChunkStore
from reports.web import api
from reports.web.routes import page_routes
from reports.web.site import Site
from runner.archive.run_files import RESULT
from runner.codec import encode
from runner.events import StepStarted
from runner.result import RunResult
from runner.settings.parsers.status_page import StatusPage
from runner.settings.sections.funnels import Funnel
from runner.settings.sections.objectives import Objective
from runner.store.alerts.mutes import Mute
from runner.store.incidents import IncidentUpdate, WrittenIncident
from tests.conftest import Monitor
from tests.reports.collector.arrivals import error
from tests.reports.replay.synthetic import long_session
from tests.reports.source_maps.built import explain_shop, stack
from tests.reports.web.accessible import CONTRAST, violations
from tests.reports.web.test_check_pages import made_check
from tests.reports.web.visitors import EVIL, EVIL_ID, NOW, fill, runs, seen, visits
from tests.support.requested_runs import ask
from tests.support.services.dashboard import Visited, made, many

BREAKS = """
@journey(trace="on", screenshots="on", replay="on", console="on")
def walk(page, step):
    with step("open the shop"):
        page.goto("/")
    with step("look for what is not there"):
        page.get_by_role("button", name="Nobody made this").click(timeout=700)
"""
PASSES = """
@journey(trace="on", screenshots="off", accessibility="on")
def walk(page, step):
    with step("open the shop"):
        page.goto("/")
"""
TRACE_URL = "https://tempo.example/trace/{trace_id}?span={span_id}"
FUNNELS = (Funnel(name="checkout", app="shop", steps=("/", "/item/:id", "/pay")),)
WIDTHS = (1920, 1280, 768, 640, 390)
"""Of which 640 is a window of 1280 at 200 %."""
LONG = "rechnungsadresse-aendern-und-bestellung-abschliessen"
LONG_STEP = "Zahlungsartenauswahlbestätigung und Bestellübersichtsprüfung abwarten"
SIDEWAYS = """() => [...document.querySelectorAll("main *")]
    .filter(one => one.scrollWidth > one.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(one).overflowX))
    .filter(one => !one.matches(".film, .stage"))
    .map(one => one.getAttribute("aria-label") || one.getAttribute("aria-labelledby") || one.className)"""
"""What a reader would have to move from side to side; a film strip is made for that."""
LONGER = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    for (const text of texts.filter(one => !one.parentElement.closest("svg, script, code, pre, .viewer, .chart")))
        text.data = text.data.replace(/[A-Za-z]{3,}/g, word => word + "ä".repeat(Math.ceil(0.4 * word.length)));
}"""
"""Each word of the page as long as its translation may be: German labels are longer than English ones by up to 40 %."""
FILE = re.compile(r"^/(events|artifacts|replays)\b|/(changes|events)$|\.\w+$")
"""Addresses of what no one reads as a page."""
PART = re.compile(r"\{(\w+)(?::\w+)?\}")


class Everything:
    """A dashboard with something to see on each of its pages."""

    def __init__(self, served: Visited, monitor: Monitor) -> None:
        self.served = served
        passed = replace(monitor.run(PASSES, release="1.0"), trace_id="4bf92f3577b34da6a3ce929d0e0e4736", bundle="31c64073" * 8)
        served.store.add(passed, monitor.saved())
        (monitor.saved() / RESULT).write_bytes(msgspec.json.encode(passed))
        failed = monitor.run(BREAKS, release="1.1")
        served.store.add(failed, monitor.saved())
        for number, one in enumerate(many(40)):
            served.store.add(one)
            served.store.add(made(ago=7200 - 60 * number, release=f"1.{number // 20}"))
        self.served.store.add(made(journey=LONG, status="failed", step=LONG_STEP, release="2026.11.29-Donaudampfschifffahrt"))
        self._add_alerts()
        self._add_incident()
        check = made_check()
        served.store.add(check, served.archive.save(check, served.archive.scratch(check.id)))
        # So that the note about a sample is looked at on each page too.
        served.store.samples.mark(passed.started_at)
        session = long_session(ChunkStore(served.store, served.archive.folder / FOLDER), 1, 20)
        broken = error("total is undefined", stack=stack(message="total is undefined"))
        sent = seen("/pay", NOW - 600, 1.0, session=session, errors=(broken,), release="2.0")
        fill(served.store, [*visits(), sent], runs())
        errors = explain_shop(served)
        self.parts = {
            "journey": "buy",
            "run": failed.id,
            "view": EVIL_ID,
            "session": session,
            "error": errors["total is undefined"],
            "request": self._add_request(passed),
        }
        """What stands in an address for each part that varies."""
        self.states = [
            "/journeys/walk?range=30d",
            "/journeys/buy?range=24h&form=stacked&release=1.1&with_release=1.0",
            "/journeys/buy?range=1h&with=same",
            "/runs?from=2020-01-01T00:00&to=2020-01-02T00:00",
            f"/runs/{passed.id}",
            f"/journeys/{LONG}",
            "/journeys/answers?range=1h",
            f"/runs/{check.id}",
            "/?q=buy&group=tag",
            "/errors?state=all",
            "/errors?state=ignored",
            f"/errors/{errors[generalize_message(EVIL)]}",
            f"/errors/{errors['the card is refused']}?range=30d",
            "/funnels?range=30d&dropped=1",
            "/nothing",
        ]
        """Of some pages more than one is worth a look."""

    def _add_alerts(self) -> None:
        """An alert of `buy` that is open, and one that is muted."""
        at = datetime.now(UTC)
        alerts, mutes = self.served.store.alerts, self.served.store.mutes
        alerts.record("buy", "berlin", "failing", "buy is failing (berlin)", "", True, (), at, None)
        alerts.record("buy", "berlin", "budget", "buy is over its budget (berlin)", "", True, (), at, None)
        alerts.record("", "berlin", "files", "Journeys cannot be read (berlin)", "", True, (), at, None)
        until, note = at + timedelta(hours=1), f"{LONG} {LONG_STEP}"
        mutes.mute(Mute(journey="buy", location="berlin", kind="budget", who="ada", note=note, made_at=at, until=until))

    def _add_request(self, passed: RunResult) -> str:
        """Runs that somebody has asked for: one that has ended, one that is under way, one that was not made; the request's id."""
        requests, now = self.served.store.requested_runs, datetime.now(UTC)
        made = ask(self.served.store, "walk", LONG, "buy", base_url=f"https://{LONG}.staging.shop.example", release="1.0")
        ended, under_way, refused = made.runs
        for run in (ended, under_way):
            requests.claim(run.id, "scheduler", now)
        self.served.store.add(replace(passed, id=ended.id, trigger="demand", slot_at=None))
        began = StepStarted(run=under_way.id, journey=LONG, attempt=1, name=LONG_STEP, index=0)
        requests.add_events([(under_way.id, 0, now, encode(began).decode())])
        requests.close(refused.id, "refused", f"the scheduler has no journey named {LONG}", now)
        return made.id

    def _add_incident(self) -> None:
        """An incident that somebody has written, with a message."""
        at = datetime.now(UTC)
        said = IncidentUpdate(at=at, state="investigating", text=f"{LONG_STEP}\n{LONG}", who="ada")
        self.served.store.incidents.add(
            WrittenIncident(
                component="Shop", started_at=at, title=LONG, impact="partly available", who="ada", made_at=at, updates=(said,)
            )
        )

    def pages(self) -> Iterator[str]:
        """The path of each address that answers with a page."""
        what = Site(store=self.served.store, archive=self.served.archive)
        for one in [*page_routes(what), *api.api_routes(what)]:
            if not isinstance(one, Address) or "GET" not in (one.methods or ()) or FILE.search(one.path):
                continue
            missing = [name for name in PART.findall(one.path) if name not in self.parts]
            assert not missing, f"{one.path}: name what stands for {missing} in `parts`, so that this page is looked at too"
            path = PART.sub(lambda found: self.parts[found[1]], one.path)
            answer = self.served.get(path)
            assert answer.status == 200, f"{path} answers {answer.status}: give it something to show above"
            if answer.headers["content-type"].startswith("text/html"):
                yield path
        yield from self.states


@pytest.fixture
def everything(dashboard: Callable[..., Visited], monitor: Monitor) -> Everything:
    objectives = (
        Objective(name="checkout", journeys=("buy",), target=0.9),
        Objective(name="fast", journeys=("walk", "nobody*"), target=0.999, step="open the shop", under=0.000001),
        Objective(name="nothing", journeys=("nobody",), target=0.9),
    )
    page = StatusPage(journeys={"buy": "Rechnungsadressenänderung", "walk": "Shop"})
    given = {"budgets": {"buy": 1.0}, "objectives": objectives, "funnels": FUNNELS, "trace_url": TRACE_URL, "status_page": page}
    return Everything(dashboard(**given), monitor)


@pytest.mark.thorough
@pytest.mark.timeout(900)
def test_every_page_is_quiet_and_can_be_read_by_everybody_in_light_and_dark_at_any_width(
    everything: Everything, chrome: Playwright
) -> None:
    context = chrome.new_context(color_scheme="light", reduced_motion="reduce")
    wrong: list[str] = []
    here = f"{everything.served.address}/"

    def only_here(route: Route) -> None:
        if route.request.url.startswith((here, "data:", "blob:")):
            route.continue_()
        else:
            wrong.append(f"asked for {route.request.url}")
            route.abort()

    context.route("**/*", only_here)
    found: dict[str, list[str]] = {}
    for path in everything.pages():
        page = context.new_page()
        page.on("console", lambda line: wrong.append(line.text) if line.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(here + path[1:])
        assert page.locator("script:not([src]):not([type='application/json'])").count() == 0, path
        looked = look(page)
        told = [line for line in wrong if path != "/nothing" or "404" not in line]
        found[path] = looked + told
        wrong.clear()
        page.close()
    context.close()
    problems = [f"{path}: {one}" for path, all_of_it in found.items() for one in all_of_it]
    assert not problems, "\n".join(problems)
    assert len(found) >= 20, sorted(found)


def look(page: Page) -> list[str]:
    """What is wrong with a page: one load of it, seen in every way."""
    # The viewer is somebody else's page in a frame of ours.
    framed = [".viewer"] if page.locator("iframe.viewer").count() else []
    if framed:
        page.frame_locator("iframe.viewer").get_by_role("treeitem").first.wait_for(timeout=20_000)
    # What is folded up is part of the page too.
    page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
    found = violations(page, framed)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found += [f"dark: {one}" for one in violations(page, framed, CONTRAST)]
    found += [one for width in WIDTHS for one in find_sideways(page, width)]
    page.evaluate(LONGER)
    return found + [f"with longer words: {one}" for width in (390, 1280) for one in find_sideways(page, width)]


def find_sideways(page: Page, width: int) -> list[str]:
    """What has to be moved from side to side in a window of this width."""
    page.set_viewport_size({"width": width, "height": 844})
    wide = page.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>"
        " done(document.documentElement.scrollWidth - document.documentElement.clientWidth))))"
    )
    found = [f"at {width} it is {wide} wider than the window"] if wide > 0 else []
    return found + [f"at {width} this scrolls sideways: {one}" for one in page.evaluate(SIDEWAYS)]
