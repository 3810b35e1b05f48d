"""A picture of the page as it was when a step ended."""

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import BrowserContext

from runner.artifacts.mask import list_covers
from runner.artifacts.recorder import Recorded, Recorder, Workspace, newest_page
from runner.private_files import make_private_folder
from runner.settings.artifact_kinds import Policy

PATIENCE = 5.0
"""Seconds; a page that cannot be drawn in this time has no screenshot."""


class ScreenshotRecorder(Recorder):
    """A picture of the page that a failing step left; with the policy `on`, of every step's. Secrets are covered."""

    def __init__(self, workspace: Workspace, policy: Policy) -> None:
        super().__init__(workspace, policy)
        self._pictures: dict[str, Path] = {}

    def look(self, context: BrowserContext, name: str, failed: bool) -> None:
        if (failed or self.policy == "on") and not self.workspace.silent:
            self.workspace.guard(f"screenshot of {name!r}", lambda: self._take_picture(context, name))

    def _take_picture(self, context: BrowserContext, name: str) -> None:
        page = newest_page(context)
        if page is None:
            return
        file = self.workspace.folder / f"screenshot-{len(self._pictures)}.png"
        make_private_folder(file.parent)
        covered = list_covers(page, self.workspace.redactor)
        page.screenshot(path=file, timeout=PATIENCE * 1000, animations="disabled", mask=covered, mask_color="#555")
        self._pictures[name] = file

    def save(self) -> Iterator[Recorded]:
        for step, file in self._pictures.items():
            yield Recorded(file, step)
