"""What the steps of a smoke check bring, compared with the baseline: each figure that can be counted, once all runs are over."""

from collections.abc import Sequence

from reports.compare import Rule
from reports.compare.amounts import AmountComparison, compare_amounts, is_exact
from reports.smoke.measurement import WHOLE, Figures, Measurement
from runner import measures
from runner.measures import AMOUNTS

Sides = tuple[tuple[float, ...], tuple[float, ...]]
"""The amounts of the baseline and of the candidate."""
Amounts = dict[tuple[str, str], tuple[AmountComparison, ...]]
"""By journey and step."""


def compare_weight(measurements: Sequence[Measurement], rule: Rule) -> Amounts:
    """The comparisons of all steps that both sides have; figures that are zero on both are left out."""
    found = {
        (one.journey.name, step, figure): (sides, one.saved is None)
        for one in measurements
        if one.compared
        for step, figures in collect_amounts(one).items()
        for figure, sides in figures.items()
    }
    family = sum(not is_exact(*sides) for sides, _ in found.values())
    compared: dict[tuple[str, str], list[AmountComparison]] = {}
    for (journey, step, figure), (sides, paired) in found.items():
        compared.setdefault((journey, step), []).append(compare_amounts(figure, *sides, rule, family, paired))
    return {key: tuple(amounts) for key, amounts in compared.items()}


def collect_amounts(one: Measurement) -> dict[str, dict[str, Sides]]:
    """By step, and WHOLE, each figure that either side has anything of."""
    if one.saved is not None:
        both = {name: (baseline, candidate) for name, (candidate, baseline) in one.steps.items()}
        candidate, baseline = one.whole
        return {name: _join(*sides) for name, sides in (both | {WHOLE: (baseline, candidate)}).items()}
    walks: dict[str, list[tuple[dict[str, float], dict[str, float]]]] = {}
    for new, old in one.pairs:
        before = {step.name: measures.measure_step(step) for step in old.steps if step.status == "passed"}
        after = {step.name: measures.measure_step(step) for step in new.steps if step.status == "passed"}
        for name in after:
            if name in before:
                walks.setdefault(name, []).append((before[name], after[name]))
        walks.setdefault(WHOLE, []).append((measures.measure_run(old), measures.measure_run(new)))
    return {name: pair_amounts(walked) for name, walked in walks.items()}


def pair_amounts(walked: Sequence[tuple[dict[str, float], dict[str, float]]]) -> dict[str, Sides]:
    """Of pairs of figures, of the baseline and of the candidate: the amounts that both have, in pairs."""
    found: dict[str, Sides] = {}
    for figure in AMOUNTS:
        pairs = [(before[figure], after[figure]) for before, after in walked if figure in before and figure in after]
        if any(any(pair) for pair in pairs):
            found[figure] = (tuple(before for before, _ in pairs), tuple(after for _, after in pairs))
    return found


def _join(baseline: Figures, candidate: Figures) -> dict[str, Sides]:
    return {
        figure: (baseline[figure], candidate[figure])
        for figure in AMOUNTS
        if baseline.get(figure) and candidate.get(figure) and any((*baseline[figure], *candidate[figure]))
    }
