"""Whether so many runs can decide an objective: exact binomial probabilities, without any approximation of many runs."""

import math
from typing import Literal

Verdict = Literal["kept", "missed", "undecided"]
RISK = 0.05
"""The probability with which a verdict may be wrong."""


def judge_objective(runs: int, bad: int, allowed: float) -> Verdict:
    """Whether the share of bad runs is below or above `allowed`, as far as these runs can tell.

    `kept` when so few bad runs would be improbable (at most RISK) if the true share were `allowed`; `missed` when so many would be.

    >>> judge_objective(8640, 20, 0.005), judge_objective(8640, 80, 0.005), judge_objective(288, 0, 0.005), judge_objective(288, 1, 0.005)
    ('kept', 'missed', 'undecided', 'undecided')
    """
    if at_most(bad, runs, allowed) <= RISK:
        return "kept"
    if bad and 1 - at_most(bad - 1, runs, allowed) <= RISK:
        return "missed"
    return "undecided"


def runs_needed(allowed: float) -> int:
    """The number of runs, all good, after which an objective counts as kept; with fewer, nothing can show it.

    >>> runs_needed(0.005), runs_needed(0.0001)
    (598, 29956)
    """
    return math.ceil(math.log(RISK) / math.log1p(-allowed))


def at_most(bad: int, runs: int, share: float) -> float:
    """The probability of at most `bad` bad runs if each is bad with the probability `share`."""
    if bad >= runs:
        return 1.0
    log_of = [
        math.lgamma(runs + 1)
        - math.lgamma(one + 1)
        - math.lgamma(runs - one + 1)
        + one * math.log(share)
        + (runs - one) * math.log1p(-share)
        for one in range(bad + 1)
    ]
    return min(math.fsum(math.exp(one) for one in log_of), 1.0)
