"""Which browser engines there are, what each of them cannot do, and its program on this machine.

A Firefox or WebKit is one that Playwright has built (`playwright install firefox`). Beside it, a Firefox on PATH is driven by WebDriver
BiDi, which Playwright calls experimental. Signals that an engine does not have are absent from a result.
"""

import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from runner.browser import chromium
from runner.browser.chromium import Browser, LaunchOptions
from runner.browser.environment import browser_environment
from runner.browser.proxy import proxy_with_password
from runner.errors import BrowserFailed, BrowserNotFound
from runner.installation import python_command
from runner.settings.parsers.values import Engine
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser as PlaywrightBrowser
    from playwright.sync_api import Playwright

BIDI = "moz-firefox"
"""What Playwright calls a Firefox that is driven by WebDriver BiDi."""
_ON_PATH: dict[Engine, tuple[str, ...]] = {"firefox": ("firefox", "firefox-esr")}
_PROGRAMS = {"firefox": ("firefox", "Nightly", "firefox.exe"), "webkit": ("pw_run.sh", "Playwright.exe")}
"""The names of Playwright's own programs."""


def find_engine(engine: Engine, path: Path | None = None, headed: bool = False) -> Browser:
    """The program to use: `path` if given, else Playwright's own, else one on PATH. Raises BrowserNotFound, saying what to do."""
    if engine == "chromium":
        return chromium.find(path, headed)
    if path is not None:
        if not os.access(path, os.X_OK) or path.is_dir():
            raise BrowserNotFound(f"browser_path: {path} is not a program; {how_to_install(engine)}")
        return Browser(path, "given as browser_path", engine)
    folder = chromium.installed_folder(engine)
    programs = sorted(folder.glob("**/*")) if folder is not None else []
    own = next((one for one in programs if one.name in _PROGRAMS[engine] and os.access(one, os.X_OK) and one.is_file()), None)
    if own is not None:
        return Browser(own, "installed by Playwright", engine)
    for name in _ON_PATH.get(engine, ()):
        on_path = shutil.which(name)
        if on_path is not None:
            return Browser(Path(on_path), f"{name} on PATH", engine)
    raise BrowserNotFound(f"no {engine} on this machine; {how_to_install(engine)}")


def find_used(settings: Settings, used: Collection[Engine]) -> Browser:
    """The browser to open first, where journeys use these engines: the configured one if it is among them, else the first of them.

    The others are looked for when a journey asks for them. Raises BrowserNotFound, saying what to do.
    """
    engine = settings.browser if settings.browser in used or not used else min(used)
    return find_engine(engine, given_paths(settings).get(engine), settings.headed)


def find_available(settings: Settings) -> Browser:
    """The configured browser, else one of another engine, where nobody knows yet which engines journeys use.

    Raises BrowserNotFound of the configured one where there is none of any engine, or `browser_path` does not name a program.
    """
    try:
        return find_engine(settings.browser, settings.browser_path, settings.headed)
    except BrowserNotFound:
        if settings.browser_path is not None:
            raise
        for engine in get_args(Engine):
            with suppress(BrowserNotFound):
                return find_engine(engine, headed=settings.headed)
        raise


def given_paths(settings: Settings) -> dict[Engine, Path]:
    """The programs that the settings name: `browser_path` is that of the configured engine."""
    return {} if settings.browser_path is None else {settings.browser: settings.browser_path}


def how_to_install(engine: Engine) -> str:
    """The ways to get a browser of an engine, as the end of a message."""
    download = f"install Playwright's with `{python_command('-P', '-m', 'playwright', 'install', engine)}`"
    if engine == "firefox":
        return f"{download}, or on Debian with `sudo apt-get install firefox-esr`, or name one with browser_path"
    return f"{download}, or name one with browser_path"


def is_playwrights_own(browser: Browser) -> bool:
    """Whether Playwright has built it, by the folder that it is installed into."""
    folder = chromium.installed_folder(browser.engine)
    return folder is not None and folder in browser.path.parents


def launch(playwright: "Playwright", browser: Browser, options: LaunchOptions) -> "PlaywrightBrowser":
    """Starts a browser of any engine. Raises BrowserFailed with what it said."""
    if browser.engine == "chromium":
        return chromium.launch(playwright, browser, options)
    # Here and not above: finding a browser must not cost the command line the import of Playwright.
    from playwright.sync_api import Error as PlaywrightError

    proxy = proxy_with_password(os.environ)
    bidi = browser.engine == "firefox" and not is_playwrights_own(browser)
    try:
        return getattr(playwright, browser.engine).launch(  # type: ignore[no-any-return]  # by name
            executable_path=browser.path,
            channel=BIDI if bidi else None,
            headless=not options.headed,
            slow_mo=options.slow_mo * 1000,
            env=dict(browser_environment(os.environ)),
            proxy={"server": proxy.server, "username": proxy.username, "password": proxy.password, "bypass": proxy.bypass}
            if proxy
            else None,
        )
    except PlaywrightError as error:
        first = [line for line in str(error).splitlines() if line.strip()][:3]
        raise BrowserFailed(
            f"{browser.path} ({browser.found}) could not be started: {' '.join(first)}; {how_to_install(browser.engine)}"
        ) from error
