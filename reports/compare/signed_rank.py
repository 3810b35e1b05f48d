"""A signed-rank test for runs that were measured in pairs: exact, with capped ranks, and no tie can make it say too much.

It is the test of F. Wilcoxon (Individual comparisons by ranking methods, Biometrics Bulletin 1 (1945), 80-83), except for the cap: a
run that hung makes the largest difference of all, and with the highest rank it would outweigh a dozen others, whichever side it
was on. On the noise of a crowded machine, the capped test sees a change much sooner; on noise without outliers it needs about one
run more. Any ranks that never fall as the difference grows give an exact test that never falls as a value grows (J. Hájek,
Z. Šidák: Theory of rank tests, 1967).
"""

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from math import erfc, sqrt
from operator import add

CAP = 3
"""A third of the pairs have ranks of their own; the two thirds with larger differences share the next one."""
EXACT = 200
"""Pairs up to which every choice of signs is counted; beyond that the normal approximation is used, which is too large in the tail."""


def p_above(differences: Sequence[float]) -> float:
    """The chance of ranks so high for the positive ones, if each difference is as likely to be above zero as below, by as much.

    That is what a random order within each pair gives when both sides are alike; nothing else is assumed of the values. A zero
    counts as negative, and of two that are equally far from zero the negative one takes the higher rank. The result is that of
    all values moved down by the smallest step that leaves no tie: never less than any breaking of the ties gives, and never
    more when a value grows. (The zeros of J. W. Pratt (1959) with mid-ranks are exact too, but their p can rise with a value.)
    """
    ordered = sorted(differences, key=lambda one: (abs(one), one <= 0))
    ranks = capped(len(ordered))
    return chance(len(ordered), sum(rank for rank, one in zip(ranks, ordered, strict=True) if one > 0))


@lru_cache(maxsize=256)
def capped(pairs: int) -> tuple[int, ...]:
    """The ranks of so many pairs, from the smallest difference to the largest."""
    most = -(-pairs // CAP)
    return tuple(min(rank, most) for rank in range(1, pairs + 1))


def chance(pairs: int, ranks: int) -> float:
    """The chance that the positive ranks of so many pairs add up to `ranks` or more, when every sign is a fair coin's."""
    if pairs > EXACT:
        spread = sqrt(sum(rank * rank for rank in capped(pairs)) / 2)
        return erfc((ranks - 0.5 - sum(capped(pairs)) / 2) / spread) / 2
    # As likely as that the negative ones do, which leaves so much less than all.
    return _ways(pairs)[-1 - ranks] / (1 << pairs)


def attainable(pairs: int, at_most: float) -> float:
    """The largest chance that so many pairs can show which is not above `at_most`; 0 when there is none."""
    if pairs > EXACT:
        return at_most
    # Whole numbers are compared: this is the same figure as `chance` gives, to the last bit.
    found = bisect_right(_ways(pairs), at_most * (1 << pairs))
    return _ways(pairs)[found - 1] / (1 << pairs) if found else 0.0


@lru_cache(maxsize=64)
def _ways(pairs: int) -> tuple[int, ...]:
    """At `s`: how many of the 2^pairs choices of signs make the positive ranks add up to `s` or less."""
    ways = [1]
    for rank in capped(pairs):
        # With this rank negative, or with it positive.
        nothing = [0] * rank
        ways = list(map(add, ways + nothing, nothing + ways))
    return tuple(accumulate(ways))
