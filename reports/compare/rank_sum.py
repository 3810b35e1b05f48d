"""The rank-sum test of Wilcoxon (1945) and of Mann and Whitney (1947), for a saved baseline; exact up to large samples.

H. B. Mann, D. R. Whitney: On a test of whether one of two random variables is stochastically larger than the other.
Annals of Mathematical Statistics 18 (1947), 50-60.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from math import comb, erfc, sqrt

EXACT = 1_000_000
"""Length of the count (see `_ways`) up to which it is computed; beyond that the normal approximation is used, which is too large in the tail.

Forty runs against four hundred and a hundred against a hundred are still counted.
"""


def p_above(low: Sequence[float], high: Sequence[float]) -> float:
    """The chance that so many of `high` are above so many of `low`, if every way to deal the values to the two is as likely.

    That is so when all are measured independently and both come from one distribution. Two equal values count as if the low one
    were above: never less than any breaking of the ties gives, and never more when a value of `high` grows.
    """
    ordered = sorted(low)
    return chance(len(low), len(high), sum(bisect_left(ordered, one) for one in high))


def chance(first: int, second: int, above: int) -> float:
    """The chance of `above` or more among all comparisons of the two samples, when both samples come from one distribution."""
    most = first * second
    few, many = sorted((first, second))
    if few * most > EXACT:
        spread = sqrt(most * (first + second + 1) / 6)
        return erfc((above - 0.5 - most / 2) / spread) / 2
    ways, total = _ways(few, many), comb(few + many, few)
    left = most - above
    # The counts are symmetric, and only their lower half is there.
    return (ways[left] if left < len(ways) else total - (ways[above - 1] if above else 0)) / total


@lru_cache(maxsize=64)
def _ways(few: int, many: int) -> tuple[int, ...]:
    """At `u`, up to half of all comparisons: how many of the ways to deal the ranks leave `u` or fewer comparisons above.

    They are the coefficients of the Gaussian binomial: the product of (1 - x^(many + i)) / (1 - x^i) for i up to `few`.
    """
    half = few * many // 2
    ways = [1] + [0] * half
    for part in range(1, few + 1):
        for at in range(half, many + part - 1, -1):
            ways[at] -= ways[at - many - part]
        for at in range(part, half + 1):
            ways[at] += ways[at - part]
    return tuple(accumulate(ways))
