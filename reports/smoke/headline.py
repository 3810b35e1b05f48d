"""A smoke check in one sentence: what failed, and by how much, or that nothing did."""

from msgspec import Struct

from reports.compare import Comparison
from reports.smoke.result import BudgetCheck, JourneyCheck, SmokeResult, Verdict
from reports.wording import figure, seconds


class Problem(Struct, frozen=True):
    """One thing that keeps a check from passing."""

    verdict: Verdict
    journey: str
    text: str


def headline(result: SmokeResult) -> str:
    """The first line of all that is told: the worst problem, or that there is none."""
    found = problems(result)
    if found:
        first = found[0]
        count = len({one.journey for one in found if one.verdict == first.verdict})
        return f"{first.verdict}: {first.text}, {count} of {_journeys(result)}"
    if not result.journeys:
        return "passed: there was nothing to run"
    if result.baseline is None:
        runs = max(len(one.runs) for one in result.journeys)
        return f"passed: {_journeys(result)} in {runs} {'run' if runs == 1 else 'runs'} each"
    outcomes = [step.comparison.outcome for one in result.journeys for step in one.steps if step.comparison is not None]
    if not outcomes:
        return f"passed: {_journeys(result)}, but no step could be compared with {result.baseline.name}"
    undecided = outcomes.count("undecided")
    said = f"no step is more than {result.rule.tolerance * 100:g} % slower than {result.baseline.name}"
    return f"passed: {_journeys(result)}, {f'{undecided} of {len(outcomes)} steps undecided, of the others ' if undecided else ''}{said}"


def problems(result: SmokeResult) -> list[Problem]:
    """Everything that keeps the check from passing: failed journeys, errors, what was missed."""
    found = []
    for one in result.journeys:
        if one.verdict in {"failed", "error"}:
            found.append(Problem(one.verdict, one.name, _failure(one, result)))
        elif one.verdict == "missed":
            found += [Problem("missed", one.name, text) for text in _missed(one, result)]
    return sorted(found, key=lambda one: ("failed", "error", "missed").index(one.verdict))


def change(comparison: Comparison) -> str:
    """By how much the candidate's median is slower or faster."""
    share = abs(comparison.ratio - 1) * 100
    return f"{share:.0f} % {'slower' if comparison.ratio >= 1 else 'faster'}"


def over(budget: BudgetCheck) -> str:
    """A missed budget."""
    statistic = "" if budget.statistic == "median" else f" {budget.statistic}"
    value, bound = figure(budget.figure, budget.value), figure(budget.figure, budget.bound)
    return f"{budget.figure}{statistic} {value} is over its budget of {bound}"


def _failure(one: JourneyCheck, result: SmokeResult) -> str:
    failure = one.failure
    why = next(iter(failure.message.splitlines()), "") if failure else ""
    step = f" in step {failure.step!r}" if failure and failure.step else ""
    if one.failed_side == "baseline" and result.baseline is not None:
        return (
            f"{one.name} does not pass on the reference site {result.baseline.name}, so nothing can be said of it{step}: {why}"
        )
    return f"{one.name}{step}: {why}"


def _missed(one: JourneyCheck, result: SmokeResult) -> list[str]:
    baseline = result.baseline.name if result.baseline else ""
    found = []
    for step in (one.whole, *one.steps):
        name = f"{one.name}/{step.name}" if step.name else one.name
        comparison = step.comparison
        if comparison is not None and comparison.outcome == "slower":
            medians = f"{seconds(comparison.baseline_seconds)} → {seconds(comparison.candidate_seconds)}"
            found.append(f"{name} is {change(comparison)} than {baseline} ({medians})")
        found += [f"{name}: {over(budget)}" for budget in step.budgets if budget.missed]
    return found + (undecided(one, baseline) if result.fail_undecided else [])


def undecided(one: JourneyCheck, baseline: str) -> list[str]:
    """The steps of which nothing can be said, in words."""
    return [
        f"{one.name}/{step.name} is undecided against {baseline} after {step.comparison.runs[1]} runs "
        f"(ratio {step.comparison.ratio:.2f}, between {step.comparison.interval[0]:.2f} and {step.comparison.interval[1]:.2f})"
        for step in one.steps
        if step.comparison is not None and step.comparison.outcome == "undecided"
    ]


def _journeys(result: SmokeResult) -> str:
    count = len(result.journeys)
    return f"{count} {'journey' if count == 1 else 'journeys'}"
