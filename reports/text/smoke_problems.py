"""Why a smoke check did not pass, one value per reason."""

import re

from msgspec.structs import replace

from reports.smoke.result import JourneyCheck, SmokeResult, StepCheck
from reports.text import smoke_text
from reports.text.accessibility import describe_accessibility, list_new_findings
from reports.text.problems import ORDER, Kind, Problem, describe_held, make_problem

_PLACE = re.compile(r"(?P<file>.+\.py):(?P<line>\d+)")


def list_smoke_problems(result: SmokeResult) -> list[Problem]:
    """The reasons of a smoke check: what failed first, then what was missed."""
    found = [one for check in result.journeys for one in list_check_problems(check, result)]
    return sorted(found, key=lambda one: ORDER.index(one.kind))


def list_check_problems(check: JourneyCheck, result: SmokeResult) -> list[Problem]:
    """The reasons of one journey of a smoke check."""
    found = []
    if check.verdict in {"failed", "error"}:
        kind: Kind = "failed" if check.verdict == "failed" else "error"
        message = check.failure.message if check.failure else f"the journey is {check.verdict}, and does not say why"
        if check.failed_side == "baseline":
            site = f" {result.baseline.name}" if result.baseline else ""
            message = f"not passed on the reference site{site}, so nothing can be said: {message}"
        step = check.failure.step if check.failure else None
        found.append(
            make_problem(
                check.name,
                step,
                kind,
                message,
                check.failure,
                run=check.failed_run,
                folder=check.failed_folder,
                trace=check.trace,
            )
        )
    found += _missed_budgets(check, check.whole)
    for step_check in check.steps:
        found += _compared(check, step_check, result)
        found += _missed_budgets(check, step_check)
        found += _look_different(check, step_check, result)
        found += _less_accessible(check, step_check, result)
    # A step that is slower says more than the journey that is slower with it.
    found += _compared(check, check.whole, result)
    return [replace(one, quarantine=describe_held(check.quarantine)) for one in found] if check.set_aside else found


def _compared(check: JourneyCheck, step: StepCheck, result: SmokeResult) -> list[Problem]:
    comparison = step.comparison
    if comparison is None or not (
        comparison.outcome == "slower" or (comparison.outcome == "undecided" and result.fail_undecided and step.name)
    ):
        return []
    message = smoke_text.describe_comparison(comparison, result.baseline.name if result.baseline else "the baseline")
    message = message if step.name else f"{smoke_text.TOGETHER} {message}"
    return [_miss(check, step, "baseline", message, check.file, check.line)]


def _look_different(check: JourneyCheck, step: StepCheck, result: SmokeResult) -> list[Problem]:
    picture = step.picture
    undecided = picture is not None and picture.outcome == "undecided" and result.fail_undecided
    if picture is None or not (step.looks_different or undecided):
        return []
    message = smoke_text.describe_picture(picture, result.baseline.name if result.baseline else "the baseline")
    return [_miss(check, step, "picture", message, check.file, check.line)]


def _less_accessible(check: JourneyCheck, step: StepCheck, result: SmokeResult) -> list[Problem]:
    if step.accessibility is None or not step.less_accessible:
        return []
    baseline = result.baseline.name if result.baseline else "the baseline"
    lines = [describe_accessibility(step.accessibility, baseline), *list_new_findings(step.accessibility)]
    return [_miss(check, step, "accessibility", "\n".join(lines), check.file, check.line)]


def _missed_budgets(check: JourneyCheck, step: StepCheck) -> list[Problem]:
    found = []
    for budget in step.budgets:
        if budget.missed:
            place = _PLACE.fullmatch(budget.where)
            file, line = (place["file"], int(place["line"])) if place else (check.file, check.line)
            found.append(_miss(check, step, "budget", smoke_text.describe_missed_budget(budget), file, line))
    return found


def _miss(check: JourneyCheck, step: StepCheck, kind: Kind, message: str, file: str, line: int) -> Problem:
    return Problem(
        journey=check.name, step=step.name, kind=kind, message=message, file=file or None, line=line if file and line else None
    )
