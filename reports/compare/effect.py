"""How large a difference is beside the noise: from -1, where every candidate is faster, to 1, where every one is slower."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence


def cliff(baseline: Sequence[float], candidate: Sequence[float]) -> float:
    """The share of all comparisons of two runs that the candidate is slower in, less the share that it is faster in.

    N. Cliff: Dominance statistics: ordinal analyses to answer ordinal questions. Psychological Bulletin 114 (1993), 494-509.
    """
    ordered = sorted(baseline)
    balance = sum(bisect_left(ordered, one) + bisect_right(ordered, one) - len(ordered) for one in candidate)
    return balance / (len(baseline) * len(candidate))


def rank_biserial(differences: Sequence[float]) -> float:
    """The same for pairs: the positive ranks less the negative ones, as a share of all; zeros and ties have mid-ranks.

    Counted over the averages of all pairs of differences, each with itself too, as J. W. Tukey has shown to be the same.
    D. S. Kerby: The simple difference formula. Comprehensive Psychology 3 (2014), 11.IT.3.1.
    """
    ordered = sorted(differences)
    # Over ordered pairs (i, j) with i ≠ j every average counts twice, so those with themselves are added once more.
    twice = sum(len(ordered) - bisect_right(ordered, -one) - bisect_left(ordered, -one) for one in ordered)
    own = sum((one > 0) - (one < 0) for one in ordered)
    return (twice + own) / (len(ordered) * (len(ordered) + 1))
