"""The engines of other browsers: Debian's Firefox, which Playwright drives by WebDriver BiDi, and WebKit, by WebDriver.

Playwright drives no WebKit but its own build. A test knows neither way; it has a `Tab`.
"""

import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from runner.browser.driver.event_waits import preloaded
from tests.support.needs import needs
from tests.support.wait import wait_until

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
WEBKIT = next(iter(sorted(Path("/usr/lib").glob("*/webkit2gtk-*/MiniBrowser"))), None)
UNCHANGED: dict[str, Any] = dict.fromkeys(("color_scheme", "reduced_motion", "forced_colors", "contrast"), "null")
"""The options of a context in which nothing is emulated, which not every Firefox can."""


MEASURED = {
    "chromium": {"ttfb", "fcp", "lcp", "cls", "inp"},
    "firefox": {"ttfb", "fcp", "lcp", "inp"},
    "webkit": {"ttfb", "fcp"},
}
"""The vitals that an engine measures. Debian's WebKit has neither the largest paint nor interactions, and only Chromium layout shifts."""
CHROMIUM_ONLY = pytest.mark.parametrize("engine", ["chromium"], indirect=True)
"""For tests that run in several engines by the fixture `engine`: this one is about what only Chromium has."""


class Tab(Protocol):
    """A tab of some browser."""

    engine: str

    def open(self, address: str) -> None:
        """Opens a page."""

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of the body of a function in JavaScript; a promise is waited for."""

    def click(self, selector: str) -> None:
        """A click as a person makes it."""

    def click_in_a_row(self, selector: str, times: int) -> None:
        """Several clicks, as quickly as the engine makes them of one command."""

    def write(self, selector: str, text: str) -> None:
        """Types into a field."""

    def go_back(self) -> None:
        """Back to the page before, without waiting for it."""

    def tell(self) -> list[str]:
        """The errors that the page has had, where the engine tells them."""


class FirefoxTab:
    """By Playwright."""

    engine = "firefox"

    def __init__(self, page: Page) -> None:
        self.page = page
        self._errors: list[str] = []
        page.on("pageerror", lambda error: self._errors.append(str(error)))
        page.on("console", lambda message: self._errors.append(message.text) if message.type == "error" else None)

    def open(self, address: str) -> None:
        """As Tab has it."""
        self.page.goto(address)

    def run(self, script: str, *arguments: Any) -> Any:
        """As Tab has it."""
        return self.page.evaluate(f"(given) => (async function () {{ {script} }}).apply(null, given)", list(arguments))

    def click(self, selector: str) -> None:
        """As Tab has it."""
        self.page.click(selector)

    def click_in_a_row(self, selector: str, times: int) -> None:
        """As Tab has it."""
        self.page.click(selector, click_count=times)

    def write(self, selector: str, text: str) -> None:
        """As Tab has it."""
        self.page.locator(selector).press_sequentially(text)

    def go_back(self) -> None:
        """As Tab has it."""
        # Not `go_back`, which waits for events that a page from the cache does not have.
        self.page.evaluate("setTimeout(() => history.back(), 0); 1")

    def tell(self) -> list[str]:
        """As Tab has it."""
        return self._errors


class WebKitTab:
    """By WebDriver."""

    engine = "webkit"

    def __init__(self, driver: Any, said: Path) -> None:
        self.driver = driver
        self._said = said
        self._before = said.stat().st_size

    def open(self, address: str) -> None:
        """As Tab has it."""
        self.driver.get(address)

    def run(self, script: str, *arguments: Any) -> Any:
        """As Tab has it."""
        return self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1]; const given = [...arguments].slice(0, -1);"
            f"(async function () {{ {script} }}).apply(null, given).then((value) => done([value]), (error) => done(String(error)));",
            *arguments,
        )[0]

    def click(self, selector: str) -> None:
        """As Tab has it."""
        self.driver.find_element("css selector", selector).click()

    def click_in_a_row(self, selector: str, times: int) -> None:
        """As Tab has it."""
        from selenium.webdriver import ActionChains

        element = self.driver.find_element("css selector", selector)
        chain = ActionChains(self.driver).move_to_element(element)
        for _ in range(times):
            chain = chain.click()
        chain.perform()

    def write(self, selector: str, text: str) -> None:
        """As Tab has it."""
        self.driver.find_element("css selector", selector).send_keys(text)

    def go_back(self) -> None:
        """As Tab has it."""
        self.driver.back()

    def tell(self) -> list[str]:
        """As Tab has it."""
        lines = self._said.read_bytes()[self._before :].decode(errors="replace").splitlines()
        return [line for line in lines if line.startswith("CONSOLE") and " ERROR " in line]


@pytest.fixture(scope="package")
@needs("browser")
def driver() -> Iterator[Playwright]:
    """Playwright, as the runner starts it; of Chromium too, since a thread can have only one."""
    with preloaded():
        started = sync_playwright().start()
    yield started
    started.stop()


@pytest.fixture(scope="package")
@needs("browser")
def firefox(driver: Playwright) -> Iterator[Browser]:
    """Debian's Firefox; skips the test where there is none."""
    if FIREFOX is None:
        pytest.skip("no Firefox is installed; on Debian: apt-get install firefox-esr")
    # When the last tab of a site leaves it, Firefox stops that site's process, and with it scripts that still run. On a busy machine
    # these are the agent's, which send the last beacon: some were lost, where nothing is tested but the agent.
    unhurried: dict[str, str | float | bool] = {"dom.abort_script_on_child_shutdown": False}
    with driver.firefox.launch(executable_path=FIREFOX, channel="moz-firefox", firefox_user_prefs=unhurried) as browser:
        yield browser


