"""Incidents of the status page that people write and edit: on the dashboard, in the API, and what the public sees of them."""

import logging
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reports.status_page.documents import render_files
from reports.status_page.status import Status, read_status
from runner.settings.parsers.status_page import StatusPage
from tests.reports.web.test_access import PASSWORD, WITH_TOKEN
from tests.reports.web.test_access import hashed as hashed
from tests.reports.web.test_access import users as users
from tests.support.services.dashboard import TOKEN, Visited, made

Start = Callable[..., Visited]
PAGE = StatusPage(title="Shop", url="https://status.example", journeys={"buy": "Checkout", "search": "Search"})
EVIL = "<script>alert(1)</script>"
ATOM = "{http://www.w3.org/2005/Atom}"


class Editor:
    """Somebody who may operate, on a dashboard with a status page."""

    def __init__(self, served: Visited) -> None:
        self.served = served
        self.cookie = served.sign_in(token=TOKEN)

    def page(self) -> str:
        return self.served.get("/incidents", cookie=self.cookie).body.decode()

    def send(self, action: str, **fields: str) -> int:
        return self.served.post(f"/incidents{action}", fields, cookie=self.cookie).status

    def known(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.served.get("/api/v1/incidents", cookie=self.cookie).json()["incidents"]
        return found

    def public(self) -> Status:
        with self.served.store.snapshot() as connection:
            return read_status(connection, PAGE, datetime.now(UTC))

    def fail(self, *statuses: str) -> None:
        """Runs of `buy` a minute apart, the last one a minute ago."""
        for place, status in enumerate(statuses):
            self.served.store.add(made(status=status, ago=60.0 * (len(statuses) - place)))

    def outage(self) -> dict[str, str]:
        """What a form says of an outage about which nothing is written."""
        return {"component": self.known()[0]["component"], "started": self.known()[0]["started_at"][:19] + "Z"}


@pytest.fixture
def editor(dashboard: Start) -> Editor:
    return Editor(dashboard(WITH_TOKEN, status_page=PAGE))


@pytest.mark.long
def test_an_incident_without_a_failure_is_made_updated_and_resolved(editor: Editor) -> None:
    editor.fail("passed")
    fields = {"component": "Checkout", "title": "Mails are late", "impact": "partly available", "text": "We are looking."}
    assert editor.send("", **fields) == 303
    (made_one,) = editor.public().incidents
    assert (made_one.title, made_one.ended_at, [one.text for one in made_one.updates]) == (
        "Mails are late",
        None,
        ["We are looking."],
    )
    assert {one.name: one.state for one in editor.public().components}["Checkout"] == "partly available"
    number = str(editor.known()[0]["id"])
    assert editor.send("/update", id=number, state="resolved", text="They arrive again.") == 303
    assert [one.state for one in editor.public().incidents[0].updates] == ["resolved", "investigating"]
    assert editor.public().incidents[0].ended_at is not None
    assert editor.public().state == "not known"  # that of Search, of which there is no run
    assert "They arrive again." in editor.page()


@pytest.mark.long
def test_an_outage_gets_a_title_and_messages_and_keeps_its_measured_times(editor: Editor) -> None:
    editor.fail("passed", "failed", "failed")
    before = editor.public().incidents[0]
    assert before.title == "Checkout is not available"
    assert editor.send("/edit", **editor.outage(), title="Payments are declined") == 303
    number = str(editor.known()[0]["id"])
    assert editor.send("/update", id=number, state="identified", text="The bank\r\n\r\nis away.") == 303
    assert editor.send("/update", id=number, state="resolved", text="Over.") == 400
    shown = editor.public().incidents
    assert [(one.title, one.started_at, one.ended_at) for one in shown] == [("Payments are declined", before.started_at, None)]
    assert shown[0].updates[0].text == "The bank\n\nis away."
    editor.served.store.add(made(ago=5.0))
    assert editor.public().incidents[0].ended_at is not None
    assert editor.send("/update", id=number, state="resolved", text="Over.") == 303
    assert editor.send("/edit", id=number, title="", hidden="yes") == 303
    assert editor.public().incidents == ()
    assert "hidden" in editor.page()
    assert editor.send("/remove", id=number) == 303
    assert [(one.title, one.updates) for one in editor.public().incidents] == [("Checkout was not available", ())]


def test_what_was_written_is_edited_and_removed(editor: Editor) -> None:
    editor.send("", component="Search", title="Slow", text="We are lookng.")
    (known,) = editor.known()
    number, update = str(known["id"]), str(known["updates"][0]["id"])
    assert editor.send("/update", id=number, update=update, state="monitoring", text="We are looking.") == 303
    assert [(one.state, one.text) for one in editor.public().incidents[0].updates] == [("monitoring", "We are looking.")]
    assert editor.send("/update", id=number, update=update, text="") == 303
    assert editor.public().incidents[0].updates == ()
    earlier = datetime.now(UTC) - timedelta(hours=3)
    assert editor.send("/edit", id=number, title="Slower", started=f"{earlier:%Y-%m-%dT%H:%M}", impact="none") == 303
    assert editor.public().incidents[0].started_at == earlier.replace(second=0, microsecond=0)
    assert editor.send("/remove", id=number) == 303
    assert editor.known() == []
    assert editor.send("/remove", id=number) == 404


@pytest.mark.long
def test_all_files_of_the_status_page_say_it_and_not_who_wrote_it(editor: Editor) -> None:
    editor.send("", component="Checkout", title=f"Slow {EVIL}", text=f"Queue {EVIL}\n\x1bis long.")
    assert editor.known()[0]["updates"][0]["who"] == "token"
    files = render_files(editor.public(), PAGE.url)
    assert EVIL.encode() not in b"".join(files[name] for name in ("index.html", "feed.atom", "badge.svg"))
    assert b"Queue &lt;script&gt;" in files["index.html"]
    assert b"token" not in b"".join(files.values())
    entry = ET.fromstring(files["feed.atom"]).find(f"{ATOM}entry")
    assert entry is not None
    assert entry.findtext(f"{ATOM}title") == f"Checkout: Slow {EVIL}"
    assert "investigating: Queue" in (entry.findtext(f"{ATOM}content") or "")
    assert EVIL not in editor.page()


SENSELESS: list[tuple[str, dict[str, str], int]] = [
    ("", {"component": "Stock", "title": "x"}, 400),
    ("", {"component": "Checkout", "title": " "}, 400),
    ("", {"component": "Checkout", "title": "x" * 121}, 400),
    ("", {"component": "Checkout", "title": "x", "impact": "all"}, 400),
    ("", {"component": "Checkout", "title": "x", "text": "y", "state": "over"}, 400),
    ("", {"component": "Checkout", "title": "x", "text": "y" * 2001}, 400),
    ("", {"component": "Checkout", "title": "x", "started": "yesterday"}, 400),
    ("", {"component": "Checkout", "title": "x", "started": "2999-01-01T00:00"}, 400),
    ("/edit", {"id": "1", "title": "x"}, 404),
    ("/edit", {"component": "Checkout", "started": "2026-01-01T00:00:00Z", "title": "x"}, 404),
    ("/update", {"id": "x", "text": "y"}, 400),
    ("/remove", {"id": "9" * 19}, 400),
    # More than the column holds in PostgreSQL, which is not "the database is down".
    ("/remove", {"id": "2147483648"}, 400),
    ("", {"component": "Checkout", "title": "a\0b"}, 400),
]


def test_what_makes_no_sense_is_not_done(editor: Editor) -> None:
    for action, fields, status in SENSELESS:
        assert editor.send(action, **fields) == status, (action, fields)
        assert editor.known() == [], (action, fields)


def test_users_who_may_only_look_see_it_and_cannot_change_it(dashboard: Start, users: Path) -> None:
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)}, status_page=PAGE)
    ada, bob = served.sign_in(name="ada", password=PASSWORD), served.sign_in(name="bob", password=PASSWORD)
    assert served.post("/incidents", {"component": "Checkout", "title": "Mails are late"}, cookie=ada).status == 303
    number = str(served.get("/api/v1/incidents", cookie=bob).json()["incidents"][0]["id"])
    for action in ("", "/edit", "/update", "/remove"):
        fields = {"id": number, "component": "Checkout", "title": "x", "text": "y"}
        assert served.post(f"/incidents{action}", fields, cookie=bob).status == 403
    page = served.get("/incidents", cookie=bob).body.decode()
    assert "Mails are late" in page
    assert 'action="/incidents' not in page


def test_a_change_is_in_the_audit_log(
    editor: Editor, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("journey"), "propagate", True)
    caplog.set_level(logging.INFO, "journey.audit")
    editor.send("", component="Checkout", title="x")
    assert "token changed something: /incidents, from 127.0.0.0/24" in [one.getMessage() for one in caplog.records]


def test_without_a_status_page_the_page_says_how_to_get_one(dashboard: Start) -> None:
    served = dashboard()
    assert "There is no status page." in served.get("/incidents").body.decode()
    assert served.post("/incidents", {"component": "Checkout", "title": "x"}).status == 400
    assert served.get("/api/v1/incidents").json()["incidents"] == []
