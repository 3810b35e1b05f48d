"""The pages filmed, by Playwright's ffmpeg."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from runner.artifacts import mask
from runner.artifacts.recorder import Recorded, Recorder, Workspace
from runner.browser.chromium import can_record_video
from runner.settings.artifact_kinds import Policy


class VideoRecorder(Recorder):
    """A film of each page; none of a run whose pages showed a secret at the end of a step."""

    def __init__(self, workspace: Workspace, policy: Policy) -> None:
        super().__init__(workspace, policy)
        self._films = can_record_video()
        self._pages: list[Page] = []
        self._secret_seen = False
        if not self._films:
            workspace.notes.append(
                "video: not recorded, Playwright's ffmpeg is missing; get it with `playwright install ffmpeg`"
            )

    def context_options(self) -> Mapping[str, Any]:
        return {"record_video_dir": self.workspace.folder} if self._films else {}

    def look(self, context: BrowserContext, name: str, failed: bool) -> None:
        if self._films and not self._secret_seen:
            self.workspace.guard("video", lambda: self._look_for_secrets(context))

    def _look_for_secrets(self, context: BrowserContext) -> None:
        redactor = self.workspace.redactor
        self._secret_seen = any(mask.shows_secret(page, redactor) for page in context.pages if not page.is_closed())

    def stop(self, context: BrowserContext, kept: bool) -> None:
        self._pages = list(context.pages)

    def save(self) -> Iterator[Recorded]:
        if self._secret_seen and self.workspace.redaction:
            self.workspace.notes.append("video: not kept, a secret stood on the page")
            return
        for page in self._pages:
            if page.video is not None:
                yield Recorded(Path(page.video.path()))
