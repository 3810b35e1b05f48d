"""A smoke check in words: its figures, its verdict, its rule; the same in every report."""

import math
from collections.abc import Sequence
from statistics import median

from reports.compare import Comparison, Rule
from reports.smoke.result import (
    BaselineSource,
    BudgetCheck,
    JourneyCheck,
    PictureCheck,
    PictureOutcome,
    SmokeResult,
    StepCheck,
    Verdict,
)
from reports.text.formatting import format_figure, format_seconds, format_share, name_figure

MARKS: dict[Verdict, str] = {"passed": "✓", "failed": "✗", "error": "!", "missed": "▲"}


TOGETHER = "all steps together"
"""What is compared of a journey as a whole."""
NOTHING_DECIDED = "nothing decided"
"""The verdict in words, where a baseline was to be compared and no step could be; a check that says "passed" would claim more."""


def is_undecided(check: JourneyCheck) -> bool:
    """Whether a journey that passed was compared with a baseline, and neither a comparison nor a budget has decided anything."""
    steps = (*check.steps, check.whole)
    compared = [one.comparison.outcome for one in steps if one.comparison is not None]
    return (
        check.verdict == "passed"
        and bool(compared)
        and set(compared) == {"undecided"}
        and not any(one.budgets for one in steps)
        and not any(one.picture is not None and one.picture.outcome == "same" for one in steps)
        and not any(one.accessibility is not None and one.accessibility.outcome == "same" for one in steps)
    )


def is_nothing_decided(result: SmokeResult) -> bool:
    """Whether this holds for all journeys of a check that passed."""
    return result.verdict == "passed" and bool(result.journeys) and all(is_undecided(one) for one in result.journeys)


def format_verdict(checked: SmokeResult | JourneyCheck) -> str:
    """The verdict of a check or of one journey in words."""
    if isinstance(checked, JourneyCheck) and checked.set_aside:
        return f"{checked.verdict}, in quarantine"
    return NOTHING_DECIDED if _is_open(checked) else checked.verdict


def mark_verdict(checked: SmokeResult | JourneyCheck) -> str:
    """The sign of a verdict."""
    return "?" if _is_open(checked) else MARKS[checked.verdict]


def style_verdict(checked: SmokeResult | JourneyCheck) -> str:
    """The class of a verdict in a page's style sheet."""
    return "undecided" if _is_open(checked) else checked.verdict


def _is_open(checked: SmokeResult | JourneyCheck) -> bool:
    return is_nothing_decided(checked) if isinstance(checked, SmokeResult) else is_undecided(checked)


def format_ratio(ratio: float) -> str:
    """By how much a ratio is above or below one.

    >>> format_ratio(1.354), format_ratio(0.985), format_ratio(1.0)
    ('+35 %', '-1.5 %', '0 %')
    """
    if not math.isfinite(ratio):
        return "–"
    percent = (ratio - 1) * 100
    if abs(percent) < 0.05:
        return "0 %"
    return f"{percent:+.0f} %" if abs(percent) >= 9.95 else f"{percent:+.1f} %"


def format_change(comparison: Comparison) -> str:
    """The change of the median with its interval."""
    low, high = comparison.interval
    return f"{format_ratio(comparison.ratio)} ({format_ratio(low)} to {format_ratio(high)})"


def find_main_figure(step: StepCheck) -> str:
    """The figure that a step is known by: its latency; of a journey as a whole, what is compared, else its duration if measured."""
    return "duration" if not (step.name or step.comparison) and step.figures.get("duration") else "latency"


def name_step(step: StepCheck) -> str:
    """The name of a step; of the journey as a whole, what is shown of it."""
    return step.name or (TOGETHER if step.comparison else "the whole journey")


def find_medians(step: StepCheck) -> tuple[float | None, float | None]:
    """Baseline's and candidate's median of the main figure; None where it was not measured."""
    if step.comparison is not None and find_main_figure(step) == "latency":
        return step.comparison.baseline_seconds, step.comparison.candidate_seconds
    name = find_main_figure(step)
    return _median(step.baseline_figures.get(name, ())), _median(step.figures.get(name, ()))


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def name_measure(budget: BudgetCheck) -> str:
    """What a budget bounds, as in `p95 latency`."""
    return f"{budget.statistic} {name_figure(budget.figure)}"


def format_budget(budget: BudgetCheck) -> str:
    """A budget with its figure, as in `p95 latency 0.210 s of 0.500 s`."""
    return (
        f"{name_measure(budget)} {format_figure(budget.figure, budget.value)} of {format_figure(budget.figure, budget.bound)}"
    )


def describe_missed_budget(budget: BudgetCheck) -> str:
    """A missed budget as a sentence."""
    where = f" ({budget.where})" if budget.where else ""
    bound = format_figure(budget.figure, budget.bound)
    if budget.value is None:
        return f"{name_measure(budget)} was never measured, though it has a budget of {bound}{where}"
    return f"{name_measure(budget)} of {format_figure(budget.figure, budget.value)} is over the budget of {bound}{where}"


def describe_comparison(comparison: Comparison, baseline: str = "the baseline") -> str:
    """A comparison as a sentence: the outcome, both medians, the interval of their change, the runs of each side."""
    percent = f"{abs(comparison.ratio - 1) * 100:.0f} %"
    outcome = {
        "slower": f"{percent} slower than {baseline}",
        "faster": f"{percent} faster than {baseline}",
        "same": f"the same as {baseline}",
        "undecided": _describe_undecided(comparison, baseline),
    }[comparison.outcome]
    medians = f"{format_seconds(comparison.baseline_seconds)} → {format_seconds(comparison.candidate_seconds)}"
    low, high = comparison.interval
    before, after = comparison.runs
    return f"{outcome} ({medians}, {format_ratio(low)} to {format_ratio(high)}, {before} and {after} runs)"


