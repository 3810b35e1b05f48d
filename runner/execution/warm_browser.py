"""A browser that stays open between runs."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Browser, Playwright
from playwright.sync_api import Error as PlaywrightError

from runner.browser import memory
from runner.browser.chromium import Browser as Program
from runner.browser.chromium import LaunchOptions
from runner.browser.driver.playwright_internals import is_driver_gone
from runner.browser.engines import find_engine, launch
from runner.browser.sandbox import describe_sandbox
from runner.errors import BrowserFailed
from runner.settings.parsers.values import Engine


class WarmBrowser:
    """Started when it is first needed, and again when it has crashed or was killed."""

    def __init__(
        self,
        playwright: Playwright,
        program: Program,
        launch_options: LaunchOptions,
        min_free_memory: int,
        paths: Mapping[Engine, Path],
    ) -> None:
        self.playwright = playwright
        self._program = program
        self._launch_options = launch_options
        self._min_free_memory = min_free_memory
        self._paths = paths
        """Programs of other engines that the settings name."""
        self._browser: Browser | None = None
        self._others: dict[Engine, WarmBrowser] = {}
        """Of other engines, for the journeys that ask for them."""

    def get(self) -> Browser:
        """The open browser. Raises BrowserFailed when it cannot be started."""
        if self._browser is None or not self._browser.is_connected():
            free = memory.available()
            if free < self._min_free_memory:
                raise BrowserFailed(
                    f"only {memory.shown(free)} of memory are free, less than min_free_memory "
                    f"({memory.shown(self._min_free_memory)}): no browser was started; use fewer workers, or add memory"
                )
            self._browser = launch(self.playwright, self._program, self._launch_options)
        return self._browser

    @property
    def sandbox(self) -> str:
        """Whether the browser's sandbox is on, as in `Environment.sandbox`; empty where nobody knows."""
        return describe_sandbox(self._program.path) if self._program.engine == "chromium" else ""

    def of(self, engine: Engine) -> "WarmBrowser":
        """This one if it is of that engine, else another, which stays open beside it. Raises BrowserNotFound when there is none."""
        if engine == self._program.engine:
            return self
        if engine not in self._others:
            program = find_engine(engine, self._paths.get(engine), self._launch_options.headed)
            self._others[engine] = WarmBrowser(
                self.playwright, program, self._launch_options, self._min_free_memory, self._paths
            )
        return self._others[engine]

    @property
    def usable(self) -> bool:
        """Whether another run can use it: Playwright's driver lives, and no context of an earlier run is left, which could not be closed."""
        if is_driver_gone(self.playwright):
            return False
        if not all(other.usable for other in self._others.values()):
            return False
        return self._browser is None or not self._browser.is_connected() or not self._browser.contexts

    def close(self) -> None:
        """Closes the browser, if it is open, and those of other engines."""
        for other in self._others.values():
            other.close()
        if self._browser is not None and self._browser.is_connected():
            with suppress(PlaywrightError):  # it may have gone together with Playwright's driver
                self._browser.close()
