"""The public status page: what it says, what it never says, and where it is served."""

import asyncio
import os
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.types import ASGIApp, Message

from reports.status_page.documents import TYPES, render_files
from reports.status_page.routes import FRESH, OLDEST, StatusPagePart
from reports.status_page.status import Status, read_status
from reports.web.server.composite import build_application
from runner.errors import ConfigError
from runner.settings.load_settings import load_settings
from runner.settings.parsers.locations import LocationCount
from runner.settings.parsers.status_page import StatusPage
from runner.settings.sections.maintenance import MaintenanceWindow
from runner.store import Store, StoreDown
from runner.store.scheduling.locations import LocationReport
from tests.support.commands import run_here
from tests.support.services.dashboard import made
from tests.support.services.databases import copied

PAGE = StatusPage(title="Leaf & <Kettle>", url="https://status.example", journeys={"buy": "Checkout", "search": "Search"})
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def store(tmp_path: Path, empty: Path) -> Iterator[Store]:
    copied(empty, tmp_path)
    with Store(f"sqlite:///{tmp_path / empty.name}") as opened:
        yield opened


def fill(store: Store, journey: str, *statuses: str, location: str = "berlin") -> None:
    """Runs a minute apart, the last one a minute ago."""
    for place, status in enumerate(statuses):
        store.add(made(journey=journey, status=status, ago=60.0 * (len(statuses) - place), location=location))


def status_of(store: Store, page: StatusPage = PAGE, **more: object) -> Status:
    with store.snapshot() as connection:
        return read_status(connection, page, datetime.now(UTC), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("berlin", "oslo", "expected"),
    [
        (["passed"], ["passed"], "available"),
        (["passed", "failed"], ["passed"], "available"),
        (["failed", "failed"], ["passed"], "partly available"),
        (["failed", "failed"], ["failed", "failed"], "not available"),
        (["failed", "failed", "error"], ["failed", "error", "failed"], "not available"),
        (["failed", "failed", "passed"], ["passed"], "available"),
        (["failed"], ["failed"], "not known"),
        (["error"], ["error"], "not known"),
    ],
)
def test_the_state_is_that_of_runs_that_failed_one_after_the_other(
    store: Store, berlin: list[str], oslo: list[str], expected: str
) -> None:
    fill(store, "buy", *berlin)
    fill(store, "buy", *oslo, location="oslo")
    status = status_of(store)
    assert {one.name: one.state for one in status.components} == {"Checkout": expected, "Search": "not known"}
    lasting = [one.title for one in status.incidents if one.ended_at is None]
    assert lasting == ([f"Checkout is {expected}"] if expected in ("partly available", "not available") else [])


@pytest.mark.long
@pytest.mark.parametrize(
    ("berlin", "oslo", "rome", "expected", "incidents"),
    [
        (["failed", "failed"], ["passed", "passed"], ["passed", "passed"], "available", 0),
        (["failed", "failed"], ["failed", "failed"], ["passed", "passed"], "not available", 1),
        (["failed", "failed", "passed"], ["failed", "failed", "failed"], ["passed"], "available", 1),
        (["failed", "failed", "passed", "passed", "passed"], ["passed", "failed", "failed"], ["passed"], "available", 0),
    ],
)
def test_where_alerts_take_two_of_three_places_so_does_the_page(
    store: Store, berlin: list[str], oslo: list[str], rome: list[str], expected: str, incidents: int
) -> None:
    for place, statuses in (("berlin", berlin), ("oslo", oslo), ("rome", rome)):
        fill(store, "buy", *statuses, location=place)
    found = status_of(store, rule=LocationCount(2, 3))
    assert found.components[0].state == expected
    assert len(found.incidents) == incidents


def test_an_outage_at_a_place_that_is_gone_does_not_last(store: Store) -> None:
    fill(store, "buy", "failed", "failed", location="berlin")
    fill(store, "buy", "failed", "failed", location="oslo")
    fill(store, "buy", "passed", "passed", location="rome")
    now = datetime.now(UTC)
    up = [LocationReport(location=one, seen_at=now) for one in ("berlin", "rome")]
    store.locations.report("s", [*up, LocationReport(location="oslo")], now)
    assert status_of(store, rule=LocationCount(2, 3)).components[0].state == "available"


@pytest.mark.long
def test_journeys_of_one_name_are_one_component_and_overlapping_incidents_are_one(store: Store) -> None:
    page = StatusPage(journeys={"buy": "Shop", "search": "Shop"})
    fill(store, "buy", "passed", "failed", "failed", "failed", "passed")
    fill(store, "search", "failed", "failed")
    found = status_of(store, page)
    assert [one.state for one in found.components] == ["partly available"]
    assert [(one.title, one.ended_at) for one in found.incidents] == [("Shop is partly available", None)]
    assert found.state == "partly available"


def test_components_are_listed_as_a_sentence_lists_them(store: Store) -> None:
    fill(store, "buy", "failed", "failed")
    fill(store, "search", "failed", "failed")
    assert b"<strong>Checkout and Search are not available</strong>" in render_files(status_of(store))["index.html"]


def test_maintenance_is_announced_without_its_reason(store: Store) -> None:
    nightly = MaintenanceWindow(cron="0 3 * * *", duration=1800.0, journeys=("buy",), reason="replace disk of db-7")
    found = status_of(store, windows=[nightly])
    assert {one.component for one in found.maintenance} == {"Checkout"}
    assert len(found.maintenance) == 10
    assert found.maintenance[0].ends_at - found.maintenance[0].starts_at == timedelta(minutes=30)
    assert b"db-7" not in b"".join(render_files(found).values())