def _describe_undecided(comparison: Comparison, baseline: str) -> str:
    low, high = comparison.interval
    if low > 1 or high < 1:
        changed = "slower" if low > 1 else "faster"
        return f"undecided against {baseline}, probably {changed}, but perhaps by no more than the tolerance"
    return f"undecided against {baseline}, too close to the tolerance or too noisy"


def describe_picture(picture: PictureCheck, baseline: str = "the baseline") -> str:
    """The comparison of a step's pictures as a sentence, without its beginning."""
    before, after = picture.pictures
    counts = f"{before} and {after} pictures"
    masked = f", {format_share(picture.masked)} varies by itself" if picture.masked else ""
    where = f"{format_share(picture.share)} of it in {count_regions(picture.region_count)}"
    sizes = ""
    if 0 not in picture.baseline_size and picture.baseline_size != picture.candidate_size:
        sizes = "; {} × {} pixels, before {} × {}".format(*picture.candidate_size, *picture.baseline_size)
    match picture.outcome:
        case "different":
            return f"looks different from {baseline}: {where} ({counts}{masked}{sizes})"
        case "same":
            return f"looks the same as {baseline} ({counts}{masked})"
        case "undecided":
            seen = f"; {where} may differ" if picture.regions else ""
            return f"the picture is undecided, {picture.reason}{seen}"
        case _:
            return f"the picture was not compared, {picture.reason}"


def count_regions(count: int) -> str:
    """So many regions."""
    return f"{count} {'region' if count == 1 else 'regions'}"


def count_pictures(result: SmokeResult) -> str:
    """How many steps look how, in one line; empty if no pictures were taken."""
    outcomes = [step.picture.outcome for one in result.journeys for step in one.steps if step.picture is not None]
    known: tuple[PictureOutcome, ...] = ("different", "undecided", "same", "not compared")
    counts = [f"{outcomes.count(one)} {one}" for one in known if one in outcomes]
    return f"pictures: {', '.join(counts)}" if counts else ""


def describe_picture_rule(result: SmokeResult) -> list[str]:
    """How pictures are compared, sentence by sentence; nothing if none were taken."""
    if not count_pictures(result):
        return []
    return [
        "A step looks different where its end is alike in all pictures of each side, and not the same on both. What varies between "
        "pictures of one side is not compared, nor is what is close to it.",
        "The chance that one thing on a page which varies alike on both sides is called different is at most 1 %; with fewer pictures "
        "than that takes, it is undecided.",
    ]


def tolerance_seconds(comparison: Comparison, rule: Rule) -> float:
    """Seconds by which the latency may change without mattering."""
    return max(rule.tolerance * comparison.baseline_seconds, rule.floor_seconds)


def describe_rule(checked: SmokeResult) -> list[str]:
    """The rule, sentence by sentence."""
    one = checked.rule
    floor = f" and by more than {format_seconds(one.floor_seconds)}" if one.floor_seconds else ""
    looks = ", ".join(map(str, one.looks[:-1])) + (" or " if one.looks[1:] else "") + "".join(map(str, one.looks[-1:]))
    return [
        f"A step is slower or faster when its latency has changed by more than {one.tolerance:.0%} of the baseline's{floor}; "
        "it is the same when the change is within that. All steps of a journey together, the sum of their latencies, are "
        "compared alike; a journey is not measured further for their sake, and they do not fail a check when undecided.",
        f"Where nothing has changed by so much, the chance that any step is called slower or faster is at most {one.alarm:.1%}; "
        f"where one has, the chance that any such step is called the same is at most {one.miss:.1%}. Both hold for all steps "
        "and all looks together.",
        f"A step is decided after {looks} runs; what is not clear after the last is undecided, which "
        f"{'counts as missed' if checked.fail_undecided else 'does not fail the check'}.",
        f"Intervals hold the ratio of the medians with {one.confidence:.0%} confidence (bootstrap).",
    ]


def describe_baseline(baseline: BaselineSource) -> str:
    """What the candidate was compared with."""
    made = f", made {baseline.made_at:%Y-%m-%d %H:%M:%SZ}" if baseline.made_at else ""
    return f"{'saved baseline' if baseline.kind == 'saved' else 'the other address,'} {baseline.name}{made}"


def list_remarks(check: JourneyCheck) -> list[str]:
    """What may make a journey's figures less certain."""
    found = []
    if check.flaky_runs:
        found.append(f"{count_runs(len(check.flaky_runs))} of {len(check.runs)} passed only at a later attempt (flaky)")
    if check.contended_runs:
        # Those of the baseline's site count too.
        runs = len(check.runs) + len(check.baseline_runs)
        found.append(f"{count_runs(check.contended_runs)} of {runs} measured on a busy machine: latencies may be too high")
    found += [f"{step.name or 'the whole journey'}: {step.note}" for step in (*check.steps, check.whole) if step.note]
    return found


def count_runs(count: int) -> str:
    """So many runs."""
    return f"{count} {'run' if count == 1 else 'runs'}"


def count_steps(checked: SmokeResult) -> str:
    """What was checked, as in `12 steps of 3 journeys`."""
    steps, journeys = sum(len(one.steps) for one in checked.journeys), len(checked.journeys)
    return f"{steps} {'step' if steps == 1 else 'steps'} of {journeys} {'journey' if journeys == 1 else 'journeys'}"
