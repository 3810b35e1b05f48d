"""From what was measured to the result: each journey's verdict, then the one of the whole check."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from reports.smoke import notes
from reports.smoke.accessibility import compare_accessibility
from reports.smoke.baseline import shown
from reports.smoke.blocking import check_costs
from reports.smoke.check import Check
from reports.smoke.measurement import WHOLE, Figures, Measurement
from reports.smoke.question import Question
from reports.smoke.result import BaselineSource, BudgetCheck, JourneyCheck, SmokeResult, StepCheck, Verdict
from reports.smoke.uncounted import read_profile, read_unused
from reports.smoke.weight import Amounts, compare_weight
from runner.events import RunEnded
from runner.measures import percentile
from runner.redaction import Redactor
from runner.result import Environment, Failure
from runner.settings.sections.budgets import MEDIAN, Budget
from runner.settings.sections.quarantine import find_entries

WORST_FIRST: tuple[Verdict, ...] = ("failed", "error", "missed", "passed")
LACKING = "the baseline has no step of this name"
GONE = "only the baseline has a step of this name"
NOT_COMPARED = "not compared, as the journey has not passed"
APART = "no two runs of a pair both have this step"


def result(
    check: Check, identity: str, started_at: datetime, stopped: bool = False, pictures: Path | None = None
) -> SmokeResult:
    """The result of a check that is done, or was stopped; then no journey that was still to be measured has passed.

    `pictures` is the file of its pictures.
    """
    question = check.question
    amounts = compare_weight(check.measurements, question.rule)
    journeys = tuple(
        replace(
            _journey(one, question, stopped, amounts),
            blocked=check_costs(check.variants.get(one.journey.name, ()), question.rule),
        )
        for one in check.measurements
    )
    counted = {journey.verdict for journey in journeys if not journey.set_aside}
    verdict = next(one for one in WORST_FIRST if one == "passed" or one in counted)
    if stopped and verdict != "failed":
        verdict = "error"
    environment = _environment([ended for one in check.measurements for ended in one.candidate])
    return SmokeResult(
        id=identity,
        verdict=verdict,
        started_at=started_at,
        ended_at=datetime.now(UTC),
        base_url=Redactor().text(question.base_url) if question.base_url else environment.base_url,
        location=question.location,
        rule=question.rule,
        warm_up=question.warm_up,
        journeys=journeys,
        baseline=_source(check),
        environment=environment,
        fail_undecided=question.fail_undecided,
        seed=question.seed,
        stopped=stopped,
        notes=(*question.notes, *check.notes, *notes.of(check, environment)),
        pictures=str(pictures.absolute()) if pictures else "",
    )


def _journey(one: Measurement, question: Question, stopped: bool, amounts: Amounts) -> JourneyCheck:
    one.accessibility = compare_accessibility(one)
    steps = tuple(
        replace(
            _step(one, name, *both, question),
            amounts=amounts.get((one.journey.name, name), ()),
            profile=read_profile(one.profile_run, name),
        )
        for name, both in one.steps.items()
    )
    figures, baseline = one.whole
    whole = StepCheck(
        name="",
        figures=figures,
        baseline_figures=baseline,
        comparison=one.comparisons.get(WHOLE),
        budgets=_budgets(one, "", figures, question),
        note="" if one.compared or question.saved is None else "the baseline has no journey of this name",
        amounts=amounts.get((one.journey.name, WHOLE), ()),
    )
    verdict, decisive = _verdict(one, (*steps, whole), question)
    failure = decisive.result.failure if decisive else None
    if stopped and one.open and verdict in {"passed", "missed"}:
        verdict = "error"
        runs = f"{len(one.candidate)} {'run' if len(one.candidate) == 1 else 'runs'}"
        failure = Failure(kind="monitor", message=f"stopped from the keyboard after {runs}")
    checked = JourneyCheck(
        name=one.journey.name,
        verdict=verdict,
        file=str(one.journey.file),
        line=one.journey.line,
        description=one.journey.description,
        steps=steps,
        whole=whole,
        runs=tuple(ended.result.id for ended in one.candidate),
        baseline_runs=tuple(ended.result.id for ended in one.baseline),
        flaky_runs=tuple(ended.result.id for ended in one.candidate if ended.result.flaky),
        contended_runs=sum(ended.result.contended for ended in one.runs),
        failure=failure,
        failed_run=decisive.result.id if decisive else None,
        failed_folder=str(decisive.folder) if decisive and decisive.folder else None,
        failed_side="baseline" if decisive and decisive is one.bad_baseline else "candidate",
        trace=_trace(decisive) if decisive else None,
        unused=read_unused(one.coverage_run),
        coverage_run=one.coverage_run.result.id if one.coverage_run else None,
        profile_run=one.profile_run.result.id if one.profile_run else None,
        quarantine=find_entries(one.journey.name, question.quarantine, datetime.now(UTC)),
    )
    return replace(checked, set_aside=_is_set_aside(checked, decisive, question.fail_undecided))


def _is_set_aside(checked: JourneyCheck, decisive: RunEnded | None, fail_undecided: bool) -> bool:
    if checked.verdict in {"failed", "error"}:
        return decisive is not None and checked.failed_side == "candidate" and decisive.result.set_aside
    held = {one.step for one in checked.quarantine if not one.over}
    missed = {one.name for one in checked.steps if one.missed or (fail_undecided and _is_undecided(one))}
    whole = checked.whole
    # The sum of the steps is slower because a step is.
    if any(one.missed for one in whole.budgets) or (whole.missed and not missed):
        missed.add("")
    # What no step shows, such as an undecided whole, is nobody's quarantine but the journey's.
    return checked.verdict == "missed" and ("" in held or (bool(missed) and missed <= held))


def _is_undecided(step: StepCheck) -> bool:
    judged = (step.comparison, step.picture)
    return bool(step.name) and any(one is not None and one.outcome == "undecided" for one in judged)


def _verdict(one: Measurement, checks: Sequence[StepCheck], question: Question) -> tuple[Verdict, RunEnded | None]:
    """The verdict, and the run that has decided it, if one did.

    A site that fails is `failed`, whatever the reference does; a reference that fails is an `error`: nothing can be said.
    """
    bad = one.bad
    if bad is not None and bad.result.status == "failed":
        return "failed", bad
    bad = bad or one.bad_baseline
    if bad is not None:
        return "error", bad
    undecided = [check.picture for check in checks if check.picture is not None and check.picture.outcome == "undecided"]
    if any(check.missed for check in checks) or (question.fail_undecided and (undecided or not all(one.decided))):
        return "missed", None
    return "passed", None


def _step(one: Measurement, name: str, candidate: Figures, baseline: Figures, question: Question) -> StepCheck:
    comparison = one.comparisons.get(name)
    note = ""
    if one.compared and comparison is None:
        ended_early = one.bad or one.bad_baseline
        note = NOT_COMPARED if ended_early else LACKING if not baseline else GONE if not candidate else APART
    return StepCheck(
        name=name,
        figures=candidate,
        baseline_figures=baseline,
        comparison=comparison,
        budgets=_budgets(one, name, candidate, question),
        note=note,
        picture=one.pictures.get(name),
        accessibility=one.accessibility.get(name),
    )


def _budgets(one: Measurement, step: str, figures: Figures, question: Question) -> tuple[BudgetCheck, ...]:
    checks = []
    own = one.budget(step) if step else None
    if own is not None:
        lines = dict(zip(one.journey.step_names, one.journey.step_lines, strict=True))
        where = f"{one.journey.file}:{lines.get(step, one.journey.line)}"
        checks.append(("latency", "median", own, _median(figures.get("latency", ())), where))
    checks += [
        (budget.figure, budget.statistic, budget.bound, _budgeted(one, step, budget, figures), budget.where)
        for budget in question.budgets
        if budget.holds_for(one.journey.name, step or None)
    ]
    return tuple(
        BudgetCheck(
            figure=figure,
            statistic=statistic,
            bound=bound,
            value=value,
            missed=value is not None and value > bound,
            where=where,
        )
        for figure, statistic, bound, value, where in checks
    )


def _budgeted(one: Measurement, step: str, budget: Budget, figures: Figures) -> float | None:
    """The value to compare with a bound; of accessibility only what is new, where there is a baseline."""
    compared = [check for name, check in one.accessibility.items() if step in {"", name} and check.outcome != "not compared"]
    if budget.figure.startswith("axe.") and compared:
        return float(sum(check.new_counts.get(budget.figure.removeprefix("axe."), 0) for check in compared))
    return budget.value(figures)


def _median(values: Sequence[float]) -> float | None:
    return percentile(values, MEDIAN) if values else None


def _source(check: Check) -> BaselineSource | None:
    question = check.question
    if question.saved is not None:
        saved = question.saved
        return BaselineSource(
            kind="saved", name=shown(question.saved_name), made_at=saved.made_at, environment=saved.environment
        )
    if question.against is not None:
        environment = _environment([ended for one in check.measurements for ended in one.baseline])
        return BaselineSource(kind="against", name=Redactor().text(question.against), environment=environment)
    return None


def _environment(runs: Sequence[RunEnded]) -> Environment:
    """That of the first run that had a browser."""
    known = (one.result.environment for one in runs)
    return next((one for one in known if one.browser), Environment())


def _trace(decisive: RunEnded) -> str | None:
    if decisive.folder is None:
        return None
    traces = [one.path for one in decisive.result.artifacts if one.kind == "trace"]
    return str(decisive.folder / traces[-1]) if traces else None
