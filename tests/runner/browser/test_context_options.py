"""How a journey's context reaches a site and what it finds there, against real servers that see it."""

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from runner.browser.chromium import Browser
from runner.dsl.discovery import load_journeys
from runner.dsl.journey import journey
from runner.dsl.plan import plan
from runner.errors import ConfigError, DiscoveryError
from runner.settings.load_settings import load_settings
from runner.settings.secrets import Secret
from runner.workers.pool import Workers
from tests.conftest import Monitor
from tests.support.certificates import make_certificate
from tests.support.needs import needs
from tests.support.services.programs import program
from tests.support.services.servers import free_port
from tests.support.thorough import thorough_but
from tests.support.wait import PAUSE


class Echo:
    """A server whose pages say what they were asked with; everything may be cached."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        echo = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                echo.asked.append((self.path, headers))
                kind = "text/javascript" if self.path.endswith(".js") else "text/html"
                body = echo.pages.get(self.path, f"<pre>{json.dumps(headers)}</pre>").encode()
                self.send_response(200)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "max-age=3600")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None: ...

        self.pages: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.address = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(PAUSE,))
        self._thread.start()

    def paths(self) -> list[str]:
        """What was asked for, but for icons."""
        return [path for path, _ in self.asked if path != "/favicon.ico"]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


def walk(options: str, body: str = "page.goto('/')") -> str:
    """A journey with these options that does `body`."""
    lines = "\n        ".join(body.splitlines())
    return f"from runner import Secret\n@journey({options})\ndef walk(page, context, step):\n    with step('open'):\n        {lines}\n"


@pytest.fixture
@needs("real_time")
def squid(echo: Echo) -> Iterator[Callable[[], tuple[int, str]]]:
    """A squid that wants `me` with `oolong-77`, for whom shop.example is `echo`; its port, and its log so far."""
    port, root = free_port(), os.geteuid() == 0
    secret = subprocess.run(["openssl", "passwd", "-apr1", "oolong-77"], capture_output=True, text=True, check=True).stdout
    with TemporaryDirectory(prefix="journey-squid-") as name:
        folder = Path(name)
        (folder / "hosts").write_text("127.0.0.1 shop.example\n")
        (folder / "users").write_text(f"me:{secret}")
        (folder / "squid.conf").write_text(
            f"http_port 127.0.0.1:{port}\npid_filename {folder}/pid\ncache deny all\ncache_log {folder}/cache.log\n"
            f"access_log stdio:{folder}/access.log\nhosts_file {folder}/hosts\nnetdb_filename none\npinger_enable off\n"
            f"auth_param basic program /usr/lib/squid/basic_ncsa_auth {folder}/users\nacl known proxy_auth REQUIRED\n"
            "http_access allow known\nhttp_access deny all\nvisible_hostname proxy\nshutdown_lifetime 0 seconds\n"
        )
        if root and Path("/usr/sbin/squid").exists():  # it does not run as root
            for one in (folder, *folder.iterdir()):
                shutil.chown(one, "proxy")
        command = [
            *(["runuser", "-u", "proxy", "--"] if root else []),
            "squid",
            "-N",
            "-n",
            f"journey{port}",
            "-f",
            str(folder / "squid.conf"),
        ]
        log = folder / "access.log"
        with program("squid", command, port, folder):
            yield lambda: (port, log.read_text() if log.exists() else "")


@pytest.mark.thorough
def test_a_journey_has_a_proxy_of_its_own_with_a_password(
    monitor: Monitor, echo: Echo, squid: Callable[[], tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNEY_SECRET_PROXY", "oolong-77")
    port, _ = squid()
    site = f"http://shop.example:{echo.port}"
    proxied = walk(
        f"proxy={{'server': 'http://127.0.0.1:{port}', 'username': 'me', 'password': Secret('oolong-77')}}",
        "page.goto('/')\nexpect(page.locator('pre')).to_contain_text('via')\nprint('oolong-77')",
    )
    result = monitor.run(proxied, base_url=site)
    assert (result.status, result.failure) == ("passed", None)
    assert f"GET {site}/ me" in squid()[1]
    # The worker's browser is as before for the next journey.
    assert (
        monitor.run(walk("", "page.goto('/')\nassert 'via' not in page.content().lower()"), base_url=echo.address).status
        == "passed"
    )
    refused = monitor.run(walk(f"proxy='http://127.0.0.1:{port}'"), base_url=site)
    assert refused.failure is not None
    assert (refused.status, refused.failure.kind) == ("error", "monitor")
    assert "the proxy requires a user and a password" in refused.failure.message


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[tuple[str, Path, Path]]:
    """An nginx that lets nobody in without a certificate that it knows, but to `/open`; its address, the certificate, its key."""
    folder, port = tmp_path / "nginx", free_port()
    folder.mkdir()
    server = make_certificate(folder / "server", names="DNS:localhost")
    client = make_certificate(folder / "client", names="DNS:monitor.example")
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\nevents {{}}\nhttp {{\n access_log off;\n"
        + "".join(f" {kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        + f" server {{ listen 127.0.0.1:{port} ssl http2; server_name localhost;\n"
        f"  ssl_certificate {server.file}; ssl_certificate_key {server.key};\n"
        f"  ssl_client_certificate {client.file}; ssl_verify_client optional;\n  default_type text/html;\n"
        "  location = /open { return 200 '<p>welcome'; }\n"
        "  location / { if ($ssl_client_verify != SUCCESS) { return 403; } return 200 '<p>welcome $ssl_client_s_dn'; }\n }\n}\n"
    )
    with program("nginx", ["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")], port, folder):
        yield f"https://localhost:{port}", client.file, client.key


@pytest.mark.thorough
def test_a_journey_shows_its_certificate_to_the_origin_it_is_for(monitor: Monitor, nginx: tuple[str, Path, Path]) -> None:
    address, cert, key = nginx
    shutil.copy(cert, monitor.folder / "me.pem")
    shutil.copy(key, monitor.folder / "me.key")
    options = f"ignore_https_errors=True, client_certificates=[{{'origin': '{address}', 'cert': 'me.pem', 'key': 'me.key'}}]"
    seen = "page.goto('/')\nexpect(page.locator('p')).to_have_text('welcome CN=monitor.example')"
    result = monitor.run(walk(options, seen), base_url=address)
    assert (result.status, result.failure) == ("passed", None)
    without = monitor.run(walk("ignore_https_errors=True", seen), base_url=address)
    assert without.failure is not None
    assert (without.status, without.failure.step) == ("failed", "open")
    assert "403" in without.failure.message


def test_the_browser_has_the_preferences_permissions_and_cookies_of_the_options(monitor: Monitor, echo: Echo) -> None:
    options = (
        "color_scheme='dark', reduced_motion='reduce', permissions=['notifications'], service_workers='block', "
        "cookies=[{'name': 'consent', 'value': 'all'}, {'name': 'session', 'value': Secret('darjeeling-first'), 'http_only': True}]"
    )
    body = """page.goto('/')
