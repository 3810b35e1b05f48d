"""Candidate against baseline at one look: four one-sided tests, each at its margin, and what they say together."""

from collections.abc import Sequence
from math import isfinite, log
from statistics import median

from msgspec import Struct

from reports.compare import effect, interval, rank_sum, signed_rank
from reports.compare.comparison import Comparison, Outcome, Rule
from reports.compare.spending import levels

RESOLUTION = 0.0001
"""Seconds: what a page's clock can tell (W3C High Resolution Time, "coarsen time"). A shorter latency counts as this long, which
also gives a latency of zero a ratio and a logarithm."""


class Evidence(Struct, frozen=True, kw_only=True):
    """What the four tests say, before anything is decided."""

    slower: float
    """p against 'the candidate is not slower by more than the margin'."""
    faster: float
    """p against 'the candidate is not faster by more than the margin'."""
    not_slower: float
    """p against 'the candidate is slower by the margin or more'."""
    not_faster: float
    """p against 'the candidate is faster by the margin or more'."""

    @property
    def changed(self) -> float:
        """p against 'changed by the margin or more': the larger of two, as both must be refuted (two one-sided tests).

        D. J. Schuirmann: A comparison of the two one-sided tests procedure and the power approach for assessing the equivalence
        of average bioavailability. Journal of Pharmacokinetics and Biopharmaceutics 15 (1987), 657-680.
        """
        return max(self.not_slower, self.not_faster)


def decide(
    baseline: Sequence[float], candidate: Sequence[float], rule: Rule, look: int, family: int, paired: bool
) -> Comparison:
    """Compares latencies in seconds at one look, of which the rule names the number of runs.

    With `paired`, `baseline[i]` and `candidate[i]` were measured next to each other, in an order that a coin has decided; without,
    the baseline is a saved sample of any size. `family` is the number of steps that are compared in the whole check. The number
    of runs need not be what the rule names for the look, as long as each look is used once for each step.

    **What holds.** In a check that looks at each of `rule.looks` at most, ends each step or all at once as soon as an outcome is
    not `undecided`, and keeps that outcome:

    - the chance of any `slower` or `faster` is `rule.alarm` at most, if no step has changed beyond the margin: Bonferroni's
      inequality over the steps, the two directions and the looks (see `spending.levels`);
    - the chance of `same` is `rule.miss` at most, for each step that has changed by the margin or more. So the chance that a
      check calls everything `same` although something has changed is `rule.miss` at most too, however many steps there are
      (the intersection-union principle: R. L. Berger, Technometrics 24 (1982), 295-300).

    **What it takes.** Not changed beyond the margin means: the candidate's latency is that of a baseline's run, each moved up by
    the margin at most (or down, for `faster`); see `margin`. In pairs it takes no more than a fair coin for each pair's order:
    the two sides of a pair may be related, and the machine may drift between pairs. A saved baseline takes that all runs
    are independent, and that the baseline's were made under the same conditions as the candidate's.

    Raises ValueError for no runs, for pairs that are not pairs, for what is not a latency, and for a look that there is not.

    >>> decide([0.20] * 13, [0.30] * 13, Rule(), look=1, family=5, paired=True).outcome
    'slower'
    >>> decide([0.20] * 8, [0.21] * 8, Rule(), look=0, family=5, paired=True).outcome
    'same'
    """
    _check(baseline, candidate, rule, look, family, paired)
    before, after = _readable(baseline), _readable(candidate)
    found = evidence(before, after, rule, paired)
    alarm, miss = allowed(rule, look, family, paired)
    middle = median(before), median(after)
    return Comparison(
        outcome=outcome(found, alarm, miss),
        test="signed-rank" if paired else "rank-sum",
        runs=(len(baseline), len(candidate)),
        baseline_seconds=median(baseline),
        candidate_seconds=median(candidate),
        ratio=middle[1] / middle[0],
        interval=interval.ratio(before, after, rule.confidence, paired),
        effect=effect.rank_biserial(_differences(before, after)) if paired else effect.cliff(before, after),
        p_slower=found.slower,
        p_faster=found.faster,
        p_changed=found.changed,
        alarm_level=alarm,
        miss_level=miss,
    )


def margin(latency: float, rule: Rule) -> float:
    """The longest latency that still counts as no change, where the baseline would have taken `latency`."""
    return max(latency * (1 + rule.tolerance), latency + rule.floor_seconds)


def evidence(baseline: Sequence[float], candidate: Sequence[float], rule: Rule, paired: bool) -> Evidence:
    """The four tests. All latencies must be above zero.

    Every run of one side is moved to the margin and compared with the other side as it is. If the true change is just the margin,
    the two are alike, and the p of a rank test is exact; so J. L. Hodges and E. L. Lehmann turn a rank test into a statement on
    the size of a change (Annals of Mathematical Statistics 34 (1963), 598-611). As each run is moved, not the medians, a share
    and a floor are one rule, and the mirrored test is the same one with the sides swapped.
    """
    slow, fast = [margin(one, rule) for one in baseline], [margin(one, rule) for one in candidate]
    if paired:
        up, down = _differences(slow, candidate), _differences(baseline, fast)
        return Evidence(
            slower=signed_rank.p_above(up),
            faster=signed_rank.p_above([-one for one in down]),
            not_slower=signed_rank.p_above([-one for one in up]),
            not_faster=signed_rank.p_above(down),
        )
    return Evidence(
        slower=rank_sum.p_above(slow, candidate),
        faster=rank_sum.p_above(fast, baseline),
        not_slower=rank_sum.p_above(candidate, slow),
        not_faster=rank_sum.p_above(baseline, fast),
    )


def allowed(rule: Rule, look: int, family: int, paired: bool) -> tuple[float, float]:
    """The p up to which a look may say `slower` or `faster`, and the one up to which it may say `same`."""
    # Noise may err in both directions. Of `same` each step that has changed has its own chance, so it is not divided.
    alarm = levels(rule.alarm / (2 * family), rule.looks, paired)
    return alarm[look], levels(rule.miss, rule.looks, paired)[look]


def outcome(found: Evidence, alarm: float, miss: float) -> Outcome:
    """What may be said. No two of the claims can be refuted at once, as the p of a claim and of its opposite add up to 1 or more."""
    if found.slower <= alarm:
        return "slower"
    if found.faster <= alarm:
        return "faster"
    return "same" if found.changed <= miss else "undecided"


def _differences(baseline: Sequence[float], candidate: Sequence[float]) -> list[float]:
    """Logarithms of the ratios, rounded so that ratios that are equal except for the last bits are ties."""
    return [round(log(after) - log(before), 12) for before, after in zip(baseline, candidate, strict=True)]


def _readable(latencies: Sequence[float]) -> list[float]:
    return [max(one, RESOLUTION) for one in latencies]


def _check(baseline: Sequence[float], candidate: Sequence[float], rule: Rule, look: int, family: int, paired: bool) -> None:
    if not baseline or not candidate:
        raise ValueError(f"{len(baseline)} runs of the baseline and {len(candidate)} of the candidate: each side needs one")
    if paired and len(baseline) != len(candidate):
        raise ValueError(f"{len(baseline)} runs of the baseline and {len(candidate)} of the candidate are not pairs")
    if not 0 <= look < len(rule.looks):
        raise ValueError(f"look {look} is not one of the {len(rule.looks)} of the rule, which count from 0")
    if family < 1:
        raise ValueError(f"a check compares one step at least, not {family}")
    for one in (*baseline, *candidate):
        if not (isfinite(one) and one >= 0):
            raise ValueError(f"{one} is not a latency in seconds")
