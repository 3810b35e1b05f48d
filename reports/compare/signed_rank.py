"""The signed-rank test of Wilcoxon (1945), for runs that were measured in pairs; exact, and no tie can make it say too much.

Frank Wilcoxon: Individual comparisons by ranking methods. Biometrics Bulletin 1 (1945), 80-83.
"""

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from math import erfc, sqrt
from operator import add

EXACT = 200
"""Pairs up to which every assignment of signs is counted; beyond, the normal curve stands in, which is too large in the tail."""


def p_above(differences: Sequence[float]) -> float:
    """The chance of ranks so high for the positive ones, if each difference is as likely to be above zero as below, by as much.

    That is what a random order within each pair gives when both sides are alike; nothing else is assumed of the values. A zero
    counts as negative, and of two that are equally far from zero the negative one takes the higher rank. The result is that of
    all values moved down by the smallest step that leaves no tie: never less than any breaking of the ties gives, and never
    more when a value grows. (Pratt's way with zeros and mid-ranks for ties is exact too, but its p can rise with a value.)
    """
    ordered = sorted(differences, key=lambda one: (abs(one), one <= 0))
    return chance(len(ordered), sum(rank for rank, one in enumerate(ordered, 1) if one > 0))


def chance(pairs: int, ranks: int) -> float:
    """The chance that the positive ranks of so many pairs add up to `ranks` or more, when every sign is a fair coin's."""
    most = pairs * (pairs + 1) // 2
    if pairs > EXACT:
        spread = sqrt(most * (2 * pairs + 1) / 6)
        return erfc((ranks - 0.5 - most / 2) / spread) / 2
    return _ways(pairs)[most - ranks] / (1 << pairs)


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
    for rank in range(1, pairs + 1):
        # With this rank negative, or with it positive.
        nothing = [0] * rank
        ways = list(map(add, ways + nothing, nothing + ways))
    return tuple(accumulate(ways))
