"""A picture of the page at the end of each step, to be compared with pictures of other runs."""

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import BrowserContext

from runner.artifacts.page_picture import take_picture
from runner.artifacts.recorder import Recorded, Recorder, Workspace, newest_page
from runner.private_files import make_private_folder
from runner.settings.artifact_kinds import Policy


class PictureRecorder(Recorder):
    """A picture at the end of every step that passed; `screenshots` has those of steps that failed."""

    def __init__(self, workspace: Workspace, policy: Policy) -> None:
        super().__init__(workspace, policy)
        self._pictures: dict[str, Path] = {}

    def look(self, context: BrowserContext, name: str, failed: bool) -> None:
        if not failed and not self.workspace.silent:
            self.workspace.guard(f"picture of {name!r}", lambda: self._take_picture(context, name))

    def _take_picture(self, context: BrowserContext, name: str) -> None:
        page = newest_page(context)
        if page is None:
            return
        make_private_folder(self.workspace.folder)
        file = self.workspace.folder / f"picture-{len(self._pictures)}.png"
        file.write_bytes(take_picture(page, self.workspace.redactor, self.workspace.framing))
        self._pictures[name] = file

    def save(self) -> Iterator[Recorded]:
        for step, file in self._pictures.items():
            yield Recorded(file, step)
