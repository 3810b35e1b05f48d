"""A picture of a page for comparison: stilled, secrets covered, and taken when the page looks the same twice."""

import time
from collections.abc import Sequence

from msgspec import Struct
from playwright.sync_api import Locator, Page

from runner.artifacts.mask import list_covers
from runner.redaction import Redactor
from runner.settings.artifact_policy import PictureArea

PATIENCE = 5.0
"""Seconds that the browser has for one picture."""
SETTLE = 1.0
"""Seconds in which a page that goes on changing is pictured again; then the last picture is taken as it is."""
PAUSE = 50
"""Milliseconds between two pictures of a page that changes."""
COVER = "#555"
STILL = """
*, *::before, *::after { caret-color: transparent !important; scroll-behavior: auto !important; }
* { scrollbar-color: transparent transparent !important; }
"""
"""The bars of scrolling become invisible, and keep their place; Playwright ends animations and waits for fonts."""


class Framing(Struct, frozen=True, kw_only=True):
    """What is on a picture."""

    area: PictureArea = "viewport"
    ignore: tuple[str, ...] = ()
    """Selectors of what is covered."""


VIEWPORT = Framing()
"""What a visitor sees."""


def take_picture(
    target: Page | Locator, redactor: Redactor, framing: Framing, covers: Sequence[Locator] = (), settle: float = SETTLE
) -> bytes:
    """The PNG of a page or of one element, in CSS pixels. Raises playwright's Error when it cannot be taken.

    A page that looks different each time is pictured for `settle` seconds; what varies in it is found by comparing several pictures.
    """
    page = target if isinstance(target, Page) else target.page
    options = {"full_page": framing.area == "page"} if isinstance(target, Page) else {}
    ends = time.monotonic() + settle
    before = b""
    while True:
        taken: bytes = target.screenshot(
            **options,  # type: ignore[arg-type]
            timeout=PATIENCE * 1000,
            animations="disabled",
            caret="hide",
            scale="css",
            style=STILL,
            mask=[*covers, *(page.locator(one) for one in framing.ignore), *list_covers(page, redactor)],
            mask_color=COVER,
        )
        if taken == before or time.monotonic() >= ends:
            return taken
        before = taken
        page.wait_for_timeout(PAUSE)
