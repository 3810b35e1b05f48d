"""`journey serve`, as a user starts it."""

import json
import re
import signal
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from typer.testing import CliRunner

from runner.cli.all_commands import app
from runner.errors import JourneyError
from tests.support.raw_http import CHROME
from tests.support.services.collector import beacon
from tests.support.services.serve import Serve
from tests.support.services.servers import free_port, get
from tests.support.wait import wait_until


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "runner.cli", "serve", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30, check=False)


def refused(folder: Path, *words: str) -> str:
    """Runs the command in this process, which is quicker; it must refuse. Returns what it says."""
    with chdir(folder), pytest.raises(JourneyError) as caught:
        CliRunner().invoke(app, ["serve", *words], catch_exceptions=False)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.long
def test_a_first_try_needs_no_configuration(serve: Serve) -> None:
    said = serve.start()
    assert f"the collector is at {serve.address}" in said
    assert "the configuration names no app" in said
    assert f'<script src="{serve.address}/agent.js" data-app="shop" defer></script>' in said
    body = json.dumps(beacon()).encode()
    request = Request(f"{serve.address}/v1/views", body, {"origin": "http://localhost:3000", "user-agent": CHROME})
    with urlopen(request, timeout=10) as answer:
        assert answer.status == 202
    assert 'beacons_total{outcome="accepted"} 1.0' in (get(f"{serve.address}/metrics") or "")
    code, said = serve.stop()
    assert (code, said.splitlines()[-1]) == (0, "stopped")
    assert "Traceback" not in said


@pytest.mark.thorough
def test_it_prints_a_line_for_each_app(serve: Serve) -> None:
    (serve.folder / "journey.toml").write_text(
        "public_url = 'https://rum.example'\n[[apps]]\nname='shop'\nkey='shop-key-1'\norigins=['https://shop.example']\n"
        "[[apps]]\nname='blog'\norigins=['https://blog.example']\n"
    )
    said = serve.start()
    assert re.findall(r"<script.*", said) == [
        '<script src="https://rum.example/agent.js" data-app="shop" data-key="shop-key-1" defer></script>',
        '<script src="https://rum.example/agent.js" data-app="blog" defer></script>',
    ]
    assert serve.stop(signal.SIGINT)[0] == 0


@pytest.mark.thorough
def test_the_line_says_where_to_send_when_the_path_is_not_the_usual_one(serve: Serve) -> None:
    (serve.folder / "journey.toml").write_text("collector_path = '/t/in'")
    said = serve.start()
    assert f'data-endpoint="{serve.address}/t/in"' in said


def test_other_machines_reach_it_only_when_apps_are_named(tmp_path: Path) -> None:
    for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:80"):
        said = refused(tmp_path, "--listen", address)
        assert f"serve_listen: {address} can be reached from other machines" in said
        assert "[[apps]]" in said


@pytest.mark.thorough
def test_an_address_that_is_taken_is_named(serve: Serve, tmp_path: Path) -> None:
    serve.start()
    taken = serve.address.removeprefix("http://")
    result = run(tmp_path, "--listen", taken)
    assert (result.returncode, f"cannot listen on {taken}: Address already in use" in result.stderr) == (2, True)
    assert "'here' is not an address to listen on" in refused(tmp_path, "--listen", "here")
    assert "choose text or json" in refused(tmp_path, "--log-format", "xml")


@pytest.mark.long
def test_the_dashboard_is_served_and_nothing_is_opened(serve: Serve, tmp_path: Path) -> None:
    opener = tmp_path / "opener"
    opener.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    opener.chmod(0o755)
    said = serve.start(BROWSER=f"{opener} %s")
    assert f"the dashboard is at {serve.address}/" in said
    assert "Nothing has been run yet" in (get(f"{serve.address}/") or "")
    serve.stop()
    assert not (tmp_path / "opened").exists()
    serve.start("--open", BROWSER=f"{opener} %s")
    wait_until(lambda: (tmp_path / "opened").exists() and (tmp_path / "opened").read_text())
    assert (tmp_path / "opened").read_text().strip() == serve.address


