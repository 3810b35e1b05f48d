"""`expect_accessible`: no element of a page may break a rule of accessibility."""

import time
from collections.abc import Mapping, Sequence

from msgspec.structs import replace
from playwright.sync_api import Page

from runner.accessibility import IMPACTS, Audit, Impact, list_findings
from runner.artifacts.accessibility.step_audit import PATIENCE, add_pictures
from runner.artifacts.expected_picture import find_store
from runner.artifacts.policy import slug
from runner.errors import JourneyError
from runner.page.accessibility.page_audit import audit_page
from runner.settings.parsers.accessibility import parse_request

LISTED = 10
"""Elements that a message names."""


class Inaccessible(AssertionError):
    """Elements of a page break rules of accessibility, or it could not be checked. Says which, and where their pictures are."""


def expect_accessible(
    page: Page,
    *,
    impact: Impact = "serious",
    include: Sequence[str] | str | None = None,
    exclude: Sequence[str] | str = (),
    tags: Sequence[str] | str | None = None,
    off: Mapping[str, str] | None = None,
    timeout: float = PATIENCE,
) -> None:
    """Checks a page as it is now; no element may break a rule of this impact, or of a worse one.

    The other arguments are those of `step.axe`. Raises Inaccessible, and JourneyError outside of a step and for wrong arguments.
    """
    if impact not in IMPACTS:
        raise JourneyError(f"impact: {impact!r} is not valid; choose one of {', '.join(IMPACTS)}")
    store, step = find_store("expect_accessible")
    scope = parse_request(include, exclude, tags, off).resolve(store.scope)
    began = time.time()
    try:
        with audit_page(page, scope, store.redactor, timeout) as (audit, elements):
            counted = IMPACTS[: IMPACTS.index(impact) + 1]
            audit = _only(audit, counted)
            if not audit.violations and not audit.failed:
                return
            number = 0

            def keep(picture: bytes) -> str:
                nonlocal number
                number += 1
                return store.keep(f"{slug(step)}-accessibility-{number}.png", picture, step)

            raise Inaccessible(_explain(add_pictures(audit, elements, page, store.redactor, keep)))
    finally:
        store.note(began, time.time())


def _only(audit: Audit, impacts: Sequence[Impact]) -> Audit:
    return replace(audit, violations=tuple(one for one in audit.violations if one.impact in impacts))


def _explain(audit: Audit) -> str:
    if audit.failed:
        return "\n".join(audit.problems)
    count = sum(one.count for one in audit.violations)
    rules = len(audit.violations)
    lines = [
        f"{count} {'element breaks' if count == 1 else 'elements break'} {rules} {'rule' if rules == 1 else 'rules'} of accessibility"
    ]
    found = list(list_findings(audit))
    for violation, element in found[:LISTED]:
        lines.append(f"{violation.impact} {violation.rule}: {violation.help}: {element.target}{_count(element.count)}")
        lines += [f"  picture: {element.picture}"] if element.picture else []
    if len(found) > LISTED:
        lines.append(f"and {len(found) - LISTED} more")
    lines += [f"see {one}" for one in dict.fromkeys(one.help_url for one in audit.violations) if one]
    return "\n".join([*lines, *audit.problems])


def _count(count: int) -> str:
    return f" (and {count - 1} alike)" if count > 1 else ""
