"""Finds a Chromium, installs one when asked, and launches it."""

import os
import platform
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from runner.browser import sandbox
from runner.browser.authorities import trust_authorities
from runner.browser.environment import browser_environment
from runner.browser.proxy import proxy_with_password
from runner.errors import BrowserFailed, BrowserNotFound
from runner.installation import journey_command, python_command
from runner.settings.parsers.values import Engine

if TYPE_CHECKING:
    from playwright.sync_api import Browser as PlaywrightBrowser
    from playwright.sync_api import Playwright

SHELLS = ("chromium-headless-shell", "chrome-headless-shell")
FULL = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APT = "sudo apt-get install chromium-headless-shell"
NAMED = "name one with --browser-path or JOURNEY_BROWSER_PATH"


def how_to_install(headed: bool = False) -> str:
    """The ways to get a Chromium, as the end of a message."""
    if headed:
        download = python_command("-P", "-m", "playwright", "install", "chromium")
        return (
            f"install one with `{download}`, or on Debian and Ubuntu with `sudo apt-get install chromium`, or {NAMED}; "
            "`journey install` accepts a Chromium that cannot show a window"
        )
    return (
        f"install one with `{journey_command('install')}` (downloads Playwright's Chromium), or on Debian and Ubuntu with "
        f"`{APT}`, or {NAMED}"
    )


