"""What assistive technology sees of a page: its accessibility tree as YAML, as Playwright writes it."""

from playwright.sync_api import BrowserContext

PATIENCE = 5.0
"""Seconds; a page whose main thread hangs has no snapshot."""


def take(context: BrowserContext) -> str | None:
    """The newest open page's tree; None when no page is open. Raises playwright's Error when the page does not answer."""
    pages = [page for page in context.pages if not page.is_closed()]
    if not pages:
        return None
    tree: str = pages[-1].locator("body").aria_snapshot(timeout=PATIENCE * 1000)
    return f"# {pages[-1].url}\n{tree}\n"
