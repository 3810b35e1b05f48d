"""How the chance of error is spread over the looks of a check.

Whoever looks at growing data again and again, and stops when they like what they see, errs more often than each look would alone.
K. K. G. Lan, D. L. DeMets: Discrete sequential boundaries for clinical trials. Biometrika 70 (1983), 659-663, spend the chance
of error little by little: by when a share t of the data is there, no more than a function of t may be spent.
"""

from functools import lru_cache
from math import sqrt

from reports.compare import signed_rank


@lru_cache(maxsize=256)
def levels(rate: float, looks: tuple[int, ...], paired: bool) -> tuple[float, ...]:
    """At each look, the p up to which a claim may be made, so that over all looks it is wrong at most with chance `rate`.

    Until n of N runs no more than rate * √(n/N) is spent: much at once, as most steps have either not changed or changed clearly,
    and a clear case should be over at the first or second look. The levels add up to `rate` at most, so by Bonferroni's
    inequality the guarantee needs no more than that each look's p is valid: not how the looks depend on each other, not that the
    number of runs is exactly what was planned, not that all steps stop together.

    Few pairs know few values of p (eight pairs none below 1/256). In pairs each level is therefore one that can be reached, and
    what is left over is spent at a later look.
    """
    found: list[float] = []
    for runs in looks:
        free = rate * sqrt(runs / looks[-1]) - sum(found)
        found.append(signed_rank.attainable(runs, free) if paired else free)
    return tuple(found)
