"""Chromium and Playwright's driver get no secret of the monitor, and what they need."""

import json
import os
from pathlib import Path

import pytest

from runner.browser.chromium import Browser
from runner.browser.environment import browser_environment, driver_environment, find_cache
from runner.workers.pool import Workers
from tests.conftest import Monitor

SECRETS = {
    "JOURNEY_SECRET_LOGIN": "planted-1",
    "JOURNEY_DATABASE": "postgresql://monitor:planted-2@db/journeys",
    "JOURNEY_SERVE_TOKEN": "planted-3",
    "JOURNEY_ALERT_URLS": "mailto://me:planted-4@mail.example",
    "AWS_SECRET_ACCESS_KEY": "planted-5",
    "GITHUB_TOKEN": "planted-6",
    "HTTP_PROXY": "http://me:planted-7@proxy.example:3128",
    "all_proxy": "me:planted-8@proxy.example:1080",
}
LOOK = """
    import json, psutil
    from pathlib import Path
    @journey
    def look(page, step):
        with step("open"):
            page.goto("about:blank")
        found = {}
        for process in psutil.Process().children(recursive=True):
            try:
                found.setdefault("node" if "node" in process.name() else "browser", []).append(process.environ())
            except psutil.NoSuchProcess:
                pass  # it has ended since it was listed
        Path(__file__).with_name("found.json").write_text(json.dumps(found))
"""


def test_no_process_of_the_browser_or_the_driver_has_a_secret_in_its_environment(
    shop: str, chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNEY_SECRET_LOGIN", "planted")
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    with Workers(1) as workers:
        assert Monitor(tmp_path, shop, chromium, workers).run(LOOK).status == "passed"
    found = json.loads((tmp_path / "found.json").read_text())
    assert {kind: bool(processes) for kind, processes in found.items()} == {"node": True, "browser": True}
    for processes in found.values():
        assert "planted" not in str(processes)
        # Zygotes are started with an environment of their own.
        assert "Asia/Kathmandu" in str(processes)


@pytest.mark.parametrize("choose", [browser_environment, driver_environment])
def test_what_is_not_known_to_be_needed_is_left_out(choose: object) -> None:
    assert callable(choose)
    kept = choose(SECRETS | {"DISPLAY": ":1", "XDG_RUNTIME_DIR": "/run/user/1", "LC_ALL": "C", "PYTHONPATH": "/x"})
    assert kept == {
        "DISPLAY": ":1",
        "XDG_RUNTIME_DIR": "/run/user/1",
        "LC_ALL": "C",
        "HTTP_PROXY": "http://proxy.example:3128",
        "all_proxy": "proxy.example:1080",
    }


def test_the_driver_keeps_what_configures_it() -> None:
    asked = {"DEBUG": "pw:api", "NODE_EXTRA_CA_CERTS": "/ca.pem", "PLAYWRIGHT_BROWSERS_PATH": "/browsers"}
    assert driver_environment(asked) == asked
    assert browser_environment(asked) == {}
    assert driver_environment(os.environ).keys() <= os.environ.keys()


def test_no_home_is_created_for_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_cache({}) == tmp_path / ".cache" / "journey"
    assert find_cache({"XDG_CACHE_HOME": "/var/cache/ada"}) == Path("/var/cache/ada/journey")
    monkeypatch.setenv("HOME", str(tmp_path / "gone"))
    assert find_cache({}) is None