expect(page.locator('pre')).to_contain_text('consent=all')
expect(page.locator('pre')).to_contain_text('session=darjeeling-first')
assert page.evaluate("document.cookie") == 'consent=all'
assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
assert page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
assert page.evaluate("navigator.permissions.query({name: 'notifications'}).then(one => one.state)") == 'granted'
print('it was darjeeling-first')"""
    result = monitor.run(walk(options, body), base_url=echo.address)
    assert (result.status, result.failure) == ("passed", None)
    kept = b"".join(file.read_bytes() for file in monitor.saved().rglob("*") if file.is_file())
    assert b"darjeeling" not in kept


def test_what_is_blocked_is_not_asked_for_and_is_no_failure(monitor: Monitor, echo: Echo) -> None:
    other = f"http://localhost:{echo.port}"
    echo.pages["/"] = (
        f"<script src='{other}/ads.js'></script><script src='/own.js'></script><script src='/film.mp4.js'></script>"
    )
    echo.pages["/own.js"] = "document.title = 'own'"
    options = "block=['third-party', '**/film*']"
    result = monitor.run(walk(options, "page.goto('/')\nexpect(page).to_have_title('own')"), base_url=echo.address)
    assert (result.status, result.failure) == ("passed", None)
    assert echo.paths() == ["/", "/own.js"]
    requests = result.steps[0].requests
    assert requests is not None
    assert (requests.ok, requests.failed) == (2, 0)
    echo.asked.clear()
    result = monitor.run(walk("block=['localhost']", "page.goto('/')"), base_url=echo.address)
    assert sorted(echo.paths()) == ["/", "/film.mp4.js", "/own.js"]


def test_requests_are_answered_in_place_of_the_site(monitor: Monitor, echo: Echo) -> None:
    (monitor.folder / "stock.json").write_text('{"tea": 3}')
    body = """page.goto('/')
