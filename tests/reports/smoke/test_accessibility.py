"""What is new in a step's accessibility: decided of findings that are known."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from reports.formats.html.smoke import smoke_html
from reports.formats.junit import smoke_junit
from reports.formats.markdown import smoke_markdown
from reports.smoke import baseline, verdict
from reports.smoke.accessibility import accept_findings
from reports.smoke.check import Check
from reports.smoke.question import Question
from reports.smoke.result import AccessibilityCheck, SmokeResult
from reports.text.headline import format_headline
from runner.accessibility import SIGNAL, AffectedElement, Audit, Impact, Violation
from runner.archive.run_id import run_id
from runner.dsl.plan import Plan
from runner.events import RunEnded
from runner.settings.sections.budgets import parse_budgets
from tests.reports.smoke.measured import CANDIDATE, NOW, QUICK, REFERENCE, journeys, run

Found = Callable[[str, str, int], Audit | None]
"""What is found on a side (an address), in a step, in a run of this side."""


def audit(*targets: str, impact: Impact = "serious", times: int = 1) -> Audit:
    """A rule that these elements break."""
    elements = tuple(AffectedElement(target=one, path=f"html > body > {one}", html=f"<{one}>", count=times) for one in targets)
    found = Violation(
        rule="label", impact=impact, help="Form elements must have labels", count=len(targets) * times, elements=elements
    )
    return Audit(violations=(found,) if targets else ())


def walks(found: Found) -> Callable[[Plan], RunEnded]:
    counts: dict[str, Iterator[int]] = {CANDIDATE: count(), REFERENCE: count()}

    def made(of: Plan) -> RunEnded:
        site = of.base_url or CANDIDATE
        number = next(counts[site])
        ended = run(of, {"open": 1.0 + number / 1e6, "pay": 1.0 + number / 1e6})
        audits: Mapping[str, Audit | None] = {name: found(site, name, number) for name in ("open", "pay")}
        steps = tuple(
            replace(one, signals={SIGNAL: to_builtins(known)}) if (known := audits[one.name]) is not None else one
            for one in ended.result.steps
        )
        return replace(ended, result=replace(ended.result, steps=steps))

    return made


def check(folder: Path, found: Found, **question: Any) -> SmokeResult:
    begun = Check(Question(**{"warm_up": 0, "rule": QUICK, "base_url": CANDIDATE, **question}), journeys(folder, "buy"))
    begun.measure(walks(found), lambda _: None)
    return verdict.result(begun, run_id(), NOW)


def checks(result: SmokeResult) -> dict[str, AccessibilityCheck]:
    return {step.name: step.accessibility for step in result.journeys[0].steps if step.accessibility is not None}


def worse(site: str, step: str, _: int) -> Audit:
    """On the candidate, the step `pay` has another element; one is on both sides."""
    return audit("input", "select") if (site, step) == (CANDIDATE, "pay") else audit("input")


def test_what_both_sides_have_fails_nothing_and_what_is_new_does(tmp_path: Path) -> None:
    same = check(tmp_path, lambda *_: audit("input"), against=REFERENCE)
    assert (same.verdict, {name: one.outcome for name, one in checks(same).items()}) == (
        "passed",
        {"open": "same", "pay": "same"},
    )
    result = check(tmp_path, worse, against=REFERENCE)
    found = checks(result)
    assert (result.verdict, found["open"].outcome, found["pay"].outcome) == ("missed", "same", "new")
    assert [(one.target, one.impact) for one in found["pay"].new] == [("select", "serious")]
    assert (found["pay"].new_counts["serious"], found["pay"].counts["serious"]) == (1, 2)
    assert format_headline(result) == (
        f"missed: buy, step “pay”: accessibility: 1 serious new against {REFERENCE} (1 known), 1 of 1 journey"
    )


def test_every_report_names_what_is_new(tmp_path: Path) -> None:
    result = check(tmp_path, worse, against=REFERENCE)
    line = "serious label: Form elements must have labels: select"
    assert line in smoke_junit(result)
    assert "serious label: Form elements must have labels: select" in smoke_markdown(result).replace("\\", "")
    page = smoke_html(result).decode()
    assert "Form elements must have labels" in page
    assert "&lt;select&gt;" in page


def test_what_comes_and_goes_and_what_has_gone_is_said_and_fails_nothing(tmp_path: Path) -> None:
    def varying(site: str, _: str, number: int) -> Audit:
        if site == REFERENCE:
            return audit("input", "textarea")
        return audit("input", "iframe") if number % 3 == 0 else audit("input")

    result = check(tmp_path, varying, against=REFERENCE)
    pay = checks(result)["pay"]
    assert (result.verdict, pay.outcome, pay.new, pay.sometimes, pay.gone) == ("passed", "same", (), 1, 1)


def test_a_page_that_was_not_checked_on_a_side_is_not_compared(tmp_path: Path) -> None:
    failed = Audit(failed=True, problems=("the page was not checked: it took too long",))
    result = check(tmp_path, lambda site, *_: failed if site == REFERENCE else audit("input"), against=REFERENCE)
    assert (result.verdict, checks(result)["pay"].outcome) == ("passed", "not compared")
    assert checks(check(tmp_path, lambda *_: failed, against=REFERENCE)) == {}
    assert checks(check(tmp_path, lambda *_: None, against=REFERENCE)) == {}


@pytest.mark.long
def test_budgets_count_what_is_new_where_there_is_a_baseline_and_everything_where_there_is_none(tmp_path: Path) -> None:
    strict = parse_budgets('"buy/*" = { axe.serious = 0 }')
    alone = check(tmp_path, lambda *_: audit("input", times=3), budgets=strict, runs=2)
    assert (alone.verdict, alone.journeys[0].steps[0].budgets[0].value) == ("missed", 3)
    known = check(tmp_path, lambda *_: audit("input"), budgets=strict, against=REFERENCE)
    assert (known.verdict, known.journeys[0].steps[0].budgets[0].value) == ("passed", 0)
    new = check(tmp_path, worse, budgets=strict, against=REFERENCE)
    assert (new.verdict, new.journeys[0].steps[1].budgets[0].value) == ("missed", 1)
    # A budget for one impact says that others may be new.
    other = check(tmp_path, worse, budgets=parse_budgets('"buy/*" = { axe.critical = 0 }'), against=REFERENCE)
    assert other.verdict == "passed"
    whole = check(tmp_path, worse, budgets=parse_budgets('"buy" = { axe.serious = 0 }'), against=REFERENCE)
    assert whole.journeys[0].whole.budgets[0].value == 1


@pytest.mark.long
def test_a_saved_baseline_knows_what_was_found_and_accepts_what_is_new(tmp_path: Path) -> None:
    saved = baseline.of(check(tmp_path, lambda *_: audit("input"), runs=2))
    file = tmp_path / "release.json"
    baseline.save(saved, file)
    known = baseline.read(file, "release")
    assert known == saved
    missed = check(tmp_path, worse, saved=known, saved_name="release")
    assert (missed.verdict, checks(missed)["pay"].outcome) == ("missed", "new")
    accepted = accept_findings(known, [("buy", "pay", checks(missed)["pay"]), ("gone", "pay", checks(missed)["pay"])])
    again = check(tmp_path, worse, saved=accepted, saved_name="release")
    assert (again.verdict, checks(again)["pay"].outcome) == ("passed", "same")
    # A baseline of an earlier version has none.
    without = replace(known, journeys={name: replace(one, accessibility={}) for name, one in known.journeys.items()})
    assert checks(check(tmp_path, worse, saved=without, saved_name="release"))["pay"].outcome == "not compared"
