"""What assistive technology sees of a page: its accessibility tree as YAML, as Playwright writes it."""

from collections.abc import Iterator

from playwright.sync_api import BrowserContext

from runner.artifacts.recorder import Recorded, Recorder, Workspace, newest_page
from runner.settings.artifact_kinds import Policy
from runner.untrusted_text import well_formed

PATIENCE = 5.0
"""Seconds; a page whose main thread hangs has no snapshot."""
ROOTS = "html > body, html > frameset, :root:not(html)"
"""The root of the tree, which differs for SVG and XML. A document whose script has removed it has no tree, and is not waited for."""


class AriaRecorder(Recorder):
    """The tree of the page that a failing step left; with the policy `on`, of every step's."""

    def __init__(self, workspace: Workspace, policy: Policy) -> None:
        super().__init__(workspace, policy)
        self._trees: dict[str, str] = {}

    def look(self, context: BrowserContext, name: str, failed: bool) -> None:
        if (failed or self.policy == "on") and not self.workspace.silent:
            self.workspace.guard(f"accessibility tree of {name!r}", lambda: self._take_tree(context, name), PATIENCE)

    def _take_tree(self, context: BrowserContext, name: str) -> None:
        page = newest_page(context)
        if page is None:
            return
        roots = page.locator(ROOTS)
        tree = roots.first.aria_snapshot(timeout=PATIENCE * 1000) if roots.count() else ""
        self._trees[name] = f"# {page.url}\n{tree}\n"

    def save(self) -> Iterator[Recorded]:
        for step, tree in self._trees.items():
            yield Recorded(well_formed(self.workspace.redact_text(tree)).encode(), step)
