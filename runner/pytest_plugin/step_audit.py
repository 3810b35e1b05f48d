"""The accessibility of the newest page at the end of a step, with pictures kept as pytest-playwright keeps its own."""

from itertools import count

from playwright.sync_api import BrowserContext

from runner.accessibility import Audit, AuditRequest
from runner.artifacts.expected_picture import current_store
from runner.artifacts.policy import slug
from runner.artifacts.recorder import Workspace, newest_page


def audit_pages(
    context: BrowserContext | None, test: str, step: str, mode: str, asked: AuditRequest | None, notes: list[str]
) -> Audit | None:
    """What was found, if the settings (`mode`) or the test itself (`asked`) want to know and there is a page; adds to `notes`."""
    store = current_store()
    page = newest_page(context) if context is not None else None
    if page is None or store is None or (asked is None and mode == "off"):
        return None
    from runner.artifacts.accessibility.step_audit import audit_step

    workspace = Workspace(test, store.redactor, True, store.folder)
    scope = (asked or AuditRequest()).resolve(store.scope)
    numbers = count(1)
    found = audit_step(
        workspace,
        page,
        step,
        scope,
        lambda picture: store.keep(f"{slug(step)}-accessibility-{next(numbers)}.png", picture, step),
    )
    notes += workspace.notes
    return found
