"""Acknowledging and muting an alert on the dashboard, and where that is shown."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.reports.web.test_access import WITH_TOKEN
from tests.support.services.dashboard import TOKEN, Visited, made

Start = Callable[..., Visited]
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def operator(dashboard: Start) -> tuple[Visited, str]:
    """A dashboard on which `buy` fails, and the cookie of somebody who may operate."""
    served = dashboard(WITH_TOKEN)
    run = made(status="failed")
    served.store.add(run)
    served.store.alerts.record("buy", "berlin", "failing", "buy is failing (berlin)", "", True, (), run.ended_at, run.id)
    return served, served.sign_in(token=TOKEN)


def page(served: Visited, cookie: str, path: str = "/journeys/buy") -> str:
    return served.get(path, cookie=cookie).body.decode()


@pytest.mark.long
def test_an_alert_is_acknowledged_with_a_note_that_everybody_sees(operator: tuple[Visited, str]) -> None:
    served, cookie = operator
    assert "Acknowledge or mute" in page(served, cookie)
    answer = served.post("/journeys/buy/mute", {"kind": "failing", "note": f"the bank {EVIL}"}, cookie=cookie)
    assert (answer.status, answer.headers["location"]) == (303, "/journeys/buy#alerts")
    shown = page(served, cookie)
    assert "acknowledged, until it ends" in shown
    assert "by token" in shown
    assert "the bank &lt;script&gt;" in shown
    assert EVIL not in shown
    overview = page(served, cookie, "/")
    assert "acknowledged by token: the bank &lt;script&gt;" in overview
    alert = served.get("/api/v1/alerts", cookie=cookie).json()["alerts"][0]
    assert (alert["mute"]["who"], alert["mute"]["until"]) == ("token", None)


def test_an_alert_that_belongs_to_no_journey_is_muted_on_the_overview(operator: tuple[Visited, str]) -> None:
    served, cookie = operator
    served.store.alerts.record("", "berlin", "files", "Journeys cannot be read (berlin)", "", True, (), datetime.now(UTC), None)
    assert '<section class="alerts"' in page(served, cookie, "/")
    fields = {"kind": "files", "location": "berlin", "note": "being mended"}
    answer = served.post("/alerts/mute", fields, cookie=cookie)
    assert (answer.status, answer.headers["location"]) == (303, "/#alerts")
    assert "acknowledged, until it ends</span> by token" in page(served, cookie, "/")
    assert served.get("/api/v1/overview", cookie=cookie).json()["alerts"][0]["mute"]["note"] == "being mended"
    assert "/alerts/mute" not in served.get("/", cookie=cookie).body.decode()
    assert served.post("/alerts/unmute", fields, cookie=cookie).status == 303
    assert served.store.mutes.of_journey("", "berlin")["files"].until is not None


@pytest.mark.long
def test_it_is_muted_for_a_while_and_messages_are_sent_again(operator: tuple[Visited, str]) -> None:
    served, cookie = operator
    fields = {"kind": "failing", "location": "berlin", "for": "6h"}
    assert served.post("/journeys/buy/mute", fields, cookie=cookie).status == 303
    assert "muted until <time" in page(served, cookie)
    assert "Send messages again" in page(served, cookie)
    assert served.post("/journeys/buy/unmute", fields, cookie=cookie).status == 303
    assert "muted until" not in page(served, cookie)


SENSELESS: list[tuple[str, dict[str, str], int]] = [
    ("/journeys/buy/mute", {"kind": "nothing"}, 400),
    ("/journeys/buy/mute", {"kind": "failing", "for": "soon"}, 400),
    ("/journeys/buy/mute", {"kind": "failing", "for": "9" * 300 + "d"}, 400),
    ("/journeys/buy/mute", {"kind": "failing", "note": "x" * 201}, 400),
    ("/journeys/buy/mute", {"kind": "flaky"}, 404),
    ("/journeys/buy/mute", {"kind": "failing", "location": "paris"}, 404),
    ("/journeys/none/mute", {"kind": "failing"}, 404),
    ("/alerts/mute", {"kind": "files"}, 404),
    ("/journeys/none/unmute", {"kind": "failing"}, 404),
]


@pytest.mark.long
def test_what_makes_no_sense_is_not_done(operator: tuple[Visited, str]) -> None:
    served, cookie = operator
    for path, fields, status in SENSELESS:
        assert served.post(path, fields, cookie=cookie).status == status, (path, fields)
        assert served.store.mutes.of_journey("buy", "berlin") == {}, (path, fields)


def test_users_who_may_only_look_see_it_and_cannot_change_it(dashboard: Start) -> None:
    served = dashboard(WITH_TOKEN)
    assert served.post("/journeys/buy/mute", {"kind": "failing"}).status in {303, 401, 403}
    assert served.post("/alerts/mute", {"kind": "files"}).status in {303, 401, 403}
    assert served.store.mutes.of_journey("buy", "berlin") == {}


@pytest.mark.long
def test_a_mute_that_has_ended_is_no_longer_shown(operator: tuple[Visited, str]) -> None:
    served, cookie = operator
    served.post("/journeys/buy/mute", {"kind": "failing", "for": "1h"}, cookie=cookie)
    served.store.mutes.unmute("buy", "berlin", "failing", datetime.now(UTC))
    assert "muted" not in page(served, cookie, "/").replace("muted alerts", "")
    assert "Acknowledge or mute" in page(served, cookie)
