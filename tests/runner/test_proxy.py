"""Proxies of the environment: those that need a password are given it; what they refuse is the monitor's error."""

import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from runner.browser.chromium import Browser
from runner.browser.proxy import Proxy, proxy_with_password
from runner.workers.pool import Workers
from tests.conftest import Monitor
from tests.support.wait import PAUSE


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, None),
        ({"http_proxy": ""}, None),
        ({"http_proxy": "http://proxy:3128", "https_proxy": "proxy:3128"}, None),
        ({"https_proxy": "socks5://proxy:1080"}, None),
        ({"http_proxy": "http://me:p%40ss@proxy:3128"}, ("http://proxy:3128", "me", "p@ss")),
        ({"HTTPS_PROXY": "me:hush@proxy:3128"}, ("http://proxy:3128", "me", "hush")),
        ({"http_proxy": "http://a:b@one:1", "https_proxy": "http://c:d@two:2"}, ("http://two:2", "c", "d")),
        ({"all_proxy": "http://me@[::1]:3128"}, ("http://[::1]:3128", "me", "")),
    ],
)
def test_only_a_proxy_with_credentials_is_handed_to_the_browser(
    environment: dict[str, str], wanted: tuple[str, str, str] | None
) -> None:
    found = proxy_with_password(environment)
    assert (found and (found.server, found.username, found.password)) == wanted


def test_loopback_and_the_hosts_of_no_proxy_are_reached_directly() -> None:
    found = proxy_with_password({"http_proxy": "http://me:hush@proxy:3128", "NO_PROXY": "shop.example, .intern,"})
    assert isinstance(found, Proxy)
    assert found.bypass == "localhost,*.localhost,127.0.0.1,[::1],shop.example,.intern"


@pytest.fixture
def proxy() -> Iterator[str]:
    """The `HOST:PORT` of a proxy that answers everything itself, once it knows that it is `me` with `hush`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("Proxy-Authorization") == f"Basic {b64encode(b'me:hush').decode()}"
            self.send_response(200 if known else 407)
            if not known:
                self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
            self.end_headers()
            self.wfile.write(b"<p>through the proxy" if known else b"who are you?")

        def log_message(self, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(PAUSE,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


WALK = """
    @journey
    def walk(page, step):
        with step("open"):
            page.goto("/")
            expect(page.get_by_text("through the proxy")).to_be_visible(timeout=2000)
"""


@pytest.mark.thorough
def test_a_proxy_with_a_password_is_passed(
    proxy: str, shop: str, chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://me:hush@{proxy}")
    with Workers(1) as workers:
        monitor = Monitor(tmp_path, shop, chromium, workers)
        through = monitor.run(WALK, base_url="http://shop.example")
        directly = monitor.run(WALK.replace(".to_be_visible", ".not_to_be_visible"), base_url=shop)
    assert (through.status, through.failure) == ("passed", None)
    assert (directly.status, directly.failure) == ("passed", None)


@pytest.mark.thorough
def test_a_proxy_that_refuses_is_the_monitors_error(
    proxy: str, shop: str, chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://{proxy}")
    with Workers(1) as workers:
        result = Monitor(tmp_path, shop, chromium, workers).run(WALK, base_url="http://shop.example")
    assert result.failure is not None
    assert (result.status, result.failure.kind) == ("error", "monitor")
    assert "the proxy requires a user and a password; set http_proxy" in result.failure.message


@pytest.mark.thorough
def test_a_temporary_folder_that_does_not_exist_is_named(
    shop: str, chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    with Workers(1) as workers:
        result = Monitor(tmp_path, shop, chromium, workers).run(WALK)
    assert result.failure is not None
    assert (result.status, result.failure.kind) == ("error", "browser")
    assert f"TMPDIR is '{tmp_path / 'nowhere'}', which is not a folder" in result.failure.message