def test_no_file_says_anything_of_the_inside(store: Store) -> None:
    fill(store, "buy", "failed", "failed")
    fill(store, "secret-project", "failed", "failed")
    files = render_files(status_of(store), PAGE.url)
    assert set(files) == set(TYPES)
    everything = b"".join(files.values()).lower()
    for inside in (b"berlin", b"expected the cart", b"secret-project", b'"buy"', b">buy<", b"<script"):
        assert inside not in everything, inside
    assert b"<kettle>" not in files["index.html"].lower() + files["feed.atom"].lower()


def test_the_feed_the_badge_and_the_json_say_the_same(store: Store) -> None:
    fill(store, "buy", "failed", "failed", "passed", "failed", "failed")
    files = render_files(status_of(store), PAGE.url)
    document = msgspec.json.decode(files["status.json"])
    assert document["state"] == "not available"
    feed = ET.fromstring(files["feed.atom"])
    titles = [one.findtext(f"{ATOM}title") for one in feed.iter(f"{ATOM}entry")]
    assert titles == ["Checkout is not available", "Checkout was not available"]
    assert len({one.findtext(f"{ATOM}id") for one in feed.iter(f"{ATOM}entry")}) == 2 == len(document["incidents"])
    assert ET.fromstring(files["badge.svg"]).get("aria-label") == "status: not available"


class Served(msgspec.Struct):
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(application: ASGIApp, path: str) -> Served:
    """One request, as the server hands it to the application."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1")],
        "server": ("127.0.0.1", 80),
    }
    asyncio.run(application(scope, receive, send))  # type: ignore[arg-type]
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Served(sent[0]["status"], headers, b"".join(one.get("body", b"") for one in sent[1:]))


def test_it_is_served_to_everybody_and_cached_and_nothing_else_is_served(store: Store) -> None:
    now = [0.0]
    store.add(made(ago=900.0))
    application = build_application([StatusPagePart(store, PAGE, 2, clock=lambda: now[0])])

    def state() -> str:
        return str(msgspec.json.decode(ask(application, "/status/status.json").body)["components"][0]["state"])

    assert ask(application, "/status").headers["location"] == "/status/"
    page = ask(application, "/status/")
    assert b"Checkout" in page.body
    assert page.headers["cache-control"] == "public, max-age=30"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert ask(application, "/status/badge.svg").headers["content-type"] == "image/svg+xml"
    assert state() == "available"
    fill(store, "buy", "failed", "failed")
    assert state() == "available"
    now[0] = 31.0
    assert state() == "not available"
    assert ask(application, "/status/other.txt").status == 404


def test_a_slow_database_holds_one_thread_and_the_last_page_is_shown_for_ten_minutes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, goes_on, began = [0.0], threading.Event(), threading.Event()
    store.add(made(ago=900.0))
    part = StatusPagePart(store, PAGE, 2, clock=lambda: now[0])
    asked: list[str] = []

    def read_slowly(*wanted: Any) -> Status:
        asked.append(threading.current_thread().name)
        began.set()
        assert goes_on.wait(60)
        return read_status(*wanted)

    async def visit() -> None:
        first = await part._files()
        monkeypatch.setattr("reports.status_page.routes.read_status", read_slowly)
        now[0] = FRESH
        making = asyncio.create_task(part._files())
        await asyncio.to_thread(began.wait, 60)
        assert all([await part._files() is first for _ in range(100)]), "nobody waits who can have the last page"
        now[0] = OLDEST
        waiting = [asyncio.create_task(part._files()) for _ in range(100)]
        _, still = await asyncio.wait(waiting, timeout=0)
        assert len(still) == 100, "too old to be shown"
        goes_on.set()
        newest = await making
        assert newest is not first
        assert all(one is newest for one in await asyncio.gather(*waiting))
        assert len(asked) == 1

        def fail(*_: Any) -> None:
            raise StoreDown("it is away")

        monkeypatch.setattr("reports.status_page.routes.read_status", fail)
        now[0] += FRESH
        assert await part._files() is newest
        now[0] += OLDEST
        with pytest.raises(StoreDown):
            await part._files()

    asyncio.run(visit())


def test_it_is_built_as_files(tmp_path: Path, empty: Path) -> None:
    copied(empty, tmp_path / "runs")
    (tmp_path / "journey.toml").write_text("[status_page]\ntitle = 'Shop'\n[status_page.journeys]\nbuy = 'Checkout'\n")
    for _ in range(2):
        done = run_here(tmp_path, ["status-page", "build", "public"], {"PATH": os.environ["PATH"]})
        assert done.returncode == 0, done.stderr
    assert {one.name for one in (tmp_path / "public").iterdir()} == set(TYPES)
    assert "Checkout" in (tmp_path / "public" / "index.html").read_text()


@pytest.mark.parametrize(
    "table",
    [
        "journeys = {}",
        "journeys = { buy = '' }",
        "journeys = { buy = 'x' }\npath = 'status'",
        "journeys = { buy = 'x' }\ncolour = 'red'",
    ],
)
def test_a_table_that_is_not_valid_is_refused(tmp_path: Path, table: str) -> None:
    (tmp_path / "journey.toml").write_text(f"[status_page]\n{table}\n")
    with pytest.raises(ConfigError, match="status_page"):
        load_settings(tmp_path, {}, {})


def test_a_table_without_journeys_says_what_to_add(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text("[status_page]\ntitle = 'x'\n")
    with pytest.raises(ConfigError, match=re.escape("status_page: journeys is missing; add a line such as journeys = {")):
        load_settings(tmp_path, {}, {})


def test_a_title_is_text() -> None:
    status = Status(title="<b>&", at=datetime.now(UTC), components=(), incidents=(), maintenance=())
    files = render_files(status)
    assert b"<b>" not in files["index.html"] + files["feed.atom"] + files["badge.svg"]