assert page.evaluate("fetch('/api/stock').then(one => one.json())") == {'tea': 3}
pay = page.evaluate("fetch('/api/pay').then(async one => [one.status, await one.text(), one.headers.get('x-from')])")
assert pay == [503, 'away', 'mock']"""
    options = (
        "mock={'**/api/stock': 'stock.json', '**/api/pay': {'status': 503, 'body': 'away', 'headers': {'x-from': 'mock'}}}"
    )
    result = monitor.run(walk(options, body), base_url=echo.address)
    assert (result.status, result.failure) == ("passed", None)
    assert echo.paths() == ["/"]


@pytest.mark.thorough
def test_a_recording_answers_for_a_site(monitor: Monitor, echo: Echo) -> None:
    echo.pages["/"] = "<h1>as it was</h1>"
    recorded = monitor.run(walk("har='on'"), base_url=echo.address)
    har = next(one for one in recorded.artifacts if one.kind == "har")
    shutil.copy(monitor.saved() / har.path, monitor.folder / "site.har")
    echo.pages["/"] = "<h1>as it is</h1>"
    echo.asked.clear()
    options = "mock={'**/*': 'site.har'}"
    result = monitor.run(
        walk(options, "page.goto('/')\nexpect(page.locator('h1')).to_have_text('as it was')"), base_url=echo.address
    )
    assert (result.status, result.failure) == ("passed", None)
    assert echo.paths() == []


@pytest.mark.parametrize(("options", "asked"), thorough_but(1, [("http_cache=False", 2), ("", 1)]))
def test_a_cache_can_be_off(monitor: Monitor, echo: Echo, options: str, asked: int) -> None:
    echo.pages["/"] = "<script src='/own.js'></script>"
    echo.pages["/own.js"] = "document.title = 'own'"
    body = "page.goto('/')\nexpect(page).to_have_title('own')\npage.goto('/?again')\npage.goto('/')\nexpect(page).to_have_title('own')"
    assert monitor.run(walk(options, body), base_url=echo.address).status == "passed"
    assert echo.paths().count("/own.js") == asked


def test_a_site_can_be_looked_at_offline(monitor: Monitor, echo: Echo) -> None:
    result = monitor.run(walk("network='offline'"), base_url=echo.address)
    assert result.failure is not None
    assert "ERR_INTERNET_DISCONNECTED" in result.failure.message
    assert echo.paths() == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"proxy": "proxy.example"},
            "'proxy.example' is not the address of a proxy; write one such as 'http://proxy.example:3128'",
        ),
        ({"proxy": "http://me:hush@proxy:3128"}, "option proxy: holds a user or a password in its address"),
        (
            {"proxy": {"server": "http://proxy:3128", "user": "me"}},
            "'user' is not a field of it; there are: server, username, password",
        ),
        ({"proxy": {"username": "me"}}, "'server' is missing"),
        ({"client_certificates": {"origin": "https://a.example"}}, "is not a list of certificates"),
        ({"client_certificates": [{"origin": "http://a.example", "pfx": "a"}]}, "is not an https origin"),
        ({"client_certificates": [{"origin": "https://a.example", "cert": "a"}]}, "needs either 'cert' and 'key'"),
        ({"cookies": [{"name": "a"}]}, "'value' is missing"),
        ({"cookies": {"a b": "c"}}, "'a b' is not the name of a cookie"),
        ({"cookies": {"a": 3}}, "a: its value is a text or a Secret, not 3"),
        ({"permissions": "camera"}, "'camera' is not a list of texts"),
        ({"color_scheme": "blue"}, "'blue' is not one of 'light', 'dark', 'no-preference'"),
        ({"service_workers": True}, "True is not one of 'allow', 'block'"),
        ({"block": "third-party"}, "'third-party' is not a list of texts"),
        ({"mock": {"**/a": 3}}, "**/a: 3 is not an answer"),
        ({"mock": {"**/a": {"status": 100}}}, "100 is not the status of a final response"),
        ({"mock": {"**/a": {"body": "a", "file": "b"}}}, "body and file are both its body"),
        ({"mock": ["**/a"]}, "is not a table of answers"),
        ({"mock": {"**/a": {"headers": {"a\nb": "c"}}}}, r"option mock: **/a: headers: 'a\nb' is not the name of a header"),
        ({"headers": {"a b": "c"}}, "option headers: 'a b' is not the name of a header"),
        ({"headers": {"a": "b\r\nc: d"}}, "option headers: a: its value has a line break"),
        ({"headers": {"a": 5}}, "is not a set of headers"),
        ({"proxy": "http://proxy:99999"}, "option proxy: 'http://proxy:99999' has no valid host or port"),
        ({"proxy": "http://[::1"}, "option proxy: 'http://[::1' has no valid host or port"),
    ],
)
def test_what_is_wrong_with_an_option_is_said(options: dict[str, Any], said: str) -> None:
    with pytest.raises(DiscoveryError) as error:
        journey(**options)(lambda page: page.goto("/"))
    assert said in str(error.value)
    assert "hush" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "said"),
    thorough_but(
        1,
        [
            ("permissions=['nosuch']", "option permissions of walk: Browser.new_context: Unknown permission: nosuch"),
            ("storage_state='half.json'", "option storage_state of walk: "),
            (
                "client_certificates=[{'origin': 'https://a.example', 'pfx': 'half.json'}]",
                "option client_certificates of walk: ",
            ),
        ],
    ),
)
def test_what_the_browser_rejects_is_said_with_the_option_and_the_file(monitor: Monitor, options: str, said: str) -> None:
    (monitor.folder / "journeys").mkdir(exist_ok=True)
    for folder in (monitor.folder, monitor.folder / "journeys"):
        (folder / "half.json").write_text("{")
    failure = monitor.run(walk(options)).failure
    assert failure is not None
    assert (failure.kind, said in failure.message, ".py: option " in failure.message) == ("journey", True, True), (
        failure.message
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mock": {"**/a": "nowhere.json"}}, "option mock: {folder}/nowhere.json does not exist"),
        ({"client_certificates": [{"origin": "https://a.example", "pfx": "no.pfx"}]}, "{folder}/no.pfx does not exist"),
        ({"block": ["third-party"]}, "option block: 'third-party' needs a base_url"),
        ({"cookies": {"a": "b"}}, "option cookies: a has no domain, and there is no base_url"),
    ],
)
def test_what_a_plan_lacks_is_said_before_it_runs(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    @journey(**options)
    def look(page: Any) -> None:
        page.goto("/")

    declared = look.__journey__  # type: ignore[attr-defined]
    with pytest.raises(ConfigError) as error:
        plan(declared, load_settings(tmp_path, {}, {}))
    assert said.format(folder=Path(__file__).parent) in str(error.value)


@pytest.mark.parametrize(
    ("recording", "said"),
    [
        (b"", "Input data was truncated"),
        (b"PK\x03\x04", "JSON is malformed"),
        (b'{"log": {"entries": [{"request": {"url": 5}}]}}', "Expected `str`, got `int`"),
        (b'{"log": {"entries": [{"request": {"url": "/", "method": "GET"}}]}}', "missing required field `response`"),
        (b'{"log": {"entries": [], "x": ' + b"[" * 100_000, "nested"),
    ],
    ids=["empty", "zip", "number", "half", "deep"],
)
def test_a_recording_that_no_browser_can_use_is_not_the_site_s_fault(tmp_path: Path, recording: bytes, said: str) -> None:
    (tmp_path / "site.har").write_bytes(recording)
    (tmp_path / "shop.py").write_text(
        "from runner import journey\n@journey(mock={'**/*': 'site.har'})\ndef look(page): page.goto('/')\n"
    )
    (declared,) = load_journeys(tmp_path / "shop.py")
    with pytest.raises(ConfigError) as error:
        plan(declared, load_settings(tmp_path, {}, {}))
    assert f"shop.py:2: option mock: {tmp_path / 'site.har'} is not a recording in HAR: " in str(error.value)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("base_url", "blocked", "asked"),
    [
        ("https://www.shop.co.uk", "https://ads.co.uk/x", "https://img.shop.co.uk/x"),
        ("https://shop.example", "https://shop.example.evil.example/", "https://shop.example:8443/"),
        ("https://shop.example", "https://notshop.example/", "https://a.b.shop.example"),
        ("http://127.0.0.1:8000", "http://127.0.0.2/", "http://127.0.0.1:9000/"),
        ("http://localhost:8000", "http://localhost.example/", "http://localhost:9000/"),
    ],
)
def test_third_parties_are_those_of_other_sites(tmp_path: Path, base_url: str, blocked: str, asked: str) -> None:
    @journey(block=["third-party"], cookies={"a": Secret("hush-hush")})
    def look(page: Any) -> None:
        page.goto("/")

    made = plan(look.__journey__, load_settings(tmp_path, {"base_url": base_url}, {}))  # type: ignore[attr-defined]
    assert re.search(made.context.blocked, blocked)
    assert not re.search(made.context.blocked, asked)
    assert made.context.hidden == ("hush-hush",)


@pytest.mark.thorough
def test_an_authority_of_ones_own_is_trusted_and_http2_can_be_off(
    nginx: tuple[str, Path, Path], chromium: Browser, tmp_path: Path, shop: str
) -> None:
    if not shutil.which("certutil"):
        pytest.skip("certutil is not installed; on Debian: apt-get install libnss3-tools")
    asked = "page.goto('/open')\nassert page.evaluate(\"performance.getEntriesByType('navigation')[0].nextHopProtocol\") == "
    options: dict[str, Any] = {"base_url": nginx[0], "ca_file": tmp_path / "nginx" / "server" / "valid-30.pem"}
    with Workers(1) as workers:
        monitor = Monitor(tmp_path, shop, chromium, workers)
        newest = monitor.run(walk("", f"{asked}'h2'"), **options)
        plain = monitor.run(walk("", f"{asked}'http/1.1'"), **options, http2=False)
        unknown = monitor.run(walk("", "page.goto('/open')"), base_url=nginx[0])
        wrong = monitor.run(walk("", "page.goto('/open')"), base_url=nginx[0], ca_file=nginx[2])
    assert (newest.status, newest.failure) == ("passed", None)
    assert (plain.status, plain.failure) == ("passed", None)
    assert unknown.failure is not None
    assert "ERR_CERT_AUTHORITY_INVALID" in unknown.failure.message
    assert wrong.failure is not None
    assert (wrong.status, wrong.failure.kind) == ("error", "browser")
    assert f"ca_file: {nginx[2]} holds no certificate" in wrong.failure.message
