"""What can be counted exactly, such as bytes and requests: candidate against baseline.

A page that brings the same bytes in each run has no noise, and a difference that repeats needs no test. What varies from one run to
the next, such as a page with advertisements, is judged by the same rank tests as latencies.
"""

from collections.abc import Sequence
from statistics import median
from typing import Literal

from msgspec import Struct

from reports.compare import interval, rank_sum, signed_rank
from reports.compare.comparison import Rule

ENOUGH = 3
"""Runs of each side that make an exact difference one that repeats."""
AmountOutcome = Literal["less", "same", "more", "varies"]


class AmountComparison(Struct, frozen=True, kw_only=True):
    """One figure of a step, candidate against baseline."""

    figure: str
    outcome: AmountOutcome
    """`varies`: it varies from run to run, and whether it has changed beyond that is not clear."""
    exact: bool
    """Whether each side had the same amount in all of its runs."""
    runs: tuple[int, int]
    """How many measurements: of the baseline, of the candidate."""
    baseline: float
    """The median."""
    candidate: float
    """The median."""
    interval: tuple[float, float]
    """Of the difference of the medians, at the rule's confidence (bootstrap)."""
    p: float | None = None
    """Of the rank test in the direction of the difference; None where the amounts are exact."""

    @property
    def difference(self) -> float:
        """How much more the candidate has."""
        return self.candidate - self.baseline

    @property
    def changed(self) -> bool:
        """Whether it is `more` or `less`."""
        return self.outcome in {"more", "less"}


def is_exact(baseline: Sequence[float], candidate: Sequence[float]) -> bool:
    """Whether each side has one amount in all of its runs, of which there are enough."""
    enough = min(len(baseline), len(candidate)) >= ENOUGH
    return enough and len(set(baseline)) == 1 and len(set(candidate)) == 1


def compare_amounts(
    figure: str, baseline: Sequence[float], candidate: Sequence[float], rule: Rule, family: int, paired: bool
) -> AmountComparison:
    """Compares the amounts of all runs, once a check is over; with `paired`, those at one place are of one pair.

    `family` is the number of figures of the whole check that vary. The chance that any of them is called `more` or `less` although
    both sides are alike is `rule.alarm` at most, whatever the look at which the latencies have ended the check (Bonferroni's inequality
    over the figures, the two directions and the looks). The chance that one which varies between two amounts looks exact and different
    is one in 2^(runs - 1).

    >>> compare_amounts("bytes", [900.0] * 5, [950.0] * 5, Rule(), 1, paired=True).outcome
    'more'
    """
    changed = median(candidate) - median(baseline)
    exact = is_exact(baseline, candidate)
    p = None if exact else _test(baseline, candidate, paired, more=changed > 0)
    outcome: AmountOutcome = "more" if changed > 0 else "less" if changed < 0 else "same"
    if p is not None and (changed == 0 or p > rule.alarm / (2 * max(family, 1) * len(rule.looks))):
        outcome = "varies"
    return AmountComparison(
        figure=figure,
        outcome=outcome,
        exact=exact,
        runs=(len(baseline), len(candidate)),
        baseline=median(baseline),
        candidate=median(candidate),
        interval=(changed, changed) if exact else interval.difference(baseline, candidate, rule.confidence, paired),
        p=p,
    )


def _test(baseline: Sequence[float], candidate: Sequence[float], paired: bool, *, more: bool) -> float:
    low, high = (baseline, candidate) if more else (candidate, baseline)
    if paired:
        return signed_rank.p_above([above - below for below, above in zip(low, high, strict=True)])
    return rank_sum.p_above(low, high)
