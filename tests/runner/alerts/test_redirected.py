"""Alerts to a service that redirects: nothing is sent to the other address, and the log says what to do."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from runner.scheduler.alerts.outbox import Outbox, name_of
from runner.settings.secrets import Secret
from runner.store import Store
from tests.support.services.databases import copied
from tests.support.services.http_server import serving_handler
from tests.support.wait import wait_until

# What Apprise imports at its first use.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@contextmanager
def answering(status: int, to: str = "") -> Iterator[tuple[str, list[str]]]:
    """A service that gives this answer; where it is, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            if to:
                self.send_header("Location", to)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving_handler(Handler) as address:
        yield address.removeprefix("http://"), asked


@pytest.mark.long
@pytest.mark.parametrize("status", [302, 308])
def test_an_alert_is_not_sent_on_to_where_a_service_redirects(
    tmp_path: Path, empty: Path, status: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("journey"), "propagate", True)
    with (
        answering(200) as (other, reached),
        answering(status, f"http://{other}/elsewhere") as (service, asked),
        Store(copied(empty, tmp_path)) as store,
    ):
        url = Secret(f"json://user:hunter2secret@{service}/alert")
        store.alerts.record("buy", "here", "failing", "buy fails", "", True, (name_of(url),), datetime.now(UTC), None)
        outbox = Outbox((url,), store)
        outbox.wake()
        wait_until(lambda: "tried again later" in caplog.text)
        outbox.stop(20)
        assert asked
        assert reached == []
    said = [one.getMessage() for one in caplog.records if one.name == "journey.alerts"]
    assert (
        f"could not be sent (the service redirects, status {status}, and redirects are not followed: set the address" in said[0]
    )
    assert "hunter2secret" not in caplog.text


@pytest.mark.long
def test_a_service_that_rejects_an_alert_is_logged_with_its_status(
    tmp_path: Path, empty: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("journey"), "propagate", True)
    with answering(403) as (service, _), Store(copied(empty, tmp_path)) as store:
        url = Secret(f"json://{service}/alert")
        store.alerts.record("buy", "here", "failing", "buy fails", "", True, (name_of(url),), datetime.now(UTC), None)
        outbox = Outbox((url,), store)
        outbox.wake()
        wait_until(lambda: "could not be sent (status 403), tried again later: buy fails" in caplog.text)
        outbox.stop(20)
