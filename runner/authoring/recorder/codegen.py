"""Playwright's recorder as a program: started with a browser that has a window, until that window is closed."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from runner.browser.chromium import SHELLS, Browser
from runner.browser.environment import driver_environment
from runner.errors import BrowserFailed, ConfigError

HOW = (
    "record on a machine with a desktop and copy the file here, or log in with `ssh -X`, or write the journey by hand as "
    "docs/journeys.md shows"
)
CLOSING = 10.0
"""Seconds that the browser gets to close after Ctrl-C; what was recorded is written meanwhile."""
STOPPED = 130
"""What the recorder ends with after Ctrl-C."""


class RecordedScript(Struct, frozen=True):
    """What the recorder has written."""

    text: str
    trouble: str = ""
    """Why it ended, when that was not the user's doing."""


def require_display(environ: Mapping[str, str]) -> None:
    """Raises ConfigError, saying what to do, where no window can be shown."""
    if sys.platform == "darwin" or environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        return
    raise ConfigError(f"no display: the recorder shows two windows, and neither DISPLAY nor WAYLAND_DISPLAY is set; {HOW}")


def require_window(browser: Browser) -> None:
    """Raises ConfigError for a Chromium that never shows a window."""
    if browser.path.name in {*SHELLS, "headless_shell"}:
        raise ConfigError(f"browser_path: {browser.path} has no window; name a whole Chromium, or leave it out")


def record(url: str, browser: Browser) -> RecordedScript:
    """Shows the site and the recorder until the site's last window is closed, or Ctrl-C.

    Raises BrowserFailed when the browser does not start.
    """
    # Here and not above: no other command has to import Playwright.
    from playwright._impl._driver import compute_driver_executable, get_driver_env

    # Only its owner can read the folder: until the file is read, it contains everything that was typed, passwords too.
    with TemporaryDirectory(prefix="journey-record-") as folder:
        written = Path(folder) / "recorded.py"
        command = [*compute_driver_executable(), "codegen", "--target", "python", "--output", str(written), url]
        # Playwright's command has no option for it, and would look only for the browser that it has downloaded itself.
        environment = driver_environment(get_driver_env()) | {"PWTEST_CLI_EXECUTABLE_PATH": str(browser.path)}
        # A group of its own, so that Ctrl-C reaches it only through us: closing must have time to write the last action.
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            said = _until_closed(process)
        finally:
            # It does not close, or a second Ctrl-C does not wait for it.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        trouble = _reason(said) if process.returncode not in {0, STOPPED} else ""
        if written.is_file():
            return RecordedScript(written.read_text(encoding="utf-8"), trouble)
    if "Missing X server" in trouble:
        raise ConfigError(f"no display: nothing answers at DISPLAY={os.environ.get('DISPLAY', '')}; {HOW}")
    raise BrowserFailed(
        f"{browser.path} ({browser.found}) could not be started for the recorder: {trouble or 'it wrote nothing'}"
    )


def _until_closed(process: "subprocess.Popen[str]") -> str:
    """Waits for the end of the recorder; returns what it said."""
    try:
        return process.communicate()[1]
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=CLOSING)[1]
    except subprocess.TimeoutExpired:
        return ""


def _reason(said: str) -> str:
    """The line that tells why, of all that the browser and Node.js print: the browser's last words, else Playwright's error."""
    for pattern in (r"Missing X server.*", r"FATAL:\S+ (.+)", r"^\[?\w*Error\w*: (.+)"):
        found = re.search(pattern, said, re.MULTILINE)
        if found:
            return found[found.re.groups].strip()
    return said.strip()[:200]
