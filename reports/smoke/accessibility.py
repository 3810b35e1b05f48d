"""What is new in a step's accessibility: the findings of the candidate's runs, compared with those of the baseline's."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from reports.smoke.baseline import Baseline
from reports.smoke.measurement import Measurement
from reports.smoke.result import AccessibilityCheck, FindingCheck
from runner.accessibility import IMPACTS, AffectedElement, Audit, Violation, identify_element, list_findings, read_audit
from runner.events import RunEnded

MOST = 50
"""New findings that are kept of a step."""


def compare_accessibility(one: Measurement) -> dict[str, AccessibilityCheck]:
    """By step, of those whose page was checked in a run of the candidate that passed."""
    candidate = _read_audits(one.candidate)
    before: Mapping[str, Sequence[set[str]]] = {}
    if one.saved is not None:
        before = {step: [set(names)] for step, names in one.saved.accessibility.items()}
    elif one.reference is not None:
        before = {step: [_list_names(audit) for audit in audits] for step, audits in _read_audits(one.baseline).items()}
    return {step: _compare_step(audits, before.get(step, ())) for step, audits in candidate.items()}


def _compare_step(audits: Sequence[Audit], before: Sequence[set[str]]) -> AccessibilityCheck:
    """Of the findings that no run of the baseline has, those are new that more than half of the candidate's runs have.

    A finding that comes and goes, such as of an advertisement, may be missing in the baseline by chance.
    """
    known = set().union(*before)
    found: dict[str, tuple[Violation, AffectedElement, int]] = {}
    for audit in audits:
        for violation, element in list_findings(audit):
            name = identify_element(violation.rule, element)[0]
            runs = found[name][2] if name in found else 0
            found[name] = (violation, element, runs + 1)
    facts: dict[str, Any] = {
        "audits": (len(before), len(audits)),
        "names": tuple(sorted(set().union(*map(_list_names, audits)))),
        "counts": {impact: max(audit.count(impact) for audit in audits) for impact in IMPACTS},
        "problems": tuple(dict.fromkeys(problem for audit in audits for problem in audit.problems)),
    }
    if not before:
        return AccessibilityCheck(outcome="not compared", **facts)
    fresh = [
        FindingCheck(
            rule=violation.rule,
            impact=violation.impact,
            help=violation.help,
            help_url=violation.help_url,
            target=element.target,
            html=element.html,
            count=element.count,
            runs=runs,
        )
        for violation, element, runs in found.values()
        if known.isdisjoint(identify_element(violation.rule, element))
    ]
    new = sorted((one for one in fresh if one.runs * 2 > len(audits)), key=lambda one: IMPACTS.index(one.impact))
    now = set(facts["names"])
    return AccessibilityCheck(
        outcome="new" if new else "same",
        new=tuple(new[:MOST]),
        new_counts={impact: sum(one.count for one in new if one.impact == impact) for impact in IMPACTS},
        sometimes=len(fresh) - len(new),
        gone=sum(name not in now for name in known if " in " in name),
        **facts,
    )


def _read_audits(runs: Iterable[RunEnded]) -> dict[str, list[Audit]]:
    """What was found in the runs that passed, by step; a page that could not be checked says nothing."""
    found: dict[str, list[Audit]] = {}
    for ended in runs:
        if ended.result.status == "passed":
            for step in ended.result.steps:
                audit = read_audit(step)
                if audit is not None and not audit.failed:
                    found.setdefault(step.name, []).append(audit)
    return found


def _list_names(audit: Audit) -> set[str]:
    return {name for violation, element in list_findings(audit) for name in identify_element(violation.rule, element)}


def accept_findings(baseline: Baseline, checks: Iterable[tuple[str, str, AccessibilityCheck]]) -> Baseline:
    """A baseline that also knows what was found on these steps of journeys; those that it lacks are left out."""
    journeys = dict(baseline.journeys)
    for journey, step, check in checks:
        if journey in journeys:
            known = journeys[journey].accessibility
            names = tuple(sorted({*known.get(step, ()), *check.names}))
            journeys[journey] = replace(journeys[journey], accessibility={**known, step: names})
    return replace(baseline, journeys=journeys)