@pytest.fixture(scope="package")
@needs("browser")
def webkit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    """WebKit by WebDriver, and the file of what its pages write to the console; skips the test where it is not installed."""
    program = shutil.which("WebKitWebDriver")
    if program is None or WEBKIT is None:
        pytest.skip("WebKit's driver is not installed; on Debian: apt-get install webkit2gtk-driver xvfb")
    from selenium.webdriver import WebKitGTK
    from selenium.webdriver.webkitgtk.options import Options
    from selenium.webdriver.webkitgtk.service import Service

    options = Options()
    options.binary_location = str(WEBKIT)
    options.add_argument("--automation")
    options.add_argument("--enable-write-console-messages-to-stdout=true")
    said = tmp_path_factory.mktemp("webkit") / "said"
    # The language of its pages is then "C", which is not a language, as in containers: charts have to be drawn all the same.
    environment = {**os.environ, "DISPLAY": request.getfixturevalue("display"), "LC_ALL": "C.UTF-8"}
    with warnings.catch_warnings():
        # Selenium's class calls Selenium in the way that Selenium is to drop.
        warnings.simplefilter("ignore", DeprecationWarning)
        started = WebKitGTK(options=options, service=Service(program, log_output=str(said), env=environment))
    started.set_script_timeout(60)
    yield started, said
    started.quit()


@pytest.fixture(params=["firefox", "webkit"])
@needs("browser")
def tab(request: pytest.FixtureRequest) -> Iterator[Tab]:
    """A tab of each engine, with nothing stored in it for the sites that a test makes: each has a port of its own."""
    if request.param == "webkit":
        driver, said = request.getfixturevalue("webkit")
        yield WebKitTab(driver, said)
        driver.get("about:blank")
        return
    context = request.getfixturevalue("firefox").new_context(**UNCHANGED)
    yield FirefoxTab(context.new_page())
    context.close()


def rested(tab: Tab) -> None:
    """Waits until something was painted, and the agent, which watches vitals in idle time, has heard of it."""
    wait_until(lambda: tab.run("return performance.getEntriesByName('first-contentful-paint').length"), "the first paint")
    tab.run(
        """const idle = globalThis.requestIdleCallback ?? setTimeout;
        await new Promise((done) => { const rest = (left) => left ? idle(() => rest(left - 1), { timeout: 1000 }) : done(); rest(3); });"""
    )
