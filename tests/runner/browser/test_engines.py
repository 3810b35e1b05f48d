"""Journeys in Firefox and WebKit: which program is used, what is refused, and that nothing of Chromium's protocol is called."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright
from playwright.sync_api import Error as PlaywrightError

from runner.browser import engines
from runner.browser.chromium import Browser as Program
from runner.browser.chromium import LaunchOptions
from runner.browser.context_options import options
from runner.browser.driver.page_channel import BindingChannel, open_channel
from runner.browser.engines import find_available, find_engine, find_used, launch
from runner.browser.throttling import throttle
from runner.dsl.discovery import load_journeys
from runner.dsl.options import NETWORKS
from runner.dsl.plan import Plan, plan
from runner.errors import BrowserNotFound, ConfigError
from runner.settings.load_settings import load_settings
from runner.settings.parsers.values import Engine
from runner.settings.settings import Settings
from tests.conftest import Monitor
from tests.support.engines import FIREFOX
from tests.support.needs import needs
from tests.support.thorough import thorough_but


def planned(tmp_path: Path, declared: str, **settings: Any) -> Plan:
    """The plan of a journey with these options."""
    file = tmp_path / "walk.py"
    file.write_text(f"from runner import journey\n@journey({declared})\ndef walk(page, step): ...\n")
    (journey,) = load_journeys(file)
    return plan(journey, load_settings(tmp_path, settings, {}))


def test_the_journey_wins_over_the_file_and_an_option_over_the_journey(tmp_path: Path) -> None:
    assert planned(tmp_path, "").browser == "chromium"
    (tmp_path / "journey.toml").write_text('browser = "webkit"\n')
    assert planned(tmp_path, "").browser == "webkit"
    assert planned(tmp_path, "browser='firefox'").browser == "firefox"
    assert planned(tmp_path, "browser='firefox'", browser="webkit").browser == "webkit"


@pytest.mark.parametrize(
    ("option", "engine", "said"),
    [
        (
            "network='slow-3g'",
            "firefox",
            "option network: firefox does not have it for walk: it is set by Chromium's DevTools protocol",
        ),
        ("cpu=4", "webkit", "option cpu: webkit does not have it for walk"),
        ("http_cache=False", "webkit", "option http_cache: webkit does not have it for walk"),
        (
            "device='Pixel 7'",
            "firefox",
            "option device: firefox does not have it for walk: Playwright shows no mobile pages in Firefox",
        ),
    ],
)
def test_what_an_engine_cannot_do_is_named_with_journey_option_and_engine(
    tmp_path: Path, option: str, engine: str, said: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        planned(tmp_path, f"browser='{engine}', {option}")
    assert f"walk.py:2: {said}" in str(raised.value)
    assert planned(tmp_path, option).browser == "chromium"


def test_what_every_engine_can_do_is_accepted(tmp_path: Path) -> None:
    for option in ("network='offline'", "device='Desktop Firefox'", "locale='de-DE'", "color_scheme='dark'"):
        assert planned(tmp_path, f"browser='firefox', {option}").browser == "firefox"
    assert planned(tmp_path, "browser='webkit', device='iPhone 15'").device == "iPhone 15"


def test_a_setting_that_is_a_switch_of_chromium_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="setting http2: webkit does not have it for walk"):
        planned(tmp_path, "browser='webkit'", http2=False)


def install_program(folder: Path, name: str) -> Path:
    """A file that can be run."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)
    return folder / name


def test_playwright_s_own_build_is_preferred_then_a_firefox_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, usual = tmp_path / "own", tmp_path / "bin"
    for folder in (own / "firefox", usual):
        install_program(folder, "firefox")
    monkeypatch.setenv("PATH", str(usual))
    monkeypatch.setattr("runner.browser.chromium.installed_folder", lambda _: own)
    found = find_engine("firefox")
    assert (found, engines.is_playwrights_own(found)) == (
        Program(own / "firefox" / "firefox", "installed by Playwright", "firefox"),
        True,
    )
    monkeypatch.setattr("runner.browser.chromium.installed_folder", lambda _: None)
    found = find_engine("firefox")
    assert (found, engines.is_playwrights_own(found)) == (Program(usual / "firefox", "firefox on PATH", "firefox"), False)
    with pytest.raises(
        BrowserNotFound, match=r"no webkit on this machine; install Playwright's with `.*playwright install webkit`"
    ):
        find_engine("webkit")
    with pytest.raises(BrowserNotFound, match="is not a program"):
        find_engine("webkit", tmp_path)


