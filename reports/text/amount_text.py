"""What the steps of a smoke check bring more or less of than the baseline's, in words."""

from collections.abc import Sequence

from reports.compare.amounts import AmountComparison
from reports.smoke.result import JourneyCheck, StepCheck
from reports.text.formatting import format_figure, name_figure
from reports.text.smoke_text import format_ratio
from runner.measures import WEIGHTS


def list_changes(step: StepCheck) -> list[AmountComparison]:
    """What a step brings more or less of."""
    return [one for one in step.amounts if one.changed]


def format_difference(figure: str, difference: float) -> str:
    """A difference with its sign.

    >>> format_difference("bytes", -1500.0), format_difference("requests", 2.0)
    ('-1.5 kB', '+2')
    """
    return f"{'-' if difference < 0 else '+'}{format_figure(figure, abs(difference))}"


def describe_amount(change: AmountComparison) -> str:
    """A change as a sentence."""
    before, after = (format_figure(change.figure, one) for one in (change.baseline, change.candidate))
    return f"{name_figure(change.figure)} {before} → {after} ({format_amount(change)})"


def format_amount(change: AmountComparison) -> str:
    """The size of a change, and how certain it is."""
    by = format_difference(change.figure, change.difference)
    share = f", {format_ratio(change.candidate / change.baseline)}" if change.baseline else ""
    if change.exact:
        return f"{by}{share}, in each run"
    low, high = (format_difference(change.figure, one) for one in change.interval)
    return f"{by}{share}, {low} to {high}"


def list_weight_lines(check: JourneyCheck) -> list[str]:
    """Each step of a journey that brings more or less than the baseline's, and the journey as a whole, in a sentence."""
    return [
        f"{step.name or 'the whole journey'}: {'; '.join(map(describe_amount, changes))}"
        for step in (*check.steps, check.whole)
        if (changes := list_changes(step))
    ]


def list_shown_figures(step: StepCheck) -> Sequence[tuple[str, tuple[float, ...], tuple[float, ...]]]:
    """A step's figures with those of the baseline; of its weight, those that are not zero throughout."""
    return [
        (name, values, step.baseline_figures.get(name, ()))
        for name, values in step.figures.items()
        if values and (name not in WEIGHTS or any((*values, *step.baseline_figures.get(name, ()))))
    ]