class Browser(Struct, frozen=True):
    """A browser on this machine; a Chromium, where nothing else is said."""

    path: Path
    found: str
    """Where it was found, in words."""
    engine: Engine = "chromium"

    def version(self) -> str:
        """Its name and version, such as `Chromium 156.0.8078.73`. Raises BrowserFailed when it does not run."""
        try:
            answer = subprocess.run([self.path, "--version"], capture_output=True, text=True, timeout=20, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise BrowserFailed(f"{self.path} does not run: {error}; {how_to_install()}") from error
        return answer.stdout.strip()


class LaunchOptions(Struct, frozen=True, kw_only=True):
    """How a browser is started."""

    headed: bool = False
    slow_mo: float = 0.0
    """Seconds after each action."""
    http2: bool = True
    ca_file: Path | None = None
    """Certificates of authorities that it trusts beside its own."""


def list_arguments(http2: bool) -> list[str]:
    """The switches that Chromium is started with, beside Playwright's."""
    return [] if http2 else ["--disable-http2"]


def find(path: Path | None = None, headed: bool = False) -> Browser:
    """The Chromium to use: `path` if given, else Playwright's own, else one on PATH; a headless shell where it will do.

    Raises BrowserNotFound, saying what to do.
    """
    if path is not None:
        if not os.access(path, os.X_OK) or path.is_dir():
            raise BrowserNotFound(f"browser_path: {path} is not a program; {how_to_install()}")
        return Browser(_behind_script(path), "given as browser_path")
    own = _playwright_browser("chromium" if headed else "chromium-headless-shell")
    if own is not None:
        return Browser(own, "installed by Playwright")
    for name in FULL if headed else (*SHELLS, *FULL):
        on_path = shutil.which(name)
        if on_path is not None:
            return Browser(_behind_script(Path(on_path)), f"{name} on PATH")
    raise BrowserNotFound(f"no Chromium {'with a window ' if headed else ''}on this machine; {how_to_install(headed)}")


def can_record_video() -> bool:
    """Whether Playwright's own ffmpeg, which records videos, is installed (`playwright install ffmpeg`)."""
    return installed_folder("ffmpeg") is not None


def _playwright_browser(name: str) -> Path | None:
    folder = installed_folder(name)
    if folder is None:
        return None
    names = {"headless_shell", "chrome-headless-shell", "chrome", "Chromium", "Google Chrome for Testing"}
    programs = (file for file in sorted(folder.glob("*/**/*")) if file.name in names and file.is_file())
    return next((file for file in programs if os.access(file, os.X_OK)), None)


def installed_folder(name: str) -> Path | None:
    """The folder into which `playwright install` has put the part of the revision that fits this Playwright, if it has."""
    package = find_spec("playwright")
    if package is None or package.origin is None:
        return None
    listing = Path(package.origin).parent / "driver" / "package" / "browsers.json"
    parts = msgspec.json.decode(listing.read_bytes())["browsers"]
    revision = next((part["revision"] for part in parts if part["name"] == name), None)
    folder = _playwright_folder(Path(package.origin).parent) / f"{name.replace('-', '_')}-{revision}"
    return folder if (folder / "INSTALLATION_COMPLETE").exists() else None


def _playwright_folder(package: Path) -> Path:
    configured = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    if configured == "0":
        return package / "driver" / "package" / ".local-browsers"
    if configured:
        return Path(configured)
    if platform.system() == "Darwin":
        return Path.home() / "Library" / "Caches" / "ms-playwright"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ms-playwright"


def _behind_script(path: Path) -> Path:
    """The program that a wrapper script of the same name starts without `exec`, else `path` itself.

    Debian's `/usr/bin/chromium-headless-shell` is such a script: a signal to its process would leave the browser alive.
    """
    try:
        with path.open("rb") as file:
            if file.read(2) != b"#!":
                return path
    except OSError:
        return path
    for folder in (Path("/usr/lib/chromium"), Path("/usr/lib64/chromium")):
        behind = folder / path.name
        # Only the shell's script adds nothing; the one of the full browser sets flags and stays in the way.
        if path.name == "chromium-headless-shell" and os.access(behind, os.X_OK):
            return behind
    return path


def install() -> Browser:
    """Downloads Playwright's headless Chromium, unless one is found; returns it. Raises BrowserNotFound if that fails."""
    try:
        return find()
    except BrowserNotFound:
        _download()
    return find()


def _download() -> None:
    """Runs Playwright's installer; its progress goes to standard error, its errors become one line of the exception."""
    command = [sys.executable, "-P", "-m", "playwright", "install", "--only-shell", "chromium"]
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        for line in process.stdout or ():
            # It tries again several times, and prints a stack each time.
            if line.startswith(("Downloading ", "|")) and line not in said:
                sys.stderr.write(line)
            said.append(line)
    if process.returncode != 0:
        errors = list(dict.fromkeys(line.removeprefix("Error: ").strip() for line in said if line.startswith("Error: ")))
        reason = "".join(errors[:1]) or "".join(said[-3:]).strip() or f"exit code {process.returncode}"
        raise BrowserNotFound(
            f"Playwright's Chromium could not be downloaded: {reason}\n"
            f"Without the internet: on Debian and Ubuntu install the system's Chromium with\n  {APT}\nor {NAMED}"
        )


def launch(playwright: "Playwright", browser: Browser, options: LaunchOptions = LaunchOptions()) -> "PlaywrightBrowser":  # noqa: B008 (frozen)
    """Starts the browser, with its sandbox where that is possible.

    Raises BrowserFailed with what the browser said.
    """
    # Here and not above: finding a browser must not cost the command line the import of Playwright.
    from playwright.sync_api import Error as PlaywrightError

    temporary = os.environ.get("TMPDIR")
    if temporary and not Path(temporary).is_dir():
        raise BrowserFailed(
            f"TMPDIR is {temporary!r}, which is not a folder; the browser needs one: create it, or unset TMPDIR"
        )

    environment = browser_environment(os.environ)
    if options.ca_file is not None:
        environment = trust_authorities(options.ca_file, environment)

    def start(sandboxed: bool) -> "PlaywrightBrowser":
        return _start(playwright, browser, options, environment, sandboxed)

    try:
        started, _ = sandbox.start_sandboxed(browser.path, start)
    except PlaywrightError as error:
        first = [line for line in str(error).splitlines() if line.strip()][:3]
        raise BrowserFailed(
            f"{browser.path} ({browser.found}) could not be started: {' '.join(first)}; {how_to_install()}"
        ) from error
    return started


def _start(
    playwright: "Playwright", browser: Browser, options: LaunchOptions, environment: dict[str, str], sandboxed: bool
) -> "PlaywrightBrowser":
    proxy = proxy_with_password(os.environ)
    return playwright.chromium.launch(
        executable_path=browser.path,
        headless=not options.headed,
        slow_mo=options.slow_mo * 1000,
        args=list_arguments(options.http2),
        chromium_sandbox=sandboxed,
        env=dict(environment),
        proxy={
            "server": proxy.server,
            "username": proxy.username,
            "password": proxy.password,
            "bypass": proxy.bypass,
        }
        if proxy
        else None,
    )