class _Type:
    """A browser type of Playwright's that starts a Chromium, which says that it is another engine and has no DevTools protocol."""

    def __init__(self, name: str, driver: Playwright, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
        self.name = name
        self._driver = driver
        self._program = program
        self._monkeypatch = monkeypatch
        self.given: dict[str, Any] = {}

    def launch(self, **given: Any) -> Browser:
        """Starts it."""
        self.given = given
        opened = self._driver.chromium.launch(executable_path=self._program.path)

        def refuse(*_: Any, **__: Any) -> None:
            raise PlaywrightError("CDP session is only available in Chromium")

        self._monkeypatch.setattr(type(opened), "new_browser_cdp_session", refuse)
        self._monkeypatch.setattr("playwright.sync_api.BrowserContext.new_cdp_session", refuse)
        self._monkeypatch.setattr(type(opened), "browser_type", property(lambda _: self))
        return opened


class _Driver:
    """A Playwright of such types."""

    def __init__(self, *types: _Type) -> None:
        for one in types:
            setattr(self, one.name, one)
        self.devices: dict[str, Any] = {}


@pytest.mark.parametrize("engine", thorough_but(1, ["firefox", "webkit"]))
def test_nothing_of_chromium_s_protocol_is_used(
    engine: Any, tmp_path: Path, preloaded_driver: Playwright, chromium: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = _Type(engine, preloaded_driver, chromium, monkeypatch)
    driver: Any = _Driver(kind)
    wanted = planned(tmp_path, f"browser='{engine}', network='offline', user_agent_suffix='Monitor/1'")
    with launch(driver, Program(Path("/opt/other"), "given as browser_path", engine), LaunchOptions()) as opened:
        assert kind.given["executable_path"] == Path("/opt/other")
        assert kind.given["channel"] == ("moz-firefox" if engine == "firefox" else None)
        assert "chromium_sandbox" not in kind.given
        assert "args" not in kind.given
        context = opened.new_context(**options(wanted, driver, opened))
        assert isinstance(open_channel(context, lambda _: None), BindingChannel)
        page = context.new_page()
        throttle(context, wanted.network, wanted.cpu)
        assert page.evaluate("[navigator.onLine, navigator.userAgent.endsWith(' Monitor/1')]") == [False, True]
        assert NETWORKS["offline"] == wanted.network


WALK = """
from playwright.sync_api import expect

@journey(browser="firefox", trace="on", replay="on", screenshots="on", timeout="10m")
def walk(page, step):
    with step("open the shop"):
        page.goto("/?delay=120")
        expect(page.get_by_role("link", name="Browse")).to_be_visible(timeout=60_000)
    with step("browse"):
        page.get_by_role("link", name="Browse").click()
        expect(page.get_by_label("What are you looking for?")).to_be_visible(timeout=60_000)
    with step("ask"):
        with page.expect_event("requestfinished", lambda one: "/api/wait" in one.url):
            page.evaluate("fetch('/api/wait?delay=1').then((answer) => answer.text())")
"""


@pytest.mark.thorough
@pytest.mark.timeout(900)
@needs("browser")
def test_a_journey_in_debian_s_firefox_is_timed_by_the_page_and_lacks_what_firefox_lacks(monitor: Monitor) -> None:
    if FIREFOX is None:
        pytest.skip("no Firefox is installed; on Debian: apt-get install firefox-esr")
    result = monitor.run(WALK, trace_origins=[monitor.shop], trace_requests="api")
    assert result.status == "passed", result.failure
    assert result.environment.engine == "firefox"
    assert result.environment.sandbox == ""
    opened, browsed, asked = result.steps
    assert [step.clock for step in (opened, browsed)] == ["page", "page"]
    # The header that the page has put on its own request.
    assert [len(one.span_id) for one in asked.requests.entries if "/api/wait" in one.url] == [16]
    assert opened.latency_seconds is not None
    assert opened.latency_seconds >= 0.12
    assert browsed.vitals.fcp is not None
    # Firefox measures no layout shifts and no long tasks.
    assert [step.vitals.cls for step in result.steps] == [None, None, None]
    assert {"trace", "replay", "screenshot"} <= {one.kind for one in result.artifacts}


def settings_of(tmp_path: Path, **given: Any) -> Settings:
    return load_settings(tmp_path, given, {})


def test_only_a_browser_that_a_journey_uses_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    firefox = install_program(tmp_path / "bin", "firefox")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "none"))
    settings = settings_of(tmp_path)
    assert find_used(settings, {"firefox"}) == Program(firefox, "firefox on PATH", "firefox")
    chosen: list[set[Engine]] = [{"chromium", "firefox"}, set()]
    for used in chosen:
        with pytest.raises(BrowserNotFound, match=r"no Chromium on this machine; install one with `.*journey install`"):
            find_used(settings, used)
    with pytest.raises(BrowserNotFound, match=r"no webkit on this machine; .*playwright install webkit"):
        find_used(settings, {"webkit"})
    # The program that the settings name is that of the configured engine.
    named = install_program(tmp_path / "elsewhere", "my-chromium")
    settings = settings_of(tmp_path, browser_path=named)
    assert find_used(settings, {"firefox"}).path == firefox
    assert find_used(settings, {"chromium", "firefox"}).path == named


def test_a_worker_that_has_another_browser_than_the_configured_one_can_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "none"))
    with pytest.raises(BrowserNotFound, match="no Chromium on this machine"):
        find_available(settings_of(tmp_path))
    firefox = install_program(tmp_path / "bin", "firefox")
    assert find_available(settings_of(tmp_path)).path == firefox
    with pytest.raises(BrowserNotFound, match="is not a program"):
        find_available(settings_of(tmp_path, browser_path=tmp_path / "missing"))
