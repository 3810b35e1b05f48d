"""The page at the end of a step, checked for accessibility, and pictures of what was found."""

import time
from collections.abc import Callable

from msgspec.structs import replace
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

from runner.accessibility import Audit, AuditScope, Violation
from runner.artifacts.mask import list_covers
from runner.artifacts.recorder import LOOKING, Workspace
from runner.page.accessibility.frame_sessions import AuditFailed
from runner.page.accessibility.page_audit import FoundElement, PageAudit, audit_page
from runner.redaction import Redactor

PATIENCE = 10.0
"""Seconds that one check may take."""
SHORTEST = 1.0
"""Seconds below which none is begun."""
BESIDE = 4.0
"""Seconds for pictures, beside that."""
MOST_PICTURES = 10
"""Of one check: of the first element of each rule, the worst first."""
MARGIN = 24
"""Pixels around an element, so that it can be recognised."""
WIDEST, HIGHEST = 900, 600
"""Pixels of a picture; a larger element is shown from its beginning."""
COVER = "#555"

Keep = Callable[[bytes], str]
"""Keeps a picture; returns where it is."""


def audit_step(workspace: Workspace, page: Page, step: str, scope: AuditScope, keep: Keep | None) -> Audit | None:
    """Checks a page in what time there is, and adds pictures. What goes wrong is a problem of the result, or a note of the run.

    The time is that of the run, of which a check never takes more than half of what is left.
    """
    left = (workspace.looks_end - LOOKING - time.monotonic()) / 2
    seconds = min(PATIENCE, left - BESIDE / 2)
    if workspace.silent or seconds < SHORTEST:
        why = "a page did not answer before" if workspace.silent else "the run's timeout is too near"
        return Audit(url=page.url, failed=True, problems=(f"the page was not checked: {why}",))
    found: list[Audit] = []

    def work() -> None:
        with audit_page(page, scope, workspace.redactor, seconds) as (audit, elements):
            found.append(audit)
            if keep is not None:
                found.append(add_pictures(audit, elements, page, workspace.redactor, keep))

    workspace.guard(f"accessibility of {step!r}", work, seconds + BESIDE)
    return found[-1] if found else None


def add_pictures(audit: Audit, elements: PageAudit, page: Page, redactor: Redactor, keep: Keep) -> Audit:
    """The same, with pictures of the first element of each rule."""
    ends = time.monotonic() + BESIDE
    violations: list[Violation] = []
    for violation in audit.violations:
        pictured = sum(bool(element.picture) for one in violations for element in one.elements)
        if violation.elements and pictured < MOST_PICTURES and time.monotonic() < ends:
            picture = _take_picture(elements.elements[violation.rule][0], page, redactor)
            if picture is not None:
                first, *rest = violation.elements
                violation = replace(violation, elements=(replace(first, picture=keep(picture)), *rest))
        violations.append(violation)
    return replace(audit, violations=tuple(violations))


def _take_picture(found: FoundElement, page: Page, redactor: Redactor) -> bytes | None:
    """The element with what is around it; None for one that is not drawn, or that is the whole page."""
    try:
        box = found.find_clip(MARGIN, WIDEST, HIGHEST)
    except AuditFailed:
        return None
    if box is None or found.described.path.endswith(("html", "html > body")):
        return None
    x, y, width, height = box
    try:
        return page.screenshot(
            full_page=True,
            clip={"x": x, "y": y, "width": width, "height": height},
            timeout=BESIDE * 1000,
            animations="disabled",
            scale="css",
            mask=list_covers(page, redactor),
            mask_color=COVER,
        )
    except PlaywrightError:
        # The page has gone, or is busy; what was found is known without a picture.
        return None
