"""Alerts as they arrive: by mail and at a webhook, from a real scheduler."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.support.services.daemon import Daemon
from tests.support.services.servers import free_port
from tests.support.thorough import thorough_but
from tests.support.wait import PAUSE, wait_until

SWITCHED = """
    from pathlib import Path
    @journey(every="1s")
    def buy(page, step):
        with step("pay"):
            page.goto("/")
            assert not Path("broken").exists(), "the payment page is <b>blank</b>"
"""
QUICK = SWITCHED.replace("1s", "500ms").replace('page.goto("/")', "pass").replace("(page, step)", "(step)")
"""Where no page is needed to fail, no browser is opened."""


class Mails:
    """What a mail server has taken."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802, ARG002 (the protocol's)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        # A mail client prefers HTML, in which a page's words would be markup.
        body = mail.get_body(("html", "plain"))
        self.taken.append((str(mail["subject"]), body.get_content() if body else ""))
        return "250 OK"


@pytest.fixture
def mails() -> Iterator[tuple[str, Mails]]:
    """A mail server; the address that alerts go to it with, and what it has taken."""
    # Every process of the tests imports this file.
    from aiosmtpd.controller import Controller

    handler = Mails()
    port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield f"mailto://127.0.0.1:{port}?from=monitor@shop.example&to=sre@shop.example", handler
    controller.stop()


@contextmanager
def webhook(port: int) -> Iterator[list[dict[str, Any]]]:
    """An HTTP server that takes JSON; what it has taken."""
    taken: list[dict[str, Any]] = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Not logged."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Taker)
    thread = Thread(target=server.serve_forever, args=(PAUSE,))
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def switch(daemon: Daemon) -> Callable[[bool], None]:
    """Breaks and mends what the journey walks through."""

    def to(broken: bool) -> None:
        file = daemon.folder / "broken"
        file.touch() if broken else file.unlink()

    return to


@pytest.mark.thorough
def test_a_journey_that_fails_and_recovers_is_told_once_each_to_everybody(
    daemon: Daemon, mails: tuple[str, Mails], switch: Callable[[bool], None]
) -> None:
    address, box = mails
    port = free_port()
    daemon.write(SWITCHED)
    with webhook(port) as posts:
        daemon.start(
            JOURNEY_ALERT_URLS=f"{address} json://127.0.0.1:{port}/alert", JOURNEY_PUBLIC_URL="https://monitor.example"
        )
        daemon.wait_for_runs(2, status="passed")
        switch(True)
        daemon.wait_for_runs(5, status="failed")
        wait_until(lambda: box.taken and posts)
        switch(False)
        wait_until(lambda: len(box.taken) == 2 and len(posts) == 2)
        before = daemon.runs()
        daemon.wait_for_runs(before + 2)
        daemon.stop()
    subject, body = box.taken[0]
    assert subject == "buy is failing (local)"
    identity = daemon.query("SELECT run_id FROM alerts")[0][0]
    for words in (
        "2 runs in a row have failed",
        "in step 'pay'",
        "the payment page is <b>blank</b>",
        f"journey trace {identity}",
        "assert not Path",
    ):
        assert words in body, body
    assert f"https://monitor.example/runs/{identity}#why" in body
    assert [post["title"] for post in posts] == [subject for subject, _ in box.taken]
    assert [post["type"] for post in posts] == ["failure", "success"]
    assert re.fullmatch(r"buy has recovered after .* \(local\)", posts[1]["title"])
    assert re.match(r"It lasted .*, from .*Z to .*Z\.", posts[1]["message"])
    assert daemon.query("SELECT count(*) FROM messages WHERE sent_at IS NULL") == [(0,)]


@pytest.mark.thorough
def test_what_could_not_be_sent_is_sent_after_a_restart_and_not_again(daemon: Daemon, switch: Callable[[bool], None]) -> None:
    port = free_port()
    daemon.write(QUICK)
    switch(True)
    place = f"json://127.0.0.1:{port}/alert"
    daemon.start(JOURNEY_ALERT_URLS=place)
    wait_until(lambda: daemon.query("SELECT 1 FROM messages WHERE sent_at IS NULL"))
    daemon.kill()
    with webhook(port) as posts:
        daemon.start(JOURNEY_ALERT_URLS=place)
        wait_until(lambda: posts)
        before = daemon.runs()
        daemon.wait_for_runs(before + 3)
        daemon.stop()
        daemon.start(JOURNEY_ALERT_URLS=place)
        daemon.wait_for_runs(before + 5)
        daemon.stop()
    assert [post["title"] for post in posts] == ["buy is failing (local)"]


@pytest.mark.thorough
def test_it_is_told_again_while_it_lasts_and_not_while_paused(daemon: Daemon, switch: Callable[[bool], None]) -> None:
    port = free_port()
    daemon.write(QUICK)
    switch(True)
    with webhook(port) as posts:
        daemon.start(JOURNEY_ALERT_URLS=f"json://127.0.0.1:{port}", JOURNEY_ALERT_AGAIN="2s", JOURNEY_ALERT_AFTER="1")
        wait_until(lambda: len(posts) >= 3)
        assert posts[1]["title"] == "buy is still failing (local)"
        daemon.here("pause", "buy")
        wait_until(lambda: daemon.query("SELECT 1 FROM slots WHERE state = 'paused'"))
        told = len(posts)
        wait_until(lambda: len(daemon.query("SELECT 1 FROM slots WHERE state = 'paused'")) >= 4)
        assert len(posts) == told
        daemon.stop()


def titles(posts: list[dict[str, Any]]) -> list[str]:
    return [post["title"] for post in posts]


@pytest.mark.thorough
def test_a_broken_file_is_told(daemon: Daemon) -> None:
    port = free_port()
    file = daemon.write(QUICK)
    with webhook(port) as posts:
        daemon.start(JOURNEY_ALERT_URLS=f"json://127.0.0.1:{port}")
        daemon.wait_for_runs(1)
        good = file.read_text()
        file.write_text("nonsense(")
        wait_until(lambda: "Journeys cannot be read" in titles(posts))
        file.write_text(good)
        wait_until(lambda: "Journeys can be read again" in titles(posts))
        daemon.stop()
    # A run that begins before the scheduler has noticed is an error of the monitor, which has an alert of its own.
    ours = [post for post in posts if post["title"].startswith("Journeys")]
    assert titles(ours) == ["Journeys cannot be read", "Journeys can be read again"]
    assert "j.py:1: cannot be imported: SyntaxError" in ours[0]["message"]


# Of a module that Apprise imports.
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("urls", "said"),
    thorough_but(
        1,
        [
            ("nobody", "JOURNEY_ALERT_URLS: holds a word that is not an address"),
            ("carrier-pigeon://geheim@home", "Apprise does not know addresses that begin with 'carrier-pigeon'"),
        ],
    ),
)
def test_an_address_that_cannot_work_is_refused_and_not_shown(
    daemon: Daemon, urls: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.write(QUICK)
    monkeypatch.setenv("JOURNEY_ALERT_URLS", urls)
    refused = daemon.here("schedule")
    assert (refused.returncode, said in refused.stderr, "geheim" in refused.stderr) == (2, True, False), refused.stderr