@pytest.mark.thorough
def test_other_machines_reach_the_dashboard_only_when_something_says_who_may(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text("[[apps]]\nname='shop'\norigins=['https://shop.example']\n")
    result = run(tmp_path, "--listen", "0.0.0.0:0")
    assert result.returncode == 2
    assert "no authentication is configured; set JOURNEY_SERVE_TOKEN" in result.stderr
    (tmp_path / "journey.toml").write_text("serve_users = 'people'\n")
    said = refused(tmp_path)
    assert ("people cannot be read" in said, "journey user add" in said) == (True, True)
    (tmp_path / "journey.toml").write_text("serve_token = 'a-token-that-is-written-down'\n")
    assert "serve_token must not be in a file" in refused(tmp_path)


@pytest.mark.thorough
def test_with_a_token_the_dashboard_asks_for_it(serve: Serve) -> None:
    said = serve.start(JOURNEY_SERVE_TOKEN="a-token-that-is-long-enough")
    assert "a-token" not in said
    with urlopen(Request(f"{serve.address}/", headers={"accept": "text/html"}), timeout=10) as answer:
        assert "<h1>Sign in</h1>" in answer.read().decode()
    request = Request(f"{serve.address}/api/v1/overview", headers={"authorization": "Bearer a-token-that-is-long-enough"})
    with urlopen(request, timeout=10) as answer:
        assert json.load(answer)["journeys"] == []
    assert "a-token" not in serve.stop()[1]


@pytest.mark.thorough
def test_the_collector_listens_on_an_address_of_its_own(serve: Serve) -> None:
    (serve.folder / "journey.toml").write_text("[[apps]]\nname='shop'\norigins=['https://shop.example']\n")
    port = free_port()
    said = serve.start(JOURNEY_COLLECTOR_LISTEN=f"127.0.0.1:{port}", JOURNEY_SERVE_TOKEN="a-token-that-is-long-enough")
    collector = f"http://127.0.0.1:{port}"
    assert f"the collector is at {collector}; metrics at {serve.address}/metrics" in said
    assert f'<script src="{collector}/agent.js" data-app="shop" defer></script>' in said

    def status(address: str, body: bytes | None = None, **headers: str) -> int:
        try:
            with urlopen(Request(address, body, {"user-agent": CHROME, **headers}), timeout=10) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code

    sent = json.dumps(beacon()).encode()
    assert status(f"{collector}/v1/views", sent, origin="https://shop.example") == 202
    assert status(f"{serve.address}/v1/views", sent, origin="https://shop.example") in {401, 403}
    assert [status(f"{collector}{path}") for path in ("/healthz", "/readyz", "/agent.js", "/metrics", "/", "/sign-in")] == [
        200, 200, 200, 404, 404, 404,
    ]  # fmt: skip
    assert [status(f"{serve.address}{path}") for path in ("/healthz", "/readyz", "/agent.js", "/metrics")] == [
        200,
        200,
        401,
        401,
    ]
    token = {"authorization": "Bearer a-token-that-is-long-enough"}
    with urlopen(Request(f"{serve.address}/metrics", headers=token), timeout=10) as answer:
        assert b'beacons_total{outcome="accepted"} 1.0' in answer.read()
    code, said = serve.stop()
    assert (code, said.splitlines()[-1], "Traceback" in said) == (0, "stopped", False)


@pytest.mark.long
def test_a_collector_that_others_reach_needs_apps(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text("collector_listen = '0.0.0.0:0'\n")
    assert "collector_listen: 0.0.0.0:0 can be reached from other machines" in refused(tmp_path)


@pytest.mark.thorough
def test_readyz_reports_a_database_that_was_removed_while_it_is_used(serve: Serve) -> None:
    serve.start()
    file = serve.folder / "runs" / "journeys.db"
    kept = file.rename(serve.folder / "moved.db")
    wait_until(lambda: get(f"{serve.address}/readyz") is None)
    kept.rename(file)
    wait_until(lambda: get(f"{serve.address}/readyz") == "ok\n")
