"""The pages about recordings: their list, a journey made of one, and what no journey touches."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser as Playwright
from playwright.sync_api import BrowserContext, expect

from reports.codegen import Made
from reports.codegen.subprocess import Wanted, make_in_subprocess
from reports.collector.beacon import Synthetic
from reports.collector.storage.group_commit import Writer
from reports.replay.chunk import decode
from reports.replay.chunk_store import FOLDER, ChunkContext, ChunkStore
from reports.replay.recording import Recording
from reports.web.access.users_file import User, write_users
from reports.web.services.journey_maker import JourneyMaker
from runner.archive.run_id import run_id
from runner.browser.chromium import Browser
from runner.dsl.discovery import load_journeys
from runner.errors import RecordingError
from runner.result import Artifact
from runner.store import Store
from tests.reports.collector.arrivals import arrival, click, view
from tests.reports.replay.from_session.conftest import buy
from tests.reports.replay.from_session.tape import Tape, element
from tests.reports.replay.from_session.tape import text as text_of
from tests.reports.replay.from_session.visits import record
from tests.reports.web.test_every_page import look
from tests.reports.web.visitors import EVIL
from tests.support.services.dashboard import Visited, made
from tests.support.services.serve import Serve
from tests.support.services.serve import serve as serve
from tests.support.wait import wait_until

Start = Callable[..., Visited]


@pytest.fixture(scope="module")
def bought(chromium: Browser, shop: str) -> Recording:
    """A purchase at the shop."""
    return record(chromium, shop, buy)


@pytest.fixture
def context(chrome: Playwright) -> Iterator[BrowserContext]:
    opened = chrome.new_context()
    yield opened
    opened.close()


def put(chunk_store: ChunkStore, tabs: list[list[dict[str, Any]]]) -> str:
    """Stores a session of these events, now; its id."""
    session = str(uuid4())
    for events in tabs:
        whole = {"version": 1, "app": "shop", "session": session, "tab": str(uuid4()), "sequence": 0, "first": True}
        text = json.dumps({**whole, "events": events}).encode()
        chunk_store.put(decode(text), gzip.compress(text, 6), ChunkContext("shop", time.time(), "real", "/"))
    return session


class Recorded:
    """A dashboard with a recorded purchase, and what makes journeys there."""

    def __init__(self, start: Start, recording: Recording, make: Callable[[str], Made] | None = None, **settings: Any) -> None:
        self.served = start(journey_maker=JourneyMaker(make or self._make), **settings)
        self.chunk_store = ChunkStore(self.served.store, self.served.archive.folder / FOLDER)
        self.database = f"sqlite:///{self.served.archive.folder / 'journeys.db'}"
        self.session = put(self.chunk_store, [tab.events for tab in recording.tabs])

    def wanted(self, session: str) -> Wanted:
        """What a journey is made from."""
        return Wanted(session=session, database_url=self.database, folder=str(self.chunk_store.folder))

    def _make(self, session: str) -> Made:
        return make_in_subprocess(self.wanted(session))


@pytest.fixture
def recorded(dashboard: Start, bought: Recording) -> Recorded:
    """On a machine that only lets itself in."""
    return Recorded(dashboard, bought)


@pytest.mark.thorough
def test_a_button_makes_a_journey_of_a_session(recorded: Recorded, context: BrowserContext, tmp_path: Path) -> None:
    page = context.new_page()
    page.goto(f"{recorded.served.address}/sessions/{recorded.session}/replay")
    page.get_by_role("button", name="Create a journey").click(timeout=120_000)
    expect(page.get_by_role("heading", name="open_receipt")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("11 of 11", exact=True)).to_be_visible()
    dangers = page.get_by_role("region", name="Check before you run it")
    expect(dangers).to_contain_text("it says “pay”")
    expect(page.get_by_role("region", name="Required values")).to_contain_text(
        "--param email=… --param address=… JOURNEY_SECRET_PASSWORD=… JOURNEY_SECRET_CARD_NUMBER=…"
    )
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "open_receipt.py"
    source = Path(download.value.path()).read_text()
    assert page.locator("pre.listing").text_content() == source
    (journey,) = load_journeys(tmp_path / "open_receipt.py", source)
    assert journey.name == "open_receipt"
    # Nothing was written beside the user's journeys, and nothing was run.
    assert not (tmp_path / "journeys").exists()
    assert list(recorded.served.archive.runs()) == []
    page.get_by_role("row", name="1 goto").get_by_role("link").click()
    page.locator("html[data-replay=ready]").wait_for()
    page.get_by_role("link", name="the journey created from it").click()
    expect(page.get_by_role("button", name="Create it again")).to_be_visible()


@pytest.mark.thorough
def test_no_form_of_a_recording_can_be_sent_although_the_page_has_one(recorded: Recorded, context: BrowserContext) -> None:
    now = time.time() * 1000
    form = element(9, "form", element(10, "button", text_of(11, "Send")), method="post", action="/journeys/buy/pause")
    tape = Tape(now).page("/", form)
    session = put(recorded.chunk_store, [tape.events])
    page = context.new_page()
    page.goto(f"{recorded.served.address}/sessions/{session}/replay")
    page.locator("html[data-replay=ready]").wait_for()
    expect(page.get_by_role("button", name="Create a journey")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text))
    sent = page.frame_locator(".stage iframe").locator("form")
    sent.evaluate("one => { one.action = '/journeys/buy/pause'; one.requestSubmit(); }")
    wait_until(lambda: any("form is sandboxed" in line or "allow-forms" in line for line in said), page=page)
    assert asked == []


@pytest.mark.thorough
def test_only_who_may_operate_can_make_one(
    dashboard: Start, bought: Recording, context: BrowserContext, tmp_path: Path
) -> None:
    from argon2 import PasswordHasher

    hashed = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("oolong and milk")
    write_users(tmp_path / "users", {"ada": User("ada", "operate", hashed), "bob": User("bob", "view", hashed)})
    here = Recorded(dashboard, bought, environ={"JOURNEY_SERVE_USERS": str(tmp_path / "users")})
    where = f"/sessions/{here.session}/journey"
    for name, shown in (("ada", 1), ("bob", 0)):
        page = context.new_page()
        page.goto(f"{here.served.address}{where}")
        page.get_by_role("textbox", name="Name").fill(name)
        page.get_by_role("textbox", name="Password").fill("oolong and milk")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="A journey from a session")).to_be_visible()
        expect(page.get_by_role("button", name="Create a journey")).to_have_count(shown)
        page.goto(f"{here.served.address}/sessions/{here.session}/replay")
        expect(page.get_by_role("button", name="Create a journey")).to_have_count(shown)
        policy = here.served.get(f"/sessions/{here.session}/replay", cookie=_cookie(context)).headers["content-security-policy"]
        assert ("form-action 'self'" if shown else "form-action 'none'") in policy
        refused = here.served.post(where, {}, cookie=_cookie(context), origin="https://evil.example")
        assert refused.status == 403
        context.clear_cookies()
    assert here.served.post(where, {}).status == 303, "to where one signs in"


def _cookie(context: BrowserContext) -> str:
    return "; ".join(f"{one['name']}={one['value']}" for one in context.cookies())


def post(here: Recorded, session: str) -> Any:
    """The form, as the page would send it."""
    return here.served.post(f"/sessions/{session}/journey", {})


@pytest.mark.thorough
def test_a_session_of_which_no_journey_can_be_made_says_why(recorded: Recorded) -> None:
    now = time.time() * 1000
    looked = put(
        recorded.chunk_store,
        [[{"type": 4, "timestamp": now, "data": {"href": "http://localhost/", "width": 8, "height": 6}}]],
    )
    answer = post(recorded, looked)
    assert answer.status == 422
    assert "its recording has no full snapshot" in answer.body.decode()
    assert recorded.served.get("/sessions/none/journey").status == 404
    assert recorded.served.get(f"/sessions/{looked}/journey.py").status == 404


def test_one_journey_is_made_at_a_time(dashboard: Start, bought: Recording) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(session: str) -> Made:
        begun.set()
        assert go_on.wait(60)
        raise RecordingError(f"session {session}: nothing was done in it")

    here = Recorded(dashboard, bought, make=slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, here, here.session)
        assert begun.wait(60)
        second = post(here, here.session)
        go_on.set()
        assert (first.result().status, second.status) == (422, 409)
    assert "Another journey is being created" in second.body.decode()
    assert post(here, here.session).status == 422


def test_making_one_ends_when_it_takes_too_long(recorded: Recorded) -> None:
    with pytest.raises(RecordingError, match=r"no journey was created within 0\.1 s"):
        make_in_subprocess(recorded.wanted(recorded.session), within=0.1)


@pytest.mark.thorough
def test_the_command_serves_it_too(serve: Serve, bought: Recording, context: BrowserContext) -> None:
    serve.start()
    with Store(f"sqlite:///{serve.folder / 'runs' / 'journeys.db'}") as store:
        session = put(ChunkStore(store, serve.folder / "runs" / FOLDER), [tab.events for tab in bought.tabs])
    page = context.new_page()
    page.goto(f"{serve.address}/recordings")
    page.get_by_role("rowheader").get_by_role("link").click()
    page.get_by_role("button", name="Create a journey").click(timeout=120_000)
    expect(page.get_by_text("11 of 11", exact=True)).to_be_visible(timeout=60_000)
    assert page.url == f"{serve.address}/sessions/{session}/journey"


@pytest.fixture
def filled(recorded: Recorded) -> Recorded:
    """With a failed run that was recorded, and visitors on pages that no journey opens."""
    recorded.served.store.add(made(status="failed", artifacts=(Artifact(kind="replay", path="replay.json.gz", bytes=700),)))
    at = datetime.now(UTC).timestamp() - 60
    with Writer(recorded.database) as writer:

        def seen(page: str, *names: str, **more: Any) -> None:
            one = view(started_at=at, interactions=tuple(click(name) for name in names))
            writer.put_blocking(arrival(one, at=at + 1, page=page, **{"session": run_id(), **more}))

        for _ in range(3):
            seen("/item/:id", "Add to cart")
        seen("/help", "Call us", session=recorded.session)
        seen("/help", EVIL)
        seen(EVIL, EVIL)
        seen("/item/:id", "Add to cart", traffic="synthetic", synthetic=Synthetic(journey="buy", run=run_id()))
    return recorded


def test_coverage_ranks_what_no_journey_touches_with_a_session_for_each(filled: Recorded, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{filled.served.address}/coverage")
    expect(page.get_by_role("region", name="Figures")).to_contain_text("50.0 %")
    rows = page.get_by_role("region", name="Pages that no journey opens").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("/help")
    expect(rows.nth(1)).to_contain_text("2")
    expect(rows.nth(2)).to_contain_text(EVIL)
    actions = page.get_by_role("region", name="Actions that no journey does")
    row = actions.get_by_role("row").filter(has_text="Call us")
    row.get_by_role("link", name="create a journey").click()
    expect(page.get_by_role("button", name="Create a journey")).to_be_visible()
    told = filled.served.get("/api/v1/coverage", accept="application/json").json()
    assert (told["views"], told["views_covered"], told["untouched_pages"][0]["page"]) == (6, 3, "/help")
    assert [one["name"] for one in told["untouched_actions"] if one["recorded"]] == ["Call us"]
    refused = filled.served.get("/api/v1/coverage?app=attic", accept="application/json")
    assert (refused.status, refused.json()["parameter"]) == (400, "app")
    assert filled.served.get("/coverage?app=attic").status == 400


def test_recordings_are_filtered_in_the_address(filled: Recorded, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{filled.served.address}/recordings?range=24h")
    rows = page.get_by_role("row")
    expect(rows).to_have_count(3)
    page.get_by_label("Traffic").select_option("synthetic")
    page.get_by_label("with an error").check()
    page.get_by_label("Longer than").fill("1s")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(f"{filled.served.address}/recordings?range=24h&traffic=synthetic&longer=1s&errors=yes")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("buy")
    expect(page.get_by_label("with an error")).to_be_checked()
    page.get_by_label("Longer than").fill("5m")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No matching recordings in the last 24 hours")).to_be_visible()
    page.goto(f"{filled.served.address}/recordings?traffic=real")
    page.get_by_role("rowheader").get_by_role("link").click()
    page.locator("html[data-replay=ready]").wait_for()
    told = filled.served.get("/api/v1/recordings?traffic=synthetic", accept="application/json").json()
    assert [(one["name"], one["bytes"]) for one in told["recordings"]] == [("buy", 700)]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("traffic=cars", "choose one of real, bot, synthetic"),
        ("longer=soon", "longer: 'soon' is not a duration"),
        ("errors=perhaps", "write errors=yes"),
        ("before=x", "use the `older` of the previous page"),
        ("release=" + "x" * 300, "is longer than 200 characters"),
    ],
)
def test_a_wrong_filter_is_explained(recorded: Recorded, query: str, words: str) -> None:
    answer = recorded.served.get(f"/recordings?{query}")
    assert answer.status == 400
    assert words in answer.body.decode().replace("&#39;", "'")


@pytest.mark.thorough
def test_what_is_made_and_where_there_is_nothing_can_be_read_by_everybody(filled: Recorded, chrome: Playwright) -> None:
    # The others are looked at with all pages of the dashboard.
    assert post(filled, filled.session).status == 303
    context = chrome.new_context(color_scheme="light", reduced_motion="reduce")
    said: list[str] = []
    context.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    found: dict[str, list[str]] = {}
    for path in ("/recordings?traffic=bot", f"/sessions/{filled.session}/journey"):
        page = context.new_page()
        page.goto(f"{filled.served.address}{path}")
        assert page.locator("script:not([src]):not([type='application/json'])").count() == 0
        found[path] = look(page)
        page.close()
    context.close()
    assert (found, said) == ({path: [] for path in found}, [])
