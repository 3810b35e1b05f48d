"""A picture of the page as it was when a step ended."""

import re
from pathlib import Path

from playwright.sync_api import BrowserContext

from runner.artifacts.mask import covers
from runner.redaction import Redactor

PATIENCE = 5.0
"""Seconds; a page that cannot be drawn in this time has no screenshot."""


def slug(name: str) -> str:
    """The step's name as a file name: letters, digits, `-` and `_`, 80 characters at most."""
    return re.sub(r"[^\w-]+", "-", name).strip("-")[:80] or "step"


def take(context: BrowserContext, file: Path, redactor: Redactor) -> int | None:
    """Saves a picture of the newest open page, secrets covered; returns its bytes, None when no page is open.

    Raises playwright's Error when the page cannot be drawn.
    """
    pages = [page for page in context.pages if not page.is_closed()]
    if not pages:
        return None
    file.parent.mkdir(parents=True, exist_ok=True)
    covered = covers(pages[-1], redactor)
    pages[-1].screenshot(path=file, timeout=PATIENCE * 1000, animations="disabled", mask=covered, mask_color="#555")
    return file.stat().st_size
