"""What runs and smoke checks say about accessibility, in words; the same in every report."""

from collections.abc import Iterator, Mapping

from reports.smoke.result import AccessibilityCheck, FindingCheck, SmokeResult
from runner.accessibility import IMPACTS, read_audit
from runner.result import StepResult

SHOWN = 10
"""New findings that a text names."""


def describe_accessibility(check: AccessibilityCheck, baseline: str = "the baseline") -> str:
    """The comparison of a step's findings as a sentence, without its beginning."""
    problems = "".join(f"; {one}" for one in check.problems)
    if check.outcome == "not compared":
        return f"accessibility: {format_counts(check.counts) or 'nothing found'}, not compared{problems}"
    also = [f"{check.sometimes} only sometimes"] if check.sometimes else []
    also += [f"{check.gone} gone"] if check.gone else []
    known = sum(check.counts.values()) - sum(check.new_counts.values())
    also += [f"{known} known"] if known > 0 else []
    found = f"{format_counts(check.new_counts)} new" if check.outcome == "new" else "nothing new"
    rest = f" ({', '.join(also)})" if also else ""
    return f"accessibility: {found} against {baseline}{rest}{problems}"


def list_new_findings(check: AccessibilityCheck) -> Iterator[str]:
    """A line for each new finding, as far as there is room."""
    yield from (describe_finding(one) for one in check.new[:SHOWN])
    if len(check.new) > SHOWN:
        yield f"and {len(check.new) - SHOWN} more"


def describe_finding(finding: FindingCheck) -> str:
    """A new finding in one line."""
    alike = f" (and {finding.count - 1} alike)" if finding.count > 1 else ""
    return f"{finding.impact} {finding.rule}: {finding.help}: {finding.target}{alike}"


def format_counts(counts: Mapping[str, int]) -> str:
    """Elements by impact, as in `2 critical, 1 serious`; empty if there are none."""
    return ", ".join(f"{counts[impact]} {impact}" for impact in IMPACTS if counts.get(impact))


def count_accessibility(result: SmokeResult) -> str:
    """How many steps have something new, in one line; empty if no page was checked."""
    checks = [step.accessibility for one in result.journeys for step in one.steps if step.accessibility is not None]
    outcomes = [one.outcome for one in checks]
    counts = [f"{outcomes.count(one)} {one}" for one in ("new", "same", "not compared") if one in outcomes]
    return f"accessibility: {', '.join(counts)}" if counts else ""


def describe_accessibility_rule(result: SmokeResult) -> list[str]:
    """How findings are compared, sentence by sentence; nothing if no page was checked."""
    if not count_accessibility(result):
        return []
    return [
        "A finding of accessibility is new if more than half of the candidate's runs have it, and no run of the baseline has one of the "
        "same rule in the same place of the page's structure, or with the same selector without positions and numbers.",
        "Rules find a part of what makes a page inaccessible; the rest needs people.",
    ]


def list_violations(step: StepResult) -> Iterator[str]:
    """A line for each rule that elements of a step's page break, as far as there is room."""
    audit = read_audit(step)
    violations = audit.violations if audit is not None else ()
    for one in violations[:SHOWN]:
        targets = "; ".join(element.target for element in one.elements[:3])
        yield f"  {one.impact} {one.rule}: {one.help}, {one.count} {'element' if one.count == 1 else 'elements'}: {targets}"
    if len(violations) > SHOWN:
        yield f"  and {len(violations) - SHOWN} more rules, in report.html"
