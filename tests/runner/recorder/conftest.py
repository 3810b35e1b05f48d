"""A desktop without a screen, and somebody who uses the browser on it while `journey record` watches."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Locator, Page, sync_playwright

from runner.browser.chromium import find
from tests.support.services.servers import free_port
from tests.support.wait import wait_until

RECORDINGS = Path(__file__).parent / "recordings"


@pytest.fixture
def recording() -> Callable[[str], str]:
    """What Playwright's recorder wrote of a walk, by the walk's name."""
    return lambda name: (RECORDINGS / f"{name}.txt").read_text()


MODE = """(mode) => new Promise((resolve) => {
    const state = __pw_recorderState;
    globalThis.__pw_recorderState = async () => {
        const answer = await state();
        if (JSON.parse(JSON.stringify(answer)).mode === mode) setTimeout(resolve);
        return answer;
    };
})"""
"""Waits until the recorder has asked for its mode, which it does once a second, and the mode is this one."""


class Walk:
    """A recording under way: the process of `journey record`, and the hands in the browser that it has opened.

    The hands are a second connection to that browser. They move its mouse and press its keys; nothing tells the recorder of it.
    """

    def __init__(self, process: "subprocess.Popen[str]", page: Page, temporary: Path) -> None:
        self.process = process
        self.page = page
        self._temporary = temporary

    def click(self, target: Locator) -> None:
        """Clicks into the middle, as soon as it is there and the recorder watches the page."""
        target.scroll_into_view_if_needed()
        self._watched(target.page)
        box = target.bounding_box()
        assert box is not None
        target.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def type(self, target: Locator, text: str) -> None:
        """Clicks into a field and types."""
        self.click(target)
        target.page.keyboard.type(text)

    def assert_visible(self, target: Locator) -> None:
        """Uses the recorder's button for it, then clicks on the target."""
        target.wait_for()
        self._watched(target.page)
        target.page.evaluate("__pw_recorderSetMode('assertingVisibility')")
        target.page.evaluate(MODE, "assertingVisibility")
        self.click(target)
        target.page.evaluate(MODE, "recording")

    def _watched(self, page: Page) -> None:
        page.wait_for_function("document.querySelector('x-pw-glass')")

    def wait_for(self, last: str) -> None:
        """Waits until this is in the recorder's script: what was typed last reaches it by a message of its own."""
        wait_until(lambda: any(last in one.read_text() for one in self._temporary.glob("*/recorded.py")), f"{last!r} recorded")

    def close(self) -> tuple[str, str]:
        """Closes all windows of the site; returns what `journey record` has said."""
        for page in reversed(self.page.context.pages):
            page.close()
        return self.process.communicate(timeout=30)

    def interrupt(self) -> tuple[str, str]:
        """Ctrl-C in the terminal of `journey record`."""
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=30)


@pytest.fixture
def recorder(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, display: str) -> Iterator[Callable[..., Walk]]:
    """Starts `journey record` in an empty folder; gives the walk."""
    temporary = tmp_path_factory.mktemp("temporary")
    with ExitStack() as stack, sync_playwright() as playwright:

        def start(url: str, *options: str) -> Walk:
            port = free_port()
            program = tmp_path / "chromium-with-a-second-way-in"
            program.write_text(f'#!/bin/sh\nexec {find(headed=True).path} --remote-debugging-port={port} "$@"\n')
            program.chmod(0o755)
            environment = {key: value for key, value in os.environ.items() if not key.startswith(("JOURNEY_", "GITHUB_"))}
            process = subprocess.Popen(
                [sys.executable, "-m", "runner.cli", "record", url, "--browser-path", str(program), *options],
                cwd=tmp_path,
                env=environment | {"DISPLAY": display, "TMPDIR": str(temporary)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.callback(_end, process)

            def page() -> Page | None:
                try:
                    browser: Browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
                except Error:
                    return None
                pages = [one for context in browser.contexts for one in context.pages if one.url.startswith(url)]
                return pages[0] if pages else None

            found: Page = wait_until(page)
            return Walk(process, found, temporary)

        yield start


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
