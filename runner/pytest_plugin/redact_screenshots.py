"""Keeps secrets out of one test's screenshots and videos, which pytest-playwright takes for `--tracing`, `--screenshot`, `--video`."""

from functools import partial
from typing import Any
from weakref import WeakSet

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, Video
from playwright.sync_api import Error as PlaywrightError

from runner.artifacts import mask
from runner.artifacts.recorder import PATIENCE
from runner.browser.deadline import DeadlineReached, deadline
from runner.pytest_plugin.project import PytestProject

PICTURES: "pytest.StashKey[ScreenshotRedactor]" = pytest.StashKey()
"""In the stash of an item, if there is something to hide."""
_registered: WeakSet[Playwright] = WeakSet()
"""Those in which the selector of what shows a secret is registered."""


class ScreenshotRedactor:
    """As artifacts/recorder.py does: masks fields, covers secrets in screenshots, discards a video in which a secret was visible."""

    def __init__(self, project: PytestProject) -> None:
        self._project = project
        self._pages: list[Page] = []
        self.secret_seen = False

    def guard(self, context: BrowserContext, playwright: Playwright) -> None:
        """To be called before the first page of a context is opened; masks nothing where there are no secrets or no pictures."""
        redactor = self._project.redactor
        if playwright not in _registered:
            # Also for `expect_picture`, when a secret may be known that is not yet.
            mask.register_secret_engine(playwright)
            _registered.add(playwright)
        if not redactor.secrets or not self._project.records("tracing", "screenshot", "video"):
            return
        mask.mask_fields(context, redactor)
        context.on("page", self._watch)

    def _watch(self, page: Page) -> None:
        self._pages.append(page)
        page.screenshot = partial(self._covered, page, page.screenshot)  # type: ignore[method-assign]
        if page.video is not None:
            page.video.save_as = partial(self._saved, page.video, page.video.save_as)  # type: ignore[method-assign]

    def _covered(self, page: Page, screenshot: Any, **options: Any) -> bytes:
        covers = [*(options.get("mask") or ()), *mask.list_covers(page, self._project.redactor)]
        taken: bytes = screenshot(**{"mask_color": "#555", **options, "mask": covers})
        return taken

    def check_pages(self) -> None:
        """Checks whether a secret is visible on a page while a video is recorded: then the video is discarded."""
        if self.secret_seen or not self._pages or not self._project.records("video"):
            return
        try:
            with deadline(PATIENCE):
                open_pages = [page for page in self._pages if not page.is_closed()]
                self.secret_seen = any(mask.shows_secret(page, self._project.redactor) for page in open_pages)
        except (PlaywrightError, DeadlineReached):
            # A page that cannot be checked is treated as if it showed a secret.
            self.secret_seen = True

    def _saved(self, video: Video, save_as: Any, path: str) -> None:
        """In place of `Video.save_as`. pytest-playwright leaves out a video that raises playwright's Error."""
        if self.secret_seen:
            video.delete()
            raise PlaywrightError(f"{path}: not kept, as a secret was visible on the page")
        save_as(path)
